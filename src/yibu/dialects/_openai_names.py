"""Names of tools that OpenAI takes, in place of others: letters, digits, `_` and `-`, at most 64.

Source: OpenAI's reference of functions, read 2026-11-22. Google takes dots and colons, Anthropic 128 characters.
"""

import re
from hashlib import sha256

from yibu.hub.chat import ChatRequest
from yibu.hub.masks import Masks
from yibu.hub.parts import ToolCall
from yibu.hub.tools import Function

_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KEPT = 55
"""Characters of the old name in a new one, which ends in nine more."""


def alias(name: str) -> str:
    """A legal name for a tool of another dialect, the same in every turn: its own where it is legal."""
    if _LEGAL.fullmatch(name):
        return name
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub('[^a-zA-Z0-9_-]', '_', name)[:_KEPT]}_{digest}"


def masks_of(request: ChatRequest, customs: frozenset[str] = frozenset(), most_stops: int = 0) -> Masks:
    """What has to be undone in the answer to a request of another dialect. `customs`: its tools that were told as functions;
    `most_stops`: so many of its stop strings were told."""
    named = [tool.name for tool in request.tools if isinstance(tool, Function)]
    named += [part.name for turn in request.turns for part in turn.parts if isinstance(part, ToolCall)]
    names = {alias(name): name for name in named if alias(name) != name}
    return Masks(names=names, customs=customs, stops=tuple(filter(None, request.sampling.stop[most_stops:])))
