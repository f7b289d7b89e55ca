import asyncio

import pytest

from yibu.gateway import closing
from yibu.gateway.closing import Closings
from yibu.kit.db import DatabaseAway


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "RETRY_S", (0.001, 0.002))


class Book:
    """Away so many times, then it takes the entry; waits for `gate` first."""

    def __init__(self, away: int = 0, error: Exception | None = None) -> None:
        self.tries = 0
        self.is_booked = False
        self.gate = asyncio.Event()
        self.gate.set()
        self._away = away
        self._error = error

    async def __call__(self) -> None:
        self.tries += 1
        await self.gate.wait()
        if self._error:
            raise self._error
        if self.tries <= self._away:
            raise DatabaseAway("locked")
        self.is_booked = True


async def test_a_closing_is_tried_until_the_database_takes_it() -> None:
    """However often it is away."""
    book = Book(away=7)
    closings = Closings()
    closings.of(7).book("req_1", book)
    await closings.drain()

    assert book.is_booked
    assert book.tries == 8


async def test_a_closing_that_cannot_be_booked_is_not_repeated_for_ever() -> None:
    """It is an error of ours, in the log; whoever waits is not kept waiting."""
    book = Book(error=ZeroDivisionError())
    closings = Closings()
    closings.of(7).book("req_1", book)
    await closings.drain()
    await asyncio.wait_for(closings.settled(7), 1)

    assert book.tries == 1


async def test_a_cancelled_call_is_closed_all_the_same() -> None:
    """The closing is a task of its own."""
    book, closings = Book(), Closings()
    book.gate.clear()

    async def call() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            closings.of(7).book("req_1", book)

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    book.gate.set()
    await closings.drain()

    assert book.is_booked


async def test_who_reads_a_balance_waits_for_what_was_answered() -> None:
    """From the moment when the last byte is about to go out until it is booked; all of it."""
    first, second, closings = Book(), Book(), Closings()
    first.gate.clear()
    second.gate.clear()
    one, other = closings.of(7), closings.of(7)
    for each in (one, one, other):
        each.begin()
    one.book("req_1", first)
    waiting = [asyncio.create_task(closings.settled(7)) for _ in range(3)]
    await asyncio.sleep(0.005)
    assert not any(task.done() for task in waiting)
    first.gate.set()
    await asyncio.sleep(0.005)
    assert not any(task.done() for task in waiting)
    other.book("req_2", second)
    second.gate.set()
    await asyncio.wait_for(asyncio.gather(*waiting), 1)

    assert first.is_booked
    assert second.is_booked


async def test_nobody_waits_for_others() -> None:
    """Neither for other wallets nor when nothing is on its way."""
    closings = Closings()
    closings.of(8).begin()

    await asyncio.wait_for(closings.settled(7), 0.1)


async def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A balance that is a moment old is better than none."""
    monkeypatch.setattr(closing, "PATIENCE_S", 0.02)
    closings = Closings()
    closings.of(7).begin()

    await asyncio.wait_for(closings.settled(7), 1)


async def test_nothing_is_remembered_of_what_is_closed() -> None:
    closings = Closings()
    for wallet in range(50):
        closings.of(wallet).book("req", Book())
    await closings.drain()

    assert not closings._pending
    assert not closings._tasks


async def test_a_call_under_way_holds_its_money() -> None:
    """From the hold until it is booked, so that nobody gives it back meanwhile."""
    book, closings = Book(away=2), Closings()
    closing = closings.of(7, "call:req_1")

    assert closings.holds("call:req_1")
    assert not closings.holds("call:req_2")
    closing.book("req_1", book)
    assert closings.holds("call:req_1")
    await closings.drain()
    assert not closings.holds("call:req_1")
