"""Callers and vendors who mean no good: a clear error in each format's shape, bounded memory, and the money where it belongs."""

import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.gateway.test_bad_input import serving
from tests.house import House, free_port, open_house, settings_for
from yibu.kit.settings import ChannelSettings, PriceSettings

MB = 1024 * 1024
HELLO = [{"role": "user", "content": "hi"}]
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai_chat": ("/v1/chat/completions", {"model": "MODEL", "messages": HELLO}),
    "openai_responses": ("/v1/responses", {"model": "MODEL", "input": "hi", "store": False}),
    "anthropic": ("/v1/messages", {"model": "MODEL", "max_tokens": 50, "messages": HELLO}),
    "gemini": ("/v1beta/models/MODEL:generateContent", {"contents": [{"parts": [{"text": "hi"}]}]}),
}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai_embeddings": ("/v1/embeddings", {"model": "MODEL", "input": "hi"}),
    "cohere_rerank_v2": ("/v2/rerank", {"model": "MODEL", "query": "q", "documents": ["a"]}),
    "openai_moderations": ("/v1/moderations", {"model": "MODEL", "input": "hi"}),
}
VENDORS = {"chat": ("openai", "openai_chat"), "messages": ("anthropic", "anthropic"), "google": ("gemini", "gemini"),
           "responses": ("openai", "openai_responses")}  # fmt: skip
"""By model: the provider and the format that its vendor is asked in."""

Answer = Callable[[web.Request], Any]
every_caller = pytest.mark.parametrize("caller", FORMATS)
every_vendor = pytest.mark.parametrize("model", VENDORS)
both_ways = pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "streamed"])


class Vendor:
    """Answers as a test says."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked = 0
        self.answer: Answer = lambda _request: web.Response(text="")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        await request.read()
        answer = self.answer(request)
        made: web.StreamResponse = await answer if hasattr(answer, "__await__") else answer
        return made


@pytest_asyncio.fixture
async def vendor(tmp_path: Path) -> AsyncIterator[tuple[Vendor, House]]:
    """A house with one hostile vendor, sold under a name for each format that it is asked in."""
    made = Vendor()
    url = f"http://127.0.0.1:{made.port}"
    channels = tuple(
        ChannelSettings(
            name=model, provider=provider, base_url=url, keys=("sk-x",), models={model: model}, speaks=(format,)
        )
        for model, (provider, format) in VENDORS.items()
    )
    prices = tuple(PriceSettings(model=model, input=Decimal("1"), output=Decimal("2")) for model in VENDORS)
    settings = settings_for(
        tmp_path / "data", channels=channels, prices=prices, limits={"idle_s": 5.0, "first_byte_s": 5.0, "attempts": 1}
    )
    async with serving(made.port, made.handle), open_house(settings) as house:
        yield made, house


async def ask(house: House, caller: str, model: str, *, is_stream: bool = False) -> tuple[int, bytes]:
    path, body = {**FORMATS, **OTHERS}[caller]
    text = json.dumps({**body, **({"stream": True} if is_stream and caller != "gemini" else {})})
    if caller == "gemini" and is_stream:
        path = path.replace("generateContent", "streamGenerateContent?alt=sse")
    status, _, answer = await house.post(text.replace("MODEL", model).encode(), path.replace("MODEL", model))
    return status, answer


def error_in(caller: str, body: bytes) -> dict[str, Any]:
    """The error object of a whole answer, which has the members that the format's has."""
    said = json.loads(body)
    if caller == "anthropic":
        assert said["type"] == "error"
        assert set(said["error"]) >= {"type", "message"}
    elif caller == "gemini":
        assert set(said["error"]) >= {"code", "message", "status"}
    elif caller in ("openai_chat", "openai_responses"):
        assert set(said["error"]) >= {"message", "type", "param", "code"}
    error: dict[str, Any] = said.get("error", said)
    return error


BODIES = {
    "empty": b"",
    "no JSON": b"hello",
    "a form": b"model=MODEL&messages=hi",
    "cut": b'{"model":"MODEL","messages":[{"role"',
    "a list": b"[]",
    "null": b"null",
    "no UTF-8": b'{"model":"\xff\xfe"}',
    "a surrogate's bytes": b'{"model":"MODEL","x":"\xed\xa0\x80"}',
    "deep objects": b'{"model":"MODEL","x":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
    "deep lists": b'{"model":"MODEL","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "NaN": b'{"model":"MODEL","temperature":NaN}',
    "infinity": b'{"model":"MODEL","temperature":-Infinity}',
}


@pytest.mark.parametrize("caller", [*FORMATS, *OTHERS])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_bodies_that_are_none(nobody: House, caller: str, body: bytes) -> None:
    """Each is the caller's mistake, told in his format; nothing is held for it."""
    status, _, answer = await nobody.post(
        body.replace(b"MODEL", b"chat"), {**FORMATS, **OTHERS}[caller][0].replace("MODEL", "chat")
    )

    assert status in (400, 404)
    assert error_in(caller, answer)["message"]


@pytest_asyncio.fixture
async def nobody(tmp_path: Path) -> AsyncIterator[House]:
    """A house that sells nothing."""
    async with open_house(settings_for(tmp_path / "data")) as house:
        yield house
        assert await house.held() == 0


