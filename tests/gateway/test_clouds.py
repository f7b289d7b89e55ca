"""Claude behind the clouds of others: the same Messages, in another address, proof and wrapping."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import json

from tests.house import House, open_house, settings_for
from tests.providers.test_bedrock import ACCESS
from tests.providers.test_vertex import secret
from yibu.dialects._eventstream import encode_message

EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 7, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "两只猫"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]
ASKED = {"model": "claude", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}


class Cloud:
    """Amazon's and Google's addresses of Claude on loopback; `heard`: path, headers and body of each call."""

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    async def _hear(self, request: web.Request) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append((request.raw_path, headers, await request.json()))

    async def amazon(self, request: web.Request) -> web.StreamResponse:
        await self._hear(request)
        answer = web.StreamResponse(headers={"content-type": "application/vnd.amazon.eventstream"})
        await answer.prepare(request)
        for event in EVENTS:
            payload = json.encode({"bytes": base64.b64encode(json.encode(event)).decode(), "p": "abc"})
            frame = encode_message({":event-type": "chunk", ":message-type": "event"}, payload)
            await answer.write(frame[:20])
            await answer.write(frame[20:])
        return answer

    async def google(self, request: web.Request) -> web.StreamResponse:
        await self._hear(request)
        frames = (f"event: {event['type']}\ndata: {json.encode(event).decode()}\n\n" for event in EVENTS)
        return web.Response(text="".join(frames), headers={"content-type": "text/event-stream"})

    async def tokens(self, request: web.Request) -> web.Response:
        return web.json_response({"access_token": "ya29.token", "expires_in": 3600})


@asynccontextmanager
async def cloudy(data_dir: Path, provider: str, model: str, key: str) -> AsyncIterator[tuple[House, Cloud]]:
    """A house whose model `claude` is served there. `TOKENS` in the key stands for the server of tokens."""
    cloud, app = Cloud(), web.Application()
    app.router.add_post("/model/{model}/invoke-with-response-stream", cloud.amazon)
    app.router.add_post("/v1/projects/p/locations/global/publishers/anthropic/models/{call}", cloud.google)
    app.router.add_post("/token", cloud.tokens)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cloud.url = "http://{}:{}".format(*runner.addresses[0])
    channel = {
        "name": "cloud",
        "provider": provider,
        "base_url": cloud.url,
        "keys": [key.replace("TOKENS", f"{cloud.url}/token")],
        "models": {"claude": model},
    }
    prices = [{"model": "claude", "input": "1", "output": "1"}]
    try:
        async with open_house(settings_for(data_dir, channels=[channel], prices=prices)) as house:
            yield house, cloud
    finally:
        await runner.cleanup()


async def talk(house: House) -> tuple[bytes, str]:
    """The stream of an Anthropic client, and the text of an OpenAI one."""
    _, _, native = await house.post({**ASKED, "stream": True}, path="/v1/messages")
    messages: Any = ASKED["messages"]
    stream = await house.openai.chat.completions.create(model="claude", messages=messages, stream=True)
    return native, "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def test_claude_on_bedrock(tmp_path: Path) -> None:
    """Signed, in Amazon's messages, and out of them as Anthropic's own stream; billed by what was counted."""
    async with cloudy(tmp_path, "bedrock", "anthropic.claude-x-v1:0", f"{ACCESS}:secret") as (house, cloud):
        native, translated = await talk(house)
        spent = await house.spent()
    [(path, headers, body), _] = cloud.heard

    assert [json.decode(line[6:])["type"] for line in native.split(b"\n") if line.startswith(b"data: ")] == [
        event["type"] for event in EVENTS
    ]
    assert translated == "两只猫"
    assert path == "/model/anthropic.claude-x-v1%3A0/invoke-with-response-stream"
    assert headers["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={ACCESS}/")
    assert body == {"max_tokens": 50, "messages": ASKED["messages"], "anthropic_version": "bedrock-2023-05-31"}
    assert spent == 2 * 12 * 1000


async def test_betas_on_bedrock(tmp_path: Path) -> None:
    """Pitfall 65: those that Amazon knows stand in the body, where it reads them; one that it does not know stays away."""
    betas = {"anthropic-beta": "claude-code-20250219, context-1m-2025-08-07,interleaved-thinking-2025-05-14"}
    async with cloudy(tmp_path, "bedrock", "anthropic.claude-x-v1:0", f"{ACCESS}:secret") as (house, cloud):
        await house.post({**ASKED, "stream": True}, path="/v1/messages", **betas)
    [(_, headers, body)] = cloud.heard

    assert body["anthropic_beta"] == ["context-1m-2025-08-07", "interleaved-thinking-2025-05-14"]
    assert "anthropic-beta" not in headers


async def test_claude_on_vertex(tmp_path: Path) -> None:
    """With a token that was fetched for the account."""
    key = secret(token_uri="TOKENS", project_id="p")
    async with cloudy(tmp_path, "vertex", "claude-x@20260101", key) as (house, cloud):
        native, translated = await talk(house)
    [(path, headers, body), _] = cloud.heard

    assert native.count(b"event: ") == len(EVENTS)
    assert translated == "两只猫"
    assert path == "/v1/projects/p/locations/global/publishers/anthropic/models/claude-x@20260101:streamRawPredict"
    assert headers["authorization"] == "Bearer ya29.token"
    assert "anthropic-version" not in headers
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in body
