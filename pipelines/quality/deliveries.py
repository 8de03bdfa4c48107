"""Checks of what was delivered, one of each kind for every extract: files, accounts, keys, codes, ranges, drift.

They read the account that the readings left (schema `source`), before a build of one delivery and in the build of all;
no delivered file is opened. How grave a finding is, and which rejects are known, is the contract's word; which
deliveries are held for what fails here is `run.holding`'s work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from pipelines.quality.delivery_accounts import HELD, ROWS, VALUES, ExtractAccount, Found
from pipelines.quality.places import listed
from pipelines.records import ROWS_KEPT, CheckResult, Punctuality, Severity

LOCATIONS_SHOWN = 50


@dataclass(frozen=True)
class _Kind:
    """One kind of check: what it states, why, and what can be done. `severity` is that of its findings by default."""

    name: str
    description: str
    why: str
    remedy: str
    severity: Severity = "block"
    rejects: frozenset[str] = frozenset()  # the rules whose rejects it counts
    findings: frozenset[str] = frozenset()  # the kinds of findings it counts


def _these(*names: str) -> frozenset[str]:
    return frozenset(names)


_SEND_AGAIN = "核对原表，更正后以新文件重新报送 / Compare with the original and send a corrected file"
_KINDS = (
    _Kind(
        "agreed",
        "约定已由人确认 / The contract has been accepted by a person",
        "What a proposal reads is a guess, and nothing is guessed",
        "核对约定，改正后把 status 改为 active / Look the contract over, correct it, and set `status: active`",
    ),
    _Kind(
        "readable",
        "每份在用的来文都能按约定读取 / Every file in force can be read by its contract",
        "A file that nobody can read must not be passed over in silence",
        "重新报送能打开的文件；格式有变的，先商定 / Send a file that opens; if its form changed, agree first",
    ),
    _Kind(
        "rows_tie_out",
        "读到的行 = 采用 + 退回 + 重复 + 略去 / Rows read = accepted + rejected + duplicate + ignored",
        "No row of a department's file may be lost on the way",
        "这是读取程序的问题，请告知数据管理 / A fault of the reader: tell the data steward",
    ),
    _Kind(
        "values_tie_out",
        "读到的值 = 采用 + 缺失 + 退回 + 随行舍去 / Values read = accepted + missing + rejected + dropped",
        "No number of a department's file may be lost on the way",
        "这是读取程序的问题，请告知数据管理 / A fault of the reader: tell the data steward",
    ),
    _Kind(
        "volume",
        "每份来文的行数在约定范围内 / Every file has as many rows as the contract expects",
        "A file that was cut short reads like a world with fewer places",
        "检查文件是否完整，补齐后重新报送 / See whether the file is whole and send it again",
        rejects=_these("row_count"),
    ),
    _Kind(
        "keys",
        "同一指标、地区和时期只报一次 / Each measure, region and period is reported once",
        "Of two numbers for one question nobody can say which is right",
        "删去重复的行，只留正确的一行 / Leave only the row that is right",
        rejects=_these("duplicate_key"),
    ),
    _Kind(
        "repeated_rows",
        "没有重复的行 / No row of a file stands twice",
        "A row that stands again doubles every sum made of the file; here it is taken once",
        "删去重复的行 / Leave the row once",
        "warn",
        findings=_these("repeated_row"),
    ),
    _Kind(
        "codes",
        "地区、时期、分类代码都在名录中，与名称一致 / Regions, periods, classes are on their lists; codes fit names",
        "A number of an unknown place or class is in no total",
        "按现行区划和分类名录更正代码或名称 / Correct code or name after the lists in force",
        rejects=_these(
            "unknown_region", "no_region", "ambiguous_region", "code_and_name_disagree", "region_not_within",
            "region_not_in_force", "unknown_code", "unknown_period", "wrong_form", "unknown_unit", "other_unit",
        ),
    ),
    _Kind(
        "numbers",
        "每个数值格都是一个数或约定的符号 / Every cell of a value column is one number or an agreed token",
        "A cell that must be guessed is not evidence",
        "在该格填一个数；没有数的填约定的符号 / Put one number into the cell, or the agreed token where there is none",
        rejects=_these(
            "empty_cell", "replaced_byte", "several_numbers", "not_a_number", "not_an_integer", "not_a_digit",
            "undeclared_negative", "leading_zeros", "rounded_display",
        ),
    ),
    _Kind(
        "ranges",
        "每个数都在约定的范围内 / Every number lies in the range of the contract",
        "A number that cannot be is a slip or a wrong unit",
        "核对数值和计量单位 / Check the number and its unit",
        rejects=_these("below_minimum", "above_maximum", "out_of_range"),
    ),
    _Kind(
        "whole_rows",
        "每行格数与表头相同，引号成对，末行完整 / Rows fit their header, quotes close, the last line ends",
        "Where a cell too many or too few stands in a row, every number behind it may be another column's",
        "有千位分隔符的格加引号，补齐引号，重新导出 / Quote cells with thousands marks, close quotes, export again",
        rejects=_these("more_cells", "fewer_cells", "open_quote", "cut_off"),
    ),
    _Kind(
        "as_shown",
        "表格中看到的就是所存的数 / What a person sees in a cell is what the file holds",
        "A struck-through, hidden, scaled or never calculated number is not the one that its department means",
        "改用普通数字格式，去掉删除线与合并，重新计算后保存 / Plain number formats, no struck-through or merged "
        "numbers; calculate and save again",
        rejects=_these("not_as_shown", "struck_through", "not_calculated", "merged_cells"),
    ),
    _Kind(
        "personal_numbers",
        "没有身份证号、手机号、银行卡号 / No cell holds a number that names a person",
        "Nobody may be found in what is published, and the file was not meant to hold anybody",
        "删去个人号码后重新报送，或商定按个人明细报送 / Send it without, or agree on a person-level extract",
        rejects=_these("personal_number"),
    ),
    _Kind(
        "no_other_reject",
        "没有其他意料之外的退回 / Nothing else is rejected that the contract does not know of",
        "A rejected number is missing from the marts; somebody has to know and to agree",
        _SEND_AGAIN,
    ),
    _Kind(
        "named_period",
        "文件名、工作表、标题所说的时期就是报送期 / File name, sheet and title name the period of the folder",
        "Last year's file in this year's folder reads without a fault, and every figure of it is wrong",
        "放到所说时期的文件夹；确属该期的，请改名 / Put the file where it belongs, or correct its name and title",
        findings=_these("named_period"),
    ),
    _Kind(
        "repeated",
        "不与另一时期的来文相同 / No delivery holds the bytes or the figures of another period once more",
        "A file sent twice reads like a year in which nothing changed",
        "报送该期自己的数据 / Send the figures of this period",
        findings=_these("repeated_delivery"),
    ),
    _Kind(
        "files_agree",
        "同时到达的两个文件对同一数据说法一致 / Two files that came together report no figure differently",
        "Of two numbers for one question nobody can say which is right",
        "确认以哪个文件为准，用 .withdrawn 撤回另一个 / Say which file counts, and take the other back by .withdrawn",
        findings=_these("disagreeing_files"),
    ),
    _Kind(
        "totals",
        "表内合计等于各部分之和 / Totals printed in the file are the sums of their parts",
        "A total that does not add up means a wrong part or a wrong total",
        "核对合计与各部分，更正其中错的一个 / Compare total and parts and correct the one that is wrong",
        findings=_these("control_total", "reported_total", "total_not_found", "total_not_compared"),
    ),
    _Kind(
        "whole_files",
        "文件没有被截断 / The file was not cut off",
        "A file that was cut off reads like a world with fewer places",
        "核对行数，补齐后重新报送；一向如此的，在约定中写明 / Compare the number of rows and send the whole file; "
        "where files always end so, say it in the contract",
        findings=_these("cut_off", "full_sheet"),
    ),
    _Kind(
        "nothing_hidden",
        "没有藏着数据的工作表、行和列 / No hidden sheet, row or column holds data, and no sheet is left unread",
        "What nobody sees may be last year's, or a part that was meant to be left out",
        "取消隐藏与筛选，或删去不用的表，重新报送 / Unhide, end the filter, or remove what does not belong there",
        "warn",
        findings=_these("hidden_sheet", "hidden_rows", "hidden_columns", "other_sheets", "manual_calculation"),
    ),
    _Kind(
        "containers",
        "文件的种类与约定和后缀相符 / The file is of the kind that its contract and its name say",
        "Programs that go by the name open such a file wrongly or not at all",
        "以约定的格式另存后重新报送 / Save it in the agreed format and send it again",
        "warn",
        findings=_these("wrong_ending", "other_members"),
    ),
    _Kind(
        "encodings",
        "文字编码在约定中写明，或由文件自身标明 / The encoding is named by the contract or by the file itself",
        "An encoding that was found out may be found out otherwise next time, and a name becomes another name",
        "在约定的 format.encoding 中写明 / Name it with `format.encoding` in the contract",
        "warn",
        findings=_these("detected_encoding"),
    ),
    _Kind(
        "corrections",
        "登记的更正仍与来文相符 / Recorded corrections still fit the file",
        "A correction of a cell that has changed would falsify it",
        "来文已更正的，撤去登记的更正 / Remove a correction that the department has made itself",
        findings=_these("correction"),
    ),
    _Kind(
        "units",
        "数值没有整十倍百倍地跳动 / No typical value jumped by a power of ten",
        "A unit written otherwise looks like a changed world",
        "核对计量单位，按约定的单位重新报送 / Check the unit and send the file in the agreed one",
        findings=_these("unit_jump"),
    ),
    _Kind(
        "stated_units",
        "文件所写的计量单位就是约定的单位 / The file states the unit that was agreed",
        "A file in yuan that is read in ten thousands of yuan is wrong in every figure",
        "核对计量单位；文件写错的请更正，约定写错的改约定 / Correct the unit in the file, or the contract",
        findings=_these("stated_unit"),
    ),
    _Kind(
        "value_jump",
        "没有单个地区的数是前后各期的十倍百倍 / No region has a value ten or a hundred times its neighbours in time",
        "A digit too many in one cell is one wrong region, and moves every rank",
        "核对这一格的数和单位 / Check the number in this cell and its unit",
        "warn",
        findings=_these("value_jump"),
    ),
    _Kind(
        "shrinking",
        "再次报送的文件不少于原先的数据 / A file that comes again holds everything that it held before",
        "Figures that go without a word are lost",
        "补齐缺少的数据，或说明为何撤回 / Send what is missing, or say why it was taken back",
        findings=_these("shrinking_delivery"),
    ),
    _Kind(
        "columns",
        "列与约定、与上次来文相同 / The columns are those of the contract and of the delivery before",
        "A file that changes its form will change its meaning next",
        "列有增减的，先与数据管理商定 / Agree on new or removed columns with the data steward",
        "warn",
        findings=_these("unknown_column", "new_column", "missing_column", "column_order"),
    ),
    _Kind(
        "types",
        "整数列没有变成小数列 / Columns of whole numbers still hold whole numbers",
        "Fractions of people mean another unit or an estimate",
        "核对计量单位和小数 / Check unit and decimals",
        "warn",
        findings=_these("type"),
    ),
    _Kind(
        "new_codes",
        "没有上次来文没有的代码 / No code is new against the delivery before",
        "A new class may take figures away from an old one",
        "说明新代码的含义 / Say what the new code means",
        "warn",
        findings=_these("new_codes"),
    ),
    _Kind(
        "row_counts",
        "行数与上次来文相近 / There are about as many rows as in the delivery before",
        "Rows that come or go in numbers are a change of scope",
        "说明行数为何变化 / Say why the number of rows changed",
        "warn",
        findings=_these("row_count"),
    ),
    _Kind(
        "no_other_finding",
        "与约定、与上次来文的对照没有其他问题 / Nothing else was found against contract and earlier deliveries",
        "What was found and belongs to no other check must not be lost",
        _SEND_AGAIN,
    ),
    _Kind(
        "on_time",
        "到期的来文都已收到 / Every delivery that is due has come",
        "Figures that silently stay last year's look like figures that did not change",
        "尽快报送；不能按时报送的，说明何时报送 / Send the file, or say when it will come",
        "warn",
    ),
)  # fmt: skip
KINDS = tuple(kind.name for kind in _KINDS)
_REJECTS_OF_THEIR_OWN = frozenset({"unreadable"}).union(*(kind.rejects for kind in _KINDS))
_FINDINGS_OF_THEIR_OWN = frozenset().union(*(kind.findings for kind in _KINDS))


def check_id(kind: str, extract: str) -> str:
    """The id of one delivery check of one extract (`department/extract`)."""
    return f"intake.{kind}.{extract}"


def check_of_finding(finding: str, extract: str) -> str:
    """The id of the check that counts findings of a kind on an extract (`department/extract`)."""
    name = next((kind.name for kind in _KINDS if finding in kind.findings), "no_other_finding")
    return check_id(name, extract)


def extracts(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Department, extract and owner of every extract the jurisdiction has a contract for."""
    # By an alias: where the column were gone, a bare `extract` would be the table's whole row.
    rows = connection.execute("select e.department, e.extract, e.owner from source.extract e order by all").fetchall()
    return [(str(d), str(e), str(o or "")) for d, e, o in rows]


