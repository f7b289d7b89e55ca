"""A whole answer."""

from typing import Literal

import msgspec

from yibu.hub.parts import Extras, Part
from yibu.hub.usage import Usage

FinishKind = Literal["stop", "length", "tool_calls", "filtered", "error"]


class Finish(msgspec.Struct, frozen=True):
    """Why a choice ended; `raw` is the vendor's own word for it."""

    kind: FinishKind
    raw: str = ""


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
