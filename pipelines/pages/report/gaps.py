"""Chapters of the report on gaps and money: town and country, counties, groups of regions, bases, fiscal effort."""

from __future__ import annotations

from markupsafe import Markup, escape

from pipelines.pages.numbers import MEASURE, PERCENT, RATIO, exact, rounded
from pipelines.pages.report import wording
from pipelines.pages.report.draft import Chapter, Draft, Table, words
from pipelines.pages.report.source import Row, Rows, sentence

TWO_THIRDS = exact(200) / 3


def _money(draft: Draft, row: Row, column: str, subject: str) -> Markup:
    return draft.book.cite(row, column, draft.figure(row[column], subject)) + draft.currency


def _times(draft: Draft, row: Row, column: str) -> Markup:
    return draft.book.cite(row, column, wording.beside(row[column], 1, RATIO)) + "倍"


# -- town and country ---------------------------------------------------------------------------------------------


def urban_rural_sentences(draft: Draft, row: Row | None) -> list[Markup]:
    """What is spent on a resident of town and country, what is attributed to neither, and whether the gap closes."""
    if row is None:
        return []
    name, what = row["region_name"], draft.basket[1]
    if row["urban"] is None or row["rural"] is None:
        reason = words()["reasons"].get(row["undefined_reason"], "缺少数值，未能比较")
        return [sentence(f"{name}的城乡人均{what}：{reason}。", row)]
    subject = row["subject_code"]
    text = escape(f"{row.called}年{name}城镇居民人均{what}") + _money(draft, row, "urban", subject)
    text += escape("，农村居民人均") + _money(draft, row, "rural", subject)
    if row["ratio"] is not None:
        text += escape("，城镇为农村的") + _times(draft, row, "ratio")
    if row["unattributed_pct"]:
        part = draft.book.cite(row, "unattributed_pct", wording.percent(row["unattributed_pct"], (0, 100), PERCENT))
        text += escape(f"；另有占全部{what}") + part + "的部分未划分城乡，不在二者之内"
    said = [sentence(text + "。", row)]
    rate, base = row["closing_rate"], row["base_year"]
    if rate is not None and base is not None and base < row["year"]:
        closed = wording.share(abs(rate))
        if row["is_overshot"]:
            how: Markup | str = "差距已经反转"
        elif rate == 0:
            how = "差距没有变化"
        else:
            how = escape("差距缩小了" if rate > 0 else "差距扩大了") + draft.book.cite(row, "closing_rate", closed)
        since = draft.source.called(row.table, base)
        said.append(sentence(escape(f"与{since}年相比，{name}城乡人均{what}的") + how + "。", row))
    return said


def _urban_rural(draft: Draft, chapter: Chapter) -> None:
    codes = [draft.basket[0], *draft.basic_domains]
    listed = ", ".join(f"'spending.{code}'" for code in codes)
    rows = draft.rows("mart_urban_rural_gap", f"region_code = '{draft.home}' and subject_code in ({listed})")
    shown = [row for code in codes if (row := rows.first(subject_code=f"spending.{code}"))]
    if all(row["urban"] is None and row["rural"] is None for row in shown):
        chapter.lack(f"来文没有把{draft.name}{draft.called}年的支出划分到城镇和农村，因此没有城乡对照。")
        return
    chapter.say(*urban_rural_sentences(draft, rows.first(subject_code=f"spending.{draft.basket[0]}")))
    chapter.tables.append(
        Table(
            f"{draft.name}{draft.called}年城乡人均支出",
            (
                "领域",
                f"城镇（{draft.currency}）",
                f"农村（{draft.currency}）",
                "未划分城乡的部分",
                "城镇与农村之比",
                "差距比基年缩小",
            ),
            [
                [
                    row["subject_name_zh"].split("：")[-1],
                    draft.cell(row, draft.figure(row["urban"], row["subject_code"])),
                    draft.cell(row, draft.figure(row["rural"], row["subject_code"])),
                    wording.percent(row["unattributed_pct"], (0, 100), PERCENT),
                    wording.beside(row["ratio"], 1, RATIO),
                    wording.share(row["closing_rate"]),
                ]
                for row in shown
            ],
            draft.book.source(rows, "城乡人均支出"),
            "现价；未划分城乡的部分占该领域全部支出的百分比，不在城镇和农村之内；缩小为负即扩大。",
            is_synthetic=rows.is_synthetic,
        )
    )


