"""A vendor that speaks Anthropic's format behind the gateway, for callers of this and of other formats."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import anthropic
import pytest
import pytest_asyncio
from aiohttp import web

from tests.gateway.test_anthropic import WEATHER, asked
from tests.gateway.test_chat import WEATHER as CHAT_WEATHER
from tests.gateway.test_chat import picture
from tests.house import House, free_port, open_house
from yibu.app.sandbox import SandboxChild
from yibu.dialects.anthropic import parcel
from yibu.kit.settings import ChannelSettings, PriceSettings, Settings

CLAUDE = "claude-sonnet-4-5"
CLAUDE_4 = "claude-sonnet-4-20250514"
THINK = "claude-think"


@pytest_asyncio.fixture
async def claude(settings: Settings, sandbox: SandboxChild) -> AsyncIterator[House]:
    """A house whose `claude-…` models are the sandbox, asked in Anthropic's format."""
    theirs = next(one for one in settings.channels if one.base_url == sandbox.url)
    models = {CLAUDE: "sandbox/rules", THINK: "sandbox/think"}
    channel = ChannelSettings(
        name="claude", provider="anthropic", base_url=sandbox.url, keys=theirs.keys, models=models
    )
    prices = tuple(PriceSettings(model=name, input=Decimal("3"), output=Decimal("15")) for name in models)
    changed = settings.model_copy(
        update={"channels": (*settings.channels, channel), "prices": (*settings.prices, *prices)}
    )
    async with open_house(changed) as opened:
        yield opened


@pytest_asyncio.fixture
async def client(claude: House) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key=claude.key, base_url=claude.url, max_retries=0) as opened:
        yield opened


async def test_piped_answer_and_stream(claude: House, client: anthropic.AsyncAnthropic) -> None:
    """The same format on both sides: the answer is the vendor's, and the bill is what it says."""
    whole = await client.messages.create(model=CLAUDE, max_tokens=100, messages=asked("Say hello."))
    async with client.messages.stream(model=CLAUDE, max_tokens=100, messages=asked("count to 5")) as stream:
        streamed = await stream.get_final_message()
    cost = sum(one.usage.input_tokens * 3000 + one.usage.output_tokens * 15_000 for one in (whole, streamed))

    assert whole.content[0].type == "text"
    assert streamed.stop_reason == "end_turn"
    assert await claude.spent() == cost


async def test_tool_of_openais_client(claude: House) -> None:
    """A caller of Chat Completions gets a call out of Anthropic's blocks, and its result goes back."""
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris, in celsius?"}]
    tools: Any = [CHAT_WEATHER]
    first = await claude.openai.chat.completions.create(
        model=CLAUDE, messages=messages, tools=tools, tool_choice="required", parallel_tool_calls=False
    )
    [wanted] = first.choices[0].message.tool_calls or []
    assert wanted.type == "function"
    assert json.loads(wanted.function.arguments)["city"] == "Paris"
    assert first.choices[0].finish_reason == "tool_calls"

    messages += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": wanted.id, "content": "18 degrees"},
    ]
    second = await claude.openai.chat.completions.create(model=CLAUDE, messages=messages, tools=tools)

    assert "18 degrees" in (second.choices[0].message.content or "")


