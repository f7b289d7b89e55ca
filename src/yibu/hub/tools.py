"""What a model may call, and whether it must."""

import msgspec

from yibu.hub.parts import Extras


class Function(msgspec.Struct, frozen=True, tag="function"):
    """A tool that the caller runs.

    `parameters`: JSON Schema as JSON text, None when the tool takes nothing; `is_custom`: takes free text instead of JSON;
    `member`: as in `parts`.
    """

    name: str
    description: str = ""
    parameters: msgspec.Raw | None = None
    strict: bool | None = None
    is_custom: bool = False
    member: str = ""
    cache: str = ""
    extras: Extras = {}


class Hosted(msgspec.Struct, frozen=True, tag="hosted"):
    """A tool that the vendor runs, written as `dialect` has it.

    `kind`: `web_search` or `code_execution` where it is one of those, which several vendors have; else the dialect's own word.
    """

    dialect: str
    kind: str
    data: msgspec.Raw


Tool = Function | Hosted


class Auto(msgspec.Struct, frozen=True, tag="auto"):
    """The model decides."""


class NoTool(msgspec.Struct, frozen=True, tag="none"):
    """The model must not call a tool."""


class AnyTool(msgspec.Struct, frozen=True, tag="any"):
    """The model must call some tool; `member`: the word for it, when the dialect has several."""

    member: str = ""


class Only(msgspec.Struct, frozen=True, tag="only"):
    """Only these tools may be called; `required`: and one of them must."""

    names: tuple[str, ...]
    required: bool = True
    is_list: bool = False
    """The caller named a list of allowed tools rather than one forced tool."""


ToolChoice = Auto | NoTool | AnyTool | Only
