"""Streams of the Messages format: read, written and tapped.

The numbers are those of the list of known mistakes of other gateways.
"""

import json
from typing import Any

import anthropic.types
import msgspec
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import Recording, name_of, needs_corpus, streams
from yibu.dialects import chat_dialects
from yibu.dialects.anthropic import DIALECT, parcel
from yibu.dialects.anthropic.reader import Reader
from yibu.dialects.dialect import Intent
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.estimate import estimate_request
from yibu.hub.events import (
    ArgumentsDelta,
    Event,
    Failed,
    Finished,
    MediaDelta,
    Metered,
    Opened,
    PartClosed,
    PartOpened,
    TextDelta,
    ThinkingDelta,
)
from yibu.hub.fold import fold, unfold
from yibu.hub.masks import Masks
from yibu.hub.media import Inline
from yibu.hub.options import Reasoning
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Seal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish, FinishKind
from yibu.hub.usage import Meter, Usage

ASKED = ChatRequest(
    model="m", turns=(Turn("user", (Text("x"),)),), dialect="anthropic", reasoning=Reasoning(member="enabled")
)
QUIET = msgspec.structs.replace(ASKED, reasoning=Reasoning())
USAGE = Usage({Meter.INPUT: 3, Meter.INPUT_CACHED: 5, Meter.OUTPUT: 4})
START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "model": "claude-x",
        "usage": {"input_tokens": 9, "cache_read_input_tokens": 5, "output_tokens": 1},
    },
}
STOP = {"type": "message_stop"}


def frame(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}   \n\n".encode()


def block(index: int, content: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(said: str, index: int = 0) -> list[dict[str, Any]]:
    return block(index, {"type": "text", "text": ""}, {"type": "text_delta", "text": said})


def end(reason: str | None = "end_turn", usage: Any = None, **delta: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **delta}, "usage": usage or {"output_tokens": 4}}


def read(*events: dict[str, Any]) -> list[Event]:
    reader = DIALECT.reader()
    return reader.feed(b"".join(map(frame, events))) + reader.finish()


def parts(*events: dict[str, Any]) -> tuple[Part, ...]:
    return fold(read(START, *events, end(), STOP)).choices[0].parts


def write(events: list[Event], request: ChatRequest = ASKED) -> list[dict[str, Any]]:
    """The frames, each checked to have its name twice."""
    writer = DIALECT.writer(request)
    stream = b"".join(map(writer.feed, events)) + writer.finish()
    found: list[dict[str, Any]] = []
    for raw in stream.decode().split("\n\n")[:-1]:
        name, data = raw.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    check(found)
    return found


def check(events: list[dict[str, Any]]) -> None:
    """The grammar of a stream: one start and stop, blocks one after another, deltas of their block's kind."""
    assert events[0]["type"] == "message_start"
    kinds = [event["type"] for event in events]
    assert kinds.count("message_start") == 1
    is_broken = kinds[-1] == "error"
    assert is_broken or kinds[-2:] == ["message_delta", "message_stop"]
    index, opened = -1, ""
    fits = {"text": {"text_delta", "citations_delta"}, "thinking": {"thinking_delta", "signature_delta"}}
    for event in events[1 : -1 if is_broken else -2]:
        match event["type"]:
            case "content_block_start":
                assert not opened
                index += 1
                opened = event["content_block"]["type"]
            case "content_block_delta":
                assert event["delta"]["type"] in fits.get(opened, {"input_json_delta"})
            case "content_block_stop":
                assert opened
                opened = ""
            case _:
                raise AssertionError(event)
        assert event["index"] == index
    assert is_broken or not opened
    assert is_broken or index >= 0


def reply(*said: Part, kind: FinishKind = "stop", dialect: str = "") -> ChatReply:
    return ChatReply(id="msg_1", model="m", choices=(Choice(said, Finish(kind)),), usage=USAGE, dialect=dialect)


