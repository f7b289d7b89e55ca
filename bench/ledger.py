"""CPU and waiting of one paying call's money: hold, settle, log row. Run: `python -m bench.ledger [calls]`.

Prints, for calls one after the other and 32 at a time, microseconds a call of CPU (all threads of the process) and of
the clock; a real SQLite file in the current directory's file system.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from yibu.app.migrate import upgrade
from yibu.kit.db import Database
from yibu.kit.ids import new_id, now_ms
from yibu.ledger import CallRow, Ledger, Nanos


async def call(ledger: Ledger, wallet: int) -> None:
    key = new_id("call")
    hold = await ledger.hold(wallet, Nanos(8_000), key=key)
    row = CallRow(
        request_id=key,
        started_at=now_ms(),
        wallet=wallet,
        key_id="key_01k7zzzzzzzzzzzzzzzzzzzzzz",
        model="gpt-4o-mini",
        upstream_model="gpt-4o-mini",
        channel="openai-main",
        dialect="openai_chat",
        operation="chat",
        units='{"input":812,"output":64}',
        cost=Nanos(5_230),
        first_byte_ms=301,
        total_ms=812,
    )
    await ledger.settle(hold, Nanos(5_230), log=row)


async def run(ledger: Ledger, calls: int, at_once: int, wallets: int) -> tuple[float, float]:
    """Gives microseconds a call: CPU, clock."""

    async def worker(number: int) -> None:
        for _ in range(calls // at_once):
            await call(ledger, 1 + number % wallets)

    cpu, clock = time.process_time(), time.perf_counter()
    await asyncio.gather(*(worker(number) for number in range(at_once)))
    done = calls // at_once * at_once
    return (time.process_time() - cpu) / done * 1e6, (time.perf_counter() - clock) / done * 1e6


async def main(calls: int) -> None:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        url = f"sqlite:///{folder}/bench.db"
        upgrade(url)
        db = Database.open(url)
        ledger = Ledger(db)
        await ledger.start()
        for wallet in range(1, 33):
            await ledger.credit(wallet, Nanos(10**15), key=f"start:{wallet}")
        await run(ledger, 200, 1, 1)
        for at_once, wallets in ((1, 1), (8, 1), (32, 1), (32, 32), (128, 32)):
            cpu, clock = await run(ledger, calls, at_once, wallets)
            print(f"{at_once:4} at once, {wallets:2} wallets: {cpu:6.0f} us CPU, {clock:6.0f} us clock a call")
        await ledger.stop()
        await db.close()


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000))
