"""Chapters of the report on gaps and money: town and country, counties, groups of regions, bases, fiscal effort."""

from __future__ import annotations

from markupsafe import Markup, escape

from pipelines.pages.numbers import exact, rounded
from pipelines.pages.report import wording
from pipelines.pages.report.draft import Chapter, Draft, Table, words
from pipelines.pages.report.source import Row, literal, sentence

BASIC = "基本公共服务支出"


def _money(draft: Draft, row: Row, column: str) -> Markup:
    return draft.book.cite(row, column, rounded(row[column])) + "元"


def _times(draft: Draft, row: Row, column: str) -> Markup:
    return draft.book.cite(row, column, wording.beside(row[column], 1, 2)) + "倍"


# -- town and country ---------------------------------------------------------------------------------------------


def urban_rural_sentences(draft: Draft, row: Row | None) -> list[Markup]:
    """What is spent on a resident of a town and of the country, and whether the gap closes."""
    if row is None:
        return []
    name = row["region_name"]
    if row["urban"] is None or row["rural"] is None:
        return [sentence(f"{name}的城乡人均{BASIC}缺少数值，未能比较。", row)]
    text = escape(f"{row.called}年{name}城镇居民人均{BASIC}") + _money(draft, row, "urban")
    text += escape("，农村居民人均") + _money(draft, row, "rural")
    if row["ratio"] is not None:
        text += escape("，城镇为农村的") + _times(draft, row, "ratio")
    said = [sentence(text + "。", row)]
    rate, base = row["closing_rate"], row["base_year"]
    if rate is not None and base is not None and base < row["year"]:
        if row["is_overshot"]:
            how: Markup | str = "差距已经反转"
        elif rate > 0:
            how = escape("差距缩小了") + draft.book.cite(row, "closing_rate", wording.percent(100 * rate, 0))
        elif rate < 0:
            how = escape("差距扩大了") + draft.book.cite(row, "closing_rate", wording.percent(-100 * rate, 0))
        else:
            how = "差距没有变化"
        said.append(
            sentence(
                escape(f"与{draft.source.called(row.table, base)}年相比，{name}城乡人均{BASIC}的") + how + "。", row
            )
        )
    return said


def _urban_rural(draft: Draft, chapter: Chapter) -> None:
    where = f"{draft.now} and region_code = '{draft.home}' and subject_kind = 'spending' and price_basis = 'nominal'"
    rows = draft.source.rows("mart_urban_rural_gap", where)
    order = ["basic", *draft.basic_domains]
    shown = [row for code in order if (row := rows.first(subject_code=code))]
    chapter.say(*urban_rural_sentences(draft, rows.first(subject_code="basic")))
    if shown:
        chapter.tables.append(
            Table(
                f"{draft.name}{draft.called}年城乡人均支出",
                ("领域", "城镇（元）", "农村（元）", "城镇与农村之比", "差距比基年缩小"),
                [
                    [
                        draft.domain(row["subject_code"]),
                        draft.cell(row, rounded(row["urban"], 1)),
                        draft.cell(row, rounded(row["rural"], 1)),
                        wording.beside(row["ratio"], 1, 2),
                        "–" if row["closing_rate"] is None else wording.percent(100 * row["closing_rate"], 0),
                    ]
                    for row in shown
                ],
                draft.book.source(rows, "城乡人均支出"),
                "现价；缩小为负即扩大。",
                is_synthetic=rows.is_synthetic,
            )
        )


# -- between regions ----------------------------------------------------------------------------------------------


def decomposition_sentence(draft: Draft, parts: dict[str, Row], unit: str, group: str) -> Markup | None:
    """How much of the inequality lies within groups and between them; only where the parts add up to something."""
    total, within, between = (parts.get(name) for name in ("total", "within", "between"))
    if total is None or total["value"] is None:
        return None
    text = escape(f"{total['scope_name']}各{unit}人均{BASIC}的泰尔指数为") + draft.book.cite(
        total, "value", rounded(total["value"], 4)
    )
    if within and between and within["value"] is not None and between["value"] is not None and total["value"] > 0:
        whole = exact(total["value"])
        inside, among = (exact(row["value"]) / whole * 100 for row in (within, between))
        text += escape(f"，其中{group}内部占") + draft.book.cite(within, "value", f"{rounded(inside, 1)}%")
        text += escape(f"，{group}之间占") + draft.book.cite(between, "value", f"{rounded(among, 1)}%")
        return sentence(text + "。", total, within, between)
    return sentence(text + "。", total)


