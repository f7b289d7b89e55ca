import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from yibu.hub.errors import Broken, Busy, Denied, UpstreamError
from yibu.kit.clock import FixedClock
from yibu.kit.http import Client
from yibu.providers.provider import Ask, Bearer, Token
from yibu.routing.credentials import Credentials

SECRET = "the-secret-of-the-account"


class Counter:
    """A server of tokens on loopback: the first it gives is `token-1`. `status`: how it answers instead."""

    def __init__(self) -> None:
        self.url = ""
        self.given = 0
        self.status = 200
        self.body: Any = None

    async def answer(self, request: web.Request) -> web.Response:
        await asyncio.sleep(0.01)
        if self.status != 200:
            return web.Response(status=self.status, text=f"no {await request.text()}")
        if self.body is not None:
            return web.Response(text=self.body)
        self.given += 1
        return web.Response(text=f"token-{self.given}")


class Tokens:
    """The grant of a vendor whose tokens live an hour."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, secret: str, at: datetime) -> Ask:
        if secret == "torn":
            raise ValueError("This is half a secret.")
        return Ask(url=self.url, headers={}, body=secret.encode())

    def read(self, body: bytes) -> Token:
        if not body.startswith(b"token-"):
            raise ValueError(body.decode())
        return Token(body.decode(), 3600)

    def token_headers(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}


class Signed:
    def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, secret: str, at: datetime
    ) -> dict[str, str]:
        return {"x-signed": f"{method} {url} {headers['accept']} {body.decode()} {secret} {at:%Y-%m-%d}"}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Counter]:
    counter, app = Counter(), web.Application()
    app.router.add_post("/token", counter.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    counter.url = "http://{}:{}/token".format(*runner.addresses[0])
    try:
        yield counter
    finally:
        await runner.cleanup()


class Desk:
    """Credentials with a clock of the test's."""

    def __init__(self, url: str, client: Client) -> None:
        self.clock = FixedClock()
        self.grant = Tokens(url)
        self.credentials = Credentials(client, self.clock)

    async def ask(self, secret: str = SECRET) -> str:
        headers = await self.credentials.headers(self.grant, secret, "POST", "https://v.test/x", {}, b"")
        return headers["authorization"]


@pytest_asyncio.fixture
async def desk(server: Counter) -> AsyncIterator[Desk]:
    client = Client()
    try:
        yield Desk(server.url, client)
    finally:
        await client.close()


async def test_a_plain_secret_stands_beside_the_other_headers(desk: Desk) -> None:
    made = await desk.credentials.headers(Bearer(), "sk-1", "POST", "https://v.test/x", {"accept": "a/b"}, b"")

    assert made == {"accept": "a/b", "authorization": "Bearer sk-1"}


async def test_a_signature_covers_the_whole_call(desk: Desk) -> None:
    """Method, address, headers, body, and the time."""
    made = await desk.credentials.headers(Signed(), "s", "POST", "https://v.test/x", {"accept": "a/b"}, b"{}")

    assert made == {"accept": "a/b", "x-signed": "POST https://v.test/x a/b {} s 2026-01-01"}


async def test_a_token_is_fetched_once_and_kept(desk: Desk, server: Counter) -> None:
    """However many calls wait for it; another account has another one."""
    asked = await asyncio.gather(*(desk.ask() for _ in range(20)))

    assert set(asked) == {"Bearer token-1"}
    assert await desk.ask("another-secret") == "Bearer token-2"
    assert await desk.ask() == "Bearer token-1"
    assert server.given == 2


async def test_a_token_is_renewed_before_it_ends(desk: Desk) -> None:
    """Five minutes ahead, so that a call never travels with one that ends on the way."""
    first = await desk.ask()
    desk.clock.move(3_299_000)
    still = await desk.ask()
    desk.clock.move(2_000)

    assert (first, still, await desk.ask()) == ("Bearer token-1", "Bearer token-1", "Bearer token-2")


async def test_a_renewal_that_fails_does_no_harm_yet(desk: Desk, server: Counter) -> None:
    """The old token serves until its end."""
    await desk.ask()
    desk.clock.move(3_400_000)
    server.status = 500

    assert await desk.ask() == "Bearer token-1"
    desk.clock.move(200_000)
    with pytest.raises(Broken):
        await desk.ask()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, None, Denied),
        (401, None, Denied),
        (403, None, Denied),
        (429, None, Busy),
        (503, None, Broken),
        (200, "{}", Broken),
    ],
)
async def test_why_there_is_no_token_is_sorted(
    status: int, body: Any, kind: type[UpstreamError], desk: Desk, server: Counter
) -> None:
    """As the same answer of the vendor itself would be; and the secret is in none of it."""
    server.status, server.body = status, body
    with pytest.raises(kind) as failed:
        await desk.ask()

    assert SECRET not in f"{failed.value} {failed.value.upstream_words} {failed.value.__cause__!r}"


async def test_a_server_of_tokens_that_is_away_is_broken(desk: Desk) -> None:
    desk.grant.url = "http://127.0.0.1:1/token"
    with pytest.raises(Broken):
        await desk.ask()


async def test_half_a_secret_is_denied(desk: Desk) -> None:
    """Routing parks the credential, and the log says why."""
    with pytest.raises(Denied) as denied:
        await desk.ask("torn")

    assert denied.value.upstream_words == "This is half a secret."
