"""Files that the gateway keeps for its customers: artefacts of tasks and the pictures that go into them."""

from collections.abc import AsyncIterator
from functools import partial

import msgspec
from sqlalchemy import Connection, delete, insert, select

from yibu.kit.blobs import Blobs
from yibu.kit.db import Database
from yibu.kit.ids import new_secret, now_ms
from yibu.tasks.tables import file

ORPHAN_AGE_S = 6 * 3600.0
"""Far more than the longest step of a task takes from the first byte to the row."""
MOST_AT_ONCE = 500


class File(msgspec.Struct, frozen=True, kw_only=True):
    """Members are the columns of `tables.file`. `size` in bytes."""

    id: str
    wallet: int
    kind: str
    mime: str
    size: int
    created_at: int
    task_id: str = ""
    expires_at: int | None = None

    @property
    def name(self) -> str:
        """The last segment of its link: clients look for `.mp4` at the end."""
        ending = {"video/mp4": ".mp4", "image/webp": ".webp", "image/png": ".png", "image/jpeg": ".jpg"}
        return self.id + ending.get(self.mime, "")


class Files:
    """Rows in the database, bytes in the blob store. `ttl_ms`: how long an artefact's link works."""

    def __init__(self, db: Database, blobs: Blobs, *, ttl_ms: int, max_bytes: int) -> None:
        self._db = db
        self.blobs = blobs
        self._ttl_ms = ttl_ms
        self._max_bytes = max_bytes

    async def store(
        self,
        data: bytes | AsyncIterator[bytes],
        *,
        wallet: int,
        kind: str,
        mime: str,
        task_id: str = "",
        forever: bool = False,
    ) -> File:
        """Keeps the bytes and gives the row, which is *not* written yet: `insert_files` belongs into the transaction
        that makes it known. Raises what `Blobs.put` raises."""
        file_id = new_secret("file_")
        size = await self.blobs.put(file_id, data, max_bytes=self._max_bytes)
        now = now_ms()
        expires_at = None if forever else now + self._ttl_ms
        return File(
            id=file_id,
            wallet=wallet,
            kind=kind,
            mime=mime,
            size=size,
            created_at=now,
            task_id=task_id,
            expires_at=expires_at,
        )

    async def publish(self, row: File) -> File:
        await self._db.write(lambda conn: insert_files(conn, [row]))
        return row

    async def find(self, file_id: str) -> File | None:
        """None when there is no such file or its time is over."""
        found = await self._db.read(lambda conn: load_file(conn, file_id))
        return found if found and (found.expires_at is None or found.expires_at > now_ms()) else None

    async def of_task(self, task_id: str) -> dict[str, File]:
        """The artefacts of a task by their kind; without those whose time is over."""
        rows = await self._db.read(lambda conn: files_of_task(conn, task_id))
        return {row.kind: row for row in rows if row.expires_at is None or row.expires_at > now_ms()}

    async def read(self, file_id: str) -> bytes:
        """The whole content; for pictures, not for films."""
        return b"".join([piece async for piece in self.blobs.open(file_id)])

    async def remove_expired(self) -> int:
        """Deletes the bytes, then the rows, of files whose time is over; gives their number."""
        gone = await self._db.read(lambda conn: expired_files(conn, now_ms()))
        for file_id in gone:
            await self.blobs.delete(file_id)
        if gone:
            await self._db.write(lambda conn: delete_files(conn, gone))
        return len(gone)

    async def remove_orphans(self, age_s: float = ORPHAN_AGE_S) -> int:
        """Deletes bytes that no row refers to, because what they were copied for did not come to its end; gives their
        number. `age_s`: younger ones are left alone, for their row may be about to be written."""
        count = await self.blobs.discard_drafts(age_s)
        async for ids in self.blobs.aged(age_s):
            for few in (ids[at : at + MOST_AT_ONCE] for at in range(0, len(ids), MOST_AT_ONCE)):
                known = await self._db.read(partial(published, ids=few))
                for file_id in set(few) - known:
                    count += await self.blobs.delete(file_id)
        return count


def published(conn: Connection, ids: list[str]) -> set[str]:
    """Which of these have a row."""
    return set(conn.execute(select(file.c.id).where(file.c.id.in_(ids))).scalars())


def insert_files(conn: Connection, rows: list[File]) -> None:
    if rows:
        conn.execute(insert(file), [msgspec.structs.asdict(row) for row in rows])


def load_file(conn: Connection, file_id: str) -> File | None:
    row = conn.execute(select(file).where(file.c.id == file_id)).mappings().first()
    return None if row is None else File(**row)


def files_of_task(conn: Connection, task_id: str) -> list[File]:
    rows = conn.execute(select(file).where(file.c.task_id == task_id).order_by(file.c.created_at)).mappings()
    return [File(**row) for row in rows]


def expired_files(conn: Connection, now: int, most: int = MOST_AT_ONCE) -> list[str]:
    return list(conn.execute(select(file.c.id).where(file.c.expires_at <= now).limit(most)).scalars())


def delete_files(conn: Connection, ids: list[str]) -> None:
    conn.execute(delete(file).where(file.c.id.in_(ids)))
