"""What the bytes of an unknown file are: packing, kind of file, encoding, delimiter, each with the reason.

What stands in its sheets is looked at by `survey`.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, replace

from pipelines.errors import UnreadableFileError
from pipelines.formats import decode, detect_encoding, files_in_zip, recognise, sheet_list, unpack
from pipelines.intake.names import RegionIndex
from pipelines.intake.numbers import sign_form
from pipelines.intake.sniffing.cells import is_number
from pipelines.intake.sniffing.writing import plain_pattern
from pipelines.jurisdiction.contract import Format, SheetRule
from pipelines.jurisdiction.text import normalise

_MULTIBYTE = ("gb18030", "cp932", "euc_jp", "big5", "cp949")  # too alike in short files to be told by their bytes
_TEXTS = ("csv", "tsv", "jsonl")  # text that may be in any encoding
_MOST_MEMBERS = 40  # files of a zip that are looked at
_MIXED_WHOLE = 400_000  # bytes that names of regions are looked for in


@dataclass(frozen=True)
class Part:
    """A table that a file may hold: the format to read it by, and the reason for each part of that."""

    rule: Format
    why: dict[str, str]
    sheet: str = ""  # its name, where the file has several
    is_visible: bool = True
    place: int = 1  # among the tables of its file that people see
    member: str = ""  # its path in a zip of many files
    problem: UnreadableFileError | None = None  # why it is no table

    @property
    def called(self) -> str:
        """What people call it: its path in a zip, its name."""
        return "/".join(filter(None, (self.member, self.sheet)))


def parts_of(data: bytes, file_name: str, index: RegionIndex) -> list[Part]:
    """The tables that a file may hold: each sheet of a workbook, each table of a page, or the file as a whole.

    Raises UnreadableFileError for bytes that are no table of a kind that can be read.
    """
    if not data:
        raise UnreadableFileError("the file is empty (0 bytes)", where=file_name, do="ask for it again")
    is_gzip = data[:2] == b"\x1f\x8b"
    names = None if is_gzip else files_in_zip(data)
    if names is None:
        inner = _member(data, "*", file_name) if is_gzip else data
        return _parts_inside(inner, data, "*", {"kind": "packed with gzip" if is_gzip else ""}, file_name, index)
    if not names:
        raise UnreadableFileError("the zip is empty", where=file_name, do="ask for it again")
    if len(names) == 1:
        return _parts_inside(_member(data, "*", file_name), data, "*", {"kind": "packed with zip"}, file_name, index)
    return _parts_of_zip(data, names, file_name, index)


def path_pattern(path: str) -> str:
    """The pattern of a contract that fits one path in a zip and no other."""
    return f"^{plain_pattern(normalise(path))}$"


def _parts_of_zip(data: bytes, names: list[str], file_name: str, index: RegionIndex) -> list[Part]:
    """The tables of all files in a zip, and the files that are none, as they lie in it."""
    parts: list[Part] = []
    shown = f"the zip holds {len(names)} files"
    for name in names[:_MOST_MEMBERS]:
        member = SheetRule(pattern=path_pattern(name))
        why = {"kind": "packed with zip", "member": f"{shown}: this one has the largest table"}
        try:
            inner = _member(data, member, file_name)
            found = _parts_inside(inner, data, member, why, file_name, index)
            parts += [replace(part, member=name) for part in found]
        except UnreadableFileError as error:
            parts.append(Part(Format(kind="csv", member=member), why, member=name, problem=error))
    if len(names) > _MOST_MEMBERS:
        rest = UnreadableFileError(f"{len(names) - _MOST_MEMBERS:,} more files were not looked at", where=file_name)
        parts.append(Part(Format(kind="csv"), {}, member="...", problem=rest))
    return parts


def _member(data: bytes, member: str | SheetRule, file_name: str) -> bytes:
    return unpack(data, Format(kind="xlsx", member=member), file_name)


def _parts_inside(
    inner: bytes, data: bytes, member: str | SheetRule, why: dict[str, str], file_name: str, index: RegionIndex
) -> list[Part]:
    """The tables of one unpacked file; `data` are the bytes as they came, `member` what the contract calls the file."""
    packed = f", {why['kind']}" if why["kind"] else ""
    known = recognise(inner)
    if known is not None and known.kind not in _TEXTS:
        why["kind"] = f"the bytes are those of {known.name}{packed}"
        whole = Format.model_validate({"kind": known.kind, "member": member})
        return _tables(data, whole, why, file_name)
    detected = detect_encoding(inner)
    encoding, why["encoding"] = detected.encoding, detected.why
    if not detected.is_declared:
        spelt = _encoding_of_names(inner, encoding, index)
        if spelt != encoding:
            encoding, why["encoding"] = spelt, "only read as such do the names of regions.csv stand in the file"
        elif not detected.is_certain:
            why["encoding"] += "; but it may be " + ", ".join(f"{name} ({text})" for name, text in detected.others)
    text = decode(inner, encoding, file_name)
    if known is not None and known.kind == "jsonl":
        why["kind"] = f"each line is a JSON object{packed}"
        return [Part(Format(kind="jsonl", encoding=encoding, member=member), why)]
    delimiter, why["delimiter"] = _delimiter(text)
    why["kind"] = f"text in columns{packed}"
    kind = "tsv" if delimiter == "\t" else "csv"
    parts = {"kind": kind, "encoding": encoding, "delimiter": "," if kind == "tsv" else delimiter, "member": member}
    return [Part(Format.model_validate(parts), why)]


def _tables(data: bytes, whole: Format, why: dict[str, str], file_name: str) -> list[Part]:
    """The tables of a file that may hold several: each by its name, or by its place where another has its name."""
    sheets = sheet_list(data, whole, file_name)
    names = [sheet.name for sheet in sheets]
    if len(sheets) < 2 and whole.kind not in ("xlsx", "xls", "ods"):
        return [Part(whole, why)]
    parts = []
    place = 0  # among those that people see, as contracts count them
    for sheet in sheets:
        place += sheet.is_visible
        named = sheet.name if sheet.name and names.count(sheet.name) == 1 else place
        parts.append(Part(whole.model_copy(update={"sheet": named}), dict(why), sheet.name, sheet.is_visible, place))
    return parts


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
