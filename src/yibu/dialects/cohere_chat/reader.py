"""Reads a stream of Cohere's into events. Citations come while the text is told that they are about, and follow it here;
`message-end` brings the finish and the usage."""

import msgspec

from yibu.dialects._json import NULL
from yibu.dialects._sse import Frame, Frames
from yibu.dialects._vendor_errors import error_in_body, failed_of
from yibu.dialects.cohere_chat.masks import masks_of
from yibu.dialects.cohere_chat.wire import (
    ID,
    LogprobItem,
    WireCall,
    decode_citation,
    decode_finish,
    decode_logprobs,
    decode_usage,
)
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken, UpstreamError
from yibu.hub.events import (
    ArgumentsDelta,
    Event,
    Finished,
    Metered,
    Opened,
    PartClosed,
    PartOpened,
    TextDelta,
    ThinkingDelta,
)
from yibu.hub.masks import Unmasking
from yibu.hub.parts import Citation, Opaque, Part, Text, Thinking, ToolCall


class _Content(msgspec.Struct):
    text: str | None = None
    thinking: str | None = None


class _Message(msgspec.Struct):
    """Each of one thing: what is a list in a whole answer is an object here."""

    content: _Content | None = None
    tool_plan: str | None = None
    tool_calls: WireCall | None = None
    citations: msgspec.Raw = NULL


class _Delta(msgspec.Struct):
    message: _Message | None = None


class _End(msgspec.Struct):
    finish_reason: str | None = None
    usage: msgspec.Raw = NULL
    error: str | None = None


class _Frame(msgspec.Struct):
    type: str = ""
    id: str | None = None
    index: int | None = None
    delta: msgspec.Raw = NULL
    logprobs: LogprobItem | None = None


_FRAME = msgspec.json.Decoder(_Frame)
_DELTA = msgspec.json.Decoder(_Delta | None)
_END = msgspec.json.Decoder(_End | None)
_DELTAS = frozenset(
    {
        "content-start",
        "content-delta",
        "tool-plan-delta",
        "tool-call-start",
        "tool-call-delta",
        "citation-start",
    }
)
_ENDS = frozenset({"content-end", "tool-call-end"})


class Reader:
    """One stream. After its end, or after a `Failed`, nothing more is read."""

    def __init__(self, asked: ChatRequest | None) -> None:
        self._frames = Frames()
        self._unmasking = Unmasking(masks_of(asked))
        self._model = asked.model if asked is not None else ""
        self._head: Part | None = None
        self._block: int | None = None
        self._parts = -1
        self._cited: list[Citation | Opaque] = []
        self._has_arguments = self._has_calls = self._is_opened = self._is_over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """`chunk`: any slice of the stream."""
        out: list[Event] = []
        try:
            self._take(self._frames.feed(chunk), out)
        except UpstreamError as error:
            self._fail(error, out)
        return self._unmasking.feed(out)

    def finish(self) -> list[Event]:
        out: list[Event] = []
        try:
            self._take(self._frames.finish(), out)
        except UpstreamError as error:
            self._fail(error, out)
        if not self._is_over:
            self._fail(Broken(upstream_words="the stream ended in the middle"), out)
        return self._unmasking.feed(out)

    def _take(self, frames: list[Frame], out: list[Event]) -> None:
        for frame in frames:
            if self._is_over or not frame.data.strip() or frame.data.startswith(b"[DONE]"):
                continue
            try:
                self._read(frame, out)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
                words = f"{exc}: {frame.data[:500].decode('utf-8', 'replace')}"
                raise Broken(upstream_words=words) from exc

    def _read(self, frame: Frame, out: list[Event]) -> None:
        said = _FRAME.decode(frame.data)
        if not said.type:
            raise error_in_body(msgspec.json.decode(frame.data))
        if not self._is_opened:
            self._is_opened = True
            out.append(Opened(id=said.id or "", model=self._model, dialect=ID))
        if said.type in _DELTAS:
            delta = _DELTA.decode(said.delta)
            if delta is not None and delta.message is not None:
                self._hear(said, delta.message, out)
        elif said.type in _ENDS:
            self._close(out)
        elif said.type == "message-end":
            self._end(_END.decode(said.delta) or _End(), out)

    def _hear(self, said: _Frame, message: _Message, out: list[Event]) -> None:
        if message.tool_plan:
            self._tell(Text(""), None, out)
            out.append(TextDelta(0, self._parts, message.tool_plan))
        if message.content is not None:
            self._speak(said, message.content, out)
        if message.tool_calls is not None:
            self._call(said.type == "tool-call-start", message.tool_calls, out)
        if bytes(message.citations) != b"null":
            self._cited += decode_citation(message.citations)

    def _speak(self, said: _Frame, content: _Content, out: list[Event]) -> None:
        if content.thinking:
            self._tell(Thinking(""), said.index, out)
            out.append(ThinkingDelta(0, self._parts, content.thinking))
        if content.text:
            self._tell(Text(""), said.index, out)
            logprobs = decode_logprobs([said.logprobs]) if said.logprobs is not None else None
            out.append(TextDelta(0, self._parts, content.text, logprobs=logprobs))

    def _call(self, is_new: bool, call: WireCall, out: list[Event]) -> None:
        if is_new:
            self._has_calls = True
            self._open(call.head(), None, out)
            self._has_arguments = False
        if call.function.arguments and isinstance(self._head, ToolCall):
            self._has_arguments = True
            out.append(ArgumentsDelta(0, self._parts, call.function.arguments))

    def _tell(self, head: Text | Thinking, block: int | None, out: list[Event]) -> None:
        """A part of this kind is open, of this very block."""
        if type(self._head) is not type(head) or self._block != block:
            self._open(head, block, out)

    def _open(self, head: Part, block: int | None, out: list[Event]) -> None:
        self._close(out)
        self._parts += 1
        self._head, self._block = head, block
        out.append(PartOpened(0, self._parts, head))

    def _close(self, out: list[Event]) -> None:
        """A call without arguments has the empty ones; behind a text stands what it rests on."""
        if self._head is not None:
            if isinstance(self._head, ToolCall) and not self._has_arguments:
                out.append(ArgumentsDelta(0, self._parts, "{}"))
            out.append(PartClosed(0, self._parts))
            self._head = None
        cited, self._cited = self._cited, []
        for part in cited:
            self._parts += 1
            out += [PartOpened(0, self._parts, part), PartClosed(0, self._parts)]

    def _end(self, said: _End, out: list[Event]) -> None:
        self._close(out)
        if not said.error:
            out.append(Finished(0, decode_finish(said.finish_reason or "", has_calls=self._has_calls)))
        if (usage := decode_usage(said.usage)) is not None:
            out.append(Metered(usage))
        if said.error:
            raise error_in_body({"message": said.error})
        self._is_over = True

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        if not self._is_over:
            self._is_over = True
            out.append(failed_of(error))