@needs_corpus
@pytest.mark.parametrize("taken", streams("anthropic"), ids=name_of)
def test_recorded_streams_come_out_as_they_came(taken: Recording) -> None:
    """Read and written again, the official SDK gathers the same message from them."""
    reader = DIALECT.reader()
    writer = DIALECT.writer(ASKED)
    events = reader.feed(taken.body) + reader.finish()
    again = b"".join(map(writer.feed, events)) + writer.finish()

    assert gathered(again) == gathered(taken.body)


def gathered(stream: bytes) -> Any:
    """What the official SDK makes of a stream, without the usage, of which the start is an estimate here."""
    snapshot: Any = None
    pieces: Any = {}
    for raw in stream.decode().split("\n\n"):
        for line in raw.splitlines():
            if line.startswith("data:"):
                told = json.loads(line[5:])
                if told["type"] not in ("ping", "error"):
                    event: Any = anthropic.types.RawMessageStreamEvent
                    made = anthropic._models.construct_type(value=told, type_=event)
                    snapshot = accumulate_event(event=made, current_snapshot=snapshot, json_bufs=pieces)  # type: ignore[arg-type]
    message = snapshot.to_dict()
    message.pop("usage")
    return lean(message)


def lean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: lean(one) for key, one in value.items() if one is not None and one != []}
    return [lean(one) for one in value] if isinstance(value, list) else value


def test_blocks_one_by_one() -> None:
    """Thought, text and call are parts with rising numbers; the signature comes with the end of the thought."""
    events = read(
        START,
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "hm"},
            {"type": "signature_delta", "signature": "EqQB"},
        ),
        {"type": "ping"},
        *text("hi", 1),
        *block(
            2,
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            {"type": "input_json_delta", "partial_json": ""},
            {"type": "input_json_delta", "partial_json": '{"a":1}'},
        ),
        end("tool_use"),
        STOP,
    )
    seal = Seal("anthropic", msgspec.Raw(b'{"signature":"EqQB"}'))

    assert events == [
        Opened(id="msg_1", model="claude-x", dialect="anthropic"),
        PartOpened(0, 0, Thinking("")),
        ThinkingDelta(0, 0, "hm"),
        PartClosed(0, 0, seal),
        PartOpened(0, 1, Text("")),
        TextDelta(0, 1, "hi"),
        PartClosed(0, 1),
        PartOpened(0, 2, ToolCall("t", "f", "")),
        ArgumentsDelta(0, 2, '{"a":1}'),
        PartClosed(0, 2),
        Finished(0, Finish("tool_calls", "tool_use")),
        events[-1],
    ]
    assert isinstance(events[-1], Metered)


@pytest.mark.parametrize(
    ("given_input", "deltas", "arguments"),
    [
        ({}, [""], "{}"),
        ({}, [], "{}"),
        ({"a": 1}, [], '{"a": 1}'),
        ({"a": 1}, ['{"b":2}'], '{"b":2}'),
        ({}, ['{"a"', ":1}"], '{"a":1}'),
    ],
)
def test_arguments(given_input: Any, deltas: list[str], arguments: str) -> None:
    """Pitfall 14: none are `{}`; hosts that put them into the start are understood."""
    pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in deltas]
    [call] = parts(*block(0, {"type": "tool_use", "id": "t", "name": "f", "input": given_input}, *pieces))

    assert call == ToolCall("t", "f", arguments)


def test_citations_follow_their_text() -> None:
    """They stand in the middle of a text on the wire, and after it in the hub."""
    cited = {"type": "web_search_result_location", "url": "u", "title": "t", "encrypted_index": "E", "cited_text": "c"}
    place = {"type": "char_location", "document_index": 0}
    found = parts(
        *block(
            0,
            {"type": "text", "text": ""},
            {"type": "citations_delta", "citation": cited},
            {"type": "text_delta", "text": "a"},
            {"type": "citations_delta", "citation": place},
        )
    )

    assert [type(part) for part in found] == [Text, Citation, Opaque]


