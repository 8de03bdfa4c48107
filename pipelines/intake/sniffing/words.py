"""The words and forms by which an unknown table is understood: years, totals, notes, signs, codes, names of columns.

Only lists and patterns; what is concluded from them is decided in the other modules of this room. Forms of numbers see
cells as `figure_form` writes them, all others see the comparison form of `normalise` or the words of a header.
"""

from __future__ import annotations

import re

from pipelines.jurisdiction.contract import MarkMeaning, TokenMeaning
from pipelines.jurisdiction.open_fields import OPEN

# -- years and numbers ------------------------------------------------------------------------------------------

YEAR = re.compile(r"(?<![0-9])(?:1[89]|20)[0-9]{2}(?![0-9])")
YEAR_CELL = re.compile(r"^(?:1[89]|20)[0-9]{2}(?:[-/–](?:[0-9]{2}|[0-9]{4}))?(?:年度?|年末)?$")
FINANCIAL_YEAR = re.compile(r"((?:1[89]|20)[0-9]{2})[-/–]((?:1[89]|20)?[0-9]{2})(?![0-9])")
MONTH = re.compile(r"(?:1[89]|20)[0-9]{2}(?:[-/.年][0-9]{1,2}月?)(?![0-9])")
# Words beside a year in a header that make it another period, or a day, of which only a person knows what is counted.
PART_BESIDE = re.compile(
    r"[0-9]|[季月旬周日末]|半年|累计|\b[qhst]\b|quarter|half|month|week|semest|trimest|\bterm\b|\bmid\b|\bend\b|\byear\b"
    r"|\bto\b|\bytd\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b",
    re.IGNORECASE,
)
# Headers that are a period by themselves, in a form that no year is known by here: parts of years, years of an era.
PERIOD_ITSELF = re.compile(
    r"^(?:(?:(?:19|20)[0-9]{2}[\s/-]*)?(?:[QHST][1-4]|[1-4]Q)(?:[\s/-]*(?:(?:19|20)?[0-9]{2}))?"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[\s/-]*(?:(?:19|20)?[0-9]{2})?|fy[\s/-]*[0-9]{2}(?:[-/][0-9]{2})?"
    r"|(?:明治|大正|昭和|平成|令和|民国|民國|[MTSHR])\s*(?:元|[0-9]{1,3})\s*年?(?:度|末)?|第?[一二三四1-4]季度?|[0-9]{1,2}月|[上下]半年)$",
    re.IGNORECASE,
)
NUMBER = re.compile(r"^\(?[+-]?(?:[0-9][0-9,]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\)?\s?%?$")
TRAILING_MINUS = re.compile(r"^[0-9][0-9,.]*-$")
INTEGER = re.compile(r"^[0-9]+$")
# A comma that cannot stand between thousands, or points that can stand nowhere else.
CONTINENTAL = re.compile(
    r"^-?[0-9]{1,3}(?:[. \u00a0\u202f][0-9]{3})+,[0-9]+$|^-?[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})$"
    r"|^-?[0-9]{1,3}(?:\.[0-9]{3}){2,}$"
)
# The same in brackets, with more digits than the numbers of two notes have.
CONTINENTAL_IN_BRACKETS = re.compile(r"^\((?:[0-9]{1,3}(?:[. \u00a0\u202f][0-9]{3})+,[0-9]+|[0-9]{3,},[0-9]{1,2})\)$")
EITHER_MARK = re.compile(r"^-?[0-9]{1,3}[.,][0-9]{3}$")  # thousands, or three digits behind a decimal mark
# A number and the sign behind it: letters, brackets, daggers, superscript and circled digits.
MARKED = re.compile(
    r"^-?[0-9,]*\.?[0-9]+\s*("
    r"[a-zA-Z*†‡#§¹²³⁰⁴-⁹₀-₉]{1,2}|\([a-zA-Z0-9]\)|\[[a-zA-Z]{1,4}\]|[0-9]\)|[\u2460-\u24ff\u2776-\u2793]+)$"
)
REFERENCE = re.compile(r"^[(\[][0-9]{1,2}[)\]]$")  # the number of a note, not a negative number

