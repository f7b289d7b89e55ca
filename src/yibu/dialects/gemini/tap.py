"""Listens to an answer that is passed on: learns its usage and its end, and turns events into the elements of an array for
callers who asked for one."""

from typing import Any

import msgspec

from yibu.dialects._json import NULL, present
from yibu.dialects._sse import Cutter, parse
from yibu.dialects._whole import WholeTap, chat_look
from yibu.dialects.dialect import Intent, Tap
from yibu.dialects.gemini.errors import error_in_body
from yibu.dialects.gemini.grounding import decode_grounding
from yibu.dialects.gemini.reply import decode_reply
from yibu.dialects.gemini.target import wants_array
from yibu.dialects.gemini.usage import decode_usage
from yibu.hub.errors import Broken, HubError
from yibu.hub.estimate import TextMeter
from yibu.hub.usage import Usage


class _Call(msgspec.Struct):
    args: msgspec.Raw = msgspec.Raw(b"{}")


class _Part(msgspec.Struct):
    text: Any = None
    functionCall: _Call | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct):
    content: _Content | None = None
    finishReason: Any = None
    index: int = 0
    groundingMetadata: msgspec.Raw = NULL


class _Feedback(msgspec.Struct):
    blockReason: Any = None


class _Chunk(msgspec.Struct):
    candidates: list[_Candidate] | None = None
    usageMetadata: msgspec.Raw = NULL
    promptFeedback: _Feedback | None = None
    modelVersion: Any = None
    error: msgspec.Raw = NULL


_CHUNK = msgspec.json.Decoder(_Chunk)


def make_tap(intent: Intent) -> Tap:
    """A tap for the answer to `intent`."""
    return StreamTap(is_array=wants_array(intent.target)) if intent.is_stream else WholeTap(chat_look(decode_reply))


class StreamTap:
    """Memory: one frame at most. Frames pass when they are whole."""

    def __init__(self, *, is_array: bool) -> None:
        self.usage: Usage | None = None
        self.is_finished = False
        self.failed: HubError | None = None
        self.is_told = False
        self.text_units = 0
        self._is_array = is_array
        self._has_begun = False
        self._cutter = Cutter()
        self._meter = TextMeter()
        self._told = NULL
        self._model = ""
        self._searches: dict[int, int] = {}
        self._open: set[int] = set()
        self._ended: set[int] = set()

    def feed(self, chunk: bytes) -> bytes:
        """Whole frames of it, as they are; in an array, what they hold."""
        if self.failed:
            return b""
        try:
            frames = self._cutter.feed(chunk)
        except Broken as error:
            self.failed = error
            return b""
        passed = [frame for frame in frames if self._passes(frame)]
        if not self._is_array:
            return passed[0] if len(passed) == 1 else b"".join(passed)
        return b"".join(map(self._element, passed))

    def finish(self) -> bytes:
        """The last frame, if the vendor left out the blank line behind it, and the end of an array."""
        rest = self._cutter.finish()
        passed = rest if rest and not self.failed and self._passes(rest) else b""
        if not self._is_array:
            return passed
        last = self._element(passed) if passed else b""
        is_over = self._has_begun and (self.is_told or (self.is_finished and not self.failed))
        return last + b"\r\n]" if is_over else last

    def _element(self, frame: bytes) -> bytes:
        parsed = parse(frame)
        if parsed is None or not parsed.data.strip():
            return b""
        lead = b",\r\n" if self._has_begun else b"["
        self._has_begun = True
        return lead + parsed.data.strip()

    def _passes(self, raw: bytes) -> bool:
        """Learns from a frame; False for one that nobody can read, and after an end."""
        if self.failed:
            return False
        frame = parse(raw)
        if frame is None or not frame.data.strip():
            return True
        try:
            chunk = _CHUNK.decode(frame.data)
            if present(chunk.error) is not None:
                self.failed, self.is_told = error_in_body(msgspec.json.decode(frame.data)), True
                return True
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            self.failed = Broken(upstream_words=f"{error}: {frame.data[:500].decode('utf-8', 'replace')}")
            return False
        self._learn(chunk)
        return True

    def _learn(self, chunk: _Chunk) -> None:
        self._told = present(chunk.usageMetadata) or self._told
        if isinstance(chunk.modelVersion, str):
            self._model = self._model or chunk.modelVersion
        for candidate in chunk.candidates or ():
            self._open.add(candidate.index)
            if candidate.finishReason:
                self._ended.add(candidate.index)
            if len(bytes(candidate.groundingMetadata)) > len(b"null"):
                self._searches[candidate.index] = decode_grounding(candidate.groundingMetadata, [])[1]
            for part in candidate.content.parts or () if candidate.content else ():
                self._weigh(part)
        if chunk.promptFeedback is not None and chunk.promptFeedback.blockReason and not self._open:
            self.is_finished = True
        self.is_finished = self.is_finished or (bool(self._open) and self._open == self._ended)
        self.text_units = self._meter.tokens
        self.usage = decode_usage(self._told, sum(self._searches.values()), self._model)

    def _weigh(self, part: _Part) -> None:
        """The same texts as the events of the reader."""
        if isinstance(part.text, str):
            self._meter.feed(part.text)
        elif part.functionCall is not None:
            self._meter.feed(bytes(part.functionCall.args).decode("utf-8", "replace"))
