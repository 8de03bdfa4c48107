"""Makes the sample of person-level contribution records, of any size, or checks what lies in the landing area.

    python raw/zhejiang/synthetic/contributions.py --out raw/zhejiang/landing       write the sample
    python raw/zhejiang/synthetic/contributions.py --check                          compare; exit 1 on a difference
    python raw/zhejiang/synthetic/contributions.py --file big.csv --persons 2000000 --month 2020-12 [--utf-8]

Every person is invented and none can be real: the first six digits of an ID number name a region, and no region's
code begins with 99 (the check character is right, so that it can be checked). Names, telephone numbers, accounts and
addresses say that they are samples. Chance is a hash of seed, person and month: the bytes are the same everywhere.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

JURISDICTION = Path(__file__).resolve().parent.parent
EXTRACT = "social_insurance/contributions"
SEED = "junheng-zhejiang-contributions-1"
MONTHS = ("2020-11", "2020-12")
PERSONS = 80
FAULTY = ("2020-12",)  # months of the sample with two lines that cannot be taken

HEADER = (
    *(
        "统筹区代码",
        "证件号码",
        "姓名",
        "性别",
        "出生日期",
        "险种",
        "缴费月份",
        "缴费日期",
        "缴费基数",
        "单位缴费",
        "个人缴费",
    ),
    *("联系电话", "银行账号", "联系地址", "备注"),
)
# scheme, employer's and person's share in hundredths of a percent of the base
SCHEMES = (
    ("基本养老保险", 1600, 800),
    ("基本医疗保险", 950, 200),
    ("失业保险", 50, 50),
    ("工伤保险", 20, 0),
    ("生育保险", 60, 0),
)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
MARK = "示例数据"


def counties(jurisdiction: Path, month: str) -> list[str]:
    """Codes of the home province's counties in force in a month, in order."""
    day = f"{month}-28"
    with (jurisdiction / "reference" / "regions.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            r for r in csv.DictReader(file) if r["valid_from"] <= day and (not r["valid_to"] or day < r["valid_to"])
        ]
    return sorted(r["region_code"] for r in rows if r["region_level"] == "county" and r["region_code"].startswith("33"))


def id_number(person: int, is_female: bool) -> str:
    """An ID number with a right check character, for a region that does not exist."""
    region = 990000 + person // 5_000_000 % 10_000
    within = person % 5_000_000
    order = within % 500
    days = within // 500  # 10,000 days from 1960
    birth = 1960 + days // 336, days % 336 // 28 + 1, days % 28 + 1
    digits = f"{region}{birth[0]}{birth[1]:02}{birth[2]:02}{order * 2 + (0 if is_female else 1):03}"
    return digits + "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, digits, strict=True)) % 11]


def money(fen: int) -> str:
    """Fen as yuan with two decimals."""
    return f"{fen // 100}.{fen % 100:02}"


def rows_of(person: int, month: str, regions: list[str]) -> Iterator[tuple[str, ...]]:
    """A person's lines of one month: one per scheme."""
    fixed = hashlib.blake2b(f"{SEED}|{person}".encode(), digest_size=8).digest()
    chance = hashlib.blake2b(f"{SEED}|{person}|{month}".encode(), digest_size=8).digest()
    is_female = fixed[0] % 2 == 0
    number = id_number(person, is_female)
    base = 400_000 + int.from_bytes(fixed[1:4]) % 2_000_000 + int.from_bytes(chance[:2]) % 1000
    paid = f"{month}-{1 + chance[2] % 28:02}"
    birth = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    region = regions[int.from_bytes(fixed[4:6]) % len(regions)]
    for scheme, employer, own in SCHEMES:
        yield (
            *(region, number, f"示例{person:07}", "女" if is_female else "男", birth, scheme, month, paid),
            *(money(base), money(base * employer // 10_000), money(base * own // 10_000)),
            *(f"999{person:08}", f"9999{person:012}", f"示例路{person % 1000}号", MARK),
        )


def write(file: IO[str], month: str, persons: int, regions: list[str], *, is_faulty: bool = False) -> int:
    """Write a month's file and return its lines without the header. A faulty one has two lines no reader may take."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(HEADER)
    lines = 0
    for person in range(persons):
        for line, row in enumerate(rows_of(person, month, regions)):
            cells = list(row)
            if is_faulty and (person, line) == (7, 0):
                wrong = "10X98765432".replace(cells[1][-1], "")[0]
                cells[1] = cells[1][:-1] + wrong
            if is_faulty and (person, line) == (11, 1):
                cells[8] = "见备注"
            writer.writerow(cells)
            lines += 1
    return lines


def sample(jurisdiction: Path) -> dict[str, bytes]:
    """The sample's files by their path below the landing area."""
    files = {}
    for month in MONTHS:
        text = io.StringIO(newline="")
        write(text, month, PERSONS, counties(jurisdiction, month), is_faulty=month in FAULTY)
        files[f"{EXTRACT}/{month}/示例_社会保险缴费明细_{month}.csv"] = text.getvalue().encode("gb18030")
    return files


def main() -> int:
    """Write or check; 0 when done, 1 on a difference."""
    parser = argparse.ArgumentParser(description="Make or check the sample of contribution records.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--out", type=Path, metavar="FOLDER", help="write the sample below this folder")
    action.add_argument("--check", action="store_true", help="compare the sample with the landing area")
    action.add_argument("--file", type=Path, metavar="FILE", help="write one file of any size")
    parser.add_argument("--persons", type=int, default=PERSONS, help="with --file: persons, five lines each")
    parser.add_argument("--month", default=MONTHS[-1], help="with --file: YYYY-MM")
    parser.add_argument("--utf-8", action="store_true", dest="utf8", help="with --file: UTF-8 instead of GB18030")
    parser.add_argument("--jurisdiction", type=Path, default=JURISDICTION, metavar="FOLDER", help="where inputs lie")
    arguments = parser.parse_args()
    if arguments.file:
        encoding = "utf-8" if arguments.utf8 else "gb18030"
        with arguments.file.open("w", encoding=encoding, newline="") as file:
            lines = write(file, arguments.month, arguments.persons, counties(arguments.jurisdiction, arguments.month))
        print(f"{lines:,} lines written to {arguments.file}")
        return 0
    files = sample(arguments.jurisdiction)
    if arguments.check:
        landing = arguments.jurisdiction / "landing"
        found = [p for p, data in files.items() if not (landing / p).exists() or (landing / p).read_bytes() != data]
        present = {p.relative_to(landing).as_posix() for p in (landing / EXTRACT).rglob("*") if p.is_file()}
        found += sorted(present - set(files))
        for path in found:
            print(f"different: {path}", file=sys.stderr)
        print(f"{len(files)} sample files, {len(found)} differences")
        return 1 if found else 0
    for path, data in files.items():
        target = arguments.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    print(f"{len(files)} sample files written below {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
