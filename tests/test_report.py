"""The yearly report claims what the tables show and no more: its words, its figures, its files."""

from __future__ import annotations

import html
import re
import shlex
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from houses import House
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.replies import Reply, load_replies, to_year
from pipelines.pages import report
from pipelines.pages.numbers import rounded_down
from pipelines.pages.report import gaps, limits, pdf, results, wording
from pipelines.pages.report.draft import Draft
from pipelines.pages.report.source import Book, Row, Rows, sentence

# -- words ---------------------------------------------------------------------------------------------------------

NUMBERS = st.decimals(min_value=-1000, max_value=1000, places=6)


@given(NUMBERS, NUMBERS)
def test_a_rounded_figure_stays_on_its_side_of_what_it_is_compared_with(value: Decimal, limit: Decimal) -> None:
    shown = Decimal(wording.beside(value, limit).replace(",", ""))
    assert (shown < limit, shown > limit) == (value < limit, value > limit)


def test_rounding_never_meets_a_target_that_is_missed() -> None:
    assert wording.percent(94.96, 95) == "94.96%"
    assert wording.percent(94.9999996, 95) == "94.9999996%"
    assert wording.percent(95.0, 95) == "95.0%"
    assert wording.percent(98.44, 95) == "98.4%"
    assert wording.percent(99.96, (0, 100)) == "99.96%"
    assert wording.percent(None, 95) == "–"
    assert wording.attainment(0.9996) == "99.9%"
    assert wording.attainment(1.0) == "100.0%"
    assert wording.attainment(None) == "–"
    assert wording.share(0.99996) == "99.996%"
    assert wording.share(1.0) == "100.0%"
    assert wording.share(None) == "–"


def test_a_change_too_small_to_show_is_called_so() -> None:
    assert wording.change(2.34, "个百分点") == "提高2.3个百分点"
    assert wording.change(-2.34, "个百分点") == "下降2.3个百分点"
    assert wording.change(0.04, "个百分点") == "基本持平（变化不足0.05个百分点）"
    assert wording.change(0.0, "个百分点") == "没有变化"
    assert wording.change(0.004, "个百分点", 2) == "基本持平（变化不足0.005个百分点）"


def test_what_looks_the_same_is_named_together() -> None:
    assert wording.extremes([("a", "98.0%"), ("b", "98.0%"), ("c", "9.0%")]) == (["a", "b"], ["c"])
    assert wording.extremes([("a", "98.0%"), ("b", "98.0%")]) is None
    assert wording.extremes([]) is None


def test_all_some_and_none_are_told_apart() -> None:
    assert [wording.part(n, 3) for n in (3, 2, 0)] == ["全部3个", "3个中有2个", "3个中没有一个"]
    assert wording.several(["甲", "乙"]) == "甲、乙"
    assert wording.several(list("甲乙丙"), 2) == "甲、乙等3个"


def test_a_sentence_says_that_it_rests_on_sample_data() -> None:
    official, sample = (Row("mart_x", ("a",), {"a": 1, "provenance": p}) for p in ("official", "synthetic"))
    assert sentence("甲县的数。", official) == "甲县的数。"
    assert sentence("甲县的数。", official, sample) == "「示例」甲县的数。"
    assert sentence("全省的数。", Rows("from mart_x", (official, sample))) == "「示例」全省的数。"
    assert sentence("<甲>。") == "&lt;甲&gt;。"


# -- sentences -----------------------------------------------------------------------------------------------------


class Plain:
    """A draft as far as sentences about one row need it."""

    currency, basket = "元", ("basic", "基本公共服务支出")

    def __init__(self) -> None:
        self.book = Book()
        self.source = SimpleNamespace(
            called=lambda _table, year: str(year),
            decimals={"degree.all": 2, "spending.basic": 0, "spending.all": 0, "budget_share.basic": 1},
            cut={"degree.all"},
        )

    figure, percent_of_degree = Draft.figure, Draft.percent_of_degree


