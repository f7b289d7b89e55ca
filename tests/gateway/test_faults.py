"""A vendor that cuts, stalls or talks nonsense, a client that hangs up: a clear error, and never a wrong charge."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import pytest_asyncio
from aiohttp import web

from tests.gateway.conftest import SLOW, change
from tests.gateway.test_bad_input import error_of, serving
from tests.gateway.test_chat import rows
from tests.house import House, free_port, open_house, settings_for
from yibu.hub.errors import Broken
from yibu.kit.clock import FixedClock
from yibu.kit.settings import ChannelSettings, PriceSettings, Settings

HELLO = [{"role": "user", "content": "Tell me something that takes a while, please."}]
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "from the second"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
}


def ask(model: str, **members: Any) -> dict[str, Any]:
    return {"model": model, "messages": HELLO, **members}


@pytest_asyncio.fixture
async def hasty(settings: Settings) -> AsyncIterator[House]:
    """A house that does not wait long for its vendors."""
    async with open_house(
        change(settings, "limits", connect_s=1.0, first_byte_s=1.0, idle_s=1.0, attempts=1)
    ) as opened:
        yield opened


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("sandbox/busy-429", 429, "upstream_busy"),
        ("sandbox/error-500", 502, "upstream_broken"),
        ("sandbox/html", 502, "upstream_broken"),
        ("sandbox/bad-json", 502, "upstream_broken"),
        ("sandbox/cut-mid-stream", 502, "upstream_broken"),
        ("sandbox/stall", 504, "upstream_timeout"),
    ],
)
async def test_vendor_in_trouble(hasty: House, model: str, status: int, code: str) -> None:
    """In one piece: an error in the dialect's shape with a stable code, and nothing is charged."""
    answered, headers, body = await hasty.post(ask(model))

    assert answered == status
    assert error_of(body)["code"] == code
    assert "127.0.0.1" not in error_of(body)["message"]
    assert ("retry-after" in headers) == (model == "sandbox/busy-429")
    assert await hasty.spent() == await hasty.held() == 0


@pytest.mark.parametrize("model", ["sandbox/cut-mid-stream", "sandbox/stall"])
async def test_stream_that_breaks(hasty: House, model: str) -> None:
    """Pitfall 21: the SDK raises; what was delivered is charged by estimate, and marked so."""
    stream = await hasty.openai.chat.completions.create(**ask(model), stream=True)
    with pytest.raises(openai.APIError):
        await collect(stream)
    [row] = await rows(hasty)

    assert row["is_estimated"]
    assert row["error_code"] in ("upstream_broken", "upstream_timeout")
    assert row["cost"] == await hasty.spent() > 0
    assert await hasty.held() == 0


@pytest.mark.parametrize("model", ["sandbox/html", "sandbox/error-500"])
async def test_stream_that_never_begins(hasty: House, model: str) -> None:
    """Pitfalls 18, 19: before the first byte the error has its HTTP status."""
    with pytest.raises(openai.InternalServerError) as raised:
        await hasty.openai.chat.completions.create(**ask(model), stream=True)

    assert raised.value.status_code == 502
    assert await hasty.spent() == 0


async def test_stream_with_a_frame_that_is_no_json(house: House) -> None:
    """The SDK raises, whether the bad frame came with the first bytes (then by status) or later (then by an error frame)."""
    with pytest.raises(openai.APIError) as raised:
        await collect(await house.openai.chat.completions.create(**ask("sandbox/bad-json"), stream=True))

    assert raised.value.code == "upstream_broken"
    assert await house.held() == 0


async def test_vendor_without_usage(house: House) -> None:
    """A vendor that does not count is billed by estimate, alike with and without a stream."""
    whole = await house.openai.chat.completions.create(**ask("sandbox/no-usage"))
    stream = await house.openai.chat.completions.create(**ask("sandbox/no-usage"), stream=True)
    words = await collect(stream)
    first, second = await rows(house)

    assert whole.choices[0].message.content == words
    assert first["is_estimated"]
    assert second["is_estimated"]
    assert json.loads(str(first["units"]))["output"] == json.loads(str(second["units"]))["output"] > 0


async def test_client_that_hangs_up_in_a_stream(house: House) -> None:
    """Pitfall 75: what was read and delivered is charged, the vendor is told to stop, and the call is logged as 499."""
    request = ask(SLOW, stream=True)
    async with house.session.post(f"{house.url}/v1/chat/completions", headers=house.bearer, json=request) as answer:
        await answer.content.readline()
        await asyncio.sleep(0.3)
        answer.close()
    await until(lambda: rows(house))
    [row] = await rows(house)

    assert row["status"] == 499
    assert row["is_estimated"]
    assert 0 < int(str(row["cost"])) == await house.spent()
    assert await house.held() == 0


async def test_client_that_hangs_up_before_a_whole_answer(house: House) -> None:
    """Pitfall 75: the vendor makes and bills such an answer anyway, so it is waited for and charged by its own count."""
    request = ask(SLOW)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await house.post(request)
    await until(lambda: rows(house))
    [row] = await rows(house)

    assert row["status"] == 499
    assert not row["is_estimated"]
    assert 0 < int(str(row["cost"])) == await house.spent()