# -- between regions ----------------------------------------------------------------------------------------------


def decomposition_sentence(draft: Draft, parts: dict[str, Row], unit: str, group: str) -> Markup | None:
    """How much of the inequality lies within groups and between them; only where the parts add up to something."""
    total, within, between = (parts.get(name) for name in ("total", "within", "between"))
    if total is None or total["value"] is None:
        return None
    text = escape(f"{total['region_name']}各{unit}人均{draft.basket[1]}的泰尔指数为") + draft.book.cite(
        total, "value", rounded(total["value"], MEASURE)
    )
    if within and between and within["part_pct"] is not None and between["part_pct"] is not None:
        inside, among = (f"{rounded(row['part_pct'], PERCENT)}%" for row in (within, between))
        text += escape(f"，其中{group}内部占") + draft.book.cite(within, "part_pct", inside)
        text += escape(f"，{group}之间占") + draft.book.cite(between, "part_pct", among)
        return sentence(text + "。", total, within, between)
    return sentence(text + "。", total)


def spread_sentence(draft: Draft, row: Row | None, unit: str) -> Markup | None:
    """How far regions lie apart, and how that changed since the first year."""
    if row is None or row["value"] is None:
        return None
    text = escape(f"{row['region_name']}各{unit}人均{draft.basket[1]}的变异系数（按人口加权）为")
    text += draft.book.cite(row, "value", f"{rounded(row['value'], PERCENT)}%")
    if row["base_value"] is None or row["base_year"] == row["year"]:
        return sentence(text + "。", row)
    was = draft.book.cite(row, "base_value", f"{rounded(row['base_value'], PERCENT)}%")
    how = draft.book.cite(row, "change_since_base", wording.change(row["change_since_base"], "个百分点"))
    text += escape(f"，{draft.source.called(row.table, row['base_year'])}年为") + was + "，" + how
    return sentence(text + "；其间各地区划有变动的，比较的不是同样的地区。", row)


def _inequality(draft: Draft, chapter: Chapter) -> None:
    domain, what = draft.basket
    levels = {level["name"]: level["depth"] for level in draft.release.jurisdiction["levels"]}
    where = f"region_code = '{draft.home}' and subject_code = 'spending.{domain}'"
    rows = draft.rows("mart_inequality", where)
    known = [row for row in rows if row["dimension"] in levels and row["value"] is not None]
    if not known:
        chapter.lack(f"{draft.called}年没有可以比较人均{what}的下级地区，因此没有地区差距。")
        return
    dimension = min({row["dimension"] for row in known}, key=lambda name: (-levels[name], name))
    unit = draft.level(levels[dimension])
    of_level = [row for row in known if row["dimension"] == dimension]
    parts = {row["component"]: row for row in of_level if row["measure"] == "theil"}
    chapter.say(decomposition_sentence(draft, parts, unit, draft.level(levels[dimension] - 1)))
    weighted = (row for row in of_level if (row["measure"], row["weighting"]) == ("cv", "population"))
    chapter.say(spread_sentence(draft, next(weighted, None), unit))
    chapter.tables.append(_measures(draft, rows, known, levels))


def _measures(draft: Draft, rows: Rows, known: list[Row], levels: dict[str, int]) -> Table:
    measures, weights, kinds = (words()[name] for name in ("measures", "weightings", "components"))
    decimals = {"theil": MEASURE, "cv": PERCENT, "ratio": RATIO}

    def shown(row: Row) -> str:
        if row["measure"] == "difference":
            return draft.figure(row["value"], row["subject_code"])
        return rounded(row["value"], decimals[row["measure"]]) + ("%" if row["unit"] == "%" else "")

    return Table(
        f"{draft.name}{draft.called}年各地人均{draft.basket[1]}的差距",
        ("比较的地区", "指标", "权重", "部分", "数值", "地区数"),
        [
            [
                draft.level(levels[row["dimension"]]),
                measures[row["measure"]],
                weights.get(row["weighting"], row["weighting"]),
                kinds.get(row["component"], row["component"]),
                draft.cell(row, shown(row)),
                str(row["regions"]),
            ]
            for row in known
            if row["measure"] in measures
        ],
        draft.book.source(rows, "各地人均支出的差距"),
        "按常住人口、现价。",
        is_synthetic=rows.is_synthetic,
    )


# -- groups of regions --------------------------------------------------------------------------------------------


