"""How Anthropic writes a message: whole, and as the events of a stream, one block after the other.

JSON of events is padded with blanks, a ping comes after the first block has begun, and the first fragment of a call's
input is empty, as in recorded streams. Source: Anthropic, *Streaming messages*, read 2026-11-22.
"""

from typing import Any

import msgspec

from yibu.sandbox.anthropic.blocks import REDACTED, THINKING
from yibu.sandbox.anthropic.request import Message
from yibu.sandbox.anthropic.words import error_value
from yibu.sandbox.behaviours import broken
from yibu.sandbox.draft import Draft
from yibu.sandbox.engines.bill import prompt_counts
from yibu.sandbox.engines.piece import Argued, Counts, Declined, End, Opened, Piece, Text, Thought, Trouble
from yibu.sandbox.engines.rules import attend_all
from yibu.sandbox.seal import seal

STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "filtered": "refusal",
    "blocked": "refusal",
}
REDACTS = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING"
GARBAGE = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"te\n\n'


class MessageStage:
    content_type = "text/event-stream; charset=utf-8"

    def __init__(self, message: Message, *, tells_usage: bool) -> None:
        self.ask = message.ask
        self.shows = message.shows
        self.redacts = REDACTS in self.ask.question.text
        self.tells_usage = tells_usage
        self.index = -1
        self.open = ""  # the kind of the open block
        self.thought: list[str] = []
        self.events = 0

    def whole(self, drafts: list[Draft]) -> dict[str, Any]:
        (draft,) = drafts
        content: list[dict[str, Any]] = []
        if draft.thoughts and self.shows != "no":
            content.append(self.thinking(draft.thought))
        if text := draft.text + "".join(draft.refusal):
            content.append({"type": "text", "text": text, "citations": None})
        content += [self.call(opened) | {"input": _object("".join(arguments))} for opened, arguments in draft.calls]
        value = self.head() | {"content": content, **_stop(draft.end)}
        if draft.end.counts:
            value["usage"] = _usage(draft.end.counts)
        return value

    def feed(self, choice: int, piece: Piece) -> bytes:
        frames = b"" if self.events else self.start()
        match piece:
            case Thought(text):
                return frames + self.think(text)
            case Text(text) | Declined(text):
                return frames + self.begin("text", {"type": "text", "text": ""}) + self.delta("text_delta", text=text)
            case Opened(index):
                frames += self.begin(f"call {index}", self.call(piece))
                return frames + self.delta("input_json_delta", partial_json="")
            case Argued(_, text):
                return frames + self.delta("input_json_delta", partial_json=text)
            case Trouble("garbage"):
                return frames + GARBAGE
            case Trouble():
                return frames + self.event("error", error_value(broken()))
            case End():
                return frames + self.finish() + self.end(piece)

    def close(self) -> bytes:
        return b""

    def start(self) -> bytes:
        message = self.head() | {"content": [], "stop_reason": None, "stop_sequence": None}
        if self.tells_usage:
            message["usage"] = _usage(prompt_counts(self.ask, attend_all(self.ask))) | {"output_tokens": 1}
        return self.event("message_start", {"message": message})

    def think(self, text: str) -> bytes:
        if self.shows == "no":
            return b""
        self.thought.append(text)
        if self.redacts:
            return b""
        opening = self.begin("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        return opening + (self.delta("thinking_delta", thinking=text) if self.shows == "all" else b"")

    def begin(self, kind: str, block: dict[str, Any]) -> bytes:
        if self.open == kind:
            return b""
        before = self.finish()
        self.index += 1
        self.open = kind
        opening = self.event("content_block_start", {"index": self.index, "content_block": block})
        ping = self.event("ping", {}) if self.index == 0 else b""
        return before + opening + ping

    def finish(self) -> bytes:
        """Close the open block, with the signature if it was thinking; redacted thinking comes whole."""
        frames = b""
        if self.thought and (self.redacts or self.open == "thinking"):
            block = self.thinking("".join(self.thought))
            self.thought = []
            if self.redacts:
                self.index += 1
                self.open = "redacted"
                frames = self.event("content_block_start", {"index": self.index, "content_block": block})
            else:
                frames = self.delta("signature_delta", signature=block["signature"])
        if not self.open:
            return frames
        self.open = ""
        return frames + self.event("content_block_stop", {"index": self.index})

    def end(self, piece: End) -> bytes:
        value: dict[str, Any] = {"delta": _stop(piece)}
        if piece.counts:
            value["usage"] = _usage(piece.counts)
        return self.event("message_delta", value) + self.event("message_stop", {})

    def thinking(self, text: str) -> dict[str, Any]:
        if self.redacts:
            return {"type": "redacted_thinking", "data": seal(REDACTED, text)}
        shown = text if self.shows == "all" else ""
        return {"type": "thinking", "thinking": shown, "signature": seal(THINKING, text)}

    def call(self, opened: Opened) -> dict[str, Any]:
        call_id = f"toolu_{self.ask.fingerprint[:20]}{opened.index:02d}"
        return {"type": "tool_use", "id": call_id, "name": opened.name, "input": {}}

    def delta(self, kind: str, **members: str) -> bytes:
        return self.event("content_block_delta", {"index": self.index, "delta": {"type": kind, **members}})

    def event(self, kind: str, value: dict[str, Any]) -> bytes:
        self.events += 1
        text = msgspec.json.encode({"type": kind} | value).decode()
        padded = f"{text[:-1]}{' ' * (self.events * 7 % 11)}}}"
        return f"event: {kind}\ndata: {padded}\n\n".encode()

    def head(self) -> dict[str, Any]:
        return {"id": f"msg_{self.ask.fingerprint}", "type": "message", "role": "assistant", "model": self.ask.model}


def _stop(end: End) -> dict[str, Any]:
    details = None
    if end.reason in ("filtered", "blocked"):
        details = {"type": "refusal", "category": None, "explanation": "The sandbox refuses on demand."}
    if end.stop is not None:
        return {"stop_reason": "stop_sequence", "stop_sequence": end.stop, "stop_details": None, "container": None}
    return {"stop_reason": STOPS[end.reason], "stop_sequence": None, "stop_details": details, "container": None}


def _usage(counts: Counts) -> dict[str, Any]:
    """Anthropic's `input_tokens` are those that touched no cache."""
    written = counts.written + counts.written_long
    return {
        "input_tokens": counts.prompt - counts.cached - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": counts.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": counts.written,
            "ephemeral_1h_input_tokens": counts.written_long,
        },
        "output_tokens": counts.completion,
        "output_tokens_details": {"thinking_tokens": counts.reasoning},
        "service_tier": "standard",
    }


def _object(arguments: str) -> Any:
    """The input of a call; what a limit cut is no JSON any more, and Anthropic then gives what could be read."""
    try:
        return msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        return {}
