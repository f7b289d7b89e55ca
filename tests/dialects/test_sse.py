import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibu.dialects import _sse
from yibu.dialects._sse import Cutter, Frame, Frames, parse
from yibu.hub.errors import Broken


def read(*chunks: bytes) -> list[Frame]:
    frames = Frames()
    return [frame for chunk in chunks for frame in frames.feed(chunk)] + frames.finish()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_line_ends(end: bytes) -> None:
    """All three line ends of the standard separate lines and frames."""
    stream = end.join([b"event: delta", b"data: one", b"", b"data: two", b"", b""])

    assert read(stream) == [Frame("delta", b"one"), Frame("", b"two")]


def test_several_data_lines() -> None:
    """Data lines of one frame are joined by newlines; one space after the colon is not part of them."""
    assert read(b"data: a\ndata:b\ndata:  c\ndata\n\n") == [Frame("", b"a\nb\n c\n")]


def test_comments() -> None:
    """Comments, unknown fields and frames without data give nothing."""
    assert read(b": ping\n\nid: 7\nretry: 3\n\nevent: x\n\n: c\ndata: 1\n\n") == [Frame("", b"1")]


def test_byte_order_mark() -> None:
    """A byte-order mark before the first frame is ignored."""
    assert read(b"\xef\xbb", b"\xbfdata: 1\n\n") == [Frame("", b"1")]


def test_last_frame_without_blank_line() -> None:
    """The last frame counts although the stream ends without its blank line."""
    assert read(b"data: 1\n\ndata: [DONE]") == [Frame("", b"1"), Frame("", b"[DONE]")]


def test_cut_inside_a_character() -> None:
    """Pitfall 15: a cut in the middle of a UTF-8 character does no harm."""
    text = "data: 一步\n\n".encode()

    assert read(text[:7], text[7:]) == [Frame("", "一步".encode())]


@given(
    lines=st.lists(
        st.sampled_from([b"data: x", b"data: ", b"event: e", b": c", b"", b'data:{"a":1}', b"junk"]), max_size=12
    ),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 120), max_size=6),
)
def test_any_cut(lines: list[bytes], end: bytes, cuts: list[int]) -> None:
    """Wherever a stream is cut, the same frames come out, and no byte is lost among the raw ones."""
    stream = end.join(lines)
    edges = [0, *sorted(cut for cut in cuts if cut <= len(stream)), len(stream)]
    pieces = [stream[begin:stop] for begin, stop in itertools.pairwise(edges)]
    cutter = Cutter()
    raw = [frame for piece in pieces for frame in cutter.feed(piece)]

    assert read(*pieces) == read(stream)
    assert b"".join(raw) + cutter.finish() == stream


def test_a_frame_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pitfall 16: a frame that never ends is an error before it fills the memory."""
    monkeypatch.setattr(_sse, "MAX_FRAME_BYTES", 1000)
    frames = Frames()
    frames.feed(b"data: " + b"x" * 900)

    with pytest.raises(Broken):
        frames.feed(b"x" * 200)


def test_parse_of_a_comment() -> None:
    """A raw frame that is only a comment parses to nothing."""
    assert parse(b": keep-alive\n\n") is None
