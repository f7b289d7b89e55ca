"""What tools had to be called for Amazon, and how the answer is put right again."""

from yibu.dialects.anthropic.calls import alias as anthropics
from yibu.hub.chat import ChatRequest
from yibu.hub.masks import NO_MASKS, Masks
from yibu.hub.tools import Function

MOST_NAME = 64


def alias(name: str) -> str:
    """A legal name for a tool, the same in every turn: its own where it is legal."""
    legal = anthropics(name)
    return legal if len(legal) <= MOST_NAME else anthropics(f"{legal[: MOST_NAME - 10]}.{legal}")[-MOST_NAME:]


def masks_of(asked: ChatRequest | None) -> Masks:
    if asked is None:
        return NO_MASKS
    functions = [tool for tool in asked.tools if isinstance(tool, Function)]
    names = {alias(tool.name): tool.name for tool in functions if alias(tool.name) != tool.name}
    customs = frozenset(tool.name for tool in functions if tool.is_custom)
    return Masks(names=names, customs=customs, has_one_call=asked.parallel_tools is False)
