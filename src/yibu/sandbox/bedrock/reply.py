"""How Bedrock writes an answer: whole, and as the binary frames of an event stream.

Frames carry `p`, a padding of changing length that readers skip. Source: AWS, *ConverseStream*, read 2026-11-22; frames as recorded.
"""

from typing import Any

import msgspec

from yibu.sandbox.ask import Ask
from yibu.sandbox.bedrock.frames import broken_frame, exception, frame
from yibu.sandbox.bedrock.request import SIGNED
from yibu.sandbox.draft import Draft
from yibu.sandbox.engines.piece import Argued, Counts, Declined, End, Opened, Piece, Text, Thought, Trouble
from yibu.sandbox.seal import seal

STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "filtered": "content_filtered",
    "blocked": "guardrail_intervened",
}
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class ConverseStage:
    content_type = "application/vnd.amazon.eventstream"

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.index = -1
        self.open = ""
        self.thought: list[str] = []
        self.frames = 0

    def whole(self, drafts: list[Draft]) -> dict[str, Any]:
        (draft,) = drafts
        content: list[dict[str, Any]] = []
        if draft.thoughts:
            told = {"text": draft.thought, "signature": seal(SIGNED, draft.thought)}
            content.append({"reasoningContent": {"reasoningText": told}})
        if text := draft.text + "".join(draft.refusal):
            content.append({"text": text})
        for opened, arguments in draft.calls:
            use = self.use(opened) | {"input": _object("".join(arguments))}
            content.append({"toolUse": use})
        value: dict[str, Any] = {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _stop(draft.end),
            "metrics": {"latencyMs": 1},
        }
        return value | ({"usage": usage(draft.end.counts)} if draft.end.counts else {})

    def feed(self, choice: int, piece: Piece) -> bytes:
        before = b"" if self.frames else self.frame("messageStart", {"role": "assistant"})
        match piece:
            case Thought(text):
                self.thought.append(text)
                return before + self.begin("reasoning") + self.delta({"reasoningContent": {"text": text}})
            case Text(text) | Declined(text):
                return before + self.begin("text") + self.delta({"text": text})
            case Opened(index):
                frames = before + self.begin(f"call {index}")
                start = {"contentBlockIndex": self.index, "start": {"toolUse": self.use(piece)}}
                return frames + self.frame("contentBlockStart", start)
            case Argued(_, text):
                return before + self.delta({"toolUse": {"input": text}})
            case Trouble("garbage"):
                return before + broken_frame()
            case Trouble():
                said = "The system encountered an unexpected error during processing. Try your request again."
                return before + exception("internalServerException", said)
            case End():
                frames = before + self.finish() + self.frame("messageStop", {"stopReason": _stop(piece)})
                told = {"metrics": {"latencyMs": 1}} | ({"usage": usage(piece.counts)} if piece.counts else {})
                return frames + self.frame("metadata", told)

    def close(self) -> bytes:
        return b""

    def begin(self, kind: str) -> bytes:
        if self.open == kind:
            return b""
        frames = self.finish()
        self.index += 1
        self.open = kind
        return frames

    def finish(self) -> bytes:
        """Close the open block; reasoning ends with its signature."""
        if not self.open:
            return b""
        signature = {"reasoningContent": {"signature": seal(SIGNED, "".join(self.thought))}}
        frames = self.delta(signature) if self.open == "reasoning" else b""
        self.open = ""
        return frames + self.frame("contentBlockStop", {"contentBlockIndex": self.index})

    def delta(self, delta: dict[str, Any]) -> bytes:
        return self.frame("contentBlockDelta", {"contentBlockIndex": self.index, "delta": delta})

    def use(self, opened: Opened) -> dict[str, Any]:
        return {"toolUseId": f"tooluse_{self.ask.fingerprint[:20]}{opened.index:02d}", "name": opened.name}

    def frame(self, kind: str, value: dict[str, Any]) -> bytes:
        self.frames += 1
        return frame(kind, value | {"p": _PADDING[: 3 + self.frames * 17 % 59]})


def _stop(end: End) -> str:
    return "stop_sequence" if end.stop is not None else STOPS[end.reason]


def usage(counts: Counts) -> dict[str, Any]:
    """As Anthropic's: what touched a cache is not in `inputTokens`; the total holds everything."""
    written = counts.written + counts.written_long
    value: dict[str, Any] = {
        "inputTokens": counts.prompt - counts.cached - written,
        "outputTokens": counts.completion,
        "totalTokens": counts.prompt + counts.completion,
        "cacheReadInputTokens": counts.cached,
        "cacheWriteInputTokens": written,
    }
    lives = (("5m", counts.written), ("1h", counts.written_long))
    details = [{"ttl": life, "inputTokens": number} for life, number in lives if number]
    return value | ({"cacheDetails": details} if details else {})


def _object(arguments: str) -> Any:
    try:
        return msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        return {}
