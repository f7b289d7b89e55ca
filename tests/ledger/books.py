"""Databases and ledgers for tests, also of other packages: every book is proved before it is put away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from yibu.app.migrate import upgrade
from yibu.kit.db import Database
from yibu.ledger import Ledger, check


def url_of(folder: Path) -> str:
    """The address of the one database in a test's folder."""
    return f"sqlite:///{folder / 'yibu.db'}"


@asynccontextmanager
async def open_database(folder: Path) -> AsyncIterator[Database]:
    """A migrated database in `folder`, opened again if it is there; its books are proved at the end."""
    upgrade(url_of(folder))
    db = Database.open(url_of(folder))
    try:
        yield db
        assert await db.read(check) == []
    finally:
        await db.close()


@asynccontextmanager
async def open_ledger(folder: Path) -> AsyncIterator[tuple[Database, Ledger]]:
    """The same with a ledger that is started."""
    async with open_database(folder) as db:
        ledger = Ledger(db)
        await ledger.start()
        yield db, ledger
        await ledger.stop()


async def asked(ledger: Ledger) -> None:
    """Until leases that are being asked for are there or refused, and those that ended are back."""
    leases = ledger._leases
    while waiting := {*leases._asking.values(), *(task for tasks in leases._returning.values() for task in tasks)}:
        await asyncio.wait(waiting)
