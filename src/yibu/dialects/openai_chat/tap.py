"""Listens to an answer that is passed on as it is: learns its usage and its end, and hides the frame only we asked for."""

from typing import Any

import msgspec

from yibu.dialects._json import NULL, present
from yibu.dialects._sse import MAX_FRAME_BYTES, Cutter, parse
from yibu.dialects._vendor_errors import error_in_body
from yibu.dialects._whole import Seen, WholeTap
from yibu.dialects.dialect import Intent, Tap
from yibu.dialects.openai_chat.chunk import GroqNote, thoughts, words
from yibu.dialects.openai_chat.gist import read_gist
from yibu.dialects.openai_chat.reasoning import spoken
from yibu.dialects.openai_chat.usage import decode_usage
from yibu.hub.errors import Broken, HubError, UpstreamError
from yibu.hub.estimate import TextMeter
from yibu.hub.usage import Usage


class _Call(msgspec.Struct):
    function: dict[str, Any] | None = None
    custom: dict[str, Any] | None = None


class _Delta(msgspec.Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    refusal: Any = None
    tool_calls: list[_Call] | None = None
    function_call: dict[str, Any] | None = None
    audio: Any = None


class _Choice(msgspec.Struct):
    """`text`: what legacy completions have in place of a delta."""

    delta: _Delta | None = None
    text: Any = None
    finish_reason: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = NULL
    x_groq: GroqNote | None = None
    error: msgspec.Raw = NULL
    object: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)
_HOLDS_DELTA = b'"delta"'
"""A frame with this is no usage frame, so its beginning may go on before its end is there."""


def make_tap(intent: Intent) -> Tap:
    """A tap for the answer to `intent`."""
    if intent.is_stream:
        return StreamTap(hides_usage=not intent.wants_usage)
    return WholeTap(_look)


class StreamTap:
    """Memory: one frame at most. `holds_words`: what only a frame with words of the model has in it."""

    def __init__(self, *, hides_usage: bool, holds_words: bytes = _HOLDS_DELTA) -> None:
        self.usage: Usage | None = None
        self.is_finished = False
        self.failed: HubError | None = None
        self.is_told = False
        self.text_units = 0
        self._meter = TextMeter()
        self._has_thoughts = False
        self._is_done = False
        self._hides_usage = hides_usage
        self._holds_words = holds_words
        self._cutter = Cutter()
        self._sent = 0
        self._searched = 0
        self._is_deaf = False

    def feed(self, chunk: bytes) -> bytes:
        """Frames pass as they are; of a frame that is not whole yet only what cannot be the one to hide."""
        if self._is_deaf:
            return chunk
        held = len(self._cutter.pending) - self._sent
        try:
            frames = self._cutter.feed(chunk)
        except Broken:
            return self._go_deaf(chunk)
        out: list[bytes] = []
        is_hidden = False
        for frame in frames:
            if self._listen(frame) and self._sent == 0:
                is_hidden = True
            else:
                out.append(frame[self._sent :] if self._sent else frame)
            self._sent = self._searched = 0
        pending = self._cutter.pending
        if pending and self._may_pass(pending):
            out.append(bytes(pending[self._sent :]))
            self._sent = len(pending)
        if not is_hidden and held == 0 and self._sent == len(pending):
            return chunk
        return b"".join(out)

    def finish(self) -> bytes:
        """What was held back of a last frame without its blank line, unless it is the one to hide."""
        rest = self._cutter.finish()
        sent, self._sent = self._sent, 0
        if rest and self._listen(rest) and sent == 0:
            return b""
        return rest[sent:]

    def _may_pass(self, pending: bytearray) -> bool:
        if not self._hides_usage or self._sent:
            return True
        found = pending.find(self._holds_words, self._searched)
        self._searched = max(0, len(pending) - len(self._holds_words))
        return found >= 0

    def _go_deaf(self, chunk: bytes) -> bytes:
        """A frame beyond all measure is passed on without being understood any more."""
        self._is_deaf = True
        self.failed = self.failed or Broken(upstream_words=f"a frame of more than {MAX_FRAME_BYTES} bytes")
        return self._cutter.finish()[self._sent :]

    def _listen(self, raw: bytes) -> bool:
        """Returns whether to hide it: the frame that only we asked for, or one that nobody could read."""
        frame = parse(raw)
        if frame is None or self._is_done or not frame.data.strip():
            return False
        if frame.data.startswith(b"[DONE]"):
            self.is_finished = self._is_done = True
            return False
        try:
            chunk = _CHUNK.decode(frame.data)
            if frame.event == "error" or present(chunk.error) is not None or chunk.object == "error":
                self._fail(error_in_body(msgspec.json.decode(frame.data)))
                self.is_told = True
                return False
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            self._fail(Broken(upstream_words=f"{error}: {frame.data[:500].decode('utf-8', 'replace')}"))
            return True
        for choice in chunk.choices or ():
            if choice.delta is not None:
                self._weigh(choice.delta)
                self.text_units = self._meter.tokens
            elif isinstance(choice.text, str):
                self._meter.feed(choice.text)
                self.text_units = self._meter.tokens
            if words(choice.finish_reason):
                self.is_finished = True
        usage = present(chunk.usage)
        counted = usage or (present(chunk.x_groq.usage) if chunk.x_groq is not None else None)
        if counted is not None:
            self.usage = decode_usage(counted) or self.usage
        return self._hides_usage and usage is not None and chunk.choices == []

    def _fail(self, error: UpstreamError) -> None:
        self.failed = self.failed or error
        self._is_done = True

    def _weigh(self, delta: _Delta) -> None:
        """The same texts as the events of the reader."""
        feed = self._meter.feed
        if isinstance(delta.content, str):
            feed(delta.content)
        elif isinstance(delta.content, list):
            for element in delta.content:
                feed(thoughts(element)[0])
        if delta.refusal:
            feed(words(delta.refusal))
        usual, other = words(delta.reasoning_content), words(delta.reasoning)
        feed(usual)
        if other != usual:
            feed(other)
        self._has_thoughts = self._has_thoughts or bool(usual or other)
        if delta.reasoning_details and not self._has_thoughts and isinstance(delta.reasoning_details, list):
            feed(spoken([element for element in delta.reasoning_details if isinstance(element, dict)]))
        if delta.function_call is not None:
            feed(_text(delta.function_call.get("arguments")))
        for call in delta.tool_calls or ():
            feed(_text((call.function or {}).get("arguments")) + words((call.custom or {}).get("input")))
        if isinstance(delta.audio, dict):
            feed(words(delta.audio.get("transcript")))


def _look(body: bytes) -> Seen:
    gist = read_gist(body)
    return Seen(body, gist.usage, gist.text_units)


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()
