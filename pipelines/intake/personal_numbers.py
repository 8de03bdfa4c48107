"""Numbers that name a person (identity number, mobile number, bank card) where no contract speaks of persons.

They are found and taken out of a grid before anything else looks at it, so that no part of one can reach a reject, a
finding, a message or a release. What person-level extracts do with them is `personal`'s work.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise

import polars as pl

from pipelines.formats import ROW, Grid
from pipelines.intake.personal import check_digit
from pipelines.jurisdiction.personal_kinds import Check, PersonalKind

FOUND = {ROW: pl.Int64, "cell": pl.String, "kind": pl.String}

_FOLDED = str.maketrans("０１２３４５６７８９ＸｘＥｅ．－＋　", "0123456789XxEe.-+ ")
_SEPARATOR = r"[ \u00a0\u2009\u202f\-\u2010-\u2013_.·/()（）]?"
# Most cells have no run of eleven digits and are never looked at one by one.
_CANDIDATE = (
    r"[0-9０-９](?:[ \u00a0\u2009\u202f\-\u2010-\u2013_.·/()（）]?[0-9０-９]){10}|[0-9]\.[0-9]{9,}[eE]\+?1[0-9]"
    # digits in disguise: raised, circled, of other scripts, with characters between them that nobody sees
    r"|[\p{No}\p{Nl}\p{Cf}]|[\p{Nd}--[0-9０-９]]|[〇零一二三四五六七八九]{11}"
)
_NUMERALS = {sign: str(number % 10) for number, sign in enumerate("零一二三四五六七八九〇")}
_IDENTITY = re.compile(rf"(?<![0-9])[1-9](?:{_SEPARATOR}[0-9]){{16}}{_SEPARATOR}[0-9Xx](?![0-9])")
_OLD_IDENTITY = re.compile(rf"(?<![0-9])[1-9](?:{_SEPARATOR}[0-9]){{14}}(?![0-9])")
_MOBILE = re.compile(rf"(?<![0-9])(?:\+?0?0?86{_SEPARATOR})?(1[3-9](?:{_SEPARATOR}[0-9]){{9}})(?![0-9])")
_CARD = re.compile(rf"(?<![0-9])[2-6][0-9]{{3}}(?:{_SEPARATOR}[0-9]){{11,15}}(?![0-9])")
_FLOAT = re.compile(r"^\s*([1-9]\.[0-9]{9,})[eE]\+?(1[0-9])\s*$")
_PLAIN_WHOLE = re.compile(r"^[0-9]+(?:\.0+)?$")
_FRACTION = re.compile(r"^\s*[+-]?[0-9]*\.[0-9]*[1-9][0-9]*(?:[eE][+-]?[0-9]+)?\s*$")
_WHOLE = re.compile(r"^\s*([+-]?[0-9]+)\.0*\s*$")
# First two digits of GB/T 2260: provinces, Taiwan, Hong Kong, Macao, and residents from Taiwan (83).
_PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
    ]
) | frozenset(["50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83"])
# Issuers of bank cards: UnionPay, Visa, Mastercard, JCB, and domestic cards from before UnionPay.
_ISSUER = re.compile(r"^(?:62|4|5[1-5]|2[2-7]|35|60|95)")


def find_personal_number(text: str, kinds: Collection[PersonalKind]) -> str | None:
    """The name of the first kind of personal number that a text holds, None when it holds none."""
    folded = _without_exponent(_in_plain_digits(text))
    if _FRACTION.match(folded):  # a number with a fraction is a quantity
        return None
    folded = _WHOLE.sub(r"\1", folded)
    return next((kind.name for kind in kinds if _FINDERS[kind.check](folded, kind)), None)


def _in_plain_digits(text: str) -> str:
    """A text with every digit as a plain one, however it is written, and without characters that nobody sees."""
    text = text.translate(_FOLDED)
    if text.isascii():
        return text
    seen = (character for character in text if unicodedata.category(character) != "Cf")
    return "".join(_NUMERALS.get(c) or str(unicodedata.digit(c, c)) for c in seen)


def shape_of(kind: str) -> str:
    """What is shown in the place of a cell, header or name that holds a personal number: `<identity number>`."""
    return f"<{kind}>"


def mask_text(text: str, kinds: Collection[PersonalKind]) -> str:
    """The text itself, or the shape alone when it holds a personal number."""
    kind = find_personal_number(text, kinds)
    return shape_of(kind) if kind else text


@dataclass(frozen=True)
class MaskedGrid:
    """A grid without personal numbers, and where they stood: in cells (source_row, cell, kind), or beside them.

    `beside` are pairs of place (`name of the sheet`, `note on a cell`, `comment in the workbook`) and kind.
    """

    grid: Grid
    found: pl.DataFrame
    beside: tuple[tuple[str, str], ...] = ()


def mask_grid(
    grid: Grid,
    kinds: Collection[PersonalKind],
    amounts: Mapping[str, Callable[[Decimal], bool]] | None = None,
    codes: Collection[str] = (),
) -> MaskedGrid:
    """Replace every cell that holds a personal number by its shape, and so with the sheet's name, notes and findings.

    `amounts` are columns (`c3`) that hold amounts, with the amounts each may hold: there a plain whole number that
    could also be a mobile number is an amount. `codes` are columns whose long numbers are codes.
    """
    found: list[tuple[int, str, str]] = []
    columns: dict[str, pl.Series] = {}
    for cell in _with_candidates(grid, [name for name in grid.columns if name not in codes], kinds):
        column = grid.cells[cell]
        places = _candidates(column, kinds).arg_true()
        shapes: dict[int, str] = {}
        for place in places:
            text = column[place]
            kind = find_personal_number(text, kinds)
            if kind is None or (amounts and cell in amounts and _is_amount(text, kinds, kind, amounts[cell])):
                continue
            shapes[place] = shape_of(kind)
            found.append((grid.cells[ROW][place], cell, kind))
        if shapes:
            columns[cell] = column.scatter(list(shapes), list(shapes.values()))
    cells = grid.cells.with_columns(series.alias(name) for name, series in columns.items())
    for halves, rows, kind in _halves(grid, {*codes, *(amounts or ())}, kinds):
        found += [(row, half, kind) for row in rows for half in halves]
        is_half = pl.col(ROW).is_in(rows)
        cells = cells.with_columns(
            pl.when(is_half).then(pl.lit(shape_of(kind))).otherwise(pl.col(half)).alias(half) for half in halves
        )
    masked = replace(
        grid,
        sheet=mask_text(grid.sheet, kinds),
        beside=(),
        cells=cells,
        faults=_mask_column(grid.faults, ("detail",), kinds),
        notes=_mask_column(grid.notes, ("text", "note"), kinds),
        findings=tuple({name: mask_text(text, kinds) for name, text in one.items()} for one in grid.findings),
    )
    return MaskedGrid(masked, pl.DataFrame(found, schema=FOUND, orient="row"), tuple(_beside_cells(grid, kinds)))


def _with_candidates(grid: Grid, columns: list[str], kinds: Collection[PersonalKind]) -> list[str]:
    """The columns that are worth a look cell by cell: most hold no number that is long enough."""
    if not columns or any(kind.check == "pattern" for kind in kinds):
        return columns
    has_any = grid.cells.select(pl.col(columns).str.contains(_CANDIDATE).any()).row(0)
    return [name for name, is_worth in zip(columns, has_any, strict=True) if is_worth]


def _halves(
    grid: Grid, others: Collection[str], kinds: Collection[PersonalKind]
) -> Iterator[tuple[tuple[str, str], list[int], str]]:
    """Identity numbers of which one half stands in one cell and the other in the next: both columns, rows, kind.

    Only numbers of 18 digits that the check digit confirms, and none in the columns `others`: two figures side by side
    are one by chance hardly ever.
    """
    kind = next((kind.name for kind in kinds if kind.check == "identity"), None)
    pairs = [pair for pair in pairwise(grid.columns) if not set(pair) & set(others)]
    if kind is None or not pairs:
        return
    is_long = [(pl.col(a).str.len_bytes() + pl.col(b).str.len_bytes() == 18).any() for a, b in pairs]
    worth = grid.cells.select(expression.alias(str(place)) for place, expression in enumerate(is_long)).row(0)
    for (one, other), is_worth in zip(pairs, worth, strict=True):
        if not is_worth:
            continue
        joined = grid.cells.select(ROW, (pl.col(one) + pl.col(other)).alias("joined")).filter(
            pl.col("joined").str.contains(r"^[1-9][0-9]{16}[0-9Xx]$")
        )
        rows = [row for row, text in joined.iter_rows() if _is_certain_identity(text.upper())]
        if rows:
            yield (one, other), rows, kind


def _is_certain_identity(digits: str) -> bool:
    return is_identity_number(digits) and digits[17] == check_digit(digits[:17])


def _candidates(column: pl.Series, kinds: Collection[PersonalKind]) -> pl.Series:
    """Which cells may hold a personal number: those with many digits, and those that a pattern of one's own fits."""
    found = column.str.contains(_CANDIDATE).fill_null(False)
    declared = [kind for kind in kinds if kind.check == "pattern"]
    if not declared:
        return found
    texts = [text for text in column.drop_nulls().unique() if find_personal_number(text, declared)]
    return found | column.is_in(texts).fill_null(False)


