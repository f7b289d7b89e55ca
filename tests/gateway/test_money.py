"""A call that was served is charged once, and one that was not is not."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.gateway.test_bad_input import serving
from tests.house import TEN_UNITS, House, free_port, open_house, settings_for
from yibu.kit.ids import now_ms
from yibu.kit.money import Nanos
from yibu.kit.settings import ChannelSettings, PriceSettings
from yibu.ledger import stale

ASK = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
PRICE = 100 * 1000 + 10 * 2000


def frame(**members: Any) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []} | members
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def said(words: str, finish: str | None = None) -> bytes:
    return frame(choices=[{"index": 0, "delta": {"content": words}, "finish_reason": finish}])


@contextlib.asynccontextmanager
async def house_of(data_dir: Path, *vendors: Any, credit: Nanos = TEN_UNITS) -> AsyncIterator[House]:
    """A house with these vendors, asked in this order."""
    async with contextlib.AsyncExitStack() as stack:
        channels = []
        for number, vendor in enumerate(vendors):
            port = free_port()
            await stack.enter_async_context(serving(port, vendor))
            url = f"http://127.0.0.1:{port}"
            channels.append(
                ChannelSettings(name=f"v{number}", provider="openai", base_url=url, models={"m": "m"}, tier=number)
            )
        price = PriceSettings(model="m", input=Decimal(1), output=Decimal(2))
        settings = settings_for(data_dir, channels=tuple(channels), prices=(price,))
        yield await stack.enter_async_context(open_house(settings, credit=credit))


async def stream(request: web.Request, *frames: bytes) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await answer.prepare(request)
    for one in frames:
        await answer.write(one)
    return answer


async def test_an_error_with_usage_is_not_charged(tmp_path: Path) -> None:
    """What vendors count for an attempt that answered nothing is not the customer's, nor when the next one fails, too."""

    async def fail(request: web.Request) -> web.StreamResponse:
        return await stream(request, frame(usage=USAGE) + frame(error={"message": "overloaded", "code": 503}))

    async def away(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    async with house_of(tmp_path, fail, away) as house:
        status, _, body = await house.post(ASK)

        assert status == 502, body
        assert await house.spent() == await house.held() == 0


async def test_a_long_call_keeps_its_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed gateway held is given back; a stream that runs for hours is charged in the end all the same."""
    go_on = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        answer = await stream(request, said("one "))
        await go_on.wait()
        await answer.write(said("two", "stop") + frame(usage=USAGE) + b"data: [DONE]\n\n")
        return answer

    async with house_of(tmp_path, slow) as house:
        url = f"{house.url}/v1/chat/completions"
        async with house.session.post(url, headers=house.bearer, json=ASK) as answer:
            await answer.content.readany()
            monkeypatch.setattr(stale, "now_ms", lambda: now_ms() + 10 * 3_600_000)
            await house.app.chores[0]._work()
            go_on.set()
            await answer.read()

        assert await house.spent() == PRICE
        assert await house.held() == 0


SHORT = {"model": "m", "max_tokens": 1000, "messages": [{"role": "user", "content": "hi"}]}
HUNDRED_CALLS = Nanos(100 * 1000 * 2000)
"""What the output of so many short calls can cost."""
FIRST_HOLD = "SELECT amount FROM transfer WHERE kind = 'hold' AND reason = 'call' ORDER BY id"


async def test_a_busy_wallet_spends_what_it_has(tmp_path: Path) -> None:
    """Calls of one wallet with two keys, many at once: those that the credit suffices for are served and charged, the
    others are refused before the vendor is asked."""
    gate, asked = asyncio.Event(), 0

    async def vendor(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        await gate.wait()
        choice = {"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": USAGE})

    async with house_of(tmp_path, vendor, credit=HUNDRED_CALLS) as house:
        _, second = await house.new_key()
        gate.set()
        for _ in range(5):  # from now on the wallet has a lease
            assert (await house.post(SHORT))[0] == 200
        gate.clear()
        calls = [
            asyncio.create_task(house.post(SHORT, authorization=f"Bearer {key}"))
            for key in (house.key, second)
            for _ in range(70)
        ]
        async with asyncio.timeout(10):
            while sum(call.done() for call in calls) + asked - 5 < len(calls):
                await asyncio.sleep(0.01)
        gate.set()
        statuses = [status for status, _, _ in await asyncio.gather(*calls)]

        served = statuses.count(200)
        most = await house.app.house.db.read(lambda conn: conn.exec_driver_sql(FIRST_HOLD).scalars().first())
        assert served == (HUNDRED_CALLS - 5 * PRICE) // most == 97
        assert statuses.count(429) == len(calls) - served
        assert asked == served + 5
        assert await house.spent() == asked * PRICE
        assert await house.held() == 0
        balance = await house.app.house.ledger.balance(house.wallet)
        assert balance.available == HUNDRED_CALLS - asked * PRICE
