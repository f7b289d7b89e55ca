"""`POST /v1/chat/completions`: which engine answers, in which manner, whole or streamed.

`smollm2-135m` is the real language model for plain text; requests with tools, a response format or pictures go to the rules
engine, because a model of this size can do none of that. When the language model is not there, rules answer everything.
Source of the wire form: OpenAI, *Chat completions* and *Streaming*, read 2026-11.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec

from yibu.sandbox.ask import Ask, read_ask
from yibu.sandbox.behaviours import FOREVER_S, HTML_PAGE, Manner, manner_of, refuse
from yibu.sandbox.engines import rules
from yibu.sandbox.engines.language import Language
from yibu.sandbox.engines.piece import Argued, End, Opened, Piece, Text, Thought
from yibu.sandbox.models import CREATED, LANGUAGE_MODEL
from yibu.sandbox.refusal import unknown_model
from yibu.sandbox.request import Request
from yibu.sandbox.response import Cut, Response, Stream, Whole

FINGERPRINT = "fp_sandbox"
Pieces = AsyncIterator[tuple[int, Piece]]  # with the number of the choice


async def complete(request: Request, language: Language) -> Response:
    """Answer a chat request. Raises `Refusal` for wrong input, before anything is sent."""
    ask = read_ask(request.json())
    manner = Manner() if ask.model == LANGUAGE_MODEL else manner_of(ask.model)
    if manner is None:
        raise unknown_model(ask.model)
    refuse(manner)
    if manner.status == "html":
        return Whole(HTML_PAGE, status=502, content_type="text/html")
    pieces = _pieces(ask, manner, language)
    first = await anext(pieces)  # what is wrong with the request shows here, while the status can still tell it
    pieces = _paced(_chain(first, pieces), manner)
    await asyncio.sleep(manner.first_byte_s)
    if ask.stream:
        return Stream(_frames(ask, manner, pieces))
    return await _whole(ask, manner, pieces)


async def _pieces(ask: Ask, manner: Manner, language: Language) -> AsyncIterator[tuple[int, Piece]]:
    model = await language.model() if ask.model == LANGUAGE_MODEL and _is_plain(ask) else None
    for choice in range(ask.n):
        if model is not None:
            async with aclosing(model.answer(ask, choice)) as real:
                async for piece in real:
                    yield choice, piece
        else:
            for piece in rules.answer(ask, think=manner.think):
                yield choice, piece


def _is_plain(ask: Ask) -> bool:
    spoken = all(turn.role != "tool" and not turn.calls and not turn.pictures for turn in ask.turns)
    return spoken and not ask.tools and ask.format is None


async def _chain(first: tuple[int, Piece], rest: AsyncIterator[tuple[int, Piece]]) -> AsyncIterator[tuple[int, Piece]]:
    yield first
    async for piece in rest:
        yield piece


async def _paced(pieces: AsyncIterator[tuple[int, Piece]], manner: Manner) -> AsyncIterator[tuple[int, Piece]]:
    async for choice, piece in pieces:
        yield choice, piece
        if manner.piece_s and not isinstance(piece, End):
            await asyncio.sleep(manner.piece_s)


async def _whole(ask: Ask, manner: Manner, pieces: Pieces) -> Whole:
    if manner.stall_after is not None:
        await asyncio.sleep(FOREVER_S)
    drafts = [_Draft(ask, number) for number in range(ask.n)]
    async for choice, piece in pieces:
        drafts[choice].add(piece)
    value = _head(ask, "chat.completion") | {"choices": [draft.choice() for draft in drafts]}
    if manner.usage != "none":
        value["usage"] = _usage(ask, manner, [draft.end for draft in drafts])
    body = msgspec.json.encode(value)
    if manner.garbage_after is not None:
        return Whole(body[: len(body) // 2] + b"<<<")
    if manner.cut_after is not None:
        return Whole(body[: len(body) // 2], claimed_length=len(body))
    return Whole(body)


class _Draft:
    """One choice of a whole answer, growing."""

    def __init__(self, ask: Ask, number: int) -> None:
        self.ask = ask
        self.number = number
        self.text: list[str] = []
        self.thoughts: list[str] = []
        self.calls: list[tuple[Opened, list[str]]] = []
        self.end = End("stop", 0, 0)

    def add(self, piece: Piece) -> None:
        match piece:
            case Thought(text):
                self.thoughts.append(text)
            case Text(text):
                self.text.append(text)
            case Opened():
                self.calls.append((piece, []))
            case Argued(index, text):
                self.calls[index][1].append(text)
            case End():
                self.end = piece

    def choice(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(self.text),
            "refusal": None,
            "annotations": [],
        }
        if self.thoughts:
            message["reasoning_content"] = "".join(self.thoughts)
        if self.calls:
            message["content"] = None
            message["tool_calls"] = [
                _call(self.ask, self.number, opened, "".join(arguments)) for opened, arguments in self.calls
            ]
        return {"index": self.number, "message": message, "logprobs": None, "finish_reason": self.end.reason}


async def _frames(ask: Ask, manner: Manner, pieces: Pieces) -> AsyncIterator[bytes]:
    """Server-sent events. Raises `Cut` in the manner that asks for it."""
    ends: list[End] = []
    opened: set[int] = set()
    sent = 0
    async for choice, piece in pieces:
        if choice not in opened:
            opened.add(choice)
            yield _chunk(ask, choice, {"role": "assistant", **_opening(piece)})
        if isinstance(piece, End):
            ends.append(piece)
            yield _chunk(ask, choice, {}, finish=piece.reason)
            continue
        yield _chunk(ask, choice, _delta(ask, choice, piece))
        sent += 1
        if sent == manner.stall_after:
            await asyncio.sleep(FOREVER_S)
        if sent == manner.cut_after:
            raise Cut
        if sent == manner.garbage_after:
            yield b'data: {"id":"chatcmpl-broken","choices":[{"index":0,"delta":{"conte\n\n'
    if ask.include_usage and manner.usage != "none":
        yield _event(_head(ask, "chat.completion.chunk") | {"choices": [], "usage": _usage(ask, manner, ends)})
    yield b"data: [DONE]\n\n"


def _opening(piece: Piece) -> dict[str, Any]:
    return {"content": None if isinstance(piece, Opened) else "", "refusal": None}


def _delta(ask: Ask, choice: int, piece: Piece) -> dict[str, Any]:
    match piece:
        case Thought(text):
            return {"reasoning_content": text}
        case Text(text):
            return {"content": text}
        case Opened(index):
            return {"tool_calls": [{"index": index, **_call(ask, choice, piece, "")}]}
        case Argued(index, text):
            inner = {"custom": {"input": text}} if piece.custom else {"function": {"arguments": text}}
            return {"tool_calls": [{"index": index, **inner}]}
        case End():
            return {}


def _call(ask: Ask, choice: int, opened: Opened, arguments: str) -> dict[str, Any]:
    call_id = f"call_{ask.fingerprint[:20]}{choice:02d}{opened.index:02d}"
    if opened.custom:
        return {"id": call_id, "type": "custom", "custom": {"name": opened.name, "input": arguments}}
    return {"id": call_id, "type": "function", "function": {"name": opened.name, "arguments": arguments}}


def _chunk(ask: Ask, choice: int, delta: dict[str, Any], finish: str | None = None) -> bytes:
    value = _head(ask, "chat.completion.chunk")
    value["choices"] = [{"index": choice, "delta": delta, "logprobs": None, "finish_reason": finish}]
    if ask.include_usage:
        value["usage"] = None
    return _event(value)


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def _head(ask: Ask, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{ask.fingerprint}",
        "object": kind,
        "created": CREATED,
        "model": ask.model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def _usage(ask: Ask, manner: Manner, ends: list[End]) -> dict[str, Any]:
    """The prompt counts once, the completions of all choices add up. "absurd": numbers that no request can have."""
    prompt = max((end.prompt for end in ends), default=0)
    completion = sum(end.completion for end in ends)
    if manner.usage == "absurd":
        prompt, completion = 999_999_999, -5
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": sum(end.reasoning for end in ends),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
