"""Writes a stream of this format out of events.

Order of events: Anthropic, *Streaming messages*, read 2026-11-22: one block open at a time, numbers rising by one, deltas of
the block's own kind, `message_delta` after the last block with the final usage, `message_stop`, nothing after it. So a
finish waits for the usage, which other vendors tell after it; `message_start` has an estimate of the prompt until then.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import fields, merge
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic import parcel
from yibu.dialects.anthropic.blocks import signature_of
from yibu.dialects.anthropic.calls import DIRECT, arguments_of, carrier
from yibu.dialects.anthropic.citations import encode_citation
from yibu.dialects.anthropic.errors import AnthropicErrors
from yibu.dialects.anthropic.finish import encode_finish
from yibu.dialects.anthropic.reply import encode_id, shows_thoughts
from yibu.dialects.anthropic.usage import encode_usage
from yibu.dialects.anthropic.wire import ID
from yibu.hub.chat import ChatRequest
from yibu.hub.estimate import TextMeter, estimate_request
from yibu.hub.events import (
    ArgumentsDelta,
    Event,
    Failed,
    Finished,
    MediaDelta,
    Metered,
    Opened,
    PartClosed,
    PartOpened,
    TextDelta,
    ThinkingDelta,
)
from yibu.hub.fold import error_of
from yibu.hub.loss import Losses
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.usage import Usage

_ERRORS = AnthropicErrors()


class Writer:
    """One stream. Only the first choice has a place in it."""

    def __init__(self, request: ChatRequest, losses: Losses | None = None) -> None:
        self._request = request
        self._scope = Scope(ID, "", [] if losses is None else losses)
        self._shows_thoughts = shows_thoughts(request)
        self._meter = TextMeter()
        self._usage: Usage | None = None
        self._finished: Finished | None = None
        self._has_failed = False
        self._index = -1
        self._is_open = self._is_text = False
        self._head: Part | None = None
        self._has_thought = False
        self._custom: list[str] = []

    def feed(self, event: Event) -> bytes:
        self._meter.feed_event(event)
        match event:
            case Opened():
                return self._start(event)
            case Metered():
                self._usage = event.usage
                return b""
            case Failed():
                self._has_failed = True
                return _ERRORS.encode_stream_error(error_of(event), "")
            case _ if event.choice != 0:
                return b""
            case PartOpened():
                return self._open_part(event.head)
            case TextDelta():
                return self._delta({"type": "text_delta", "text": event.text})
            case ThinkingDelta():
                return self._think(event.text)
            case ArgumentsDelta():
                return self._argue(event.text)
            case MediaDelta():
                return b""
            case PartClosed():
                return self._close_part(event)
            case Finished():
                self._finished = event
                return b""
            case _:
                assert_never(event)

    def finish(self) -> bytes:
        """The end of the last block, why it ended, and what it used."""
        if self._has_failed:
            return b""
        out = [self._stop()]
        if self._index < 0 and not self._scope.is_ours:
            out += [self._begin({"type": "text", "text": ""}, is_text=True), self._stop()]
        delta: dict[str, Any] = {"stop_reason": "end_turn", "stop_sequence": None}
        if self._finished is not None:
            delta = encode_finish(self._finished.finish, is_ours=self._scope.is_ours)
            delta = merge(delta, self._scope.extras("$", self._finished.extras))
        usage: Any = {"output_tokens": self._meter.tokens}
        if self._usage is not None:
            usage = encode_usage(self._usage)
        out.append(_event("message_delta", {"delta": delta, "usage": usage}))
        out.append(_event("message_stop", {}))
        return b"".join(out)

    def _start(self, opened: Opened) -> bytes:
        self._scope.is_ours = opened.dialect == ID
        message: dict[str, Any] = {
            "id": encode_id(opened.id, is_ours=self._scope.is_ours),
            "type": "message",
            "role": "assistant",
            "model": opened.model or self._request.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": estimate_request(self._request),
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 1,
            },
        }
        return _event("message_start", {"message": merge(message, self._scope.extras("$", opened.extras))})

    def _open_part(self, head: Part) -> bytes:
        self._head, self._has_thought, self._custom = head, False, []
        match head:
            case Text():
                text = merge({"type": "text", "text": ""}, self._scope.extras("$", head.extras))
                return self._begin(text, is_text=True)
            case Refusal():
                return self._begin({"type": "text", "text": ""}, is_text=True)
            case ToolCall():
                call: dict[str, Any] = {"type": "tool_use", "id": head.id, "name": head.name, "input": {}}
                if head.member == DIRECT and self._scope.is_ours:
                    call["caller"] = {"type": "direct"}
                begun = self._begin(merge(call, self._scope.extras("$", head.extras)))
                return begun + self._delta({"type": "input_json_delta", "partial_json": ""})
            case Citation():
                return self._cite(head)
            case Opaque(dialect="anthropic"):
                return self._cite(head) if head.member == "citations" else self._whole(head)
            case Thinking():
                return b""  # it begins with its first words or its seal
            case Media() | ToolResult() | Opaque():
                self._scope.lose(f"$.content[{self._index + 1}]", "this format has no place for it in an answer")
                return b""
            case _:
                assert_never(head)

    def _begin(self, block: dict[str, Any], *, is_text: bool = False) -> bytes:
        stopped = self._stop()
        self._index += 1
        self._is_open, self._is_text = True, is_text
        return stopped + _event("content_block_start", {"index": self._index, "content_block": block})

    def _stop(self) -> bytes:
        if not self._is_open:
            return b""
        self._is_open = self._is_text = False
        return _event("content_block_stop", {"index": self._index})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": delta})

    def _think(self, text: str) -> bytes:
        if not (self._shows_thoughts or self._scope.is_ours):
            return b""
        return self._begin_thought() + self._delta({"type": "thinking_delta", "thinking": text})

    def _begin_thought(self) -> bytes:
        if self._has_thought:
            return b""
        self._has_thought = True
        extras = self._head.extras if isinstance(self._head, Thinking) else {}
        block = {"type": "thinking", "thinking": "", "signature": ""}
        return self._begin(merge(block, self._scope.extras("$", extras)))

    def _argue(self, text: str) -> bytes:
        if isinstance(self._head, ToolCall) and self._head.is_custom:
            self._custom.append(text)
            return b""
        return self._delta({"type": "input_json_delta", "partial_json": text})

    def _close_part(self, event: PartClosed) -> bytes:
        """A text stays open, because citations may follow it."""
        head, self._head = self._head, None
        match head:
            case Thinking():
                seal = event.seal or head.seal
                return self._close_thought(msgspec.structs.replace(head, seal=seal))
            case ToolCall():
                written = b""
                if head.is_custom:
                    custom = msgspec.structs.replace(head, arguments="".join(self._custom))
                    text = bytes(arguments_of(custom)).decode()
                    written = self._delta({"type": "input_json_delta", "partial_json": text})
                written += self._stop()
                sealed = msgspec.structs.replace(head, seal=event.seal or head.seal)
                if sealed.seal is not None and self._shows_thoughts:
                    written += self._signed(carrier(sealed)["signature"])
                return written
            case _:
                return b"" if self._is_text else self._stop()

    def _close_thought(self, part: Thinking) -> bytes:
        signature, data = signature_of(part)
        if data:
            block = {"type": "redacted_thinking", "data": data}
            return self._begin(merge(block, self._scope.extras("$", part.extras))) + self._stop()
        if not self._has_thought and part.seal is None and not self._scope.is_ours:
            return b""
        if not (self._shows_thoughts or self._scope.is_ours):
            return b""
        return self._signed(signature or parcel.pack(part.seal))

    def _signed(self, signature: str) -> bytes:
        """The end of a thinking block, or a whole one without words. It is never unsigned: some clients drop such blocks."""
        begun = self._begin_thought() + self._delta({"type": "signature_delta", "signature": signature})
        self._has_thought = False
        return begun + self._stop()

    def _cite(self, part: Citation | Opaque) -> bytes:
        if not self._is_text:
            return b""
        cited = encode_citation(part, self._scope, "$", to_caller=True)
        return b"" if cited is None else self._delta({"type": "citations_delta", "citation": cited})

    def _whole(self, part: Opaque) -> bytes:
        """A block of Anthropic's own; the input of a call comes in a delta, as it does there."""
        block = dict[str, Any](fields(part.data))
        given = block.get("input")
        if given is None or not bytes(block.get("type", b"")).endswith(b'tool_use"'):
            return self._begin(block) + self._stop()
        begun = self._begin({**block, "input": {}}) + self._delta({"type": "input_json_delta", "partial_json": ""})
        text = bytes(given).decode()
        if text.strip() != "{}":
            begun += self._delta({"type": "input_json_delta", "partial_json": text})
        return begun + self._stop()


def _event(kind: str, members: dict[str, Any]) -> bytes:
    """The official SDKs look at the name of the frame, other clients at the `type` inside."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **members}))
