import pytest

from yibu.kit import ids
from yibu.kit.db import Database
from yibu.ledger import Ledger, Nanos
from yibu.ledger.stale import LOOK_BACK_MS, release_stale


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


async def test_a_call_that_is_under_way_keeps_its_hold(db: Database, ledger: Ledger) -> None:
    """However long it takes: when its hold is gone, its answer can no longer be charged."""
    await ledger.credit(7, Nanos(100), key="a")
    hold = await ledger.hold(7, Nanos(10), key="call:1")
    await ledger.hold(7, Nanos(20), key="call:2")

    assert await release_stale(db, ledger, older_than_ms=-1_000, is_open={"call:1"}.__contains__) == 1
    await ledger.settle(hold, Nanos(5))
    balance = await ledger.balance(7)
    assert (balance.available, balance.held, balance.spent) == (95, 0, 5)


async def test_a_hold_is_found_after_a_long_rest(db: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that was killed and started again a month later gives back what it held."""
    month_ms = 4 * LOOK_BACK_MS
    now = ids.now_ms()
    monkeypatch.setattr(ids, "_last_number", 0)
    monkeypatch.setattr(ids, "now_ms", lambda: now - month_ms)
    await ledger.hold(7, Nanos(0), key="call:1")
    monkeypatch.undo()

    assert await release_stale(db, ledger, older_than_ms=0) == 1
