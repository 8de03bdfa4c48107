"""No personal value outlives its file: the check digit, the keyed hash, the mask, and planted values never found."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_person_level import HEADER, RECORDS, Desk, desk, line, number, text_of

from pipelines.errors import JunhengError
from pipelines.intake import personal
from pipelines.intake.person_key import PersonKey

__all__ = ["desk"]

digits_17 = st.from_regex(r"\A[0-9]{17}\Z")


# -- ID numbers -------------------------------------------------------------------------------------------------


def test_the_check_character_of_the_standard() -> None:
    # The example of GB 11643-1999, annex.
    assert check("11010519491231002X") is None
    assert personal.check_digit("44052418800101001") == "4"


def check(text: str) -> str | None:
    return personal.id_problems(personal.canonical(pl.Series([text], dtype=pl.String))).item()  # type: ignore[no-any-return]


def mod_11_2(text: str) -> int:
    """ISO 7064 MOD 11-2 by its recursion, as a second opinion."""
    product = 0
    for character in text:
        product = (product + (10 if character == "X" else int(character))) * 2 % 11
    return (product * 6) % 11  # undo the last doubling: 2 * 6 = 1 (mod 11)


@given(digits_17)
def test_every_number_with_its_check_character_is_congruent_to_one(first: str) -> None:
    assert mod_11_2(first + personal.check_digit(first)) == 1


@given(digits_17, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_always_noticed(first: str, place: int, other: str) -> None:
    whole = f"{first[:6]}19800115{first[14:]}"
    whole += personal.check_digit(whole)
    assert check(whole) is None
    changed = whole[:place] + other + whole[place + 1 :]
    assert (check(changed) is None) == (changed == whole)


@given(digits_17, st.integers(0, 15))
def test_two_neighbours_exchanged_are_always_noticed(first: str, place: int) -> None:
    whole = f"{first[:6]}19800115{first[14:]}"
    whole += personal.check_digit(whole)
    swapped = whole[:place] + whole[place + 1] + whole[place] + whole[place + 2 :]
    assert (check(swapped) is None) == (swapped == whole)


def test_ways_of_writing_one_number_are_one_number() -> None:
    ways = [
        "11010519491231002x",
        " 110105 19491231 002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519491231002X\u200b",
    ]
    assert set(personal.canonical(pl.Series(ways)).to_list()) == {"11010519491231002X"}


# -- the hash ---------------------------------------------------------------------------------------------------


@given(st.binary(min_size=32, max_size=200), st.lists(st.text(max_size=40), max_size=5))
@example(b"k" * 64, ["a"])
@example(b"k" * 65, ["a"])
def test_pseudonyms_are_hmac_sha_256(secret: bytes, texts: list[str]) -> None:
    expected = [hmac.new(secret, text.encode(), hashlib.sha256).digest() for text in texts]
    assert PersonKey(secret).pseudonyms(texts) == expected


def test_a_key_never_shows_itself() -> None:
    secret = b"a secret that nobody may ever see written down"
    key = PersonKey(secret)
    assert secret.decode() not in repr(key) + str(key) + key.key_id
    assert len(key.key_id) == 12
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(ValueError, match="32"):
        PersonKey(b"short")


def test_records_hold_the_hash_of_the_canonical_number(desk: Desk) -> None:
    reading = desk.read([line(1, ID=" " + number(1).lower())])
    expected = hmac.new(bytes(range(32)), number(1).encode(), hashlib.sha256).digest()
    assert desk.records(reading)["person"].to_list() == [expected]


# -- the mask ---------------------------------------------------------------------------------------------------


@given(st.text(max_size=80))
def test_a_mask_says_nothing_but_the_shape(text: str) -> None:
    shape = personal.mask(text)
    assert set(shape) <= set("9a字. \ufffd…")
    assert len(shape) <= personal.MASK_LENGTH + 1
    if text[: personal.MASK_LENGTH].isascii():
        assert re.sub(r"[a9]", "", shape[: personal.MASK_LENGTH]).strip(". ") == ""


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=30), st.data())
def test_texts_of_one_shape_have_one_mask(text: str, data: st.DataObject) -> None:
    def other(character: str) -> str:
        if character.isnumeric() and not character.isalpha():
            return data.draw(st.sampled_from("0123456789"))
        return data.draw(st.sampled_from("bcd" if character.isascii() else "甲乙丙"))

    twin = "".join(other(c) for c in text)
    assert personal.mask(twin) == personal.mask(text)


# -- planted values ---------------------------------------------------------------------------------------------

CANARY_ID = number(987)
BROKEN_ID = "990000197512240017"
CANARIES = {
    "id": CANARY_ID,
    "id with a wrong check": BROKEN_ID,
    "short id": "990000751224987",
    "name": "Kanarienvogel",
    "chinese name": "金絲雀某",
    "birth": "1957-03-29",
    "phone": "13987654321",
    "card": "6222021234567890123",
    "address": "Cagestreet 77",
}


def planted() -> list[list[str]]:
    """Lines in which personal values stand where they belong, where they do not, and in lines that are rejected."""
    card, phone, name = CANARIES["card"], CANARIES["phone"], CANARIES["name"]
    return [
        line(1, ID=CANARY_ID, Name=name, Born=CANARIES["birth"]),
        line(1, "medical", ID=CANARY_ID, Name=CANARIES["chinese name"], Born=CANARIES["birth"]),
        line(1, "medical", ID=CANARY_ID, Name=name, Born=CANARIES["birth"], Amount="77.00"),  # same key, other cells
        line(2, ID=BROKEN_ID, Name=name),
        line(3, ID=CANARIES["short id"]),
        line(4, Scheme=name, Amount=phone * 2, Paid=CANARIES["birth"] + "?", Region=card),  # columns shifted
        line(5, Sex=CANARIES["chinese name"], Months=card, Born=CANARY_ID),
        [*line(6, Name=name), CANARIES["address"], phone],  # too many cells
        line(7, Name=CANARIES["address"])[:5],  # too few
        [CANARIES["address"], *line(8)[1:]],
        line(9, Name=f'"{name}'),
    ]


def nowhere(folder: Path, *texts: str, but: tuple[Path, ...] = ()) -> None:
    """No planted value in any file below a folder or in a text, in any form it could take."""
    needles = {}
    for kind, value in CANARIES.items():
        for form in (value.encode(), value.encode("utf-16-le"), value.encode("gb18030"), value.upper().encode()):
            needles[form] = kind
        needles[hashlib.sha256(value.encode()).hexdigest().encode()] = kind + " hashed without a key"
        needles[hashlib.sha256(value.encode()).digest()] = kind + " hashed without a key"
    blobs = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path not in but}
    for path in list(folder.rglob("*.parquet")):
        # Compressed columns hide what stands in them: every cell is looked at as text, too.
        frame = pl.read_parquet(path, memory_map=False)
        cells = (cell for row in frame.iter_rows() for cell in row)
        blobs[f"{path}, its cells"] = b"\n".join(c if isinstance(c, bytes) else str(c).encode() for c in cells)
    blobs.update({f"text {i}": text.encode() for i, text in enumerate(texts)})
    for where, blob in blobs.items():
        for needle, kind in needles.items():
            assert needle not in blob, f"{kind} stands in {where}"


@pytest.mark.parametrize("shape", ["plain", "quoted", "gb18030", "without its header", "key in the header"])
def test_no_planted_value_is_found_anywhere(
    desk: Desk, shape: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    rows = planted()
    text = text_of(rows)
    if shape == "plain":
        text = "\n".join(",".join(row) for row in [HEADER, *rows]) + "\n"
    elif shape == "without its header":
        text = text.split("\n", 1)[1]
    elif shape == "key in the header":
        text = text.replace("Months", "Months," + CANARY_ID, 1)
    if shape == "gb18030":
        desk.contract(format={"encoding": "gb18030"})
    desk.land(text.encode("gb18030" if shape == "gb18030" else "utf-8"))
    reading = desk.session.take_in().readings[0]
    if shape != "without its header":
        assert reading.tie_out[0]["rows_accepted"] >= 0
        assert reading.rejects > 5
    captured = capfd.readouterr()
    vault = tuple(p for p in desk.warehouse.vault.rglob("*") if p.is_file())
    nowhere(desk.warehouse.folder, captured.out, captured.err, *desk.said, json.dumps(reading.as_dict()), but=vault)
    nowhere(scratch)
    secret = bytes(range(32))
    for path in desk.warehouse.folder.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes()
            assert secret.hex().encode() not in path.read_bytes()


def test_nothing_is_found_in_what_the_command_line_says(desk: Desk, tmp_path: Path) -> None:
    path = desk.land(planted())
    home, warehouse = desk.country.folder, desk.folder / "warehouse"
    said = []
    for arguments in (
        ["receive"],
        ["rejects"],
        ["rejects", "--json"],
        ["check", str(path), "--contract", "desk/register"],
    ):
        result = subprocess.run(
            [
                sys.executable,
                "-m",
                "pipelines.cli",
                *arguments,
                "--jurisdiction",
                str(home),
                "--warehouse",
                str(warehouse),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=dict(os.environ),
        )
        said += [result.stdout, result.stderr]
        assert result.returncode in (0, 3), result.stderr
    vault = tuple(p for p in desk.warehouse.vault.rglob("*") if p.is_file())
    nowhere(warehouse, *said, but=vault)


def test_an_error_from_the_middle_of_a_file_holds_no_cell(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.land([line(p, ID=CANARY_ID, Name=CANARIES["name"]) for p in range(3)])
    desk.contract(
        period={"from": "folder", "kind": "month"}, observations=[*RECORDS["observations"], RECORDS["observations"][0]]
    )
    reading = desk.session.take_in().readings[0]
    assert reading.status == "unreadable"
    assert "two totals" in reading.problem
    nowhere(desk.warehouse.folder / reading.folder, reading.problem)
    assert issubclass(JunhengError, Exception)
