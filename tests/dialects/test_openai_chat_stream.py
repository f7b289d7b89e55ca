import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import Recording, name_of, needs_corpus, streams
from yibu.dialects.openai_chat import DIALECT as CHAT
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import Broken, Busy, Refused
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
from yibu.hub.media import Inline
from yibu.hub.options import Streaming
from yibu.hub.parts import Citation, Media, Refusal, Seal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish
from yibu.hub.tools import Function
from yibu.hub.usage import Meter, Usage

NAMES = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
DONE = b"data: [DONE]\n\n"
OPENED = Opened(id="x", model="m", created=1, dialect="openai_chat")


def frame(delta: dict[str, Any] | None, finish: str | None = None, choice: int = 0, **members: Any) -> bytes:
    choices = [] if delta is None else [{"index": choice, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({**NAMES, "choices": choices, **members}).encode() + b"\n\n"


def call(index: int | None, arguments: str = "", *, id: str | None = None, name: str | None = None) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name is not None else {})
    about = {"index": index, "id": id, "function": function}
    return {key: value for key, value in about.items() if value is not None}


def calls(*fragments: dict[str, Any]) -> bytes:
    return frame({"tool_calls": list(fragments)})


def read(*chunks: bytes) -> list[Event]:
    reader = CHAT.reader()
    return [event for chunk in chunks for event in reader.feed(chunk)] + reader.finish()


def parts(*chunks: bytes) -> tuple[Any, ...]:
    return fold(read(*chunks)).choices[0].parts


def told(*chunks: bytes) -> list[tuple[str, str]]:
    """Names and arguments of the calls in a stream."""
    return [(part.name, part.arguments) for part in parts(*chunks)]


@needs_corpus
@pytest.mark.parametrize("taken", streams("openai-chat"), ids=name_of)
def test_recorded_streams(taken: Recording) -> None:
    """Every recorded stream is read to its end, in normal form, and never cut short."""
    events = read(taken.body)
    check_normal_form(events)

    if b"event: error" in taken.body:
        assert events[-1] == Failed(
            code="tool_use_failed", message="Tool choice is required, but model did not call a tool", status=400
        )
        return
    reply = fold(events)
    assert reply.usage is not None
    assert reply.choices[0].finish.kind in ("stop", "tool_calls")
    assert fold(unfold(reply)) == reply


def check_normal_form(events: list[Event]) -> None:
    """Raises when events are not in the order that `hub.events` promises."""
    opened: dict[int, int] = {}
    closed: dict[int, int] = {}
    assert isinstance(events[0], Opened)
    for event in events[1:]:
        match event:
            case PartOpened():
                assert event.part == opened.get(event.choice, -1) + 1
                assert closed.get(event.choice, -1) == event.part - 1
                opened[event.choice] = event.part
            case PartClosed():
                assert event.part == opened[event.choice] == closed.get(event.choice, -1) + 1
                closed[event.choice] = event.part
            case TextDelta() | ThinkingDelta() | ArgumentsDelta():
                assert event.text
                assert event.part == opened[event.choice] == closed.get(event.choice, -1) + 1
            case Finished():
                assert opened.get(event.choice, -1) == closed.get(event.choice, -1)
            case Failed():
                assert event is events[-1]
            case _:
                pass
    assert sum(isinstance(event, Metered) for event in events) <= 1


def test_deepseek() -> None:
    """Thoughts come in `reasoning_content` with `content: null`; usage rides on the finish chunk."""
    events = read(
        frame({"role": "assistant", "content": None, "reasoning_content": ""}),
        frame({"content": None, "reasoning_content": "hm"}),
        frame({"content": "a", "reasoning_content": None}),
        frame({"content": "", "reasoning_content": None}, "stop", usage={"prompt_tokens": 1, "completion_tokens": 2}),
        DONE,
    )

    assert events[1:7] == [
        PartOpened(0, 0, Thinking("")),
        ThinkingDelta(0, 0, "hm"),
        PartClosed(0, 0),
        PartOpened(0, 1, Text("")),
        TextDelta(0, 1, "a"),
        PartClosed(0, 1),
    ]
    assert events[7] == Finished(0, Finish("stop", "stop"))
    assert isinstance(events[8], Metered)


def test_groq() -> None:
    """Usage hides in `x_groq`; thoughts come in `reasoning`."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    reply = fold(
        read(frame({"reasoning": "hm", "channel": "analysis"}), frame({}, "stop", x_groq={"usage": usage}), DONE)
    )

    assert reply.choices[0].parts == (Thinking("hm", member="reasoning"),)
    assert reply.usage is not None
    assert reply.usage.units == {Meter.INPUT: 1, Meter.OUTPUT: 2}


def test_openrouter() -> None:
    """Comments are skipped; fragments of details make one seal; the first finish reason counts; citations come last."""
    cited = {"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}
    pieces = [{"type": "reasoning.text", "text": text, "index": 0} for text in ("h", "m")]
    sealed = {"type": "reasoning.text", "signature": "s", "index": 0}
    found = parts(
        b": OPENROUTER PROCESSING\n\n",
        frame({"content": "", "reasoning": "h", "reasoning_details": pieces[:1]}),
        frame({"content": "", "reasoning": "m", "reasoning_details": pieces[1:]}),
        frame({"content": "", "reasoning": None, "reasoning_details": [sealed]}),
        frame({"content": "", "annotations": [cited]}),
        frame({"content": "a"}),
        frame({"content": ""}, "stop"),
        frame({"content": ""}, "length", usage={"prompt_tokens": 1, "completion_tokens": 1}),
        DONE,
    )
    seal = Seal("openai_chat", msgspec.Raw(b'[{"type":"reasoning.text","text":"hm","index":0,"signature":"s"}]'))

    assert found == (Thinking("hm", seal=seal, member="reasoning"), Text("a"), Citation("u", "t"))


def test_details_alone() -> None:
    """Where only `reasoning_details` tell the thoughts, their text counts; an encrypted trace is a thought without text."""
    spoken = parts(frame({"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}), frame({}, "stop"))
    sealed = parts(frame({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}), frame({}, "stop"))

    assert (spoken[0].text, spoken[0].member) == ("hm", "reasoning_details")
    assert (sealed[0].text, sealed[0].seal is None) == ("", False)


def test_mistral() -> None:
    """Content may be an array with thoughts in it."""
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]

    assert parts(frame({"content": thought}), frame({"content": "a"}), frame({}, "stop")) == (
        Thinking("hm", member="content"),
        Text("a"),
    )


def test_snowflake() -> None:
    """A stream without any finish reason but with `[DONE]` is complete; so is one whose calls end with nothing said."""
    said = fold(read(frame({"content": "4", "refusal": "", "tool_calls": None}), DONE))
    called = fold(read(calls(call(0, "{}", id="1", name="f")), DONE))

    assert said.choices[0].finish == Finish("stop", "")
    assert called.choices[0].finish == Finish("tool_calls", "")


def test_azure() -> None:
    """A first chunk with filter results only does not open the answer with an empty id."""
    first = b'data: {"id":"","model":"","created":0,"choices":[],"prompt_filter_results":[1]}\n\n'
    opened = read(first, frame({"content": "a"}, "stop"), DONE)[0]

    assert isinstance(opened, Opened)
    assert (opened.id, opened.model, opened.created) == ("x", "m", 1)
    assert list(opened.extras) == ["prompt_filter_results"]


def test_repeated_usage() -> None:
    """Pitfall 69: of usage that grows with every chunk the last counts; nothing is added up."""
    usages = [{"prompt_tokens": 5, "completion_tokens": count} for count in (1, 2, 3)]
    reply = fold(read(*(frame({"content": "a"}, usage=usage) for usage in usages), frame({}, "stop"), DONE))

    assert reply.usage is not None
    assert reply.usage.units == {Meter.INPUT: 5, Meter.OUTPUT: 3}


def test_calls_by_index() -> None:
    """Pitfall 2: fragments are joined by their index."""
    assert told(
        calls(call(0, id="1", name="f")),
        calls(call(0, '{"a":')),
        calls(call(0, "1}")),
        calls(call(1, id="2", name="g")),
        calls(call(1, "{}")),
        frame({}, "tool_calls"),
    ) == [("f", '{"a":1}'), ("g", "{}")]


def test_interleaved_calls() -> None:
    """Pitfalls 1, 4: fragments of several calls at once are put in order, one open at a time."""
    chunks = [
        calls(call(0, id="1", name="f"), call(1, id="2", name="g")),
        calls(call(1, '{"b":')),
        calls(call(0, '{"a":')),
        calls(call(1, "2}")),
        calls(call(0, "1}")),
        frame({}, "tool_calls"),
    ]
    check_normal_form(read(*chunks))

    assert told(*chunks) == [("f", '{"a":1}'), ("g", '{"b":2}')]


@pytest.mark.parametrize(
    "fragments",
    [
        [call(None, "{}", id="1", name="f"), call(None, "{}", id="2", name="f")],
        [call(0, "{}", id="1", name="f"), call(0, "{}", id="2", name="f")],
        [call(None, "{}", id="", name="f"), call(None, "{}", id="", name="g")],
        [call(None, "{}", id="", name="f"), call(None, "{}", id="", name="f")],
        [call(None, "{", id="1", name="f"), call(None, "}"), call(None, "{", id="2", name="f"), call(None, "}")],
        [
            call(0, "", id="1", name="f"),
            call(0, "{", name="f"),
            call(0, "}", name="f"),
            call(1, "{}", id="2", name="g"),
        ],
    ],
)
def test_calls_without_an_index(fragments: list[dict[str, Any]]) -> None:
    """A new id or a new name is a new call; each has an id of its own in the end."""
    found = parts(*(calls(fragment) for fragment in fragments), frame({}, "tool_calls"))

    assert [part.arguments for part in found] == ["{}", "{}"]
    assert len({part.id for part in found}) == 2
    assert all(part.id for part in found)


def test_legacy_and_custom_calls() -> None:
    """`function_call` and custom tools stream too."""
    legacy = parts(
        frame({"function_call": {"name": "f", "arguments": ""}}),
        frame({"function_call": {"arguments": "{}"}}),
        frame({}, "function_call"),
    )
    custom = parts(
        calls({"index": 0, "id": "1", "type": "custom", "custom": {"name": "g", "input": ""}}),
        calls({"index": 0, "custom": {"input": "x"}}),
        frame({}, "tool_calls"),
    )

    assert (legacy[0].member, legacy[0].arguments) == ("function_call", "{}")
    assert custom == (ToolCall("1", "g", "x", is_custom=True),)


def test_choices_interleave() -> None:
    """Several choices are kept apart."""
    reply = fold(
        read(
            frame({"content": "a"}),
            frame({"content": "b"}, choice=1),
            frame({"content": "A"}),
            frame({}, "length", choice=1),
            frame({}, "stop"),
        )
    )

    assert [choice.parts for choice in reply.choices] == [(Text("aA"),), (Text("b"),)]
    assert [choice.finish.kind for choice in reply.choices] == ["stop", "length"]


def test_sound() -> None:
    """A sound comes as id, words, data and the date when it expires."""
    found = parts(
        frame({"audio": {"id": "a"}}),
        frame({"audio": {"transcript": "hi"}}),
        frame({"audio": {"data": "AA"}}),
        frame({"audio": {"expires_at": 9}}),
        frame({}, "stop"),
    )

    extras = {"expires_at": msgspec.Raw(b"9")}
    assert found == (Media("audio", Inline("AA"), id="a", transcript="hi", extras=extras),)


def test_logprobs_are_joined() -> None:
    """Logprobs of the pieces are those of the whole."""
    one, two = ({"content": [{"token": token}], "refusal": None} for token in "ab")
    choices = [[{"index": 0, "delta": {"content": "x"}, "logprobs": probs}] for probs in (one, two)]
    chunks = [b"data: " + json.dumps({**NAMES, "choices": choice}).encode() + b"\n\n" for choice in choices]
    logprobs = fold(read(*chunks, frame({}, "stop"))).choices[0].logprobs

    assert logprobs is not None
    assert json.loads(bytes(logprobs))["content"] == [{"token": "a"}, {"token": "b"}]


@pytest.mark.parametrize(
    ("chunks", "failed"),
    [
        ([frame({"content": "a"})], Failed("upstream_broken", Broken().message, 502)),
        (
            [frame({"content": "a"}, "stop"), frame({"content": "b"}, choice=1)],
            Failed("upstream_broken", Broken().message),
        ),
        ([frame({"content": "a"}), b"data: {broken\n\n", DONE], Failed("upstream_broken", Broken().message)),
        ([b"data: " + b"[" * 9999 + b"\n\n", DONE], Failed("upstream_broken", Broken().message)),
        ([], Failed("upstream_broken", Broken().message)),
        ([DONE], Failed("upstream_broken", Broken().message)),
        (
            [b'event: error\ndata: {"error":{"message":"no","code":"c","status_code":400}}\n\n'],
            Failed("c", "no", 400),
        ),
        (
            [b'data: {"error":{"message":"no","type":"invalid_request_error"}}\n\n', DONE],
            Failed("upstream_refused", "no", 400),
        ),
        (
            [frame({"content": "a"}, "error", error={"code": 429, "message": "x"}), DONE],
            Failed("upstream_busy", Busy().message, 429),
        ),
        ([b'data: {"error":{"message":"x"}}\n\n'], Failed("upstream_broken", Broken().message, 502)),
    ],
)
def test_failures(chunks: list[bytes], failed: Failed) -> None:
    """A cut, nonsense and errors inside the stream end it with `Failed`, and nothing comes after that."""
    assert read(*chunks)[-1] == failed
    assert sum(isinstance(event, Failed) for event in read(*chunks)) == 1


def test_usage_before_a_failure() -> None:
    """What was counted before the failure is told."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    events = read(frame({"content": "a"}, usage=usage), b'data: {"error":{"message":"x"}}\n\n')

    assert [type(event) for event in events[-2:]] == [Metered, Failed]


def test_fold_raises_the_failure() -> None:
    """A failed stream folds into the error that its status means."""
    for status, kind in ((400, Refused), (429, Busy), (502, Broken)):
        with pytest.raises(kind):
            fold([OPENED, Failed("c", "m", status)])
    with pytest.raises(Broken):
        fold([])


@given(st.lists(st.binary(max_size=30) | st.just(b"data: {}\n\n") | st.just(b'data: {"choices":[{}]}\n\n'), max_size=6))
def test_any_stream(chunks: list[bytes]) -> None:
    """Whatever a vendor sends, the reader gives events."""
    assert read(*chunks)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "index", "function", "name", "arguments", "text", "url_citation", "type"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
DELTA = st.dictionaries(
    st.sampled_from(
        [
            "content",
            "reasoning",
            "reasoning_content",
            "reasoning_details",
            "refusal",
            "tool_calls",
            "audio",
            "images",
            "annotations",
        ]
    ),
    ANY,
    max_size=3,
)


@given(st.lists(DELTA, max_size=4))
def test_any_delta(deltas: list[dict[str, Any]]) -> None:
    """Members of any type give events in normal form."""
    events = read(*map(frame, deltas), DONE)

    if isinstance(events[0], Opened):
        check_normal_form(events)


def write(*events: Event, usage: bool = False, functions: bool = False) -> list[Any]:
    tools = (Function("f", member="functions"),) if functions else ()
    request = ChatRequest(
        model="m", turns=(Turn("user", (Text("x"),)),), stream=Streaming(on=True, usage=usage), tools=tools
    )
    writer = CHAT.writer(request)
    text = b"".join(writer.feed(event) for event in events) + writer.finish()
    return [
        data if data == "[DONE]" else json.loads(data)
        for data in text.decode().replace("data: ", "").split("\n\n")[:-1]
    ]


def test_written_text() -> None:
    """The first chunk has the role, the last the reason; names are the same in all."""
    said = [PartOpened(0, 0, Text("")), TextDelta(0, 0, "a"), PartClosed(0, 0), Finished(0, Finish("stop"))]
    chunks = write(OPENED, *said, Metered(Usage({Meter.INPUT: 1})))

    assert [chunk["choices"][0]["delta"] for chunk in chunks[:-1]] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "a"},
        {},
    ]
    assert all({key: chunk[key] for key in NAMES} == NAMES for chunk in chunks[:-1])
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None, None, "stop"]
    assert chunks[-1] == "[DONE]"
    assert all("usage" not in chunk for chunk in chunks[:-1])


