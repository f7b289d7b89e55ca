"""Capability links: whoever holds a signed address may use it, without a key and without a row in the database."""

import base64
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

SECRET_BYTES = 32
# 20 of SHA-256's 32 bytes: 160 bits cannot be guessed and make 32 base32 characters without padding.
SIGNATURE_BYTES = 20


class WrongSecret(Exception):
    """The secret file is not one that this program wrote: it has another length than 32 bytes."""


class Signer:
    """Signs and verifies texts with HMAC-SHA256. One secret for each purpose, or a prefix in the text."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: at least 32 bytes; raises `WrongSecret` when it is shorter."""
        if len(secret) < SECRET_BYTES:
            raise WrongSecret(f"a signing secret has at least {SECRET_BYTES} bytes, this one has {len(secret)}")
        self._secret = secret

    def sign(self, text: str) -> str:
        """The signature of `text`: 32 characters, lower-case base32 (`a`-`z`, `2`-`7`), fit for a path or a query."""
        digest = hmac.digest(self._secret, text.encode(), "sha256")[:SIGNATURE_BYTES]
        return base64.b32encode(digest).decode().lower()

    def verify(self, text: str, signature: str) -> bool:
        """True when `signature` is the one of `text`; takes the same time wherever the two differ."""
        return hmac.compare_digest(self.sign(text).encode(), signature.encode("utf-8", "surrogatepass"))


def load_secret(path: Path) -> bytes:
    """The 32 bytes in the file at `path`, which is made with mode 0600 when it is not there.

    Two processes that start at once end up with the same secret. Raises `WrongSecret` when the file has another
    length, `OSError` when it can be neither read nor made.
    """
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        secret = _make_secret(path)
    if len(secret) != SECRET_BYTES:
        raise WrongSecret(
            f"{path.name} has {len(secret)} bytes instead of {SECRET_BYTES}: restore it, or delete it to get a new one"
        )
    return secret


def _make_secret(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # link() fails when the name is taken, so the first process wins and nobody ever sees half a file.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_bytes()
