"""The first chapters of the report: the summary, and the method on one page."""

from __future__ import annotations

from markupsafe import escape

from pipelines.pages.figures import residents_meant
from pipelines.pages.numbers import plain
from pipelines.pages.report import gaps, limits, results, wording
from pipelines.pages.report.draft import Chapter, Draft, Table, words
from pipelines.pages.report.source import sentence


def summary(draft: Draft) -> Chapter:
    """What a reader with one minute should know: the sentences of the other chapters that matter most."""
    chapter = Chapter("summary", "摘要")
    whole = draft.scored("mart_equalisation", f"region_code = '{draft.home}' and domain = 'all'").first()
    robust = draft.scored("mart_sensitivity", f"region_code = '{draft.home}' and scenario_family = 'all'").first()
    chapter.say(
        results.degree_sentence(draft, whole),
        results.basis_sentence(draft, whole),
        results.change_sentence(draft, whole),
        *results.target_sentences(draft)[:1],
        limits.robust_sentence(draft, robust),
        *results.level_sentences(draft),
    )
    for whole_chapter in (results.domains(draft), gaps.gaps(draft), gaps.fiscal(draft), limits.held_back(draft)):
        chapter.say(*whole_chapter.sentences[:2])
    return chapter


def method(draft: Draft) -> Chapter:
    """How the figures were made, on one page."""
    chapter = Chapter("method", "方法")
    chosen = draft.method()
    place = draft.release.jurisdiction
    mark = place["synthetic_mark"]["zh"]
    chapter.say(
        sentence(
            "均等化实现度没有公开的官方公式。本报告的实现度是按公开的方法重建的自测数，不是官方数字，不能与官方数字相比。"
        ),
        sentence(
            "每项指标先换算为完成程度（0到1）：越高越好的，为数值除以目标，至多为1；越低越好的，为目标除以数值，至多为1。"
            "缺少数值的指标没有完成程度，绝不记为零。"
        ),
    )
    if chosen:
        scored = draft.indicators
        used = [row for row in scored if row["role"] == "scored" and row["is_computed"]]
        weights = draft.source.rows("dim_weight", f"weight_set = '{chosen['weight_set']}'")
        what = words()["methods"].get(chosen["method_id"], chosen["method_id"])
        equal = "各领域等权，领域内各指标等权" if chosen["weight_set"] == "equal" else f"权重方案{chosen['weight_set']}"
        text = escape(f"参与计分的指标{len(used)}项，分属{len(draft.basic_domains)}个领域；{equal}")
        text += draft.book.source(weights, "权重") if len(weights) else ""
        chapter.say(
            sentence(text + f"；上级地区的实现度为{what}；目标值取自{chosen['target_edition']}。"),
            sentence(
                "缺项按零计、按满分计，给出实现度的下限和上限；两者分处目标两侧的，本报告写明结论取决于尚缺的数据。"
            ),
            sentence(
                "位次区间是改变汇总方法、权重、标准化、分母和指标取舍后，一个地区得到的最好与最差的位次；"
                "区间重叠的地区不分先后，本报告不作单一排名。"
            ),
        )
    chapter.say(
        sentence(
            f"人均数均为{residents_meant(draft.release)[0]}平均，支出为一般公共预算决算、现价，货币为{place['currency']}，另有说明的除外；"
            "地区按各来源当时的区划。"
        ),
        sentence(
            "数字四舍五入到所示位数；四舍五入会使数字越过所比较的界限的，多写几位。"
            "比较和差额都用未四舍五入的数作出，差额与所示两数之差末位可能不同；四舍五入后相同的，写作相同或持平。"
            "完成程度只舍不入，未达到的不会写作100%。"
        ),
        sentence(
            f"所依据的数字中有任何一项不是官方数据的句子，以「示例」起头；依据这样的数字的表在表题中注明，其中这样的行带星号（*），即{mark}。"
            "每个数字右上角的编号是附录中的条目，附录给出它的出处和查证的命令。"
        ),
    )
    if chosen:
        targets = draft.source.rows(
            "mart_target_progress", f"{draft.now} and region_code = '{draft.home}' and is_final_target"
        )
        counts: dict[str, list[int]] = {}
        for row in targets:
            pair = counts.setdefault(row["domain"], [0, 0])
            pair[0] += 1
            pair[1] += row["target_origin"] == "illustrative"
        rows = draft.scored("mart_equalisation", f"region_code = '{draft.home}' and domain <> 'all'")
        coverage = {row["domain"]: row for row in rows}
        if len(rows):
            chapter.tables.append(
                Table(
                    "各领域的指标与目标",
                    ("领域", "有最终目标的指标", "其中目标为示意", "有数据的权重"),
                    [
                        [
                            draft.domain(code),
                            plain(counts.get(code, [0, 0])[0]),
                            plain(counts.get(code, [0, 0])[1]),
                            wording.percent(
                                None
                                if coverage[code]["weight_coverage"] is None
                                else 100 * coverage[code]["weight_coverage"],
                                (0, 100),
                            ),
                        ]
                        for code in draft.basic_domains
                        if code in coverage
                    ],
                    draft.book.source(targets, "最终目标") if len(targets) else "",  # type: ignore[arg-type]
                )
            )
    return chapter
