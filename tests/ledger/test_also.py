import asyncio

import pytest
from sqlalchemy import Connection, insert, select

from yibu.identity.tables import wallet
from yibu.kit.db import Database
from yibu.ledger import Also, Ledger, Nanos


class LostLease(Exception):
    pass


def write_row(name: str, fail: bool = False) -> Also:
    def also(conn: Connection) -> None:
        conn.execute(insert(wallet).values(name=name, created_at=0))
        if fail:
            raise LostLease(name)

    return also


async def rows(db: Database) -> list[str]:
    return await db.read(lambda conn: list(conn.execute(select(wallet.c.name).order_by(wallet.c.id)).scalars()))


async def test_also_is_written_with_its_operation(db: Database, ledger: Ledger) -> None:
    """What `also` writes is there when the operation is."""
    await ledger.hold(7, Nanos(0), key="task_1", also=write_row("one"))

    assert await rows(db) == ["one"]


async def test_also_that_raises_undoes_its_operation(db: Database, ledger: Ledger) -> None:
    """The exception comes out; neither the money nor the row has moved, and the key is still free."""
    await ledger.credit(7, Nanos(10), key="a")
    hold = await ledger.hold(7, Nanos(10), key="task_1")

    with pytest.raises(LostLease):
        await ledger.settle(hold, Nanos(10), also=write_row("one", fail=True))
    assert (await ledger.balance(7)).held == 10
    assert await rows(db) == []
    await ledger.release(hold)


async def test_also_undoes_only_its_own_operation(db: Database, ledger: Ledger) -> None:
    """Others of the same batch are booked, before and after it."""
    await ledger.credit(7, Nanos(30), key="a")
    outcomes = await asyncio.gather(
        ledger.hold(7, Nanos(10), key="1", also=write_row("one")),
        ledger.hold(7, Nanos(10), key="2", also=write_row("two", fail=True)),
        ledger.hold(7, Nanos(10), key="3", also=write_row("three")),
        ledger.hold(7, Nanos(10), key="4"),
        return_exceptions=True,
    )

    assert [isinstance(outcome, LostLease) for outcome in outcomes] == [False, True, False, False]
    assert await rows(db) == ["one", "three"]
    assert (await ledger.balance(7)).held == 30


async def test_also_with_a_broken_constraint(db: Database, ledger: Ledger) -> None:
    """A database error of `also` (a row that is there already) is its own operation's alone."""

    def twice(conn: Connection) -> None:
        conn.execute(insert(wallet).values(id=5, name="x", created_at=0))
        conn.execute(insert(wallet).values(id=5, name="x", created_at=0))

    await ledger.credit(7, Nanos(20), key="a")
    outcomes = await asyncio.gather(
        ledger.hold(7, Nanos(10), key="1", also=twice),
        ledger.hold(7, Nanos(10), key="2"),
        return_exceptions=True,
    )

    assert type(outcomes[0]).__name__ == "IntegrityError"
    assert await rows(db) == []
    assert (await ledger.balance(7)).held == 10


async def test_also_does_not_run_for_a_refusal_or_a_repetition(db: Database, ledger: Ledger) -> None:
    """It runs once, when its operation is booked."""
    with pytest.raises(Exception, match="balance"):
        await ledger.hold(7, Nanos(10), key="1", also=write_row("refused"))
    await ledger.hold(7, Nanos(0), key="1", also=write_row("first"))
    await ledger.hold(7, Nanos(0), key="1", also=write_row("second"))

    assert await rows(db) == ["first"]
