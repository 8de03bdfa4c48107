"""Every file that arrives gets a receipt and its bytes stay, whatever happens to the landing folder later."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import country
import pytest

from pipelines import intake
from pipelines.errors import FaultError
from pipelines.intake.receive import Arrivals
from pipelines.jurisdiction import load
from pipelines.ledger import Ledger
from pipelines.settings import WorkLimits
from pipelines.store import Warehouse, read_json

BUDGET = "treasury/budget"


class House:
    """The invented country with one extract landed, and a warehouse."""

    def __init__(self, folder: Path) -> None:
        without = [extract for extract in country.DELIVERIES if extract != BUDGET]
        self.country = country.make_country(folder / "verdania", without=without)
        self.warehouse = Warehouse(folder / "warehouse" / "verdania")
        self.ledger = Ledger(self.warehouse.ledger)

    def receive(self, **options: bool) -> Arrivals:
        return intake.receive(load(self.country.folder), self.warehouse, self.ledger, **options)  # type: ignore[arg-type]

    def kept(self, sha256: str) -> bytes:
        return self.warehouse.vault_path(sha256).read_bytes()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_landed_file_gets_a_receipt_and_its_bytes_are_kept_read_only(house: House) -> None:
    path = house.country.landing_path(BUDGET, "2020")
    (receipt,) = house.receive().new
    assert receipt.landing_path == "treasury/budget/2020/budget.csv"
    assert (receipt.extract_id, receipt.delivery_period, receipt.sequence) == (BUDGET, "2020", 1)
    assert receipt.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert receipt.size_bytes == path.stat().st_size
    assert house.kept(receipt.sha256) == path.read_bytes()
    assert not house.warehouse.vault_path(receipt.sha256).stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    (entry,) = house.ledger.entries()
    assert (entry.event, entry.details["sha256"]) == ("received", receipt.sha256)


def test_the_same_file_again_is_nothing_new(house: House) -> None:
    first = house.receive()
    again = house.receive()
    assert again.new == []
    assert again.receipts == first.receipts
    assert len(house.ledger.entries()) == 1


def test_a_touch_without_a_change_is_no_receipt(house: House) -> None:
    house.receive()
    os.utime(house.country.landing_path(BUDGET, "2020"), ns=(1, 1))
    assert house.receive().new == []
    house.country.land(BUDGET, "2020")  # written again, the same bytes
    assert house.receive().new == []


def test_an_overwritten_file_is_a_new_receipt_and_the_old_bytes_stay(house: House) -> None:
    path = house.country.landing_path(BUDGET, "2020")
    before = path.read_bytes()
    (first,) = house.receive().new
    house.country.land(BUDGET, "2020", cells={(1, 1): "1.0"})
    (second,) = house.receive().new
    assert (second.sequence, second.landing_path) == (2, first.landing_path)
    assert house.kept(first.sha256) == before
    assert house.kept(second.sha256) == path.read_bytes() != before
    receipts = intake.all_receipts(house.warehouse)
    assert receipts == [first, second]
    assert intake.in_force(receipts) == {second.receipt_id}
    assert house.ledger.entries()[-1].details["replaces"] == first.receipt_id


def test_a_file_changed_back_is_a_third_receipt(house: House) -> None:
    (first,) = house.receive().new
    house.country.land(BUDGET, "2020", cells={(1, 1): "1.0"})
    house.receive()
    house.country.land(BUDGET, "2020")
    (third,) = house.receive().new
    assert third.sha256 == first.sha256
    assert third.receipt_id != first.receipt_id
    assert intake.in_force(intake.all_receipts(house.warehouse)) == {third.receipt_id}


def test_a_change_hidden_behind_the_same_size_and_time_is_found_when_everything_is_hashed(house: House) -> None:
    path = house.country.landing_path(BUDGET, "2020")
    house.receive()
    before, data = path.stat(), path.read_bytes()
    path.write_bytes(data.replace(b"2018", b"2017"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert house.receive().new == []  # as designed: size, time and inode are looked at
    assert len(house.receive(hash_everything=True).new) == 1


def test_a_file_that_is_gone_from_landing_stays_received(house: House) -> None:
    (receipt,) = house.receive().new
    house.country.landing_path(BUDGET, "2020").unlink()
    again = house.receive()
    assert again.receipts == [receipt]
    assert intake.in_force(again.receipts) == {receipt.receipt_id}


def test_two_files_of_one_delivery_both_stand(house: House) -> None:
    house.country.land(BUDGET, "2020", name="budget_more.csv", rows=[["Place", "2017"], ["Verdania", "3"]])
    receipts = house.receive().receipts
    assert len(intake.in_force(receipts)) == 2


def test_half_written_uploads_and_hidden_files_are_not_files_yet(house: House) -> None:
    for name in ("budget.csv.part", ".DS_Store", "~$budget.csv", ".gitkeep"):
        house.country.land(BUDGET, "2020", name=name, data=b"half")
    assert [r.file_name for r in house.receive().new] == ["budget.csv"]


@pytest.mark.parametrize(
    "where",
    [
        "treasury/unheard_of/2020/file.csv",
        "treasury/budget/file.csv",
        "treasury/budget/2020/deeper/file.csv",
        "file.csv",
    ],
)
def test_a_file_in_a_folder_without_contract_is_refused_and_its_bytes_are_kept(house: House, where: str) -> None:
    stray = house.country.folder / "landing" / where
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"who sent this?")
    arrivals = house.receive()
    assert [(each.landing_path, each.rule) for each in arrivals.refused] == [(where, "no_contract")]
    assert arrivals.refused[0].do
    assert house.kept(hashlib.sha256(b"who sent this?").hexdigest()) == b"who sent this?"
    # what has a contract was received all the same
    assert [r.extract_id for r in intake.all_receipts(house.warehouse)] == [BUDGET]
    assert house.receive().refused == arrivals.refused  # as long as it lies there


def test_a_file_whose_name_the_contract_does_not_expect_is_refused(house: House) -> None:
    house.country.land(BUDGET, "2020", name="budget.pdf", data=b"%PDF")
    (refused,) = house.receive().refused
    assert refused.landing_path == "treasury/budget/2020/budget.pdf"
    assert "takes files named" in refused.detail


def test_a_stray_is_taken_in_once_it_has_a_contract(house: House) -> None:
    house.country.land(BUDGET, "2020", name="budget.txt", data=b"Place,2018\nVerdania,1\n")
    house.receive()
    house.country.write_contract(BUDGET, lambda contract: contract.update(files="*"))
    arrivals = house.receive()
    assert [r.file_name for r in arrivals.new] == ["budget.txt"]
    assert arrivals.refused == []


def test_a_receipt_survives_a_crash_before_the_marks_were_written(house: House) -> None:
    (receipt,) = house.receive().new
    (house.warehouse.receipts / "seen.json").unlink()
    assert house.receive().new == []
    assert read_json(house.warehouse.receipts / f"{receipt.receipt_id}.json")["sha256"] == receipt.sha256


def test_a_file_taken_back_is_no_longer_in_force_and_can_come_again(house: House) -> None:
    path = house.country.landing_path(BUDGET, "2020")
    (first,) = house.receive().new
    marker = path.with_name(path.name + ".withdrawn")
    marker.write_text("wrong year, sent by mistake")
    (withdrawal,) = house.receive().new
    assert withdrawal.is_withdrawal
    assert house.kept(withdrawal.sha256) == b"wrong year, sent by mistake"
    assert intake.in_force(intake.all_receipts(house.warehouse)) == set()
    assert house.receive().new == []
    marker.unlink()
    (again,) = house.receive().new
    assert again.sha256 == first.sha256
    assert intake.in_force(intake.all_receipts(house.warehouse)) == {again.receipt_id}


def test_bytes_that_changed_in_the_vault_are_never_read(house: House) -> None:
    (receipt,) = house.receive().new
    jurisdiction = load(house.country.folder)
    kept = house.warehouse.vault_path(receipt.sha256)
    kept.chmod(0o644)
    kept.write_bytes(b"Place,2018\nVerdania,1\n")
    with intake.Reader(jurisdiction, house.warehouse, WorkLimits()) as reader:
        with pytest.raises(FaultError, match="not those received"):
            reader.read(receipt, jurisdiction.contracts[BUDGET])
        kept.unlink()
        with pytest.raises(FaultError, match="gone"):
            reader.read(receipt, jurisdiction.contracts[BUDGET])


def test_a_reading_is_stored_once_per_state_of_contract_and_reference(house: House) -> None:
    (receipt,) = house.receive().new

    def find_and_read() -> tuple[bool, str]:
        jurisdiction = load(house.country.folder)
        contract = jurisdiction.contracts[BUDGET]
        with intake.Reader(jurisdiction, house.warehouse, WorkLimits()) as reader:
            found = reader.find(receipt, contract)
            reading = found or reader.read(receipt, contract)
        return found is not None, reading.reading_id

    was_there, first = find_and_read()
    assert not was_there
    assert find_and_read() == (True, first)
    path = house.country.contract_path(BUDGET)
    path.write_text("# a comment changes nothing\n" + path.read_text())
    assert find_and_read() == (True, first)
    house.country.write_contract(BUDGET, lambda c: c["layouts"][0]["tokens"].update({"-": "missing"}))
    was_there, second = find_and_read()
    assert (was_there, second != first) == (False, True)
    line = {**country.REFERENCE["regions.csv"][-1], "region_code": "VB3", "region_name": "Cedar"}
    house.country.add_lines("regions.csv", line)
    was_there, third = find_and_read()
    assert (was_there, third not in (first, second)) == (False, True)
