"""`check` finds what somebody with an SQL prompt could break, and says where and by how much."""

import sqlite3
from pathlib import Path

import pytest

from tests.ledger.books import asked, url_of
from yibu.app.migrate import upgrade
from yibu.kit.db import Database
from yibu.ledger import Ledger, Nanos, check


async def make_book(folder: Path) -> None:
    """A book with a bit of everything.

    Wallet 7: 10 came in, 4 of 5 spent by call 1, call 2 released, 3 held by call 3, call 4 paid 1 and was refunded.
    Wallet 8: call 7 paid 1 out of a lease of 124, whose rest went back.
    """
    upgrade(url_of(folder))
    db = Database.open(url_of(folder))
    ledger = Ledger(db)
    await ledger.start()
    unit = 1_000_000_000
    await ledger.credit(7, Nanos(10 * unit), key="a")
    await ledger.settle(await ledger.hold(7, Nanos(5 * unit), key="1"), Nanos(4 * unit))
    await ledger.release(await ledger.hold(7, Nanos(2 * unit), key="2"))
    await ledger.hold(7, Nanos(3 * unit), key="3")
    paid = await ledger.hold(7, Nanos(unit), key="4")
    await ledger.settle(paid, Nanos(unit))
    await ledger.refund(paid)
    await ledger.credit(8, Nanos(1000 * unit), key="b")
    for key in ("5", "6", "7"):
        await ledger.settle(await ledger.reserve(8, Nanos(unit), key=key), Nanos(unit))
        await asked(ledger)
    await ledger.stop()
    await db.close()


async def problems(folder: Path, damage: str) -> list[str]:
    await make_book(folder)
    file = sqlite3.connect(folder / "yibu.db")
    file.execute("PRAGMA ignore_check_constraints=ON")
    file.executescript(damage)
    file.close()
    db = Database.open(url_of(folder))
    try:
        return await db.read(check)
    finally:
        await db.close()


async def test_nothing_wrong(tmp_path: Path) -> None:
    """A book that only the ledger wrote is in order."""
    assert await problems(tmp_path, "") == []


ENTRY = "(SELECT id FROM transfer WHERE key = '{}') AND account_id = (SELECT id FROM account WHERE name = '{}')"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            "UPDATE account SET balance = balance + 1500000000 WHERE name = 'wallet:7:available'",
            "Account wallet:7:available says 4.5; its entries sum to 3, a difference of 1.5",
        ),
        (
            "DELETE FROM entry WHERE transfer_id = " + ENTRY.format("1:close", "house:revenue:7"),
            "The entries of transfer 1:close sum to -4 instead of 0",
        ),
        (
            "DELETE FROM entry WHERE transfer_id = (SELECT id FROM transfer WHERE key = '1:hold')",
            "Transfer 1:hold says a hold of 5; its entries say 0",
        ),
        (
            "UPDATE transfer SET amount = 1 WHERE key = '2:close'",
            "Transfer 2:close says a release of 0.000000001; its entries say 2",
        ),
        (
            "UPDATE transfer SET wallet = 8 WHERE key = 'rail:gift:a:credit'",
            "Transfer rail:gift:a:credit says a credit of 10; its entries say 0",
        ),
        (
            "UPDATE account SET balance = -2000000000 WHERE name = 'wallet:7:held'",
            "Account wallet:7:held is below zero by 2",
        ),
        (
            "DELETE FROM transfer WHERE key = '3:hold'",
            "Account wallet:7:held says 3; the open holds are 0",
        ),
        (
            "UPDATE transfer SET amount = 1 WHERE reason = 'lease'",
            "is of 0.000000001; 124.75 were taken out of it",
        ),
        (
            "DELETE FROM transfer WHERE reason = 'lease'",
            "Transfer 7:close closes a hold that is not there",
        ),
        (
            "UPDATE transfer SET reason = '' WHERE key = '7:close'",
            "Transfer 7:close closes a hold that is not there",
        ),
        (
            "DELETE FROM transfer WHERE key = '2:hold'",
            "Transfer 2:close closes a hold that is not there",
        ),
        (
            "UPDATE transfer SET amount = 1 WHERE key = '4:close'",
            "Transfer 4:refund gives back 1 of 0.000000001 settled",
        ),
        (
            "INSERT INTO entry VALUES (5, 6, 1000000000)",
            "An entry of 1 belongs to transfer 5 and account 6, one of which is not there",
        ),
    ],
)
async def test_damage(tmp_path: Path, damage: str, sentence: str) -> None:
    """Each kind of damage has its sentence."""
    assert any(told.endswith(sentence) for told in await problems(tmp_path, damage))


async def test_a_held_account_below_zero_cannot_be_written(tmp_path: Path) -> None:
    """The database itself refuses it."""
    await make_book(tmp_path)
    file = sqlite3.connect(tmp_path / "yibu.db")

    with pytest.raises(sqlite3.IntegrityError):
        file.execute("UPDATE account SET balance = -1 WHERE name = 'wallet:7:held'")
    file.close()
