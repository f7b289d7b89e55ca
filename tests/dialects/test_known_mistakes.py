"""Mistakes that translations between chat formats make; the numbers are those of `tests/test_pitfalls.py`."""

import json
from typing import Any

import pytest

from yibu.dialects import chat_dialects
from yibu.dialects.dialect import Target
from yibu.hub.chat import ChatRequest
from yibu.hub.loss import Losses
from yibu.hub.reply import ChatReply

DIALECTS = chat_dialects()
CHAT, ANTHROPIC, GEMINI = DIALECTS["openai_chat"], DIALECTS["anthropic"], DIALECTS["gemini"]


def frame(delta: dict[str, Any], finish: str | None = None, **members: Any) -> bytes:
    about = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({**about, "choices": [choice], **members}).encode() + b"\n\n"


def as_anthropic(*chunks: bytes) -> list[dict[str, Any]]:
    """The events that a client of Anthropic's gets out of a stream of Chat."""
    reader, writer = CHAT.reader(), ANTHROPIC.writer(ChatRequest(model="m", turns=()))
    events = [event for chunk in chunks for event in reader.feed(chunk)] + reader.finish()
    written = b"".join(map(writer.feed, events)) + writer.finish()
    return [json.loads(line[6:]) for line in written.split(b"\n") if line.startswith(b"data: ")]


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ((frame({}, "stop"), b"data: [DONE]\n\n"), "message_stop"),
        ((frame({}, "stop"),), "message_stop"),
        ((b"data: [DONE]\n\n",), "message_stop"),
        ((frame({}, "stop"), frame({}, "stop"), b"data: [DONE]\n\ndata: [DONE]\n\n"), "message_stop"),
        ((), "error"),
        ((b'data: {"error":{"message":"overloaded"}}\n\n',), "error"),
    ],
    ids=["usual", "no done", "no reason", "twice", "cut", "error"],
)
def test_every_end_is_told_once(end: tuple[bytes, ...], last: str) -> None:
    """Pitfall 6: however a vendor ends, without usage and without its end mark, what was opened is closed once."""
    events = as_anthropic(frame({"role": "assistant", "content": "Hi"}), *end)
    kinds = [event["type"] for event in events]

    assert kinds[-1] == last
    assert kinds.count("content_block_start") == 1
    if last == "message_stop":
        assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
        assert [kinds.count(kind) for kind in ("content_block_stop", "message_delta", "message_stop")] == [1, 1, 1]


def test_each_change_of_kind_is_a_block_of_its_own() -> None:
    """Pitfall 5: thought, text, thought, call: four blocks that rise, each closed before the next."""
    call = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}
    deltas = ({"reasoning_content": "a"}, {"content": "b"}, {"reasoning_content": "c"}, call)
    events = as_anthropic(*map(frame, deltas), frame({}, "tool_calls"))
    told = [
        (event["type"], event["index"], event.get("content_block", {}).get("type"))
        for event in events
        if event["type"] in ("content_block_start", "content_block_stop")
    ]

    assert [kind for _, _, kind in told[::2]][-1] == "tool_use"
    assert [index for _, index, _ in told[::2]] == list(range(len(told) // 2))
    assert all(
        one[0] == "content_block_start" and two[:2] == ("content_block_stop", one[1])
        for one, two in zip(told[::2], told[1::2], strict=True)
    )


def gemini_reply(*parts: dict[str, Any]) -> ChatReply:
    content = {"role": "model", "parts": list(parts)}
    body = {"candidates": [{"content": content, "finishReason": "STOP"}], "responseId": "r", "modelVersion": "m"}
    return GEMINI.decode_reply(json.dumps(body).encode())


def test_ids_carry_no_state() -> None:
    """Pitfall 28: Google's signature of a call travels beside it; the id stays short, and comes back with the signature."""
    signature = "U" * 4000
    reply = gemini_reply({"functionCall": {"name": "f", "args": {}}, "thoughtSignature": signature})
    message = json.loads(CHAT.encode_reply(reply, []))["choices"][0]["message"]
    [call] = message["tool_calls"]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "1"}
    asked = {"model": "gemini-3-pro", "messages": [{"role": "user", "content": "Hi"}, message, result]}
    there = json.loads(GEMINI.encode_request(CHAT.decode_request(json.dumps(asked).encode()), []))

    assert len(call["id"]) <= 40
    assert there["contents"][1]["parts"][0]["thoughtSignature"] == signature


def test_ids_of_google_are_on_both_or_on_neither() -> None:
    """Pitfall 38: a call and its result have the same id, or none, whosever the conversation was."""
    call, result = {"name": "f", "args": {}}, {"name": "f", "response": {"output": "1"}}
    for own in ({}, {"id": "x1"}):
        contents = [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"functionCall": {**call, **own}}]},
            {"role": "user", "parts": [{"functionResponse": {**result, **own}}]},
        ]
        native = GEMINI.decode_request(
            json.dumps({"contents": contents}).encode(), Target(params={"model": "gemini-3-pro"})
        )
        losses: Losses = []
        through_chat = CHAT.decode_request(CHAT.encode_request(native, losses))
        for request in (native, through_chat):
            _, model, user = json.loads(GEMINI.encode_request(request, losses))["contents"]
            ids = (model["parts"][0]["functionCall"].get("id"), user["parts"][0]["functionResponse"].get("id"))

            assert ids[0] == ids[1]
            assert request is not native or ids[0] == own.get("id")
