"""Reads a stream into events: server-sent events, or the elements of an array.

Google, *Generating content*, `streamGenerateContent`, and recorded streams, read 2026-11-22: each chunk is an answer
that holds what is new; counts are those of the whole answer so far (the last chunk may well say less than the one
before: the last counts); the end is a chunk with a finish reason, and nothing comes behind it.
"""

import msgspec

from yibu.dialects._array import Elements
from yibu.dialects._json import check_values
from yibu.dialects._sse import Frames
from yibu.dialects._vendor_errors import failed_of
from yibu.dialects.gemini.choice import ChoiceReader
from yibu.dialects.gemini.errors import error_in_body
from yibu.dialects.gemini.names import masks_of
from yibu.dialects.gemini.reply import block_of, moment_of
from yibu.dialects.gemini.usage import decode_usage
from yibu.dialects.gemini.wire import ID, Members
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken, InvalidRequest, UpstreamError
from yibu.hub.events import Event, Metered, Opened
from yibu.hub.masks import Unmasking

MALFORMED = (msgspec.DecodeError, InvalidRequest, ValueError, RecursionError, OverflowError)


class Reader:
    """One stream. After its end, or after a `Failed`, nothing more is read."""

    def __init__(self, asked: ChatRequest | None = None) -> None:
        self._frames: Frames | Elements | None = None
        self._lead = b""
        self._masks = Unmasking(masks_of(asked))
        self._choices: dict[int, ChoiceReader] = {}
        self._id = self._model = ""
        self._usage: msgspec.Raw | None = None
        self._is_opened = self._is_over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """`chunk`: any slice of the stream."""
        out: list[Event] = []
        if self._is_over:
            return out
        try:
            for data in self._cut(chunk):
                self._read(data, out)
        except UpstreamError as error:
            self._fail(error, out)
        return self._masks.feed(out)

    def finish(self) -> list[Event]:
        """The stream is over; without a finish reason it was cut."""
        out: list[Event] = []
        try:
            if isinstance(self._frames, Frames):
                for frame in self._frames.finish():
                    self._read(frame.data, out)
            elif self._frames is not None and not self._is_over:
                self._frames.finish()
        except UpstreamError as error:
            self._fail(error, out)
        if self._is_over:
            return self._masks.feed(out)
        if self._choices and all(choice.finish for choice in self._choices.values()):
            self._end(out)
        else:
            self._fail(Broken(upstream_words="the stream ended in the middle"), out)
        return self._masks.feed(out)

    def _cut(self, chunk: bytes) -> list[bytes]:
        """The first character tells the two forms apart."""
        if self._frames is None:
            self._lead += chunk
            begin = self._lead.lstrip(b" \t\r\n")
            if not begin:
                return []
            self._frames = Elements() if begin[:1] in (b"[", b"{") else Frames()
            chunk = self._lead
        if isinstance(self._frames, Elements):
            return self._frames.feed(chunk)
        return [frame.data for frame in self._frames.feed(chunk)]

    def _read(self, data: bytes, out: list[Event]) -> None:
        if self._is_over or not data.strip() or data.startswith(b"[DONE]"):
            return
        try:
            if data.startswith(b"["):
                raise error_in_body(msgspec.json.decode(data))
            check_values(data)
            members = Members(data)
            if members.take("error") is not None:
                raise error_in_body(msgspec.json.decode(data))
            self._take(members, out)
        except MALFORMED as error:
            raise Broken(upstream_words=f"{error}: {data[:500].decode('utf-8', 'replace')}") from error

    def _take(self, members: Members, out: list[Event]) -> None:
        id, model = members.text("responseId") or "", members.text("modelVersion") or ""
        candidates = members.each("candidates")
        self._usage = members.take("usageMetadata") or self._usage
        self._model = self._model or model
        extras = members.left
        blocked = block_of(extras)
        if not self._is_opened and (candidates or blocked):
            self._id, self._is_opened = id, True
            out.append(Opened(id=id, model=model, created=moment_of(extras), dialect=ID, extras=extras))
        for number, candidate in enumerate(candidates):
            index = candidate.whole("index", 0, 1000)
            self._choice(number if index is None else index).take(candidate, out)
        if blocked and not self._choices:
            self._choice(0).block(blocked)

    def _choice(self, index: int) -> ChoiceReader:
        if index not in self._choices:
            self._choices[index] = ChoiceReader(index, self._id)
        return self._choices[index]

    def _end(self, out: list[Event]) -> None:
        self._is_over = True
        searches = sum(self._choices[index].close(out) for index in sorted(self._choices))
        self._meter(out, searches)

    def _meter(self, out: list[Event], searches: int = 0) -> None:
        usage = decode_usage(self._usage, searches, self._model)
        if usage is not None:
            out.append(Metered(usage=usage))

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        if not self._is_over:
            self._meter(out)
        self._is_over = True
        out.append(failed_of(error))
