"""The laws that every chat dialect keeps, whichever file it lives in.

1 whole = byte by byte · 2 decode∘encode = identity · 3 streamed = not streamed · 4 reader∘writer = identity ·
5 what the tap bills is what the translation bills
"""

import json
from itertools import groupby
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import yibu.dialects
from tests.corpus import Recording, answers, name_of, needs_corpus, streams
from yibu.dialects import chat_dialects, discover
from yibu.dialects.dialect import ChatDialect, Intent
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.estimate import TextMeter
from yibu.hub.events import ArgumentsDelta, Event, Failed, Finished, Metered, Opened, PartClosed, PartOpened
from yibu.hub.fold import fold, unfold
from yibu.hub.loss import Losses
from yibu.hub.options import Limits, Streaming
from yibu.hub.parts import Opaque, Part, Text, Thinking, ToolCall, ToolResult
from yibu.hub.reply import ChatReply, Choice, Finish
from yibu.hub.tools import Function
from yibu.hub.usage import Meter, Usage

PLAIN = {"openai_completions"}
"""Formats of a text that goes on, without roles, thoughts and tools; they keep the laws for texts, in tests of their own."""
TOLD_APART = {"cursor_chat"}
DIALECTS = sorted(
    (dialect for id, dialect in chat_dialects().items() if id not in PLAIN), key=lambda dialect: dialect.id
)
every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.id)


def recorded(taken: list[tuple[ChatDialect, Recording]]) -> Any:
    return pytest.mark.parametrize(("dialect", "taken"), taken, ids=[f"{one.id}-{name_of(two)}" for one, two in taken])


STREAMS = [(dialect, taken) for dialect in DIALECTS for taken in streams(dialect.id)]
ANSWERS = [(dialect, taken) for dialect in DIALECTS for taken in answers(dialect.id)]
SHORT = [(dialect, taken) for dialect, taken in STREAMS if len(taken.body) < 6000]
ASKED = Intent(model="m", body=b"{}", is_stream=True, wants_usage=True)


def read(dialect: ChatDialect, *chunks: bytes) -> bytes:
    """The events as JSON text, in which they can be compared."""
    reader = dialect.reader()
    return msgspec.json.encode([event for chunk in chunks for event in reader.feed(chunk)] + reader.finish())


@needs_corpus
@recorded(STREAMS)
def test_byte_by_byte(dialect: ChatDialect, taken: Recording) -> None:
    """Law 1: a stream fed byte by byte gives the same events, and passes the tap as the same bytes."""
    body = taken.body
    single = [body[at : at + 1] for at in range(len(body))]
    whole, cut = (
        dialect.tap(Intent(model="m", body=b"", is_stream=True)),
        dialect.tap(Intent(model="m", body=b"", is_stream=True)),
    )

    assert read(dialect, *single) == read(dialect, body)
    assert b"".join(map(cut.feed, single)) + cut.finish() == whole.feed(body) + whole.finish()


@needs_corpus
@recorded(SHORT)
def test_any_single_cut(dialect: ChatDialect, taken: Recording) -> None:
    """Law 1: a cut at any one place makes no difference."""
    whole = read(dialect, taken.body)

    for cut in range(1, len(taken.body)):
        assert read(dialect, taken.body[:cut], taken.body[cut:]) == whole


@needs_corpus
@recorded(STREAMS)
def test_tap_and_reader_bill_alike(dialect: ChatDialect, taken: Recording) -> None:
    """Law 5: usage, end and failure are the same on both ways."""
    reader, tap = dialect.reader(), dialect.tap(ASKED)
    events = reader.feed(taken.body) + reader.finish()
    tap.feed(taken.body)
    tap.finish()
    metered = [event.usage.units for event in events if isinstance(event, Metered)]

    assert metered == ([tap.usage.units] if tap.usage else [])
    assert isinstance(events[-1], Failed) == bool(tap.failed)
    assert tap.is_finished == (not tap.failed)


@needs_corpus
@recorded(ANSWERS)
def test_tap_and_decoder_bill_alike(dialect: ChatDialect, taken: Recording) -> None:
    """Law 5: the same for whole answers."""
    tap, meter = dialect.tap(Intent(model="m", body=b"{}")), TextMeter()
    reply = dialect.decode_reply(taken.body)
    tap.feed(taken.body)
    tap.finish()
    meter.feed_reply(reply)

    assert (tap.usage and tap.usage.units) == (reply.usage and reply.usage.units)
    assert tap.text_units == meter.tokens


