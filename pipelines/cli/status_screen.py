"""`junheng status` as one screen of text: what an operator looks at in the morning. What is true is `run.status`'s."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size

_NARROWEST = 80
_LOWEST = 24
_INDENT = 10  # columns of the label before each kind of trouble
_SHOWN = 4  # of each kind of trouble; `--json` has all
_FEWEST = 3  # extracts, however much trouble stands above them


def screen(found: dict[str, Any], zone: str, width: int, height: int | None) -> str:
    """The state of `status_of` in lines of at most `width` columns (80 at least), moments in the time zone `zone`.

    As many extracts as `height` leaves room for (24 lines at least; None: all), those first that need a look.
    """
    width = max(width, _NARROWEST)
    lines = [
        _spread(f"{found['name']} ({found['jurisdiction']})", f"{found['at'][:16].replace('T', ' ')} {zone}", width)
    ]
    official = f"; official {found['official']}" if found["official"] else ""
    lines.append(f"release   {found['release'] or 'none yet'}{official}")
    lines.append(f"build     {_build(found, zone)}")
    lines += _runs(found, zone)
    lines.append(f"next run  {found['next_run'][:16].replace('T', ' ')}{_missed(found)}")
    waiting = found["waiting"] - len(found["held_back"])
    if waiting:
        lines.append(f"waiting   {waiting} landed file(s) not yet received")
    lines += _trouble("calendar", [_planned(item) for item in found["calendar"] if item["state"] != "published"])
    lines += _trouble("late", [_late(due) for due in found["late"]])
    lines += _trouble("held", [_held(each, zone, width) for each in found["held"]])
    lines += _trouble("blocked", [_blocked(check) for check in found["blocked_by"]])
    if found["held_back"]:
        extracts = sorted({"/".join(path.split("/")[:2]) for path in found["held_back"]})
        lines.append(f"held back {len(found['held_back'])} person-level file(s) without a key: {', '.join(extracts)}")
    refused = [
        _folded(f"{each['landing_path']}:", f"{each['detail']} ({each['do']})", width) for each in found["refused"]
    ]
    lines += _trouble("refused", refused)
    lines += _alerts(found["alerts"], zone)
    extracts = found["extracts"]
    # What stays free: the empty line, the heading, the line that counts the rest, and the prompt below it all.
    room = len(extracts) if height is None else max(_FEWEST, max(height, _LOWEST) - len(lines) - 4)
    shown = extracts if len(extracts) <= room + 1 else sorted(extracts, key=_needs_a_look)[:room]
    lines += ["", *_extracts(shown, zone, width)]
    hidden = [extract for extract in extracts if extract not in shown]
    if hidden:
        troubled = sum(_needs_a_look(extract)[0] < _IN_ORDER for extract in hidden)
        said = f"{troubled} of them need a look" if troubled else "all in order"
        lines.append(f"… and {len(hidden)} more extracts, {said} (--all)")
    return "\n".join(_cut(line, width) for line in lines)


def _build(found: dict[str, Any], zone: str) -> str:
    if not found["build"]:
        return "none yet"
    if not found["verdict"]:
        return f"{found['build']}: not judged"
    said = f"{found['build']}: {found['verdict']}, {found['passed']} passed, {found['warnings']} warn"
    return said + (f", until {_moment(found['valid_until'], zone)}" if found["valid_until"] else "")


def _runs(found: dict[str, Any], zone: str) -> list[str]:
    if not found["runs"]:
        return ["last run  none yet"]
    lines = []
    for label, run in zip(("last run ", "before   "), found["runs"], strict=False):
        taken = f" in {run['seconds']:,.0f} s" if run["seconds"] is not None else ""
        outcome = run["outcome"].replace("_", " ")
        told = f"; alert channel failed: {', '.join(run['alert_problems'])}" if run["alert_problems"] else ""
        problem = f": {run['problem']}" if run["problem"] else ""
        lines.append(f"{label} {_moment(run['started_at'], zone)} {outcome}{taken} ({run['door']}){told}{problem}")
    return lines


def _missed(found: dict[str, Any]) -> str:
    if found["at_work"]:
        return f"; at work: process {found['at_work']['process']}"
    if not found["missed_run"]:
        return ""
    return f"; MISSED {found['missed_run'][:16].replace('T', ' ')}: is the scheduler running?"


def _planned(item: dict[str, Any]) -> str:
    late = f", {item['days_late']} days late" if item["days_late"] else ""
    return f"{item['name']}, due {item['due']}: {item['state']}{late}"


def _late(due: dict[str, Any]) -> str:
    return f"{due['department']}/{due['extract']} {due['delivery_period']}, due {due['due_on']}, {due['owner']}"


def _held(held: dict[str, Any], zone: str, width: int) -> str:
    """A held delivery, what it failed, and what to do, in as many lines."""
    since = _moment(held["since"], zone)[:10]
    first = _folded(f"{held['landing_path']}, since {since}, {held['owner']}:", held["because"], width)
    return f"{first}\ndo: {held['do']}" if held["do"] else first


def _blocked(check: dict[str, str]) -> str:
    owner = f" ({check['owner']})" if check["owner"] else ""
    return f"{check['check_id']}{owner}: {check['observed']}"


def _trouble(label: str, texts: list[str]) -> list[str]:
    """Lines of one kind of trouble; of texts of several lines only so many that those of one line would be."""
    shown: list[str] = []
    for text in texts:
        more = [line if not at else f"  {line}" for at, line in enumerate(text.split("\n"))]
        if shown and len(shown) + len(more) > max(_SHOWN, 2 * len(more)):
            break
        shown += more
    lines = [f"{label if not i else '':<9} {text}" for i, text in enumerate(shown)]
    hidden = len(texts) - sum(not text.startswith("  ") for text in shown)
    if hidden:
        lines.append(f"{'':<9} … and {hidden} more (--json)")
    return lines


def _folded(place: str, what: str, width: int) -> str:
    """What is the matter with something, in a line of its own where it does not fit behind the place."""
    line = f"{place} {what}"
    return line if cell_len(line) <= width - _INDENT else f"{place}\n{what}"


def _alerts(channels: list[dict[str, Any]], zone: str) -> list[str]:
    said, failing = [], []
    for channel in channels:
        if channel["failing_since"]:
            failing.append(
                f"{channel['channel']} fails since {_moment(channel['failing_since'], zone)}: {channel['problem']}"
            )
        else:
            last = f" {_moment(channel['last_sent_at'], zone)}" if channel["last_sent_at"] else " nothing sent yet"
            said.append(f"{channel['channel']}{last}")
    lines = [f"alerts    {'; '.join(said)}"] if said else []
    return [*lines, *(f"{'alerts' if not lines and not i else '':<9} {text}" for i, text in enumerate(failing))]


_IN_ORDER = 4


def _needs_a_look(extract: dict[str, Any]) -> tuple[int, str, str]:
    """A key that puts what is late first, then what cannot be read, was not read, was rejected; then by due date."""
    troubles = (extract["late"], extract["unreadable"], extract["unread"], extract["rejects"])
    first = next((rank for rank, trouble in enumerate(troubles) if trouble), _IN_ORDER)
    return first, extract["due"] or "9999", extract["extract"]


def _extracts(extracts: list[dict[str, Any]], zone: str, width: int) -> list[str]:
    columns = ("files", "newest", "received", "rejects+known", "next due")
    rows = []
    for extract in extracts:
        rejects = f"{extract['rejects']}+{extract['known']}"
        rejects += f", {extract['unreadable']} bad" if extract["unreadable"] else ""
        late = extract["late"]
        due = f"LATE {late[0]}" if late else extract["due"]
        received = _moment(extract["received_at"], zone)[:10] if extract["received_at"] else ""
        rows.append((str(extract["files"]), extract["last_period"], received, rejects, due))
    widths = [max(cell_len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    name_width = width - sum(widths) - 2 * len(widths)
    name_width = min(name_width, max([7, *(cell_len(e["extract"]) for e in extracts)]))

    def line(name: str, cells: tuple[str, ...]) -> str:
        padded = [set_cell_size(cell, w) for cell, w in zip(cells, widths, strict=True)]
        return "  ".join([set_cell_size(_cut(name, name_width), name_width), *padded]).rstrip()

    return [line("extract", columns), *(line(e["extract"], row) for e, row in zip(extracts, rows, strict=True))]


def _moment(text: str, zone: str) -> str:
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if text else ""


def _spread(left: str, right: str, width: int) -> str:
    return left + " " * max(2, width - cell_len(left) - cell_len(right)) + right


def _cut(text: str, width: int) -> str:
    """A text that fits, with a mark where it was cut; wide characters count as two."""
    text = " ".join(text.split("\n"))
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
