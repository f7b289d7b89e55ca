from yibu.kit.db import Database
from yibu.ledger import Ledger, Nanos
from yibu.ledger.stale import release_stale


async def test_open_holds_of_calls_are_released(db: Database, ledger: Ledger) -> None:
    """Holds that a killed process left come back; settled ones and those of tasks stay as they are."""
    await ledger.credit(7, Nanos(100), key="a")
    await ledger.hold(7, Nanos(10), key="call:1")
    await ledger.settle(await ledger.hold(7, Nanos(20), key="call:2"), Nanos(5))
    await ledger.hold(7, Nanos(30), key="task_1", kind="task")

    assert await release_stale(db, ledger, older_than_ms=-1_000) == 1
    balance = await ledger.balance(7)
    assert (balance.available, balance.held, balance.spent) == (65, 30, 5)
    assert await release_stale(db, ledger, older_than_ms=-1_000) == 0


async def test_young_holds_stay(db: Database, ledger: Ledger) -> None:
    """A call that may still be under way keeps its hold."""
    await ledger.hold(7, Nanos(0), key="call:1")

    assert await release_stale(db, ledger, older_than_ms=60_000) == 0
