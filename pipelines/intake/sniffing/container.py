"""What the bytes of an unknown file are: packing, kind of file, encoding, delimiter, each with the reason.

What stands in its sheets is looked at by `survey`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections import Counter
from dataclasses import dataclass

from pipelines.errors import UnreadableFileError
from pipelines.formats import decode, detect_encoding, sheet_list, unpack
from pipelines.intake.names import RegionIndex
from pipelines.intake.numbers import sign_form
from pipelines.intake.sniffing.cells import is_number
from pipelines.jurisdiction.contract import Format
from pipelines.jurisdiction.text import normalise

_MULTIBYTE = ("gb18030", "cp932", "euc_jp", "big5", "cp949")  # too alike in short files to be told by their bytes
_TABLES = re.compile(r"\.(csv|tsv|txt|xlsx|xls|ods|parquet|jsonl|ndjson)$", re.IGNORECASE)
_MIXED_WHOLE = 400_000  # bytes that names of regions are looked for in


@dataclass(frozen=True)
class Part:
    """A table that a file may hold: the format to read it by, and the reason for each part of that."""

    rule: Format
    why: dict[str, str]
    sheet: str = ""  # of a workbook
    is_visible: bool = True


def parts_of(data: bytes, file_name: str, index: RegionIndex) -> list[Part]:
    """The tables that a file may hold: each sheet of a workbook, or the file as a whole.

    Raises UnreadableFileError for bytes that are no table of a kind that can be read.
    """
    if not data:
        raise UnreadableFileError("the file is empty (0 bytes)", where=file_name, do="ask for it again")
    inner, member, why = _unpacked(data, file_name)
    packed = f", {why['kind']}" if "kind" in why else ""
    workbook = _packed_table(inner) or ("xls" if inner[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" else None)
    if workbook:
        why["kind"] = f"the bytes are those of a workbook{packed}"
        whole = Format.model_validate({"kind": workbook, "member": member})
        return [
            Part(whole.model_copy(update={"sheet": sheet.name}), dict(why), sheet.name, sheet.is_visible)
            for sheet in sheet_list(data, whole, file_name)
        ]
    if inner[:4] == b"PAR1":
        why["kind"] = f"the bytes are those of Parquet{packed}"
        return [Part(Format(kind="parquet", member=member), why)]
    encoding = detect_encoding(inner)
    why["encoding"] = "the byte-order mark" if encoding in ("utf-8-sig", "utf-16") else "the bytes read as such"
    if encoding not in ("ascii", "utf-8", "utf-8-sig", "utf-16"):
        spelt = _encoding_of_names(inner, encoding, index)
        if spelt != encoding:
            encoding, why["encoding"] = spelt, "only read as such do the names of regions.csv stand in the file"
    text = decode(inner, encoding, file_name)
    if _is_json_lines(text):
        why["kind"] = f"each line is a JSON object{packed}"
        return [Part(Format(kind="jsonl", encoding=encoding, member=member), why)]
    delimiter, why["delimiter"] = _delimiter(text)
    why["kind"] = f"text in columns{packed}"
    kind = "tsv" if delimiter == "\t" else "csv"
    parts = {"kind": kind, "encoding": encoding, "delimiter": "," if kind == "tsv" else delimiter, "member": member}
    return [Part(Format.model_validate(parts), why)]


def _unpacked(data: bytes, file_name: str) -> tuple[bytes, str, dict[str, str]]:
    """The bytes within gzip and zip, the member that a contract must name, and what was unpacked."""
    why: dict[str, str] = {}
    member = "*"
    for _ in range(2):
        if data[:2] == b"\x1f\x8b":
            data = unpack(data, Format(kind="xlsx"), file_name)
            why["kind"] = "packed with gzip"
        elif data[:4] == b"PK\x03\x04" and _packed_table(data) is None:
            names = _members(data, file_name)
            chosen = ([name for name in names if _TABLES.search(name)] or names)[:1]
            if not chosen:
                raise UnreadableFileError("the zip is empty", where=file_name, do="ask for it again")
            if len(names) > 1:
                member = chosen[0].rsplit("/", 1)[-1]
                why["member"] = f"the zip holds {len(names)} files: {', '.join(names[:6])}"
            data = unpack(data, Format(kind="xlsx", member=chosen[0].rsplit("/", 1)[-1]), file_name)
            why["kind"] = "packed with zip"
    return data, member, why


def _encoding_of_names(data: bytes, detected: str, index: RegionIndex) -> str:
    """Of the encodings that the bytes can be, the one with most names of regions; the detected one on a tie."""
    telling = [name for name in index.by_name if not name.isascii()]
    best, most = detected, -1
    for encoding in (detected, *_MULTIBYTE):
        try:
            strictness = "ignore" if len(data) > _MIXED_WHOLE else "strict"
            text = normalise(data[:_MIXED_WHOLE].decode(encoding, strictness))
        except UnicodeDecodeError:
            continue
        count = sum(1 for name in telling if name in text)
        if count > most:
            best, most = encoding, count
    return best


def _packed_table(data: bytes) -> str | None:
    """`xlsx` or `ods` when a zip is a workbook."""
    if data[:4] != b"PK\x03\x04":
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return None
    if "[Content_Types].xml" in names:
        return "xlsx"
    return "ods" if "mimetype" in names else None


def _members(data: bytes, where: str) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [i.filename for i in archive.infolist() if not i.is_dir() and not i.filename.startswith("__MACOSX/")]
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise UnreadableFileError(f"not readable as zip: {error}", where=where, do="ask for it again") from error


def _is_json_lines(text: str) -> bool:
    lines = [line for line in text[:200_000].split("\n")[:20] if line.strip()]
    try:
        return bool(lines) and all(isinstance(json.loads(line), dict) for line in lines[: max(1, len(lines) - 1)])
    except (ValueError, RecursionError):
        return False


def _delimiter(text: str) -> tuple[str, str]:
    """The delimiter that gives the most numbers in rows of equal width."""
    lines = text[:300_000].splitlines()[:400]
    best, best_score = ",", -1.0
    for candidate in (",", "\t", ";", "|"):
        try:
            rows = list(csv.reader(lines, delimiter=candidate))
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        numbers = sum(1 for row in rows for cell in row if is_number(sign_form(cell)))
        steady = widths.most_common(1)[0][1] / max(1, len(rows))
        score = numbers * (0.2 + steady) + sum(widths.values()) * 0.01
        if score > best_score:
            best, best_score = candidate, score
    shown = {"\t": "tabs"}.get(best, repr(best))
    return best, f"{shown} give the most numbers in rows of one width"
