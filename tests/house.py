"""A gateway for tests: the real object graph behind the real server on loopback, in the test's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import openai
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from yibu.app import migrate
from yibu.app.build import App, build
from yibu.identity import keys, people
from yibu.kit.money import Nanos
from yibu.kit.settings import Settings, load
from yibu.ledger import check

TEN_UNITS = Nanos(10_000_000_000)


class House:
    """`url`: where it listens; `key`: works and has ten units of credit; `wallet`: whose."""

    def __init__(self, app: App, url: str, key: str, wallet: int) -> None:
        self.app = app
        self.url = url
        self.key = key
        self.wallet = wallet
        self.openai = openai.AsyncOpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0)
        self.session = aiohttp.ClientSession()

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    async def post(
        self, body: Any, path: str = "/v1/chat/completions", **headers: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of a POST; `body`: JSON value, or bytes as they are."""
        kind = {"data": body} if isinstance(body, bytes) else {"json": body}
        all_headers = {"content-type": "application/json", **self.bearer, **headers}
        async with self.session.post(self.url + path, headers=all_headers, **kind) as answer:
            return answer.status, answer.headers, await answer.read()

    async def get(self, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        url = path if path.startswith("http") else self.url + path
        async with self.session.get(url, headers={**self.bearer, **headers}) as answer:
            return answer.status, answer.headers, await answer.read()

    async def spent(self) -> int:
        """Nanos, once everything that was answered is booked."""
        await self.app.house.closings.settled(self.wallet)
        return (await self.app.house.ledger.balance(self.wallet)).spent

    async def held(self) -> int:
        await self.app.house.closings.settled(self.wallet)
        return (await self.app.house.ledger.balance(self.wallet)).held

    async def new_key(self, **options: Any) -> tuple[str, str]:
        """Id and secret of another key of the same wallet."""
        owner = await self.app.house.db.write(people.ensure_owner)
        row, secret = await self.app.house.db.write(
            lambda conn: keys.create(conn, user_id=owner.id, name="another", **options)
        )
        return row.id, secret


def settings_for(data_dir: Path, **members: Any) -> Settings:
    return load(data_dir=data_dir, **members)


@contextlib.asynccontextmanager
async def open_house(settings: Settings, *, credit: Nanos = TEN_UNITS) -> AsyncIterator[House]:
    """Ends with the proof that the book is right."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(settings.database_url)
    app = build(settings)
    await app.start()
    port = free_port()
    server = Server(
        app.gateway, port=port, interface=Interfaces.ASGI, http=HTTPModes.http1, websockets=False, log_enabled=False
    )
    serving = asyncio.create_task(server.serve())
    await until_open(port)
    owner = await app.house.db.write(people.ensure_owner)
    if credit:
        await app.house.ledger.credit(owner.wallet_id, credit, key="test")
    _, secret = await app.house.db.write(lambda conn: keys.create(conn, user_id=owner.id, name="test"))
    house = House(app, f"http://127.0.0.1:{port}", secret, owner.wallet_id)
    try:
        yield house
        await app.house.closings.drain()
        assert await app.house.db.read(check) == []
    finally:
        await house.session.close()
        await house.openai.close()
        server.stop()
        await serving
        await app.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def until_open(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.close()
            return
