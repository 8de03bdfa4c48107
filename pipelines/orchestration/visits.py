"""One visit of a Dagster step to the house: a session that holds the warehouse, its errors as Dagster failures.

Nothing is decided here. Which work a step has is `pipelines.run`'s business, which step it is the other modules'.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from pipelines.errors import BlockedError, JunhengError
from pipelines.records import Build
from pipelines.run import Say, Session
from pipelines.settings import Settings


@contextmanager
def visit(settings: Settings, say: Say) -> Iterator[Session]:
    """A session that holds the warehouse until the end of the block.

    Raises dagster.Failure for every error that people can meet; a busy warehouse is one of them.
    """
    try:
        session = Session(settings, say)
        with session.warehouse.lock():
            yield session
    except JunhengError as error:
        # The traceback of an error that people can mend only hides what they have to do.
        raise failure_of(error) from None


def failure_of(error: JunhengError) -> dg.Failure:
    """An error of ours as Dagster shows it: what happened, where, what to do, and the checks that failed."""
    metadata: dict[str, dg.MetadataValue] = {"code": dg.MetadataValue.text(error.code)}
    if error.where:
        metadata["where"] = dg.MetadataValue.text(error.where)
    if error.do:
        metadata["do"] = dg.MetadataValue.text(error.do)
    if isinstance(error, BlockedError) and error.failing:
        metadata["failing"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in error.failing))
    return dg.Failure(description=str(error), metadata=metadata, allow_retries=False)


def present_build(session: Session) -> Build:
    """The build of exactly what is received and agreed now.

    Raises BlockedError when that has not been built.
    """
    taken = session.take_in(receive=False)
    build = session.stored_build(session.identity(taken).build_id)
    if build is None:
        raise BlockedError(
            "the present receipts, contracts and code have not been built",
            where=str(session.warehouse.builds),
            do="materialise the tables first, or run the nightly job",
        )
    return build
