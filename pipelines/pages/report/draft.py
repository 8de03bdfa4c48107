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
from pipelines.pages.numbers import rounded, rounded_down
from pipelines.pages.report.source import Book, Row, Rows, Source
from pipelines.publish import Release

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
    """One chapter: sentences, each a paragraph, tables after them, and what it lacks and why."""

    id: str
    title: str
    sentences: list[Markup] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)

    def say(self, *sentences: Markup | None) -> None:
        """Add the sentences that there is something to say of."""
        self.sentences += [text for text in sentences if text is not None]

    def lack(self, reason: str) -> None:
        """Say why there is nothing to say of something."""
        if reason not in self.lacking:
            self.lacking.append(reason)


@dataclass
class Draft:
    """The report in the making."""

    source: Source
    book: Book
    replies: Mapping[str, Sequence[Reply]]

    @property
    def release(self) -> Release:
        """The release it is made of."""
        return self.source.release

    @property
    def year(self) -> int:
        """The year it is about."""
        return self.source.year

    @property
    def called(self) -> str:
        """What the year is called: 2018, or 2018-19."""
        return self.source.called("figure", self.year)

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
        names = [
            str(level["name_zh"]) for level in levels if level["depth"] == depth and level.get("is_territory", True)
        ]
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

    @property
    def main(self) -> Row | None:
        """The choices of the main reading, as the jurisdiction declares them."""
        return self.source.rows("dim_variant", "is_main").first()

    @property
    def degree(self) -> Row | None:
        """The degree of the whole in the year."""
        return self.rows("mart_equalisation", f"region_code = '{self.home}' and domain = 'all'").first()

    def rows(self, table: str, where: str, order: str = "") -> Rows:
        """Rows of a table of figures in the year."""
        return self.source.rows(table, f"year = {self.year} and {where}", order)

    @property
    def basket(self) -> tuple[str, str]:
        """The spending that regions are compared by: its domain, and what it is called.

        The basic services, or all spending where no domain is one of them.
        """
        return ("basic", "基本公共服务支出") if self.basic_domains else ("all", "支出")

    @property
    def currency(self) -> str:
        """What the currency is called in the jurisdiction's files (`unit_names`), else its code."""
        return self.unit(str(self.release.jurisdiction["currency"]))

    def figure(self, value: Any, subject: str) -> str:
        """A figure with its subject's decimals; a degree is cut off: what misses its target must not read as met."""
        decimals = self.source.decimals.get(subject, 0)
        return rounded_down(value, decimals) if subject in self.source.cut else rounded(value, decimals)

    def percent_of_degree(self, value: Any) -> str:
        """A degree, or one of its bounds, in per cent."""
        return "–" if value is None else f"{self.figure(value, 'degree.all')}%"

    def why_no_degree(self) -> str:
        """Why there is no degree, no target and nothing that rests on them."""
        if not len(self.indicators):
            return "本辖区没有声明服务指标，因此没有目标达成、均等化实现度及其敏感性可报告。"
        if not len(self.source.rows("dim_target")):
            return "本辖区没有声明目标，因此没有目标达成、均等化实现度及其敏感性可报告。"
        return f"{self.called}年没有可与目标比较的数字。"

    def replies_beside(self, rows: Rows) -> dict[int, Sequence[Reply]]:
        """The replies to the rows of a table, by the row's number."""
        return {n: self.replies[row["region_code"]] for n, row in enumerate(rows) if row["region_code"] in self.replies}

    def cell(self, row: Row, text: str) -> Markup:
        """A cell of a table, with the mark of what is not official."""
        mark = self.release.jurisdiction["synthetic_mark"]["zh"]
        if not row.is_synthetic:
            return escape(text)
        return Markup('{}<abbr class="synthetic" title="{}">*</abbr>').format(text, mark)