async def test_stream_of_openais_client(claude: House) -> None:
    """Text, usage and end of a translated stream are OpenAI's."""
    stream = await claude.openai.chat.completions.create(
        model=CLAUDE,
        messages=[{"role": "system", "content": "Be short."}, {"role": "user", "content": "count to 5"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    assert "5" in said
    assert chunks[-1].usage
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"


async def test_picture_of_openais_client(claude: House) -> None:
    content: Any = [
        {"type": "text", "text": "What do you see?"},
        {"type": "image_url", "image_url": {"url": picture("red")}},
    ]
    answer = await claude.openai.chat.completions.create(model=CLAUDE, messages=[{"role": "user", "content": content}])

    assert "red" in (answer.choices[0].message.content or "").lower()


async def test_wrong_wish_of_openais_client(claude: House) -> None:
    """What no model of this format can do is the caller's mistake, told in his shape."""
    status, _, body = await claude.post({"model": CLAUDE, "n": 2, "messages": asked("hi")})

    assert status == 400
    assert json.loads(body)["error"]["param"] == "$.n"


async def test_conversation_that_changes_its_vendor(claude: House, client: anthropic.AsyncAnthropic) -> None:
    """Pitfall 83: thoughts of another vendor are taken out before Anthropic gets the conversation."""
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    messages = asked("Why?")
    first = await client.messages.create(model="sandbox/think", max_tokens=4000, messages=messages, thinking=thinking)
    assert first.content[0].type == "thinking"
    assert parcel.is_packed(first.content[0].signature)
    messages += [{"role": "assistant", "content": [block.to_dict() for block in first.content]}, *asked("And then?")]
    second = await client.messages.create(model=THINK, max_tokens=4000, messages=messages, thinking=thinking)

    assert second.stop_reason == "end_turn"


async def test_count_is_the_vendors(claude: House, client: anthropic.AsyncAnthropic) -> None:
    """A vendor that counts is asked, and says what its own answer will say; it costs nothing."""
    counted = await client.messages.count_tokens(model=CLAUDE, messages=asked("hello"), tools=[WEATHER])
    answer = await client.messages.create(model=CLAUDE, max_tokens=100, messages=asked("hello"), tools=[WEATHER])
    status, headers, _ = await claude.post({"model": CLAUDE, "messages": asked("hello")}, "/v1/messages/count_tokens")

    assert counted.input_tokens == answer.usage.input_tokens
    assert (status, headers["x-yibu-channel"]) == (200, "claude")
    assert "x-yibu-loss" not in headers


class Vendor:
    """Answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.count: tuple[int, Any] = (
            404,
            {"type": "error", "error": {"type": "not_found_error", "message": "Not found"}},
        )
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Any] = []
        self.frames: list[bytes] = []
        self.content: list[Any] = [{"type": "text", "text": "hi"}]
        self.stop_reason = "end_turn"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(await request.json())
        if request.path.endswith("count_tokens"):
            return web.json_response(self.count[1], status=self.count[0])
        if self.frames:
            reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
            await reply.prepare(request)
            for frame in self.frames:
                await reply.write(frame)
                await asyncio.sleep(0.01)
            return reply
        usage = {"input_tokens": 3, "output_tokens": 2}
        told = {"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": self.content}
        return web.json_response({**told, "stop_reason": self.stop_reason, "usage": usage})


@pytest_asyncio.fixture
async def vendor(settings: Settings) -> AsyncIterator[tuple[Vendor, House]]:
    made = Vendor()
    app = web.Application()
    app.router.add_post("/v1/messages", made.answer)
    app.router.add_post("/v1/messages/count_tokens", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    url = f"http://127.0.0.1:{made.port}"
    channel = ChannelSettings(
        name="v", provider="anthropic", base_url=url, keys=("sk-ant-x",), models={CLAUDE: CLAUDE_4}
    )
    price = PriceSettings(model=CLAUDE, input=Decimal("3"), output=Decimal("15"))
    changed = settings.model_copy(update={"channels": (channel,), "prices": (price,)})
    async with open_house(changed) as house:
        yield made, house
    await runner.cleanup()


CALL = {"model": CLAUDE, "max_tokens": 50, "messages": asked("hi")}


async def test_what_the_vendor_is_sent(vendor: tuple[Vendor, House]) -> None:
    """Pitfall 65: the operator's key, the caller's version and betas, and the caller's body with its unknown members."""
    made, house = vendor
    beta = {"anthropic-beta": "claude-code-20250219,context-1m-2025-08-07", "anthropic-version": "2026-10-21"}
    await house.post({**CALL, "of_tomorrow": {"x": [1]}}, "/v1/messages?beta=true", **beta)
    await house.post(CALL, "/v1/messages")
    await house.post({"model": CLAUDE, "messages": asked("hi")})

    first, second, third = made.headers
    assert first["x-api-key"] == "sk-ant-x"
    assert "authorization" not in first
    assert {name: first[name] for name in beta} == beta
    assert made.bodies[0] == {**CALL, "model": CLAUDE_4, "of_tomorrow": {"x": [1]}}
    assert second["anthropic-version"] == third["anthropic-version"] == "2023-06-01"
    assert "anthropic-beta" not in second


async def test_vendor_that_cannot_count(vendor: tuple[Vendor, House]) -> None:
    """Pitfalls 78, 79: a 404 gives an estimate, never 0, and leaves the channel as healthy as it was."""
    made, house = vendor
    for _ in range(6):
        status, headers, body = await house.post(
            {"model": CLAUDE, "messages": asked("hi")}, "/v1/messages/count_tokens"
        )
        assert status == 200
        assert json.loads(body)["input_tokens"] > 0
        assert "estimated" in headers["x-yibu-loss"]
    status, _, _ = await house.post(CALL, "/v1/messages")

    assert status == 200
    assert "max_tokens" not in made.bodies[0]


@pytest.mark.parametrize("status", [401, 429, 500, 529])
async def test_vendor_in_trouble_when_counting(vendor: tuple[Vendor, House], status: int) -> None:
    """Whatever ails it, there is an estimate."""
    made, house = vendor
    made.count = (status, {"type": "error", "error": {"type": "api_error", "message": "no"}})

    assert (await house.post({"model": CLAUDE, "messages": asked("hi")}, "/v1/messages/count_tokens"))[0] == 200
    assert (await house.post(CALL, "/v1/messages"))[0] == 200


async def test_thoughts_go_round_through_openais_client(vendor: tuple[Vendor, House]) -> None:
    """Pitfalls 23, 25: signed and redacted thoughts come back to Anthropic byte for byte from a client of Chat Completions."""
    made, house = vendor
    thoughts = [
        {"type": "thinking", "thinking": "hm", "signature": "EqQB+/="},
        {"type": "redacted_thinking", "data": "EpQC"},
    ]
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
    made.content, made.stop_reason = [*thoughts, call], "tool_use"
    tools: Any = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    messages: list[Any] = asked("hi")
    first = await house.openai.chat.completions.create(
        model=CLAUDE, messages=messages, tools=tools, reasoning_effort="low", max_completion_tokens=9000
    )
    answer = first.choices[0].message
    messages += [answer.to_dict(), {"role": "tool", "tool_call_id": "toolu_1", "content": "18"}]
    await house.openai.chat.completions.create(
        model=CLAUDE, messages=messages, tools=tools, reasoning_effort="low", max_completion_tokens=9000
    )
    forgetful = [message for message in messages if message["role"] != "assistant"]
    bare = {"role": "assistant", "tool_calls": answer.to_dict()["tool_calls"]}
    await house.openai.chat.completions.create(
        model=CLAUDE,
        messages=[forgetful[0], bare, forgetful[1]],  # type: ignore[list-item]
        tools=tools,
        reasoning_effort="low",
        max_completion_tokens=9000,
    )

    for body in made.bodies[1:]:
        assert body["messages"][1]["content"] == [*thoughts, call]
        assert body["thinking"] == {"type": "enabled", "budget_tokens": 2048}


async def test_wrong_request_when_counting(vendor: tuple[Vendor, House]) -> None:
    """A request that the vendor finds wrong is the caller's mistake."""
    made, house = vendor
    made.count = (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "tools.0: odd"}})
    status, _, body = await house.post({"model": CLAUDE, "messages": asked("hi")}, "/v1/messages/count_tokens")

    assert status == 400
    assert "tools.0" in json.loads(body)["error"]["message"]


START = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "c", "usage": {"input_tokens": 1000, "output_tokens": 1}},
}
TEXT = [
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "eight by"}},
]


