"""Signatures: a key pair, and the Ed25519 signature of a manifest.

The private key lies in a file outside the warehouse that the environment names; it is read, used and forgotten.
Checking a signature is `verifier`'s work, which every release carries with it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigurationError, UsageError
from pipelines.settings import SIGNING_KEY_VARIABLE
from pipelines.verifier import key_id_of


class SigningKey:
    """An Ed25519 private key that never shows itself."""

    def __init__(self, pem: bytes) -> None:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("not an Ed25519 key")
        self._key = key
        self.public_bytes = key.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public_bytes)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not stored")

    def sign(self, manifest: bytes, manifest_sha256: str) -> dict[str, Any]:
        """The signature of a manifest's bytes, as the file beside it holds it."""
        return {
            "algorithm": "ed25519",
            "key_id": self.key_id,
            "public_key": self.public_bytes.hex(),
            "manifest_sha256": manifest_sha256,
            "signature": self._key.sign(manifest).hex(),
        }


def load_key(path: Path | None, *forbidden: Path) -> SigningKey | None:
    """The signing key of a file, None when no file is named; it may not lie below a `forbidden` folder.

    Raises ConfigurationError when it cannot be read, is no such key, can be read by others, or lies where it must not.
    """
    if path is None:
        return None
    where = f"{SIGNING_KEY_VARIABLE} ({path})"
    for folder in forbidden:
        if path.resolve().is_relative_to(folder.resolve()):
            raise ConfigurationError(
                f"the signing key lies below {folder}: whoever could change a release could sign it",
                where=where,
                do="move it to a place of its own",
            )
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigurationError(
                "the signing key can be read by others than its owner", where=where, do=f"chmod 400 {path}"
            )
        return SigningKey(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"the signing key cannot be read: {error.strerror}", where=where, do="correct the path, or unset it"
        ) from None
    except (ValueError, TypeError):
        raise ConfigurationError(
            "that file is no Ed25519 private key without a password",
            where=where,
            do="make one with `junheng key FILE`",
        ) from None


def make_key(path: Path, *forbidden: Path) -> SigningKey:
    """Write a new private key to `path`, for its owner alone, and its public key to `path`.pub; overwrites nothing.

    Raises UsageError when a file is there, or when the place is below a `forbidden` folder.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = path.expanduser()
    public = path.with_name(path.name + ".pub")
    for folder in forbidden:
        if path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                f"a signing key must not lie below {folder}", where=str(path), do="name a place outside of it"
            )
    if path.exists() or public.exists():
        raise UsageError("there is a file already", where=str(path), do="name another one: a key is never overwritten")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as handle:
            handle.write(pem)
        public.write_bytes(
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
    except OSError as error:
        raise UsageError(
            f"the key cannot be written: {error.strerror}", where=str(path), do="name a place that you can write to"
        ) from None
    return SigningKey(pem)