async def test_second_channel_takes_over(tmp_path: Any, sandbox: Any) -> None:
    """A vendor that fails before its first byte is replaced by the next, and the customer notices nothing."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.headers["authorization"])
        return web.json_response(ANSWER)

    async def fail(request: web.Request) -> web.Response:
        asked.append(request.headers["authorization"])
        return web.Response(status=500, text="<html>oops</html>", content_type="text/html")

    broken, good = free_port(), free_port()
    channels = tuple(
        ChannelSettings(
            name=name,
            provider="openai",
            base_url=f"http://127.0.0.1:{port}/v1/",
            keys=(f"sk-{name}",),
            models={"m": "m"},
            tier=tier,
        )
        for name, port, tier in (("broken", broken, 1), ("good", good, 2))
    )
    settings = settings_for(
        tmp_path / "data", channels=channels, prices=(PriceSettings(model="m", input="1", output="2"),)
    )
    async with serving(broken, fail), serving(good, answer), open_house(settings) as house:
        status, headers, body = await house.post(ask("m"))
        spent = await house.spent()

    assert status == 200
    assert headers["x-yibu-channel"] == "good"
    assert json.loads(body) == ANSWER
    assert asked == ["Bearer sk-broken", "Bearer sk-good"]
    assert spent == 10 * 1_000 + 3 * 2_000


async def test_vendor_that_refuses_the_request(tmp_path: Any) -> None:
    """The vendor's own words about a wrong request reach the customer, without its address and its keys; nobody else is asked."""
    asked = 0

    async def refuse(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        message = "Unsupported value: 'temperature' for sk-secretsecret at https://internal.example.com/v1"
        error = {
            "message": message,
            "type": "invalid_request_error",
            "param": "temperature",
            "code": "unsupported_value",
        }
        return web.json_response({"error": error}, status=400)

    port = free_port()
    channels = tuple(
        ChannelSettings(name=n, provider="openai", base_url=f"http://127.0.0.1:{port}", models={"m": "m"}) for n in "ab"
    )
    settings = settings_for(
        tmp_path / "data", channels=channels, prices=(PriceSettings(model="m", input="1", output="2"),)
    )
    async with serving(port, refuse), open_house(settings) as house:
        status, _, body = await house.post(ask("m", temperature=3))

    error = error_of(body)
    assert (status, error["code"], error["param"]) == (400, "unsupported_value", "temperature")
    assert "Unsupported value" in error["message"]
    assert "secretsecret" not in error["message"]
    assert "internal.example.com" not in error["message"]
    assert asked == 1


async def test_vendor_that_refuses_the_operators_key(tmp_path: Any) -> None:
    """The operator's trouble is not the customer's: no 401, no word of the key."""

    async def deny(_request: web.Request) -> web.Response:
        error = {
            "message": "Incorrect API key provided: sk-abcdefgh",
            "type": "invalid_request_error",
            "code": "invalid_api_key",
        }
        return web.json_response({"error": error}, status=401)

    port = free_port()
    channel = ChannelSettings(
        name="a", provider="openai", base_url=f"http://127.0.0.1:{port}", keys=("sk-abcdefgh",), models={"m": "m"}
    )
    settings = settings_for(
        tmp_path / "data", channels=(channel,), prices=(PriceSettings(model="m", input="1", output="2"),)
    )
    async with serving(port, deny), open_house(settings) as house:
        status, _, body = await house.post(ask("m"))

    assert status == 503
    assert error_of(body)["code"] == "upstream_denied"
    assert b"abcdefgh" not in body


async def test_vendor_that_is_back_is_tried_by_one_call(tmp_path: Any) -> None:
    """After the rest of an open circuit; the others go elsewhere until that one has its answer."""
    asked, is_asked, is_back = 0, asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        is_asked.set()
        await is_back.wait()
        return web.json_response(ANSWER)

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(ANSWER)

    usual, other = free_port(), free_port()
    channels = tuple(
        ChannelSettings(
            name=name, provider="openai", base_url=f"http://127.0.0.1:{port}", models={"m": "m"}, weight=weight
        )
        for name, port, weight in (("usual", usual, 10**9), ("other", other, 1))
    )
    settings = settings_for(
        tmp_path / "data", channels=channels, prices=(PriceSettings(model="m", input="1", output="2"),)
    )
    clock = FixedClock()
    async with serving(usual, slow), serving(other, answer), open_house(settings) as house:
        health = house.app.house.wires.health
        health._now = clock.monotonic_s
        for _ in range(5):
            health.failed("usual", 0, "m", Broken())
        clock.move(15_000)
        first = asyncio.create_task(house.post(ask("m")))
        await is_asked.wait()
        others = await asyncio.gather(*(house.post(ask("m")) for _ in range(5)))
        is_back.set()
        channels_of = [
            headers["x-yibu-channel"] for _, headers, _ in (await first, *others, await house.post(ask("m")))
        ]

    assert channels_of == ["usual", *["other"] * 5, "usual"]
    assert asked == 2


async def test_absurd_usage_is_not_believed(house: House) -> None:
    """A vendor that reports nonsense cannot empty the wallet."""
    status, _, _ = await house.post(ask("sandbox/wrong-length"))
    [row] = await rows(house)

    assert status == 200
    assert row["is_estimated"]
    assert await house.spent() < 1_000_000


async def collect(stream: Any) -> str:
    """The text of a streamed answer."""
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def until(ask_again: Any) -> None:
    """Waits for something to be true, at most ten seconds."""
    async with asyncio.timeout(10):
        while not await ask_again():
            await asyncio.sleep(0.05)


async def test_balance_after_an_error(hasty: House) -> None:
    """A call that failed leaves nothing behind that a balance would wait for."""
    await hasty.post(ask("sandbox/error-500"))
    await hasty.app.house.closings.drain()
    async with asyncio.timeout(0.5):
        await hasty.app.house.closings.settled(hasty.wallet)
