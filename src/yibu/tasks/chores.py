"""The house's own repeating work: rows that never become final, so that one engine and one table show everything."""

from collections.abc import Awaitable, Callable

import structlog

from yibu.kit.db import Database
from yibu.kit.ids import now_ms
from yibu.tasks import store
from yibu.tasks.engine import Engine, Step
from yibu.tasks.task import Task

log = structlog.get_logger(__name__)

KIND = "chore:"


class Chore:
    """Runs `work` every `every_s` seconds; `work` gives how much it did, for the log."""

    def __init__(self, name: str, every_s: float, work: Callable[[], Awaitable[int]]) -> None:
        self.kind = KIND + name
        self._every_s = every_s
        self._work = work

    async def advance(self, task: Task, engine: Engine) -> Step:
        count = await self._work()
        if count:
            log.info("chore_done", chore=task.kind, count=count)
        return Step(self._every_s)

    async def enlist(self, db: Database) -> None:
        """Makes sure that the row is there."""
        now = now_ms()
        row = Task(id=self.kind, kind=self.kind, created_at=now, next_at=now)
        await db.write(lambda conn: store.ensure(conn, row))
