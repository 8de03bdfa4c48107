"""Who is told what: the present state of things against what each channel was told last.

A condition is told once, again when it changes, and once more when it is over. What a channel could not deliver
counts as not told, so the next run tries again.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any

from pipelines.alerts.channels import AnyChannel, Message, send
from pipelines.alerts.configuration import Event, SettingsFile, SmtpChannel
from pipelines.store import Warehouse, for_owner_alone, now_utc, read_json, write_json

_HEADINGS = {
    "failed": "运行失败 / run failed",
    "blocked": "未通过检查，不予发布 / blocked by a gate",
    "held": "来文未通过检查，暂留不用 / delivery held",
    "value_jump": "个别数值相差十倍百倍 / single values out of line",
    "late": "来文逾期 / delivery late",
    "held_back": "涉及个人的来文暂缓接收 / person-level files held back",
    "refused": "不能接收的来文 / files that cannot be taken in",
    "test": "测试 / test",
}
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'，；：、]+@[^\s<>()\[\],;:\"'，；：、]+\.[^\s<>()\[\],;:\"'，；：、.]+")
_PHASES = {"new": "", "changed": "有变化 / changed: ", "resolved": "已解除 / resolved: "}


@dataclass(frozen=True)
class Condition:
    """Something that holds now and that people must know. It holds no personal value and no secret."""

    key: str  # stays the same while it is the same trouble
    event: Event
    subject: str
    message: str
    owner: str = ""
    contact: str = ""  # how the owner is reached; mail addresses in it are written to
    since: str = ""
    state: str = ""  # told again when this changes
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Occasion:
    """The run that found it."""

    jurisdiction: str
    name: str
    run_id: str
    outcome: str
    release: str | None


@dataclass(frozen=True)
class Sent:
    """What became of one channel's message."""

    channel: str
    alerts: int  # how many alerts the message held
    problem: str  # empty when it went out


def report(
    settings: SettingsFile,
    folder: Path,
    warehouse: Warehouse,
    occasion: Occasion,
    conditions: list[Condition],
    known: Iterable[Event],
    wait: Callable[[float], None] = sleep,
) -> list[Sent]:
    """Tell every channel what is news to it. `known` are the events that this run can speak of at all.

    A condition of a known event that is no longer there is resolved; of other events nothing is said. `folder` is
    where the settings file lies. Channels that had nothing to say are not in the answer. Contacts are told by mail of
    what concerns them alone; a contact is a channel of its own, `<channel> to <address>`.
    """
    looked_at = set(known)
    with _state(warehouse) as state:
        channels = settings.channels()
        contacts = _contacts(channels, conditions, state["told"])
        jobs = []
        for channel in (*channels, *contacts):
            about = [c for c in conditions if c.event in channel.events]
            if channel in contacts:
                about = [c for c in about if channel.goes_to in addresses_in(c.contact)]
            told: dict[str, Any] = state["told"].setdefault(channel.name, {})
            alerts, after = _news(told, about, looked_at)
            if alerts:
                jobs.append((channel, alerts, after, _message(occasion, alerts)))
        sent = _send_all([(channel, message) for channel, _, _, message in jobs], warehouse, folder, wait, state)
        for (channel, _, after, _), outcome in zip(jobs, sent, strict=True):
            if not outcome.problem or outcome.problem.startswith("sent, but"):
                state["told"][channel.name] = after
        listening = {channel.name for channel in channels}
        listening |= {channel.name for channel in contacts if state["told"][channel.name]}
        for gone in set(state["told"]) - listening:
            del state["told"][gone]
    return sent


def addresses_in(contact: str) -> list[str]:
    """The mail addresses in what a contract says of how its owner is reached; telephone numbers and names are none."""
    return _ADDRESS.findall(contact)


def _contacts(channels: list[AnyChannel], conditions: list[Condition], told: Iterable[str]) -> list[SmtpChannel]:
    """The contacts of those concerned, each as a channel: those that have news or have been told before.

    Whom a channel writes to anyhow is not told twice.
    """
    found: list[SmtpChannel] = []
    for channel in channels:
        if isinstance(channel, SmtpChannel) and channel.to_contacts:
            head = f"{channel.name} to "
            named = [address for c in conditions if c.event in channel.events for address in addresses_in(c.contact)]
            named += [name.removeprefix(head) for name in told if name.startswith(head)]
            found += [
                channel.model_copy(update={"name": head + address, "to": [address]})
                for address in dict.fromkeys(named)
                if address not in channel.to
            ]
    return found


def try_channels(
    settings: SettingsFile,
    folder: Path,
    warehouse: Warehouse,
    occasion: Occasion,
    wait: Callable[[float], None] = sleep,
) -> list[Sent]:
    """Send every channel a message that says it is a test."""
    alert = {
        "event": "test",
        "phase": "new",
        "subject": occasion.jurisdiction,
        "message": "这是一条测试，无需处理 / This is a test; nothing needs to be done",
        "owner": "",
        "contact": "",
        "since": now_utc(),
        "details": {},
    }
    message = _message(occasion, [alert])
    with _state(warehouse) as state:
        return _send_all([(channel, message) for channel in settings.channels()], warehouse, folder, wait, state)


