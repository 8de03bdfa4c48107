"""Subjects made ready to be shown: the pieces of markup that many pages share, made once.

Markup is put together here, not in templates, only where the same piece is on a hundred pages.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

from markupsafe import escape

from pipelines.pages import drawing
from pipelines.pages.numbers import MISSING
from pipelines.pages.references import Reference
from pipelines.pages.subjects import Facts, Figure, Newest, Region, Subject
from pipelines.publish import Row

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
    """A figure that tells where it is found when it is asked, with its whole key."""
    where, traced = escape(";".join(reference.arguments)), escape(";".join(reference.traced))
    about = f'data-t="{where}" data-j="{traced}" data-s="{escape(reference.subject)}" data-c="{reference.column}"'
    return f"<button {about}>{text}</button>"


def row_button(text: str, figure: Figure, newest: Newest | None) -> str:
    """A figure in a row that links to its subject or region: the page and the row say which it is.

    It says year and variant where they are not the newest year of the region's level, and the main reading.
    """
    year = f" data-y={figure.year}" if newest is not None and figure.year != newest.year else ""
    variant = f' data-b="{escape(figure.variant)}"' if figure.variant != "main" else ""
    return f"<button{year}{variant}>{text}</button>"


def subject_button(text: str, key: str, region: Region, year: int) -> str:
    """A subject's figure that tells where it is found; the subject's key is in the list of contents."""
    return f'<button data-f="{escape(key)} {escape(region.code)} {year}">{text}</button>'


def sample_mark(synthetic: Row) -> str:
    """The mark of a figure made from synthetic input, short: the style sheet shows it in the other language."""
    return f"<mark>{escape(synthetic['zh'])}</mark>"


def flags(status: str, stays_at: date | None = None, variant: str = "main") -> str:
    """What a status says, in words: nothing of an ordinary one; of a provisional one at which delivery it stays."""
    texts = [STATUSES[code] for code in status.split(";") if code in STATUSES]
    if stays_at is not None:
        stays = (f"初步：{stays_at} 的来文", f"provisional: delivery of {stays_at}")
        texts = [stays if words == STATUSES["P"] else words for words in texts]
    if variant != "main":
        texts.append(("按今日区划", "on today's boundaries"))
    return "".join(f'<i class="flag">{both(*words)}</i>' for words in texts)


def figure_flags(figure: Figure | None) -> str:
    """The flags of a figure."""
    return flags(figure.status, figure.stays_at, figure.variant) if figure is not None else ""


def provisional_flag(figure: Figure | None) -> str:
    """The flag of a provisional figure alone, for places without room for the others."""
    return flags("P", figure.stays_at) if figure is not None and figure.has_status("P") else ""


def band_cell(figure: Figure | None, positions: Row | None = None, regions: int | None = None) -> str:
    """The fifth and the positions left open; never a bare rank. `positions` are those over all scenarios.

    How many regions are compared is added where it is not the number `regions` that the head of the table says.
    """
    if figure is None or figure.fifth is None:
        return "<td>"
    first, last = figure.first, figure.last
    if positions is not None and positions["rank_low"] is not None:
        first, last = positions["rank_low"], positions["rank_high"]
    among = f" / {figure.regions}" if figure.regions != regions else ""
    open_positions = f"<small>{first}–{last}{among}</small>" if first is not None else ""
    return f"<td class=f{figure.fifth}>{figure.fifth}{open_positions}"


class Prepared:
    """One subject with what pages need of it again and again."""

    def __init__(
        self, facts: Facts, subject: Subject, units: Row, sample: str, target: Row | None, grounds: dict[str, int]
    ) -> None:
        self.facts, self.subject, self.sample, self.target, self.grounds = facts, subject, sample, target, grounds
        self.unit = units.get(subject.unit, subject.unit) if subject.unit != "1" else ""
        self.heading = f"<a href=../indicators/{escape(subject.key)}.html>{both(subject.name_zh, subject.name_en)}</a>"

    def value_cell(self, region: Region, figure: Figure | None) -> str:
        """A region's figure with its interval and flags, or why there is none."""
        if figure is None or figure.value is None:
            return f"<td class=n>{MISSING}{figure_flags(figure)}"
        interval = ""
        if figure.low is not None and figure.high is not None:
            interval = f"<small>{self.subject.written(figure.low)}–{self.subject.written(figure.high)}</small>"
        button = row_button(self.subject.written(figure.value), figure, self.subject.newest.get(region.depth))
        return f"<td class=n>{button}{figure_flags(figure)}{interval}"

    def line(self, region: Region, size: int, positions: Row | None = None, counted: Counter[str] | None = None) -> str:
        """The subject's line on the profile of a region of a level with so many regions (`size`).

        End tags that HTML leaves to the reader are left out.
        """
        figure = self.subject.newest_of(region)
        code = f"{self.subject.key} · " if self.subject.kind == "indicator" else ""
        newest = self.subject.newest.get(region.depth)
        called = figure.period_name if figure is not None else newest.period_name if newest is not None else MISSING
        unit = f" · {both(self.unit, self.subject.unit)}" if self.unit else ""
        is_synthetic = figure is not None and figure.is_synthetic
        verdict = (figure.to_home if figure is not None else None) or "unknown"
        ground, drawn = self._spine(region, figure)
        return (
            f"<tr{'' if self.subject.kind == 'indicator' else ' class=whole'}><th scope=row>{self.heading}"
            f"{self.sample if is_synthetic else ''}<small>{code}{called}{unit}</small>"
            f'{self.value_cell(region, figure)}<td class="sp {verdict}{ground}"{drawn}>'
            f"<td class=n>{self._beside(region, figure, counted)}{band_cell(figure, positions, size)}"
            f"<td class=n>{self.target['target_text'] if self.target else ''}</tr>\n"
        )

    def _spread_beside(self, region: Region, figure: Figure) -> Row | None:
        """What a figure is drawn against: the figures of its level; for the home region those of the lowest level."""
        if region.code != self.facts.home:
            return self.facts.spread(self.subject, region, figure)
        lowest = self.subject.lowest
        found = [
            row for (key, year, depth, _), row in self.facts.spreads.items()
            if (key, year, depth) == (self.subject.key, figure.year, lowest) and depth
        ]  # fmt: skip
        return found[0] if len(found) == 1 else None  # money of different levels of government has no one spread

    def _spine(self, region: Region, figure: Figure | None) -> tuple[str, str]:
        """Class and attribute that draw a figure: what all regions of a level share is a class of the style sheet."""
        spread = self._spread_beside(region, figure) if figure is not None else None
        # one region, or two, have no spread to be drawn in
        if figure is None or spread is None or spread["regions"] < 3:
            return "", ""
        home = figure.value if region.code == self.facts.home else figure.home_value
        axis = drawing.axis_of(spread, home, self.subject.direction)
        ground = drawing.spine_ground(spread, axis, home)
        number = self.grounds.setdefault(ground, len(self.grounds))
        return f" g{number}", drawing.spine(axis, figure)

    def _beside(self, region: Region, figure: Figure | None, counted: Counter[str] | None) -> str:
        if figure is None:
            return MISSING
        if region.code == self.facts.home:
            spread = self._spread_beside(region, figure)
            written = self.subject.written
            return f"{written(spread['least'])}–{written(spread['most'])}" if spread is not None else MISSING
        beside = self.subject.written(figure.home_value)
        if counted is not None:
            zh = f"{counted['better']} 优 {counted['worse']} 逊 {counted['similar']} 近"
            en = f"{counted['better']} better, {counted['worse']} worse, {counted['similar']} similar"
            beside += f"<small>{both(zh, en)}</small>"
        return beside