# -- lines that are no data -------------------------------------------------------------------------------------

# A line of a file of a statistics program that names the whole table, or says something else of it.
TABLE_TITLE = re.compile(r"^(?:TITLE|LABEL|label|DESCRIPTION)=(.+)$")
TABLE_CONTENTS = re.compile(r"^CONTENTS=(.+)$")
TABLE_REMARK = re.compile(r"^[A-Za-z][A-Za-z-]*=")
NOTE_NUMBER = re.compile(r"\s*[\[(（［](?:notes?|注|註)\s*[0-9]+(?:\s*,\s*[0-9]+)*[\])）］]", re.IGNORECASE)
TABLE_NUMBER = re.compile(r"^(?:table|tab\.|表)\s*[0-9]+(?:[.\-][0-9]+)*[a-z]?\s*[:：.–-]\s*", re.IGNORECASE)
IN_BRACKETS = re.compile(r"[(\[（［【]([^()\[\]（）［］【】]{1,20})[)\]）］】]")
# What stands behind `Unit:` up to a bracket or another such statement; it may be several units.
UNIT_LINE = re.compile(
    r"(?:单位|單位|単位|[Uu]nits?)\s*[:：]\s*(.+?)(?=[()（）]|[,，;；、]?[^,，;；、:：]{1,12}[:：]|$)"
)
# A sentence above a table that ends with its unit: `Data are reported in £ thousand.`
UNIT_SENTENCE = re.compile(
    r"(?:figures|data|values|amounts|numbers|reported|expressed|shown|given|all)\b.*?\bin\s+(.+?)\.?$", re.I
)
FOOTNOTE = re.compile(
    r"^[(（\[【]?(?:注|註|备注|说明|資料|资料来源|数据来源|出典|[Nn]otes?|[Ss]ources?|[Ff]ootnotes?|\*)"
)
TOTAL = re.compile(
    r"^(?:[-#*]*)(?:合计|总计|总和|小计|全国|全国总计|全省|全市|全县|合計|総計|総数|計|小計|totals?|grandtotal|subtotal|sum|all|overall)$",
    re.IGNORECASE,
)
TOTAL_WORD = re.compile(r"(?:合计|总计|小计|合計|総計|小計)$|^(?:sub)?total|\b(?:sub)?total$", re.IGNORECASE)
NO_TITLE = re.compile(
    r"^(?:单位|單位|単位|units?|数据库|时间|更新|发布|released?|published|corrected|updated|last|source|数据来源|资料来源"
    r"|作成|出典|see|notes?|data as|(?:all )?(?:figures|data|values|amounts) (?:are|in)|contact|https?:)",
    re.IGNORECASE,
)
GENERIC_SHEET = re.compile(
    r"^(?:sheet|tabelle|feuil|hoja|planilha|工作表|表|シート)\s*[0-9]*$|^(?:data|dataset|export)$|^[0-9]+年?$",
    re.IGNORECASE,
)

# -- signs in the place of numbers --------------------------------------------------------------------------------

_VARIES = "what it stands for varies from office to office, zero included: see the notes of the publication"
TOKENS: dict[str, tuple[TokenMeaning | str, str]] = {
    **dict.fromkeys(("-", "--", "—", "―", "...", "......", "*", "**", "x", "X", "c", "z", "na", "NA"), (OPEN, _VARIES)),
    **dict.fromkeys(("N/A", "n/a", "n.a.", "NULL", "null"), (OPEN, _VARIES)),
    "..": ("missing", "two dots: not available"),
    ":": ("missing", "a colon: not available"),
    "[x]": ("missing", "the usual shorthand for not available"),
    "[z]": ("not_applicable", "the usual shorthand for not applicable"),
    "[c]": ("suppressed", "the usual shorthand for confidential"),
    "[low]": ("less_than_half", "the usual shorthand for less than half the unit"),
    "#N/A": ("missing", "a formula of the sender found nothing"),
}
MARKS: dict[str, MarkMeaning] = {
    **dict.fromkeys(("p", "(p)", "[p]", "P"), "provisional"),
    **dict.fromkeys(("e", "(e)", "[e]", "E"), "estimated"),
    **dict.fromkeys(("b", "(b)", "[b]"), "break"),
}