def channel_health(settings: SettingsFile, warehouse: Warehouse) -> list[dict[str, Any]]:
    """Per channel, contacts included, where it goes, when it last worked, and what is wrong with it since when."""
    path = _path(warehouse)
    stored = read_json(path) if path.exists() else {}
    health = stored.get("health", {})
    nothing = {"last_sent_at": None, "failing_since": None, "problem": ""}
    channels = settings.channels()
    return [
        {"channel": c.name, "kind": c.kind, "goes_to": c.goes_to, **nothing, **health.get(c.name, {})}
        for c in (*channels, *_contacts(channels, [], stored.get("told", {})))
    ]


def _news(
    told: dict[str, Any], conditions: list[Condition], known: set[Event]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The alerts that are news to a channel, and what it will have been told after them."""
    alerts, after = [], dict(told)
    for condition in conditions:
        body = {
            "event": condition.event,
            "subject": condition.subject,
            "message": condition.message,
            "owner": condition.owner,
            "contact": condition.contact,
            "since": condition.since,
            "details": condition.details,
        }
        before = told.get(condition.key)
        if before is None or before["state"] != condition.state:
            alerts.append({"phase": "new" if before is None else "changed", **body})
        after[condition.key] = {**body, "state": condition.state}
    present = {condition.key for condition in conditions}
    for key, before in told.items():
        if key not in present and before["event"] in known:
            alerts.append({"phase": "resolved", **{n: v for n, v in before.items() if n != "state"}})
            del after[key]
    return alerts, after


def _message(occasion: Occasion, alerts: list[dict[str, Any]]) -> Message:
    counted: dict[str, int] = {}
    for alert in alerts:
        word = "resolved" if alert["phase"] == "resolved" else alert["event"].replace("_", " ")
        counted[word] = counted.get(word, 0) + 1
    title = f"[Junheng] {occasion.name}: " + ", ".join(f"{count} {word}" for word, count in counted.items())
    lines = []
    for event, heading in _HEADINGS.items():
        own = [alert for alert in alerts if alert["event"] == event]
        if own:
            lines += [heading, *(f"  - {_line(alert)}" for alert in own), ""]
    release = f"release {occasion.release}" if occasion.release else "no release yet"
    lines.append(f"{occasion.jurisdiction}, {release}; run {occasion.run_id}: {occasion.outcome.replace('_', ' ')}")
    payload = {
        "at": now_utc(),
        "jurisdiction": occasion.jurisdiction,
        "name": occasion.name,
        "run_id": occasion.run_id,
        "outcome": occasion.outcome,
        "release": occasion.release,
        "alerts": alerts,
    }
    return Message(title, "\n".join(lines) + "\n", payload)


def _line(alert: dict[str, Any]) -> str:
    parts = [f"{_PHASES[alert['phase']]}{alert['message']}"]
    if alert["owner"]:
        contact = f" ({alert['contact']})" if alert.get("contact") else ""
        parts.append(f"责任单位 / owner: {alert['owner']}{contact}")
    if alert["since"]:
        parts.append(f"自 / since {alert['since']}")
    return "; ".join(parts)


def _send_all(
    jobs: list[tuple[AnyChannel, Message]],
    warehouse: Warehouse,
    folder: Path,
    wait: Callable[[float], None],
    state: dict[str, Any],
) -> list[Sent]:
    """Send at the same time: a channel that does not answer keeps none of the others waiting."""
    if not jobs:
        return []
    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        problems = list(pool.map(lambda job: send(job[0], job[1], warehouse, folder, wait), jobs))
    sent = []
    for (channel, message), problem in zip(jobs, problems, strict=True):
        health = state["health"].setdefault(channel.name, {"last_sent_at": None, "failing_since": None, "problem": ""})
        if problem and not problem.startswith("sent, but"):
            health["failing_since"] = health["failing_since"] or now_utc()
        else:
            health.update(last_sent_at=now_utc(), failing_since=None)
        health["problem"] = problem
        sent.append(Sent(channel.name, len(message.payload["alerts"]), problem))
    return sent


def _path(warehouse: Warehouse) -> Path:
    return warehouse.logs / "alerts_told.json"


@contextmanager
def _state(warehouse: Warehouse) -> Iterator[dict[str, Any]]:
    """What the channels were told, for one process at a time; stored at the end."""
    path = _path(warehouse)
    warehouse.private_folder(path.parent)
    with for_owner_alone(), path.with_suffix(".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            found = read_json(path) if path.exists() else {}
        except ValueError:  # damaged by hand: better told twice than not at all
            found = {}
        state = {"told": found.get("told", {}), "health": found.get("health", {})}
        before = repr(state)
        yield state
        if repr(state) != before:
            write_json(path, state)
