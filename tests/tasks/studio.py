"""The task engine on a real database, with vendors on loopback instead of the world."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import update

from tests.ledger.books import open_ledger
from tests.tasks.vendor import Vendor
from yibu.catalog.catalog import Catalog
from yibu.catalog.model import Model, Models
from yibu.catalog.price import sheet
from yibu.dialects import chat_dialects
from yibu.hub.usage import Meter
from yibu.kit.blobs import Blobs
from yibu.kit.db import Database
from yibu.kit.fetch import Fetcher
from yibu.kit.guard import Guard
from yibu.kit.http import Client
from yibu.kit.ids import new_id, now_ms
from yibu.ledger import CallRow, Ledger, Nanos
from yibu.providers.openai import OpenAI
from yibu.routing.channel import Channel
from yibu.routing.credentials import Credentials
from yibu.routing.health import Health
from yibu.routing.plan import Directory
from yibu.tasks import tables
from yibu.tasks.engine import Engine
from yibu.tasks.files import Files
from yibu.tasks.films import KIND, Films, Order, price
from yibu.tasks.task import Place, State, Task

WALLET = 7
CREDIT = Nanos(100 * 10**9)
SHEET = sheet("film", {Meter.SECOND: Decimal("0.1")})
"""A tenth of a unit of currency a second."""
SECOND = 10**8


class Studio:
    """`engine` is not started; `another_engine` makes further ones for the same rows."""

    def __init__(self, db: Database, ledger: Ledger, files: Files, client: Client) -> None:
        self.db = db
        self.ledger = ledger
        self.files = files
        self.client = client
        self.health = Health(time.monotonic)
        self.fetcher = Fetcher(Guard(), 10**6, 5)
        self.directory = Directory((), Catalog(Models([Model("film", kind="video")]), [SHEET]))
        self.engine = self.another_engine()

    def another_engine(self, kind: type[Engine] = Engine, client: Client | None = None, **options: Any) -> Engine:
        wire = client or self.client
        decode_error = chat_dialects()["openai_chat"].decode_error
        films = Films(
            lambda: self.directory, wire, Credentials(wire), self.files, decode_error, self.health, self.fetcher
        )
        given: dict[str, Any] = {"workers": 8, "lease_s": 60} | options
        return kind(self.db, self.ledger, {KIND: films}, **given)

    def allow(self, *urls: str) -> None:
        """From now on these addresses may be fetched though they are not public."""
        self.fetcher = Fetcher(Guard(tuple(url.removeprefix("http://") for url in urls)), 10**6, 5)
        self.engine = self.another_engine()

    def open_channel(self, name: str, base_url: str, *secrets: str) -> None:
        made = Channel(name, OpenAI(), base_url, secrets or ("sk",), {"film": "sora-2"}, {})
        self.directory = msgspec.structs.replace(self.directory, channels=(*self.directory.channels, made))

    def close_channel(self, name: str) -> None:
        left = tuple(one for one in self.directory.channels if one.name != name)
        self.directory = msgspec.structs.replace(self.directory, channels=left)

    async def order(self, *places: str, seconds: int = 10, deadline_s: float = 60, **members: Any) -> str:
        """Accepts a film and gives its id; `places`: names of channels."""
        wanted = [Place(name, 0, "sora-2") for name in places or ("a",)]
        order = Order(prompt="两只猫", seconds=seconds, size=(720, 1280), **members)
        now = now_ms()
        request_id = new_id("req")
        row = Task(
            id=new_id("task"),
            kind=KIND,
            wallet=WALLET,
            request_id=request_id,
            model="film",
            request=msgspec.json.encode(order).decode(),
            places=msgspec.json.encode(wanted).decode(),
            hold_amount=price(order, SHEET),
            sheet=msgspec.json.encode(SHEET).decode(),
            created_at=now,
            next_at=now,
            deadline_at=now + int(deadline_s * 1000),
        )
        call = CallRow(request_id=request_id, started_at=now, wallet=WALLET, task_id=row.id)
        return (await self.engine.accept(row, call)).id

    async def find(self, task_id: str) -> Task:
        found = await self.engine.find(task_id)
        assert found
        return found

    async def until(self, task_id: str, *states: State) -> Task:
        """Waits until the film is in one of these states, or final."""
        async with asyncio.timeout(10):
            while not ((found := await self.find(task_id)).state.is_final or found.state in states):
                await asyncio.sleep(0.005)
        return found

    async def make(self, *places: str, **options: Any) -> Task:
        """Orders a film and looks after it until it is final."""
        self.engine.start()
        try:
            return await self.until(await self.order(*places, **options))
        finally:
            await self.engine.stop()

    async def write(self, task_id: str, **values: Any) -> None:
        """Changes a row behind everybody's back."""
        await self.db.write(
            lambda conn: conn.execute(update(tables.task).where(tables.task.c.id == task_id).values(**values))
        )

    async def let_leases_run_out(self) -> None:
        """What time does after a worker was killed."""
        await self.db.write(lambda conn: conn.execute(update(tables.task).values(lease_until_at=0)))

    async def money(self) -> tuple[int, int]:
        """Spent and held, in nanos."""
        balance = await self.ledger.balance(WALLET)
        assert balance.available + balance.held + balance.spent == CREDIT
        return balance.spent, balance.held


@asynccontextmanager
async def open_studio(folder: Path) -> AsyncIterator[Studio]:
    """Ends with the proof that the book is right."""
    client = Client()
    async with open_ledger(folder) as (db, ledger):
        await ledger.credit(WALLET, CREDIT, key="test")
        files = Files(db, Blobs(folder / "blobs"), ttl_ms=3_600_000, max_bytes=10**6)
        studio = Studio(db, ledger, files, client)
        try:
            yield studio
        finally:
            await studio.engine.stop()
            await studio.fetcher.close()
            await client.close()


@asynccontextmanager
async def open_vendors(studio: Studio, *names: str) -> AsyncIterator[list[Vendor]]:
    """A channel and a vendor for each name."""
    async with Vendor().running() as vendor:
        studio.open_channel(names[0], vendor.url)
        if len(names) == 1:
            yield [vendor]
            return
        async with open_vendors(studio, *names[1:]) as others:
            yield [vendor, *others]
