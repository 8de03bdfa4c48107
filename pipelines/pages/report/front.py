"""The first chapters of the report: the summary, and the method on one page."""

from __future__ import annotations

from markupsafe import escape

from pipelines.pages.numbers import plain
from pipelines.pages.report import gaps, limits, results, wording
from pipelines.pages.report.draft import Chapter, Draft, Table, words
from pipelines.pages.report.source import Row, sentence


def summary(draft: Draft) -> Chapter:
    """What a reader with one minute should know: the sentences of the other chapters that matter most."""
    chapter = Chapter("summary", "摘要")
    whole = draft.degree
    robust = draft.rows("mart_sensitivity", f"region_code = '{draft.home}' and scenario_family = 'all'").first()
    chapter.say(
        results.degree_sentence(draft, whole),
        results.basis_sentence(draft, whole),
        results.change_sentence(draft, whole),
        *results.target_sentences(draft)[:1],
        limits.robust_sentence(draft, robust),
        *results.level_sentences(draft),
    )
    for other in (results.domains(draft), gaps.gaps(draft), gaps.fiscal(draft), limits.held_back(draft)):
        chapter.say(*other.sentences[:2])
    if whole is None:
        chapter.lack(draft.why_no_degree())
    return chapter


def method(draft: Draft) -> Chapter:
    """How the figures were made, on one page."""
    chapter = Chapter("method", "方法")
    if (whole := draft.degree) is None:
        chapter.lack(draft.why_no_degree())
    else:
        _say_of_degree(draft, chapter, whole)
    main = draft.main
    if main is not None:
        chapter.say(
            sentence(
                f"人均数均为按{_named('residents', main['population_source'])}平均，"
                f"支出为主口径的{_named('stages', main['account_stage'])}、现价，"
                f"货币为{draft.currency}，另有说明的除外；"
                + (
                    "地区按各来源当时的区划。"
                    if main["boundaries"] == "reported"
                    else f"地区按{main['boundaries']}年的区划。"
                )
            )
        )
    mark = draft.release.jurisdiction["synthetic_mark"]["zh"]
    chapter.say(
        sentence(
            "数字四舍五入到其对象所定的位数，各处一致；比较和差额都用未四舍五入的数作出，差额与所示两数之差末位可能不同；"
            "四舍五入后相同的，写作相同或持平。"
            "实现度和完成程度只舍不入，未达到的不会写作达到。"
        ),
        sentence(
            f"所依据的数字中有任何一项不是官方数据的句子，以「示例」起头；依据这样的数字的表在表题中注明，其中这样的行带星号（*），即{mark}。"
            "每个数字右上角的编号是附录中的条目，附录给出它的出处和查证的命令。"
        ),
    )
    return chapter


def _named(kind: str, code: str) -> str:
    return words()[kind].get(code, code)


def _say_of_degree(draft: Draft, chapter: Chapter, whole: Row) -> None:
    chapter.say(
        sentence(
            "均等化实现度没有公开的官方公式。本报告的实现度是按公开的方法重建的自测数，不是官方数字，不能与官方数字相比。"
        ),
        sentence(
            "每项指标先换算为完成程度（0到1）：越高越好的，为数值除以目标，至多为1；越低越好的，为目标除以数值，至多为1。"
            "缺少数值的指标没有完成程度，绝不记为零。"
        ),
    )
    used = [row for row in draft.indicators if row["role"] == "scored" and row["is_computed"]]
    weights = draft.source.rows("dim_weight", f"weight_set = '{whole['weight_set']}'")
    equal = "各领域等权，领域内各指标等权" if whole["weight_set"] == "equal" else f"权重方案{whole['weight_set']}"
    text = escape(f"参与计分的指标{len(used)}项，分属{len(draft.basic_domains)}个领域；{equal}")
    text += draft.book.source(weights, "权重") if len(weights) else ""
    chapter.say(
        sentence(
            text + f"；上级地区的实现度为{_named('methods', whole['method'])}；目标值取自{whole['target_edition']}。"
        ),
        sentence("缺项按零计、按满分计，给出实现度的下限和上限；两者分处目标两侧的，本报告写明结论取决于尚缺的数据。"),
        sentence(
            "位次区间是改变汇总方法、权重、标准化、分母和指标取舍后，一个地区得到的最好与最差的位次；"
            "区间重叠的地区不分先后，本报告不作单一排名。"
        ),
    )
    targets = draft.rows("mart_target_progress", f"region_code = '{draft.home}'")
    counts: dict[str, list[int]] = {}
    for row in targets:
        pair = counts.setdefault(row["domain"], [0, 0])
        pair[0] += 1
        pair[1] += row["target_origin"] == "illustrative"
    rows = draft.rows("mart_equalisation", f"region_code = '{draft.home}' and domain <> 'all'")
    coverage = {row["domain"]: row["weight_coverage"] for row in rows}
    if not coverage:
        return
    chapter.tables.append(
        Table(
            "各领域的指标与目标",
            ("领域", "有目标的指标", "其中目标为示意", "有数据的权重"),
            [
                [
                    draft.domain(code),
                    plain(counts.get(code, [0, 0])[0]),
                    plain(counts.get(code, [0, 0])[1]),
                    wording.share(coverage[code]),
                ]
                for code in draft.basic_domains
                if code in coverage
            ],
            draft.book.source(targets, "各项目标") if len(targets) else "",  # type: ignore[arg-type]
        )
    )