SHARDS = {
    "huge": b"1e999",
    "half a pair": b'"\\ud800"',
    "digits": b"9" * 5000,
    "key": b'{"\\ud800":1}',
    "twice": b'{"a":1,"a":2}',
}


@every_caller
@every_vendor
@pytest.mark.parametrize("shard", SHARDS.values(), ids=SHARDS)
async def test_values_that_nobody_can_read(vendor: tuple[Vendor, House], caller: str, model: str, shard: bytes) -> None:
    """In members of any depth: the vendor is asked, or it is the caller's mistake; never ours."""
    made, house = vendor
    made.answer = lambda _request: web.json_response(
        {"error": {"message": "no", "type": "invalid_request_error"}}, status=400
    )
    path, body = FORMATS[caller]
    function = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": "@"}}}
    tools: dict[str, Any] = {
        "openai_chat": {"type": "function", "function": function},
        "openai_responses": {"type": "function", **function},
        "anthropic": {"name": "f", "input_schema": function["parameters"]},
        "gemini": {"functionDeclarations": [function]},
    }
    for more in (
        {"of_tomorrow": "@"},
        {"temperature": "@"},
        {"tools": [tools[caller]]},
        {"metadata": {"user_id": "@"}},
    ):
        text = json.dumps({**body, **more}).replace("MODEL", model).encode().replace(b'"@"', shard)
        status, _, answer = await house.post(text, path.replace("MODEL", model))

        assert status == 400
        assert error_in(caller, answer)["message"]
    assert await house.spent() == await house.held() == 0


@every_caller
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_the_content_type_does_not_matter(vendor: tuple[Vendor, House], caller: str, kind: str) -> None:
    """JSON is JSON, whatever a tool calls it."""
    made, house = vendor
    made.answer = lambda _request: web.json_response({"error": {"message": "just so"}}, status=400)
    path, body = FORMATS[caller]
    text = json.dumps(body).replace("MODEL", "chat").encode()
    status, _, answer = await house.post(text, path.replace("MODEL", "chat"), **{"content-type": kind})

    assert (status, made.asked) == (400, 1)
    assert "just so" in error_in(caller, answer)["message"]


def bomb(kind: str, size: int) -> Answer:
    """`size` bytes of one long JSON string, in a few thousandths of that on the wire."""
    packed = gzip.compress(b'{"x":"' + b"a" * size)
    return lambda _request: web.Response(body=packed, headers={"content-type": kind, "content-encoding": "gzip"})


ODD: dict[str, tuple[str, bytes]] = {
    "empty": ("application/json", b""),
    "empty stream": ("text/event-stream", b""),
    "page": ("text/html", b"<html>hello</html>"),
    "page called JSON": ("application/json", b"<html>hello</html>"),
    "page called stream": ("text/event-stream", b"<html>hello</html>"),
    "null": ("application/json", b"null"),
    "list": ("application/json", b"[]"),
    "no UTF-8": ("application/json", b'{"id":"\xff"}'),
    "deep": ("application/json", b'{"choices":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "deep stream": ("text/event-stream", b"data: " + b"[" * 100_000 + b"]" * 100_000 + b"\n\n"),
    "stream of nothing": ("text/event-stream", b": hello\n\n" * 1000),
    "stream of nonsense": ("text/event-stream", b"data: {\n\ndata: nonsense\n\n"),
    "stream of numbers": ("text/event-stream", b"data: 1e999\n\n"),
    "text": ("text/plain", b"fine"),
    "no type": ("", b"{}"),
}


@every_caller
@every_vendor
@both_ways
async def test_answers_that_are_none(vendor: tuple[Vendor, House], caller: str, model: str, is_stream: bool) -> None:
    """An upstream error in the caller's format, and nothing is charged; also for a stream where a whole answer was asked for.

    It has its status, unless the pipe has begun with what might have become a frame.
    """
    made, house = vendor
    for name, (kind, body) in ODD.items():
        made.answer = lambda _request, kind=kind, body=body: web.Response(body=body, headers={"content-type": kind})
        status, answer = await ask(house, caller, model, is_stream=is_stream)

        if status == 200 and is_stream:
            assert "stream" in name
            assert b"could not be understood" in answer or b"broke off" in answer
            continue
        assert status in (502, 503), name  # by what the caller's format calls it
        assert error_in(caller, answer)["message"], name
    assert await house.spent() == await house.held() == 0


@pytest.mark.parametrize("model", ["chat", "messages"])
@both_ways
async def test_a_bomb(vendor: tuple[Vendor, House], model: str, is_stream: bool) -> None:
    """An answer that unpacks to 300 MB: an upstream error, and never more in memory than an answer may have."""
    made, house = vendor
    made.answer = bomb("text/event-stream" if is_stream else "application/json", 300 * MB)
    await house.spent()
    tracemalloc.start()
    status, answer = await ask(house, "openai_chat", model, is_stream=is_stream)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert status == 502 or (is_stream and b"upstream_broken" in answer[-1000:])
    assert peak < 220 * MB
    assert await house.held() == 0