def text(said: Any) -> str:
    """A sentence as it is read, without its reference numbers."""
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r'<a class="ref".*?</a>', "", str(said))))


def degree(**cells: Any) -> Row:
    usual = {
        "region_code": "1", "region_name": "甲省", "year": 2020, "degree_pct": 96.0, "target_pct": Decimal("95.000000"),
        "degree_low_pct": 96.0, "degree_high_pct": 96.0, "gap_to_target_pct": -1.0, "is_target_met": True,
        "provenance": "official",
    }  # fmt: skip
    return Row("mart_equalisation", ("region_code", "year"), {**usual, **cells})


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({}, "2020年甲省的均等化实现度（自测）为96.00%，达到95%的目标。"),
        ({"degree_low_pct": 95.5},
         "2020年甲省的均等化实现度（自测）为96.00%，达到95%的目标；缺少的得分即使全部按零计，也为95.50%，仍达到目标。"),
        ({"degree_low_pct": 94.999},
         "2020年甲省的均等化实现度（自测）为96.00%，达到95%的目标；但缺少的得分若全部按零计，则为94.99%，低于目标，结论取决于尚缺的数据。"),
        ({"degree_pct": 94.996, "degree_high_pct": 94.996, "is_target_met": False, "gap_to_target_pct": 0.004},
         "2020年甲省的均等化实现度（自测）为94.99%，未达到95%的目标，相差0.004个百分点。"),
        ({"degree_pct": 90.0, "degree_high_pct": 95.0, "is_target_met": False, "gap_to_target_pct": 5.0},
         "2020年甲省的均等化实现度（自测）为90.00%，未达到95%的目标，相差5.00个百分点；但缺少的得分若全部按满分计，则为95.00%，达到目标，"
         "结论取决于尚缺的数据。"),
        ({"degree_pct": None}, "2020年甲省的均等化实现度（自测）未能计算，不作判断。"),
        ({"target_pct": None, "provenance": "synthetic"},
         "「示例」2020年甲省的均等化实现度（自测）为96.00%，没有可比的目标。"),
    ],
)  # fmt: skip
def test_the_verdict_says_whether_missing_data_could_change_it(cells: dict[str, Any], said: str) -> None:
    draft: Any = Plain()
    assert text(results.degree_sentence(draft, degree(**cells))) == said


def gap(**cells: Any) -> Row:
    usual = {
        "region_code": "1", "region_name": "甲省", "year": 2020, "urban": 200.0, "rural": 160.0, "ratio": 1.25,
        "closing_rate": 0.2, "base_year": 2015, "is_overshot": False, "provenance": "official",
        "subject_code": "spending.basic", "unattributed_pct": None, "undefined_reason": None,
    }  # fmt: skip
    return Row("mart_urban_rural_gap", ("region_code", "year"), {**usual, **cells})


@pytest.mark.parametrize(
    ("cells", "last"),
    [
        ({}, "与2015年相比，甲省城乡人均基本公共服务支出的差距缩小了20.0%。"),
        ({"closing_rate": -0.2}, "与2015年相比，甲省城乡人均基本公共服务支出的差距扩大了20.0%。"),
        ({"closing_rate": 0.0}, "与2015年相比，甲省城乡人均基本公共服务支出的差距没有变化。"),
        ({"closing_rate": 1.2, "is_overshot": True}, "与2015年相比，甲省城乡人均基本公共服务支出的差距已经反转。"),
        ({"closing_rate": None},
         "2020年甲省城镇居民人均基本公共服务支出200元，农村居民人均160元，城镇为农村的1.25倍。"),
        ({"base_year": 2020}, "2020年甲省城镇居民人均基本公共服务支出200元，农村居民人均160元，城镇为农村的1.25倍。"),
        ({"rural": None}, "甲省的城乡人均基本公共服务支出：缺少数值，未能比较。"),
        ({"rural": None, "undefined_reason": "not_attributed"},
         "甲省的城乡人均基本公共服务支出：来文没有把这项支出划分到城乡，未能比较。"),
        ({"unattributed_pct": 27.15, "closing_rate": None},
         "2020年甲省城镇居民人均基本公共服务支出200元，农村居民人均160元，城镇为农村的1.25倍；"
         "另有占全部基本公共服务支出27.2%的部分未划分城乡，不在二者之内。"),
        ({"ratio": 1.0004, "closing_rate": None},
         "2020年甲省城镇居民人均基本公共服务支出200元，农村居民人均160元，城镇为农村的1.0004倍。"),
    ],
)  # fmt: skip
def test_town_and_country_are_compared_only_where_both_are_known(cells: dict[str, Any], last: str) -> None:
    draft: Any = Plain()
    assert text(gaps.urban_rural_sentences(draft, gap(**cells))[-1]) == last


