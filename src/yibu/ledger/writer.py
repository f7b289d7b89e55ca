"""The one who writes the book: natural group commit.

Whatever is waiting when the last batch has been committed goes into the next one; there is no timer. A lone operation is
not delayed, and under load a commit is shared by many.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from yibu.kit.db import Database, DatabaseAway
from yibu.ledger.book import Item, Outcome, apply
from yibu.ledger.operation import Adjust, Credit, Refund, TakeHold

BATCH = 200
"""Most items of one transaction, so that its parameters stay below what the databases accept."""


class _Waiting(NamedTuple):
    item: Item
    answer: "asyncio.Future[Outcome]"


class Writer:
    """Takes items from any number of tasks of one event loop and books them in batches, one batch at a time."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._queue: deque[_Waiting] = deque()
        self._alone: deque[_Waiting] = deque()
        self._is_busy = False
        self._is_open = False
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self) -> None:
        """From now on `post` takes items."""
        self._is_open = True

    async def stop(self) -> None:
        """Takes no more items and returns when all that were taken are booked."""
        self._is_open = False
        await self._idle.wait()

    async def post(self, item: Item) -> Outcome:
        """Books one item and gives its outcome; raises what the item's own operation or `also` raised.

        Raises `DatabaseAway` when nothing could be written. A caller who is cancelled takes back a hold that no batch
        has taken yet; everything else is booked all the same.
        """
        if not self._is_open:
            raise DatabaseAway("The ledger is not open")
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(item, answer))
        if not self._is_busy:
            self._is_busy = True
            self._idle.clear()
            # Not at once: others who are about to run in this round of the loop come along in the same batch.
            asyncio.get_running_loop().call_soon(self._next)
        outcome = await answer
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _next(self) -> None:
        """Sends the next batch off, or rests."""
        batch = [self._alone.popleft()] if self._alone else self._take()
        if batch:
            self._send(batch)
        else:
            self._is_busy = False
            self._idle.set()

    def _take(self) -> list[_Waiting]:
        """Takes what is waiting, without the holds that nobody waits for any more."""
        batch: list[_Waiting] = []
        while self._queue and len(batch) < BATCH:
            waiting = self._queue.popleft()
            if not (waiting.answer.cancelled() and isinstance(waiting.item.operation, TakeHold)):
                batch.append(waiting)
        return batch

    def _send(self, batch: list[_Waiting]) -> None:
        items = [waiting.item for waiting in batch]
        try:
            work = self._db.submit_write(lambda conn: apply(conn, items), is_lasting=any(map(_is_lasting, items)))
        except DatabaseAway as error:
            self._finish(batch, _each(batch, error))
        else:
            work.add_done_callback(partial(self._sent, batch))

    def _sent(self, batch: list[_Waiting], work: "asyncio.Future[list[Outcome]]") -> None:
        if work.cancelled():
            self._finish(batch, _each(batch, DatabaseAway("The database is being closed")))
            return
        error = work.exception()
        if error is None:
            self._finish(batch, work.result())
        elif isinstance(error, DatabaseAway):
            self._finish(batch, _each(batch, error))
        elif len(batch) > 1:
            # One of them cannot be written and we do not know which: each goes alone, ahead of those that came later.
            self._alone.extend(batch)
            self._next()
        else:
            self._finish(batch, [error if isinstance(error, Exception) else DatabaseAway(str(error))])

    def _finish(self, batch: list[_Waiting], outcomes: Sequence[Outcome]) -> None:
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(outcome)
        self._next()


def _is_lasting(item: Item) -> bool:
    """Tells whether somebody outside will rely on this item: money from outside, or another table's row beside it."""
    return item.also is not None or isinstance(item.operation, Credit | Adjust | Refund)


def _each(batch: list[_Waiting], error: DatabaseAway) -> list[Outcome]:
    """One exception for each caller, because each gets its own traceback."""
    return [DatabaseAway(str(error)) for _ in batch]
