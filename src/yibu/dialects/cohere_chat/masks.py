"""What tools had to be called for Cohere, and how the answer is put right again.

Names, says cohere 7.3.1 in `types/tool.py`: letters, digits and `_`, no digit first.
"""

import re
from hashlib import sha256

from yibu.hub.chat import ChatRequest
from yibu.hub.masks import NO_MASKS, Masks
from yibu.hub.options import Plain
from yibu.hub.tools import Function

MOST_STOPS = 5
_LEGAL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_]")


def alias(name: str) -> str:
    """A legal name for a tool, the same in every turn: its own where it is legal."""
    if _LEGAL.fullmatch(name):
        return name
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"_{_ILLEGAL.sub('_', name)[:54]}_{digest}"


def is_told(request: ChatRequest) -> bool:
    """Whether the form of the answer is asked for in words: Cohere takes no form together with tools."""
    return not isinstance(request.output, Plain) and any(isinstance(tool, Function) for tool in request.tools)


def masks_of(asked: ChatRequest | None) -> Masks:
    if asked is None:
        return NO_MASKS
    functions = [tool for tool in asked.tools if isinstance(tool, Function)]
    names = {alias(tool.name): tool.name for tool in functions if alias(tool.name) != tool.name}
    customs = frozenset(tool.name for tool in functions if tool.is_custom)
    return Masks(
        names=names,
        customs=customs,
        may_be_fenced=is_told(asked),
        stops=tuple(filter(None, asked.sampling.stop))[MOST_STOPS:],
        has_one_call=asked.parallel_tools is False,
    )
