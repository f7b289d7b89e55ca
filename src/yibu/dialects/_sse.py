"""Server-sent events, cut into frames as they arrive.

Format: HTML Living Standard, section 9.2.6 "Interpreting an event stream", read 2026-11-22. One liberty: a frame that the
end of the stream leaves without its blank line counts, because vendors close that way after their last frame.
"""

import re
from typing import NamedTuple

from yibu.hub.errors import Broken

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""A picture of 4K size comes as 2 to 10 MB of base64 in one line; beyond this it is an attack or a fault."""

_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class Frame(NamedTuple):
    """`event`: empty when the frame does not name it; `data`: its data lines, joined by newlines."""

    event: str
    data: bytes


class Cutter:
    """Cuts a byte stream into whole raw frames without altering a byte."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> bytearray:
        """The beginning of the frame that is not complete yet. Do not change it."""
        return self._buffer

    def feed(self, chunk: bytes) -> list[bytes]:
        """`chunk`: any slice of the stream. Raises `Broken` when a frame passes `MAX_FRAME_BYTES`."""
        buffer = self._buffer
        if not buffer and chunk.find(b"\n\n") == len(chunk) - 2 >= 0 and b"\r" not in chunk:
            return [chunk]  # one whole frame, as most chunks are: a third of the time
        search_from = max(0, len(buffer) - 3)
        buffer += chunk
        frames: list[bytes] = []
        begin = 0
        for blank in _BLANK_LINE.finditer(buffer, search_from):
            frames.append(bytes(buffer[begin : blank.end()]))
            begin = blank.end()
        if begin:
            del buffer[:begin]
        if len(buffer) > MAX_FRAME_BYTES:
            raise Broken(upstream_words=f"a frame of more than {MAX_FRAME_BYTES} bytes")
        return frames

    def finish(self) -> bytes:
        """What is left, without its blank line."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest


def parse(raw: bytes) -> Frame | None:
    """One raw frame; None when it holds no data, as a comment does."""
    if raw.startswith(_BOM):
        raw = raw[3:]
    body = raw.rstrip(b"\r\n")
    if body.startswith(b"data: ") and b"\n" not in body and b"\r" not in body:
        return Frame("", body[6:])
    event = ""
    data: list[bytes] = []
    for line in _LINE_END.split(body):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            event = value.decode("utf-8", "replace")
    return Frame(event, b"\n".join(data)) if data else None


class Frames:
    """Reads the frames of a stream: `feed` gives those that became complete, `finish` the one that the end cut short."""

    __slots__ = ("_cutter",)

    def __init__(self) -> None:
        self._cutter = Cutter()

    def feed(self, chunk: bytes) -> list[Frame]:
        """`chunk`: any slice of the stream; may end in the middle of a character or of a line end."""
        return [frame for raw in self._cutter.feed(chunk) if (frame := parse(raw)) is not None]

    def finish(self) -> list[Frame]:
        frame = parse(self._cutter.finish())
        return [] if frame is None else [frame]