def _inequality(draft: Draft, chapter: Chapter) -> None:
    common = (
        f"{draft.now} and scope_code = '{draft.home}' and subject_kind = 'spending' and population_basis = 'resident' "
        "and price_basis = 'nominal' and residence = 'total'"
    )
    levels = {level["name"]: level["depth"] for level in draft.release.jurisdiction["levels"]}
    rows = draft.source.rows("mart_inequality", f"{common} and subject_code in ('basic', 'all')")
    basic = [row for row in rows if row["subject_code"] == "basic"]
    deepest = sorted({r["dimension"] for r in basic if r["dimension"] in levels}, key=lambda name: -levels[name])
    if not deepest:
        return
    dimension = deepest[0]
    unit = draft.level(levels[dimension])
    parts = {r["component"]: r for r in basic if r["dimension"] == dimension and r["measure"] == "theil"}
    chapter.say(decomposition_sentence(draft, parts, unit, draft.level(levels[dimension] - 1)))
    weighted = (r for r in basic if (r["dimension"], r["measure"], r["weighting"]) == (dimension, "cv", "population"))
    spread = next(weighted, None)
    if spread is not None and spread["value"] is not None:
        same = " and ".join(f"{c} = '{spread[c]}'" for c in spread.key if c != "year")
        earlier = draft.source.rows("mart_inequality", f"{same} and year < {draft.year} and value is not null", "year")
        text = escape(f"{spread['scope_name']}各{unit}人均{BASIC}的变异系数（按人口加权）为")
        text += draft.book.cite(spread, "value", wording.percent(spread["value"]))
        if len(earlier):
            first = next(iter(earlier))
            was = draft.book.cite(first, "value", wording.percent(first["value"]))
            text += escape(f"，{first.called}年为") + was
            text += escape(f"，{wording.change(first['value'], spread['value'], '个百分点')}")
            chapter.say(sentence(text + "；其间各地区划有变动的，比较的不是同样的地区。", spread, first))
        else:
            chapter.say(sentence(text + "。", spread))
    measures, weights, kinds = (words()[name] for name in ("measures", "weightings", "components"))
    shown = [r for r in basic if r["dimension"] in levels and r["measure"] in measures and r["value"] is not None]
    chapter.tables.append(
        Table(
            f"{draft.name}{draft.called}年各地人均{BASIC}的差距",
            ("比较的地区", "指标", "权重", "部分", "数值", "地区数"),
            [
                [
                    draft.level(levels[row["dimension"]]),
                    measures[row["measure"]],
                    weights.get(row["weighting"], row["weighting"]),
                    kinds.get(row["component"], row["component"]),
                    draft.cell(
                        row,
                        rounded(row["value"], 4 if row["measure"] == "theil" else 2)
                        + ("%" if row["unit"] == "%" else ""),
                    ),
                    str(row["regions"]),
                ]
                for row in shown
            ],
            draft.book.source(rows, "各地人均支出的差距"),
            "按常住人口、现价。",
            is_synthetic=rows.is_synthetic,
        )
    )


# -- groups of regions --------------------------------------------------------------------------------------------


