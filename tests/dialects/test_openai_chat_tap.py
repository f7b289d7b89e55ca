import itertools
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import Recording, answers, name_of, needs_corpus, streams
from yibu.dialects import _sse
from yibu.dialects.dialect import Intent, Tap
from yibu.dialects.openai_chat import DIALECT as CHAT
from yibu.dialects.openai_chat import tap as tap_module
from yibu.hub.errors import Broken, Busy, Refused
from yibu.hub.estimate import TextMeter
from yibu.hub.usage import Meter

TEXT = b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"hello wo"},"finish_reason":null}]}\n\n'
END = b'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}\n\n'
USAGE = b'data: {"id":"x","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'
DONE = b"data: [DONE]\n\n"
UNITS = {Meter.INPUT: 1, Meter.OUTPUT: 2}


def make(*, wants_usage: bool = False, is_stream: bool = True) -> Tap:
    return CHAT.tap(Intent(model="m", body=b"", is_stream=is_stream, wants_usage=wants_usage))


def through(tap: Tap, *chunks: bytes) -> bytes:
    return b"".join(tap.feed(chunk) for chunk in chunks) + tap.finish()


def is_asked_for(frame: bytes) -> bool:
    """Whether it is the frame that has usage and no choice."""
    data = frame.removeprefix(b"data: ")
    found: Any = json.loads(data) if data.startswith(b"{") else {}
    return found.get("choices") == [] and bool(found.get("usage"))


@needs_corpus
@pytest.mark.parametrize("taken", streams("openai-chat"), ids=name_of)
def test_recorded_streams_pass(taken: Recording) -> None:
    """Everything passes unchanged but the frame that only we asked for."""
    frames = taken.body.split(b"\n\n")
    expected = b"\n\n".join(frame for frame in frames if not is_asked_for(frame))

    assert through(make(), taken.body) == expected
    assert through(make(wants_usage=True), taken.body) == taken.body


@needs_corpus
@pytest.mark.parametrize("taken", streams("openai-chat"), ids=name_of)
def test_recorded_text_is_weighed(taken: Recording) -> None:
    """The tap weighs the same text as the events that a translation sees."""
    tap, meter, reader = make(), TextMeter(), CHAT.reader()
    through(tap, taken.body)
    for event in reader.feed(taken.body) + reader.finish():
        meter.feed_event(event)

    assert tap.text_units == meter.tokens > 0


@needs_corpus
@pytest.mark.parametrize("taken", answers("openai-chat"), ids=name_of)
def test_recorded_answers_pass(taken: Recording) -> None:
    """A whole answer passes unchanged; its usage is known at the end."""
    tap = make(is_stream=False)
    pieces = [taken.body[at : at + 500] for at in range(0, len(taken.body), 500)]

    assert through(tap, *pieces) == taken.body
    assert tap.usage == CHAT.decode_reply(taken.body).usage
    assert tap.is_finished
    assert tap.failed is None


@pytest.mark.parametrize("wants_usage", [True, False])
def test_the_same_object(wants_usage: bool) -> None:
    """Where nothing is to hide, the very same bytes object goes on."""
    tap = make(wants_usage=wants_usage)
    chunk = TEXT + TEXT

    assert tap.feed(chunk) is chunk
    assert tap.feed(END) is END
    assert tap.feed(DONE) is DONE
    assert tap.finish() == b""


@given(st.lists(st.integers(0, 330), max_size=8))
def test_hidden_wherever_it_is_cut(cuts: list[int]) -> None:
    """The frame that only we asked for stays hidden however it is cut, and nothing else is lost or reordered."""
    stream = b": ping\n\n" + TEXT + END + USAGE + b": ping\n\n" + DONE
    edges = [0, *sorted(cut for cut in cuts if cut <= len(stream)), len(stream)]
    tap = make()
    chunks = [stream[begin:end] for begin, end in itertools.pairwise(edges)]

    assert through(tap, *chunks) == stream.replace(USAGE, b"")
    assert (tap.usage and tap.usage.units, tap.is_finished) == (UNITS, True)


def test_hidden_at_a_sudden_end() -> None:
    """It is hidden also when the stream ends without its blank line; another frame cut there passes."""
    assert through(make(), TEXT, USAGE[:-2]) == TEXT
    assert through(make(), TEXT, b": pi") == TEXT + b": pi"
    assert through(make(), TEXT, DONE[:-2]) == TEXT + DONE[:-2]


def test_a_beginning_passes_at_once() -> None:
    """The beginning of a frame goes on as soon as it cannot be the one to hide."""
    tap = make()

    assert tap.feed(TEXT[:60]) == TEXT[:60]
    assert tap.feed(TEXT[60:]) == TEXT[60:]
    assert tap.feed(USAGE[:20]) == b""


