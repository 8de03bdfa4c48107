"""Every error people can meet, with what happened, where, and what to do next.

Each kind of error carries the exit code that the command line returns for it. Nothing here prints;
the doors (`cli`, `orchestration`) decide how an error is shown.
"""

from __future__ import annotations

from typing import Any


class JunhengError(Exception):
    """Base of all errors a user can cause or mend.

    `message` says what happened, `where` the file, line or object, `do` the next step.
    """

    exit_code = 1
    code = "fault"
    can_pass = False  # True where the same again, a little later, may go well

    def __init__(self, message: str, *, where: str = "", do: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.do = do

    def __str__(self) -> str:
        lines = [self.message]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.do:
            lines.append(f"  do:    {self.do}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The error as the JSON object that `--json` prints."""
        return {"error": {"code": self.code, "message": self.message, "where": self.where, "do": self.do}}


class UsageError(JunhengError):
    """Wrong use of a command: an option, an argument, a state that does not allow it."""

    exit_code = 2
    code = "usage"


class ConfigurationError(JunhengError):
    """A mistake in a contract, a reference table, `jurisdiction.yml`, or the settings."""

    exit_code = 2
    code = "configuration"


class UnreadableFileError(JunhengError):
    """A landed file that cannot be read by its contract. Caught by intake: it becomes a finding."""

    exit_code = 3
    code = "unreadable"


class BlockedError(JunhengError):
    """A gate refused. The last release stays; `failing` lists the checks."""

    exit_code = 3
    code = "blocked"

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        do: str = "",
        failing: list[str] | None = None,
        checks: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(message, where=where, do=do)
        self.failing = failing or []
        self.checks = checks or []  # check_id, subject, owner and observed of each; no cell of any file

    def __str__(self) -> str:
        lines = [self.message, *(f"  - {line}" for line in self.failing)]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.do:
            lines.append(f"  do:    {self.do}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The error with its failing checks, as `--json` prints it."""
        payload = super().as_dict()
        payload["error"]["failing"] = self.failing
        return payload


class HeldError(BlockedError):
    """Deliveries are held, and there is nothing else to release. `failing` says of each file what is wrong with it."""

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        do: str = "",
        failing: list[str] | None = None,
        checks: list[dict[str, str]] | None = None,
        held: list[Any] | None = None,
    ) -> None:
        super().__init__(message, where=where, do=do, failing=failing, checks=checks)
        self.held = held or []  # records.Held

    def __str__(self) -> str:
        lines = [self.message, *(f"  {line}" for line in self.failing)]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.do:
            lines.append(f"  do:    {self.do}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The error with the held deliveries, as `--json` prints it."""
        payload = super().as_dict()
        payload["error"]["held"] = [each.as_dict() for each in self.held]
        return payload


class BusyError(JunhengError):
    """Another run is at work on this warehouse."""

    exit_code = 4
    code = "busy"
    can_pass = True


class FaultError(JunhengError):
    """A fault of the program or of what it stands on (disk, dbt itself), not of the user's input."""

    exit_code = 1
    code = "fault"
