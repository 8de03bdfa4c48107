"""One visit of a Dagster step to the house: a session that holds the warehouse, under watch, its errors as Dagster's.

Nothing is decided here. Which work a step has is `pipelines.run`'s business, which step it is the other modules'.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb

from pipelines.errors import BlockedError, JunhengError
from pipelines.orchestration.names import NIGHTLY, is_read_job
from pipelines.records import Build
from pipelines.run import Session
from pipelines.run.watching import Watch, watch
from pipelines.settings import Settings

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


def retry_policy(settings: Settings) -> dg.RetryPolicy:
    """Again, later and later, where trouble can pass: a busy warehouse, a disk or a network that hiccups."""
    return dg.RetryPolicy(
        max_retries=settings.retries,
        delay=settings.retry_seconds,
        backoff=dg.Backoff.EXPONENTIAL,
        jitter=dg.Jitter.PLUS_MINUS,
    )


@contextmanager
def visit(settings: Settings, context: Context, *, alone: str) -> Iterator[Watch]:
    """A session that holds the warehouse until the end of the block, under watch.

    The log of the run goes on from step to step. The nightly says by itself when it is done; in any other run each
    step is a piece of work of its own, that ends as `alone` says. Raises dagster.Failure for every error: one that
    people can mend is told without a traceback, and only one that can pass is tried again.
    """
    session = Session(settings, context.log.info)
    run = context.run
    asked = {"job": run.job_name, "partition": run.tags.get("dagster/partition")}
    has_attempts_left = context.retry_number < settings.retries
    try:
        with watch(
            session,
            door=f"dagster {run.job_name}",
            asked=asked,
            run_id=run.run_id,
            tells=not is_read_job(run.job_name),
            will_go_on=lambda error: has_attempts_left and can_pass(error),
        ) as watched:
            session.note("visit", step=context.op_execution_context.op.name, attempt=context.retry_number + 1)
            with session.warehouse.lock():
                yield watched
            if not watched.outcome and run.job_name != NIGHTLY:
                watched.done(alone)
    except JunhengError as error:
        # The traceback of an error that people can mend only hides what they have to do.
        raise failure_of(error) from None
    except Exception as error:
        if can_pass(error):
            raise
        raise dg.Failure(f"a fault of the program: {type(error).__name__}: {error}", allow_retries=False) from error


def can_pass(error: BaseException) -> bool:
    """True where trying again may help: the warehouse is busy, or reading and writing failed below us."""
    if isinstance(error, JunhengError):
        return error.can_pass
    return isinstance(error, OSError | duckdb.IOException)


def failure_of(error: JunhengError) -> dg.Failure:
    """An error of ours as Dagster shows it: what happened, where, what to do, and the checks that failed."""
    metadata: dict[str, dg.MetadataValue] = {"code": dg.MetadataValue.text(error.code)}
    if error.where:
        metadata["where"] = dg.MetadataValue.text(error.where)
    if error.do:
        metadata["do"] = dg.MetadataValue.text(error.do)
    if isinstance(error, BlockedError) and error.failing:
        metadata["failing"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in error.failing))
    return dg.Failure(description=str(error), metadata=metadata, allow_retries=error.can_pass)


def present_build(session: Session) -> Build:
    """The build of exactly what is received and agreed now.

    Raises BlockedError when that has not been built.
    """
    return session.present_build("materialise the tables first, or run the nightly job")