def group_sentences(draft: Draft, group: Row, ratio: Row | None, own: Row | None, rest: Row | None) -> list[Markup]:
    """A group of regions against the others: spending per head, and the degree."""
    name, said = group["group_name_zh"], []
    if ratio is not None and ratio["value"] is not None:
        how = words()["weightings"].get(ratio["weighting"], ratio["weighting"])
        text = escape(f"{name}各地人均{BASIC}的平均数（{how}）为其他地区的") + _times(draft, ratio, "value")
        said.append(sentence(text + "。", ratio))
    if own is not None and rest is not None and own["value"] is not None and rest["value"] is not None:
        shown = [rounded(row["value"], 1) for row in (own, rest)]
        cited = [draft.book.cite(row, "value", f"{text}%") for row, text in zip((own, rest), shown, strict=True)]
        if shown[0] == shown[1]:
            how = "，四舍五入后相同"
        else:
            how = "，高于其他地区" if own["value"] > rest["value"] else "，低于其他地区"
        said.append(
            sentence(
                escape(f"{name}的均等化实现度（自测）为") + cited[0] + "，其他地区为" + cited[1] + how + "。", own, rest
            )
        )
    return said


def _groups(draft: Draft, chapter: Chapter) -> None:
    groups = draft.source.rows("dim_region_group")
    seen: dict[str, Row] = {row["group_code"]: row for row in groups}
    for code, group in sorted(seen.items()):
        ratio = draft.source.rows(
            "mart_inequality",
            f"{draft.now} and scope_code = '{draft.home}' and subject_kind = 'spending' and subject_code = 'basic' "
            f"and dimension = '{code}' and measure = 'ratio' and population_basis = 'resident' "
            "and price_basis = 'nominal' and residence = 'total'",
        ).first()
        degrees = draft.scored(
            "mart_equalisation_dispersion",
            f"region_code = '{draft.home}' and domain = 'all' and \"group\" = '{code}'",
        )
        own, rest = (degrees.first(measure=f"{which}_degree_pct") for which in ("group", "rest"))
        said = group_sentences(draft, group, ratio, own, rest)
        chapter.say(*said)
        if said and not group["is_verified"]:
            chapter.say(sentence(f"{group['group_name_zh']}的名单（{group['edition']}）尚未经发布机关核实。"))


# -- residents and registered people ------------------------------------------------------------------------------


def basis_sentence(draft: Draft, resident: Row | None, registered: Row | None) -> Markup | None:
    """What a change of the population makes of the same spending."""
    if resident is None or registered is None or not resident["per_capita"] or not registered["per_capita"]:
        return None
    by = [_money(draft, row, "per_capita") for row in (resident, registered)]
    more = (exact(registered["per_capita"]) / exact(resident["per_capita"]) - 1) * 100
    shown = rounded(abs(more), 1)
    how = "二者四舍五入后相同" if shown == "0.0" else f"后者{'高' if more > 0 else '低'}{shown}%"
    text = escape(f"同一笔支出，{resident['region_name']}按常住人口为人均") + by[0] + "，按户籍人口为人均" + by[1]
    return sentence(text + f"，{how}；本报告其余各处均按常住人口。", resident, registered)


def _bases(draft: Draft, chapter: Chapter) -> None:
    source = literal(draft.release.population_source)
    where = f"{draft.spending} and domain = 'basic' and population_source = {source} and region_depth <= 1"
    rows = draft.source.rows("mart_per_capita_spending", where, "region_depth")
    both: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row["per_capita"] is not None and row["population"]:
            both.setdefault(row["region_code"], {})[row["population_basis"]] = row
    pairs = [(p["resident"], p["registered"]) for p in both.values() if {"resident", "registered"} <= p.keys()]
    home = next((pair for pair in pairs if pair[0]["region_code"] == draft.home), None)
    chapter.say(basis_sentence(draft, *(home or (None, None))))
    if pairs:
        chapter.tables.append(
            Table(
                f"{draft.called}年人均{BASIC}：按常住人口与按户籍人口",
                ("地区", "按常住人口（元）", "按户籍人口（元）", "常住与户籍人口之比"),
                [
                    [
                        resident["region_name"],
                        draft.cell(resident, rounded(resident["per_capita"])),
                        draft.cell(registered, rounded(registered["per_capita"])),
                        wording.beside(exact(resident["population"]) / exact(registered["population"]), 1, 2),
                    ]
                    for resident, registered in pairs
                ],
                draft.book.source(rows, "按两种人口的人均支出"),
                is_synthetic=rows.is_synthetic,
            )
        )


