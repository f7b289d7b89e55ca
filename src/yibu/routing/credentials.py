"""Headers that prove whose account a call is on: at once, by signing the call, or with a token that is fetched and kept.

Tokens are kept in memory by provider and secret, renewed ahead of their end, and fetched once however many calls wait.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import TypeGuard, cast

import msgspec

from yibu.hub.errors import Broken, Busy, Denied, UpstreamError
from yibu.kit.clock import Clock, clock
from yibu.kit.http import Client, HttpFailed
from yibu.providers.provider import Auth, Grant, Header, Signature, Token

AHEAD_S = 300.0
"""A token is renewed when it has so long to live, or a tenth of its life if that is less."""
MOST_TOKEN_BYTES = 64 * 1024
PATIENCE_S = 15.0


def _signs(auth: Auth) -> TypeGuard[Signature]:
    return _is(type(auth), Signature)


def _asks(auth: Auth) -> TypeGuard[Grant]:
    return _is(type(auth), Grant)


@cache
def _is(kind: type, way: type) -> bool:
    """Once a class: to look for a protocol's members took 9 % of a short call's CPU."""
    return issubclass(kind, way)


class _Kept(msgspec.Struct, frozen=True):
    """`renew_at`, `ends_at`: on the monotonic scale."""

    token: Token
    renew_at: float
    ends_at: float


class Credentials:
    """One for a process. It never tells a secret or a token, neither in errors nor in logs."""

    def __init__(self, client: Client, time: Clock = clock) -> None:
        self._client = client
        self._clock = time
        self._kept: dict[bytes, _Kept] = {}
        self._locks: dict[bytes, asyncio.Lock] = {}

    async def headers(
        self, auth: Auth, secret: str, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """`headers` and whatever the vendor wants beside them. Raises `UpstreamError` when no token can be had."""
        if _signs(auth):
            return {**headers, **auth.sign(method, url, headers, body, secret, self._clock.now())}
        if _asks(auth):
            return {**headers, **auth.token_headers(await self._token(auth, secret))}
        return {**headers, **cast(Header, auth).headers(secret)}

    async def _token(self, grant: Grant, secret: str) -> str:
        name = hashlib.blake2b(f"{type(grant).__qualname__}\0{secret}".encode(), digest_size=16).digest()
        kept = self._kept.get(name)
        if kept and self._clock.monotonic_s() < kept.renew_at:
            return kept.token.text
        async with self._locks.setdefault(name, asyncio.Lock()):
            kept = self._kept.get(name)  # perhaps somebody fetched it while we waited
            if kept and self._clock.monotonic_s() < kept.renew_at:
                return kept.token.text
            try:
                token = await self._fetch(grant, secret)
            except UpstreamError:
                if kept and self._clock.monotonic_s() < kept.ends_at:  # renewed ahead: the old one is still good
                    return kept.token.text
                raise
            now = self._clock.monotonic_s()
            ahead = min(AHEAD_S, token.life_s / 10)
            self._kept[name] = _Kept(token, now + token.life_s - ahead, now + token.life_s)
            return token.text

    async def _fetch(self, grant: Grant, secret: str) -> Token:
        try:
            ask = grant.ask(secret, self._clock.now() - timedelta(seconds=5))  # their clock may be behind ours
        except ValueError as exc:
            raise Denied(upstream_words=str(exc)) from exc
        try:
            response = await self._client.request(
                "POST",
                ask.url,
                headers=ask.headers,
                body=ask.body,
                connect_timeout_s=PATIENCE_S,
                first_byte_timeout_s=PATIENCE_S,
                idle_timeout_s=PATIENCE_S,
            )
            try:
                said = await response.read(MOST_TOKEN_BYTES)
            finally:
                await response.close()
        except HttpFailed as exc:
            raise Broken(upstream_words="no token: its server does not answer") from exc
        if response.status == 429:
            raise Busy(upstream_status=429, upstream_words="no token: too many requests")
        if 400 <= response.status < 500:
            raise Denied(upstream_status=response.status, upstream_words="no token: the account was not accepted")
        if response.status != 200:
            raise Broken(upstream_status=response.status, upstream_words="no token: its server is out of order")
        try:
            return grant.read(said)
        except ValueError as exc:
            raise Broken(upstream_status=200, upstream_words="no token: none in the answer") from exc
