"""Answers in the format of OpenAI's Responses: each event read and written, with the official SDK as the judge of what is written."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from openai import omit
from openai._models import construct_type
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.corpus import Recording, answers, name_of, needs_corpus, streams
from yibu.dialects import chat_dialects
from yibu.dialects.dialect import Intent
from yibu.dialects.openai_responses import OpenAIResponses
from yibu.dialects.openai_responses.response import Asked
from yibu.dialects.openai_responses.thoughts import pack
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken, Busy, Refused
from yibu.hub.events import (
    ArgumentsDelta,
    Event,
    Failed,
    Finished,
    Metered,
    Opened,
    PartClosed,
    PartOpened,
    TextDelta,
    ThinkingDelta,
)
from yibu.hub.fold import fold, unfold
from yibu.hub.loss import Loss
from yibu.hub.media import Inline
from yibu.hub.options import Streaming
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Seal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish
from yibu.hub.usage import Meter, Usage

RESPONSES = chat_dialects()["openai_responses"]
CHAT = chat_dialects()["openai_chat"]
ASKED = ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True))
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
USAGE = Usage({Meter.INPUT: 3, Meter.INPUT_CACHED: 2, Meter.OUTPUT: 4, Meter.REASONING: 1})


def reply_of(*parts: Part, finish: Finish | None = None, dialect: str = "") -> ChatReply:
    """A whole answer with these parts, of another dialect unless told."""
    choice = Choice(parts, finish or Finish("stop"))
    return ChatReply(id="r1", model="m", created=5, choices=(choice,), usage=USAGE, dialect=dialect)


def written(events: list[Event]) -> list[dict[str, Any]]:
    """The events of the stream, each checked to be named before its data."""
    writer = RESPONSES.writer(ASKED)
    stream = b"".join(map(writer.feed, events)) + writer.finish()
    found: list[dict[str, Any]] = []
    for frame in stream.decode().split("\n\n")[:-1]:
        name, _, data = frame.partition("\ndata: ")
        found.append(json.loads(data))
        assert name == f"event: {found[-1]['type']}"
    return found


def accumulated(events: list[dict[str, Any]], construct: Callable[[Any], Any] = EVENT.validate_python) -> Response:
    """What the official SDK makes of a stream, which it also checks for the life cycle of each item.

    `construct`: strict unless told, so that every member which the SDK promises is there.
    """
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    done: Any = None
    for event in events:
        for out in state.handle_event(construct(event)):
            if out.type in ("response.completed", "response.incomplete", "response.failed"):
                done = out.response
    assert isinstance(done, Response)
    return done


def read(*events: dict[str, Any]) -> list[Event]:
    reader = RESPONSES.reader()
    data = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return reader.feed(data.encode()) + reader.finish()


def begun(**members: Any) -> dict[str, Any]:
    return {"type": "response.created", "response": {"id": "resp_1", "model": "m", "created_at": 5, **members}}


def completed(**members: Any) -> dict[str, Any]:
    about = {"id": "resp_1", "status": "completed", "output": [], **members}
    return {"type": "response.completed", "response": about}


EVERYTHING = (
    Thinking("first", None),
    Thinking("second", Seal("anthropic", msgspec.Raw(b'{"signature":"s"}'))),
    Text("See here."),
    Citation("https://example.com", "Example", 0, 3),
    Refusal("No more."),
    ToolCall("call_1", "f", '{"a":1}'),
    ToolCall("call_2", "g", ""),
    ToolCall("call_3", "patch", "*** Begin", is_custom=True),
    Media("image", Inline("AAAA", "image/webp")),
)


def test_every_event() -> None:
    """Pitfall 10: each kind of part has its whole life cycle, one item after another."""
    found = written(unfold(reply_of(*EVERYTHING, finish=Finish("tool_calls"))))

    assert [event["type"].removeprefix("response.") for event in found] == [
        *("created", "in_progress"),
        "output_item.added",
        *("reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done"),
        *("reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done"),
        "output_item.done",
        *("output_item.added", "content_part.added", "output_text.delta", "output_text.annotation.added"),
        *("output_text.done", "content_part.done"),
        *("content_part.added", "refusal.delta", "refusal.done", "content_part.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"),
        *("output_item.added", "custom_tool_call_input.delta", "custom_tool_call_input.done", "output_item.done"),
        *("output_item.added", "image_generation_call.in_progress", "image_generation_call.generating"),
        *("image_generation_call.completed", "output_item.done"),
        "completed",
    ]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    done = accumulated(found)
    thought, said, call, empty, custom, picture = done.output
    assert thought.type == "reasoning"
    assert [part.text for part in thought.summary] == ["first", "second"]
    assert thought.encrypted_content == pack(Seal("anthropic", msgspec.Raw(b'{"signature":"s"}')))
    assert said.type == "message"
    assert said.content[0].annotations[0].url == "https://example.com"  # type: ignore[union-attr]
    assert call.type == "function_call"
    assert (call.call_id, call.arguments) == ("call_1", '{"a":1}')
    assert empty.type == "function_call"
    assert empty.arguments == "{}"
    assert custom.type == "custom_tool_call"
    assert custom.input == "*** Begin"
    assert picture.type == "image_generation_call"
    assert picture.result == "AAAA"


def test_streamed_is_whole() -> None:
    """The last event has what the answer in one piece has (pitfall 42)."""
    reply = reply_of(*EVERYTHING)
    whole = json.loads(RESPONSES.encode_reply(reply, [], ASKED))

    assert written(unfold(reply))[-1]["response"] == whole


def test_raw_thoughts() -> None:
    """Thoughts that are no summaries have events of their own, and come back as they were."""
    thought = Thinking(
        "hm", Seal("openai_responses", msgspec.Raw(b'{"id":"rs_9"}')), "reasoning_text", {"id": msgspec.Raw(b'"rs_9"')}
    )
    events = unfold(reply_of(thought, Text("x"), dialect="openai_responses"))
    found = written(events)
    reader = RESPONSES.reader()
    data = "".join(f"data: {json.dumps(event)}\n\n" for event in found)

    assert [event["type"] for event in found[2:8]] == [
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
        "response.content_part.done",
        "response.output_item.done",
    ]
    assert found[7]["item"] == {
        "id": "rs_9",
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "hm"}],
    }
    assert fold(reader.feed(data.encode()) + reader.finish()).choices[0].parts[0] == thought


def test_seal_of_a_call() -> None:
    """The signature of a call follows it in a reasoning item, out of which it comes back with the history."""
    seal = Seal("gemini", msgspec.Raw(b'"sig"'))
    whole = json.loads(RESPONSES.encode_reply(reply_of(ToolCall("c", "f", "{}", seal=seal)), []))
    back = RESPONSES.decode_request(json.dumps({"model": "m", "input": whole["output"]}).encode())

    assert [item["type"] for item in whole["output"]] == ["function_call", "reasoning"]
    [call] = back.turns[0].parts
    assert isinstance(call, ToolCall)
    assert call.seal == seal


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        (Finish("stop"), "completed", None),
        (Finish("tool_calls"), "completed", None),
        (Finish("paused"), "completed", None),
        (Finish("length"), "incomplete", "max_output_tokens"),
        (Finish("filtered"), "incomplete", "content_filter"),
    ],
)
def test_pitfall_80_ends(finish: Finish, status: str, reason: str | None) -> None:
    """Pitfall 80: every reason to end has its state here, and the event that ends the stream its name."""
    last = written(unfold(reply_of(Text("x"), finish=finish)))[-1]

    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == status
    assert (last["response"]["incomplete_details"] or {}).get("reason") == reason


def test_pitfall_2_calls_are_counted_over_the_stream() -> None:
    """Pitfalls 2, 3: parallel calls are items with rising places here, and calls 0 and 1 in Chat."""
    events = unfold(
        reply_of(Text("x"), ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"), finish=Finish("tool_calls"))
    )
    places = [event["output_index"] for event in written(events) if event["type"] == "response.output_item.added"]
    reader, writer = RESPONSES.reader(), CHAT.writer(ASKED)
    stream = "".join(f"data: {json.dumps(event)}\n\n" for event in written(events))
    chunks = b"".join(map(writer.feed, reader.feed(stream.encode()) + reader.finish())).decode()
    indexes = [
        call["index"]
        for line in chunks.splitlines()
        if line.startswith("data: {")
        for choice in json.loads(line[6:])["choices"]
        for call in choice["delta"].get("tool_calls", [])
        if "id" in call
    ]

    assert places == [0, 1, 2]
    assert indexes == [0, 1]


def test_pitfall_8_and_9_frames() -> None:
    """Pitfalls 8, 9: events are named, names are not needed for reading, and no `[DONE]` is written; one that comes is skipped."""
    writer = RESPONSES.writer(ASKED)
    stream = b"".join(map(writer.feed, unfold(reply_of(Text("x"))))) + writer.finish()
    nameless = b"\n".join(line for line in stream.split(b"\n") if not line.startswith(b"event:")) + b"data: [DONE]\n\n"
    reader = RESPONSES.reader()

    assert b"[DONE]" not in stream
    assert fold(reader.feed(nameless) + reader.finish()).choices[0].parts[0] == Text(
        "x", extras={"id": msgspec.Raw(msgspec.json.encode(written(unfold(reply_of(Text("x"))))[2]["item"]["id"]))}
    )


def test_pitfall_11_terminal_event() -> None:
    """Pitfall 11: the last event has the whole response, with all that strict clients rely on; so has the first but for the answer."""
    found = written(unfold(reply_of(Text("x"))))
    needed = {
        "id",
        "object",
        "created_at",
        "status",
        "model",
        "output",
        "parallel_tool_calls",
        "tool_choice",
        "tools",
        "usage",
    }

    assert needed <= found[0]["response"].keys()
    assert found[-1]["response"]["output"][0]["content"][0]["text"] == "x"
    assert found[-1]["response"]["usage"] == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 10,
    }
    Response.model_validate(found[-1]["response"])


def test_pitfall_13_calls_decide_the_end() -> None:
    """Pitfall 13: an answer with a call ends with calls, though this format only says `completed`."""
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "id": "fc_1"}
    reply = RESPONSES.decode_reply(json.dumps({"id": "r", "status": "completed", "output": [item]}).encode())
    cut = {"id": "r", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": [item]}

    assert reply.choices[0].finish.kind == "tool_calls"
    assert RESPONSES.decode_reply(json.dumps(cut).encode()).choices[0].finish.kind == "length"


def test_pitfall_19_error_in_a_good_answer() -> None:
    """Pitfall 19: an error event is an error, flat or nested, and so is a failed response with status 200."""
    flat = read({"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": None})
    nested = read({"type": "error", "error": {"type": "invalid_request_error", "message": "no", "code": None}})
    failed = read(
        begun(),
        {
            "type": "response.failed",
            "response": {"status": "failed", "error": {"code": "server_error", "message": "oh"}},
        },
    )

    assert [type(events[-1]) for events in (flat, nested, failed)] == [Failed] * 3
    for events, kind in ((flat, Busy), (nested, Refused), (failed, Broken)):
        with pytest.raises(kind):
            fold(events)
    with pytest.raises(Broken):
        RESPONSES.decode_reply(
            b'{"id":"r","status":"failed","error":{"code":"server_error","message":"oh"},"output":[]}'
        )


def test_pitfall_20_failure_is_a_failed_response() -> None:
    """Pitfalls 20, 21: a stream that breaks ends with `response.failed`, which repeats what there was."""
    events: list[Event] = [*unfold(reply_of(Text("half")))[:3], Failed("upstream_broken", "It broke.")]
    found = written(events)

    assert found[-1]["type"] == "response.failed"
    assert found[-1]["response"]["status"] == "failed"
    assert found[-1]["response"]["error"] == {"code": "server_error", "message": "It broke."}
    assert found[-1]["response"]["output"][0]["content"][0]["text"] == "half"
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert accumulated(found).status == "failed"


def test_pitfall_21_cut_stream() -> None:
    """Pitfall 21: a stream without its terminal event was cut, for the reader and for the tap."""
    events = read(
        begun(), {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "m"}}
    )
    tap = RESPONSES.tap(Intent(model="m", body=b"", is_stream=True))
    tap.feed(b'data: {"type":"response.created","response":{"id":"r"}}\n\n')
    tap.finish()

    assert isinstance(events[-1], Failed)
    assert not tap.is_finished


def test_pitfall_66_usage() -> None:
    """Pitfalls 66, 84: cached and written tokens are inside the input, reasoning inside the output unless the total says otherwise."""
    said = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 15},
        "total_tokens": 120,
    }
    reply = RESPONSES.decode_reply(json.dumps({"id": "r", "output": [], "usage": said}).encode())
    outside = RESPONSES.decode_reply(
        json.dumps({"id": "r", "output": [], "usage": {**said, "total_tokens": 135}}).encode()
    )

    assert reply.usage
    assert reply.usage.units == {
        Meter.INPUT: 30,
        Meter.INPUT_CACHED: 60,
        Meter.CACHE_WRITE: 10,
        Meter.OUTPUT: 5,
        Meter.REASONING: 15,
    }
    assert outside.usage
    assert outside.usage.units[Meter.OUTPUT] == 20


@pytest.mark.parametrize("kind", ["completed", "incomplete", "failed"])
def test_pitfall_74_usage_of_any_end(kind: str) -> None:
    """Pitfall 74: whatever event ends the stream brings the usage, on both ways."""
    end = {
        "type": f"response.{kind}",
        "response": {
            "status": kind,
            "usage": {"input_tokens": 7, "output_tokens": 1},
            "error": {"code": "x", "message": "y"},
        },
    }
    data = "".join(f"data: {json.dumps(event)}\n\n" for event in (begun(), end)).encode()
    tap = RESPONSES.tap(Intent(model="m", body=b"", is_stream=True))
    assert tap.feed(data) is data
    tap.finish()
    [metered] = [event for event in read(begun(), end) if isinstance(event, Metered)]

    assert tap.usage
    assert tap.usage.units == metered.usage.units == {Meter.INPUT: 7, Meter.OUTPUT: 1}


def test_server_without_deltas() -> None:
    """What deltas left out comes from the events that end a part and an item."""
    message = {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}
    call = {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": '{"a":1}'}
    found = fold(
        read(
            begun(),
            {"type": "response.output_item.added", "output_index": 0, "item": {**message, "content": []}},
            {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "hel"},
            {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "hello"},
            {"type": "response.output_item.done", "output_index": 0, "item": message},
            {"type": "response.output_item.done", "output_index": 1, "item": call},
            completed(),
        )
    )

    text, made = found.choices[0].parts
    assert isinstance(text, Text)
    assert text.text == "hello"
    assert isinstance(made, ToolCall)
    assert (made.id, made.arguments) == ("c", '{"a":1}')
    assert found.choices[0].finish.kind == "tool_calls"


def test_only_the_last_event() -> None:
    """A stream whose items stand in its last event alone is read all the same."""
    item = {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "hello"}]}

    text = fold(read(begun(), completed(output=[item]))).choices[0].parts[0]
    assert isinstance(text, Text)
    assert text.text == "hello"


def test_items_that_overlap() -> None:
    """A message that begins while its reasoning is open is not held up; a call that does waits for the one before it."""
    events = read(
        begun(),
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {"type": "reasoning", "id": "rs", "summary": []},
        },
        {"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "hm"},
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": {"type": "message", "id": "m", "content": []},
        },
        {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "hi"},
        {
            "type": "response.output_item.done",
            "output_index": 1,
            "item": {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "hi"}]},
        },
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"},
        },
        *(
            {
                "type": "response.output_item.added",
                "output_index": n,
                "item": {"type": "function_call", "id": f"fc{n}", "call_id": f"c{n}", "name": "f", "arguments": ""},
            }
            for n in (2, 3)
        ),
        *(
            {"type": "response.function_call_arguments.delta", "output_index": n, "delta": text}
            for n, text in ((2, "{"), (3, '{"b"'), (2, "}"), (3, ":1}"))
        ),
        *(
            {
                "type": "response.output_item.done",
                "output_index": n,
                "item": {"type": "function_call", "id": f"fc{n}", "call_id": f"c{n}", "name": "f", "arguments": text},
            }
            for n, text in ((2, "{}"), (3, '{"b":1}'))
        ),
        completed(),
    )
    opened = [event.part for event in events if isinstance(event, PartOpened)]
    thought, text, first, second, late = fold(events).choices[0].parts

    assert opened == list(range(5))
    assert isinstance(thought, Thinking)
    assert (thought.text, thought.member) == ("hm", "reasoning_text")
    assert isinstance(text, Text)
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert (first.arguments, second.arguments) == ("{}", '{"b":1}')
    assert isinstance(late, Thinking)
    assert late.seal


def test_logprobs() -> None:
    """Logprobs of a text come through in both formats' shapes."""
    token = {"token": "x", "logprob": -0.5, "bytes": [120], "top_logprobs": []}
    part = {"type": "output_text", "text": "x", "annotations": [], "logprobs": [token]}
    body = {"id": "r", "output": [{"type": "message", "id": "m", "role": "assistant", "content": [part]}]}
    reply = RESPONSES.decode_reply(json.dumps(body).encode())
    chat = json.loads(CHAT.encode_reply(reply, []))
    back = json.loads(RESPONSES.encode_reply(CHAT.decode_reply(json.dumps(chat).encode()), []))

    assert chat["choices"][0]["logprobs"]["content"] == [token]
    assert back["output"][0]["content"][0]["logprobs"] == [token]


