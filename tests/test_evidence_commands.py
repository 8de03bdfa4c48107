"""The commands about evidence at the door: what they print, their exit codes, their JSON; keys that sign."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import evidence_kit
import pytest
from country import make_country
from evidence_kit import Shelf

from pipelines import cli
from pipelines.errors import ConfigurationError, UsageError
from pipelines.release.signing import SigningKey, load_key, make_key
from pipelines.settings import Settings
from pipelines.verifier import verify


@dataclass
class Said:
    """What a command said and left with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Three releases by hand in the warehouse of the invented country; the commands find both."""
    evidence_kit.be_quick(monkeypatch)
    country = make_country(tmp_path / "country" / "somewhere").folder
    (country / "releases.yml").write_text(
        "calendar:\n  - {id: old, name: 旧, name_en: Old, due: 2020-01-31}\napprovers: [Li Wei, Chen Jing]\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("JUNHENG_JURISDICTION", str(country))
    monkeypatch.setenv("JUNHENG_WAREHOUSE", str(tmp_path / "warehouse"))
    made = evidence_kit.make_shelf(tmp_path)
    for number in (1, 2):
        made.publish(f"b{number}")
    return made


@pytest.fixture
def junheng(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["junheng", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        return Said(int(left.value.code or 0), said.out, said.err)

    return call


def ids(shelf: Shelf) -> list[str]:
    return sorted(path.name for path in shelf.warehouse.releases.glob("2*.*"))


def test_verify_says_what_it_looked_at_and_leaves_with_3_when_something_does_not_hold(
    shelf: Shelf, junheng: Callable[..., Said]
) -> None:
    first, second = ids(shelf)
    said = junheng("verify")
    assert said.code == 0 and said.out.startswith(f"{second}: everything holds"), said.out + said.err
    assert shelf.ledger.entries()[-1].hash in said.out
    assert junheng("verify", "--all", "--json").json["releases"] == [first, second]
    page = shelf.warehouse.release_folder(first) / "pages/index.html"
    page.chmod(0o644)
    page.write_bytes(b"other")
    assert junheng("verify", second).code == 0
    said = junheng("verify", first)
    assert said.code == 3 and f"  - releases/{first}/pages/index.html: has 5 bytes" in said.out
    found = junheng("verify", "--all", "--json")
    assert found.code == 3 and [p["where"] for p in found.json["problems"]] == [f"releases/{first}/pages/index.html"]
    assert not found.json["holds"]


def test_verify_compares_with_a_key_and_a_hash_from_elsewhere(
    shelf: Shelf, junheng: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = shelf.ledger.entries()[3].hash
    public = str(tmp_path / "keys" / "signing.pub")
    said = junheng("verify", "--public-key", public, "--head", head)
    assert said.code == 0 and "(the key you named)" in said.out
    assert junheng("verify", "--head", "0" * 63 + "1").code == 3
    make_key(tmp_path / "other")
    monkeypatch.setenv("JUNHENG_PUBLIC_KEY_FILE", str(tmp_path / "other.pub"))
    assert junheng("verify").code == 3
    refused = junheng("verify", "--public-key", str(tmp_path / "keys" / "signing"), "--json")
    assert refused.code == 2 and "no Ed25519 public key" in json.loads(refused.err)["error"]["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "20000101.1"],
        ["reproduce", "20000101.1"],
        ["official", "20000101.1", "--by", "Li Wei"],
        ["withdraw", "20000101.1", "--reason", "wrong"],
        ["diff", "20000101.1", "20000101.2"],
    ],
)
def test_a_release_that_is_not_there_is_exit_code_2(
    shelf: Shelf, junheng: Callable[..., Said], arguments: list[str]
) -> None:
    said = junheng(*arguments, "--json")
    assert said.code == 2 and said.out == ""
    error = json.loads(said.err)["error"]
    assert "there is no release 20000101.1" in error["message"] and error["where"] and error["do"]


def test_two_persons_make_a_release_official_and_the_calendar_shows_how_late(
    shelf: Shelf, junheng: Callable[..., Said]
) -> None:
    first, second = ids(shelf)
    assert "late" in junheng("releases").out
    said = junheng("official", first, "--by", "Li Wei", "--for", "old")
    assert said.code == 0 and "1 more of another person needed" in said.out
    assert junheng("official", first, "--by", "li wei").code == 2
    assert junheng("official", first, "--by", "Zhou Min").code == 2
    said = junheng("official", first, "--by", "Chen Jing", "--json")
    assert said.json["state"] == "official"
    listed = {row["release_id"]: row for row in junheng("releases", "--json").json}
    assert (listed[first]["is_official"], listed[first]["calendar"]) == (True, "old")
    assert (listed[second]["is_current"], listed[second]["state"]) == (True, "candidate")
    status = junheng("status", "--json").json
    assert status["official"] == first and status["calendar"][0]["state"] == "published"
    assert status["calendar"][0]["days_late"] > 365
    assert junheng("verify").code == 0


def test_a_withdrawal_says_what_moved_and_when_users_are_told(shelf: Shelf, junheng: Callable[..., Said]) -> None:
    first, second = ids(shelf)
    assert junheng("withdraw", second, "--reason", "x", "--severity", "editorial").code == 2
    said = junheng("withdraw", second, "--reason", "a column was shifted", "--severity", "critical")
    assert said.code == 0 and f"current is now {first}" in said.out and "told today" in said.out
    listed = {row["release_id"]: row for row in junheng("releases", "--json").json}
    assert listed[second]["withdrawn"].endswith("(critical): a column was shifted")
    asked = junheng("query", "select count(*) as n from mart_rate", "--release", second, "--format", "csv")
    assert asked.out == "n\n3\n" and "a column was shifted" in asked.err
    assert "a column was shifted" in junheng("verify", second, "--json").json["withdrawn"][0]


def test_a_diff_lists_as_many_rows_as_asked_for_and_writes_a_page(
    shelf: Shelf, junheng: Callable[..., Said], tmp_path: Path
) -> None:
    first, second = ids(shelf)
    assert "no figure differs" in junheng("diff", first, second).out
    rates = [(f"P{n}", 2020, str(n), "9", float(n), "true", "A", "F", "official") for n in range(50)]
    third = shelf.publish("b3", rates).release_id
    said = junheng("diff", second, third)
    assert "mart_rate: 48 added, 1 removed, 2 revised" in said.out and "28 more" in said.out
    everything = junheng("diff", second, third, "--limit", "0", "--json", "--page", str(tmp_path / "d.html"))
    assert len(everything.json["tables"]["mart_rate"]["examples"]["added"]) == 48
    assert "mart_rate" in (tmp_path / "d.html").read_text(encoding="utf-8")
    assert junheng("diff", second, third, "--page", str(tmp_path / "no" / "d.html")).code == 2


# -- keys ---------------------------------------------------------------------------------------------------------


def test_a_key_pair_is_made_for_its_owner_alone_and_never_overwritten(
    junheng: Callable[..., Said], shelf: Shelf, tmp_path: Path
) -> None:
    said = junheng("key", str(tmp_path / "mine" / "key"), "--json")
    assert said.code == 0
    private, public = Path(said.json["private_key"]), Path(said.json["public_key"])
    assert stat.S_IMODE(private.stat().st_mode) == 0o400
    assert b"PRIVATE" in private.read_bytes() and b"PRIVATE" not in public.read_bytes()
    key = load_key(private)
    assert key is not None and key.key_id == said.json["key_id"]
    assert junheng("key", str(private)).code == 2
    assert junheng("key", str(shelf.warehouse.folder / "key")).code == 2


def test_the_private_key_is_in_no_file_of_the_warehouse(shelf: Shelf, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    pem = (tmp_path / "keys" / "signing").read_bytes()
    loaded = serialization.load_pem_private_key(pem, password=None)
    secret = loaded.private_bytes_raw()  # type: ignore[union-attr]
    body = pem.splitlines()[1]
    for path in shelf.warehouse.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert secret not in data and body not in data and secret.hex().encode() not in data, path
    assert shelf.key is not None and secret.hex() not in repr(shelf.key)


def test_a_signature_is_of_the_bytes_of_the_manifest_by_the_standard(shelf: Shelf, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    folder = shelf.warehouse.release_folder(shelf.newest)
    signature = json.loads((folder / "manifest.json.sig").read_bytes())
    public = serialization.load_pem_public_key((tmp_path / "keys" / "signing.pub").read_bytes())
    public.verify(bytes.fromhex(signature["signature"]), (folder / "manifest.json").read_bytes())  # type: ignore
    assert verify(shelf.warehouse.folder, [folder], public_key=tmp_path / "keys" / "signing.pub").is_trusted


@pytest.mark.parametrize("trouble", ["missing", "open to others", "no key", "in the warehouse", "another kind"])
def test_a_key_that_is_no_good_is_refused_before_anything_is_done(
    shelf: Shelf, tmp_path: Path, trouble: str, junheng: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    if trouble == "in the warehouse":
        path = tmp_path / "warehouse" / "key"
        make_key(path)
    elif trouble == "no key":
        path.write_text("secret")
        path.chmod(0o400)
    elif trouble == "another kind":
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import x25519

        key = x25519.X25519PrivateKey.generate()
        pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(key.private_bytes(*pem))
        path.chmod(0o400)
    elif trouble == "open to others":
        make_key(path)
        path.chmod(0o444)
    monkeypatch.setenv("JUNHENG_SIGNING_KEY_FILE", str(path))
    entries = len(shelf.ledger.entries())
    said = junheng("run", "--json")
    error = json.loads(said.err)["error"]
    assert said.code == 2 and error["code"] == "configuration" and str(path) in error["where"]
    assert len(shelf.ledger.entries()) == entries


def test_no_key_named_is_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUNHENG_SIGNING_KEY_FILE", raising=False)
    assert load_key(Settings.from_environment().signing_key_file) is None
    with pytest.raises(ConfigurationError):
        load_key(tmp_path / "nothing")
    with pytest.raises(UsageError):
        make_key(tmp_path / "inside" / "key", tmp_path / "inside")
    with pytest.raises(TypeError):
        SigningKey.__reduce__(make_key(tmp_path / "key"))


def test_verify_does_not_wait_for_a_run(shelf: Shelf, junheng: Callable[..., Said]) -> None:
    with shelf.warehouse.lock():
        assert junheng("verify").code == 0
        page = shelf.warehouse.release_folder(shelf.newest) / "pages/index.html"
        page.chmod(0o644)
        page.write_bytes(b"other")
        said = junheng("verify")
    assert said.code == 3 and "a run is at work" in said.out
