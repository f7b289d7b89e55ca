"""What a text engine gives, piece by piece, for one choice; and how the rules engine counts tokens."""

import re
from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the reasoning trace."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A tool call begins. `index`: counts from 0 in the choice. `custom`: its input is free text, not JSON."""

    index: int
    name: str
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Argued:
    """A piece of a call's arguments. `custom`: as in `Opened`."""

    index: int
    text: str
    custom: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """Always the last piece. Tokens: `completion` includes `reasoning`."""

    reason: FinishReason
    prompt: int
    completion: int
    reasoning: int = 0


Piece = Thought | Text | Opened | Argued | End

# A token of the rules engine: a CJK character, or a word or a mark with the blanks before it.
_TOKEN = re.compile(r"[\u3040-\uffef]|\s*[^\W\u3040-\uffef]+|\s*[^\w\s]|\s+")


def tokens(text: str) -> list[str]:
    """Cut a text into the rules engine's tokens; joined again they are the text."""
    return [match[0] for match in _TOKEN.finditer(text)] if text else []