def _beside_cells(grid: Grid, kinds: Collection[PersonalKind]) -> list[tuple[str, str]]:
    """Where a personal number stands beside the cells of a sheet, each place once, with its kind."""
    texts = [("name of the sheet", grid.sheet)]
    texts += [("note on a cell", text) for text in grid.notes["note"].unique()]
    texts += [("name of another sheet or part", text) for one in grid.findings for text in one.values()]
    texts += grid.beside
    found = [(place, kind) for place, text in texts if (kind := find_personal_number(text, kinds))]
    return list(dict.fromkeys(found))


def _mask_column(frame: pl.DataFrame, names: tuple[str, ...], kinds: Collection[PersonalKind]) -> pl.DataFrame:
    """A small frame with the texts of some columns masked."""
    if frame.is_empty():
        return frame
    return frame.with_columns(
        pl.col(name).map_elements(lambda text: mask_text(text, kinds), return_dtype=pl.String) for name in names
    )


def _is_amount(text: str, kinds: Collection[PersonalKind], kind: str, is_possible: Callable[[Decimal], bool]) -> bool:
    """True when a number of the form of a mobile number stands where an amount of that size may stand."""
    checks = {known.name: known.check for known in kinds}
    plain = _without_exponent(text.translate(_FOLDED)).strip()
    return checks[kind] == "mobile" and bool(_PLAIN_WHOLE.match(plain)) and is_possible(Decimal(plain))


