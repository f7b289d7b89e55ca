"""The pieces that turns and answers are made of.

`member`, wherever it appears: when several members of a dialect can carry the thing, the one that did, so that the
same dialect can put it back where it stood. It is empty for the usual member, and other dialects ignore it.

`cache`, wherever it appears: the caller wants everything up to here kept in the vendor's prompt cache, for `5m` or `1h`, or
`ephemeral` for as long as the vendor does by itself; empty for no mark.
"""

import msgspec

from yibu.hub.media import MediaKind, Source

Extras = dict[str, msgspec.Raw]
"""Members that the hub has no word for, as JSON text: forwarded within their own dialect, elsewhere a `Loss`.

Whose they are says the `dialect` of the request, the reply or the `Opened` event around them."""


class Seal(msgspec.Struct, frozen=True):
    """Opaque vendor state (a signature, an encrypted trace) that rides on the part it belongs to.

    `dialect`: who may read it; `data`: JSON text, handed back byte for byte.
    """

    dialect: str
    data: msgspec.Raw


class Text(msgspec.Struct, frozen=True, tag="text"):
    text: str
    cache: str = ""
    extras: Extras = {}


class Media(msgspec.Struct, frozen=True, tag="media"):
    """A picture, sound, film or file.

    `name`: the file's name; `detail`: how closely a picture is to be looked at; `id`: what the vendor calls something
    that it made, so that a later turn can point to it; `transcript`: the words spoken in it.
    """

    kind: MediaKind
    source: Source
    name: str = ""
    detail: str = ""
    id: str = ""
    transcript: str = ""
    cache: str = ""
    extras: Extras = {}


class Thinking(msgspec.Struct, frozen=True, tag="thinking"):
    """What a model thought before it answered; `text` is empty when only the seal was shown."""

    text: str
    seal: Seal | None = None
    member: str = ""
    extras: Extras = {}


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """A model asks for a tool.

    `arguments`: JSON text as the model wrote it (it may be invalid), or free text when `is_custom`.
    """

    id: str
    name: str
    arguments: str
    is_custom: bool = False
    seal: Seal | None = None
    member: str = ""
    cache: str = ""
    extras: Extras = {}


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result"):
    """What the tool answered to the call `call_id`; `is_list`: as `Turn.is_list`."""

    call_id: str
    parts: tuple["Text | Media | Opaque", ...]
    name: str = ""
    is_error: bool = False
    is_list: bool = False
    member: str = ""
    cache: str = ""
    extras: Extras = {}


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """The model says why it will not answer."""

    text: str
    extras: Extras = {}


class Citation(msgspec.Struct, frozen=True, tag="citation"):
    """A source that the text before it rests on; `start` and `end` count characters of that text."""

    url: str
    title: str = ""
    start: int | None = None
    end: int | None = None
    extras: Extras = {}


class Opaque(msgspec.Struct, frozen=True, tag="opaque"):
    """A part that only `dialect` understands, as JSON text."""

    dialect: str
    data: msgspec.Raw
    member: str = ""


Part = Text | Media | Thinking | ToolCall | ToolResult | Refusal | Citation | Opaque