def gaps(draft: Draft) -> Chapter:
    """Town and country, counties with the decomposition, groups of regions, residents against registered people."""
    chapter = Chapter("gaps", "差距")
    _urban_rural(draft, chapter)
    _inequality(draft, chapter)
    _groups(draft, chapter)
    _bases(draft, chapter)
    return chapter


# -- fiscal effort ------------------------------------------------------------------------------------------------


def effort_sentences(draft: Draft, row: Row | None) -> list[Markup]:
    """The share of the basic services and its change, the two-thirds test, the items paid for as agreed."""
    if row is None:
        return []
    said, name = [], row["region_name"]
    if row["basic_share_pct"] is not None:
        text = escape(f"{row.called}年{name}{BASIC}占全部支出的") + draft.book.cite(
            row, "basic_share_pct", wording.percent(row["basic_share_pct"])
        )
        moved = row["share_change_points"]
        if moved is not None:
            text += escape(f"，比上年{wording.change(0, moved, '个百分点', 2)}")
        else:
            text += escape(f"；与上年之比：{words()['reasons'].get(row['share_reason'], '未能比较')}")
        said.append(sentence(text + "。", row))
    base = draft.source.called(row.table, row["base_year"])
    for suffix, since in (("", "当年"), ("_since_base", f"{base}年以来")):
        ratio, meets, reason = (
            row[f"{c}{suffix}"] for c in ("two_thirds_ratio", "meets_two_thirds", "two_thirds_reason")
        )
        if meets is not None and ratio is not None:
            shown = draft.book.cite(
                row, f"two_thirds_ratio{suffix}", wording.percent(100 * exact(ratio), exact(200) / 3)
            )
            how = "达到三分之二" if meets else "未达到三分之二"
            said.append(sentence(escape(f"{name}{since}新增可用财力中用于民生的比例为") + shown + f"，{how}。", row))
        elif reason:
            said.append(sentence(f"{name}{since}的三分之二检验：{words()['reasons'].get(reason, reason)}。", row))
    if row["items_with_split"]:
        kept = wording.part(row["items_kept"], row["items_with_split"], "项")
        cited = draft.book.cite(row, "items_kept", kept)
        said.append(
            sentence(
                escape(f"{name}有约定分担比例且支付齐全的服务项目") + cited + "按约定负担（相差不超过1个百分点）。", row
            )
        )
    return said


def fiscal(draft: Draft) -> Chapter:
    """Fiscal effort of the whole and of the regions below."""
    chapter = Chapter("fiscal", "财政努力程度")
    codes = f"(region_code = '{draft.home}' or region_depth = 1)"
    where = f"{draft.now} and account_stage = 'final' and fund = (select min(fund) from mart_fiscal_effort) and {codes}"
    rows = draft.source.rows("mart_fiscal_effort", where, "region_depth")
    chapter.say(*effort_sentences(draft, rows.first(region_code=draft.home)))
    shown = [row for row in rows if row["basic_share_pct"] is not None]
    if shown:
        yes = {True: "达到", False: "未达到", None: "–"}
        chapter.tables.append(
            Table(
                f"{draft.called}年各地财政努力程度",
                (
                    "地区",
                    "占全部支出",
                    "比上年（百分点）",
                    "民生占新增财力（基年以来）",
                    "三分之二",
                    "按约定负担的项目",
                ),
                [
                    [
                        row["region_name"],
                        draft.cell(row, wording.percent(row["basic_share_pct"])),
                        wording.beside(row["share_change_points"], 0, 2),
                        "–"
                        if row["two_thirds_ratio_since_base"] is None
                        else wording.percent(100 * exact(row["two_thirds_ratio_since_base"]), exact(200) / 3),
                        yes[row["meets_two_thirds_since_base"]],
                        "–" if not row["items_with_split"] else f"{row['items_kept']}/{row['items_with_split']}",
                    ]
                    for row in shown
                ],
                draft.book.source(rows, "各地财政努力程度"),
                str(shown[0]["two_thirds_scope_zh"] or ""),
                is_synthetic=rows.is_synthetic,
            )
        )
    return chapter