def test_annotations_that_only_the_vendor_knows() -> None:
    """Files are cited opaquely: kept in this format, a loss in another."""
    cited = {"type": "file_citation", "file_id": "f", "filename": "a", "index": 3}
    part = {"type": "output_text", "text": "x", "annotations": [cited], "logprobs": []}
    body = {"id": "r", "output": [{"type": "message", "id": "m", "role": "assistant", "content": [part]}]}
    reply = RESPONSES.decode_reply(json.dumps(body).encode())
    losses: list[Loss] = []
    CHAT.encode_reply(reply, losses)

    assert reply.choices[0].parts[1] == Opaque(
        "openai_responses", msgspec.Raw(json.dumps(cited, separators=(",", ":")).encode()), "annotations"
    )
    assert json.loads(RESPONSES.encode_reply(reply, []))["output"][0]["content"][0]["annotations"] == [cited]
    assert losses


@needs_corpus
@pytest.mark.parametrize("taken", answers("openai-responses"), ids=name_of)
def test_recorded_answer_comes_back(taken: Recording) -> None:
    """A recorded answer, decoded and encoded, has the same output, usage and echo of its request; the official SDK reads it."""
    told = json.loads(taken.body)
    back = json.loads(RESPONSES.encode_reply(RESPONSES.decode_reply(taken.body), []))

    assert bare(back["output"]) == bare(told["output"])
    assert {
        key: value for key, value in bare(told).items() if key not in ("output", "status", "output_text")
    }.items() <= bare(back).items()
    Response.model_construct(**back)