def test_parts_of_inequality_are_told_only_of_a_whole() -> None:
    def part(component: str, value: float | None, pct: float | None) -> Row:
        cells = {
            "region_name": "甲省",
            "component": component,
            "value": value,
            "part_pct": pct,
            "provenance": "official",
        }
        return Row("mart_inequality", ("component",), cells)

    def said(**parts: tuple[float | None, float | None]) -> str:
        draft: Any = Plain()
        return text(gaps.decomposition_sentence(draft, {c: part(c, *v) for c, v in parts.items()}, "县", "市"))

    start = "甲省各县人均基本公共服务支出的泰尔指数为"
    whole = said(total=(0.04, 100.0), within=(0.01, 25.0), between=(0.03, 75.0))
    assert whole == f"{start}0.04000，其中市内部占25.0%，市之间占75.0%。"
    assert said(total=(0.04, 100.0), within=(None, None), between=(0.03, 75.0)) == f"{start}0.04000。"
    assert said(total=(0.0, None), within=(0.0, None), between=(0.0, None)) == f"{start}0.00000。"
    draft: Any = Plain()
    assert gaps.decomposition_sentence(draft, {"total": part("total", None, None)}, "县", "市") is None


def test_how_far_regions_lie_apart_is_told_with_its_change() -> None:
    def said(**cells: Any) -> str | None:
        usual = {
            "region_name": "甲省", "year": 2020, "value": 30.67, "base_year": 2015, "base_value": 33.58,
            "change_since_base": -2.91, "provenance": "official",
        }  # fmt: skip
        draft: Any = Plain()
        found = gaps.spread_sentence(draft, Row("mart_inequality", ("year",), {**usual, **cells}), "县")
        return None if found is None else text(found)

    start = "甲省各县人均基本公共服务支出的变异系数（按人口加权）为30.7%"
    assert said() == f"{start}，2015年为33.6%，下降2.9个百分点；其间各地区划有变动的，比较的不是同样的地区。"
    assert said(base_year=2020) == f"{start}。"
    assert said(value=None) is None


def test_the_same_spending_by_two_populations() -> None:
    def said(**cells: Any) -> str | None:
        usual = {
            "region_name": "甲省", "domain": "basic", "per_resident": 100.0, "per_registered": 110.0,
            "residents_per_registered": 1.1, "provenance": "official",
        }  # fmt: skip
        draft: Any = Plain()
        found = gaps.basis_sentence(draft, Row("mart_per_capita_spending", ("domain",), {**usual, **cells}))
        return None if found is None else text(found)

    assert "为人均100元，按户籍人口为人均110元；常住人口为户籍人口的1.10倍。" in str(said())
    assert "常住人口为户籍人口的1.0004倍" in str(said(residents_per_registered=1.0004))
    assert said(per_registered=None) is None


def test_what_was_spent_says_where_it_is_estimated() -> None:
    def said(**cells: Any) -> str:
        usual = {
            "region_name": "甲省", "year": 2020, "domain": "all", "per_resident": 1234.5, "obs_status": "A",
            "per_resident_constant_prices": None, "provenance": "official",
        }  # fmt: skip
        draft: Any = Plain()
        return text(gaps.spending_sentence(draft, Row("mart_per_capita_spending", ("year",), {**usual, **cells})))

    assert said() == "2020年甲省人均支出1,235元。"
    assert said(obs_status="B;E") == "2020年甲省人均支出1,235元（估计数）。"
    assert said(per_resident_constant_prices=1000.0) == "2020年甲省人均支出1,235元，按基年不变价为1,000元。"


