"""Amazon's Signature Version 4, by which a call proves whose it is without carrying the secret.

Source: docs.aws.amazon.com, *Create a signed AWS API request*, read 2026-11-22; checked with the requests of Amazon's own
test suite for signatures (`aws-sig-v4-test-suite`).
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

import msgspec

ALGORITHM = "AWS4-HMAC-SHA256"
SIGNED = frozenset({"content-type", "host"})
"""Beside those that begin with `x-amz-`; the others may be changed on the way."""


class Keys(msgspec.Struct, frozen=True):
    """`token`: of a session, empty for the keys of a user."""

    access: str
    secret: str
    token: str = ""


class Scope(msgspec.Struct, frozen=True):
    region: str
    service: str


def sign(
    method: str, url: str, headers: Mapping[str, str], body: bytes, keys: Keys, scope: Scope, at: datetime
) -> dict[str, str]:
    """The headers to send beside `headers`, which have lower-case names. `url` is escaped as it will be sent; `at`: in UTC."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    added = {"x-amz-date": stamp} | ({"x-amz-security-token": keys.token} if keys.token else {})
    every = {**headers, **added, "host": urlsplit(url).netloc}
    signed = {name: value for name, value in every.items() if name in SIGNED or name.startswith("x-amz-")}
    names = ";".join(sorted(signed))
    place = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    digest = _sha256(canonical(method, url, signed, body).encode())
    key = f"AWS4{keys.secret}".encode()
    for piece in place.split("/"):
        key = _hmac(key, piece)
    signature = _hmac(key, f"{ALGORITHM}\n{stamp}\n{place}\n{digest}").hex()
    proof = f"{ALGORITHM} Credential={keys.access}/{place}, SignedHeaders={names}, Signature={signature}"
    return {**added, "authorization": proof}


def canonical(method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    """The request in the one form that both sides put it into. The path is escaped once more than it is sent."""
    parts = urlsplit(url)
    pairs = sorted(tuple(pair.partition("=")[::2]) for pair in parts.query.split("&") if pair)
    lines = [f"{name}:{' '.join(value.split())}\n" for name, value in sorted(headers.items())]
    return "\n".join(
        (
            method,
            quote(parts.path or "/", safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            "".join(lines),
            ";".join(sorted(headers)),
            _sha256(body),
        )
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
