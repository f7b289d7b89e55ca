"""Keeps responses and gives them back to those who own them."""

from functools import partial

import msgspec

from yibu.kit.db import Database
from yibu.kit.ids import now_ms
from yibu.responses import store
from yibu.responses.record import Record

LOST = {"code": "server_error", "message": "The gateway was stopped while it made this response. Ask again."}


class Archive:
    """`ttl_ms`: how long a response is kept."""

    def __init__(self, db: Database, ttl_ms: int) -> None:
        self._db = db
        self.ttl_ms = ttl_ms

    async def save(self, record: Record) -> None:
        await self._db.write(lambda conn: store.save(conn, record))

    async def finish(self, record: Record) -> None:
        """How a response in the background ended; one that was deleted meanwhile stays deleted."""
        await self._db.write(lambda conn: store.finish(conn, record))

    async def find(self, wallet: int, id: str) -> Record | None:
        return await self._db.read(lambda conn: store.load(conn, wallet, id, now_ms()))

    async def chain(self, wallet: int, id: str) -> list[Record] | None:
        """The response and what it continues, the oldest first; None when any of it is gone."""
        return await self._db.read(lambda conn: store.chain(conn, wallet, id, now_ms()))

    async def holders(self, wallet: int, items: list[str]) -> dict[str, Record]:
        """The responses in which these items stand, by item."""
        return await self._db.read(lambda conn: store.holders(conn, wallet, items, now_ms()))

    async def remove(self, wallet: int, id: str) -> bool:
        """Whether there was one."""
        return await self._db.write(lambda conn: store.remove(conn, wallet, id))

    async def remove_expired(self) -> int:
        """Deletes all whose time is over; gives their number."""
        count = 0
        while some := await self._db.write(lambda conn: store.remove_expired(conn, now_ms())):
            count += some
        return count

    async def fail_unfinished(self) -> int:
        """Ends what a process that is no more was making; gives their number."""
        lost = await self._db.read(store.unfinished)
        for record in lost:
            await self._db.write(partial(store.finish, record=failed(record)))
        return len(lost)


def failed(record: Record) -> Record:
    """The same response, given up."""
    body = {**msgspec.json.decode(record.body, type=dict[str, msgspec.Raw]), "status": "failed", "error": LOST}
    return msgspec.structs.replace(record, status="failed", body=msgspec.json.encode(body).decode())
