"""Anthropic's format told in OpenAI's and back, member by member, whole and streamed.

The numbers are those of the list of known mistakes of other gateways.
"""

import json
from typing import Any

from tests.dialects.test_anthropic_stream import START, STOP, block, end, frame
from yibu.dialects import chat_dialects
from yibu.dialects.anthropic import DIALECT, parcel
from yibu.hub.chat import ChatRequest
from yibu.hub.fold import fold
from yibu.hub.loss import Losses

CHAT = chat_dialects()["openai_chat"]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"


def to_openai(**members: Any) -> dict[str, Any]:
    body = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "x"}], **members}
    made: dict[str, Any] = json.loads(CHAT.encode_request(DIALECT.decode_request(json.dumps(body).encode()), []))
    return made


def to_anthropic(losses: Losses | None = None, **members: Any) -> dict[str, Any]:
    body = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "x"}], **members}
    request = CHAT.decode_request(json.dumps(body).encode())
    made: dict[str, Any] = json.loads(DIALECT.encode_request(request, [] if losses is None else losses))
    return made


def test_request_to_openai() -> None:
    """Every option has its word there."""
    made = to_openai(
        system="S",
        temperature=0.5,
        stop_sequences=["END"],
        metadata={"user_id": "u"},
        tools=[{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        thinking={"type": "adaptive"},
    )

    assert made["messages"] == [{"role": "system", "content": "S"}, {"role": "user", "content": "x"}]
    assert (made["temperature"], made["stop"], made["user"], made["max_completion_tokens"]) == (0.5, ["END"], "u", 100)
    assert made["tools"][0]["function"] == {"name": "f", "description": "d", "parameters": {"type": "object"}}
    assert (made["tool_choice"], made["parallel_tool_calls"], made["reasoning_effort"]) == ("required", False, "low")
    assert made["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_loop_of_a_tool_to_openai() -> None:
    """Pitfalls 26, 33, 36, 55: thoughts, calls, several results, and the picture that one of them showed."""
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    said = [
        {"type": "thinking", "thinking": "hm", "signature": parcel.pack(None)},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {"x": 1}},
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "see"}, picture]},
        {"type": "tool_result", "tool_use_id": "b", "content": "no", "is_error": True},
        {"type": "text", "text": "go on"},
    ]
    messages = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": said},
        {"role": "user", "content": results},
    ]
    made = to_openai(messages=messages)["messages"]

    assert made[1]["reasoning_content"] == "hm"
    assert made[1]["content"] == [{"type": "text", "text": "I look."}]
    assert [call["function"]["arguments"] for call in made[1]["tool_calls"]] == ["{}", '{"x": 1}']
    assert [(one["role"], one.get("tool_call_id")) for one in made[2:4]] == [("tool", "a"), ("tool", "b")]
    assert "Error" in json.dumps(made[3])
    assert f"data:image/png;base64,{PNG}" in json.dumps(made[4:])
    assert "go on" in json.dumps(made[4:])


def test_request_from_openai() -> None:
    """Every option has its word here."""
    made = to_anthropic(
        messages=[{"role": "developer", "content": "S"}, {"role": "user", "content": "x"}],
        max_tokens=50,
        stop="END",
        user="u",
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        parallel_tool_calls=False,
        stream=True,
        stream_options={"include_usage": True},
    )

    assert made == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 50,
        "system": "S",
        "messages": [{"role": "user", "content": "x"}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "metadata": {"user_id": "u"},
        "stop_sequences": ["END"],
        "stream": True,
    }


def test_loop_of_a_tool_from_openai() -> None:
    """Pitfalls 33, 35: calls are blocks with objects, all results are in the one next message."""
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": '{"x": 1}'}},
    ]
    made = to_anthropic(
        messages=[
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": "", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "a", "content": "1"},
            {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
            {"role": "user", "content": "y"},
        ],
        tools=[{"type": "function", "function": {"name": "f"}}],
    )["messages"]

    assert [block["input"] for block in made[1]["content"]] == [{}, {"x": 1}]
    assert [block.get("tool_use_id", block.get("text")) for block in made[2]["content"]] == ["a", "b", "y"]


ANSWER = [
    {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
    {"type": "text", "text": "I look."},
    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {"x": 1}},
]


def test_answer_to_openai() -> None:
    """Pitfalls 14, 66: a call without arguments is there, and what was cached is in the prompt."""
    usage = {"input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 4, "output_tokens": 9}
    body = {
        "id": "msg_1",
        "type": "message",
        "model": "m",
        "content": ANSWER,
        "stop_reason": "tool_use",
        "usage": usage,
    }
    made = json.loads(CHAT.encode_reply(DIALECT.decode_reply(json.dumps(body).encode()), []))
    message = made["choices"][0]["message"]

    assert (message["content"], message["reasoning_content"]) == ("I look.", "hm")
    assert [(call["id"], call["function"]["arguments"]) for call in message["tool_calls"]] == [
        ("toolu_1", "{}"),
        ("toolu_2", '{"x": 1}'),
    ]
    assert made["choices"][0]["finish_reason"] == "tool_calls"
    assert made["usage"]["prompt_tokens"] == 27
    assert made["usage"]["prompt_tokens_details"]["cached_tokens"] == 20


def test_stream_to_openai() -> None:
    """Pitfalls 2, 3, 13, 14: calls are counted from 0 whatever blocks stand before them, one without arguments gets `{}`."""
    json_delta = {"type": "input_json_delta", "partial_json": ""}
    stream = [
        START,
        *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "I look."}),
        *block(1, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}, json_delta),
        *block(
            2,
            {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
            {**json_delta, "partial_json": '{"x":1}'},
        ),
        end("tool_use"),
        STOP,
    ]
    reader = DIALECT.reader()
    writer = CHAT.writer(ChatRequest(model="m", turns=()))
    events = reader.feed(b"".join(map(frame, stream))) + reader.finish()
    chunks = [json.loads(line[6:]) for line in b"".join(map(writer.feed, events)).split(b"\n\n") if line]
    calls = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    arguments = {0: "", 1: ""}
    for call in calls:
        arguments[call["index"]] += call["function"].get("arguments", "")

    assert arguments == {0: "{}", 1: '{"x":1}'}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks][-1] == "tool_calls"


def test_answer_and_stream_of_openai_are_the_same() -> None:
    """Pitfall 42: what a caller of this format gets is the same, streamed or not."""
    calls = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}]
    message = {"role": "assistant", "content": "I look.", "reasoning_content": "hm", "tool_calls": calls}
    body = {
        "id": "chatcmpl-1",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
    }
    whole = json.loads(DIALECT.encode_reply(CHAT.decode_reply(json.dumps(body).encode()), []))
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "hm"},
        {"content": "I "},
        {"content": "look."},
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x":1}'}}]},
    ]
    chunks = [{"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    stream = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    reader = CHAT.reader()
    writer = DIALECT.writer(ChatRequest(model="m", turns=()))
    written = b"".join(map(writer.feed, reader.feed(stream) + reader.finish())) + writer.finish()
    back = DIALECT.reader()
    from_stream = back.feed(written) + back.finish()
    again = json.loads(DIALECT.encode_reply(fold(from_stream), []))

    assert again["content"] == whole["content"]
    assert again["stop_reason"] == whole["stop_reason"] == "tool_use"
