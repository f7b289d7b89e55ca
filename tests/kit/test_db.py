import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from yibu.kit.db import Database, DatabaseAway


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A file with one table of one number."""
    opened = Database.open(f"sqlite:///{tmp_path / 'a.db'}", busy_timeout_s=0.1)
    await opened.write(lambda conn: conn.exec_driver_sql("CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT"))
    yield opened
    await opened.close()


def add(number: int, fail: bool = False):  # type: ignore[no-untyped-def]
    def transaction(conn: Connection) -> int:
        conn.exec_driver_sql("INSERT INTO t VALUES (?)", (number,))
        if fail:
            raise KeyError(number)
        return number

    return transaction


def numbers(conn: Connection) -> list[int]:
    return [row[0] for row in conn.exec_driver_sql("SELECT n FROM t ORDER BY n")]


async def test_write_and_read(db: Database) -> None:
    """A transaction's answer comes back, and what it wrote is there."""
    assert await db.write(add(1)) == 1
    assert await db.read(numbers) == [1]


async def test_a_transaction_that_raises(db: Database) -> None:
    """Nothing is written, the exception comes out, and the connection goes on."""
    with pytest.raises(KeyError):
        await db.write(add(1, fail=True))
    await db.write(add(2))

    assert await db.read(numbers) == [2]


async def test_a_broken_constraint_is_not_away(db: Database) -> None:
    """A mistake in a statement stays what it is."""
    await db.write(add(1))

    with pytest.raises(IntegrityError):
        await db.write(add(1))
    with pytest.raises(OperationalError, match="no such table"):
        await db.read(lambda conn: conn.exec_driver_sql("SELECT * FROM absent"))


async def test_reading_cannot_write(db: Database) -> None:
    """A reader's connection refuses to write."""
    with pytest.raises(DatabaseAway, match="readonly"):
        await db.read(add(1))
    assert await db.read(numbers) == []


async def test_a_savepoint(db: Database) -> None:
    """A part of a transaction may be undone alone."""

    def transaction(conn: Connection) -> None:
        add(1)(conn)
        with pytest.raises(KeyError), conn.begin_nested():
            add(2, fail=True)(conn)
        add(3)(conn)

    await db.write(transaction)

    assert await db.read(numbers) == [1, 3]


async def test_one_writer(db: Database) -> None:
    """Transactions that read and then write never step on each other's toes."""

    def next_number(conn: Connection) -> int:
        return int(add(max(numbers(conn), default=0) + 1)(conn))

    assert sorted(await asyncio.gather(*(db.write(next_number) for _ in range(50)))) == list(range(1, 51))


async def test_readers_do_not_wait_for_the_writer(db: Database) -> None:
    """While a transaction writes, others read what was there before."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(conn: Connection) -> None:
        add(1)(conn)
        begun.set()
        go_on.wait(5)

    writing = asyncio.create_task(db.write(slow))
    await asyncio.to_thread(begun.wait, 5)

    assert await db.read(numbers) == []
    go_on.set()
    await writing
    assert await db.read(numbers) == [1]


async def test_locked_by_another_process(db: Database, tmp_path: Path) -> None:
    """After the time-out comes `DatabaseAway`; when the other has gone, all goes on."""
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with pytest.raises(DatabaseAway, match="locked"):
        await db.write(add(1))
    waited = time.monotonic() - begun
    other.execute("ROLLBACK")
    other.close()

    assert waited < 2
    await db.write(add(1))
    assert await db.read(numbers) == [1]


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A file that cannot be opened is away, not a crash."""
    db = Database.open(f"sqlite:///{tmp_path / 'absent' / 'a.db'}")

    with pytest.raises(DatabaseAway, match="unable to open"):
        await db.write(numbers)
    await db.close()


async def test_after_close(db: Database) -> None:
    """Close waits for what is under way; afterwards everything is refused."""
    writing = [asyncio.create_task(db.write(add(number))) for number in range(20)]
    await asyncio.sleep(0)
    await db.close()

    assert await asyncio.gather(*writing) == list(range(20))
    with pytest.raises(DatabaseAway):
        await db.write(add(99))


async def test_how_the_file_is_kept(db: Database) -> None:
    """WAL, foreign keys on, commits on the disk; a write that need not last switches that off for itself only."""

    def pragmas(conn: Connection) -> list[object]:
        return [
            conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "foreign_keys", "synchronous")
        ]

    assert await db.write(pragmas) == ["wal", 1, 2]
    assert await db.submit_write(pragmas, is_lasting=False) == ["wal", 1, 1]
    assert await db.write(pragmas) == ["wal", 1, 2]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u@h/d", "postgresql://u@h/d"])
def test_databases_that_will_not_do(url: str) -> None:
    """They are refused before anything is opened."""
    with pytest.raises(ValueError, match=r"file|not supported"):
        Database.open(url)
