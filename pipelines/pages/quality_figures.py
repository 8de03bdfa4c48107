"""What the quality report says, read from a prepared release: receipts, accounts, checks, waivers, rules, revisions.

Every function gives plain rows; words and looks are the templates'. The figures of the overview are in `figures`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pipelines.publish import Release, Row

_OUTCOME_ORDER = {"error": 0, "fail": 1, "held": 1, "waived": 2, "not_applicable": 4, "pass": 5}
RESULTS_SHOWN = 10
REVISIONS_SHOWN = 60


def verdict(release: Release) -> Row | None:
    """The verdict that the release rests on."""
    rows = release.rows("select * from audit_verdict") if release.has("audit_verdict") else []
    return rows[0] if rows else None


def checks(release: Release, synthetic_extracts: set[str]) -> list[Row]:
    """All checks with their last results; those that did not pass first.

    Each says whether the rows it names rest on synthetic input. Rows that carry their provenance say so themselves;
    others count as synthetic where their table, or their extract, holds anything synthetic: a figure of a real place
    must never stand there without the mark.
    """
    if not release.has("audit_check"):
        return []
    rows = release.rows("select * from audit_check order by source, subject, check_id")
    carriers = {
        str(row["table_name"])
        for row in release.rows("select table_name from meta_column where column_name = 'provenance'")
    }
    last = _last_results(release)
    for row in rows:
        row["last"] = last.get(str(row["check_id"]), [])
        located = str(row["locations"] or "")
        if not located or not synthetic_extracts:
            row["is_synthetic"] = False
        elif "provenance=" in located:
            row["is_synthetic"] = "provenance=synthetic" in located
        elif row["source"] == "intake":
            row["is_synthetic"] = row["subject"] in synthetic_extracts
        else:
            row["is_synthetic"] = row["subject"] in carriers
    return sorted(rows, key=lambda row: (_OUTCOME_ORDER.get(row["outcome"], 3), row["severity"] != "block"))


def _last_results(release: Release) -> dict[str, list[Row]]:
    """The last ten results of every check, oldest first; each says whether its rule is another than before."""
    if not release.has("audit_check_history"):
        return {}
    last: dict[str, list[Row]] = {}
    for row in release.rows("select * from audit_check_history order by check_id, judged_at"):
        own = last.setdefault(str(row["check_id"]), [])
        row["has_new_rule"] = bool(own) and own[-1]["rule_sha256"] != row["rule_sha256"]
        own.append(row)
    return {check_id: rows[-RESULTS_SHOWN:] for check_id, rows in last.items()}


def checks_by_subject(rows: list[Row]) -> list[Row]:
    """Checks grouped by what they are about, with how many of each outcome."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["source"], row["subject"]), []).append(row)
    return [
        {
            "source": source,
            "subject": subject,
            "rows": members,
            "passed": sum(row["outcome"] == "pass" for row in members),
            "others": sum(row["outcome"] in ("fail", "error", "held") for row in members),
            "waived": sum(row["outcome"] == "waived" for row in members),
            "not_applicable": sum(row["outcome"] == "not_applicable" for row in members),
        }
        for (source, subject), members in sorted(groups.items())
    ]


def receipts(release: Release) -> list[Row]:
    """Every file received, by extract: when it was due, how late it came, what replaced it or took it back."""
    if not release.has("audit_receipt"):
        return []
    due = {f"{e['department']}/{e['extract']}": e.get("due") or {} for e in release.card["extracts"]}
    rows = release.rows("select * from audit_receipt order by department, extract, delivery_period, sequence")
    later: dict[str, Row] = {}
    for row in reversed(rows):
        row["replaced_by"] = later.get(row["landing_path"])
        if not row["held_because"]:  # what failed its checks has replaced nothing
            later[row["landing_path"]] = row
        day = due.get(f"{row['department']}/{row['extract']}", {}).get(row["delivery_period"])
        row["due_on"] = day
        row["days_late"] = max(0, (row["received_at"].date() - date.fromisoformat(day)).days) if day else None
    return rows


def held(release: Release) -> list[Row]:
    """Deliveries that failed their checks, and when the ones came that their extracts stay at meanwhile.

    `stays_at` is None where no figures of the extract stand in for those of the held delivery.
    """
    if not release.has("audit_receipt"):
        return []
    return release.rows(
        """
        select h.department || '/' || h.extract as key, h.extract_name_zh, h.extract_name_en, h.delivery_period,
            h.file_name, h.held_since, h.held_because, max(p.received_at) as stays_at
        from audit_receipt h
        left join audit_receipt p on p.department = h.department and p.extract = h.extract and p.in_place_of is not null
        where h.is_held
        group by all order by all
        """
    )