def test_blocks_of_the_vendors_own() -> None:
    """They come whole, with what their deltas brought."""
    found = parts(
        *block(
            0,
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"query":'},
            {"type": "input_json_delta", "partial_json": '"q"}'},
        ),
        *block(1, {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}),
        *block(2, {"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "sum"}),
        *block(3, {"type": "redacted_thinking", "data": "EpQC"}),
        *block(4, {"type": "of_tomorrow", "x": 1}, {"type": "delta_of_tomorrow", "y": 2}),
    )
    data = [json.loads(bytes(part.data)) for part in found if isinstance(part, Opaque)]

    assert data[0]["input"] == {"query": "q"}
    assert data[2]["content"] == "sum"
    assert found[3] == Thinking("", Seal("anthropic", msgspec.Raw(b'{"data":"EpQC"}')), member="redacted")
    assert data[3] == {"type": "of_tomorrow", "x": 1}


def test_unknown_events_and_deltas() -> None:
    """Clients must ignore what they do not know."""
    odd = {"type": "content_block_delta", "index": 0, "delta": {"type": "of_tomorrow"}}

    assert parts({"type": "of_tomorrow"}, odd, *text("hi"), {"type": "ping"}) == (Text("hi"),)


def test_frames_without_names() -> None:
    """Pitfall 8: when reading, the type inside is enough."""
    reader = DIALECT.reader()
    stream = b"".join(
        b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in (START, *text("hi"), end(), STOP)
    )

    assert fold(reader.feed(stream) + reader.finish()).choices[0].parts == (Text("hi"),)


def test_second_start() -> None:
    """Pitfall 7: whoever says it twice is opened once."""
    events = read(START, START, *text("hi"), end(), STOP)

    assert sum(isinstance(event, Opened) for event in events) == 1


@pytest.mark.parametrize(
    ("first", "last", "units"),
    [
        ({"input_tokens": 9, "output_tokens": 1}, {"output_tokens": 4}, {Meter.INPUT: 9, Meter.OUTPUT: 4}),
        (
            {"input_tokens": 9, "cache_read_input_tokens": 5, "output_tokens": 1},
            {"input_tokens": 11, "cache_read_input_tokens": 0, "output_tokens": 4},
            {Meter.INPUT: 11, Meter.INPUT_CACHED: 0, Meter.OUTPUT: 4},
        ),
        (
            {"input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 6}, "output_tokens": 1},
            {"input_tokens": None, "cache_creation_input_tokens": 8, "output_tokens": 4},
            {Meter.INPUT: 9, Meter.CACHE_WRITE: 2, Meter.CACHE_WRITE_1H: 6, Meter.OUTPUT: 4},
        ),
        (
            {"input_tokens": 9, "output_tokens": 1},
            {
                "output_tokens": 10,
                "output_tokens_details": {"thinking_tokens": 7},
                "server_tool_use": {"web_search_requests": 1},
            },
            {Meter.INPUT: 9, Meter.OUTPUT: 3, Meter.REASONING: 7, Meter.SEARCH: 1},
        ),
    ],
)
def test_usage_of_start_and_end(first: Any, last: Any, units: dict[Meter, int]) -> None:
    """Pitfall 69: the last value of each member counts, never the sum."""
    start = {**START, "message": {**START["message"], "usage": first}}
    [metered] = [event for event in read(start, *text("hi"), end(usage=last), STOP) if isinstance(event, Metered)]

    assert metered.usage.units == units


def test_several_message_deltas() -> None:
    """They are cumulative."""
    events = read(START, *text("hi"), end(None, {"output_tokens": 2}), end("max_tokens", {"output_tokens": 6}), STOP)
    whole = fold(events)

    assert whole.usage is not None
    assert whole.usage.units[Meter.OUTPUT] == 6
    assert whole.choices[0].finish.kind == "length"


@pytest.mark.parametrize("upto", range(1, 6))
def test_streams_that_break_off(upto: int) -> None:
    """Pitfall 21: without `message_stop` an answer is not whole, however much of it came."""
    events = read(*[START, *text("hello there"), end(), STOP][:upto])

    assert isinstance(events[-1], Failed)
    assert not any(isinstance(event, Finished) for event in events)


def test_bill_of_a_stream_that_breaks_off() -> None:
    """Pitfall 75: the prompt as the vendor counted it, and an estimate of what was written; nothing for no words."""
    usages = [event.usage for event in read(START, *text("hello there")[:2]) if isinstance(event, Metered)]

    assert usages == [
        Usage({Meter.INPUT: 9, Meter.INPUT_CACHED: 5, Meter.OUTPUT: 3}, dialect="anthropic", is_estimated=True)
    ]
    assert not any(isinstance(event, Metered) for event in read(START))


@pytest.mark.parametrize(
    ("kind", "status"),
    [("overloaded_error", 529), ("api_error", 502), ("rate_limit_error", 429), ("invalid_request_error", 400)],
)
def test_errors_inside(kind: str, status: int) -> None:
    """Pitfall 19: they end the stream with their meaning."""
    events = read(START, *text("hi"), {"type": "error", "error": {"type": kind, "message": "words"}}, end(), STOP)

    assert isinstance(events[-1], Failed)
    assert events[-1].status == status


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b"7", b'{"type":"content_block_start","content_block":7}', b"\xff", b"[" * 5000]
)
def test_nonsense(data: bytes) -> None:
    reader, tap = DIALECT.reader(), DIALECT.tap(Intent(model="m", body=b"", is_stream=True))
    events = reader.feed(frame(START) + b"data: " + data + b"\n\n") + reader.finish()
    tap.feed(frame(START) + b"data: " + data + b"\n\n")
    tap.finish()

    assert isinstance(events[-1], Failed)
    assert not tap.is_finished


def test_written_stream() -> None:
    """The whole grammar, with the usage at the end and an estimate at the start."""
    events = write(unfold(reply(Thinking("hm"), Text("hi"), ToolCall("t", "f", '{"a":1}'), kind="tool_calls")))

    assert [event["type"] for event in events] == [
        "message_start",
        *["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"],
        *["content_block_start", "content_block_delta", "content_block_stop"],
        *["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"],
        "message_delta",
        "message_stop",
    ]
    assert events[0]["message"]["usage"]["input_tokens"] == estimate_request(ASKED) > 0
    assert events[2]["delta"] == {"type": "thinking_delta", "thinking": "hm"}
    assert parcel.is_packed(events[3]["delta"]["signature"])
    assert events[9]["delta"] == {"type": "input_json_delta", "partial_json": ""}
    assert events[-2]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}
    assert events[-2]["usage"]["input_tokens"] == 3
    assert events[-2]["usage"]["cache_read_input_tokens"] == 5


