"""Step 6, seen from outside: calls that were answered and whose money is on its way into the book.

Closing happens in tasks of its own, so that neither a hang-up nor a slow database can undo it, and it is tried until it
is done. Whoever reads a balance waits for the closings of that wallet, so that a customer who was just answered sees
the cost.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

import structlog

from yibu.kit.db import DatabaseAway

log = structlog.get_logger(__name__)

RETRY_S = (0.1, 0.5, 1, 2, 5)
PATIENCE_S = 2.0


class Closings:
    """`pending`: answered, not yet booked, by wallet."""

    def __init__(self) -> None:
        self._pending: dict[int, int] = defaultdict(int)
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    def expect(self, wallet: int) -> None:
        """The last byte of an answer is about to be sent."""
        self._pending[wallet] += 1

    def run(
        self, wallet: int, request_id: str, book: Callable[[], Awaitable[object]], *, was_expected: bool
    ) -> asyncio.Task[None]:
        """Books in the background; never raises. `book` is idempotent and is called until the database takes it."""
        task = asyncio.create_task(self._book(wallet, request_id, book, was_expected))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settled(self, wallet: int) -> None:
        """Waits, briefly, until what was answered to this wallet is booked."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self._pending.get(wallet):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    async def drain(self) -> None:
        """Waits for all of them."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _book(
        self, wallet: int, request_id: str, book: Callable[[], Awaitable[object]], was_expected: bool
    ) -> None:
        attempt = 0
        try:
            while True:
                try:
                    await book()
                    return
                except DatabaseAway as exc:
                    log.warning("closing_waits_for_database", request_id=request_id, why=str(exc))
                    await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
                    attempt += 1
        except Exception:
            log.exception("closing_failed", request_id=request_id, wallet=wallet)
        finally:
            if was_expected:
                self._pending[wallet] -= 1
                if not self._pending[wallet]:
                    del self._pending[wallet]
                self._changed.set()
