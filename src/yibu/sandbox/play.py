"""Which engine answers a chat request, in which manner, whole or streamed: the same behind every format.

A format brings a `Stage`; it knows how its vendor writes an answer, and nothing of engines and manners.
`smollm2-135m` is the real language model for plain text; requests with tools, a response format or media go to the rules
engine, because a model of this size can do none of that. When the language model is not there, rules answer everything.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from yibu.sandbox.ask import Ask
from yibu.sandbox.behaviours import FOREVER_S, HTML_PAGE, Manner, broken, manner_of, refuse
from yibu.sandbox.draft import Draft
from yibu.sandbox.engines import agent, mirror, rules
from yibu.sandbox.engines.bill import prompt_counts
from yibu.sandbox.engines.language import Language
from yibu.sandbox.engines.piece import Counts, Declined, End, Piece, Text, Trouble, tokens
from yibu.sandbox.models import LANGUAGE_MODEL
from yibu.sandbox.refusal import unknown_model
from yibu.sandbox.response import Cut, Response, Stream, Whole

Pieces = AsyncIterator[tuple[int, Piece]]  # with the number of the choice

_SORRY = "I cannot help with that."


class Stage(Protocol):
    """How a format writes one answer; made anew for each request."""

    content_type: str  # of a stream

    def whole(self, drafts: list[Draft]) -> Any:
        """The body of a whole answer, as a JSON value."""
        ...

    def feed(self, choice: int, piece: Piece) -> bytes:
        """The frames that a piece makes, and before the first piece those that open the stream."""
        ...

    def close(self) -> bytes:
        """What ends the stream after the `End` of the last choice."""
        ...


async def play(ask: Ask, language: Language, stage: Stage) -> Response:
    """Answer a request. Raises `Refusal` for wrong input and on bad days, before anything is sent."""
    manner = find_manner(ask.model)
    refuse(manner)
    if manner.status == "html":
        return Whole(HTML_PAGE, status=502, content_type="text/html")
    pieces = _pieces(ask, manner, language)
    first = await anext(pieces)  # what is wrong with the request shows here, while the status can still tell it
    pieces = _paced(_chain(first, pieces), manner)
    await asyncio.sleep(manner.first_byte_s)
    if ask.stream:
        return Stream(_frames(stage, _troubled(pieces, manner)), content_type=stage.content_type)
    return await _whole(ask, manner, stage, pieces)


def find_manner(model: str) -> Manner:
    """The manner of a chat model. Raises `Refusal` 404 for a name that is none."""
    manner = Manner() if model == LANGUAGE_MODEL else manner_of(model)
    if manner is None:
        raise unknown_model(model)
    return manner


def count(ask: Ask) -> int:
    """The prompt's tokens, for the routes that only count. Raises `Refusal` as an answer would."""
    find_manner(ask.model)
    return prompt_counts(ask, rules.attend_all(ask)).prompt


async def _pieces(ask: Ask, manner: Manner, language: Language) -> AsyncIterator[tuple[int, Piece]]:
    model = await language.model() if ask.model == LANGUAGE_MODEL and ask.is_plain else None
    for choice in range(ask.n):
        if model is not None:
            async with aclosing(model.answer(ask, choice)) as real:
                async for piece in real:
                    yield choice, piece
        else:
            for piece in _ruled(ask, manner):
                yield choice, piece


def _ruled(ask: Ask, manner: Manner) -> list[Piece]:
    match manner.mind:
        case "agent":
            pieces = list(rules.answer(ask, think=manner.think, script=agent.plan(ask)))
        case "mirror":
            pieces = list(rules.answer(ask, script=rules.Script(mirror.reflect(ask))))
        case "rules":
            pieces = list(rules.answer(ask, think=manner.think))
    end = pieces[-1]
    assert isinstance(end, End)
    counts = end.counts or Counts(0, 0)
    match manner.declines:
        case "refuse":
            said: list[Piece] = [Declined(token) for token in tokens(_SORRY)]
            pieces = [*said, End("stop", replace(counts, completion=len(said), reasoning=0))]
        case "filtered":
            begun = [piece for piece in pieces if isinstance(piece, Text)][:3]
            pieces = [*begun, End("filtered", replace(counts, completion=len(begun), reasoning=0))]
        case "blocked":
            pieces = [End("blocked", replace(counts, completion=0, reasoning=0))]
        case "no":
            pass
    return [*pieces[:-1], _billed(pieces[-1], manner)]


def _billed(end: Piece, manner: Manner) -> End:
    assert isinstance(end, End)
    counts = end.counts or Counts(0, 0)
    match manner.usage:
        case "none":
            return replace(end, counts=None)
        case "absurd":
            return replace(end, counts=Counts(999_999_999, -5))
        case "every":
            part = counts.prompt // 8
            return replace(end, counts=replace(counts, cached=2 * part, written=part, written_long=part, audio=part))
        case "true":
            return end


async def _chain(first: tuple[int, Piece], rest: Pieces) -> AsyncIterator[tuple[int, Piece]]:
    yield first
    async for piece in rest:
        yield piece


async def _paced(pieces: Pieces, manner: Manner) -> AsyncIterator[tuple[int, Piece]]:
    async for choice, piece in pieces:
        yield choice, piece
        if manner.piece_s and not isinstance(piece, End):
            await asyncio.sleep(manner.piece_s)


async def _troubled(pieces: Pieces, manner: Manner) -> AsyncIterator[tuple[int, Piece]]:
    """The pieces of a stream with what goes wrong in it. Raises `Cut` in the manner that asks for it."""
    sent = 0
    async for choice, piece in pieces:
        yield choice, piece
        if isinstance(piece, End):
            continue
        sent += 1
        if sent == manner.stall_after:
            await asyncio.sleep(FOREVER_S)
        if sent == manner.cut_after:
            raise Cut
        if sent == manner.garbage_after:
            yield choice, Trouble("garbage")
        if sent == manner.error_after:
            yield choice, Trouble("error")
            return


async def _frames(stage: Stage, pieces: Pieces) -> AsyncIterator[bytes]:
    async for choice, piece in pieces:
        if frames := stage.feed(choice, piece):
            yield frames
        if piece == Trouble("error"):
            return
    if ending := stage.close():
        yield ending


async def _whole(ask: Ask, manner: Manner, stage: Stage, pieces: Pieces) -> Whole:
    if manner.stall_after is not None:
        await asyncio.sleep(FOREVER_S)
    if manner.error_after is not None:
        raise broken()
    drafts = [Draft() for _ in range(ask.n)]
    async for choice, piece in pieces:
        drafts[choice].add(piece)
    body = msgspec.json.encode(stage.whole(drafts))
    if manner.garbage_after is not None:
        return Whole(body[: len(body) // 2] + b"<<<")
    if manner.cut_after is not None:
        return Whole(body[: len(body) // 2], claimed_length=len(body))
    return Whole(body)
