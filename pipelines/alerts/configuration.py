"""The settings file as far as alerts go: which channels there are, and where each finds its secrets.

A secret is never in the file itself: the file names an environment variable or another file that holds it.
"""

from __future__ import annotations

import ipaddress
import os
from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.yaml_model import StrictModel, load_model

Event = Literal["failed", "blocked", "held", "value_jump", "late", "held_back", "refused"]


class Secret(StrictModel):
    """Where a secret stands: in an environment variable, or alone in a file."""

    environment: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Secret:
        if (self.environment is None) == (self.file is None):
            raise ValueError("a secret is named by `environment` (a variable) or by `file`")
        return self

    def read(self, folder: Path) -> str:
        """The secret. Raises ConfigurationError when it is not there; the text never shows it."""
        if self.environment is not None:
            value = os.environ.get(self.environment, "")
            where = f"environment variable {self.environment}"
        else:
            path = folder / (self.file or Path())
            try:
                value = path.expanduser().read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                value = ""
            where = str(path)
        if not value:
            raise ConfigurationError(
                "a secret of an alert channel is missing", where=where, do="set it, or name another"
            )
        return value


class _Channel(StrictModel):
    """What every channel has: a name to speak of it by, and the events it carries."""

    name: str = ""
    events: list[Event] = Field(default=list(get_args(Event)), min_length=1)

    def secrets(self, folder: Path) -> list[str]:
        """Every secret of the channel, read; for looking whether they are there and for keeping them out of texts."""
        return []

    @property
    @abstractmethod
    def goes_to(self) -> str:
        """Where it goes, as may be shown."""


class _Remote(_Channel):
    """What channels over a network have: patience, and an authority of one's own."""

    timeout_seconds: float = Field(default=10.0, gt=0, le=120)
    attempts: int = Field(default=4, ge=1, le=10)
    wait_seconds: float = Field(default=1.0, ge=0, le=60)  # before the second attempt; doubled before each further one
    ca_file: Path | None = None  # certificates of an authority that this machine does not know


class FileChannel(_Channel):
    """JSON lines in a file, one per alert."""

    kind: Literal["file"]
    path: Path | None = None  # default: logs/alerts.jsonl of the warehouse

    @property
    def goes_to(self) -> str:
        """The file."""
        return str(self.path or "logs/alerts.jsonl of the warehouse")


class WebhookChannel(_Remote):
    """An HTTP POST of JSON. `body` is another shape for receivers that want one: {text} and {title} stand for ours."""

    kind: Literal["webhook"]
    url: str | Secret
    headers: dict[str, str | Secret] = {}
    body: dict[str, Any] | None = None

    @field_validator("url")
    @classmethod
    def _http(cls, value: str | Secret) -> str | Secret:
        if isinstance(value, str):
            check_url(value)
        return value

    def secrets(self, folder: Path) -> list[str]:
        """URL and headers, where they are secrets."""
        return [value.read(folder) for value in (self.url, *self.headers.values()) if isinstance(value, Secret)]

    @property
    def goes_to(self) -> str:
        """The host; the path may be a secret of its own."""
        return (urlsplit(self.url).hostname or "") if isinstance(self.url, str) else "(a URL that is a secret)"


class SmtpChannel(_Remote):
    """Electronic mail through a server."""

    kind: Literal["smtp"]
    host: str
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: Secret | None = None
    sender: str = Field(alias="from")
    to: list[str] = Field(min_length=1)
    to_contacts: bool = True  # also to the contact of the contract, of what concerns that alone

    @model_validator(mode="after")
    def _fits(self) -> SmtpChannel:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` go together")
        if self.password is not None and self.security == "none" and not _is_this_machine(self.host):
            raise ValueError("a password is not sent over a line that anybody can read: `security: starttls` or `tls`")
        for address in (self.sender, *self.to):
            if "@" not in address or any(mark in address for mark in "\r\n"):
                raise ValueError(f"{address!r} is no address")
        return self

    def secrets(self, folder: Path) -> list[str]:
        """The password."""
        return [self.password.read(folder)] if self.password is not None else []

    @property
    def goes_to(self) -> str:
        """Who gets it."""
        return ", ".join(self.to)


Channel = Annotated[FileChannel | WebhookChannel | SmtpChannel, Field(discriminator="kind")]


class SettingsFile(StrictModel):
    """The settings file."""

    alerts: list[Channel] = []
    run_logs_kept: int = Field(default=200, ge=1)

    @model_validator(mode="after")
    def _names_differ(self) -> SettingsFile:
        names = [channel.name for channel in self.channels()]
        if len(set(names)) != len(names):
            raise ValueError("two alert channels have the same name")
        return self

    def channels(self) -> list[FileChannel | WebhookChannel | SmtpChannel]:
        """The channels, each with a name: its own, or its kind, numbered from the second on.

        Without any there is the file in the warehouse: what nobody was told must at least be written down.
        """
        listed = list(self.alerts) or [FileChannel(kind="file")]
        seen: dict[str, int] = {}
        named = []
        for channel in listed:
            seen[channel.kind] = seen.get(channel.kind, 0) + 1
            usual = channel.kind if seen[channel.kind] == 1 else f"{channel.kind}-{seen[channel.kind]}"
            named.append(channel if channel.name else channel.model_copy(update={"name": usual}))
        return named


def load_settings_file(path: Path | None) -> SettingsFile:
    """The settings file, or what stands in its place when there is none.

    Raises ConfigurationError with file and line for a mistake in it.
    """
    return load_model(path, SettingsFile) if path is not None else SettingsFile()


def check_url(url: str) -> None:
    """Raises ValueError for what is no URL of the web."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a webhook's url begins with https:// or http:// and names a host")
    if parts.username or parts.password:
        raise ValueError("a webhook's url holds no password: use `headers` with a secret, or make the whole url one")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
