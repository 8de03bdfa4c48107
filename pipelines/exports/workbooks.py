"""The failures as a workbook per department, for the people who must mend them: which cell, what is wrong, what to do.

The same failures give the same bytes. Which rows fail was found by `quality`; what a page says of it is `pages`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from pipelines.records import CheckResult

# Rows that no department is named for are the data steward's to pass on.
STEWARD = "data_steward"
_MADE = datetime(2000, 1, 1)  # a fixed date: a workbook's bytes depend on its rows alone
_COLUMNS = (
    ("检查\nCheck", 34), ("级别\nSeverity", 10), ("资料\nExtract", 26), ("报送期\nPeriod", 10), ("文件\nFile", 34),
    ("工作表\nSheet", 14), ("行\nRow", 7), ("列\nColumn", 22), ("地区\nRegion", 10), ("看到的\nFound", 40),
    ("应有的\nExpected", 40), ("怎么办\nWhat to do", 40), ("检查编号\nCheck id", 40),
)  # fmt: skip
_SEVERITY = {
    "block": "拦截 / blocks", "warn": "提示 / warns", "waived": "已豁免 / waived", "known": "已说明 / explained",
}  # fmt: skip
_OWN = (
    "department", "departments", "extract", "delivery_period", "source_file", "source_sheet", "source_row",
    "source_column", "provenance", "found", "expected", "rule", "held",
)  # fmt: skip


def file_name(department: str, mark: str) -> str:
    """The name of a department's workbook; `mark` is the word for sample data, empty where none is in it."""
    return f"{mark + '_' if mark else ''}待更正_{department}.xlsx"


def failures(
    results: Sequence[CheckResult], known_rejects: Iterable[Mapping[str, Any]] = ()
) -> dict[str, list[dict[str, str]]]:
    """Lines of the workbooks by department: every failing row of every check, then rejects that are explained.

    A row that concerns several departments is in the workbook of each.
    """
    lines: dict[str, list[dict[str, str]]] = {}
    for result in results:
        if result.outcome not in ("fail", "waived", "held") or result.source in ("gate", "contract"):
            continue
        is_delivery = result.source == "intake"
        for row in result.rows or [{"found": result.observed}]:
            own = row.get("department", "")
            named = [*([own] if own else []), *filter(None, row.get("departments", "").split(";"))]
            details = ", ".join(f"{name}={value}" for name, value in row.items() if name not in _OWN)
            line = {
                **row,
                "check": result.description,
                "severity": "waived" if result.outcome == "waived" else result.severity,
                "found": " — ".join(
                    filter(None, [row.get("rule", "") if is_delivery else "", row.get("found", details)])
                ),
                "expected": row.get("expected", result.description),
                "remedy": result.remedy or _ask(result.owner),
                "check_id": result.check_id,
            }
            for department in dict.fromkeys(named or [STEWARD]):
                lines.setdefault(department, []).append(line)
    for reject in known_rejects:
        row = {name: str(value) for name, value in reject.items() if value is not None}
        line = {
            **row,
            "check": "退回，约定已说明 / Rejected, and the contract says why",
            "severity": "known",
            "found": " — ".join(filter(None, [row.get("rule", ""), row.get("reported_text", "")])),
            "expected": row.get("detail", ""),
            "remedy": row.get("known_reason", ""),
            "check_id": f"intake/{row.get('rule', '')}",
        }
        lines.setdefault(row.get("department", STEWARD), []).append(line)
    return lines


def _ask(owner: str) -> str:
    zh, _, en = owner.partition(" / ")
    return (
        f"核对后报送更正的文件；数据无误的，告知{zh or '数据管理'}，由其说明或申请豁免 / "
        f"Check and send a corrected file; where the figure is right, tell {en or owner or 'the data steward'}, who "
        "explains it or asks for a waiver"
    )


def write_workbooks(
    folder: Path, lines: Mapping[str, Sequence[Mapping[str, str]]], synthetic_extracts: set[str], mark: str
) -> list[dict[str, Any]]:
    """A workbook per department in `folder`; returns for each its department, file, lines and whether it is marked.

    A workbook is marked when one of its lines rests on sample data, or may: where the line does not say, an extract
    of sample data and a table that holds any count as sample data.
    """
    written = []
    for department, own in sorted(lines.items()):
        is_synthetic = any(_is_synthetic(line, synthetic_extracts) for line in own)
        path = folder / file_name(department, mark if is_synthetic else "")
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, department, own, mark if is_synthetic else "")
        written.append({"department": department, "file": path.name, "lines": len(own), "is_synthetic": is_synthetic})
    return written


def _is_synthetic(line: Mapping[str, str], synthetic_extracts: set[str]) -> bool:
    if line.get("provenance"):
        return line["provenance"] != "official"
    if line.get("extract"):
        return f"{line.get('department')}/{line['extract']}" in synthetic_extracts
    return bool(synthetic_extracts)


def _write(path: Path, department: str, lines: Sequence[Mapping[str, str]], mark: str) -> None:
    workbook = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    workbook.set_properties({"title": f"{mark}待更正 / To be mended: {department}", "created": _MADE})
    sheet = workbook.add_worksheet(mark[:20] + "待更正" if mark else "待更正")
    title = workbook.add_format({"bold": True, "font_size": 14})
    note = workbook.add_format({"font_color": "#A8201A", "bold": True})
    head = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E9EFED", "border": 1})
    cell = workbook.add_format({"text_wrap": True, "valign": "top"})
    sheet.write_string(0, 0, f"待更正事项 / To be mended: {department} ({len(lines)})", title)
    if mark:
        sheet.write_string(
            1, 0, f"{mark}：本表涉及示例数据，不反映任何地方的真实情况 / Sample data: no real place", note
        )
    for position, (name, width) in enumerate(_COLUMNS):
        sheet.set_column(position, position, width)
        sheet.write_string(2, position, name, head)
    for number, line in enumerate(lines, start=3):
        extract = "/".join(filter(None, (line.get("department"), line.get("extract"))))
        texts = (
            line["check"], _SEVERITY[line["severity"]], extract, line.get("delivery_period", ""),
            line.get("source_file", ""), line.get("source_sheet", ""), line.get("source_row", ""),
            line.get("source_column", ""), line.get("region_code", ""), line["found"], line["expected"],
            line["remedy"], line["check_id"],
        )  # fmt: skip
        for position, text in enumerate(texts):
            if position == 6 and text.isdecimal():
                sheet.write_number(number, position, int(text), cell)
            else:
                sheet.write_string(number, position, text[:32_000], cell)
    sheet.freeze_panes(3, 1)
    sheet.autofilter(2, 0, max(3, len(lines) + 2), len(_COLUMNS) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    workbook.close()
