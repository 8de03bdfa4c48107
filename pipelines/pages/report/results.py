"""Chapters of the report on results: the targets, the domains, the regions with the bands of their ranks."""

from __future__ import annotations

from markupsafe import Markup, escape

from pipelines.pages.numbers import exact, plain, rounded
from pipelines.pages.report import wording
from pipelines.pages.report.draft import Chapter, Draft, Table, words
from pipelines.pages.report.source import Row, Rows, joined, sentence

DEGREE = "均等化实现度（自测）"


def degree_sentence(draft: Draft, row: Row | None) -> Markup | None:
    """Whether the degree meets its target, and whether what is missing could change that."""
    if row is None:
        return None
    name, year = row["region_name"], row.called
    degree, target, low, high = (row[c] for c in ("degree_pct", "target_pct", "degree_low_pct", "degree_high_pct"))
    if degree is None:
        return sentence(f"{year}年{name}的{DEGREE}未能计算，不作判断。", row)
    cited = draft.book.cite(row, "degree_pct", draft.percent_of_degree(degree))
    start = escape(f"{year}年{name}的{DEGREE}为") + cited
    if target is None:
        return sentence(start + "，没有可比的目标。", row)
    goal = f"{plain(target)}%"
    if row["is_target_met"]:
        text = start + f"，达到{goal}的目标"
        if low is not None and exact(low) < exact(target):
            worst = draft.book.cite(row, "degree_low_pct", draft.percent_of_degree(low))
            text += escape("；但缺少的得分若全部按零计，则为") + worst + "，低于目标，结论取决于尚缺的数据"
        elif low is not None and exact(low) < exact(degree):
            worst = draft.book.cite(row, "degree_low_pct", draft.percent_of_degree(low))
            text += escape("；缺少的得分即使全部按零计，也为") + worst + "，仍达到目标"
    else:
        gap = draft.book.cite(row, "gap_to_target_pct", wording.beside(row["gap_to_target_pct"], 0, 2))
        text = start + f"，未达到{goal}的目标，相差" + gap + "个百分点"
        if high is not None and exact(high) >= exact(target):
            best = draft.book.cite(row, "degree_high_pct", draft.percent_of_degree(high))
            text += escape("；但缺少的得分若全部按满分计，则为") + best + "，达到目标，结论取决于尚缺的数据"
    return sentence(text + "。", row)


def _share(value: float) -> str:
    return "全部权重" if value == 100 else f"{wording.percent(value, (0, 100))}的权重"


def basis_sentence(draft: Draft, row: Row | None) -> Markup | None:
    """How much of the degree rests on targets nobody has set, and on sample data."""
    if row is None or row["degree_pct"] is None:
        return None
    parts = []
    if row["illustrative_weight_pct"]:
        share = draft.book.cite(row, "illustrative_weight_pct", _share(row["illustrative_weight_pct"]))
        parts.append(share + "所依据的目标值是示意值，不是规划所定")
    if row["synthetic_weight_pct"]:
        share = draft.book.cite(row, "synthetic_weight_pct", _share(row["synthetic_weight_pct"]))
        parts.append(share + f"所依据的数字是{draft.release.jurisdiction['synthetic_mark']['zh']}")
    return sentence(escape("该实现度中，") + Markup("；").join(parts) + "。", row) if parts else None


def change_sentence(draft: Draft, row: Row | None) -> Markup | None:
    """How the degree changed since the first year that has one."""
    if row is None or row["change_points"] is None or row["base_year"] == row["year"]:
        return None
    first = draft.source.called(row.table, row["base_year"])
    was = draft.book.cite(row, "base_degree_pct", draft.percent_of_degree(row["base_degree_pct"]))
    how = draft.book.cite(row, "change_points", wording.change(row["change_points"], "个百分点"))
    return sentence(escape(f"与{first}年的") + was + f"相比，{row['region_name']}的{DEGREE}" + how + "。", row)


def target_sentences(draft: Draft) -> list[Markup]:
    """How many of the final targets are met, missed, or cannot be judged."""
    rows = draft.rows("mart_target_progress", f"region_code = '{draft.home}'")
    if not len(rows):
        return []
    judged = [row for row in rows if row["is_target_met"] is not None]
    missed = [row for row in judged if not row["is_target_met"]]
    unknown = len(rows) - len(judged)
    text = f"{draft.name}有目标的指标{len(rows)}项"
    text += f"，其中{unknown}项因缺少数值未能判断" if unknown else ""
    said = []
    if judged:
        text += f"；已判断的{wording.part(len(judged) - len(missed), len(judged), '项')}达到目标"
    said.append(sentence(escape(text) + draft.book.source(rows, "全部目标") + "。", rows))
    invented = sum(row["target_origin"] == "illustrative" for row in rows)
    if invented:
        said.append(sentence(f"其中{invented}项的目标值是示意值，达到与否只供试算，不代表规划的要求。", rows))
    behind = sorted((row for row in missed if row["attainment"] is not None), key=lambda row: row["attainment"])[:3]
    if behind:
        named = [
            escape(row["indicator_name_zh"])
            + "（完成"
            + draft.book.cite(row, "attainment", wording.attainment(row["attainment"]))
            + "）"
            for row in behind
        ]
        said.append(sentence(escape("离目标最远的是：") + joined(named) + "。", *behind))
    return said