def effort(**cells: Any) -> Row:
    usual: dict[str, Any] = {
        "region_name": "甲省", "year": 2020, "base_year": 2015, "basic_share_pct": 60.0, "share_change_points": 0.5,
        "share_reason": None, "items_with_split": 0, "items_kept": None, "provenance": "official",
        "two_thirds_ratio": None, "meets_two_thirds": None, "two_thirds_reason": "increase_not_positive",
        "two_thirds_ratio_since_base": 0.6667, "meets_two_thirds_since_base": True,
        "two_thirds_reason_since_base": None,
    }  # fmt: skip
    return Row("mart_fiscal_effort", ("year",), {**usual, **cells})


def test_two_thirds_are_shown_on_the_side_they_are() -> None:
    def said(**cells: Any) -> list[str]:
        draft: Any = Plain()
        return [text(one) for one in gaps.effort_sentences(draft, effort(**cells))]

    assert said() == [
        "2020年甲省基本公共服务支出占全部支出的60.0%，比上年提高0.50个百分点。",
        "甲省当年的三分之二检验：可用财力没有增加，该检验不适用。",
        "甲省2015年以来新增可用财力中用于民生的比例为66.7%，达到三分之二。",
    ]
    missed = said(two_thirds_ratio_since_base=0.6666, meets_two_thirds_since_base=False)
    assert missed[-1] == "甲省2015年以来新增可用财力中用于民生的比例为66.66%，未达到三分之二。"
    assert said(share_change_points=None, share_reason="break")[0].endswith("；与上年之比：口径中断，未能比较。")


def test_all_methods_agree_only_when_all_do() -> None:
    def said(share: float | None) -> str | None:
        cells = {
            "region_name": "甲省", "share_meeting_target": share, "scenarios_scored": 200, "target_pct": Decimal(95),
            "degree_low_pct": 94.979, "degree_high_pct": 99.0, "provenance": "official",
        }  # fmt: skip
        draft: Any = Plain()
        found = limits.robust_sentence(draft, Row("mart_sensitivity", ("region_name",), cells))
        return None if found is None else text(found)

    start = "以200种算法重算甲省的实现度，可与目标比较的算法"
    end = "；全部算法的结果在94.97%与99.00%之间。"
    assert said(1.0) == f"{start}都达到目标{end}"
    assert said(0.0) == f"{start}都未达到目标{end}"
    assert said(0.9999) == f"{start}有99.99%达到目标{end}"
    assert said(None) is None


# -- replies -------------------------------------------------------------------------------------------------------


def test_replies_are_read_by_region_and_year(tmp_path: Path) -> None:
    path = tmp_path / "replies.yml"
    path.write_text(
        "replies:\n"
        "  - {region: '2', text: 后, who: 乙局, date: 2021-02-01}\n"
        "  - {region: '1', text: 先, who: 甲局, date: 2021-01-01, year: 2020}\n",
        encoding="utf-8",
    )
    replies = load_replies(path, {"1", "2"})
    assert [reply.text for reply in replies] == ["先", "后"]
    assert to_year(replies, 2020).keys() == {"1", "2"}
    assert to_year(replies, 2019).keys() == {"2"}
    with pytest.raises(ConfigurationError, match="region '1'"):
        load_replies(path, {"2"})
    assert load_replies(tmp_path / "none.yml", set()) == []


# -- the whole report ----------------------------------------------------------------------------------------------

REPLY = "本县的统计口径自2019年起有调整。"


@pytest.fixture(scope="module")
def folder(zhejiang: House) -> Path:
    return zhejiang.warehouse.current.resolve()