def group_sentences(draft: Draft, group: Row, ratio: Row | None, own: Row | None, rest: Row | None) -> list[Markup]:
    """A group of regions against the others: spending per head, and the degree."""
    name, said = group["group_name_zh"], []
    if ratio is not None and ratio["value"] is not None:
        how = words()["weightings"].get(ratio["weighting"], ratio["weighting"])
        text = escape(f"{name}各地人均{draft.basket[1]}的平均数（{how}）为其他地区的") + _times(draft, ratio, "value")
        said.append(sentence(text + "。", ratio))
    if own is not None and rest is not None and own["value"] is not None and rest["value"] is not None:
        shown = [draft.percent_of_degree(row["value"]) for row in (own, rest)]
        cited = [draft.book.cite(row, "value", text) for row, text in zip((own, rest), shown, strict=True)]
        if shown[0] == shown[1]:
            how = "，所示位数内相同"
        else:
            how = "，高于其他地区" if own["value"] > rest["value"] else "，低于其他地区"
        said.append(
            sentence(
                escape(f"{name}的均等化实现度（自测）为") + cited[0] + "，其他地区为" + cited[1] + how + "。", own, rest
            )
        )
    return said


def _groups(draft: Draft, chapter: Chapter) -> None:
    groups: dict[str, Row] = {row["group_code"]: row for row in draft.source.rows("dim_region_group")}
    if not groups:
        chapter.lack("本辖区没有声明地区分组，因此没有分组比较。")
    here = f"region_code = '{draft.home}'"
    for code, group in sorted(groups.items()):
        ratio = draft.rows(
            "mart_inequality",
            f"{here} and subject_code = 'spending.{draft.basket[0]}' and dimension = '{code}' and measure = 'ratio'",
        ).first()
        degrees = draft.rows("mart_equalisation_dispersion", f"{here} and domain = 'all' and group_code = '{code}'")
        own, rest = (degrees.first(measure=f"{which}_degree_pct") for which in ("group", "rest"))
        said = group_sentences(draft, group, ratio, own, rest)
        chapter.say(*said)
        if said and not group["is_verified"]:
            chapter.say(sentence(f"{group['group_name_zh']}的名单（{group['edition']}）尚未经发布机关核实。"))


# -- residents and registered people ------------------------------------------------------------------------------


def basis_sentence(draft: Draft, row: Row | None) -> Markup | None:
    """What a change of the population makes of the same spending."""
    if row is None or not row["per_resident"] or not row["per_registered"]:
        return None
    subject = f"spending.{row['domain']}"
    by = [_money(draft, row, column, subject) for column in ("per_resident", "per_registered")]
    text = escape(f"同一笔支出，{row['region_name']}按常住人口为人均") + by[0] + "，按户籍人口为人均" + by[1]
    times = draft.book.cite(row, "residents_per_registered", wording.beside(row["residents_per_registered"], 1, RATIO))
    return sentence(text + "；常住人口为户籍人口的" + times + "倍。本报告其余各处均按常住人口。", row)


