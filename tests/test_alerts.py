"""Alerts: who is told what, once; and each channel against a real server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_servers import Authority, Mailbox, Web, authority, mail_server, web_server

from pipelines import alerts
from pipelines.alerts import Condition, Occasion, Sent
from pipelines.errors import ConfigurationError
from pipelines.store import Warehouse, read_json

ALL = ("failed", "blocked", "late", "held_back")
LATE = Condition(
    key="late:health/beds:2025", event="late", subject="health/beds", owner="卫生健康委",
    message="health/beds 2025 was due on 2026-03-31 and has not come", since="2026-04-01T00:00:00Z", state="2026-03-31",
    details={"delivery_period": "2025"},
)  # fmt: skip
BLOCKED = Condition(key="blocked", event="blocked", subject="somewhere", message="blocked by 2 checks", state="a b")


@pytest.fixture(autouse=True)
def _straight_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


class Post:
    """A warehouse with its alert channels, and nights that report to them."""

    def __init__(self, folder: Path, *channels: dict[str, Any]) -> None:
        self.folder = folder
        self.warehouse = Warehouse(folder / "warehouse" / "somewhere")
        self.file = folder / "junheng.yml"
        self.file.write_text(yaml.safe_dump({"alerts": list(channels)}), encoding="utf-8")
        self.settings = alerts.load_settings_file(self.file)
        self.waits: list[float] = []

    def night(self, *conditions: Condition, known: Any = ALL, run_id: str = "r1") -> list[Sent]:
        occasion = Occasion("somewhere", "某地", run_id, "nothing_new", "20260401.1")
        return alerts.report(
            self.settings, self.folder, self.warehouse, occasion, list(conditions), known, self.waits.append
        )

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What the file channel holds."""
        path = self.warehouse.logs / "alerts.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def phases(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(line["event"], line["phase"]) for line in lines]


# -- what is news ------------------------------------------------------------------------------------------------------


def test_a_state_is_told_once_again_when_it_changes_and_once_more_when_it_is_over(tmp_path: Path) -> None:
    post = Post(tmp_path, {"kind": "file"})
    assert post.night(LATE) == [Sent("file", 1, "")]
    assert post.night(LATE) == []
    moved = Condition(**{**LATE.__dict__, "state": "2026-06-30"})
    post.night(moved, BLOCKED)
    post.night(moved)
    post.night()
    assert phases(post.lines) == [
        ("late", "new"), ("late", "changed"), ("blocked", "new"), ("blocked", "resolved"), ("late", "resolved"),
    ]  # fmt: skip
    over = post.lines[-1]
    assert (over["subject"], over["owner"], over["since"]) == ("health/beds", "卫生健康委", "2026-04-01T00:00:00Z")
    assert post.night() == []


def test_a_run_that_cannot_know_resolves_nothing(tmp_path: Path) -> None:
    post = Post(tmp_path, {"kind": "file"})
    post.night(LATE, BLOCKED)
    broken = Condition(key="failed", event="failed", subject="somewhere", message="a contract is wrong", state="r2")
    post.night(broken, known=["failed"])
    assert phases(post.lines)[2:] == [("failed", "new")]
    post.night(LATE, BLOCKED)
    assert phases(post.lines)[3:] == [("failed", "resolved")]


