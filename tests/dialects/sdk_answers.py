"""Answers as the vendors' official SDKs read them, and what their clients rely on in a stream."""

import json
from collections.abc import Callable
from typing import Any

import anthropic.types
import google.genai.types as genai
import openai.types.chat
import openai.types.responses
from anthropic.lib.streaming._messages import accumulate_event
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.responses.response_stream_event import ResponseStreamEvent
from pydantic import TypeAdapter

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_RAW: TypeAdapter[Any] = TypeAdapter(anthropic.types.RawMessageStreamEvent)

WHOLE: dict[str, Callable[[bytes], Any]] = {
    "openai_chat": lambda body: openai.types.chat.ChatCompletion.model_validate_json(body),
    "openai_responses": lambda body: openai.types.responses.Response.model_validate_json(body),
    "anthropic": lambda body: anthropic.types.Message.model_validate_json(body),
    "gemini": lambda body: genai.GenerateContentResponse.model_validate_json(body),
}


def frames(stream: bytes) -> list[tuple[str, str]]:
    """Name and data of each event."""
    found: list[tuple[str, str]] = []
    for block in stream.decode().replace("\r\n", "\n").split("\n\n"):
        lines = block.split("\n")
        name = "".join(line[7:] for line in lines if line.startswith("event: "))
        data = [line[6:] for line in lines if line.startswith("data: ")]
        if data:
            found.append((name, "\n".join(data)))
    return found


def chat_stream(stream: bytes) -> Any:
    """The whole completion. One finish a choice, calls numbered from 0, one id, the end marker last."""
    *chunks, (_, end) = frames(stream)
    assert end == "[DONE]"
    state = ChatCompletionStreamState()
    ids: set[str] = set()
    finished: dict[int, str] = {}
    calls: dict[int, int] = {}
    for number, (name, data) in enumerate(chunks):
        assert name == ""
        value = json.loads(data)
        chunk = openai.types.chat.ChatCompletionChunk.model_validate(value)
        ids.add(chunk.id)
        for choice in chunk.choices:
            assert choice.index not in finished, "something after the finish"
            if not any(choice.index == one for one in calls):
                assert choice.delta.role == "assistant", "the role comes first"
            calls.setdefault(choice.index, 0)
            for call in choice.delta.tool_calls or ():
                if call.index == calls[choice.index]:
                    assert call.id, "a call begins with its id"
                    assert call.function or call.model_extra, "and with its name"
                    calls[choice.index] += 1
                assert call.index == calls[choice.index] - 1, "calls come one after another"
            if choice.finish_reason:
                finished[choice.index] = choice.finish_reason
        if chunk.usage is not None and not chunk.choices:
            assert number == len(chunks) - 1, "usage is last"
        state.handle_chunk(chunk)
    assert len(ids) == 1
    assert finished.keys() == calls.keys(), "a choice without a finish"
    if set(finished.values()) <= {"stop", "tool_calls"}:  # else the SDK raises by design
        state.get_final_completion()


_DELTAS = {
    "text_delta": {"text"},
    "citations_delta": {"text"},
    "thinking_delta": {"thinking"},
    "signature_delta": {"thinking"},
    "input_json_delta": {"tool_use", "server_tool_use"},
}


def anthropic_stream(stream: bytes) -> Any:
    """The whole message. One block open at a time, numbered without gaps, deltas that fit it, and each end once."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    open_kind, count, state = "", 0, "new"
    for name, data in frames(stream):
        value = json.loads(data)
        assert value["type"] == name
        if name == "ping":
            continue
        event = _RAW.validate_python(value)
        match name:
            case "message_start":
                assert state == "new"
                state = "begun"
            case "content_block_start":
                assert state == "begun"
                assert not open_kind
                assert value["index"] == count
                open_kind = value["content_block"]["type"]
                count += 1
            case "content_block_delta":
                assert open_kind in _DELTAS[value["delta"]["type"]]
                assert value["index"] == count - 1
            case "content_block_stop":
                assert open_kind
                assert value["index"] == count - 1
                open_kind = ""
            case "message_delta":
                assert state == "begun"
                assert not open_kind
                assert value["delta"]["stop_reason"]
                state = "ended"
            case "message_stop":
                assert state == "ended"
                state = "over"
            case _:
                raise AssertionError(name)
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    assert state == "over"
    assert count
    return snapshot


def responses_stream(stream: bytes) -> Any:
    """The whole response. Numbers without gaps, every item and part opened, told and closed, and all of it again at the end."""
    events = [(name, json.loads(data)) for name, data in frames(stream)]
    assert [value["sequence_number"] for _, value in events] == list(range(len(events)))
    assert [name for name, _ in events[:2]] == ["response.created", "response.in_progress"]
    done: list[Any] = []
    opened: dict[int, str] = {}
    texts: dict[tuple[str, int, int], str] = {}
    for name, value in events:
        _EVENT.validate_python(value)
        assert value["type"] == name
        if name == "response.output_item.added":
            assert value["output_index"] == len(done)
            assert not opened
            opened[value["output_index"]] = value["item"]["id"]
        elif name == "response.output_item.done":
            assert opened.pop(value["output_index"]) == value["item"]["id"]
            done.append(value["item"])
        elif "output_index" in value:
            assert opened[value["output_index"]] == value["item_id"]
            part = value.get("content_index", value.get("summary_index", 0))
            key = (name.rsplit(".", 1)[0], value["output_index"], part)
            if name.endswith(".delta"):
                texts[key] = texts.get(key, "") + value["delta"]
            elif name.endswith(".done") and "_part" not in name:
                told = value.get("text", value.get("arguments", value.get("input", value.get("refusal"))))
                assert texts.get(key, "") == told
    name, last = events[-1]
    assert name in ("response.completed", "response.incomplete")
    assert not opened
    assert [_cited(item) for item in last["response"]["output"]] == [_cited(item) for item in done]
    assert last["response"]["usage"] is None or last["response"]["usage"]["total_tokens"] >= 0
    return openai.types.responses.Response.model_validate(last["response"])


def _cited(item: Any) -> Any:
    """Without the sources: some vendors name them when the text is long told, and other items have begun."""
    content = [{**part, "annotations": []} for part in item.get("content") or ()]
    return {**item, "content": content}


def gemini_stream(stream: bytes) -> Any:
    """The chunks. One finish a candidate, in its last chunk; usage in the last."""
    chunks = [genai.GenerateContentResponse.model_validate_json(data) for _, data in frames(stream)]
    assert chunks
    finished: set[int] = set()
    for chunk in chunks:
        for candidate in chunk.candidates or ():
            assert candidate.index not in finished, "something after the finish"
            if candidate.finish_reason:
                finished.add(candidate.index or 0)
    assert finished
    assert len({chunk.response_id for chunk in chunks}) == 1
    return chunks


STREAMED: dict[str, Callable[[bytes], Any]] = {
    "openai_chat": chat_stream,
    "openai_responses": responses_stream,
    "anthropic": anthropic_stream,
    "gemini": gemini_stream,
}
