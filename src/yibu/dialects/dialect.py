"""What a wire format has to offer. Everything here is synchronous, pure and free of I/O."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from yibu.hub.chat import ChatRequest
from yibu.hub.errors import HubError, UpstreamError
from yibu.hub.events import Event
from yibu.hub.loss import Losses
from yibu.hub.media import MediaKind
from yibu.hub.reply import ChatReply
from yibu.hub.usage import Usage

Method = Literal["GET", "POST", "DELETE"]
Fields = dict[str, msgspec.Raw]
"""A JSON object whose values were not parsed: order and unknown members stay."""


class Operation(StrEnum):
    """What a route does; the gateway has one handler for each."""

    CHAT = "chat"
    EMBED = "embed"
    RERANK = "rerank"
    MODERATE = "moderate"
    COUNT_TOKENS = "count_tokens"
    CREATE_RESPONSE = "create_response"
    SHOW_RESPONSE = "show_response"
    DELETE_RESPONSE = "delete_response"
    CANCEL_RESPONSE = "cancel_response"
    RESPONSE_ITEMS = "response_items"
    COUNT_RESPONSE = "count_response"
    LIST_MODELS = "list_models"
    SHOW_MODEL = "show_model"
    SHOW_VIDEO = "show_video"
    VIDEO_CONTENT = "video_content"
    SUBSCRIPTION = "subscription"
    SPENDING = "spending"


class Route(msgspec.Struct, frozen=True):
    """`path` may hold `{name}` (one segment) or `{name:path}` (what is there, slashes included).

    `params`: what else this path says, added to what stands in it.
    """

    method: Method
    path: str
    operation: Operation
    params: Mapping[str, str] = {}


class Bounds(msgspec.Struct, frozen=True):
    """Limits on what a request may hold: turns, tools, and levels of JSON."""

    messages: int = 2048
    tools: int = 512
    depth: int = 128


class Target(msgspec.Struct, frozen=True):
    """What of a request stands outside its body.

    `params`: of the route's path; `query`: the last value of each name; `headers`: with lower-case names.
    """

    params: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}


NOWHERE = Target()


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of a request before it is planned; the rest of it stays bytes.

    `max_output_tokens`: the caller's ceiling for one choice, None when not given; `text_bytes`: size of the body without inline media;
    `media`: how many pictures, sounds and files stand in it; `lead`: the bytes that stay the same from turn to turn of one
    conversation, for cache affinity; `searches`: how many units of search are asked for.
    """

    model: str
    body: bytes
    is_stream: bool = False
    wants_usage: bool = False
    max_output_tokens: int | None = None
    choices: int = 1
    text_bytes: int = 0
    media: int = 0
    has_remote_media: bool = False
    lead: bytes = b""
    searches: int = 0
    target: Target = NOWHERE


class Reader(Protocol):
    """Reads a vendor's stream. `feed` takes any slice of it, which may end inside a UTF-8 character."""

    def feed(self, chunk: bytes) -> list[Event]: ...
    def finish(self) -> list[Event]:
        """The stream is over: closes what is open. Ends with `Failed` when the vendor never finished its answer."""
        ...


class Writer(Protocol):
    """Writes a stream for a caller out of events in normal form."""

    def feed(self, event: Event) -> bytes: ...
    def finish(self) -> bytes:
        """The end marker of the dialect; nothing after `Failed`."""
        ...


class Tap(Protocol):
    """Listens to a stream that is piped through untouched.

    `usage`: as `fold(reader(stream)).usage`, None until the vendor tells; `text_units`: estimated tokens of what was delivered so far;
    `is_finished`: the vendor came to its end marker or to a finish reason; `failed`: what broke the
    stream from inside; `is_told`: by an error frame of the vendor's, which was forwarded (one that nobody can read is not).
    """

    is_finished: bool
    failed: HubError | None
    is_told: bool

    @property
    def usage(self) -> Usage | None: ...
    @property
    def text_units(self) -> int: ...
    def feed(self, chunk: bytes) -> bytes:
        """What to forward of it: the same object, except for a frame that only we asked for."""
        ...

    def finish(self) -> bytes:
        """What was held back."""
        ...


class Dialect(Protocol):
    """One wire format: its routes, its errors, and for chat formats its codec."""

    id: ClassVar[str]
    title: ClassVar[str]
    routes: ClassVar[tuple[Route, ...]]

    def error_status(self, error: HubError) -> int:
        """The HTTP status that this format's vendor uses for the situation."""
        ...

    def encode_error(self, error: HubError, request_id: str) -> bytes:
        """The body of an error answer."""
        ...

    def encode_stream_error(self, error: HubError, request_id: str, target: Target = NOWHERE) -> bytes:
        """The frame that ends a stream of which something was already written. `target`: of the call."""
        ...


