"""What a route answers: a whole body, or a stream of chunks, and the wish to drop the connection."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec


class Cut(Exception):
    """Raised while a response is being sent: the connection is dropped in the middle, without a proper end."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A complete body. `claimed_length`: a content-length that is not true, to make the response end too early."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    claimed_length: int | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """Chunks sent as they come. The iterator is closed when the client leaves; `Cut` from it drops the connection."""

    chunks: AsyncIterator[bytes]
    content_type: str = "text/event-stream; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


Response = Whole | Stream


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Whole:
    """`value`: anything msgspec can write as JSON."""
    return Whole(msgspec.json.encode(value), status=status, headers=headers or {})
