"""Keeps a response while it is answered, whoever made it and in whatever format he spoke."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog

from yibu.dialects._json import Fields, fields, text_of
from yibu.dialects._sse import Cutter, parse
from yibu.dialects.openai_responses.event import OVER
from yibu.hub.errors import Broken, InvalidRequest
from yibu.kit.db import DatabaseAway
from yibu.kit.ids import now_ms
from yibu.responses.archive import Archive
from yibu.responses.record import Record

log = structlog.get_logger(__name__)

_ENDS = tuple(kind.encode() for kind in sorted(OVER))


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a response before it is made. `items`: what the caller sent with the call."""

    wallet: int
    model: str
    items: list[Fields]
    previous_id: str = ""

    def record(self, body: Mapping[str, Any], ttl_ms: int, events: bytes | None = None) -> Record:
        """The response as it is kept."""
        now = now_ms()
        return Record(
            wallet=self.wallet,
            id=_word(body.get("id")),
            previous_id=self.previous_id,
            model=self.model,
            status=_word(body.get("status")) or "completed",
            input=msgspec.json.encode(self.items).decode(),
            body=msgspec.json.encode(body).decode(),
            events=events,
            created_at=now,
            expires_at=now + ttl_ms,
        )


class Recorder:
    """Hears the answer that goes to the caller. It is kept before its last words are sent, so that whoever has read them
    can go on from it."""

    def __init__(self, order: Order, archive: Archive, *, is_stream: bool) -> None:
        self._order = order
        self._archive = archive
        self._is_stream = is_stream
        self._cutter = Cutter()

    async def hear(self, data: bytes) -> None:
        """`data`: any slice of a stream, or the whole answer."""
        if not self._is_stream:
            await self._keep(data)
            return
        try:
            frames = self._cutter.feed(data)
        except Broken:  # a frame beyond all measure: whoever sends such things is not kept
            return
        for raw in frames:
            if any(kind in raw[:400] or kind in raw[-400:] for kind in _ENDS) and (frame := parse(raw)) is not None:
                await self._hear_end(frame.data)

    async def _hear_end(self, data: bytes) -> None:
        event = _members(data)
        if _word(event.get("type")) in OVER and (response := _members(event.get("response"))):
            await self._write(response)

    async def _keep(self, body: bytes) -> None:
        response = _members(body)
        if "output" in response:
            await self._write(response)

    async def _write(self, response: Fields) -> None:
        """Without the database the answer goes out all the same; it cannot be continued by its id then."""
        kept = {**response, "store": True, "previous_response_id": self._order.previous_id or None}
        try:
            await self._archive.save(self._order.record(kept, self._archive.ttl_ms))
        except DatabaseAway as exc:
            log.error("response_not_kept", why=str(exc))
        except (msgspec.DecodeError, ValueError) as exc:
            log.warning("response_not_kept", why=str(exc)[:300])


def _members(data: bytes | msgspec.Raw | None) -> Fields:
    try:
        return fields(data) if data is not None else {}
    except InvalidRequest:
        return {}


def _word(value: Any) -> str:
    """A string, also as JSON text."""
    if isinstance(value, msgspec.Raw):
        return text_of(value) or ""
    return value if isinstance(value, str) else ""
