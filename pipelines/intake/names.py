"""Region as reported -> region code: by code, by name, or both, on the list of regions of its time.

A name that matches nothing is never guessed; the nearest names are suggested to the person who will decide.
Which column holds what is the contract's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from rapidfuzz import fuzz, process

from pipelines.jurisdiction.contract import RegionRule
from pipelines.jurisdiction.text import normalise


@dataclass(frozen=True)
class Version:
    """One version of a region: valid from (inclusive) to (exclusive, None = still)."""

    code: str
    name: str
    names: frozenset[str]
    valid_from: date
    valid_to: date | None
    parent: str | None
    successors: str = ""  # what the code became, and when

    def overlaps(self, start: date, end: date) -> bool:
        """True when the version was in force on any day from `start` to `end`."""
        return self.valid_from <= end and (self.valid_to is None or self.valid_to > start)


@dataclass(frozen=True)
class Match:
    """A code, or the rule that was broken."""

    code: str | None
    rule: str | None = None
    detail: str | None = None


class RegionIndex:
    """The regions of a jurisdiction, ready for look-up."""

    def __init__(self, regions: pl.DataFrame) -> None:
        self.by_code: dict[str, list[Version]] = {}
        self.by_name: dict[str, list[Version]] = {}
        for row in regions.iter_rows(named=True):
            names = frozenset(normalise(n) for n in (row["region_name"], *(row["aliases"] or "").split(";")) if n)
            version = Version(
                row["region_code"],
                row["region_name"],
                names,
                date.fromisoformat(row["valid_from"]),
                date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
                row["parent_code"],
                row.get("successors") or "",
            )
            self.by_code.setdefault(version.code, []).append(version)
            for name in names:
                self.by_name.setdefault(name, []).append(version)

    def match(
        self,
        rule: RegionRule,
        code_text: str | None,
        name_text: str | None,
        start: date,
        end: date,
        above: str | None = None,
    ) -> Match:
        """The region of a row whose figures are about `start` to `end`.

        `above` is the name or code of the region that it lies in, where the file says it.
        """
        found = self._match(rule, code_text, name_text, start, end, normalise(above))
        if found.code and rule.within and above and not self._lies_in(found.code, normalise(above)):
            return Match(None, "region_not_within", f"{found.code} does not lie in {above.strip()}")
        return found

    def _match(
        self, rule: RegionRule, code_text: str | None, name_text: str | None, start: date, end: date, above: str
    ) -> Match:
        code = normalise(code_text)
        name = normalise(name_text)
        is_without_code = code in {normalise(token) for token in rule.no_code}
        if is_without_code:
            code = ""
        accepted = {normalise(text): target for text, target in rule.accepted.items()}
        if code in accepted:  # a code that a person has mapped; the name must be that of the region it stands for
            code = accepted[code]
        elif rule.code_length and code:
            code = code.zfill(rule.code_length)
        if rule.name is not None and name in accepted:
            target = accepted[name]
            if code and code != target:
                return Match(
                    None,
                    "code_and_name_disagree",
                    f"the contract maps {name} to {target}, the code says {code}",
                )
            return self.in_force(target, start, end)
        for prefix in rule.name_prefixes:
            shortened = name.removeprefix(normalise(prefix))
            if shortened != name and shortened:
                name = shortened
                break
        for suffix in rule.name_suffixes:
            shortened = name.removesuffix(normalise(suffix))
            if shortened != name and shortened:
                name = shortened
                break
        if rule.code is not None:
            if code:
                found = self.in_force(code, start, end)
                if found.code and rule.name is not None and name and not self._named(code, name):
                    known = self.by_code[code][-1].name
                    return Match(None, "code_and_name_disagree", f"{code} is {known}, the name says {name}")
                return found
            if rule.name is None:
                return Match(None, "no_region", "the region's code is empty")
            if not is_without_code or name not in self.by_name:
                why = "its name is neither a region's nor a mapping the contract accepts"
                if not is_without_code:
                    why = "its name is no mapping the contract accepts (`no_code` says which texts stand for no code)"
                return Match(None, "unknown_region", f"the row has no code, and {why}; {self._suggest(name)}")
        if not name:
            return Match(None, "no_region", "the region's name is empty")
        return self._with_name(name, start, end, above)

    def _with_name(self, name: str, start: date, end: date, above: str) -> Match:
        """The one region of that name that was in force; of several, the one that lies in `above`."""
        versions = [v for v in self.by_name.get(name, []) if v.overlaps(start, end)]
        # A year in which a code changed has both versions: the one in force at the end stands for the year.
        at_end = [v for v in versions if v.overlaps(end, end)] or versions
        codes = sorted({v.code for v in at_end})
        if len(codes) > 1 and above:
            codes = [code for code in codes if self._lies_in(code, above)] or codes
        if len(codes) == 1:
            return Match(codes[0])
        gone = {v.code for v in self.by_name.get(name, [])}
        if not codes and len(gone) == 1:
            return Match(None, "unknown_region", self.in_force(gone.pop(), start, end).detail)
        if codes:
            return Match(None, "ambiguous_region", f"{name} may be {', '.join(codes)}: add a code column or a mapping")
        return Match(None, "unknown_region", self._suggest(name))

    def in_force(self, code: str, start: date, end: date) -> Match:
        """The code itself when its region was on the list on any day from `start` to `end`, else what is wrong."""
        versions = self.by_code.get(code)
        if not versions:
            return Match(None, "unknown_region", f"no region has the code {code}")
        if not any(v.overlaps(start, end) for v in versions):
            spans = "; ".join(f"{v.valid_from} to {v.valid_to or 'now'}" for v in versions)
            return Match(
                None,
                "region_not_in_force",
                f"{code} {versions[-1].name} was in force {spans}, not {start} to {end}{_became(versions[-1])}",
            )
        return Match(code)

    def _lies_in(self, code: str, above: str) -> bool:
        """True when a region of that name or code is above the region, in any version of either."""
        seen: set[str] = set()
        waiting = [code]
        while waiting:
            parents = {v.parent for v in self.by_code.get(waiting.pop(), []) if v.parent} - seen
            if above in parents or any(self._named(p, above) for p in parents if p in self.by_code):
                return True
            seen |= parents
            waiting += parents
        return False

    def _named(self, code: str, name: str) -> bool:
        return any(name in v.names for v in self.by_code[code])

    def _suggest(self, name: str) -> str:
        near = process.extract(name, list(self.by_name), scorer=fuzz.ratio, limit=3, score_cutoff=50)
        if not near:
            return "no region has a name like it"
        suggestions = []
        for candidate, _, _ in near:
            version = self.by_name[candidate][-1]
            suggestions.append(f"{version.name} ({version.code})")
        return "nearest: " + ", ".join(dict.fromkeys(suggestions))


def _became(version: Version) -> str:
    """What a region that is no longer in force became, where the jurisdiction says it."""
    return f"; it became {version.successors.replace(';', ', ')}" if version.successors else ""
