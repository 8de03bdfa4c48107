"""What every chapter of the report is made with: the release, the year, the choice of method, names, and the book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup, escape

from pipelines.jurisdiction.replies import Reply
from pipelines.pages import reading
from pipelines.pages.report.source import Book, Row, Rows, Source, literal

Cell = Markup | str
WORDS = Path(__file__).with_name("words.yml")


@lru_cache(maxsize=1)
def words() -> dict[str, dict[str, str]]:
    """What codes are called in the report."""
    said: dict[str, dict[str, str]] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return said


@dataclass
class Table:
    """A table of the report; `replies` are printed under the row with that number."""

    caption: str
    columns: Sequence[str]
    rows: list[list[Cell]]
    ref: Markup = field(default_factory=Markup)
    note: str = ""
    replies: dict[int, Sequence[Reply]] = field(default_factory=dict)
    is_synthetic: bool = False


@dataclass
class Chapter:
    """One chapter: sentences, each a paragraph, and tables after them."""

    id: str
    title: str
    sentences: list[Markup] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def say(self, *sentences: Markup | None) -> None:
        """Add the sentences that there is something to say of."""
        self.sentences += [text for text in sentences if text is not None]


@dataclass
class Draft:
    """The report in the making."""

    source: Source
    book: Book
    replies: Mapping[str, Sequence[Reply]]

    @property
    def release(self) -> reading.Release:
        """The release it is made of."""
        return self.source.release

    @property
    def year(self) -> int:
        """The year it is about."""
        return self.source.year

    @property
    def called(self) -> str:
        """What the year is called in the table that the report is most about: 2018, or 2018-19."""
        for table in ("mart_equalisation", "mart_per_capita_spending", "mart_service_coverage"):
            if self.release.has(table):
                found = self.release.rows(
                    f"select min(period_name) as first, max(period_name) as last from {table} where {self.now}"
                )[0]
                if found["first"] is not None and found["first"] == found["last"]:
                    return str(found["first"])
        return str(self.year)

    @property
    def home(self) -> str:
        """The code of the region that the whole report is about."""
        return self.release.home

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.release.jurisdiction["name"])

    def level(self, depth: int) -> str:
        """What regions of a depth are called."""
        levels = self.release.jurisdiction["levels"]
        names = [str(level["name_zh"]) for level in levels if level["depth"] == depth]
        return "及".join(names) or "地区"

    @property
    def depths(self) -> list[int]:
        """The depths below the top that levels of regions have."""
        return sorted({int(level["depth"]) for level in self.release.jurisdiction["levels"]} - {0})

    def unit(self, code: str) -> str:
        """What a unit is called: as in the jurisdiction's files, else as words say it, else its code."""
        return str({**words()["units"], **self.release.jurisdiction["units"]}.get(code, code))

    def domain(self, code: str) -> str:
        """What a domain is called."""
        named = {"all": "总体", "basic": "基本公共服务合计"}
        return named.get(code) or next(
            (str(d["name_zh"]) for d in self.release.card["domains"] if d["domain"] == code), code
        )

    def indicator(self, code: str) -> str:
        """What an indicator is called."""
        found = self.indicators.first(indicator_code=code)
        return str(found["name_zh"]) if found else code

    @property
    def indicators(self) -> Rows:
        """All indicators of the catalogue."""
        return self.source.rows("dim_indicator")

    @property
    def basic_domains(self) -> list[str]:
        """The basic domains in their order."""
        return [str(d["domain"]) for d in self.release.card["domains"] if d["is_basic"]]

    def method(self) -> dict[str, Any] | None:
        """Method, weights and edition of targets that the published degree of the year is reckoned by."""
        if not {"mart_gap_contribution", "dim_weight"} <= self.source.keys.keys():
            return None
        found = self.release.rows(
            "select method_id, weight_set, target_edition from mart_gap_contribution "
            "where year = ? and region_code = ? and weight_set in (select weight_set from dim_weight where is_main) "
            "order by target_edition desc limit 1",
            self.year,
            self.home,
        )
        return found[0] if found else None

    def scored(self, table: str, where: str, order: str = "") -> Rows:
        """Rows of a table of scores by the published method, for the year and the regions as reported."""
        method = self.method()
        if method is None:
            return Rows("")
        has = {row["column_name"] for row in self.release.rows(
            "select column_name from meta_column where table_name = ?", table)}  # fmt: skip
        chosen = [f"{name} = {literal(value)}" for name, value in method.items() if name in has]
        return self.source.rows(table, " and ".join([self.now, *chosen, where]), order)

    @property
    def now(self) -> str:
        """The year, on the regions as reported."""
        return f"year = {self.year} and reference_geography = 'reported'"

    @property
    def spending(self) -> str:
        """The account that is meant where none is named: final, nominal, the budget that everybody has."""
        return f"{self.now} and {self.release.account}"

    def replies_beside(self, rows: Rows) -> dict[int, Sequence[Reply]]:
        """The replies to the rows of a table, by the row's number."""
        return {n: self.replies[row["region_code"]] for n, row in enumerate(rows) if row["region_code"] in self.replies}

    def cell(self, row: Row, text: str) -> Markup:
        """A cell of a table, with the mark of what is not official."""
        mark = self.release.jurisdiction["synthetic_mark"]["zh"]
        if not row.is_synthetic:
            return escape(text)
        return Markup('{}<abbr class="synthetic" title="{}">*</abbr>').format(text, mark)
