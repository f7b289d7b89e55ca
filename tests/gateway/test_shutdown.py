"""The gateway is told to stop while answers are under way."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.gateway.test_bad_input import serving
from tests.gateway.test_money import ASK, said, stream
from tests.house import free_port
from yibu.app import migrate, serve
from yibu.app.build import App, build
from yibu.identity import keys, people
from yibu.kit.db import Database
from yibu.kit.money import Nanos
from yibu.kit.settings import load
from yibu.ledger import check
from yibu.ledger.book import load_balance


async def test_a_stream_that_does_not_end_is_cut_and_charged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time to drain the gateway stops; what was delivered until then stands in the book."""
    monkeypatch.setattr(serve, "DRAIN_S", 0.3)
    over = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = await stream(request, said("one two three four "))
        await over.wait()
        return answer

    vendor_port, port = free_port(), free_port()
    settings = load(
        data_dir=tmp_path,
        channels=[{"name": "v", "provider": "openai", "base_url": f"http://127.0.0.1:{vendor_port}", "models": ["m"]}],
        prices=[{"model": "m", "input": "1", "output": "2"}],
    )
    migrate.upgrade(settings.database_url)
    app = build(settings)
    await app.start()
    owner = await app.house.db.write(people.ensure_owner)
    await app.house.ledger.credit(owner.wallet_id, Nanos(10**10), key="test")
    _, secret = await app.house.db.write(lambda conn: keys.create(conn, user_id=owner.id, name="test"))
    stop, ready = asyncio.Event(), asyncio.Event()

    async def say_ready(_app: App, _url: str) -> None:
        ready.set()

    async with serving(vendor_port, endless), aiohttp.ClientSession() as session:
        serving_task = asyncio.create_task(serve._listen(app, "127.0.0.1", port, stop, say_ready))
        await ready.wait()
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        async with session.post(url, headers={"authorization": f"Bearer {secret}"}, json=ASK) as answer:
            await answer.content.readany()
            stop.set()
            await asyncio.wait_for(serving_task, 5)
            await asyncio.wait_for(app.stop(), 5)
        over.set()

    db = Database.open(settings.database_url)
    balance = await db.read(lambda conn: load_balance(conn, owner.wallet_id))
    assert await db.read(check) == []
    await db.close()
    assert balance.held == 0
    assert balance.spent > 0