def tie_out(release: Release) -> list[Row]:
    """The account of every sheet of the files in force, by extract and period."""
    if not release.has("audit_tie_out", "audit_receipt"):
        return []
    return release.rows(
        "select t.* from audit_tie_out t join audit_receipt r using (receipt_id) where r.is_in_force "
        "order by t.department, t.extract, t.delivery_period, t.source_file, t.source_sheet"
    )


def money(release: Release) -> list[Row]:
    """Money accepted per file, measure and year, and what became of it on the way to the marts."""
    if not release.has("audit_money"):
        return []
    return release.rows("select * from audit_money order by department, extract, year, delivery_period, source_file")


def rejects_by_rule(rejects: list[Row]) -> list[Row]:
    """Rejects grouped by the rule they broke, those that nobody has explained first."""
    groups: dict[str, list[Row]] = {}
    for row in rejects:
        groups.setdefault(str(row["rule"]), []).append(row)
    listed = [
        {"rule": rule, "rows": rows, "unexplained": sum(not row["is_known"] for row in rows)}
        for rule, rows in groups.items()
    ]
    return sorted(listed, key=lambda group: (not group["unexplained"], -len(group["rows"]), group["rule"]))


def waivers(release: Release) -> list[Row]:
    """Waivers in force, those in use first."""
    if not release.has("audit_waiver"):
        return []
    return release.rows("select * from audit_waiver order by not is_used, check_id, scope")


def changed_rules(release: Release) -> list[Row]:
    """Rules that are others than for the release before: files of rules, then checks."""
    files = [
        {
            "kind": item["kind"],
            "name": item.get("file") or item["kind"],
            "change": item["change"],
            "detail": _said(item),
        }
        for item in release.changes.get("inputs") or []
        if item["kind"] != "receipt"
    ]
    checks = [
        {
            "kind": "check",
            "name": item["check_id"],
            "change": item["change"],
            "before": item["rule_before"],
            "after": item["rule_after"],
        }
        for item in release.card.get("checks_changed") or []
    ]
    return [*files, *checks]


def method_tables(release: Release) -> list[Row]:
    """How many rows of each table are others because of the data, and how many because of the method."""
    method = release.changes.get("method") or {}
    parts = {name: method.get(f"changed_{name}") or {} for name in ("by_data", "by_method")}
    return [
        {"table": table, **{name: sum(part.get(table, {}).values()) for name, part in parts.items()}}
        for table in sorted({*parts["by_data"], *parts["by_method"]})
    ]


def _said(cause: Row) -> str:
    """What else is known of a changed rule, in one line."""
    if cause.get("versions"):
        return "; ".join(str(version) for version in cause["versions"])
    hashes = [str(cause.get(f"{when}_sha256") or cause.get(when) or "")[:12] for when in ("before", "after")]
    return " → ".join(text or "–" for text in hashes) if any(hashes) else ""


def revisions(release: Release) -> list[Row]:
    """Examples of revised and removed figures by table, each with what caused it where that is known."""
    listed = []
    for table, item in (release.changes.get("tables") or {}).items():
        for kind in ("revised", "removed"):
            for example in (item.get("examples") or {}).get(kind, []):
                listed.append(
                    {
                        "table": table,
                        "kind": kind,
                        "key": ", ".join(str(v) for v in example["key"].values() if v is not None),
                        "columns": example.get("columns") or {},
                        "causes": example.get("causes") or [],
                        "is_synthetic": example.get("provenance") not in (None, "official"),
                    }
                )
    return listed[:REVISIONS_SHOWN]


def causes(release: Release) -> list[Row]:
    """What came, went or was agreed otherwise since the release before."""
    return list(release.changes.get("inputs") or [])


def table_states(release: Release) -> dict[str, Row]:
    """For every table: whether its rows are an earlier release's, and which of its checks are waived."""
    rows = release.rows("select * from meta_table")
    return {
        str(row["table_name"]): {
            "carried_over_from": row.get("carried_over_from"),
            "held_back_by": row.get("held_back_by"),
            "waived": [check for check in str(row.get("waived_checks") or "").split(";") if check],
        }
        for row in rows
    }


def waived_places(release: Release) -> dict[str, Any]:
    """What waivers in use touch: extracts, and regions by table or extract."""
    used = [row for row in waivers(release) if row["is_used"]]
    regions: dict[str, set[str]] = {}
    for row in used:
        regions.setdefault(str(row["subject"]), set()).update(filter(None, str(row["regions"] or "").split(";")))
    return {"subjects": {str(row["subject"]) for row in used}, "regions": regions}


def releases(release: Release) -> list[Row]:
    """All releases up to this one, newest first."""
    return (
        release.rows("select * from audit_release order by prepared_at desc limit 20")
        if release.has("audit_release")
        else []
    )
