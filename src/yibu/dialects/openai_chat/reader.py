"""Reads a stream of chunks into events. What vendors do differently is told where it is dealt with.

`Finished` and `Metered` come at the very end: OpenRouter repeats the finish reason, others send usage with every chunk
(the last counts), and citations belong to the whole message wherever in the stream they stand.
"""

import msgspec

from yibu.dialects._frames import read_frames
from yibu.dialects._json import check_values, fields, present, rest
from yibu.dialects._sse import Frame, Frames
from yibu.dialects._vendor_errors import error_in_body, failed_of
from yibu.dialects.openai_chat.choice import ChoiceReader
from yibu.dialects.openai_chat.chunk import CHUNK, TOP, Chunk, words
from yibu.dialects.openai_chat.usage import decode_usage
from yibu.dialects.openai_chat.wire import ID
from yibu.hub.errors import Broken, InvalidRequest, UpstreamError
from yibu.hub.events import Event, Metered, Opened
from yibu.hub.masks import NO_MASKS, Masks, Unmasking
from yibu.hub.parts import Extras
from yibu.hub.usage import Usage

MALFORMED = (msgspec.DecodeError, InvalidRequest, ValueError, RecursionError, OverflowError)


class Reader:
    """One stream. After its end, or after a `Failed`, nothing more is read."""

    def __init__(self, masks: Masks = NO_MASKS) -> None:
        self._frames = Frames()
        self._unmasking = Unmasking(masks)
        self._choices: dict[int, ChoiceReader] = {}
        self._id = self._model = ""
        self._created = 0
        self._extras: Extras = {}
        self._is_opened = self._is_over = False
        self._usage: Usage | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """`chunk`: any slice of the stream."""
        if self._is_over:
            return []
        out = read_frames(lambda: self._frames.feed(chunk), self._read, self._fail)
        return self._unmasking.feed(out)

    def finish(self) -> list[Event]:
        """The stream is over. A finish reason in every choice is as good as `[DONE]`; with neither it was cut."""
        out = read_frames(self._frames.finish, self._read, self._fail)
        if self._is_over:
            return self._unmasking.feed(out)
        if self._choices and all(choice.has_finish for choice in self._choices.values()):
            self._end(out)
        else:
            self._fail(Broken(upstream_words="the stream ended in the middle"), out)
        return self._unmasking.feed(out)

    def _read(self, frame: Frame, out: list[Event]) -> None:
        if self._is_over or not frame.data.strip():
            return
        if frame.data.startswith(b"[DONE]"):
            self._done(out)
            return
        try:
            check_values(frame.data)
            chunk = CHUNK.decode(frame.data)
            if frame.event == "error" or present(chunk.error) is not None or chunk.object == "error":
                raise error_in_body(msgspec.json.decode(frame.data))
            self._take(chunk, frame.data, out)
        except MALFORMED as error:
            raise Broken(upstream_words=f"{error}: {frame.data[:500].decode('utf-8', 'replace')}") from error

    def _take(self, chunk: Chunk, data: bytes, out: list[Event]) -> None:
        groq = present(chunk.x_groq.usage) if chunk.x_groq is not None else None
        self._usage = decode_usage(present(chunk.usage) or groq) or self._usage
        if not self._is_opened:
            self._learn(chunk, data)
        for wire in chunk.choices or ():
            if not self._is_opened:
                self._open(out)
            choice = self._choices.get(wire.index)
            if choice is None:
                choice = self._choices[wire.index] = ChoiceReader(wire.index, self._id)
            choice.take(wire, out)

    def _learn(self, chunk: Chunk, data: bytes) -> None:
        """Azure begins with a chunk that has filter results, and neither choices nor an id."""
        self._id = self._id or words(chunk.id)
        self._model = self._model or words(chunk.model)
        if isinstance(chunk.created, int | float):
            self._created = self._created or int(chunk.created)
        self._extras = {**self._extras, **rest(fields(data), TOP)}

    def _open(self, out: list[Event]) -> None:
        self._is_opened = True
        out.append(Opened(id=self._id, model=self._model, created=self._created, dialect=ID, extras=self._extras))

    def _done(self, out: list[Event]) -> None:
        """Snowflake sends no finish reason at all, only `[DONE]`."""
        if not self._choices and not self._id and not self._model and self._usage is None:
            self._fail(Broken(upstream_words="a stream without a single chunk"), out)
            return
        self._end(out)

    def _end(self, out: list[Event]) -> None:
        self._is_over = True
        if not self._is_opened:
            self._open(out)
        if not self._choices:
            self._choices[0] = ChoiceReader(0, self._id)
        try:
            for index in sorted(self._choices):
                self._choices[index].close(out)
        finally:
            self._meter(out)

    def _meter(self, out: list[Event]) -> None:
        if self._usage is not None:
            out.append(Metered(usage=self._usage))

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        if not self._is_over:
            self._meter(out)
        self._is_over = True
        out.append(failed_of(error))