class VendorDialect(Protocol):
    """The half of a wire format that faces a vendor: requests are written, answers are read."""

    id: ClassVar[str]
    title: ClassVar[str]
    operation: ClassVar[Operation]

    def request_headers(self, target: Target) -> dict[str, str]: ...
    def encode_request(self, request: Any, losses: Losses) -> bytes: ...
    def decode_reply(self, body: bytes, asked: Any = None) -> Any: ...
    def decode_error(self, status: int, headers: dict[str, str], body: bytes) -> UpstreamError: ...


class CallDialect(Dialect, Protocol):
    """A wire format for something that is asked of a model and answered; what it is says `operation`.

    Requests and replies are those of the hub for that operation: formats of one operation translate into each other.
    """

    operation: ClassVar[Operation]

    def within(self, bounds: Bounds) -> "CallDialect":
        """The same format with other limits on what a caller may send."""
        ...

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        """Raises `InvalidRequest` with the path of the wrong member."""
        ...

    def splice(self, intent: Intent, model: str) -> bytes:
        """The request for an upstream that speaks the same format: untouched but for the model and the wish for usage."""
        ...

    def request_headers(self, target: Target) -> dict[str, str]:
        """What a vendor of this format wants beside its key. `target`: the caller's, who speaks the same format, else `NOWHERE`."""
        ...

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> Any: ...
    def encode_request(self, request: Any, losses: Losses) -> bytes: ...
    def decode_reply(self, body: bytes, asked: Any = None) -> Any:
        """Raises `Broken` when the body is not an answer of this format.

        `asked`: the request as this dialect encoded it, for what it had to say in other words there and understands here.
        """
        ...

    def encode_reply(self, reply: Any, losses: Losses) -> bytes: ...
    def tap(self, intent: Intent) -> Tap: ...
    def decode_error(self, status: int, headers: dict[str, str], body: bytes) -> UpstreamError:
        """Sorts a vendor's error answer into the situation it means; `headers` have lower-case names."""
        ...


class ChatDialect(CallDialect, Protocol):
    """A wire format for conversations.

    `needs_ceiling`: a request cannot be written without `limits.max_output_tokens`; `by_value`: kinds of media
    that the format cannot name by URL.
    """

    needs_ceiling: ClassVar[bool]
    by_value: ClassVar[frozenset[MediaKind]]
    stream_accept: ClassVar[str]
    """The content type of a vendor's stream."""
    ping: ClassVar[bytes]
    """What keeps a silent stream open on its way to a caller; empty where clients trip over anything that is not data."""

    def answer_type(self, intent: Intent) -> str:
        """The content type of the stream that answers a caller."""
        ...

    def within(self, bounds: Bounds) -> "ChatDialect": ...
    def decode_request(self, body: bytes, target: Target = NOWHERE) -> ChatRequest: ...
    def encode_request(self, request: ChatRequest, losses: Losses) -> bytes: ...
    def decode_reply(self, body: bytes, asked: ChatRequest | None = None) -> ChatReply: ...
    def encode_reply(self, reply: ChatReply, losses: Losses, request: ChatRequest | None = None) -> bytes:
        """`request`: what the caller asked, for formats whose answers tell it again or leave out what was not asked for."""
        ...

    def reader(self, asked: ChatRequest | None = None) -> Reader: ...
    def writer(self, request: ChatRequest, losses: Losses | None = None) -> Writer:
        """`losses`: takes what the format has no place for while it writes."""
        ...


class EmbedDialect(VendorDialect, Protocol):
    """A wire format for vectors. `most_inputs`: so many in one request; more are asked for in several."""

    most_inputs: ClassVar[int]


class SharedPath(Dialect, Protocol):
    """A path on which several formats of one operation are spoken, and which shows only in the request."""

    def told_apart(self, body: bytes, target: Target) -> str:
        """The id of the format that a request is in. Raises `InvalidRequest`."""
        ...


class CountingDialect(ChatDialect, Protocol):
    """A format for conversations in which the tokens of a request can be counted before it is made.

    It has a route of the operation `COUNT_TOKENS`, whose bodies the first three understand.
    """

    def sniff_count(self, body: bytes, target: Target = NOWHERE) -> Intent: ...
    def splice_count(self, intent: Intent, model: str) -> bytes:
        """The request for an upstream that speaks the same format."""
        ...

    def decode_count(self, body: bytes, target: Target = NOWHERE) -> ChatRequest: ...
    def encode_count(self, tokens: int) -> bytes: ...
