"""`POST /v1/chat/completions`: how OpenAI writes an answer, whole or streamed.

Source of the wire form: OpenAI, *Chat completions* and *Streaming*, read 2026-11-22.
"""

from typing import Any

import msgspec

from yibu.sandbox.ask import Ask
from yibu.sandbox.behaviours import broken
from yibu.sandbox.completions_request import read_ask
from yibu.sandbox.draft import Draft, sum_counts
from yibu.sandbox.engines.language import Language
from yibu.sandbox.engines.piece import (
    Argued,
    Counts,
    Declined,
    End,
    Opened,
    Piece,
    Text,
    Thought,
    Trouble,
    alternatives,
    logprob,
)
from yibu.sandbox.models import CREATED
from yibu.sandbox.play import find_manner, play
from yibu.sandbox.refusal import Refusal
from yibu.sandbox.request import Request
from yibu.sandbox.response import Response

FINGERPRINT = "fp_sandbox"
FINISH = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "filtered": "content_filter"}
GARBAGE = b'data: {"id":"chatcmpl-broken","choices":[{"index":0,"delta":{"conte\n\n'


async def complete(request: Request, language: Language) -> Response:
    """Answer a chat request. Raises `Refusal` for wrong input, before anything is sent."""
    ask = read_ask(request.json())
    if find_manner(ask.model).declines == "blocked":
        raise blocked()
    return await play(ask, language, _Stage(ask))


def blocked() -> Refusal:
    """The prompt was not let in."""
    said = "Invalid prompt: your prompt was flagged as potentially violating our usage policy."
    return Refusal(400, said, code="invalid_prompt")


class _Stage:
    content_type = "text/event-stream; charset=utf-8"

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.ends: list[End] = []
        self.opened: set[int] = set()

    def whole(self, drafts: list[Draft]) -> dict[str, Any]:
        choices = [self.choice(number, draft) for number, draft in enumerate(drafts)]
        value = self.head("chat.completion") | {"choices": choices}
        if counts := sum_counts([draft.end for draft in drafts]):
            value["usage"] = usage(counts)
        return value

    def choice(self, number: int, draft: Draft) -> dict[str, Any]:
        refusal = "".join(draft.refusal) or None
        content = None if refusal or (draft.calls and not draft.texts) else draft.text
        message: dict[str, Any] = {"role": "assistant", "content": content}
        message |= {"refusal": refusal, "annotations": []}
        if draft.thoughts:
            message["reasoning_content"] = draft.thought
        if draft.calls:
            message["tool_calls"] = [self.call(number, opened, "".join(arguments)) for opened, arguments in draft.calls]
        finish = FINISH[draft.end.reason]
        return {"index": number, "message": message, "logprobs": self.logprobs(draft.texts), "finish_reason": finish}

    def feed(self, choice: int, piece: Piece) -> bytes:
        opening = b""
        if choice not in self.opened:
            first = {"content": None if isinstance(piece, Opened) else "", "refusal": None}
            opening = self.chunk(choice, {"role": "assistant", **first})
            self.opened.add(choice)
        match piece:
            case End():
                self.ends.append(piece)
                return opening + self.chunk(choice, {}, finish=FINISH[piece.reason])
            case Trouble("garbage"):
                return GARBAGE
            case Trouble():
                return _event(broken().body())
            case _:
                told = [piece.text] if isinstance(piece, Text) else []
                return opening + self.chunk(choice, self.delta(choice, piece), logprobs=self.logprobs(told))

    def close(self) -> bytes:
        done = b"data: [DONE]\n\n"
        counts = sum_counts(self.ends)
        if not self.ask.include_usage or counts is None:
            return done
        return _event(self.head("chat.completion.chunk") | {"choices": [], "usage": usage(counts)}) + done

    def delta(self, choice: int, piece: Piece) -> dict[str, Any]:
        match piece:
            case Thought(text):
                return {"reasoning_content": text}
            case Text(text):
                return {"content": text}
            case Declined(text):
                return {"refusal": text}
            case Opened(index):
                return {"tool_calls": [{"index": index, **self.call(choice, piece, "")}]}
            case Argued(index, text):
                inner = {"custom": {"input": text}} if piece.custom else {"function": {"arguments": text}}
                return {"tool_calls": [{"index": index, **inner}]}
            case End() | Trouble():
                return {}

    def call(self, choice: int, opened: Opened, arguments: str) -> dict[str, Any]:
        call_id = f"call_{self.ask.fingerprint[:20]}{choice:02d}{opened.index:02d}"
        if opened.custom:
            return {"id": call_id, "type": "custom", "custom": {"name": opened.name, "input": arguments}}
        return {"id": call_id, "type": "function", "function": {"name": opened.name, "arguments": arguments}}

    def logprobs(self, texts: list[str]) -> dict[str, Any] | None:
        if self.ask.logprobs is None or not texts:
            return None
        return {"content": [token_logprobs(text, self.ask.logprobs) for text in texts], "refusal": None}

    def chunk(
        self, choice: int, delta: dict[str, Any], finish: str | None = None, logprobs: dict[str, Any] | None = None
    ) -> bytes:
        value = self.head("chat.completion.chunk")
        value["choices"] = [{"index": choice, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]
        if self.ask.include_usage:
            value["usage"] = None
        return _event(value)

    def head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.ask.fingerprint}",
            "object": kind,
            "created": CREATED,
            "model": self.ask.model,
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        }


def token_logprobs(token: str, most: int) -> dict[str, Any]:
    """A token with its logprob and the `most` likeliest ones in its place."""
    top = [_logprob(text, value) for text, value in alternatives(token, most)]
    return _logprob(token, logprob(token)) | {"top_logprobs": top}


def _logprob(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "logprob": value, "bytes": list(token.encode())}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def usage(counts: Counts) -> dict[str, Any]:
    """OpenAI's usage: the prompt holds what was cached, the completion holds the reasoning."""
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.completion,
        "total_tokens": counts.prompt + counts.completion,
        "prompt_tokens_details": {
            "cached_tokens": counts.cached,
            "cache_write_tokens": counts.written + counts.written_long,
            "audio_tokens": counts.audio,
        },
        "completion_tokens_details": {
            "reasoning_tokens": counts.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
