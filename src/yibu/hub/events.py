"""An answer while it is being made.

Normal form, which every reader produces: `Opened` first; parts of one choice are opened with rising `part` numbers
starting at 0, one open at a time, deltas only for the open one and never empty; `PartClosed` before the next
`PartOpened` of that choice and before its `Finished`; `Metered` at most once; `Failed` last if at all.
"""

import msgspec

from yibu.hub.parts import Extras, Part, Seal
from yibu.hub.reply import Finish
from yibu.hub.usage import Usage


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """`created`: unix seconds; `dialect`: as in `ChatRequest`."""

    id: str
    model: str
    created: int = 0
    dialect: str = ""
    extras: Extras = {}


class PartOpened(msgspec.Struct, frozen=True, tag="part_opened"):
    """`head` is the part without what the deltas will bring: empty text, empty arguments. Parts without deltas come whole."""

    choice: int
    part: int
    head: Part


class TextDelta(msgspec.Struct, frozen=True, tag="text"):
    """Goes on with a `Text` or a `Refusal`."""

    choice: int
    part: int
    text: str
    logprobs: msgspec.Raw | None = None


class ThinkingDelta(msgspec.Struct, frozen=True, tag="thinking"):
    choice: int
    part: int
    text: str


class ArgumentsDelta(msgspec.Struct, frozen=True, tag="arguments"):
    choice: int
    part: int
    text: str


class MediaDelta(msgspec.Struct, frozen=True, tag="media"):
    """`base64`: a slice that can be appended to what came before; `transcript`: words spoken in it."""

    choice: int
    part: int
    base64: str = ""
    transcript: str = ""


class PartClosed(msgspec.Struct, frozen=True, tag="part_closed"):
    """`seal` and `extras`: what came to light only at the end of the part; they are added to the head's."""

    choice: int
    part: int
    seal: Seal | None = None
    extras: Extras = {}


class Metered(msgspec.Struct, frozen=True, tag="metered"):
    usage: Usage


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """`logprobs`: those that did not ride on a `TextDelta`; `extras`: of the choice."""

    choice: int
    finish: Finish
    logprobs: msgspec.Raw | None = None
    extras: Extras = {}


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The answer broke after it had begun. `code` and `message` are the vendor's or ours, fit for the caller's eyes."""

    code: str
    message: str
    status: int = 502


Event = (
    Opened
    | PartOpened
    | TextDelta
    | ThinkingDelta
    | ArgumentsDelta
    | MediaDelta
    | PartClosed
    | Metered
    | Finished
    | Failed
)