def _bases(draft: Draft, chapter: Chapter) -> None:
    domain, what = draft.basket
    where = f"domain = '{domain}' and residence = 'total' and region_depth <= 1 and per_registered is not null"
    rows = draft.rows("mart_per_capita_spending", where, "region_depth")
    if not len(rows):
        chapter.lack(f"{draft.called}年没有户籍人口，因此没有按两种人口的对照。")
        return
    chapter.say(basis_sentence(draft, rows.first(region_code=draft.home)))
    chapter.tables.append(
        Table(
            f"{draft.called}年人均{what}：按常住人口与按户籍人口",
            ("地区", f"按常住人口（{draft.currency}）", f"按户籍人口（{draft.currency}）", "常住与户籍人口之比"),
            [
                [
                    row["region_name"],
                    draft.cell(row, draft.figure(row["per_resident"], f"spending.{domain}")),
                    draft.cell(row, draft.figure(row["per_registered"], f"spending.{domain}")),
                    wording.beside(row["residents_per_registered"], 1, RATIO),
                ]
                for row in rows
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
        text = escape(f"{row.called}年{name}基本公共服务支出占全部支出的") + draft.book.cite(
            row, "basic_share_pct", f"{draft.figure(row['basic_share_pct'], 'budget_share.basic')}%"
        )
        moved = row["share_change_points"]
        if moved is not None:
            text += escape("，比上年") + draft.book.cite(
                row, "share_change_points", wording.change(moved, "个百分点", RATIO)
            )
        else:
            text += escape(f"；与上年之比：{words()['reasons'].get(row['share_reason'], '未能比较')}")
        said.append(sentence(text + "。", row))
    since_base = f"{draft.source.called(row.table, row['base_year'])}年以来" if row["base_year"] else ""
    for suffix, since in (("", "当年"), ("_since_base", since_base)):
        ratio, meets, reason = (
            row[f"{c}{suffix}"] for c in ("two_thirds_ratio", "meets_two_thirds", "two_thirds_reason")
        )
        if meets is not None and ratio is not None:
            in_percent = wording.percent(exact(ratio).scaleb(2), TWO_THIRDS)
            shown = draft.book.cite(row, f"two_thirds_ratio{suffix}", in_percent)
            how = "达到三分之二" if meets else "未达到三分之二"
            said.append(sentence(escape(f"{name}{since}新增可用财力中用于民生的比例为") + shown + f"，{how}。", row))
        elif reason and (since or not suffix):
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


def spending_sentence(draft: Draft, row: Row | None) -> Markup | None:
    """What was spent on a resident, also in the prices of the base year."""
    if row is None or row["per_resident"] is None:
        return None
    subject = f"spending.{row['domain']}"
    text = escape(f"{row.called}年{row['region_name']}人均支出") + _money(draft, row, "per_resident", subject)
    if "E" in row["obs_status"].split(";"):
        text += "（估计数）"
    if row["per_resident_constant_prices"] is not None:
        text += escape("，按基年不变价为") + _money(draft, row, "per_resident_constant_prices", subject)
    return sentence(text + "。", row)


def _spending(draft: Draft, chapter: Chapter) -> None:
    rows = draft.rows("mart_per_capita_spending", f"region_code = '{draft.home}' and residence = 'total'")
    order = ["all", "basic", *(str(domain["domain"]) for domain in draft.release.card["domains"])]
    shown = [row for code in order if (row := rows.first(domain=code)) and row["spending"] is not None]
    if not shown:
        chapter.lack(f"{draft.called}年没有{draft.name}的支出。")
        return
    chapter.say(spending_sentence(draft, rows.first(domain="all")))
    chapter.tables.append(
        Table(
            f"{draft.name}{draft.called}年各领域支出",
            ("领域", f"支出（{draft.currency}）", f"人均（{draft.currency}）", "占全部支出"),
            [
                [
                    row["domain_name_zh"],
                    draft.cell(row, rounded(row["spending"])),
                    draft.figure(row["per_resident"], f"spending.{row['domain']}"),
                    wording.percent(row["budget_share_pct"], (0, 100), PERCENT),
                ]
                for row in shown
            ],
            draft.book.source(rows, "各领域支出"),
            is_synthetic=rows.is_synthetic,
        )
    )


def fiscal(draft: Draft) -> Chapter:
    """Spending by domain, and fiscal effort of the whole and of the regions below."""
    chapter = Chapter("fiscal", "支出与财政努力程度")
    _spending(draft, chapter)
    rows = draft.rows("mart_fiscal_effort", f"(region_code = '{draft.home}' or region_depth = 1)", "region_depth")
    shown = [row for row in rows if row["basic_share_pct"] is not None]
    if not draft.basic_domains:
        chapter.lack("本辖区没有列为基本公共服务的领域，因此不计算其占全部支出的比例，也不作三分之二检验。")
        return chapter
    if not shown:
        chapter.lack(f"{draft.called}年没有可以计算占比的决算支出。")
        return chapter
    chapter.say(*effort_sentences(draft, rows.first(region_code=draft.home)))
    yes = {True: "达到", False: "未达到", None: "–"}
    chapter.tables.append(
        Table(
            f"{draft.called}年各地财政努力程度",
            ("地区", "占全部支出", "比上年（百分点）", "民生占新增财力（基年以来）", "三分之二", "按约定负担的项目"),
            [
                [
                    row["region_name"],
                    draft.cell(row, f"{draft.figure(row['basic_share_pct'], 'budget_share.basic')}%"),
                    wording.beside(row["share_change_points"], 0, RATIO),
                    "–"
                    if row["two_thirds_ratio_since_base"] is None
                    else wording.percent(exact(row["two_thirds_ratio_since_base"]).scaleb(2), TWO_THIRDS),
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
