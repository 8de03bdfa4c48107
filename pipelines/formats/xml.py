"""XML taken apart element by element, by a parser that fetches nothing and expands nothing.

A document type, whose entities can grow without end or name other files, is refused; so is what is nested too deep.
What the elements mean is their format's module's work.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.errors import UnreadableFileError

if TYPE_CHECKING:
    from lxml.etree import _Element

_SEND_AGAIN = "ask for the file again, as its program wrote it"


def parsed_events(
    data: bytes, where: str, events: Sequence[str] = ("end",), tags: Sequence[str] | None = None
) -> Iterator[tuple[str, _Element]]:
    """The events and elements of a document, in order, or those with certain tags; who takes them clears what is done.

    Raises UnreadableFileError naming the line where the document is not well-formed, and for a document type.
    """
    from lxml import etree  # only files of XML need it

    parser = etree.iterparse(
        io.BytesIO(data),
        events=events,
        tag=tags,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    is_first = True
    try:
        for event, element in parser:
            if is_first and element.getroottree().docinfo.internalDTD is not None:
                raise UnreadableFileError(
                    "the XML has a document type, which could make it grow without end: refused",
                    where=where,
                    do="ask for the file without `<!DOCTYPE ...>`",
                )
            is_first = False
            yield event, element
    except etree.XMLSyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise UnreadableFileError(
            f"not readable as XML: {str(error.msg)[:200]}", where=where + line, do=_SEND_AGAIN
        ) from error


def local_name(tag: object) -> str:
    """An element's or attribute's name without its namespace."""
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def namespace(tag: object) -> str:
    """The namespace of an element's or attribute's name; empty where it has none."""
    return tag[1 : tag.index("}")] if isinstance(tag, str) and tag.startswith("{") else ""


def forget(element: _Element) -> None:
    """Free an element that is done with, and those before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