def _without_exponent(text: str) -> str:
    """A number that a spreadsheet wrote with an exponent, written out; what its 15 digits lost is zeros."""
    match = _FLOAT.match(text)
    if not match:
        return text
    try:
        return f"{Decimal(match.group(1)).scaleb(int(match.group(2))):.0f}"
    except InvalidOperation:
        return text


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit() or c in "Xx").upper()


def _is_birth_date(text: str) -> bool:
    try:
        born = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return date(1850, 1, 1) <= born <= date.today()


def is_identity_number(digits: str) -> bool:
    """True for a resident identity number of GB 11643, of 18 or of the older 15 digits.

    The last three digits of one that passed through a spreadsheet as a number are zeros: its check digit says nothing.
    """
    if digits[:2] not in _PROVINCES:
        return False
    if len(digits) == 15:
        return digits.isdigit() and _is_birth_date("19" + digits[6:12])
    if not _is_birth_date(digits[6:14]):
        return False
    return digits[17] == check_digit(digits[:17]) or digits.endswith("000")


def _passes_luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B."""
    doubled = [int(c) * (2 if place % 2 else 1) for place, c in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _holds_identity(text: str, _: PersonalKind) -> bool:
    candidates = (m.group() for form in (_IDENTITY, _OLD_IDENTITY) for m in form.finditer(text))
    return any(is_identity_number(_digits(candidate)) for candidate in candidates)


def _holds_mobile(text: str, _: PersonalKind) -> bool:
    return _MOBILE.search(text) is not None


def _holds_card(text: str, _: PersonalKind) -> bool:
    return any(
        16 <= len(digits) <= 19 and _ISSUER.match(digits) and _passes_luhn(digits)
        for digits in (_digits(match.group()) for match in _CARD.finditer(text))
    )


def _holds_pattern(text: str, kind: PersonalKind) -> bool:
    return any(
        kind.digits_check is None or _DIGIT_CHECKS[kind.digits_check](_digits(match.group()))
        for match in re.finditer(kind.pattern or "", text)
    )


def _passes_mod_11(digits: str) -> bool:
    """The weighted check of ten-digit numbers modulo 11 (NHS number: weights 10 to 2, check digit last)."""
    if len(digits) != 10 or not digits.isdigit():
        return False
    total = sum(int(c) * weight for c, weight in zip(digits, range(10, 1, -1), strict=False))
    return (11 - total % 11) % 11 == int(digits[9])


_DIGIT_CHECKS: dict[str, Callable[[str], bool]] = {"luhn": _passes_luhn, "mod_11": _passes_mod_11}
_FINDERS: dict[Check, Callable[[str, PersonalKind], bool]] = {
    "identity": _holds_identity,
    "mobile": _holds_mobile,
    "card": _holds_card,
    "pattern": _holds_pattern,
}
