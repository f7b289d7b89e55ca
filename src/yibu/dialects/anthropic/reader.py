"""Reads a stream of this format into events.

The end is told by `message_stop`: an answer that stops before it was cut. What hosts do differently: frames without their
name (`data.type` is the same), no `message_delta`, blocks that are never closed.
"""

from typing import Any

import msgspec

from yibu.dialects._frames import read_frames
from yibu.dialects._json import NULL, check_values, fields, present, rest
from yibu.dialects._sse import Frame, Frames
from yibu.dialects._vendor_errors import failed_of
from yibu.dialects.anthropic.errors import error_in_body
from yibu.dialects.anthropic.events import EVENT, MESSAGE, StreamEvent, words
from yibu.dialects.anthropic.finish import decode_finish
from yibu.dialects.anthropic.open_block import OpenBlock
from yibu.dialects.anthropic.reply import MALFORMED, TOP, late_extras
from yibu.dialects.anthropic.usage import Tally
from yibu.dialects.anthropic.wire import ID
from yibu.hub.errors import Broken, UpstreamError
from yibu.hub.events import ArgumentsDelta, Event, Finished, Metered, Opened, TextDelta, ThinkingDelta
from yibu.hub.masks import Masks, Unmasking
from yibu.hub.parts import Extras


class Reader:
    """One stream. After its end, or after a `Failed`, nothing more is read."""

    def __init__(self, masks: Masks) -> None:
        self._frames = Frames()
        self._unmasking = Unmasking(masks)
        self._tally = Tally()
        self._block: OpenBlock | None = None
        self._parts = 0
        self._has_calls = self._is_opened = self._is_over = False
        self._stop_reason: Any = None
        self._stop_sequence: Any = None
        self._late: Extras = {}

    def feed(self, chunk: bytes) -> list[Event]:
        """`chunk`: any slice of the stream."""
        if self._is_over:
            return []
        out = read_frames(lambda: self._frames.feed(chunk), self._read, self._fail)
        return self._unmasking.feed(out)

    def finish(self) -> list[Event]:
        """The stream is over."""
        out = read_frames(self._frames.finish, self._read, self._fail)
        if not self._is_over:
            self._fail(Broken(upstream_words="the stream ended in the middle"), out)
        return self._unmasking.feed(out)

    def _read(self, frame: Frame, out: list[Event]) -> None:
        if self._is_over or not frame.data.strip():
            return
        begin = len(out)
        try:
            check_values(frame.data)
            event = EVENT.decode(frame.data)
            if event.type == "error" or frame.event == "error" or present(event.error) is not None:
                raise error_in_body(msgspec.json.decode(frame.data))
            self._take(event, frame.data, out)
        except MALFORMED as error:
            raise Broken(upstream_words=f"{error}: {frame.data[:500].decode('utf-8', 'replace')}") from error
        for one in out[begin:]:
            if isinstance(one, TextDelta | ThinkingDelta | ArgumentsDelta):
                self._tally.meter.feed(one.text)

    def _take(self, event: StreamEvent, data: bytes, out: list[Event]) -> None:
        match event.type:
            case "message_start":
                self._open(event.message, out)
            case "content_block_start":
                self._open(NULL, out)
                self._shut(out)
                self._block = OpenBlock(event.content_block, self._parts)
                self._has_calls = self._has_calls or self._block.is_call
                self._block.begin(out)
            case "content_block_delta":
                if self._block is not None and event.delta is not None:
                    self._block.take(event.delta, out)
            case "content_block_stop":
                self._shut(out)
            case "message_delta":
                self._learn(event, data)
            case "message_stop":
                self._end(out)
            case _:
                return  # `ping`, and what is yet to come

    def _open(self, text: msgspec.Raw, out: list[Event]) -> None:
        """A second start, as some proxies send it, says nothing."""
        if self._is_opened:
            return
        self._is_opened = True
        extras: Extras = {}
        id = model = ""
        if present(text) is not None:
            message = MESSAGE.decode(text)
            id, model = words(message.id), words(message.model)
            extras = rest(fields(text), TOP)
            self._tally.start(message.usage)
        out.append(Opened(id=id, model=model, dialect=ID, extras=extras))

    def _shut(self, out: list[Event]) -> None:
        if self._block is not None:
            block, self._block = self._block, None
            block.end(out)
            self._parts = block.next_part

    def _learn(self, event: StreamEvent, data: bytes) -> None:
        """Figures are of the whole answer so far; several such events may come."""
        self._tally.update(event.usage)
        members = fields(data)
        if event.delta is not None:
            self._stop_reason = event.delta.stop_reason or self._stop_reason
            self._stop_sequence = event.delta.stop_sequence or self._stop_sequence
            self._late = {**self._late, **late_extras(fields(members["delta"]))}
        self._late = {**self._late, **late_extras(members)}

    def _end(self, out: list[Event]) -> None:
        self._open(NULL, out)
        self._is_over = True
        try:
            self._shut(out)
            finish = decode_finish(self._stop_reason, self._stop_sequence, has_calls=self._has_calls)
            out.append(Finished(choice=0, finish=finish, extras=self._late))
        finally:
            self._meter(out)

    def _meter(self, out: list[Event]) -> None:
        if self._tally.usage is not None:
            out.append(Metered(usage=self._tally.usage))

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        if not self._is_over:
            self._meter(out)
        self._is_over = True
        out.append(failed_of(error))