@needs_corpus
@recorded(ANSWERS)
def test_streamed_is_not_streamed(dialect: ChatDialect, taken: Recording) -> None:
    """Pitfall 42, law 3: an answer written as a stream folds into what it is when written whole."""
    reply = dialect.decode_reply(taken.body)
    writer = dialect.writer(ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True)))
    reader = dialect.reader()
    stream = b"".join(map(writer.feed, unfold(reply))) + writer.finish()
    streamed = fold(reader.feed(stream) + reader.finish())
    whole = dialect.decode_reply(dialect.encode_reply(reply, []))

    assert [essence(choice) for choice in streamed.choices] == [essence(choice) for choice in whole.choices]
    assert (streamed.usage and streamed.usage.units) == (whole.usage and whole.usage.units)


def essence(choice: Choice) -> Any:
    """What every dialect can carry of a choice: text runs, thoughts, calls, the kind of its end."""
    said = [(type(part), words(part)) for part in choice.parts if words(part)]
    runs = [(kind, "".join(text for _, text in run)) for kind, run in groupby(said, key=lambda one: one[0])]
    return runs, choice.finish.kind


def words(part: Part) -> str:
    match part:
        case Text() | Thinking():
            return part.text
        case ToolCall():
            return json.dumps([part.id, part.name, part.arguments])
        case _:
            return ""


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
INKED = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)
"""Without blanks: some vendors refuse texts of nothing else, and answers that end in one."""
ARGUMENTS = st.dictionaries(WORDS, st.integers(0, 9) | WORDS, max_size=2).map(json.dumps)
NAME = st.from_regex(r"[a-z]{1,8}", fullmatch=True)


@st.composite
def said(draw: st.DrawFn, words: st.SearchStrategy[str] = WORDS) -> tuple[Part, ...]:
    """Parts as models give them: perhaps a thought, perhaps a text, then calls."""
    parts: list[Part] = []
    if draw(st.booleans()):
        parts.append(Thinking(draw(words)))
    if draw(st.booleans()):
        parts.append(Text(draw(words)))
    for number in range(draw(st.integers(0 if parts else 1, 2))):
        parts.append(ToolCall(f"call_{number}", draw(NAME), draw(ARGUMENTS)))
    return tuple(parts)


@st.composite
def replies(draw: st.DrawFn) -> ChatReply:
    parts = draw(said())
    finish = Finish(
        "tool_calls" if any(isinstance(part, ToolCall) for part in parts) else draw(st.sampled_from(["stop", "length"]))
    )
    usage = Usage({Meter.INPUT: draw(st.integers(0, 9)), Meter.OUTPUT: draw(st.integers(0, 9))})
    return ChatReply(id="chatcmpl-1", model="m", created=1, choices=(Choice(parts, finish),), usage=usage)


def owned(reply: ChatReply, dialect: ChatDialect) -> ChatReply:
    return msgspec.structs.replace(reply, dialect=dialect.id)


@every_dialect
@given(reply=replies())
def test_reply_there_and_back(dialect: ChatDialect, reply: ChatReply) -> None:
    """Law 2: an answer encoded and decoded is the same, whoever's it was."""
    for one in (reply, owned(reply, dialect)):
        back = dialect.decode_reply(dialect.encode_reply(one, []))

        assert [essence(choice) for choice in back.choices] == [essence(choice) for choice in reply.choices]
        assert counted(back.usage) == counted(reply.usage)


def counted(usage: Usage | None) -> tuple[int, int]:
    assert usage is not None
    return usage.units[Meter.INPUT], usage.units[Meter.OUTPUT]


@every_dialect
@given(
    first=INKED,
    system=INKED,
    parts=said(INKED),
    result=INKED,
    name=NAME,
    ceiling=st.integers(16, 9999),
    is_stream=st.booleans(),
)
def test_request_there_and_back(
    dialect: ChatDialect,
    first: str,
    system: str,
    parts: tuple[Part, ...],
    result: str,
    name: str,
    ceiling: int,
    is_stream: bool,
) -> None:
    """Law 2: a request encoded and decoded is the same in what every dialect can say."""
    calls = [part for part in parts if isinstance(part, ToolCall)]
    answer = tuple(part for part in parts if not isinstance(part, Thinking))
    schema = msgspec.Raw(b'{"type":"object"}')
    turns = [Turn("system", (Text(system),)), Turn("user", (Text(first),))]
    if answer:
        turns.append(Turn("assistant", answer))
    turns += [Turn("tool", (ToolResult(call.id, (Text(result),)),)) for call in calls]
    request = ChatRequest(
        model="m",
        turns=tuple(turns),
        tools=(Function(name, "what it does", schema),),
        limits=Limits(max_output_tokens=ceiling),
        stream=Streaming(on=is_stream),
    )
    back = dialect.decode_request(dialect.encode_request(request, []))

    assert flat(back) == flat(request)
    assert [(tool.name, tool.description) for tool in back.tools if isinstance(tool, Function)] == [
        (name, "what it does")
    ]
    assert back.limits.max_output_tokens == ceiling
    intent = dialect.sniff(dialect.encode_request(request, []))
    assert intent.max_output_tokens == ceiling