# Observation statuses of SDMX that stand beside numbers; all others are open.
STATUSES: dict[str, MarkMeaning] = {"A": "note", "P": "provisional", "E": "estimated", "B": "break"}

# -- what headers speak of ----------------------------------------------------------------------------------------

# Words of headers that say which part of a population a column is about.
SEXES = {
    "male": r"男(?:性|子)?|\b(?:males?|men|boys)\b",
    "female": r"(?<!子)女(?:性|子)?(?![儿童婴])|\b(?:females?|women|girls)\b",
}
RESIDENCES = {
    "urban": r"城镇|城鎮|城市|\burban\b",
    "rural": r"乡村|農村|农村|鄉村|\brural\b",
}
WHOLE = re.compile(r"^(?:合计|总计|合計|総数|計|全部|total|all|both(?:sexes)?|t)$", re.IGNORECASE)
AGES = (
    (
        re.compile(r"([0-9]{1,3})\s*(?:岁|歳|years?)?\s*(?:-|~|–|到|至|to)\s*([0-9]{1,3})\s*(?:岁|歳|years?(?:old)?)"),
        "{0}-{1}",
    ),
    (
        re.compile(
            r"([0-9]{1,3})\s*(?:岁|歳)\s*(?:及以上|以上)|(?<![0-9])([0-9]{1,2})\+(?!\s*\w)|([0-9]{1,3})\s*and\s*over",
            re.I,
        ),
        "{0}+",
    ),
    (re.compile(r"(?<![0-9])([0-9]{1,2})\s*(?:岁|歳)"), "{0}"),
)
DIMENSION_WORDS = (
    ("sex", re.compile(r"性别|性別|男女|\bsex\b|\bgender\b", re.I)),
    ("residence", re.compile(r"城乡|城鄉|\burban|\bresidence", re.I)),
    ("age_group", re.compile(r"年龄|年齢|\bage\b", re.I)),
    ("measure", re.compile(r"指标|指標|項目名|\bindicator\b|\bmeasure\b|\bvariable\b|\bstatistic\b", re.I)),
)
# A year's column is called so; `Year 7 pupils` is not.
YEAR_HEADER = re.compile(
    r"^(?:(?:财政|会计|统计|报告)?年[份度]?|时间|時間|調査年|期间"
    r"|(?:(?:financial|fiscal|calendar|school|report(?:ing)?|survey|data|ref(?:erence)?)[ _]?)?(?:years?|yr|periods?)"
    r"|time(?:[ _]?period)?|date|season|fy|jahr|ann[ée]e|año|anno)$",
    re.IGNORECASE,
)

# -- columns that are no figures ----------------------------------------------------------------------------------

