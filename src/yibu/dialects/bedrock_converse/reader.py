"""Reads ConverseStream into events. A text begins with its first delta, a call with `contentBlockStart`; the end is told by
`messageStop`, after which `metadata` brings the usage."""

from typing import Any

import msgspec

from yibu.dialects._eventstream import Message, Messages
from yibu.dialects._json import NULL, raw
from yibu.dialects._vendor_errors import Told, failed_of, sort_error
from yibu.dialects.bedrock_converse.masks import masks_of
from yibu.dialects.bedrock_converse.reply import made_id, sealed
from yibu.dialects.bedrock_converse.wire import ID, ReasoningContent, decode_finish, decode_usage
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
from yibu.hub.parts import Seal, Text, Thinking, ToolCall

_STATUS = {
    "throttlingException": 429,
    "validationException": 400,
    "serviceUnavailableException": 503,
    "modelNotReadyException": 529,
    "modelTimeoutException": 504,
    "accessDeniedException": 403,
}
"""By the name of an exception; others are faults of the vendor's."""


class _Use(msgspec.Struct):
    toolUseId: str = ""
    name: str = ""
    input: str = ""


class _Start(msgspec.Struct):
    toolUse: _Use | None = None


class _Delta(msgspec.Struct):
    text: str | None = None
    toolUse: _Use | None = None
    reasoningContent: ReasoningContent | None = None


class _Payload(msgspec.Struct):
    contentBlockIndex: int = 0
    start: _Start | None = None
    delta: _Delta | None = None
    stopReason: str = ""
    usage: msgspec.Raw = NULL
    message: str = ""


_PAYLOAD = msgspec.json.Decoder(_Payload)


class Reader:
    """One stream. After its end, or after a `Failed`, nothing more is read."""

    def __init__(self, asked: ChatRequest | None) -> None:
        self._messages = Messages()
        self._unmasking = Unmasking(masks_of(asked))
        self._model = asked.model if asked is not None else ""
        self._head: Text | Thinking | ToolCall | None = None
        self._block = self._parts = -1
        self._seal: Seal | None = None
        self._has_arguments = self._has_calls = self._is_opened = self._is_finished = self._is_over = False

    def feed(self, chunk: bytes) -> list[Event]:
        out: list[Event] = []
        if self._is_over:
            return out
        try:
            for message in self._messages.feed(chunk):
                if not self._is_over:
                    self._read(message, out)
        except UpstreamError as error:
            self._fail(error, out)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
            self._fail(Broken(upstream_words=f"a message of the stream: {exc}"), out)
        return self._unmasking.feed(out)

    def finish(self) -> list[Event]:
        out: list[Event] = []
        if not self._is_over and not self._is_finished:
            self._fail(Broken(upstream_words="the stream ended in the middle"), out)
        self._is_over = True
        return self._unmasking.feed(out)

    def _read(self, message: Message, out: list[Event]) -> None:
        said = _PAYLOAD.decode(message.payload or b"{}")
        if message.is_error:
            raise sort_error(
                _STATUS.get(message.event, 500),
                Told(message=said.message, kind=message.event),
                message.payload[:2000].decode("utf-8", "replace"),
                None,
            )
        if not self._is_opened:
            self._is_opened = True
            out.append(Opened(id=made_id(message.payload), model=self._model, dialect=ID))
        match message.event:
            case "contentBlockStart":
                self._start(said, out)
            case "contentBlockDelta":
                self._delta(said, out)
            case "contentBlockStop":
                self._close(out)
            case "messageStop":
                self._close(out)
                self._is_finished = True
                out.append(Finished(0, decode_finish(said.stopReason, has_calls=self._has_calls)))
            case "metadata":
                if (usage := decode_usage(said.usage)) is not None:
                    out.append(Metered(usage))
                self._is_over = True
            case _:
                return  # `messageStart`, and what is yet to come

    def _start(self, said: _Payload, out: list[Event]) -> None:
        self._close(out)
        if said.start is not None and said.start.toolUse is not None:
            use = said.start.toolUse
            self._has_calls = True
            self._open(ToolCall(id=use.toolUseId, name=use.name, arguments=""), said, out)

    def _open(self, head: Text | Thinking | ToolCall, said: _Payload, out: list[Event]) -> None:
        self._close(out)
        self._parts += 1
        self._head, self._block, self._seal, self._has_arguments = head, said.contentBlockIndex, None, False
        out.append(PartOpened(0, self._parts, head))

    def _delta(self, said: _Payload, out: list[Event]) -> None:
        delta = said.delta
        if delta is None:
            return
        if delta.text:
            self._needs(Text, Text(""), said, out)
            out.append(TextDelta(0, self._parts, delta.text))
        elif delta.toolUse is not None and isinstance(self._head, ToolCall) and delta.toolUse.input:
            self._has_arguments = True
            out.append(ArgumentsDelta(0, self._parts, delta.toolUse.input))
        elif delta.reasoningContent is not None:
            content = delta.reasoningContent
            self._needs(Thinking, Thinking(""), said, out)
            if content.text:
                out.append(ThinkingDelta(0, self._parts, content.text))
            self._seal = sealed(content.signature) or self._seal
            if content.redactedContent:
                self._seal = Seal(ID, raw({"redactedContent": content.redactedContent}))

    def _needs(self, kind: Any, head: Text | Thinking, said: _Payload, out: list[Event]) -> None:
        """A part of this kind is open, of this very block."""
        if not isinstance(self._head, kind) or self._block != said.contentBlockIndex:
            self._open(head, said, out)

    def _close(self, out: list[Event]) -> None:
        """A call without arguments has the empty ones."""
        if self._head is None:
            return
        if isinstance(self._head, ToolCall) and not self._has_arguments:
            out.append(ArgumentsDelta(0, self._parts, "{}"))
        out.append(PartClosed(0, self._parts, seal=self._seal))
        self._head = None

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        self._is_over = True
        out.append(failed_of(error))
