"""Many at once, cancelled callers, batches that cannot be written."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from tests.ledger.books import open_ledger, url_of
from yibu.hub.errors import OutOfCredit
from yibu.kit import ids
from yibu.kit.db import Database, DatabaseAway
from yibu.ledger import CallRow, Hold, Ledger, Nanos
from yibu.ledger.tables import call, transfer


async def count(db: Database, kind: str) -> int:
    query = select(func.count()).select_from(transfer).where(transfer.c.kind == kind)
    return await db.read(lambda conn: conn.execute(query).scalar_one())


async def test_a_nearly_empty_wallet_is_never_overdrawn(db: Database, ledger: Ledger) -> None:
    """64 calls at once on money for 10 get 10 holds, and 54 are told that there is none left."""
    await ledger.credit(7, Nanos(109), key="a")

    outcomes = await asyncio.gather(
        *(ledger.hold(7, Nanos(10), key=f"call_{number}") for number in range(64)), return_exceptions=True
    )

    assert sum(isinstance(outcome, Hold) for outcome in outcomes) == 10
    assert sum(isinstance(outcome, OutOfCredit) for outcome in outcomes) == 54
    assert (await ledger.balance(7)).available == 9
    assert await count(db, "hold") == 10


async def test_the_same_key_ten_times_at_once(db: Database, ledger: Ledger) -> None:
    """Ten reports of one payment, ten holds and ten settlements of one call give one transfer each."""
    credits = await asyncio.gather(*(ledger.credit(7, Nanos(100), key="evt") for _ in range(10)))
    holds = await asyncio.gather(*(ledger.hold(7, Nanos(100), key="call") for _ in range(10)))
    settled = await asyncio.gather(*(ledger.settle(holds[0], Nanos(60)) for _ in range(10)))

    assert len({each.id for each in credits}) == len(set(map(repr, holds))) == len({each.id for each in settled}) == 1
    assert [await count(db, kind) for kind in ("credit", "hold", "settle")] == [1, 1, 1]
    assert (await ledger.balance(7)).available == 40


async def test_settle_and_release_at_once(ledger: Ledger) -> None:
    """Whoever comes first closes the hold; the other is refused."""
    await ledger.credit(7, Nanos(100), key="a")
    hold = await ledger.hold(7, Nanos(100), key="call")

    outcomes = await asyncio.gather(ledger.settle(hold, Nanos(60)), ledger.release(hold), return_exceptions=True)

    assert [type(outcome).__name__ for outcome in outcomes] == ["Transfer", "HoldClosed"]


async def test_more_than_one_batch(db: Database, ledger: Ledger) -> None:
    """1,000 calls of 50 wallets at once, through hold, settle and log, come out right."""

    async def one(number: int) -> None:
        hold = await ledger.hold(number % 50, Nanos(10), key=f"call_{number}")
        row = CallRow(request_id=f"call_{number}", started_at=1, wallet=number % 50)
        await ledger.settle(hold, Nanos(7), log=row)

    await asyncio.gather(*(ledger.credit(wallet, Nanos(1_000), key=f"a{wallet}") for wallet in range(50)))
    await asyncio.gather(*(one(number) for number in range(1_000)))

    assert {(await ledger.balance(wallet)).spent for wallet in range(50)} == {140}
    assert await db.read(lambda conn: conn.execute(select(func.count()).select_from(call)).scalar_one()) == 1_000


async def test_a_cancelled_settlement_is_booked(ledger: Ledger) -> None:
    """Whoever is cancelled while settling has settled, and the others of the batch notice nothing."""
    await ledger.credit(7, Nanos(100), key="a")
    hold = await ledger.hold(7, Nanos(50), key="call")
    settling = asyncio.create_task(ledger.settle(hold, Nanos(30)))
    other = asyncio.create_task(ledger.hold(7, Nanos(10), key="other"))
    await asyncio.sleep(0)
    settling.cancel()

    assert await other == Hold(7, "other", Nanos(10))
    assert settling.cancelled()
    assert (await ledger.balance(7)).spent == 30


async def test_a_cancelled_hold_that_nobody_took_yet_is_dropped(db: Database, ledger: Ledger) -> None:
    """A hold whose caller went away before its batch began is not written."""
    holding = asyncio.create_task(ledger.hold(7, Nanos(0), key="call"))
    await asyncio.sleep(0)
    holding.cancel()
    await ledger.hold(7, Nanos(0), key="other")

    assert await count(db, "hold") == 1


async def test_stop_drains(db: Database, ledger: Ledger) -> None:
    """What was taken before `stop` is booked when it returns."""
    waiting = [asyncio.create_task(ledger.credit(7, Nanos(1), key=str(number))) for number in range(500)]
    await asyncio.sleep(0)
    await ledger.stop()

    assert await count(db, "credit") == 500
    await asyncio.gather(*waiting)


async def test_locked_database(tmp_path: Path) -> None:
    """While another process holds the file each caller gets `DatabaseAway`; afterwards all goes on."""
    async with open_ledger(tmp_path):
        pass
    db = Database.open(url_of(tmp_path), busy_timeout_s=0.05)
    ledger = Ledger(db)
    await ledger.start()
    await ledger.credit(7, Nanos(1), key="before")
    other = sqlite3.connect(tmp_path / "yibu.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    outcomes = await asyncio.gather(
        *(ledger.credit(7, Nanos(1), key=str(number)) for number in range(3)), return_exceptions=True
    )
    other.execute("ROLLBACK")
    other.close()

    assert [type(outcome) for outcome in outcomes] == [DatabaseAway] * 3
    assert len(set(map(id, outcomes))) == 3
    await ledger.credit(7, Nanos(1), key="1")
    assert (await ledger.balance(7)).available == 2
    await ledger.stop()
    await db.close()


async def test_full_disk(db: Database, ledger: Ledger) -> None:
    """When no page can be added callers get `DatabaseAway`; nothing is half written, and space heals it."""
    await ledger.credit(7, Nanos(10**6), key="a")
    pages = await db.read(lambda conn: conn.exec_driver_sql("PRAGMA page_count").scalar_one())
    await db.write(lambda conn: conn.exec_driver_sql(f"PRAGMA max_page_count={pages}"))
    long = "x" * 10_000

    with pytest.raises(DatabaseAway, match="full"):
        await ledger.adjust(7, Nanos(5), key="b", reason=long)
    assert (await ledger.balance(7)).available == 10**6
    await ledger.adjust(7, Nanos(5), key="b", reason=long)
    assert (await ledger.balance(7)).available == 10**6 + 5


async def test_full_disk_in_an_also(db: Database, ledger: Ledger) -> None:
    """SQLite has rolled the whole batch back by then, so all of its callers are told, and none is half written."""
    await ledger.credit(7, Nanos(100), key="a")
    pages = await db.read(lambda conn: conn.exec_driver_sql("PRAGMA page_count").scalar_one())
    await db.write(lambda conn: conn.exec_driver_sql(f"PRAGMA max_page_count={pages}"))

    def fill(conn: Connection) -> None:
        conn.exec_driver_sql("INSERT INTO wallet (name, created_at) VALUES (?, 1)", ("x" * 100_000,))

    outcomes = await asyncio.gather(
        ledger.hold(7, Nanos(10), key="1"),
        ledger.hold(7, Nanos(10), key="2", also=fill),
        ledger.hold(7, Nanos(10), key="3"),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [DatabaseAway] * 3
    assert (await ledger.balance(7)).held == 0


async def test_full_disk_that_an_also_hides(db: Database, ledger: Ledger) -> None:
    """An `also` that swallows the error does not get the rest of its batch written without a transaction."""
    await ledger.credit(7, Nanos(100), key="a")
    pages = await db.read(lambda conn: conn.exec_driver_sql("PRAGMA page_count").scalar_one())
    await db.write(lambda conn: conn.exec_driver_sql(f"PRAGMA max_page_count={pages}"))

    def fill(conn: Connection) -> None:
        with contextlib.suppress(OperationalError):
            conn.exec_driver_sql("INSERT INTO wallet (name, created_at) VALUES (?, 1)", ("x" * 100_000,))

    outcomes = await asyncio.gather(
        ledger.hold(7, Nanos(10), key="1"),
        ledger.hold(7, Nanos(10), key="2", also=fill),
        return_exceptions=True,
    )

    assert outcomes[0] == Hold(7, "1", Nanos(10))
    assert isinstance(outcomes[1], OperationalError)
    assert (await ledger.balance(7)).held == 10


async def test_one_poisoned_operation(db: Database, ledger: Ledger) -> None:
    """An operation that the driver cannot write fails alone; the others of its batch are booked."""
    await ledger.credit(7, Nanos(100), key="a")
    row = CallRow(request_id="bad", started_at=object(), wallet=7)  # type: ignore[arg-type]

    outcomes = await asyncio.gather(
        ledger.hold(7, Nanos(10), key="1"),
        ledger.record(row),
        ledger.hold(7, Nanos(10), key="2"),
        return_exceptions=True,
    )

    assert [isinstance(outcome, Exception) for outcome in outcomes] == [False, True, False]
    assert (await ledger.balance(7)).held == 20


async def test_two_processes_make_the_same_number(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer id that another process has used is replaced, unnoticed by the callers."""
    first = await ledger.credit(7, Nanos(1), key="a")
    made = iter([first.id, first.id])
    monkeypatch.setattr("yibu.ledger.book.new_number", lambda: next(made, None) or ids.new_number())

    await asyncio.gather(ledger.credit(7, Nanos(1), key="b"), ledger.credit(7, Nanos(1), key="c"))

    assert (await ledger.balance(7)).available == 3


async def test_two_ledgers_on_one_file(tmp_path: Path) -> None:
    """Another process (the command line) may book meanwhile: balances are read anew in each batch."""
    async with open_ledger(tmp_path) as (_, one):
        other_db = Database.open(url_of(tmp_path))
        other = Ledger(other_db)
        await other.start()

        async def spend(ledger: Ledger, name: str) -> int:
            held = 0
            for number in range(30):
                try:
                    await ledger.hold(7, Nanos(10), key=f"{name}{number}")
                    held += 1
                except OutOfCredit:
                    pass
            return held

        await one.credit(7, Nanos(405), key="a")
        held = await asyncio.gather(spend(one, "one"), spend(other, "other"))

        assert sum(held) == 40
        assert (await one.balance(7)).available == 5
        await other.stop()
        await other_db.close()
