"""Streams and answers beyond all measure, and lines as no vendor writes them: read as they were meant, whatever the cut."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.dialects.seeds import REPLIES
from yibu.dialects import chat_dialects
from yibu.dialects._sse import Frame, Frames
from yibu.dialects.dialect import ChatDialect, Intent
from yibu.hub.chat import ChatRequest
from yibu.hub.events import ArgumentsDelta, Event, Failed, Finished, Opened, PartClosed, PartOpened, TextDelta
from yibu.hub.fold import fold, unfold
from yibu.hub.options import Streaming
from yibu.hub.parts import Text, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish

CHAT = chat_dialects()
CALLER = ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True))
STREAM = Intent(model="m", body=b"{}", is_stream=True, wants_usage=True)
MB = 1024 * 1024
TEN_MB = json.dumps({"a": "好x" * (10 * MB // 4)}, ensure_ascii=False)
FORMATS = sorted(REPLIES)
every_format = pytest.mark.parametrize("id", FORMATS)


def stream_of(dialect: ChatDialect, events: list[Event]) -> bytes:
    writer = dialect.writer(CALLER)
    return b"".join(map(writer.feed, events)) + writer.finish()


@every_format
@pytest.mark.parametrize("size", [65_536, 10_000_000_000], ids=["in chunks", "at once"])
def test_ten_megabytes_of_arguments(id: str, size: int) -> None:
    """In one frame, however it was cut, streamed and whole: they arrive as they were."""
    dialect = CHAT[id]
    call = ToolCall("call_1", "look", TEN_MB)
    reply = ChatReply(id="x", model="m", choices=(Choice((call,), Finish("tool_calls")),))
    whole = dialect.decode_reply(dialect.encode_reply(reply, []))
    stream = stream_of(dialect, unfold(reply))
    reader, tap = dialect.reader(), dialect.tap(STREAM)
    events: list[Event] = []
    for at in range(0, len(stream), size):
        events += reader.feed(stream[at : at + size])
        tap.feed(stream[at : at + size])
    events += reader.finish()
    tap.finish()
    [part] = fold(events).choices[0].parts
    [same] = whole.choices[0].parts

    assert isinstance(part, ToolCall)
    assert isinstance(same, ToolCall)
    assert json.loads(part.arguments) == json.loads(same.arguments) == json.loads(TEN_MB)
    assert not tap.failed


@every_format
def test_arguments_in_many_pieces(id: str) -> None:
    """Ten thousand of them are joined once, not again for each."""
    dialect = CHAT[id]
    text = json.dumps({"a": "x" * 10_000})
    events: list[Event] = [
        Opened(id="x", model="m"),
        PartOpened(choice=0, part=0, head=ToolCall("call_1", "look", "")),
        *(ArgumentsDelta(choice=0, part=0, text=letter) for letter in text),
        PartClosed(choice=0, part=0),
        Finished(choice=0, finish=Finish("tool_calls")),
    ]
    stream = stream_of(dialect, events)
    reader = dialect.reader()
    read = [
        event for at in range(0, len(stream), 4096) for event in reader.feed(stream[at : at + 4096])
    ] + reader.finish()
    [part] = fold(read).choices[0].parts

    assert isinstance(part, ToolCall)
    assert json.loads(part.arguments) == json.loads(text)


LINES = {
    "CRLF": lambda body: body.replace(b"\n", b"\r\n"),
    "CR": lambda body: body.replace(b"\n", b"\r"),
    "byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "comments": lambda body: b": hello\n\n" + body.replace(b"data:", b": ping\ndata:"),
    "no space": lambda body: body.replace(b"data: ", b"data:"),
    "several data lines": lambda body: body.replace(b'data: {"', b'data: {\ndata: "'),
    "unknown fields": lambda body: body.replace(b"data:", b"id: 1\nretry: 3\nnonsense\ndata:"),
    "more blank lines": lambda body: body.replace(b"\r\n", b"\n").replace(b"\n\n", b"\n\n\n\n"),
}


@every_format
@pytest.mark.parametrize("change", LINES.values(), ids=LINES)
def test_lines_as_the_standard_allows_them(id: str, change: Any) -> None:
    """However the lines of a stream are written, and wherever they are cut, the events are the same."""
    dialect = CHAT[id]
    reply = dialect.decode_reply(json.dumps(REPLIES[id]).replace("Let me", "让我").encode())
    plain = stream_of(dialect, unfold(reply))
    odd = change(plain)
    reader, tap = dialect.reader(), dialect.tap(STREAM)
    for at in range(len(odd)):
        tap.feed(odd[at : at + 1])
    tap.finish()

    assert odd != plain
    assert listened(dialect, odd, len(odd)) == listened(dialect, odd, 1) == listened(dialect, plain, len(plain))
    assert tap.is_finished
    assert not tap.failed
    assert reader.feed(odd)


def listened(dialect: ChatDialect, body: bytes, size: int) -> bytes:
    reader = dialect.reader()
    events = [event for at in range(0, len(body), size) for event in reader.feed(body[at : at + size])]
    return msgspec.json.encode(events + reader.finish())


def test_data_lines_are_joined_by_line_breaks() -> None:
    """And an event's name, a comment and a field without a value are no part of them."""
    body = b"\xef\xbb\xbf: hi\r\nevent: a\r\ndata: 1\r\ndata\r\ndata:2\r\r\ndata:  x\n\n"

    for size in (1, 2, 3, len(body)):
        frames = Frames()
        read = [frame for at in range(0, len(body), size) for frame in frames.feed(body[at : at + size])]
        assert read + frames.finish() == [Frame("a", b"1\n\n2"), Frame("", b" x")]


@every_format
def test_nothing_behind_a_failure(id: str) -> None:
    """A stream fails once, and what still comes is not read."""
    dialect = CHAT[id]
    reader = dialect.reader()
    [*_, failed] = reader.feed(b"data: nonsense\n\n")

    assert isinstance(failed, Failed)
    assert reader.feed(b"data: nonsense\n\n" * 100) == []
    assert reader.finish() == []


MILLION = 1_000_000
A_THOUSAND_LETTERS: list[Event] = [TextDelta(0, 0, "x")] * 1000


@every_format
def test_a_million_tiny_frames(id: str) -> None:
    """They pass the tap in bounded memory: a letter a frame is kept nowhere, though all are counted."""
    dialect = CHAT[id]
    writer, tap = dialect.writer(CALLER), dialect.tap(STREAM)
    head: list[Event] = [Opened("x", "m"), PartOpened(0, 0, Text(""))]
    tap.feed(b"".join(map(writer.feed, head)))
    frames = b"".join(map(writer.feed, A_THOUSAND_LETTERS))
    before = resident_mb()
    for _ in range(MILLION // 1000):
        tap.feed(frames)

    assert tap.text_units > MILLION // 10
    assert resident_mb() - before < 40


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB
