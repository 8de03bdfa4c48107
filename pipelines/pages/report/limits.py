"""Chapters of the report on what holds regions back, how far the conclusions hold, and what could not be assessed."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup, escape

from pipelines.pages.numbers import rounded
from pipelines.pages.report import wording
from pipelines.pages.report.draft import Chapter, Draft, Table, words
from pipelines.pages.report.source import Row, Rows, joined, sentence

MOST_SHOWN = 3


def held_back(draft: Draft) -> Chapter:
    """The indicators that cost each region most."""
    chapter = Chapter("held-back", "制约各地的因素")
    where = "domain = 'all' and contribution_points > 0"
    costly = draft.rows("mart_gap_contribution", f"{where} and region_code = '{draft.home}' and place <= 5", "place")
    if len(costly):
        named = [
            escape(row["indicator_name_zh"])
            + "（"
            + draft.book.cite(row, "contribution_points", wording.beside(row["contribution_points"], 0, 2))
            + "个百分点）"
            for row in costly
        ]
        chapter.say(sentence(escape(f"使{draft.name}的实现度低于满分最多的指标是：") + joined(named) + "。", *costly))
    rows = draft.rows(
        "mart_gap_contribution",
        f"{where} and region_depth > 0 and place <= {MOST_SHOWN}",
        "region_depth, region_code, place",
    )
    if not len(costly) and not len(rows):
        chapter.lack(draft.why_no_degree() if draft.degree is None else "没有一项指标使实现度低于满分。")
    by_region: dict[str, list[Row]] = {}
    for row in rows:
        by_region.setdefault(row["region_id"], []).append(row)
    deepest = max((row["region_depth"] for row in rows), default=0)
    first = Counter(found[0]["indicator_code"] for found in by_region.values() if found[0]["region_depth"] == deepest)
    if first:
        count = sum(first.values())
        most = max(first.values())
        codes = sorted(code for code, n in first.items() if n == most)
        names = wording.several([draft.indicator(code) for code in codes])
        text = f"对{count}个{draft.level(deepest)}各取拖累最大的一项指标，最常见的是{names}（{most}个）。"
        chapter.say(sentence(text, rows))
    lines: list[list[Markup | str]] = []
    for found in by_region.values():
        top = found
        lost = [f"{r['indicator_name_zh']}（{wording.beside(r['contribution_points'], 0, 2)}）" for r in top]
        lines.append([draft.cell(found[0], found[0]["region_name"]), *lost, *[""] * (MOST_SHOWN - len(lost))])
    if lines:
        heads = Rows(rows.sql, tuple(found[0] for found in by_region.values()))
        chapter.tables.append(
            Table(
                f"{draft.called}年各地拖累最大的{MOST_SHOWN}项指标（括号内为失分，百分点）",
                ("地区", "第一", "第二", "第三"),
                lines,
                draft.book.source(rows, "各地各项指标的失分"),
                replies=draft.replies_beside(heads),
                is_synthetic=rows.is_synthetic,
            )
        )
    return chapter


def robust_sentence(draft: Draft, row: Row | None) -> Markup | None:
    """Whether the verdict on the target stands by every method tried."""
    if row is None or row["share_meeting_target"] is None or not row["scenarios_scored"]:
        return None
    count, share = row["scenarios_scored"], row["share_meeting_target"]
    if share in (0, 1):
        met = draft.book.cite(row, "share_meeting_target", "都达到目标" if share else "都未达到目标")
    else:
        met = escape("有") + draft.book.cite(row, "share_meeting_target", wording.share(share)) + "达到目标"
    text = escape(f"以{count}种算法重算{row['region_name']}的实现度，可与目标比较的算法") + met
    low = draft.book.cite(row, "degree_low_pct", draft.percent_of_degree(row["degree_low_pct"]))
    high = draft.book.cite(row, "degree_high_pct", draft.percent_of_degree(row["degree_high_pct"]))
    return sentence(text + "；全部算法的结果在" + low + "与" + high + "之间。", row)


def sensitivity(draft: Draft) -> Chapter:
    """How far the conclusions hold by other methods."""
    chapter = Chapter("sensitivity", "结论的稳健性")
    rows = draft.rows("mart_sensitivity", f"region_code = '{draft.home}'")
    if not len(rows):
        chapter.lack(draft.why_no_degree())
    chapter.say(robust_sentence(draft, rows.first(scenario_family="all")))
    others = draft.rows("mart_sensitivity", "region_depth > 0 and scenario_family = 'all'", "region_depth")
    judged = [row for row in others if row["share_flipping"] is not None]
    if judged:
        flipping = [row["region_name"] for row in judged if row["share_flipping"] > 0]
        if flipping:
            said = f"{len(judged)}个地区中，达标与否随算法而变的有：{wording.several(flipping, 12)}。"
        else:
            said = f"{len(judged)}个地区中，没有一个的达标与否随算法而变。"
        chapter.say(sentence(said, others))
    chapter.say(
        sentence("介于两个端点之间的标准化不使用目标值，只改变位次和范围，不参与达标与否的判断。")
        if len(rows)
        else None
    )
    if len(rows):
        chapter.tables.append(
            Table(
                f"{draft.name}{draft.called}年实现度在各类算法下的范围",
                ("改变的是", "算法数", "最低", "最高", "达到目标的算法"),
                [
                    [
                        words()["families"].get(row["scenario_family"], row["scenario_family"]),
                        str(row["scenarios_scored"]),
                        draft.cell(row, draft.percent_of_degree(row["degree_low_pct"])),
                        draft.cell(row, draft.percent_of_degree(row["degree_high_pct"])),
                        wording.share(row["share_meeting_target"]),
                    ]
                    for row in rows
                ],
                draft.book.source(rows, "各类算法下的范围"),
                is_synthetic=rows.is_synthetic,
            )
        )
    return chapter


# -- data quality -------------------------------------------------------------------------------------------------


def _quality_sentences(draft: Draft) -> list[Markup]:
    said: list[Markup] = []
    for verdict in draft.source.rows("audit_verdict"):
        checks = sum(verdict[c] or 0 for c in ("passed", "failed", "errors", "warnings", "waived", "held"))
        text = (
            escape("发布前共作检查")
            + f"{checks}项，通过"
            + draft.book.cite(verdict, "passed", str(verdict["passed"]))
            + "项"
        )
        text += escape(f"，提示{verdict['warnings']}项，豁免{verdict['waived']}项。")
        said.append(sentence(text))
    ties = draft.source.rows("audit_tie_out")
    if len(ties):
        total = {c: sum(row[c] or 0 for row in ties) for c in ("rows_read", "rows_accepted", "rows_rejected")}
        untied = sum(not row["is_tied"] for row in ties)
        read, accepted, rejected = (rounded(count) for count in total.values())
        said_of = f"来文共读入{read}行，采用{accepted}行，退回{rejected}行"
        said_of += f"；{untied}份来文的账不平" if untied else "；每份来文的账都相平"
        said.append(sentence(escape(said_of) + draft.book.source(ties, "来文的账") + "。"))
    receipts = draft.source.rows("audit_receipt", "is_in_force")
    if len(receipts):
        mark = draft.release.jurisdiction["synthetic_mark"]["zh"]
        sample = sum(row.is_synthetic for row in receipts)
        said_of = f"所依据的{len(receipts)}份来文中，{mark}{sample}份，官方数据{len(receipts) - sample}份"
        said.append(sentence(escape(said_of) + draft.book.source(receipts, "所依据的来文") + "。"))
    held = draft.source.rows("audit_receipt", "is_held", "department, extract, delivery_period")
    if len(held):
        names = "、".join(dict.fromkeys(str(row["extract_name_zh"] or row["extract"]) for row in held))
        said_of = f"{len(held)}份来文未通过检查，暂留不用（{names}），有关的数停留在上一份合格的来文，标为暂定"
        said.append(sentence(escape(said_of) + draft.book.source(held, "暂留的来文") + "。"))
    carried = [item["table"] for item in draft.release.card["carried_over"]]
    if carried:
        said.append(sentence(f"下列各表未通过检查，沿用以前的发布：{'、'.join(carried)}。"))
    return said


def quality(draft: Draft) -> Chapter:
    """The quality of the data, and what could not be assessed."""
    chapter = Chapter("quality", "数据质量与未能评估的内容")
    chapter.say(*_quality_sentences(draft))
    for note in draft.release.jurisdiction["data_notes"]:
        chapter.say(sentence(note["zh"]))
    checks = draft.source.rows(
        "audit_check", "outcome not in ('pass', 'not_applicable')", "severity, failing_rows desc"
    )
    if len(checks):
        outcomes = words()["outcomes"]
        chapter.tables.append(
            Table(
                "未通过或已豁免的检查",
                ("检查对象", "检查什么", "结果", "不符行数", "作用"),
                [
                    [
                        row["subject"],
                        str(row["description"] or row["check_id"]).split(" / ")[0],
                        outcomes.get(row["outcome"], row["outcome"]),
                        str(row["failing_rows"]),
                        "拦截" if row["severity"] == "block" else "提示",
                    ]
                    for row in checks
                ],
                draft.book.source(checks, "未通过或已豁免的检查"),
            )
        )
    services = draft.source.rows("dim_service", "not is_assessed", "domain")
    if len(services):
        whole = len(draft.source.rows("dim_service"))
        chapter.say(sentence(f"清单的{whole}项内容中有{len(services)}项未能评估，原因见表。"))
        chapter.tables.append(
            Table(
                "未能评估的服务",
                ("领域", "服务", "原因", "牵头部门"),
                [
                    [row["domain_name_zh"] or row["domain"], row["name_zh"], row["reason"], row["lead_department"]]
                    for row in services
                ],
                draft.book.source(services, "未能评估的服务"),
            )
        )
    skipped = draft.source.rows("dim_indicator", "not is_computed", "domain")
    if len(skipped):
        chapter.say(sentence(f"指标目录中有{len(skipped)}项没有作为指标计算，原因或所在之处见表。"))
        chapter.tables.append(
            Table(
                "没有作为指标计算的项目",
                ("领域", "指标", "原因或所在之处"),
                [[draft.domain(row["domain"]), row["name_zh"], row["reason"]] for row in skipped],
                draft.book.source(skipped, "没有作为指标计算的项目"),
            )
        )
    unknown = draft.rows("mart_target_progress", f"region_code = '{draft.home}' and value is null")
    if len(unknown):
        names = wording.several([row["indicator_name_zh"] for row in unknown], 20)
        chapter.say(sentence(f"缺少数值的指标：{names}。", unknown))
    return chapter
