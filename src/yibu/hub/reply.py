"""A whole answer."""

from typing import Literal

import msgspec

from yibu.hub.parts import Extras, Part
from yibu.hub.usage import Usage

FinishKind = Literal["stop", "length", "tool_calls", "filtered", "paused", "error"]


class Finish(msgspec.Struct, frozen=True):
    """Why a choice ended; `raw` is the vendor's own word for it.

    `paused`: a tool that the vendor runs is not done, and goes on when the same conversation is sent again;
    `stop_sequence`: the caller's stop string that was met, None when none was or the vendor does not say.
    """

    kind: FinishKind
    raw: str = ""
    stop_sequence: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """One of the answers asked for, in the order of its `index`."""

    parts: tuple[Part, ...]
    finish: Finish
    logprobs: msgspec.Raw | None = None
    extras: Extras = {}


class ChatReply(msgspec.Struct, frozen=True, kw_only=True):
    """`created`: unix seconds; `usage` is None when the vendor did not say; `dialect`: as in `ChatRequest`."""

    id: str
    model: str
    created: int = 0
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    dialect: str = ""
    extras: Extras = {}