def targets(draft: Draft) -> Chapter:
    """The verdict on the targets."""
    chapter = Chapter("targets", "目标达成判断")
    whole = draft.degree
    chapter.say(degree_sentence(draft, whole), basis_sentence(draft, whole), *target_sentences(draft))
    rows = draft.rows("mart_target_progress", f"region_code = '{draft.home}'", "is_target_met nulls last, domain")
    if whole is None and not len(rows):
        chapter.lack(draft.why_no_degree())
    said = {True: "达到", False: "未达到", None: "未能判断"}
    origins = words()["origins"]
    if len(rows):
        chapter.tables.append(
            Table(
                f"{draft.name}{draft.called}年各项目标",
                ("指标", "领域", "数值", "目标", "单位", "完成", "判断", "目标来源", "尚差人数"),
                [
                    [
                        row["indicator_name_zh"],
                        draft.domain(row["domain"]),
                        draft.cell(row, draft.figure(row["value"], row["indicator_code"])),
                        plain(row["target_value"]),
                        draft.unit(row["unit"]),
                        wording.attainment(row["attainment"]),
                        said[row["is_target_met"]],
                        origins.get(row["target_origin"], row["target_origin"]),
                        rounded(row["people_behind_target"]),
                    ]
                    for row in rows
                ],
                draft.book.source(rows, "各项目标"),
                is_synthetic=rows.is_synthetic,
            )
        )
    return chapter


def domains(draft: Draft) -> Chapter:
    """The degree by domain."""
    chapter = Chapter("domains", "各领域")
    rows = draft.rows("mart_equalisation", f"region_code = '{draft.home}' and domain <> 'all'")
    if not len(rows):
        chapter.lack(draft.why_no_degree())
    ordered = sorted(rows, key=lambda row: (row["degree_pct"] is None, -(row["degree_pct"] or 0), row["domain"]))
    known = [(r["domain"], draft.percent_of_degree(r["degree_pct"])) for r in ordered if r["degree_pct"] is not None]
    by_code = {row["domain"]: row for row in rows}
    if known:
        met = sum(bool(by_code[code]["is_target_met"]) for code, _ in known)
        chapter.say(sentence(f"{draft.name}{wording.part(met, len(known))}领域的{DEGREE}达到目标。", rows))
        if found := wording.extremes(known):

            def named(codes: list[str]) -> Markup:
                return joined(
                    [
                        escape(draft.domain(code))
                        + "（"
                        + draft.book.cite(by_code[code], "degree_pct", dict(known)[code])
                        + "）"
                        for code in codes
                    ]
                )

            chapter.say(sentence(escape("最高的是") + named(found[0]) + "，最低的是" + named(found[1]) + "。", rows))
        else:
            chapter.say(sentence("各领域的实现度四舍五入后相同。", rows))
    missing = [draft.domain(row["domain"]) for row in ordered if row["degree_pct"] is None]
    if missing:
        chapter.say(sentence(f"未能计算的领域：{'、'.join(missing)}。", rows))
    if len(rows):
        chapter.tables.append(
            Table(
                f"{draft.name}{draft.called}年各领域{DEGREE}",
                ("领域", "实现度", "缺项按零计", "缺项按满分计", "目标", "判断", "示意目标所占权重"),
                [
                    [
                        draft.domain(row["domain"]),
                        draft.cell(row, draft.percent_of_degree(row["degree_pct"])),
                        draft.percent_of_degree(row["degree_low_pct"]),
                        draft.percent_of_degree(row["degree_high_pct"]),
                        "" if row["target_pct"] is None else f"{plain(row['target_pct'])}%",
                        {True: "达到", False: "未达到", None: "未能判断"}[row["is_target_met"]],
                        wording.percent(row["illustrative_weight_pct"], 100),
                    ]
                    for row in ordered
                ],
                draft.book.source(rows, "各领域实现度"),
                is_synthetic=rows.is_synthetic,
            )
        )
    return chapter


# -- regions ------------------------------------------------------------------------------------------------------


