"""Subjects made ready to be shown: spread, axis, bands and the pieces of markup that many pages share, made once.

Markup is put together here, not in templates, only where the same piece stands on a hundred pages.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from markupsafe import escape

from pipelines.pages import comparisons, drawing
from pipelines.pages.comparisons import Band, Spread
from pipelines.pages.numbers import MISSING
from pipelines.pages.reading import Row
from pipelines.pages.references import Reference
from pipelines.pages.subjects import Facts, Figure, Region, Subject

STATUSES = {
    "E": ("估计", "estimated"),
    "P": ("初步", "provisional"),
    "B": ("口径中断", "break in series"),
    "O": ("缺", "missing"),
    "L": ("未收集", "not collected"),
    "M": ("不适用", "does not exist"),
    "Q": ("不公布", "withheld"),
    "U": ("可靠性低", "low reliability"),
}


def both(zh: str, en: str) -> str:
    """A text in both languages, of which one shows; one text where both are the same."""
    return f"<b lang=zh>{escape(zh)}</b><b lang=en>{escape(en)}</b>" if zh != en else str(escape(zh))


def figure_button(text: str, reference: Reference) -> str:
    """A figure that tells where it stands when it is asked, with its whole key."""
    where = escape(";".join(reference.arguments))
    about = f'data-t="{where}" data-s="{escape(reference.subject)}" data-c="{reference.column}"'
    return f"<button {about}>{text}</button>"


def row_button(text: str) -> str:
    """A subject's newest figure in a row that links to its subject or region: the page and the row say which it is."""
    return f"<button>{text}</button>"


def subject_button(text: str, key: str, region: str, year: int) -> str:
    """A subject's figure that tells where it stands; the subject's key is in the list of contents."""
    return f'<button data-f="{escape(key)} {escape(region)} {year}">{text}</button>'


def sample_mark(synthetic: Row) -> str:
    """The mark of a figure made from synthetic input, short: the style sheet shows it in the other language."""
    return f"<mark>{escape(synthetic['zh'])}</mark>"


def flags(status: str, stays_at: date | None = None) -> str:
    """What a status says, in words: nothing of an ordinary one; of a provisional one at which delivery it stays."""
    said = [STATUSES[code] for code in status.split(";") if code in STATUSES]
    if stays_at is not None:
        stays = (f"初步：{stays_at} 的来文", f"provisional: delivery of {stays_at}")
        said = [stays if words == STATUSES["P"] else words for words in said]
    return "".join(f'<i class="flag">{both(*words)}</i>' for words in said)


def provisional_flag(figure: Figure | None) -> str:
    """The flag of a provisional figure alone, for places without room for the others."""
    return flags("P", figure.stays_at) if figure is not None and figure.is_provisional else ""


@dataclass(frozen=True)
class Level:
    """A subject among the regions of one depth, in the subject's newest year."""

    spread: Spread | None
    axis: drawing.Axis | None
    ground: str
    bands: dict[str, Band]


