"""Makes the sample extracts of 2015-2020, or checks that those in the landing area are what it makes.

    python raw/zhejiang/synthetic/generate.py --out raw/zhejiang/landing     write them
    python raw/zhejiang/synthetic/generate.py --check                        compare; exit 1 on a difference
    python raw/zhejiang/synthetic/generate.py --with-defects FOLDER          a faulty variant, for tests

Beside them goes `truth.csv`: the figures that indicators computed from the files must give again. Only the command line
is here. The figures are made in `sample.py` and laid out in `extracts.py` and `returns.py`; `defects.py`
spoils them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import defects
from counts import truth
from extracts import EXTRACTS, all_files
from inputs import SampleError, read_inputs
from money import check_money, money_truth
from returns import RETURNS, all_returns
from sample import Sample

JURISDICTION = Path(__file__).resolve().parent.parent


def make(jurisdiction: Path) -> tuple[dict[str, bytes], bytes]:
    """Every file below the landing folder, and the truth. Raises SampleError when a promise does not hold."""
    sample = Sample(read_inputs(jurisdiction))
    problems: list[str] = []
    check_money(sample, lambda holds, text: None if holds else problems.append(text))
    if problems:
        raise SampleError("; ".join(problems[:10]))
    years = [(figures.year, figures.units) for figures in sample.years]
    rows = [["indicator_code", "region_code", "year", "numerator", "denominator"]]
    rows += truth(sample.parameters["home"], years) + money_truth(sample)
    return {**all_files(sample), **all_returns(sample)}, "".join(",".join(row) + "\n" for row in rows).encode()


def differences(files: dict[str, bytes], landing: Path) -> list[str]:
    """What stands in the landing area that is not what the generator makes."""
    found = []
    for path, data in files.items():
        target = landing / path
        if not target.exists():
            found.append(f"missing: {path}")
        elif target.read_bytes() != data:
            found.append(f"different: {path}")
    extracts = [*EXTRACTS, *RETURNS]
    present = {p.relative_to(landing).as_posix() for e in extracts for p in (landing / e).rglob("*") if p.is_file()}
    return found + [f"not made by the generator: {path}" for path in sorted(present - set(files))]


def main() -> int:
    """Write or check; 0 when done, 1 on a difference, 2 when the inputs do not fit."""
    parser = argparse.ArgumentParser(description="Make the sample extracts of this jurisdiction, or check them.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--out", type=Path, metavar="FOLDER", help="write the files below this folder")
    action.add_argument("--check", action="store_true", help="compare with the landing area and write nothing")
    action.add_argument("--with-defects", type=Path, metavar="FOLDER", help="write a faulty variant and what is wrong")
    parser.add_argument("--jurisdiction", type=Path, default=JURISDICTION, metavar="FOLDER", help="where inputs lie")
    arguments = parser.parse_args()
    try:
        files, true_figures = make(arguments.jurisdiction)
    except (SampleError, OSError, KeyError) as error:
        print(f"the sample cannot be made: {error}", file=sys.stderr)
        return 2
    if arguments.with_defects:
        print(f"{defects.write(files, arguments.with_defects)} defects planted below {arguments.with_defects}")
        return 0
    beside = arguments.jurisdiction / "synthetic" / "truth.csv"
    if arguments.check:
        found = differences(files, arguments.jurisdiction / "landing")
        if not beside.exists() or beside.read_bytes() != true_figures:
            found.append("different: synthetic/truth.csv")
        for line in found:
            print(line, file=sys.stderr)
        print(f"{len(files)} sample files, {len(found)} differences")
        return 1 if found else 0
    for path, data in files.items():
        target = arguments.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    beside.write_bytes(true_figures)
    print(f"{len(files)} sample files written below {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