def flat(request: ChatRequest) -> list[Any]:
    """Turns without the question how results are grouped."""
    found: list[Any] = []
    for turn in request.turns:
        for part in turn.parts:
            if isinstance(part, ToolResult):
                found.append(("tool", part.call_id, [words(one) for one in part.parts]))
            else:
                found.append((turn.role, type(part), words(part)))
    return found


@every_dialect
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(reply=replies(), cut=st.integers(1, 5))
def test_stream_there_and_back(dialect: ChatDialect, reply: ChatReply, cut: int) -> None:
    """Law 4: events in normal form, written and read again, are the same events."""
    events = [piece for event in unfold(owned(reply, dialect)) for piece in sliced(event, cut)]
    writer = dialect.writer(ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True)))
    reader = dialect.reader()
    stream = b"".join(map(writer.feed, events)) + writer.finish()

    assert shape(reader.feed(stream) + reader.finish()) == shape(events)


def sliced(event: Event, size: int) -> list[Event]:
    """A delta as several of at most `size` characters."""
    text = getattr(event, "text", "")
    if not text:
        return [event]
    return [msgspec.structs.replace(event, text=text[at : at + size]) for at in range(0, len(text), size)]


def shape(events: list[Event]) -> list[Any]:
    """Arguments in one piece: there are formats in which a call comes whole."""
    found: list[Any] = []
    for event in events:
        match event:
            case Opened():
                found.append((Opened, event.id, event.model))
            case PartOpened(head=head):
                found.append((PartOpened, event.part, type(head), getattr(head, "id", ""), getattr(head, "name", "")))
            case PartClosed():
                found.append((PartClosed, event.part))
            case Finished():
                found.append((Finished, event.finish.kind))
            case Metered():
                found.append(counted(event.usage))
            case Failed():
                found.append(Failed)
            case ArgumentsDelta() if found and found[-1][:2] == (ArgumentsDelta, event.part):
                found[-1] = (ArgumentsDelta, event.part, found[-1][2] + event.text)
            case _:
                found.append((type(event), event.part, getattr(event, "text", "")))
    return sorted(found, key=lambda one: isinstance(one, tuple) and isinstance(one[0], int))


@every_dialect
@given(reply=replies())
def test_streamed_is_not_streamed_anywhere(dialect: ChatDialect, reply: ChatReply) -> None:
    """Law 3, with made-up answers."""
    writer = dialect.writer(ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True)))
    reader = dialect.reader()
    stream = b"".join(map(writer.feed, unfold(reply))) + writer.finish()
    streamed = fold(reader.feed(stream) + reader.finish())

    assert [essence(choice) for choice in streamed.choices] == [essence(choice) for choice in reply.choices]
    assert counted(streamed.usage) == counted(reply.usage)


def test_dialects_are_found_by_their_files() -> None:
    """Whatever module has a `DIALECT` takes part, under its own id."""
    found = discover()

    assert found["openai_chat"].title == "OpenAI Chat Completions"
    assert all(dialect.id == id for id, dialect in found.items())
    assert set(chat_dialects()) <= set(found)
    assert discover() is found


def test_two_dialects_of_one_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files that claim the same id are a mistake of ours, told at the start."""
    twin = SimpleNamespace(DIALECT=SimpleNamespace(id="twin"))
    modules = [SimpleNamespace(name="one"), SimpleNamespace(name="two")]
    monkeypatch.setattr(yibu.dialects, "iter_modules", lambda path: modules)
    monkeypatch.setattr(yibu.dialects, "import_module", lambda name: twin)

    with pytest.raises(ValueError, match="twin"):
        discover.__wrapped__()


@every_dialect
def test_routes_have_places(dialect: ChatDialect) -> None:
    """Every route has a path and a method, no two are the same; only who is told apart on another's path has none."""
    places = [(route.method, route.path) for route in dialect.routes]

    assert len(set(places)) == len(places)
    assert places or dialect.id in TOLD_APART
    assert all(path.startswith("/") for _, path in places)


ODD = Opaque("elsewhere", msgspec.Raw(b'{"type":"odd"}'))


@every_dialect
def test_what_an_answer_cannot_carry_is_noted(dialect: ChatDialect) -> None:
    """Whole and streamed alike: for the header where there is still one, and for the log."""
    reply = ChatReply(id="x", model="m", choices=(Choice((Text("Hi"), ODD), Finish("stop")),), dialect="elsewhere")
    asked = ChatRequest(model="m", turns=(), stream=Streaming(on=True))
    whole: Losses = []
    streamed: Losses = []
    dialect.encode_reply(reply, whole, asked)
    writer = dialect.writer(asked, streamed)
    for event in unfold(reply):
        writer.feed(event)

    assert len(whole) == len(streamed) == 1