class Prepared:
    """One subject with what pages need of it again and again."""

    def __init__(self, facts: Facts, subject: Subject, units: Row, sample: str, target: Row | None) -> None:
        self.facts, self.subject, self.sample, self.target = facts, subject, sample, target
        self.unit = units.get(subject.unit, subject.unit) if subject.unit != "1" else ""
        self.home = subject.of(facts.home)
        self.levels: dict[int, Level] = {}
        self.heading = f"<a href=../indicators/{escape(subject.key)}.html>{both(subject.name_zh, subject.name_en)}</a>"
        code = f"{subject.key} · " if subject.kind == "indicator" else ""
        self.caption = f"{code}{subject.year}" + (f" · {both(self.unit, subject.unit)}" if self.unit else "")

    def level(self, depth: int) -> Level:
        """The subject among the regions of a depth."""
        if depth not in self.levels:
            figures = {region.code: self.subject.of(region.code) for region in self.facts.at(depth)}
            known = [figure.value for figure in figures.values() if figure is not None and figure.value is not None]
            found = comparisons.spread(known)
            # one region, or two, have no spread to stand in
            is_drawn = found is not None and found.regions > 2
            axis = drawing.axis_of(found, self.home, self.subject.direction) if found and is_drawn else None
            ground = drawing.spine_ground(found, axis, self.home) if found and axis else ""
            self.levels[depth] = Level(found, axis, ground, comparisons.bands(figures, self.subject.direction))
        return self.levels[depth]

    def told(self, figure: Figure | None) -> str:
        """How a figure stands to the home region's, as far as chance allows."""
        if figure is None or figure is self.home:
            return "unknown"
        return comparisons.difference(figure, self.home, self.subject.direction)

    def value_cell(self, figure: Figure | None) -> str:
        """A figure with its interval and flags, or why there is none."""
        if figure is None or figure.value is None:
            return f"<td class=n>{MISSING}{flags(figure.status, figure.stays_at) if figure is not None else ''}"
        return f"<td class=n>{self.value(figure)}"

    def value(self, figure: Figure) -> str:
        """A figure that is there, with its interval and flags."""
        button = row_button(self.subject.written(figure.value))
        interval = ""
        if figure.low is not None and figure.high is not None:
            interval = f"<small>{self.subject.written(figure.low)}–{self.subject.written(figure.high)}</small>"
        return f"{button}{flags(figure.status, figure.stays_at)}{interval}"

    def band_cell(self, region: Region, positions: Row | None = None, *, counts: bool = False) -> str:
        """The fifth and the positions left open; never a bare rank. `positions` come from the sensitivity table.

        `counts` adds how many regions there are, where the head of the table does not say it.
        """
        band = self.level(region.depth).bands.get(region.code)
        if band is None or band.regions < comparisons.BANDS or region.code == self.facts.home:
            return "<td>"
        first, last = band.first, band.last
        if positions is not None and positions["rank_low"] is not None:
            first, last = positions["rank_low"], positions["rank_high"]
        open_positions = (
            f"<small>{first}–{last}{f' / {band.regions}' if counts else ''}</small>" if first is not None else ""
        )
        return f"<td class=f{band.fifth}>{band.fifth}{open_positions}"

    def line(self, region: Region, positions: Row | None = None, counted: Counter[str] | None = None) -> str:
        """The subject's line on a region's profile. End tags that HTML leaves to the reader are left out."""
        figure = self.subject.of(region.code)
        is_home = region.code == self.facts.home
        # the home region stands among the regions below it: there is none beside it
        level = self.level(self.subject.depth if is_home else region.depth)
        told = self.told(figure)
        drawn = drawing.spine(level.ground, level.axis, figure) if figure is not None and level.axis else ""
        if is_home:
            spread = level.spread if level.spread is not None and level.spread.regions > 1 else None
            beside = f"{self.subject.written(spread.low)}–{self.subject.written(spread.high)}" if spread else MISSING
        else:
            beside = self.subject.written(self.home.value) if self.home is not None else MISSING
            if counted is not None:
                zh = f"{counted['better']} 优 {counted['worse']} 逊 {counted['similar']} 近"
                en = f"{counted['better']} better, {counted['worse']} worse, {counted['similar']} similar"
                beside += f"<small>{both(zh, en)}</small>"
        is_synthetic = figure is not None and figure.is_synthetic
        goal = self.target["target_text"] if self.target else ""
        return (
            f"<tr{'' if self.subject.kind == 'indicator' else ' class=whole'}><th scope=row>{self.heading}"
            f"{self.sample if is_synthetic else ''}<small>{self.caption}</small>{self.value_cell(figure)}"
            f'<td class="sp {told}"{drawn}><td class=n>{beside}{self.band_cell(region, positions)}'
            f"<td class=n>{goal}</tr>\n"
        )