def frame(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
async def test_stream_that_breaks_off(vendor: tuple[Vendor, House], path: str) -> None:
    """Pitfall 75: what was delivered is billed with the prompt as the vendor counted it, piped and translated alike."""
    made, house = vendor
    made.frames = [frame(event) for event in (START, *TEXT)]
    status, _, body = await house.post({**CALL, "stream": True}, path)

    assert status == 200
    assert b"error" in body
    assert await house.spent() == 1000 * 3000 + 2 * 15_000


async def test_error_in_a_piped_stream(vendor: tuple[Vendor, House]) -> None:
    """The vendor's own error frame is the last; nothing is billed for an answer that had not begun."""
    made, house = vendor
    broken = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    made.frames = [frame(START), frame(broken)]
    status, _, body = await house.post({**CALL, "stream": True}, "/v1/messages")

    assert status == 200
    assert body.endswith(frame(broken))
    assert await house.spent() == 0


async def test_error_before_anything(vendor: tuple[Vendor, House]) -> None:
    """Pitfalls 18, 19: an error as the first event is an HTTP error."""
    made, house = vendor
    made.frames = [frame({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})]
    status, _, body = await house.post({**CALL, "stream": True}, "/v1/messages")

    assert status == 529
    assert json.loads(body)["error"]["type"] == "overloaded_error"


async def test_caller_who_hangs_up(vendor: tuple[Vendor, House]) -> None:
    """Pitfall 75: he pays for what he got, by the vendor's count of the prompt."""
    made, house = vendor
    made.frames = [frame(START), *map(frame, TEXT), *[b": wait\n\n"] * 500]
    with contextlib.suppress(TimeoutError):
        async with (
            asyncio.timeout(1),
            house.session.post(
                f"{house.url}/v1/messages", json={**CALL, "stream": True}, headers=house.bearer
            ) as answer,
        ):
            async for chunk in answer.content.iter_any():
                if b"eight" in chunk:
                    break
    for _ in range(100):
        if await house.spent():
            break
        await asyncio.sleep(0.02)

    assert await house.spent() == 1000 * 3000 + 2 * 15_000
