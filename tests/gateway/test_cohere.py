"""Cohere's own chat on loopback, behind callers of other formats."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import json

from tests.dialects.test_cohere_chat import STREAM
from tests.house import House, open_house, settings_for

CALL = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
USAGE = {"billed_units": {"input_tokens": 1, "output_tokens": 1}, "tokens": {"input_tokens": 9, "output_tokens": 3}}
ANSWER = {
    "id": "a-1",
    "finish_reason": "TOOL_CALL",
    "message": {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [CALL]},
    "usage": USAGE,
}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
ASKED = {"model": "command", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}], "tools": [TOOL]}


class Vendor:
    """`heard`: path, credential and body of each call."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, dict[str, Any]]] = []

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.heard.append((request.path, request.headers["authorization"], body))
        if body["messages"][-1]["content"] == "Too long":
            return web.json_response({"id": "e-1", "message": "too many tokens"}, status=400)
        if body.get("stream"):
            return web.Response(body=STREAM, content_type="text/event-stream")
        return web.json_response(ANSWER)

    async def compatible(self, request: web.Request) -> web.Response:
        self.heard.append((request.path, request.headers["authorization"], await request.json()))
        message = {"role": "assistant", "content": "Hello"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response(
            {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        )


@asynccontextmanager
async def served(data_dir: Path) -> AsyncIterator[tuple[House, Vendor]]:
    """A house whose model `command` is served by Cohere."""
    vendor, app = Vendor(), web.Application()
    app.router.add_post("/v2/chat", vendor.chat)
    app.router.add_post("/compatibility/v1/chat/completions", vendor.compatible)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    channel = {
        "name": "vendor",
        "provider": "cohere",
        "base_url": "http://{}:{}".format(*runner.addresses[0]),
        "keys": ["co-secret"],
        "models": {"command": "command-r7b-12-2024"},
    }
    prices = [{"model": "command", "input": "1", "output": "1"}]
    try:
        async with open_house(settings_for(data_dir, channels=[channel], prices=prices)) as house:
            yield house, vendor
    finally:
        await runner.cleanup()


async def test_an_anthropic_caller_is_answered_by_cohere(tmp_path: Path) -> None:
    """The plan is words, the call a call; the tokens that Cohere counted are billed."""
    async with served(tmp_path) as (house, vendor):
        status, _, body = await house.post(ASKED, path="/v1/messages")
        spent = await house.spent()
    [(path, credential, heard)] = vendor.heard
    answer = json.decode(body)

    assert status == 200
    assert (path, credential) == ("/v2/chat", "Bearer co-secret")
    assert heard == {
        "model": "command-r7b-12-2024",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
        "max_tokens": 50,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    }
    assert answer["stop_reason"] == "tool_use"
    assert [(block["type"], block.get("text", block.get("input"))) for block in answer["content"]] == [
        ("text", "I will look."),
        ("tool_use", {"a": 1}),
    ]
    assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (9, 3)
    assert spent == 12 * 1000


async def test_a_stream_of_cohere_is_one_of_responses(tmp_path: Path) -> None:
    """Thoughts, words and calls arrive in the caller's events, with usage at the end."""
    async with served(tmp_path) as (house, vendor):
        stream = await house.openai.responses.create(model="command", input="Hi", stream=True)
        events = [event async for event in stream]
    final: Any = events[-1]

    assert vendor.heard[0][2]["stream"] is True
    assert final.type == "response.completed"
    assert final.response.output_text == "两只猫。I will look."
    assert [item.arguments for item in final.response.output if item.type == "function_call"] == ['{"a":1}', "{}"]
    assert (final.response.usage.input_tokens, final.response.usage.output_tokens) == (5, 7)


async def test_an_error_of_cohere_is_told_in_the_callers_format(tmp_path: Path) -> None:
    async with served(tmp_path) as (house, _):
        status, _, body = await house.post(
            {**ASKED, "messages": [{"role": "user", "content": "Too long"}]}, path="/v1/messages"
        )
        spent = await house.spent()

    assert status == 400
    assert json.decode(body)["error"]["type"] == "invalid_request_error"
    assert "too many tokens" in json.decode(body)["error"]["message"]
    assert spent == 0


async def test_openais_format_goes_to_the_compatible_address(tmp_path: Path) -> None:
    """Without a translation."""
    async with served(tmp_path) as (house, vendor):
        messages: Any = [{"role": "user", "content": "Hi"}]
        answer = await house.openai.chat.completions.create(model="command", messages=messages)

    assert answer.choices[0].message.content == "Hello"
    assert vendor.heard[0][0] == "/compatibility/v1/chat/completions"
