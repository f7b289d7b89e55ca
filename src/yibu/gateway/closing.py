"""Step 6, seen from outside: calls that were answered and whose money is on its way into the book.

Closing happens in tasks of its own, so that neither a hang-up nor a slow database can undo it, and it is tried until it
is done. Whoever reads a balance waits for the closings of that wallet, so that a customer who was just answered sees
the cost.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from itertools import chain, repeat
from typing import Any

import structlog

from yibu.kit.db import DatabaseAway

log = structlog.get_logger(__name__)

RETRY_S = (0.1, 0.5, 1, 2, 5)
PATIENCE_S = 2.0


class Closings:
    """All closings of this process; `of` gives the one of a call."""

    def __init__(self) -> None:
        self._pending: dict[int, int] = defaultdict(int)
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._holds: set[str] = set()

    def of(self, wallet: int, hold: str = "") -> "Closing":
        """`hold`: the key of what is set aside for the call; from now until it is booked `holds` says yes to it."""
        self._holds.add(hold)
        return Closing(self, wallet, hold)

    def holds(self, key: str) -> bool:
        """Whether a call of this process will close that hold, however long it takes."""
        return key in self._holds

    async def settled(self, wallet: int) -> None:
        """Waits, briefly, until what was answered to this wallet is booked."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while wallet in self._pending:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    async def drain(self) -> None:
        """Waits for all of them."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _begin(self, wallet: int) -> None:
        self._pending[wallet] += 1

    def _end(self, wallet: int) -> None:
        self._pending[wallet] -= 1
        if not self._pending[wallet]:
            del self._pending[wallet]
        self._changed.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Closing:
    """The closing of one call."""

    def __init__(self, closings: Closings, wallet: int, hold: str) -> None:
        self._closings = closings
        self._wallet = wallet
        self._hold = hold
        self._has_begun = False

    def begin(self) -> None:
        """The last byte of the answer is about to be sent: from now on the balance waits. Harmless when repeated."""
        if not self._has_begun:
            self._has_begun = True
            self._closings._begin(self._wallet)

    def book(self, request_id: str, work: Callable[[], Awaitable[object]]) -> None:
        """Books in the background; never raises. `work` is idempotent and is called until the database takes it."""
        self.begin()
        self._closings._spawn(self._book(request_id, work))

    async def _book(self, request_id: str, work: Callable[[], Awaitable[object]]) -> None:
        waits_s = chain(RETRY_S, repeat(RETRY_S[-1]))
        try:
            while True:
                try:
                    await work()
                    return
                except DatabaseAway as exc:
                    log.warning("closing_waits_for_database", request_id=request_id, why=str(exc))
                    await asyncio.sleep(next(waits_s))
        except Exception:
            log.exception("closing_failed", request_id=request_id, wallet=self._wallet)
        finally:
            self._closings._holds.discard(self._hold)
            self._closings._end(self._wallet)