def test_parallel_calls() -> None:
    """Pitfalls 1, 4, 5: one block each, one after another."""
    events = write(
        unfold(reply(ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}"), Text("x"), Thinking("y"), Text("z")))
    )
    kinds = [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"]

    assert kinds == ["tool_use", "tool_use", "text", "thinking", "text"]


def test_finish_waits_for_the_usage() -> None:
    """Pitfall 73: usage that comes after the finish stands in the same frame."""
    events = unfold(reply(Text("hi")))
    assert isinstance(events[-1], Metered)
    assert isinstance(events[-2], Finished)
    writer = DIALECT.writer(ASKED)

    assert b"message_delta" not in b"".join(map(writer.feed, events))
    assert b'"output_tokens":4' in writer.finish()


def test_stream_without_usage() -> None:
    """Pitfall 70: an estimate is better than zero."""
    events = unfold(msgspec.structs.replace(reply(Text("hello there")), usage=None))

    assert write(events)[-2]["usage"]["output_tokens"] == 3


def test_nothing_was_said() -> None:
    """Clients expect a block."""
    starts = [event for event in write(unfold(reply())) if event["type"] == "content_block_start"]

    assert starts == [{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}]


def test_failure_ends_the_stream() -> None:
    """Pitfalls 6, 20, 21: with an error event and nothing after it; no finish is invented."""
    events = write([*unfold(reply(Text("hi")))[:2], Failed("upstream_broken", "words", 502)])

    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["type"] == "api_error"


def test_no_done() -> None:
    """Pitfall 9: that belongs to another format."""
    writer = DIALECT.writer(ASKED)

    assert b"[DONE]" not in b"".join(map(writer.feed, unfold(reply(Text("hi"))))) + writer.finish()


def test_thoughts_for_whom_did_not_ask() -> None:
    """A caller without `thinking` gets none, nor what would carry the seal of a call."""
    sealed = ToolCall("t", "f", "{}", seal=Seal("gemini", msgspec.Raw(b'"x"')))
    quiet, asked = write(unfold(reply(Thinking("hm"), Text("hi"), sealed)), QUIET), write(unfold(reply(sealed)))
    kinds = [event["content_block"]["type"] for event in quiet if event["type"] == "content_block_start"]

    assert kinds == ["text", "tool_use"]
    assert parcel.unpack(asked[-4]["delta"]["signature"]).call == "t"


def test_seal_without_words() -> None:
    """An encrypted thought is a block with a signature alone; a thought of nothing is no block."""
    seal = Seal("openai_responses", msgspec.Raw(b'{"encrypted_content":"x"}'))
    events = write(unfold(reply(Thinking("", seal), Thinking(""), Text("hi"))))
    starts = [event for event in events if event["type"] == "content_block_start"]

    assert [start["content_block"]["type"] for start in starts] == ["thinking", "text"]


def test_parcels_of_another_gateway() -> None:
    """What carries the seal of a call is no thought; the parcel of a thought is unpacked."""
    seal = Seal("gemini", msgspec.Raw(b'"x"'))
    start = {"type": "thinking", "thinking": "", "signature": ""}
    found = parts(
        *block(0, start, {"type": "signature_delta", "signature": parcel.pack(seal, "t")}),
        *block(1, start, {"type": "signature_delta", "signature": parcel.pack(seal)}),
        *text("hi", 2),
    )

    assert found == (Thinking("", seal), Text("hi"))


def test_citations_in_a_stream() -> None:
    """They are deltas of the text before them, which stays open for them."""
    events = write(unfold(reply(Text("a"), Citation("u", "t"), Opaque("openai_chat", msgspec.Raw(b"{}")), Text("b"))))
    deltas = [event["delta"]["type"] for event in events if event["type"] == "content_block_delta"]

    assert deltas == ["text_delta", "citations_delta", "text_delta"]


def test_what_has_no_place() -> None:
    """Sounds, pictures and further choices are left out; a refusal is text."""
    sound = Media("audio", Inline(""))
    events: list[Event] = [
        Opened("r", "m"),
        PartOpened(0, 0, sound),
        MediaDelta(0, 0, "AAAA"),
        PartClosed(0, 0),
        PartOpened(1, 0, Text("")),
        TextDelta(1, 0, "other"),
        PartClosed(1, 0),
        PartOpened(0, 1, Refusal("")),
        TextDelta(0, 1, "no"),
        PartClosed(0, 1),
        Finished(0, Finish("stop")),
        Finished(1, Finish("stop")),
    ]
    said = [event["delta"]["text"] for event in write(events) if event["type"] == "content_block_delta"]

    assert said == ["no"]


def test_custom_call_in_a_stream() -> None:
    """Free text becomes the one argument."""
    events = write(unfold(reply(ToolCall("t", "sql", "SELECT 1", is_custom=True))))

    assert [event["delta"]["partial_json"] for event in events if event["type"] == "content_block_delta"] == [
        "",
        '{"input":"SELECT 1"}',
    ]


def test_masks_in_a_stream() -> None:
    """What the request disguised is right again in the events."""
    reader = Reader(Masks(names={"f_12": "f.g"}, answer="json_answer"))
    call = block(0, {"type": "tool_use", "id": "t", "name": "f_12", "input": {}})
    answer = block(
        1,
        {"type": "tool_use", "id": "u", "name": "json_answer", "input": {}},
        {"type": "input_json_delta", "partial_json": "[1]"},
    )
    stream = b"".join(map(frame, [START, *call, *answer, end("tool_use"), STOP]))

    assert fold(reader.feed(stream) + reader.finish()).choices[0].parts == (ToolCall("t", "f.g", "{}"), Text("[1]"))


PIECES = st.lists(
    st.one_of(
        st.builds(Text, st.text(max_size=5)),
        st.builds(Thinking, st.text(max_size=5), st.none() | st.just(Seal("gemini", msgspec.Raw(b'"x"')))),
        st.builds(ToolCall, st.just("t"), st.just("f"), st.sampled_from(["", "{}", '{"a":1}', "{cut"])),
        st.builds(Refusal, st.text(max_size=5)),
        st.builds(Citation, st.just("https://a.example")),
        st.just(
            Opaque(
                "anthropic", msgspec.Raw(b'{"type":"server_tool_use","id":"s","name":"n","input":{"q":1}}'), "content"
            )
        ),
        st.just(Opaque("openai_chat", msgspec.Raw(b"{}"))),
    ),
    max_size=6,
)


@given(said=PIECES, kind=st.sampled_from(["stop", "length", "filtered"]), asked=st.sampled_from([ASKED, QUIET]))
def test_any_answer_keeps_the_grammar(said: list[Part], kind: FinishKind, asked: ChatRequest) -> None:
    """Pitfalls 4, 5, 6: whatever the parts, the stream is one that Anthropic might have sent, and whole it is the same."""
    one = reply(*said, kind=kind)
    events = write(unfold(one), asked)
    reader = DIALECT.reader()
    streamed = fold(reader.feed(b"".join(map(frame, events))) + reader.finish()).choices[0]
    whole = DIALECT.decode_reply(DIALECT.encode_reply(one, [], asked)).choices[0]

    assert streamed.finish == whole.finish
    assert words(streamed.parts) == words(whole.parts)


def words(said: tuple[Part, ...]) -> list[Any]:
    found = [(type(part).__name__, getattr(part, "text", None)) for part in said if not isinstance(part, ToolCall)]
    return [one for one in found if one[1] != ""] + [part.name for part in said if isinstance(part, ToolCall)]


@needs_corpus
@pytest.mark.parametrize("taken", streams("openai_chat"), ids=name_of)
def test_streams_of_openai_as_anthropics(taken: Recording) -> None:
    """Real streams of another format keep the grammar and fold into what they are when whole."""
    reader = chat_dialects()["openai_chat"].reader()
    events = reader.feed(taken.body) + reader.finish()
    if isinstance(events[-1], Failed):
        return
    written = write(events)
    back = DIALECT.reader()
    streamed = fold(back.feed(b"".join(map(frame, written))) + back.finish())
    whole = fold(events)

    assert streamed.choices[0].finish.kind == whole.choices[0].finish.kind
    assert [part.arguments or "{}" for part in whole.choices[0].parts if isinstance(part, ToolCall)] == [
        part.arguments for part in streamed.choices[0].parts if isinstance(part, ToolCall)
    ]
    assert said_in(streamed) == said_in(whole)


def said_in(whole: ChatReply) -> str:
    return "".join(part.text for part in whole.choices[0].parts if isinstance(part, Text | Refusal))


def test_tap_tells_what_was_delivered() -> None:
    """The tap forwards the same object, and knows the bill at every moment."""
    tap = DIALECT.tap(Intent(model="m", body=b"", is_stream=True))
    chunk = frame(START)

    assert tap.feed(chunk) is chunk
    assert tap.usage is None
    tap.feed(b"".join(map(frame, text("hello there"))))
    assert tap.text_units == 3
    assert tap.usage is not None
    assert (tap.usage.is_estimated, tap.usage.units[Meter.INPUT]) == (True, 9)
    tap.feed(frame(end()) + frame(STOP))
    assert tap.finish() == b""
    assert (tap.is_finished, tap.failed, tap.usage.units[Meter.OUTPUT]) == (True, None, 4)


def test_tap_hears_an_error() -> None:
    """Pitfall 76: nothing is billed for an error before any content."""
    tap = DIALECT.tap(Intent(model="m", body=b"", is_stream=True))
    tap.feed(frame(START) + frame({"type": "error", "error": {"type": "overloaded_error", "message": "o"}}))

    assert tap.is_told
    assert tap.failed
    assert tap.usage is None


def test_ping() -> None:
    """What keeps a silent stream open is an event of the format."""
    assert DIALECT.ping == b'event: ping\ndata: {"type":"ping"}\n\n'