def test_without_a_settings_file_alerts_are_written_into_the_warehouse(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.settings = alerts.load_settings_file(None)
    assert post.night(LATE) == [Sent("file", 1, "")]
    (line,) = post.lines
    assert (line["jurisdiction"], line["run_id"], line["release"]) == ("somewhere", "r1", "20260401.1")


def test_a_channel_carries_only_the_events_it_is_for(tmp_path: Path) -> None:
    post = Post(tmp_path, {"kind": "file"}, {"kind": "file", "path": "late.jsonl", "events": ["late"]})
    assert post.night(BLOCKED) == [Sent("file", 1, "")]
    assert post.night(BLOCKED, LATE) == [Sent("file", 1, ""), Sent("file-2", 1, "")]
    assert phases([json.loads(line) for line in (tmp_path / "late.jsonl").read_text().splitlines()]) == [
        ("late", "new")
    ]


def test_what_a_channel_could_not_deliver_it_delivers_the_next_night(tmp_path: Path) -> None:
    with web_server() as web:
        post = Post(tmp_path, {"kind": "file"}, {"kind": "webhook", "url": web.url, "attempts": 1})
        web.answers = [500, 200]
        first, second = post.night(LATE)
        assert (first.problem, second.problem) == ("", "the webhook answered 500 Internal Server Error")
        (_, failing) = alerts.channel_health(post.settings, post.warehouse)
        assert failing["failing_since"] and failing["last_sent_at"] is None and "500" in failing["problem"]
        assert post.night(LATE) == [Sent("webhook", 1, "")], "the file was told already"
        (_, sound) = alerts.channel_health(post.settings, post.warehouse)
        assert sound["failing_since"] is None and sound["last_sent_at"] and sound["problem"] == ""


def test_damaged_memory_of_what_was_told_tells_again(tmp_path: Path) -> None:
    post = Post(tmp_path, {"kind": "file"})
    post.night(LATE)
    (post.warehouse.logs / "alerts_told.json").write_text("{half", encoding="utf-8")
    post.night(LATE)
    assert phases(post.lines) == [("late", "new"), ("late", "new")]


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "in_the_way").write_text("")
    post = Post(tmp_path, {"kind": "file", "path": "in_the_way/alerts.jsonl"})
    (sent,) = post.night(LATE)
    assert "in_the_way" in sent.problem


# -- webhook -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


def hook(web: Web, **fields: Any) -> dict[str, Any]:
    return {"kind": "webhook", "url": web.url, **fields}


def test_a_webhook_gets_all_news_of_a_run_in_one_post(tmp_path: Path, web: Web) -> None:
    assert Post(tmp_path, hook(web)).night(LATE, BLOCKED) == [Sent("webhook", 2, "")]
    (body,) = web.bodies
    assert (body["jurisdiction"], body["outcome"], body["release"]) == ("somewhere", "nothing_new", "20260401.1")
    assert [(a["event"], a["phase"], a["owner"]) for a in body["alerts"]] == [
        ("late", "new", "卫生健康委"),
        ("blocked", "new", ""),
    ]
    assert web.requests[0]["Content-Type"].startswith("application/json")


def test_a_webhook_tries_again_later_and_later_where_that_can_help(tmp_path: Path, web: Web) -> None:
    web.answers = [503, 429, 500, 200]
    post = Post(tmp_path, hook(web))
    assert post.night(LATE) == [Sent("webhook", 1, "")]
    assert (len(web.bodies), post.waits) == (4, [1.0, 2.0, 4.0])


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_webhook_does_not_repeat_what_was_refused(tmp_path: Path, web: Web, status: int) -> None:
    web.answers = [status]
    post = Post(tmp_path, hook(web))
    (sent,) = post.night(LATE)
    assert sent.problem.startswith(f"the webhook answered {status}") and (len(web.bodies), post.waits) == (1, [])


def test_a_webhook_that_is_not_there_fails_after_its_attempts(tmp_path: Path) -> None:
    with web_server() as gone:
        url = gone.url
    post = Post(tmp_path, {"kind": "webhook", "url": url, "attempts": 3, "wait_seconds": 0.5})
    (sent,) = post.night(LATE)
    assert "cannot be reached" in sent.problem and sent.problem.endswith("(tried 3 times)")
    assert post.waits == [0.5, 1.0]


def test_a_webhook_that_hangs_keeps_no_other_channel_waiting(tmp_path: Path, web: Web) -> None:
    web.hang = threading.Event()
    post = Post(tmp_path, hook(web, timeout_seconds=0.2, attempts=1), {"kind": "file"})
    hung, written = post.night(LATE)
    assert hung.problem == "the webhook did not answer in 0.2 s" and written == Sent("file", 1, "")