IDENTIFIER = re.compile(
    r"(?:编码|代码|编号|编制|序号|行次|行号|邮编|邮政编码|信用代码|身份证号码?|证件号码?|コード|番号)$"
    r"|^(?:联系)?(?:电话|手机|传真)(?:号码?)?$|^(?:经度|纬度)$"
    r"|(?:^|[ _\-./])(?:ids?|uid|uuid|guid|codes?|urn|upin|fips|geoid|gss|lea|ref|key|nuts)(?:[ _]?[0-9]+)?$"
    r"|^codes?\b|^refs?\b|^(?:#|serial|fid|objectid|rowid|idx)$"
    r"|^(?:serial|row|line|record|item|entry|case|index|account|ref(?:erence)?)[ _]?(?:no|nr|number|num|id)\.?$|\bno\.$"
    r"|\b(?:house|order|invoice|licen[cs]e|registration|reference|contract|permit|policy|file|patient|hospital|school"
    r"|student|employee|telephone|phone|fax|mobile|passport|identity|tax|insurance|security|room)[ _]number$"
    r"|^(?:post|zip|postal)[ _]?codes?$|^zip$|^(?:tele)?phone(?:[ _](?:no|number))?\.?$|^(?:tel|fax|mobile|e-?mail)\.?$"
    r"|^(?:lat|lon|lng|latitude|longitude|easting|northing|[xy][ _]coord\w*)$"
    r"|(?:nummer|schlüssel|kennziffer|kennzahl)$|^(?:plz|ags|siren|siret|insee)$|^c[oó]digo\b|^num[ée]ro$|^identifi\w+$",
    re.IGNORECASE,
)
CAMEL_IDENTIFIER = re.compile(r"[a-z](?:ID|Id|Code|CD|NO)$|^[A-Z]{2,}[0-9]{2}CD$")
RUNNING = re.compile(r"^(?:\[[A-Z]+\]|no|nr|nº|n°|n|#|number|index|item|line|row|seq\w*)\.?$", re.IGNORECASE)
RANK = re.compile(r"(?:排名|位次|名次|順位)$|^rank(?:ing)?\b|\brank(?:ing)?$|^rang$", re.IGNORECASE)
CALENDAR = re.compile(
    r"^(?:月份?|日期?|季度|月度|months?|quarters?|days?|week|date|timestamp|time|版本|version|edition)$"
    r"|日期$|(?:更新|上报|填报)时间$|[ _](?:date|timestamp)$|^date[ _]",
    re.IGNORECASE,
)
# Columns that part a year; a row is then about less than the year beside it.
PART_OF_YEAR = re.compile(
    r"^(?:月份?|月度|季度?|季节|旬|周|半年|months?|quarters?|qtr|half(?:[ -]?year)?|weeks?|semester|term)$", re.I
)
# Columns that say something of the row as such (its state, a remark), never of what its figures are about.
ROW_STATE = re.compile(
    r"状态|备注|说明|是否|审核|批注|备考|摘要|標識|标识|标志"
    r"|\b(?:status|flags?|notes?|remarks?|comments?|certifi\w+|verif\w+|submitted|returned|response|quality|revision|revised|version|checked|signed)\b"
    r"|^(?:is|has)_",
    re.IGNORECASE,
)
UNIT_HEADER = re.compile(
    r"^(?:计量)?单位$|^単位$|^units?(?:[ _]of[ _]measure\w*)?$|^unit[ _]measure$|^einheit$|^unité$", re.IGNORECASE
)
# Headers that say nothing of what the figures below them are.
VALUE_HEADER = re.compile(r"^(?:obs[ _]?)?(?:values?|figures?|valeurs?|werte?|valor|数值|数値|值)$", re.IGNORECASE)
# What is counted may be the people that other figures are divided by.
POPULATION_WORD = re.compile(
    r"人口|居民|population|\bresidents?\b|inhabitants|einwohner|bevölkerung|habitants|poblaci[oó]n", re.IGNORECASE
)
ANSWER = re.compile(r"^(?:y|n|yes|no|true|false|ja|nein|oui|non|s[ií]|是|否|有|无|√|×|✓|✗|[01])$", re.IGNORECASE)

# -- persons --------------------------------------------------------------------------------------------------------

# Headers of what names one person.
PERSON_HEADER = re.compile(
    r"^(?:姓名|公民身份号码|(?:身份证|证件)(?:号码?)?|出生(?:日期|年月)|氏名|生年月日"
    r"|(?:full|first|last|family|given|sur|fore)[ _-]?name|date[ _]of[ _]birth|birth[ _]?date|dob|passport.*"
    r"|national[ _](?:id|insurance).*|ssn|nino|nhs[ _]number)$",
    re.IGNORECASE,
)

# -- regions by their looks -----------------------------------------------------------------------------------------

