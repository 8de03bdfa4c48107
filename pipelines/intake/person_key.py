"""The key that ID numbers of person-level extracts are replaced under: where it lies, and who waits for it.

It comes from a file outside the warehouse and is never stored; only its id may be. What an ID number is, is
`personal`'s work.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.contract import Contract

KEY_VARIABLE = "JUNHENG_PERSON_KEY_FILE"
_MINIMUM_KEY = 32


class PersonKey:
    """A secret under which ID numbers become pseudonyms (HMAC-SHA-256, RFC 2104). It never shows itself."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _MINIMUM_KEY:
            raise ValueError(f"a key has at least {_MINIMUM_KEY} bytes")
        block = secret if len(secret) <= 64 else hashlib.sha256(secret).digest()
        block = block.ljust(64, b"\0")
        # The two padded keys are hashed once; each pseudonym then starts from a copy.
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self.key_id = hashlib.sha256(b"junheng person key id\0" + secret).hexdigest()[:12]

    def __repr__(self) -> str:
        return f"PersonKey({self.key_id})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not stored")

    @classmethod
    def for_once(cls) -> PersonKey:
        """A key that nobody keeps, for a dry run."""
        return cls(secrets.token_bytes(_MINIMUM_KEY))

    def pseudonyms(self, texts: list[str]) -> list[bytes]:
        """HMAC-SHA-256 of each text's UTF-8 bytes, 32 bytes each."""
        inner, outer = self._inner.copy, self._outer.copy
        found = []
        for text in texts:
            first = inner()
            first.update(text.encode())
            second = outer()
            second.update(first.digest())
            found.append(second.digest())
        return found


def key_is_configured() -> bool:
    """True when the environment names a key file, whether or not it is a good one."""
    return bool(os.environ.get(KEY_VARIABLE))


def load_key(*forbidden: Path) -> PersonKey:
    """The key from the file that the environment names; it may not lie below a `forbidden` folder.

    Raises ConfigurationError when there is none, when it is too short, or where it must not lie.
    """
    named = os.environ.get(KEY_VARIABLE)
    if not named:
        raise ConfigurationError(
            "there is no key for ID numbers: a person-level extract is not read without one",
            where=KEY_VARIABLE,
            do=f"write {_MINIMUM_KEY} or more random bytes to a file outside the warehouse that only you can read, "
            f"and name it in {KEY_VARIABLE}",
        )
    path = Path(named).expanduser().resolve()
    for folder in forbidden:
        if path.is_relative_to(folder.resolve()):
            raise ConfigurationError(
                f"the key for ID numbers lies below {folder}: whoever gets the data would get the key",
                where=KEY_VARIABLE,
                do="move it to a place of its own",
            )
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the key for ID numbers cannot be read: {error.strerror}",
            where=f"{KEY_VARIABLE} ({path})",
            do="correct it",
        ) from None
    if len(secret) < _MINIMUM_KEY:
        raise ConfigurationError(
            f"the key for ID numbers has {len(secret)} bytes, {_MINIMUM_KEY} are needed",
            where=f"{KEY_VARIABLE} ({path})",
            do="make a longer one; what was read under the old one has other pseudonyms",
        )
    return PersonKey(secret)


def waits_for_key(contract: Contract) -> bool:
    """True when the extract cannot be taken in because its ID numbers need a key and none is configured."""
    return contract.records is not None and contract.records.needs_key and not key_is_configured()


def require_key(contract: Contract, *forbidden: Path) -> PersonKey | None:
    """The key that an extract's ID numbers need, None where they need none; it may not lie below `forbidden`.

    Raises ConfigurationError saying what to configure.
    """
    if contract.records is None or not contract.records.needs_key:
        return None
    return load_key(*forbidden)
