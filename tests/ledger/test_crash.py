"""A process that is killed in the middle of its work."""

import subprocess
import sys
from pathlib import Path

from tests.ledger.books import open_ledger, url_of
from yibu.app.migrate import upgrade
from yibu.ledger import Nanos, check
from yibu.ledger.stale import reclaim_leases, release_stale

SPENDER = """
import asyncio, sys
from yibu.kit.db import Database
from yibu.ledger import CallRow, Ledger, Nanos

async def spend(ledger, name):
    for number in range(1_000_000):
        key = f"{name}:{number}"
        hold = await ledger.hold(7, Nanos(10), key=key)
        await ledger.settle(hold, Nanos(4), log=CallRow(request_id=key, started_at=1, wallet=7))
        if number % 20 == 0:
            print(key, flush=True)

async def main():
    ledger = Ledger(Database.open(sys.argv[1]))
    await ledger.start()
    await ledger.credit(7, Nanos(10**9), key="a")
    await asyncio.gather(*(spend(ledger, name) for name in "abcdefgh"))

asyncio.run(main())
"""


async def test_kill_9(tmp_path: Path) -> None:
    """What a killed process was told is booked is there, whole; its open holds can be released by the next one."""
    upgrade(url_of(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", SPENDER, url_of(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(40)]
    process.kill()
    process.wait()
    process.stdout.close()

    async with open_ledger(tmp_path) as (_, ledger):
        balance = await ledger.balance(7)
        assert balance.granted == 10**9
        assert balance.spent % 4 == 0
        assert balance.spent >= 4 * len(told)
        assert balance.held in range(0, 90, 10)
        assert (await ledger.hold(7, Nanos(99), key=told[-1])).amount == 10


LESSEE = SPENDER.replace("ledger.hold(", "ledger.reserve(")


async def test_kill_9_with_leases(tmp_path: Path) -> None:
    """The same for calls out of a lease: what was told is charged, and the next process gives back all the rest."""
    upgrade(url_of(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", LESSEE, url_of(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(60)]
    process.kill()
    process.wait()
    process.stdout.close()

    async with open_ledger(tmp_path) as (db, ledger):
        left_behind = await ledger.balance(7)
        assert await db.read(check) == []
        assert left_behind.held > 0
        await release_stale(db, ledger, older_than_ms=-1_000)
        assert await reclaim_leases(db, ledger) >= 1
        balance = await ledger.balance(7)
        assert balance.granted == 10**9
        assert balance.spent == left_behind.spent >= 4 * len(told)
        assert balance.held == 0