REGION_HEADER = re.compile(
    r"地区|地域|区域|行政区|区划|统筹区|填报单位|省|地市|城市名|市县|县区|区县|县市|盟市|旗县|街道|乡镇|都道府県|市区町村|県名"
    r"|\b(?:local\s?authority|authority|authorities|council|county|counties|district|districts|region|regions|area|areas|province|prefecture|municipality"
    r"|state|borough|ward|parish|commune|d[ée]partement|gemeinde|kreis|land|country|canton|comune|provincia|municipio|geography|geo|place|lad|ladnm|lga|msa|zone)\b"
    r"|(?:^|[ _])(?:name|places?)$|^名称$",
    re.IGNORECASE,
)
# Headers that are nothing but a word for regions, as the columns of statistical formats are called.
REGION_ITSELF = re.compile(
    r"^(?:ref[ _]?area|geo(?:graphy|[ _]?area)?|regions?|provinces?|districts?|count(?:y|ies)"
    r"|municipalit(?:y|ies)|地区|地域|行政区划)"
    r"(?:[ _]?(?:codes?|ids?|cd)|代码)?(?: \(code\))?$",
    re.IGNORECASE,
)
# Headers of numbers of rows, which say nothing of regions.
ROW_NUMBER = re.compile(r"^(?:id|no|nr|n|#|fid|objectid|idx|index|序号|编号)\.?$", re.IGNORECASE)
# Forms of codes of regions, surest first: ONS, GB/T 2260, NUTS, and codes of letters and digits or of digits alone.
DIGITS = "digits"
CODE_FORMS = (
    ("nine characters like those of ONS", re.compile(r"^[EWSNKJ][0-9]{8}$"), True),
    ("six digits like those of GB/T 2260", re.compile(r"^[1-8][0-9]{5}(?:000000|000)?$"), False),
    ("letters and digits", re.compile(r"^[A-Z]{1,4}[-_]?[0-9]{2,10}$"), False),
    ("letters like those of ISO 3166 or NUTS", re.compile(r"^[A-Z]{2}[A-Z0-9]{0,3}$"), False),
    (DIGITS, re.compile(r"^[0-9]{2,12}$"), False),
)
CODE_HEADER = re.compile(
    r"代码|编码|区划|コード|[a-z](?:Code|CD|ID)$|^[A-Z]+[0-9]{2}CD$"
    r"|(?:^|[ _\-./])(?:codes?|cd|id|fips|geoid|geo|ags|nuts|insee|gss|iso)(?:[ _]?[0-9]+)?$",
    re.IGNORECASE,
)

# -- units ------------------------------------------------------------------------------------------------------------

# Words that units are made of, wherever they come from: a text in brackets that holds one is a unit, known or not.
UNIT_WORD = re.compile(
    r"[%‰£$€¥￥元]|^(?:人.?|户|戶|所|个|個|张|床|处|家|件|项|对|辆|次|间|年|天|岁|歳|只|套|座|台|吨|千克|升|亩|公[顷里斤]|千米|米|度|倍|分|世帯|施設|箇所)$"
    r"|[十百千万亿億](?:人.?|户|元|円|个|吨|张|辆|平方|公里)|(?:平方|立方)(?:米|千米|公里)"
    r"|\b(?:thousands?|millions?|billions?|000s?|per|persons?|people|pupils?|households?|euros?|pounds?|dollars?|yuan|yen|percent|percentage|points?|km2?|m2|ha|kg|tonnes?|litres?|gwh|mwh|years?|days?|hours?|beds?|places?|number|index)\b",
    re.IGNORECASE,
)
# Units that a header may end with, without brackets: those that no subject ends with.
SCALED = re.compile(r"[%‰£$€¥]|\b(?:thousands?|millions?|billions?)\b|[千万亿億]元|百分点", re.IGNORECASE)
# Words that multiply the unit beside them.
SCALE = re.compile(
    r"\b(?:hundreds?|thousands?|millions?|billions?|trillions?|mio|mrd|tsd|mn|bn|lakhs?|crores?|milliards?|miles|millones)\b"
    r"|'?\b0{3,9}s?\b|[百千万亿億]",
    re.IGNORECASE,
)
# Headers of figures that are not in the unit of the table: rates, shares, averages.
RATE_WORD = re.compile(
    r"率|比重|占比|比例|人均|平均|指数|指數|密度|增长|增速|%|％|‰"
    r"|\b(?:rates?|ratio|share|proportion|percent\w*|per|average|mean|median|index|growth|change|density)\b",
    re.IGNORECASE,
)
