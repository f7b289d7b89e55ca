"""One HTTP request as the handlers see it."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from yibu.dialects.dialect import Dialect, Target
from yibu.hub.errors import InvalidRequest, TooLarge
from yibu.kit.ids import now_ms
from yibu.relay.reply import Message, Receive

LISTS = frozenset({b"anthropic-beta"})


class Request:
    """`headers` have lower-case names, `params` are the route's own; `started_at`: unix milliseconds."""

    def __init__(self, scope: Mapping[str, Any], receive: Receive, request_id: str) -> None:
        self.id = request_id
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if len(self.headers) < len(scope["headers"]):
            self.headers.update(_joined(scope["headers"]))
        self.started_at = now_ms()
        self.dialect: Dialect | None = None
        self.params: dict[str, str] = {}
        self._query: bytes = scope["query_string"]
        self._scheme: str = scope["scheme"]
        self._receive = receive

    @property
    def is_head(self) -> bool:
        return self.method == "HEAD"

    @property
    def query(self) -> dict[str, str]:
        """The last value of each name."""
        return {name: values[-1] for name, values in parse_qs(self._query.decode("latin-1")).items()}

    @property
    def target(self) -> Target:
        return Target(self.params, self.query if self._query else {}, self.headers)

    def public_url(self, configured: str) -> str:
        """How the customer reached us: as the operator says, else as the request does."""
        return configured or f"{self._scheme}://{self.headers.get('host', 'localhost')}"

    async def body(self, most_bytes: int, idle_s: float) -> bytes:
        """Raises `TooLarge` as soon as that is clear, and `InvalidRequest` when it breaks off or stops for `idle_s` seconds."""
        announced = self.headers.get("content-length", "")
        length = int(announced) if announced.isdigit() else -1
        if length > most_bytes:
            raise _too_large(most_bytes)
        message = await self._next(idle_s)
        first: bytes = message.get("body", b"")
        # The server says `more_body` until it has looked again, which is another trip to its thread and back.
        if len(first) == length:
            return first
        pieces, size = [first], len(first)
        if size > most_bytes:
            raise _too_large(most_bytes)
        while message.get("more_body"):
            message = await self._next(idle_s)
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > most_bytes:
                raise _too_large(most_bytes)
        return b"".join(pieces)

    async def _next(self, idle_s: float) -> Message:
        try:
            async with asyncio.timeout(idle_s):
                message = await self._receive()
        except TimeoutError as exc:
            raise InvalidRequest(f"The rest of the request body did not come within {idle_s:g} seconds.") from exc
        if message["type"] == "http.disconnect":  # perhaps in one direction only: then an answer still arrives
            raise InvalidRequest("The request body broke off before its end.")
        return message


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers that are lists, of which a caller may send several; of others the last one counts."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if name in LISTS:
            found.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return {name: ",".join(values) for name, values in found.items()}


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(f"The request body is larger than {most_bytes // 1024 // 1024} MB. Send large pictures by URL.")