def test_written_usage() -> None:
    """Who wants usage gets it in a chunk of its own at the end, and null before, even when it was known earlier."""
    chunks = write(OPENED, Metered(Usage({Meter.INPUT: 1, Meter.OUTPUT: 2})), Finished(0, Finish("stop")), usage=True)

    assert [chunk["usage"] for chunk in chunks[:-2]] == [None, None]
    assert chunks[-2]["choices"] == []
    assert chunks[-2]["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert chunks[-1] == "[DONE]"


def test_written_calls() -> None:
    """A call starts with id, type and name; what follows has the index and arguments only."""
    events: list[Event] = [OPENED]
    for number in range(2):
        head = ToolCall(f"c{number}", "f", "")
        events += [PartOpened(0, number, head), ArgumentsDelta(0, number, "{}"), PartClosed(0, number)]
    deltas = [chunk["choices"][0]["delta"] for chunk in write(*events, Finished(0, Finish("tool_calls")))[:-1]]

    assert deltas[3]["tool_calls"] == [
        {"index": 1, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    ]
    assert deltas[4] == {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}


def test_written_legacy_calls() -> None:
    """Who asked with `functions` is answered with `function_call`."""
    chunks = write(
        OPENED,
        PartOpened(0, 0, ToolCall("c", "f", "")),
        ArgumentsDelta(0, 0, "{}"),
        PartClosed(0, 0),
        Finished(0, Finish("tool_calls")),
        functions=True,
    )

    assert chunks[1]["choices"][0]["delta"] == {"function_call": {"name": "f", "arguments": ""}}
    assert chunks[2]["choices"][0]["delta"] == {"function_call": {"arguments": "{}"}}
    assert chunks[3]["choices"][0]["finish_reason"] == "function_call"


def test_written_failure() -> None:
    """A failure is one error frame; neither usage nor `[DONE]` follows."""
    chunks = write(OPENED, Metered(Usage({Meter.INPUT: 1})), Failed("overloaded", "busy", 429), usage=True)

    [chunk] = chunks
    assert chunk["error"].pop("message_zh") == "厂商正忙，请稍等再试。（busy）"
    assert chunk == {"error": {"message": "busy", "type": "rate_limit_error", "param": None, "code": "upstream_busy"}}


REPLY = ChatReply(
    id="x",
    model="m",
    created=1,
    dialect="openai_chat",
    usage=Usage({Meter.INPUT: 1, Meter.OUTPUT: 2}),
    choices=(
        Choice(
            (
                Thinking("t", seal=Seal("openai_chat", msgspec.Raw(b'[{"type":"reasoning.encrypted","data":"x"}]'))),
                Text("a"),
                Refusal("b"),
                Media("audio", Inline("AA"), id="s", transcript="hi"),
                Media("image", Inline("AA", "image/png")),
                ToolCall("c1", "f", '{"a":1}', seal=Seal("gemini", msgspec.Raw(b'"s"'))),
                ToolCall("c2", "g", "x", is_custom=True),
                Citation("u", "t", 1, 2),
            ),
            Finish("tool_calls", "tool_calls"),
            logprobs=msgspec.Raw(b'{"content":[{"token":"a"}],"refusal":null}'),
        ),
        Choice((Thinking("u", seal=Seal("anthropic", msgspec.Raw(b'{"s":1}'))),), Finish("length", "length")),
    ),
)


def test_a_rich_answer_survives_both_ways() -> None:
    """Written as a stream or as a whole and read again, an answer with every kind of part is the same."""
    request = ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True))
    writer = CHAT.writer(request)
    stream = b"".join(map(writer.feed, unfold(REPLY))) + writer.finish()
    streamed, whole = fold(read(stream)), CHAT.decode_reply(CHAT.encode_reply(REPLY, []))

    assert streamed.choices == REPLY.choices
    assert whole.choices == REPLY.choices
    assert streamed.usage is not None
    assert streamed.usage.units == {Meter.INPUT: 1, Meter.OUTPUT: 2}


def test_media_deltas_are_written() -> None:
    """Sound is written as it comes."""
    head = Media("audio", Inline(""), id="s")
    chunks = write(
        OPENED, PartOpened(0, 0, head), MediaDelta(0, 0, "AA", "hi"), PartClosed(0, 0), Finished(0, Finish("stop"))
    )

    assert [chunk["choices"][0]["delta"] for chunk in chunks[1:3]] == [
        {"audio": {"id": "s"}},
        {"audio": {"data": "AA", "transcript": "hi"}},
    ]
