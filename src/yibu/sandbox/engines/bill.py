"""How many tokens the rules engine says it has read, and which of them came from a cache.

Nothing is remembered: what stands before the last answer of the assistant was sent with an earlier request, so a vendor
with a cache would know it. That makes the counts depend on the request alone.
"""

import msgspec

from yibu.sandbox.ask import Ask, Schema, Tool, Turn
from yibu.sandbox.engines.attend import Seen
from yibu.sandbox.engines.piece import Counts, tokens

LEAST = 1024  # tokens that a prefix needs to be cached unasked, in steps of `STEP`
STEP = 128


def prompt_counts(ask: Ask, seen: dict[str, Seen]) -> Counts:
    """The prompt's tokens. `seen`: what the media are, by URL.

    Marked prefixes (`Turn.mark`, `Tool.mark`) are read from the cache as far as an earlier request had them, and written
    for the rest. A vendor that caches unasked (`Ask.remembers`) reads long ones only.
    """
    total = read = marked = 0
    audio = 0
    life = ""
    last_answer = max((at for at, turn in enumerate(ask.turns) if turn.role == "assistant"), default=-1)
    for tool in ask.tools:
        total += _tool(tool)
        if tool.mark:
            marked, life = total, tool.mark
    total += len(tokens(_json(ask.format))) if ask.format else 0
    for at, turn in enumerate(ask.turns):
        if at == last_answer:
            read = total
        total += _turn(turn, seen)
        audio += sum(seen[media.url].audio for media in turn.media)
        if turn.mark:
            marked, life = total, turn.mark
    if ask.remembers:
        return Counts(total, 0, cached=read // STEP * STEP if read >= LEAST else 0, audio=audio)
    cached = min(read, marked)
    written, long = (0, marked - cached) if life == "1h" else (marked - cached, 0)
    return Counts(total, 0, cached=cached, written=written, written_long=long, audio=audio)


def _turn(turn: Turn, seen: dict[str, Seen]) -> int:
    """Four tokens a message besides what stands in it."""
    words = (
        len(tokens(turn.text)) + len(tokens(turn.thoughts)) + sum(len(tokens(call.arguments)) for call in turn.calls)
    )
    return 4 + words + sum(seen[media.url].tokens for media in turn.media)


def _tool(tool: Tool) -> int:
    parts: list[str | Schema | None] = [tool.name, tool.description, tool.schema]
    return len(tokens(_json(parts)))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
