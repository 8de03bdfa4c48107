"""The history of every check: each result of each judgement, in one append-only file of JSON lines.

A line says what was observed and by which rule: the rule's hash in each, the rule itself where it is new or has
changed, so that results can be compared across a change of a threshold. Nothing here judges.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from pipelines.records import Build, CheckResult
from pipelines.store import Warehouse


def rule_sha256(result: CheckResult) -> str:
    """The hash of the rule of a result."""
    return hashlib.sha256(result.rule.encode()).hexdigest()[:16]


def read_history(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Every result of every judgement, oldest first, each with its rule; a line torn by a crash is passed over."""
    if not warehouse.checks.exists():
        return []
    lines: list[dict[str, Any]] = []
    rules: dict[str, str] = {}
    for text in warehouse.checks.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        known = line.get("rule_sha256", "")
        if "rule" in line:
            rules[known] = line["rule"]
        lines.append({"failing_rows": 0, "against": None, **line, "rule_sha256": known, "rule": rules.get(known, "")})
    return lines


def append(warehouse: Warehouse, build: Build, judged_at: str, against: str | None, results: list[CheckResult]) -> None:
    """Add the results of one judgement and make them durable."""
    known = {line["rule_sha256"] for line in read_history(warehouse)}
    lines = []
    for result in results:
        rule = rule_sha256(result)
        line = {
            "build_id": build.build_id, "judged_at": judged_at, "against": against, "check_id": result.check_id,
            "subject": result.subject, "severity": result.severity, "outcome": result.outcome,
            "observed": result.observed, "threshold": result.expected, "failing_rows": result.failing_rows,
            "rule_sha256": rule,
        }  # fmt: skip
        if rule not in known:
            known.add(rule)
            line["rule"] = result.rule
        lines.append(json.dumps(line, ensure_ascii=False, sort_keys=True))
    path = warehouse.checks
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with path.open("ab") as handle:
        handle.write((b"\n" if torn else b"") + ("\n".join(lines) + "\n").encode())
        handle.flush()
        os.fsync(handle.fileno())
