"""Mistakes that gateways make between a customer and a vendor, over HTTP; the numbers are those of `tests/test_pitfalls.py`."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.gateway.test_bad_input import error_of
from tests.house import House, open_house, settings_for

HI = [{"role": "user", "content": "Hi"}]
START = {
    "type": "message_start",
    "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    | {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 7, "output_tokens": 1}},
}
TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
END = (
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
)


def said(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def frames(*events: dict[str, Any]) -> bytes:
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode() for event in events
    )


class Vendor:
    """Answers with `pieces` as they are, one network write each; `asked`: the bodies it was sent."""

    def __init__(self, *pieces: bytes, **headers: str) -> None:
        self.url = ""
        self.pieces = pieces
        self.headers = {"content-type": "text/event-stream", **{k.replace("_", "-"): v for k, v in headers.items()}}
        self.asked: list[Any] = []
        self.seen: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        reply = web.StreamResponse(headers=self.headers)
        await reply.prepare(request)
        for piece in self.pieces:
            await reply.write(piece)
            await asyncio.sleep(0.002)
        return reply


@asynccontextmanager
async def house_of(
    data_dir: Path, *vendors: Vendor, provider: str = "anthropic", key: str = "k", upstream: str = "m", **more: Any
) -> AsyncIterator[House]:
    """A house whose model `m` is served by these, in this order."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    for number, vendor in enumerate(vendors):
        app.router.add_post(f"/{number}/{{path:.*}}", vendor.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    channels = []
    for number, vendor in enumerate(vendors):
        vendor.url = "http://{}:{}/{}".format(*runner.addresses[0], number)
        about = {"name": f"v{number}", "provider": provider, "base_url": vendor.url, "keys": [key], "tier": number + 1}
        channels.append({**about, "models": {"m": upstream}})
    prices = [{"model": "m", "input": "1", "output": "1"}]
    try:
        async with open_house(settings_for(data_dir, channels=channels, prices=prices, **more)) as house:
            yield house
    finally:
        await runner.cleanup()


async def piped(house: House) -> bytes:
    return (await house.post({"model": "m", "max_tokens": 99, "messages": HI, "stream": True}, "/v1/messages"))[2]


async def translated(house: House) -> bytes:
    return (await house.post({"model": "m", "messages": HI, "stream": True}))[2]


def chat_text(body: bytes) -> str:
    chunks = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


async def test_no_other_vendor_after_the_first_words(tmp_path: Path) -> None:
    """Pitfall 7: once something was sent a break is told by an error, not mended by a second beginning."""
    first, second = Vendor(frames(START, TEXT, said("Hel"))), Vendor(frames(START, TEXT, said("Hello"), *END))
    async with house_of(tmp_path, first, second) as house:
        both = [await piped(house), await translated(house)]

    assert both[0].count(b"event: message_start") == 1
    assert both[0].count(b"event: error") == 1
    assert b"message_stop" not in both[0]
    assert b'"error"' in both[1]
    assert b"[DONE]" not in both[1]
    assert (len(first.asked), second.asked) == (2, [])


async def test_characters_that_the_network_cuts(tmp_path: Path) -> None:
    """Pitfall 15: Chinese and signs of four bytes arrive whole, wherever the network cuts them."""
    data = frames(START, TEXT, said("猫🐈"), *END)
    cut = data.index("🐈".encode())
    vendor = Vendor(data[: cut - 2], data[cut - 2 : cut + 1], data[cut + 1 : cut + 3], data[cut + 3 :])
    async with house_of(tmp_path, vendor) as house:
        both = [await piped(house), await translated(house)]

    assert both[0] == data
    assert chat_text(both[1]) == "猫🐈"


async def test_a_long_line(tmp_path: Path) -> None:
    """Pitfall 16: a frame of several megabytes, as a picture is, comes through on both ways."""
    long = "x" * 3_000_000
    data = frames(START, TEXT, said(long), *END)
    async with house_of(tmp_path, Vendor(data)) as house:
        both = [await piped(house), await translated(house)]

    assert both[0] == data
    assert chat_text(both[1]) == long


async def test_a_stream_that_is_packed_all_the_same(tmp_path: Path) -> None:
    """Pitfall 17: it is asked for as it is; a vendor who packs it is unpacked, and the customer is told of no packing."""
    data = frames(START, TEXT, said("Hello"), *END)
    vendor = Vendor(gzip.compress(data), content_encoding="gzip")
    async with house_of(tmp_path, vendor) as house:
        status, headers, body = await house.post(
            {"model": "m", "max_tokens": 9, "messages": HI, "stream": True}, "/v1/messages"
        )

    assert (status, body) == (200, data)
    assert "content-encoding" not in headers
    assert vendor.seen[0]["accept-encoding"] == "identity"


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/gone.png", "https://no-such-host.invalid/x.png"])
async def test_a_picture_that_cannot_be_had(tmp_path: Path, url: str) -> None:
    """Pitfall 58: it is an error that names its place, never a remark in the conversation; nobody is asked."""
    vendor = Vendor(b"{}", content_type="application/json")
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    async with house_of(tmp_path, vendor, provider="gemini") as house:
        status, _, body = await house.post({"model": "m", "messages": [{"role": "user", "content": content}]})

    error = error_of(body)
    assert (status, error["code"], error["param"]) == (400, "invalid_image_url", "$.messages[0].content[1]")
    assert vendor.asked == []


async def test_thoughts_in_the_text_stay_there(tmp_path: Path) -> None:
    """Pitfall 32: nobody guesses what tags in an answer mean: text with them arrives whole, on both ways."""
    text = "<think>hm</think>Yes."
    async with house_of(tmp_path, Vendor(frames(START, TEXT, said(text[:5]), said(text[5:]), *END))) as house:
        both = [await piped(house), await translated(house)]

    assert both[0].count(b"text_delta") == 2
    assert chat_text(both[1]) == text


async def test_usage_is_the_same_at_every_host(tmp_path: Path) -> None:
    """Pitfall 68: Claude at Anthropic and at Bedrock counts in the same words, and costs the same, piped and translated."""
    usage = {"input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 10, "output_tokens": 5}
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"}
    body = json.dumps({**whole, "content": [{"type": "text", "text": "Hi"}], "usage": usage}).encode()
    costs = []
    for provider, model, key in (
        ("anthropic", "claude-x", "k"),
        ("bedrock", "anthropic.claude-x", "ABSKQmVkcm9ja0FQSUtleQ=="),
    ):
        vendor = Vendor(body, content_type="application/json")
        async with house_of(tmp_path / provider, vendor, provider=provider, upstream=model, key=key) as house:
            await house.post({"model": "m", "max_tokens": 9, "messages": HI}, "/v1/messages")
            first = await house.spent()
            _, _, answer = await house.post({"model": "m", "messages": HI})
            costs.append((first, await house.spent() - first, json.loads(answer)["usage"]["prompt_tokens"]))

    assert costs[0] == costs[1]
    assert costs[0][0] == costs[0][1] > 0
    assert costs[0][2] == 33