@pytest.fixture(scope="module")
def replies(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Reply]:
    path = tmp_path_factory.mktemp("replies") / "replies.yml"
    path.write_text(f"replies: [{{region: '330122', text: {REPLY}, who: 某局, date: 2026-11-20}}]", encoding="utf-8")
    return load_replies(path, report.region_codes(folder))


@pytest.fixture(scope="module")
def written(folder: Path, replies: list[Reply], tmp_path_factory: pytest.TempPathFactory) -> report.Written:
    return report.write(folder, tmp_path_factory.mktemp("report"), 2020, replies)


@pytest.fixture(scope="module")
def page(written: report.Written) -> str:
    return Path(written.files[0]).read_text(encoding="utf-8")


@pytest.mark.pipeline
class TestOnARelease:
    """The report of the sample."""

    def test_the_headline_figures_are_those_of_sql(self, zhejiang: House, page: str) -> None:
        ((value, decimals),) = zhejiang.query(
            "select m.degree_pct, s.decimals from mart_equalisation m, dim_subject s where m.region_code = '330000' "
            "and m.year = 2020 and m.domain = 'all' and s.subject_code = 'degree.all'"
        )
        read = text(page)
        assert f"2020年浙江省的均等化实现度（自测）为{rounded_down(value, decimals)}%" in read
        met, judged = zhejiang.query(
            "select count(*) filter (where is_target_met), count(is_target_met) from mart_target_progress "
            "where region_code = '330000' and year = 2020"
        )[0]
        assert f"已判断的{judged}项中有{met}项达到目标" in read

    def test_every_figure_of_the_annex_is_in_the_release_as_it_says(self, zhejiang: House, page: str) -> None:
        rows = re.findall(
            r'<tr id="f\d+"><th scope="row">\d+</th><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td><td><code>(.*?)</code>',
            page,
        )
        assert len(rows) > 40
        traced = 0
        for _, where, exact, ask in rows:
            if html.unescape(ask).startswith("from "):
                found = zhejiang.query(html.unescape(ask))
                assert exact == f"{len(found)}行" or len(found) == 1, ask
                continue
            _, _, table, *keys = shlex.split(html.unescape(ask))
            pairs = [key.partition("=") for key in keys]
            same = " and ".join(f"cast(\"{name}\" as varchar) = '{value}'" for name, _, value in pairs)
            value = zhejiang.value(f'select "{where.split("<br>")[1]}" from {table} where {same}')
            assert report.source._exact(value) == html.unescape(exact), ask
            traced += 1
        assert traced > 30

    def test_every_reference_has_its_entry_and_every_entry_a_reference(self, page: str) -> None:
        asked = set(re.findall(r'href="#f(\d+)"', page))
        assert asked == set(re.findall(r'<tr id="f(\d+)"', page))
        assert "&lt;a" not in page
        assert "http://" not in page
        assert "https://" not in page

    def test_sentences_about_regions_begin_with_the_mark(self, zhejiang: House, page: str) -> None:
        names = {
            name for (name,) in zhejiang.query("select distinct region_name from dim_region where region_depth > 0")
        }
        sentences = [text(s) for s in re.findall(r'<p class="sentence">(.*?)</p>', page, re.S)]
        about = [s for s in sentences if "「示例」" not in s and any(name in s for name in {"浙江省", *names})]
        # What is left are official figures, and the jurisdiction's own notes on its data, which are no figures of ours.
        spent = zhejiang.query(
            "select distinct provenance from figure where subject_code = 'spending.all' and region_code = '330000' "
            "and year = 2020 and breakdown = 'all' and variant in ('main', 'constant_prices')"
        )
        assert spent == [("official",)]
        assert all("普查" in s or s.startswith("2020年浙江省人均支出") for s in about), about
        assert sum(s.startswith("「示例」") for s in sentences) > 20

    def test_all_chapters_are_there_and_the_mark_is_everywhere(self, page: str, written: report.Written) -> None:
        for title in ("摘要", "方法", "目标达成判断", "各领域", "各地", "差距", "财政努力程度", "制约各地的因素",
                      "结论的稳健性", "数据质量与未能评估的内容", "附录"):  # fmt: skip
            assert re.search(rf"<h2>[^<]*{title}", page), title
        assert all(Path(name).name.startswith("示例数据_") for name in written.files)
        assert 'class="cover-mark">示例数据' in page

    def test_a_reply_stands_beside_the_figures_of_its_region(self, page: str) -> None:
        tables = re.findall(
            r'<th scope="row">桐庐县(?:<abbr.*?</abbr>)?</th>.*?</tr>\s*<tr class="said">(.*?)</tr>', page, re.S
        )
        assert len(tables) == 2  # beside its degree, and beside what holds it back
        assert all(REPLY in said and "某局" in said for said in tables)

    def test_the_same_release_gives_the_same_bytes(
        self, folder: Path, tmp_path: Path, written: report.Written, replies: list[Reply]
    ) -> None:
        again = report.write(folder, tmp_path, 2020, replies)
        for one, other in zip(written.files, again.files, strict=True):
            assert Path(one).read_bytes() == Path(other).read_bytes()

    def test_the_pdf_embeds_its_fonts(self, written: report.Written) -> None:
        if problem := pdf.missing():
            pytest.skip(problem)
        import io

        import pypdf

        (name,) = [name for name in written.files if name.endswith(".pdf")]
        document = pypdf.PdfReader(io.BytesIO(Path(name).read_bytes()))
        assert 10 < len(document.pages) < 60
        assert "示例数据" in document.metadata.title
        fonts = {}
        for page in document.pages:
            for font in page["/Resources"].get("/Font", {}).values():
                inner = font.get_object()["/DescendantFonts"][0].get_object()
                descriptor = inner["/FontDescriptor"].get_object()
                fonts[inner["/BaseFont"]] = any(f"/FontFile{n}" in descriptor for n in ("", "2", "3"))
        assert fonts
        assert all(fonts.values()), fonts
        words = "".join(page.extract_text() for page in document.pages[:4])
        assert "均等化评估报告" in words.replace("\n", "")

    def test_without_the_library_there_is_html_and_one_line(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pdf, "missing", lambda: pdf.FONT)
        written = report.write(folder, tmp_path, 2019)
        assert [Path(name).suffix for name in written.files] == [".html"]
        assert written.notes == (pdf.FONT,)
        assert "apt-get install" in pdf.FONT
        assert "apt-get install" in pdf.LIBRARY

    def test_the_command(self, zhejiang: House, tmp_path: Path) -> None:
        done = zhejiang.command("report", "--year", "1999", "--out", str(tmp_path))
        assert done.returncode == 2
        assert "2020" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_country_of_another_kind_has_its_report_too(self, verdania: House, tmp_path: Path) -> None:
        written = report.write(verdania.warehouse.current.resolve(), tmp_path)
        page = text(Path(written.files[0]).read_text(encoding="utf-8"))
        assert "Verdania" in page
        assert "浙江" not in page
        assert "None" not in page


@pytest.mark.pipeline
def test_a_section_without_data_says_why(england_run: House, tmp_path: Path) -> None:
    written = report.write(england_run.warehouse.current.resolve(), tmp_path)
    page = Path(written.files[0]).read_text(encoding="utf-8")
    chapters = dict(re.findall(r'<section id="([a-z-]+)" class="chapter">(.*?)</section>', page, re.S))
    assert all(re.search(r'<p class="sentence">|<table', said) for said in chapters.values())
    for name in ("targets", "domains", "regions", "held-back", "sensitivity"):
        assert "本辖区没有声明服务指标，因此没有目标达成" in chapters[name], name
    assert "来文没有把英格兰" in chapters["gaps"]
    assert "泰尔指数" in chapters["gaps"]
    assert "英镑" in chapters["fiscal"]
    assert "None" not in text(page)


def test_rows_know_whether_they_are_official() -> None:
    row = degree(provenance="synthetic")
    assert row.is_synthetic
    assert not replace(row, cells={"a": 1}).is_synthetic