def band(low: int | None, published: int | None, high: int | None, peers: int) -> Markup:
    """A drawing of the ranks a region has by all methods: a bar from best to worst, a mark at the published one."""
    if low is None or high is None or published is None or peers < 2:
        return Markup("–")
    wide = 120

    def at(rank: int) -> float:
        return round((rank - 1) / (peers - 1) * wide, 1) + 4

    return Markup(
        '<svg class="band" width="128" height="10" viewBox="0 0 128 10" role="img" aria-label="{}">'
        '<line x1="4" x2="124" y1="5" y2="5" stroke="#c9c9c9"/>'
        '<rect x="{}" y="2.5" width="{}" height="5" fill="#9bb8d6"/><circle cx="{}" cy="5" r="3" fill="#14508c"/></svg>'
    ).format(f"第{low}至第{high}位", at(low), max(1.0, round(at(high) - at(low), 1)), at(published))


def stable_sentences(draft: Draft, depth: int) -> list[Markup]:
    """Which regions are in the first or last quarter by every method; of the others no order is told."""
    rows = draft.rows("mart_sensitivity", f"region_depth = {depth} and scenario_family = 'all'")
    ranked = [row for row in rows if row["rank_published"] is not None and row["peers"]]
    if len(ranked) < 8:
        return []
    first, last = ([r["region_name"] for r in ranked if r["quarter_by_every_method"] == n] for n in (1, 4))
    level = draft.level(depth)
    said = []
    for names, where in ((first, "前"), (last, "后")):
        if names:
            said.append(sentence(f"在全部算法下都居{level}{where}四分之一的：{wording.several(names)}。", *ranked))
        else:
            said.append(sentence(f"没有一个{level}在全部算法下都居{where}四分之一。", *ranked))
    rest = len(ranked) - len(first) - len(last)
    if rest:
        text = escape(f"其余{rest}个{level}的位次随算法而变，不宜据此排序")
        said.append(sentence(text + draft.book.source(rows, "位次区间") + "。", *ranked))
    return said


def met_sentence(draft: Draft, rows: Rows, level: str) -> Markup | None:
    """How many regions of a level meet the target."""
    known = [row for row in rows if row["degree_pct"] is not None]
    unknown = len(rows) - len(known)
    if not known:
        return sentence(f"没有一个{level}的实现度能够计算。", rows) if len(rows) else None
    met = sum(bool(row["is_target_met"]) for row in known)
    text = f"有实现度的{level}中，{wording.part(met, len(known))}达到目标"
    return sentence(text + (f"；另有{unknown}个未能计算" if unknown else "") + "。", rows)


def level_sentences(draft: Draft) -> list[Markup]:
    """For every level below the top how many regions meet the target."""
    said = [
        met_sentence(draft, draft.rows("mart_equalisation", f"region_depth = {d} and domain = 'all'"), draft.level(d))
        for d in draft.depths
    ]
    return [text for text in said if text is not None]


def regions(draft: Draft) -> Chapter:
    """Every region with the band of its ranks, its reply beside it."""
    chapter = Chapter("regions", "各地")
    for depth in draft.depths:
        rows = draft.rows("mart_equalisation", f"region_depth = {depth} and domain = 'all'")
        if not len(rows):
            continue
        level = draft.level(depth)
        chapter.say(met_sentence(draft, rows, level))
        chapter.say(*stable_sentences(draft, depth))
        bands = draft.rows("mart_sensitivity", f"region_depth = {depth} and scenario_family = 'all'")
        lines = []
        for row in rows:
            place = bands.first(region_id=row["region_id"])
            ranks = [place[c] if place else None for c in ("rank_low", "rank_published", "rank_high")]
            lines.append(
                [
                    row["region_name"],
                    draft.cell(row, draft.percent_of_degree(row["degree_pct"])),
                    ""
                    if not place
                    else f"{draft.percent_of_degree(place['degree_low_pct'])}至"
                    f"{draft.percent_of_degree(place['degree_high_pct'])}",
                    "–"
                    if ranks[0] is None
                    else f"第{ranks[0]}至第{ranks[2]}位"
                    if ranks[0] != ranks[2]
                    else f"第{ranks[0]}位",
                    band(ranks[0], ranks[1], ranks[2], int(place["peers"] or 0) if place else 0),
                    ""
                    if not place or place["share_meeting_target"] is None
                    else wording.share(place["share_meeting_target"], 0),
                ]
            )
        chapter.tables.append(
            Table(
                f"{level}：{draft.called}年{DEGREE}与位次区间",
                ("地区", "实现度", "全部算法下的范围", "位次区间", "位次区间图", "达到目标的算法"),
                lines,
                draft.book.source(rows, f"{level}实现度"),
                "按地区代码排列。位次区间是全部算法下最好与最差的位次，图中圆点为所公布算法的位次；区间重叠的地区不分先后。",
                draft.replies_beside(rows),
                rows.is_synthetic,
            )
        )
    if not chapter.tables:
        chapter.lack(draft.why_no_degree())
    return chapter