def expected(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The delivery checks that must have a result, with their extract; none when there are no extracts to be had."""
    try:
        return {check_id(kind, f"{d}/{e}"): f"{d}/{e}" for d, e, _ in extracts(connection) for kind in KINDS}
    except duckdb.Error:
        return {}


def _ask(account: ExtractAccount, kind: _Kind, due: Punctuality | None) -> Found:
    """What the check of this kind finds; an account that is not there or has another form is an error."""
    try:
        if kind.name == "agreed":
            return account.agreed()
        if kind.name == "readable":
            return account.readable()
        if kind.name == "rows_tie_out":
            return account.tied_out("rows_read", ROWS)
        if kind.name == "values_tie_out":
            return account.tied_out("values_read", VALUES)
        if kind.name == "on_time":
            return account.on_time(due)
        if kind.name == "no_other_reject":
            return account.rejected(lambda rule: rule not in _REJECTS_OF_THEIR_OWN)
        if kind.name == "no_other_finding":
            return account.found(lambda found: found not in _FINDINGS_OF_THEIR_OWN)
        if kind.rejects:
            return account.rejected(kind.rejects.__contains__)
        return account.found(kind.findings.__contains__)
    except duckdb.Error as error:
        return Found("error", str(error).splitlines()[0], "an account of the deliveries", severity="block")


def rests_on_clock_until(punctuality: Mapping[str, Punctuality]) -> str | None:
    """The earliest moment at which time alone makes another delivery late, or None. ISO 8601, UTC."""
    return min(
        (f.following.late_from for f in punctuality.values() if f.following and f.gravity != "ignore"), default=None
    )


def _rule(kind: _Kind) -> str:
    """What a check counts, in words that change when the check does."""
    counted = ", ".join(sorted(kind.rejects or kind.findings))
    return f"intake.{kind.name}" + (f": {counted}" if counted else "")


def judge(connection: duckdb.DuckDBPyConnection, punctuality: Mapping[str, Punctuality]) -> list[CheckResult]:
    """The delivery checks of every extract, on the build behind this connection; what is due is told by extract.

    No results at all when the list of extracts cannot be had: each expected check is then reported as missing.
    """
    try:
        known = extracts(connection)
    except duckdb.Error:
        return []
    return [result for own in known for result in _results(connection, *own, _KINDS, punctuality)]


def faults(connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """The delivery checks that do not pass, on schema `source` with the account of one delivery and nothing else."""
    kinds = [kind for kind in _KINDS if kind.name != "on_time"]
    results = [result for own in extracts(connection) for result in _results(connection, *own, kinds, {})]
    return [result for result in results if result.outcome in ("fail", "error")]


def _results(
    connection: duckdb.DuckDBPyConnection,
    department: str,
    extract: str,
    owner: str,
    kinds: Iterable[_Kind],
    punctuality: Mapping[str, Punctuality],
) -> Iterator[CheckResult]:
    name, account = f"{department}/{extract}", ExtractAccount(connection, department, extract)
    for kind in kinds:
        found = _ask(account, kind, punctuality.get(name))
        yield CheckResult(
            check_id=check_id(kind.name, name), source="intake", subject=name,
            severity=found.severity or kind.severity, outcome=found.outcome, description=kind.description,
            observed=found.observed, expected=found.expected, failing_rows=len(found.rows),
            locations=listed(found.lines, len(found.lines), LOCATIONS_SHOWN), owner=owner, why=kind.why,
            rule=_rule(kind), remedy=kind.remedy, rows=found.rows[:ROWS_KEPT],
        )  # fmt: skip


def left_to_held(result: CheckResult, open_rows: Sequence[dict[str, str]]) -> CheckResult:
    """A failure as `held` when the rows that no waiver covers all stand in held deliveries: no figure rests on them.

    Rows of held deliveries come last, so that of more rows than are kept those left out are held too.
    """
    is_held = bool(open_rows) and all(row.get(HELD) for row in open_rows)
    if result.outcome != "fail" or result.severity != "block" or not is_held:
        return result
    return replace(result, outcome="held", reach="delivery")