def bare(value: Any) -> Any:
    """Without what says nothing: nulls, and empty lists beside texts."""
    if isinstance(value, dict):
        return {
            key: bare(one)
            for key, one in value.items()
            if one is not None and (one != [] or key not in ("logprobs", "content", "annotations"))
        }
    return [bare(one) for one in value] if isinstance(value, list) else value


@needs_corpus
@pytest.mark.parametrize("taken", streams("openai-responses"), ids=name_of)
def test_recorded_stream_for_the_sdk(taken: Recording) -> None:
    """Pitfalls 10, 11: a recorded stream, read and written again, is gathered by the official SDK into the same text and calls."""
    reader = RESPONSES.reader()
    events = reader.feed(taken.body) + reader.finish()
    done = accumulated(written(events), lambda event: construct_type(type_=ResponseStreamEvent, value=event))
    reply = fold(events)

    assert done.output_text == "".join(part.text for part in reply.choices[0].parts if isinstance(part, Text))
    calls = [(item.call_id, item.name) for item in done.output if item.type == "function_call"]
    assert calls == [(part.id, part.name) for part in reply.choices[0].parts if isinstance(part, ToolCall)]


def test_deltas_are_not_gathered() -> None:
    """Each delta of a vendor is a delta of ours at once."""
    writer = RESPONSES.writer(ASKED)
    for event in unfold(reply_of(Text("x")))[:2]:
        writer.feed(event)

    for delta in ("a", "b"):
        assert json.dumps({"delta": delta})[1:-1].encode().replace(b": ", b":") in writer.feed(TextDelta(0, 0, delta))
    assert writer.feed(PartClosed(0, 0)) == b""


