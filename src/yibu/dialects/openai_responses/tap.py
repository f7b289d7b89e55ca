"""Listens to an answer that is passed on as it is: learns its usage, its end, and how far the response has come."""

from typing import Any

import msgspec

from yibu.dialects._json import NULL, Fields, fields, present, text_of
from yibu.dialects._sse import MAX_FRAME_BYTES, Cutter, parse
from yibu.dialects._whole import WholeTap
from yibu.dialects.openai_responses.event import EVENT, FAILED, OVER, SPOKEN
from yibu.dialects.openai_responses.reader import MALFORMED, failure, usage_of
from yibu.hub.errors import Broken, HubError, InvalidRequest, UpstreamError
from yibu.hub.estimate import TextMeter
from yibu.hub.usage import Usage

_DELTA = b'.delta"'


class _Spoken(msgspec.Struct):
    type: str = ""
    delta: Any = None
    sequence_number: Any = None


_SPOKEN = msgspec.json.Decoder(_Spoken)


class StreamTap:
    """Memory: one frame at most. `response`: the last state of the response that was told; `number`: of the last event."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.is_finished = False
        self.failed: HubError | None = None
        self.is_told = False
        self.text_units = 0
        self.response: msgspec.Raw = NULL
        self.number = -1
        self._meter = TextMeter()
        self._cutter = Cutter()
        self._is_deaf = self._is_done = False

    def feed(self, chunk: bytes) -> bytes:
        if self._is_deaf:
            return chunk
        try:
            for raw in self._cutter.feed(chunk):
                self._listen(raw)
        except Broken:  # a frame beyond all measure is passed on without being understood any more
            self._is_deaf = True
            self.failed = self.failed or Broken(upstream_words=f"a frame of more than {MAX_FRAME_BYTES} bytes")
        return chunk

    def finish(self) -> bytes:
        if not self._is_deaf:
            self._listen(self._cutter.finish())
        return b""

    def _listen(self, raw: bytes) -> None:
        frame = parse(raw)
        if frame is None or self._is_done or not frame.data.strip() or frame.data.startswith(b"[DONE]"):
            return
        try:
            self._understand(frame.data, frame.event)
        except MALFORMED as error:
            self._fail(Broken(upstream_words=f"{error}: {frame.data[:500].decode('utf-8', 'replace')}"))

    def _understand(self, data: bytes, name: str) -> None:
        if _DELTA in data:
            spoken = _SPOKEN.decode(data)
            if isinstance(spoken.sequence_number, int):
                self.number = spoken.sequence_number
            if spoken.type in SPOKEN and isinstance(spoken.delta, str):
                self._meter.feed(spoken.delta)
                self.text_units = self._meter.tokens
            if spoken.type.endswith(".delta"):
                return
        event = EVENT.decode(data)
        kind = event.type or name
        if present(event.response) is not None:
            self.response = event.response
            self.usage = usage_of(event.response) or self.usage
        if kind in FAILED or (present(event.error) is not None and not kind.startswith("response.")):
            event.type = kind
            self._fail(failure(event, data))
            self.is_told = True
        elif kind in OVER:
            self.is_finished = self._is_done = True

    def _fail(self, error: UpstreamError) -> None:
        self.failed = self.failed or error
        self._is_done = True


class Amending:
    """A tap that tells the caller what he asked where the vendor tells what we asked: in the states of the response, and
    nowhere else. Whole frames pass, so it is only for answers that have to be put right."""

    def __init__(self, tap: "StreamTap | WholeTap", members: Fields) -> None:
        self._tap = tap
        self._members = members
        self._cutter = Cutter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tap, name)

    def feed(self, chunk: bytes) -> bytes:
        self._tap.feed(chunk)
        if isinstance(self._tap, WholeTap):
            return b""
        return b"".join(map(self._amend, self._cutter.feed(chunk)))

    def finish(self) -> bytes:
        whole = self._tap.finish()
        if isinstance(self._tap, WholeTap):
            return self._put_right(whole)
        return self._amend(self._cutter.finish())

    def _amend(self, raw: bytes) -> bytes:
        frame = parse(raw) if b'"response"' in raw else None
        if frame is None:
            return raw
        try:
            event = fields(frame.data)
            if "response" not in event:
                return raw
            event["response"] = msgspec.Raw(self._put_right(bytes(event["response"])))
        except InvalidRequest:
            return raw
        name = text_of(event.get("type")) or frame.event
        return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(event))

    def _put_right(self, response: bytes) -> bytes:
        try:
            members = fields(response)
        except InvalidRequest:
            return response
        return msgspec.json.encode({**members, **self._members}) if "output" in members else response