def test_a_webhook_follows_nobody_elsewhere(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_TOKEN", "the secret word")
    with web_server() as elsewhere:
        web.answers, web.headers = [302], {"Location": elsewhere.url}
        (sent,) = Post(tmp_path, hook(web, headers={"X-Token": {"environment": "HOOK_TOKEN"}})).night(LATE)
        assert "302" in sent.problem and elsewhere.bodies == []


def test_secrets_come_from_environment_or_file_and_stand_in_no_text(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_URL", web.url + "?key=very-secret")
    (tmp_path / "token").write_text("another-secret\n")
    channel = {"kind": "webhook", "url": {"environment": "HOOK_URL"}, "headers": {"Authorization": {"file": "token"}}}
    post = Post(tmp_path, channel)
    assert post.night(LATE) == [Sent("webhook", 1, "")]
    assert web.requests[0]["path"].endswith("?key=very-secret")
    assert web.requests[0]["Authorization"] == "another-secret"
    monkeypatch.setenv("HOOK_URL", "ftp://very-secret")
    (bad,) = post.night(BLOCKED, LATE)
    monkeypatch.delenv("HOOK_URL")
    (gone,) = post.night(BLOCKED, LATE)
    assert bad.problem and gone.problem == ("a secret of an alert channel is missing: environment variable HOOK_URL")
    written = "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file() and p.name != "token")
    shown = json.dumps(alerts.channel_health(post.settings, post.warehouse))
    assert not any(secret in written + shown + bad.problem for secret in ("very-secret", "another-secret"))


def test_a_receiver_gets_the_shape_it_wants(tmp_path: Path, web: Web) -> None:
    shape = {"msgtype": "text", "text": {"content": "{title}\n{text}", "mentioned": ["@all"]}, "n": 1}
    Post(tmp_path, hook(web, body=shape)).night(LATE)
    (body,) = web.bodies
    assert body["msgtype"] == "text" and body["text"]["mentioned"] == ["@all"] and body["n"] == 1
    assert body["text"]["content"].startswith("[Junheng] 某地: 1 late\n")
    assert "卫生健康委" in body["text"]["content"]


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


def test_a_certificate_of_an_unknown_authority_is_refused_unless_it_is_named(tmp_path: Path, ca: Authority) -> None:
    with web_server(ca.certificate) as web:
        post = Post(tmp_path, hook(web))
        (sent,) = post.night(LATE)
        assert "certificate" in sent.problem and post.waits == [], "waiting does not mend it"
        assert Post(tmp_path, hook(web, ca_file=str(ca.file))).night(LATE) == [Sent("webhook", 1, "")]


# -- mail --------------------------------------------------------------------------------------------------------------


def mail(box: Mailbox, **fields: Any) -> dict[str, Any]:
    usual = {"kind": "smtp", "host": "127.0.0.1", "port": box.port, "security": "none", "from": "night@example.org"}
    return {**usual, "to": ["data@example.org", "office@example.org"], **fields}


def text_of(mail: Any) -> str:
    return str(mail.get_payload(decode=True).decode(mail.get_content_charset()))


def subject_of(mail: Any) -> str:
    from email.header import decode_header, make_header

    return str(make_header(decode_header(mail["Subject"])))


def test_a_mail_names_what_is_late_since_when_and_whose_it_is(tmp_path: Path) -> None:
    with mail_server() as box:
        post = Post(tmp_path, mail(box))
        assert post.night(LATE) == [Sent("smtp", 1, "")]
        post.night(BLOCKED)
    first, second = box.mails
    assert box.recipients[0] == ["data@example.org", "office@example.org"]
    assert (subject_of(first), subject_of(second)) == (
        "[Junheng] 某地: 1 late",
        "[Junheng] 某地: 1 blocked, 1 resolved",
    )
    text = text_of(first)
    assert "health/beds 2025 was due on 2026-03-31" in text
    assert "卫生健康委" in text and "2026-04-01T00:00:00Z" in text and "20260401.1" in text
    assert "resolved: health/beds 2025" in text_of(second)


HELD = Condition(
    key="held:health/beds/2025/beds.csv", event="held", subject="health/beds", owner="Health desk",
    contact="Ms Lee, tel. 0571-000 <lee@health.example>; desk@health.example", since="2026-04-01T00:00:00Z", state="1",
    message="health/beds/2025/beds.csv is held: keys: 2 rows",
)  # fmt: skip
OTHER = Condition(
    key="held:culture/books/2025/books.csv", event="held", subject="culture/books", owner="Culture desk",
    contact="ext. 4711", message="culture/books/2025/books.csv is held: keys: 1 row", state="1",
)  # fmt: skip


def test_who_answers_for_a_held_delivery_is_written_to_of_that_alone_until_it_is_over(tmp_path: Path) -> None:
    with mail_server() as box:
        post = Post(tmp_path, mail(box, to=["office@example.org"]), {"kind": "file"})
        post.night(HELD, OTHER, BLOCKED, known=(*ALL, "held"))
        assert [m["To"] for m in box.mails if subject_of(m).endswith("2 held, 1 blocked")] == ["office@example.org"]
        own = {m["To"]: text_of(m) for m in box.mails if m["To"] != "office@example.org"}
        assert set(own) == {"lee@health.example", "desk@health.example"}
        for text in own.values():
            assert "beds.csv is held" in text and "books.csv" not in text and "blocked by" not in text
        assert post.lines[0]["contact"] == HELD.contact
        count = len(box.mails)
        assert post.night(HELD, OTHER, BLOCKED, known=(*ALL, "held")) == []
        health = alerts.channel_health(post.settings, post.warehouse)
        assert {h["goes_to"] for h in health if h["channel"].startswith("smtp to")} == set(own)
        post.night(OTHER, BLOCKED, known=(*ALL, "held"))
        assert sorted(m["To"] for m in box.mails[count:]) == [
            "desk@health.example", "lee@health.example", "office@example.org",
        ]  # fmt: skip
        assert all("resolved" in subject_of(m) for m in box.mails[count:])
        assert len(alerts.channel_health(post.settings, post.warehouse)) == 2
        assert post.night(OTHER, BLOCKED, known=(*ALL, "held")) == []


@pytest.mark.parametrize(
    "fields", [{"to_contacts": False}, {"events": ["failed"]}, {"to": ["lee@health.example", "desk@health.example"]}]
)
def test_nobody_is_written_to_twice_or_where_mail_stays_in_the_office(tmp_path: Path, fields: dict[str, Any]) -> None:
    with mail_server() as box:
        post = Post(tmp_path, mail(box, **{"to": ["office@example.org"], **fields}))
        post.night(HELD, known=(*ALL, "held"))
        assert [m["To"] for m in box.mails] == (
            [", ".join(fields["to"])] if "to" in fields else ["office@example.org"] if "to_contacts" in fields else []
        )


def test_a_contact_whose_mail_could_not_be_sent_is_written_to_the_next_night(tmp_path: Path) -> None:
    with mail_server() as box:
        post = Post(tmp_path, mail(box, to=["office@example.org"]))
        box.refused = {"lee@health.example": "550 nobody of that name"}
        sent = post.night(HELD, known=(*ALL, "held"))
        assert {s.channel for s in sent if s.problem} == {"smtp to lee@health.example"}
        box.refused = {}
        assert [s.channel for s in post.night(HELD, known=(*ALL, "held"))] == ["smtp to lee@health.example"]


def test_mail_by_starttls_with_a_login(tmp_path: Path, ca: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "open sesame")
    with mail_server(ca.certificate, wants_login=True) as box:
        login = {"user": "junheng", "password": {"environment": "MAIL_PASSWORD"}, "security": "starttls"}
        (unknown,) = Post(tmp_path, mail(box, **login)).night(LATE)
        assert "certificate is not trusted" in unknown.problem
        post = Post(tmp_path, mail(box, **login, ca_file=str(ca.file)))
        assert post.night(LATE) == [Sent("smtp", 1, "")]
        assert box.was_encrypted == [True] and box.logins[-1] == ("junheng", "open sesame")
        monkeypatch.setenv("MAIL_PASSWORD", "open barley")
        (refused,) = post.night(LATE, BLOCKED)
        assert "does not accept user and password" in refused.problem and "barley" not in refused.problem
        assert post.waits == []


def test_a_mail_server_without_starttls_gets_no_mail_in_clear(tmp_path: Path) -> None:
    with mail_server() as box:
        (sent,) = Post(tmp_path, mail(box, security="starttls")).night(LATE)
        assert "cannot do what is asked" in sent.problem and box.mails == []


def test_a_mail_server_is_asked_again_only_where_that_can_help(tmp_path: Path) -> None:
    with mail_server() as box:
        box.answers = ["451 come back later", "451 come back later"]
        post = Post(tmp_path, mail(box))
        assert post.night(LATE) == [Sent("smtp", 1, "")]
        assert (len(box.mails), post.waits) == (1, [1.0, 2.0])
        box.answers = ["554 no"]
        (sent,) = post.night(LATE, BLOCKED)
        assert sent.problem.startswith("the mail server answered 554") and post.waits == [1.0, 2.0]


def test_an_address_that_is_refused_is_reported_and_the_others_have_their_mail(tmp_path: Path) -> None:
    with mail_server() as box:
        box.refused = {"office@example.org": "550 nobody of that name"}
        post = Post(tmp_path, mail(box))
        (sent,) = post.night(LATE)
        assert sent.problem == "sent, but refused for office@example.org"
        assert box.recipients == [["data@example.org"]] and post.night(LATE) == []
        box.refused["data@example.org"] = "550 nor of that"
        (sent,) = post.night(LATE, BLOCKED)
        assert "takes no mail for" in sent.problem


def test_a_mail_server_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with mail_server() as box:
        channel = mail(box, attempts=2)
    (sent,) = Post(tmp_path, channel).night(LATE)
    assert "cannot be reached" in sent.problem and sent.problem.endswith("(tried 2 times)")


# -- trying and configuring --------------------------------------------------------------------------------------------


def test_a_test_goes_through_every_channel_and_changes_nothing_that_was_told(tmp_path: Path, web: Web) -> None:
    with mail_server() as box:
        post = Post(tmp_path, {"kind": "file"}, hook(web), mail(box))
        post.night(LATE)
        told = read_json(post.warehouse.logs / "alerts_told.json")["told"]
        occasion = Occasion("somewhere", "某地", "none", "test", None)
        sent = alerts.try_channels(post.settings, tmp_path, post.warehouse, occasion)
        assert sent == [Sent("file", 1, ""), Sent("webhook", 1, ""), Sent("smtp", 1, "")]
        assert post.lines[-1]["event"] == web.bodies[-1]["alerts"][0]["event"] == "test"
        assert "This is a test" in text_of(box.mails[-1])
        assert read_json(post.warehouse.logs / "alerts_told.json")["told"] == told


@pytest.mark.parametrize(
    ("channel", "problem"),
    [
        ({"kind": "pigeon"}, "pigeon"),
        ({"kind": "webhook"}, "url"),
        ({"kind": "webhook", "url": "file:///etc/passwd"}, "https://"),
        ({"kind": "webhook", "url": "https://me:word@example.org/"}, "holds no password"),
        ({"kind": "webhook", "url": {}}, "url"),
        ({"kind": "file", "colour": "red"}, "colour"),
        ({"kind": "file", "events": []}, "events"),
        ({"kind": "smtp", "host": "h", "from": "a@b.c", "to": []}, "to"),
        ({"kind": "smtp", "host": "h", "from": "a@b.c", "to": ["nobody"]}, "no address"),
        ({"kind": "smtp", "host": "h", "from": "a@b.c", "to": ["d@e.f"], "user": "u"}, "go together"),
        (
            {"kind": "smtp", "host": "mail.example.org", "from": "a@b.c", "to": ["d@e.f"], "security": "none",
             "user": "u", "password": {"environment": "P"}},
            "anybody can read",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_the_settings_file_is_named_with_its_line(
    tmp_path: Path, channel: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        Post(tmp_path, channel)
    assert problem in error.value.message and "line " in error.value.message
    assert error.value.where.endswith("junheng.yml")


def test_two_channels_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="same name"):
        Post(tmp_path, {"kind": "file", "name": "a"}, {"kind": "file", "name": "a"})
