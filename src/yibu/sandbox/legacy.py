"""`POST /v1/completions`: how OpenAI wrote an answer before there was chat, whole or streamed.

The model answers the prompt as a question; a prompt of tokens is refused, several prompts are answered one after the other.
Source of the wire form: OpenAI, *Create completion* (legacy), read 2026-11-22.
"""

from dataclasses import replace
from typing import Any

import msgspec

from yibu.sandbox.ask import Ask, Turn, fingerprint_of
from yibu.sandbox.behaviours import broken
from yibu.sandbox.completions import blocked, usage
from yibu.sandbox.draft import Draft, sum_counts
from yibu.sandbox.engines.language import Language
from yibu.sandbox.engines.piece import Declined, End, Piece, Text, Trouble, alternatives, logprob
from yibu.sandbox.members import Members
from yibu.sandbox.models import CREATED
from yibu.sandbox.play import find_manner, play
from yibu.sandbox.refusal import missing, wrong_type, wrong_value
from yibu.sandbox.request import Request
from yibu.sandbox.response import Response

_MEMBERS = """
    model prompt suffix max_tokens temperature top_p n stream stream_options logprobs echo stop presence_penalty
    frequency_penalty best_of logit_bias user seed
"""
KNOWN = frozenset(_MEMBERS.split())
USUAL_LIMIT = 16  # tokens
FINISH = {"stop": "stop", "length": "length", "tool_calls": "stop", "filtered": "content_filter"}


async def complete(request: Request, language: Language) -> Response:
    """Answer a prompt. Raises `Refusal` for wrong input, before anything is sent."""
    wire = Members(request.json())
    wire.only(KNOWN)
    ask, prompt = _read(wire)
    if find_manner(ask.model).declines == "blocked":
        raise blocked()
    return await play(ask, language, _Stage(ask, prompt if wire.flag("echo", False) else "", len(prompt)))


def _read(wire: Members) -> tuple[Ask, str]:
    prompt = _prompt(wire)
    stop = wire.value.get("stop")
    stops = (stop,) if isinstance(stop, str) else wire.texts("stop", most=4)
    choices = wire.integer("n", 1, 128) or 1
    if (wire.integer("best_of", 1, 20) or choices) < choices:
        raise wrong_value("best_of", "it must not be less than 'n'.")
    if wire.text("suffix", ""):
        raise wrong_value("suffix", "this model does not support it.")
    stream = wire.flag("stream", False)
    if wire.has("stream_options") and not stream:
        raise wrong_value("stream_options", "it is only allowed when 'stream' is true.")
    ask = Ask(
        model=wire.text("model"),
        turns=(Turn("user", prompt),),
        fingerprint=fingerprint_of(wire.value),
        limit=wire.integer("max_tokens", 1, 1 << 30) or USUAL_LIMIT,
        stops=stops,
        temperature=wire.number("temperature", 0.0, 2.0),
        top_p=wire.number("top_p", 0.0, 1.0),
        seed=wire.integer("seed", -(1 << 63), (1 << 63) - 1),
        n=choices,
        stream=stream,
        include_usage=wire.has("stream_options") and wire.object("stream_options").flag("include_usage", False),
        logprobs=wire.integer("logprobs", 0, 5),
    )
    return replace(ask, thinks=False), prompt


def _prompt(wire: Members) -> str:
    value = wire.value.get("prompt")
    if value is None:
        raise missing("prompt")
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        value = value[0]
    if isinstance(value, list):
        raise wrong_value("prompt", "this model takes one text.")
    if not isinstance(value, str):
        raise wrong_type("prompt", "a string", value)
    return value


class _Stage:
    content_type = "text/event-stream; charset=utf-8"

    def __init__(self, ask: Ask, echo: str, offset: int) -> None:
        self.ask = ask
        self.echo = echo
        self.offsets = [offset] * ask.n
        self.ends: list[End] = []
        self.opened: set[int] = set()

    def whole(self, drafts: list[Draft]) -> dict[str, Any]:
        choices = [self.choice(number, draft) for number, draft in enumerate(drafts)]
        value = self.head() | {"choices": choices}
        if counts := sum_counts([draft.end for draft in drafts]):
            value["usage"] = usage(counts)
        return value

    def choice(self, number: int, draft: Draft) -> dict[str, Any]:
        texts = [*draft.texts, *draft.refusal]
        columns = self.columns(number, texts)
        finish = FINISH[draft.end.reason]
        text = self.echo + "".join(texts)
        return {"text": text, "index": number, "logprobs": columns, "finish_reason": finish}

    def feed(self, choice: int, piece: Piece) -> bytes:
        opening = b""
        if choice not in self.opened:
            self.opened.add(choice)
            opening = self.chunk(choice, self.echo, None) if self.echo else b""
        match piece:
            case Text(text) | Declined(text):
                return opening + self.chunk(choice, text, self.columns(choice, [text]))
            case End():
                self.ends.append(piece)
                return opening + self.chunk(choice, "", None, FINISH[piece.reason])
            case Trouble("garbage"):
                return b'data: {"id":"cmpl-broken","choices":[{"index":0,"tex\n\n'
            case Trouble():
                return _event(broken().body())
            case _:
                return opening

    def close(self) -> bytes:
        done = b"data: [DONE]\n\n"
        counts = sum_counts(self.ends)
        if not self.ask.include_usage or counts is None:
            return done
        return _event(self.head() | {"choices": [], "usage": usage(counts)}) + done

    def chunk(self, choice: int, text: str, columns: Any, finish: str | None = None) -> bytes:
        told = {"text": text, "index": choice, "logprobs": columns, "finish_reason": finish}
        return _event(self.head() | {"choices": [told]} | ({"usage": None} if self.ask.include_usage else {}))

    def columns(self, choice: int, texts: list[str]) -> dict[str, Any] | None:
        if self.ask.logprobs is None or not texts:
            return None
        offsets: list[int] = []
        for text in texts:
            offsets.append(self.offsets[choice])
            self.offsets[choice] += len(text)
        return {
            "tokens": texts,
            "token_logprobs": [logprob(text) for text in texts],
            "top_logprobs": [dict(alternatives(text, self.ask.logprobs)) for text in texts],
            "text_offset": offsets,
        }

    def head(self) -> dict[str, Any]:
        ident = f"cmpl-{self.ask.fingerprint}"
        return {"id": ident, "object": "text_completion", "created": CREATED, "model": self.ask.model}


def _event(value: Any) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"
