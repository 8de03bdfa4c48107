"""How a message leaves: appended to a file, posted to a webhook, or mailed. Each tries again while that can help.

What is said and to whom it is new is `reporting`'s business. No text that leaves this module holds a secret.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any, NoReturn

from pipelines.alerts.configuration import FileChannel, Secret, SmtpChannel, WebhookChannel, check_url
from pipelines.errors import JunhengError
from pipelines.store import Warehouse

AnyChannel = FileChannel | WebhookChannel | SmtpChannel
# Answers of a web server that may be another one in a moment.
_PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}


class Message:
    """One message: all alerts of one run that are news to one channel."""

    def __init__(self, title: str, text: str, payload: dict[str, Any]) -> None:
        self.title = title
        self.text = text
        self.payload = payload  # JSON; `alerts` is the list of them


class ChannelError(Exception):
    """A message did not go out; `can_pass` says whether trying again could help."""

    def __init__(self, problem: str, *, can_pass: bool) -> None:
        super().__init__(problem)
        self.can_pass = can_pass


def send(
    channel: AnyChannel,
    message: Message,
    warehouse: Warehouse,
    folder: Path,
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Send a message; what went wrong, or an empty text. `folder` is where the settings file lies.

    Attempts, time-outs and waiting times are the channel's own. Never raises for anything outside this program.
    """
    secrets: list[str] = []
    try:
        secrets = channel.secrets(folder)
        if isinstance(channel, FileChannel):
            _append(channel, message, warehouse, folder)
            return ""
        pause = channel.wait_seconds
        for attempt in range(1, channel.attempts + 1):
            try:
                if isinstance(channel, WebhookChannel):
                    _post(channel, message, folder)
                    return ""
                return _without(secrets, _mail(channel, message, folder))
            except ChannelError as error:
                if not error.can_pass or attempt == channel.attempts:
                    tried = f" (tried {attempt} times)" if attempt > 1 else ""
                    return _without(secrets, f"{error}{tried}")
                wait(pause)
                pause *= 2
    except JunhengError as error:
        return _without(secrets, f"{error.message}: {error.where}")
    except (OSError, ValueError) as error:
        return _without(secrets, f"{type(error).__name__}: {error}")
    return ""


def _without(secrets: list[str], text: str) -> str:
    """A text in one line, without any secret that an error may have repeated."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split())[:300]


def _append(channel: FileChannel, message: Message, warehouse: Warehouse, folder: Path) -> None:
    if channel.path is None:
        path, mode = warehouse.private_folder(warehouse.logs) / "alerts.jsonl", 0o600
    else:  # where a person wants it, for their group to read
        path, mode = folder / channel.path.expanduser(), 0o640
        path.parent.mkdir(parents=True, exist_ok=True)
    head = {name: value for name, value in message.payload.items() if name != "alerts"}
    lines = [json.dumps({**head, **alert}, ensure_ascii=False, sort_keys=True) for alert in message.payload["alerts"]]
    # One write at the end of the file: lines of two processes do not mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode)
    with os.fdopen(descriptor, "ab") as handle:
        handle.write(("\n".join(lines) + "\n").encode())
        handle.flush()
        os.fsync(handle.fileno())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A message with a secret in its headers goes where it was sent, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""
        return


def _post(channel: WebhookChannel, message: Message, folder: Path) -> None:
    url = channel.url.read(folder) if isinstance(channel.url, Secret) else channel.url
    check_url(url)
    headers = {name: v.read(folder) if isinstance(v, Secret) else v for name, v in channel.headers.items()}
    body = message.payload if channel.body is None else _filled(channel.body, message)
    request = urllib.request.Request(
        url,
        data=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "junheng", **headers},
        method="POST",
    )
    opener = urllib.request.build_opener(
        _NoRedirect, urllib.request.HTTPSHandler(context=_trust(channel.ca_file, folder))
    )
    try:
        with opener.open(request, timeout=channel.timeout_seconds) as answer:
            answer.read(65536)
    except urllib.error.HTTPError as error:
        with contextlib.closing(error):
            raise ChannelError(
                f"the webhook answered {error.code} {error.reason}", can_pass=error.code in _PASSING_STATUS
            ) from None
    except TimeoutError:
        raise ChannelError(f"the webhook did not answer in {channel.timeout_seconds:g} s", can_pass=True) from None
    except urllib.error.URLError as error:
        is_refused_certificate = isinstance(error.reason, ssl.SSLCertVerificationError)
        raise ChannelError(
            f"the webhook cannot be reached: {error.reason}", can_pass=not is_refused_certificate
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise ChannelError(f"the webhook broke off: {type(error).__name__} {error}", can_pass=True) from None


def _filled(body: Any, message: Message) -> Any:
    """A receiver's own shape with our words in it."""
    if isinstance(body, dict):
        return {name: _filled(value, message) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, message) for value in body]
    return body.replace("{text}", message.text).replace("{title}", message.title) if isinstance(body, str) else body


def _mail(channel: SmtpChannel, message: Message, folder: Path) -> str:
    """Send by mail. What was refused although the message went out to others, or an empty text."""
    password = channel.password.read(folder) if channel.password is not None else None
    mail = EmailMessage()
    mail["Subject"] = message.title
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.to)
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=channel.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    usual = {"starttls": 587, "tls": 465, "none": 25}[channel.security]
    port, patience = channel.port or usual, channel.timeout_seconds
    try:
        server: smtplib.SMTP
        if channel.security == "tls":
            context = _trust(channel.ca_file, folder)
            server = smtplib.SMTP_SSL(channel.host, port, timeout=patience, context=context)
        else:
            server = smtplib.SMTP(channel.host, port, timeout=patience)
        with server:
            if channel.security == "starttls":
                server.starttls(context=_trust(channel.ca_file, folder))
            if channel.user is not None and password is not None:
                server.login(channel.user, password)
            refused = server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise ChannelError(
            f"the mail server takes no mail for {', '.join(error.recipients)}",
            can_pass=all(400 <= c < 500 for c in codes),
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        raise ChannelError(
            f"the mail server does not accept user and password ({error.smtp_code})", can_pass=False
        ) from None
    except smtplib.SMTPResponseException as error:
        _say_response(error)
    except smtplib.SMTPNotSupportedError as error:
        raise ChannelError(f"the mail server cannot do what is asked: {error}", can_pass=False) from None
    except ssl.SSLCertVerificationError as error:
        raise ChannelError(
            f"the mail server's certificate is not trusted: {error.verify_message}", can_pass=False
        ) from None
    except TimeoutError:
        raise ChannelError(f"the mail server did not answer in {patience:g} s", can_pass=True) from None
    except (smtplib.SMTPException, OSError) as error:
        raise ChannelError(f"the mail server cannot be reached: {error}", can_pass=True) from None
    return f"sent, but refused for {', '.join(refused)}" if refused else ""


def _say_response(error: smtplib.SMTPResponseException) -> NoReturn:
    text = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
    raise ChannelError(
        f"the mail server answered {error.smtp_code} {text}", can_pass=400 <= error.smtp_code < 500
    ) from None


def _trust(ca_file: Path | None, folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / ca_file.expanduser()) if ca_file is not None else None)