def test_usage_on_a_finish_chunk_stays() -> None:
    """Usage that rides on a chunk with a choice is not hidden."""
    frame = END.replace(b"null}\n", b'{"prompt_tokens":1,"completion_tokens":2}}\n')
    tap = make()

    assert through(tap, frame) == frame
    assert tap.usage is not None
    assert tap.usage.units == UNITS


def test_empty_choices_without_usage_stay() -> None:
    """Azure's first chunk has no choice either; it is not the one to hide."""
    frame = b'data: {"choices":[],"prompt_filter_results":[1],"usage":null}\n\n'

    assert through(make(), frame) == frame


def test_usage_is_known_before_the_end() -> None:
    """Usage is there as soon as the vendor tells it, and the last told counts."""
    tap = make()
    tap.feed(USAGE)
    tap.feed(USAGE.replace(b":2}", b":3}"))

    assert tap.usage is not None
    assert tap.usage.units == {Meter.INPUT: 1, Meter.OUTPUT: 3}


def test_groq_usage() -> None:
    """Usage hides in `x_groq` too."""
    tap = make()
    tap.feed(b'data: {"choices":[],"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}\n\n')

    assert tap.usage is not None
    assert tap.usage.units == UNITS


def test_the_end() -> None:
    """A finish reason or `[DONE]` is an end; a cut is none."""
    for stream, is_finished in ((TEXT + END, True), (TEXT + DONE, True), (TEXT, False), (TEXT + END[:40], False)):
        tap = make()
        through(tap, stream)

        assert tap.is_finished is is_finished


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b'event: error\ndata: {"error":{"message":"no","code":"c","status_code":400}}\n\n', Refused),
        (b'data: {"error":{"message":"no","code":429}}\n\n', Busy),
        (b'data: {"error":{"message":"no"}}\n\n', Broken),
    ],
)
def test_errors_inside(frame: bytes, kind: type[Exception]) -> None:
    """The vendor's error inside the stream is noticed; its bytes pass."""
    tap = make()

    assert through(tap, TEXT, frame) == TEXT + frame
    assert type(tap.failed) is kind
    assert tap.is_told
    assert not tap.is_finished


def test_a_frame_that_nobody_can_read() -> None:
    """It is not forwarded, because clients trip over it; what broke has to be told in our words."""
    tap = make()

    assert through(tap, TEXT, b"data: {broken\n\n") == TEXT
    assert isinstance(tap.failed, Broken)
    assert not tap.is_told


def test_an_error_as_a_whole_answer() -> None:
    """An error object with status 200 is a failure, and so is a body that is no answer."""
    for body, kind in ((b'{"error":{"message":"no","code":429}}', Busy), (b"<html>", Broken)):
        tap = make(is_stream=False)

        assert through(tap, body) == b""
        assert type(tap.failed) is kind
        assert not tap.is_finished


def test_text_units() -> None:
    """About four letters are a token, and a Chinese character is one."""
    tap = make()
    tap.feed(TEXT)
    assert tap.text_units == 2

    tap.feed('data: {"choices":[{"delta":{"content":"一步"}}]}\n\n'.encode())
    assert tap.text_units == 4


@given(st.text(max_size=40), st.integers(0, 40))
def test_the_meter_does_not_mind_cuts(text: str, cut: int) -> None:
    """Text weighs the same in one piece and in two."""
    whole, pieces = TextMeter(), TextMeter()
    whole.feed(text)
    pieces.feed(text[:cut])
    pieces.feed(text[cut:])

    assert whole.tokens == pieces.tokens
    assert (whole.tokens == 0) == (text == "")


def test_memory_stays_flat() -> None:
    """A stream may be as long as it likes."""
    tap = make()
    chunk = TEXT * 50
    tap.feed(chunk)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(200):
        tap.feed(chunk[:-30])
        tap.feed(chunk[-30:])
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert after - before < 20_000


def test_a_frame_beyond_all_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that never ends is passed on without being kept."""
    monkeypatch.setattr(_sse, "MAX_FRAME_BYTES", 1000)
    monkeypatch.setattr(tap_module, "MAX_FRAME_BYTES", 1000)
    tap, body = make(), b"data: " + b"x" * 5000
    chunks = [body[at : at + 100] for at in range(0, len(body), 100)]

    assert through(tap, *chunks) == body
    assert tap.failed is not None


@given(st.lists(st.binary(max_size=30), max_size=5), st.booleans(), st.booleans())
def test_any_bytes_pass(chunks: list[bytes], wants_usage: bool, is_stream: bool) -> None:
    """Whatever a vendor sends goes on, up to a frame that nobody can read: the customer gets a clear error in its place."""
    tap = make(wants_usage=wants_usage, is_stream=is_stream)
    passed, sent = through(tap, *chunks), b"".join(chunks)

    assert passed == sent or (tap.failed and not tap.is_told and len(passed) < len(sent))
