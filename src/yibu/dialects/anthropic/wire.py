"""What stands in the JSON of a Messages request.

Source: anthropic-sdk-python 2.12.0 type definitions, read 2026-11-22. Structs list the members that the hub has a word
for; the others are kept as JSON text beside them. Blocks, tools and options stay raw here, because what may stand in
them depends on their `type`: `read_at` reads them and tells the whole path of what is wrong.
"""

from typing import Annotated, Any, Literal, TypeVar

import msgspec

from yibu.dialects._json import NULL, Fields, fields, read
from yibu.hub.errors import InvalidRequest

ID = "anthropic"

Model = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Tokens = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Content = str | list[msgspec.Raw]

T = TypeVar("T")


class Message(msgspec.Struct):
    """`system` in the middle of a conversation is understood by recent models; it is always accepted here."""

    role: Literal["user", "assistant", "system"]
    content: Content


class RequestBody(msgspec.Struct):
    """`max_tokens` is missing where only tokens are counted."""

    model: Model
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    max_tokens: Tokens | None = None
    system: Content | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: Integer | None = None
    stop_sequences: list[str] | None = None
    tools: list[msgspec.Raw] | None = None
    tool_choice: msgspec.Raw = NULL
    thinking: msgspec.Raw = NULL
    output_config: msgspec.Raw = NULL
    metadata: msgspec.Raw = NULL
    service_tier: Any = None


class CacheControl(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class Source(msgspec.Struct):
    """Where a picture or a document comes from: `type` says which of the members counts."""

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: msgspec.Raw = NULL


class TextBlock(msgspec.Struct):
    text: str


class MediaBlock(msgspec.Struct):
    """`image` and `document`."""

    source: Source
    title: str | None = None


class SearchResult(msgspec.Struct):
    source: str
    title: str
    content: list[TextBlock]


class ToolUse(msgspec.Struct):
    id: str
    name: str
    input: msgspec.Raw = NULL


class ToolResult(msgspec.Struct):
    tool_use_id: str
    content: Content | None = None
    is_error: bool | None = None


class ThinkingBlock(msgspec.Struct):
    thinking: str
    signature: str | None = None


class RedactedThinking(msgspec.Struct):
    data: str


def read_at(decoder: "msgspec.json.Decoder[T]", text: bytes | msgspec.Raw, where: str) -> T:
    """As `read`, for a value that stands at the path `where` of the request."""
    try:
        return read(decoder, text)
    except InvalidRequest as error:
        path = where + (error.param or "$")[1:]
        message = error.message.replace(f"`{error.param}`", f"`{path}`") if error.param != "$" else error.message
        raise InvalidRequest(message.replace("`$`", f"`{where}`"), param=path) from error


def members_of(text: msgspec.Raw, where: str) -> Fields:
    """The members of the object at the path `where`. Raises `InvalidRequest` when it is none."""
    try:
        return fields(text)
    except InvalidRequest as error:
        raise InvalidRequest(f"Expected an object - at `{where}`.", param=where) from error