def test_thinking_and_arguments_stream() -> None:
    """Thoughts and arguments are streamed like text."""
    events: list[Event] = [
        Opened("r", "m"),
        PartOpened(0, 0, Thinking("")),
        *(ThinkingDelta(0, 0, text) for text in "ab"),
        PartClosed(0, 0),
        PartOpened(0, 1, ToolCall("c", "f", "")),
        *(ArgumentsDelta(0, 1, text) for text in ("{", "}")),
        PartClosed(0, 1),
        Finished(0, Finish("tool_calls")),
    ]
    found = [event["delta"] for event in written(events) if event["type"].endswith(".delta")]

    assert found == ["a", "b", "{", "}"]


def test_states_are_put_right_for_the_caller() -> None:
    """A vendor to whom the conversation was written out repeats that; the caller is told what he asked, and all else as it came."""
    asked = Asked(members={"previous_response_id": msgspec.Raw(b'"resp_0"')}, amended=("previous_response_id",))
    delta = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta", "delta":"x"}\n\n'
    state = b'data: {"type":"response.completed","response":{"id":"r","output":[],"previous_response_id":null}}\n\n'
    whole, cut = (OpenAIResponses().answering(asked).tap(Intent(model="m", body=b"", is_stream=True)) for _ in range(2))
    told = whole.feed(delta + state) + whole.finish()
    body = OpenAIResponses().answering(asked).tap(Intent(model="m", body=b""))

    assert told.startswith(delta)
    assert b'"previous_response_id":"resp_0"' in told
    assert whole.is_finished
    assert b"".join(cut.feed(bytes([byte])) for byte in delta + state) + cut.finish() == told
    assert body.feed(b'{"id":"r","output":[]}') + body.finish() == (
        b'{"id":"r","output":[],"previous_response_id":"resp_0"}'
    )
