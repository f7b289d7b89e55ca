"""When keys were last used: noted in memory, and written once a minute, so that no call waits for it."""

import asyncio
from collections.abc import Callable

import structlog

from yibu.identity.keys import note_use
from yibu.kit.db import Database, DatabaseAway
from yibu.kit.ids import now_ms

log = structlog.get_logger(__name__)

EVERY_S = 60.0


class Uses:
    """One a process. What was not written when the process is killed is forgotten: at most a minute."""

    def __init__(self, db: Database, *, every_s: float = EVERY_S, wall_ms: Callable[[], int] = now_ms) -> None:
        self._db = db
        self._every_s = every_s
        self._wall_ms = wall_ms
        self._used: dict[str, int] = {}
        self._loop: asyncio.Task[None] | None = None

    def note(self, key_id: str) -> None:
        """The key is being used now."""
        self._used[key_id] = self._wall_ms()

    def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name="uses")

    async def stop(self) -> None:
        """Writes what is left."""
        if self._loop:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        await self.write()

    async def write(self) -> None:
        """What cannot be written now is written the next time, unless the key was used again."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._db.submit_write(lambda conn: note_use(conn, used), is_lasting=False)
        except DatabaseAway as exc:
            log.warning("key_uses_wait_for_database", why=str(exc))
            self._used = used | self._used

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self.write()
