"""What a text engine gives, piece by piece, for one choice; and how the rules engine counts tokens."""

import re
from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "tool_calls", "filtered", "blocked"]
"""`filtered`: the vendor stopped its own answer; `blocked`: it did not even begin."""


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the reasoning trace."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Declined:
    """A piece of the model's own refusal, which some formats keep apart from the answer."""

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
class Counts:
    """Tokens. `prompt` holds `cached`, `written`, `written_long` and `audio`; `completion` holds `reasoning`.

    `cached`: read from the cache; `written`, `written_long`: put there for five minutes, for an hour.
    """

    prompt: int
    completion: int
    reasoning: int = 0
    cached: int = 0
    written: int = 0
    written_long: int = 0
    audio: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """Always the last piece. `counts`: None when the vendor does not tell. `stop`: the stop string that ended it."""

    reason: FinishReason
    counts: Counts | None
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """The vendor's bad day shows here: a frame that is not JSON, or an error after which nothing comes."""

    kind: Literal["garbage", "error"]


Piece = Thought | Text | Declined | Opened | Argued | End | Trouble

# A token of the rules engine: a CJK character, or a word or a mark with the blanks before it.
_TOKEN = re.compile(r"[\u3040-\uffef]|\s*[^\W\u3040-\uffef]+|\s*[^\w\s]|\s+")


def tokens(text: str) -> list[str]:
    """Cut a text into the rules engine's tokens; joined again they are the text."""
    return [match[0] for match in _TOKEN.finditer(text)] if text else []


def logprob(token: str) -> float:
    """How sure the engine claims to have been of a token: by its length, so that it can be foretold."""
    return -round(0.01 + 0.03 * (len(token) % 7), 2)


def alternatives(token: str, most: int) -> list[tuple[str, float]]:
    """The `most` likeliest tokens with their logprobs: the token itself, then words that it might have been."""
    others = [(f"{token}{'~' * number}", round(logprob(token) - 0.5 * number, 2)) for number in range(1, most)]
    return [(token, logprob(token)), *others][:most]
