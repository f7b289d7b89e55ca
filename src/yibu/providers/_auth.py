"""How a credential travels. Nothing here does I/O: `routing/credentials.py` carries what a grant asks for.

Header      the secret stands in a header as it is
Signature   headers are computed from the whole request, for each call anew
Grant       the secret is exchanged for a token, which stands in a header until it ends
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """The request for a token, a POST to an absolute address."""

    url: str
    headers: dict[str, str]
    body: bytes


class Token(msgspec.Struct, frozen=True):
    """`life_s`: seconds for which the vendor will take it, from now."""

    text: str
    life_s: float


class Header(Protocol):
    def headers(self, secret: str) -> dict[str, str]: ...


@runtime_checkable
class Signature(Protocol):
    """`url` is absolute and escaped; `headers` have lower-case names and go along with what this returns."""

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, secret: str, at: datetime
    ) -> dict[str, str]: ...


@runtime_checkable
class Grant(Protocol):
    def ask(self, secret: str, at: datetime) -> Ask:
        """How to ask for a token now. Raises `ValueError` for a secret that `problem` complains of."""
        ...

    def read(self, body: bytes) -> Token:
        """Raises `ValueError` when the answer has no token in it."""
        ...

    def token_headers(self, token: str) -> dict[str, str]: ...


Auth = Header | Signature | Grant


class Bearer:
    """`Authorization: Bearer <secret>`; nothing for an empty secret, as local servers want it."""

    def headers(self, secret: str) -> dict[str, str]:
        return {"authorization": f"Bearer {secret}"} if secret else {}


class HeaderKey:
    """The bare secret in a header of the vendor's own; `name` in lower case."""

    def __init__(self, name: str) -> None:
        self.name = name

    def headers(self, secret: str) -> dict[str, str]:
        return {self.name: secret} if secret else {}
