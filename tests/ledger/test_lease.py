"""Credit that is leased ahead: at once for busy wallets, exact for poor ones, and never lost."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.ledger.books import asked, open_ledger, url_of
from yibu.hub.errors import OutOfCredit
from yibu.kit.db import Database, DatabaseAway
from yibu.ledger import CallRow, Hold, HoldClosed, Ledger, Nanos, NoSuchHold, lease
from yibu.ledger.stale import leased, open_leases, reclaim_leases
from yibu.ledger.tables import transfer


async def keys(db: Database, kind: str) -> list[str]:
    query = select(transfer.c.key).where(transfer.c.kind == kind).order_by(transfer.c.id)
    return await db.read(lambda conn: list(conn.execute(query).scalars()))


async def make_busy(ledger: Ledger, amount: int = 10, wallet: int = 7) -> list[Hold]:
    """Two exact holds of a wallet one after the other, and the lease that follows."""
    held = [await ledger.reserve(wallet, Nanos(amount), key=f"warm:{wallet}:{number}") for number in range(2)]
    await asked(ledger)
    return held


async def close_all(ledger: Ledger, holds: list[Hold], cost: int) -> None:
    for hold in holds:
        await ledger.settle(hold, Nanos(cost))


async def test_a_quiet_wallet_has_no_lease(db: Database, ledger: Ledger) -> None:
    """A call now and then is held for exactly, as it always was."""
    await ledger.credit(7, Nanos(10**6), key="a")
    hold = await ledger.reserve(7, Nanos(10), key="call:1")
    await asked(ledger)

    assert hold == Hold(7, "call:1", Nanos(10))
    assert await keys(db, "hold") == ["call:1:hold"]


async def test_calls_of_a_busy_wallet_do_not_wait(db: Database, ledger: Ledger) -> None:
    """From the third call on a part of the lease is there at once; the book learns of it with the settlement."""
    await ledger.credit(7, Nanos(10**6), key="a")
    warm = await make_busy(ledger)

    async def instantly() -> Hold:
        reserving = ledger.reserve(7, Nanos(10), key="call:1")
        with pytest.raises(StopIteration) as done:
            reserving.send(None)
        hold: Hold = done.value.value
        return hold

    hold = await instantly()
    assert hold.lease
    assert "call:1:hold" not in await keys(db, "hold")
    row = CallRow(request_id="1", started_at=1, wallet=7)
    booked = await ledger.settle(hold, Nanos(4), log=row)
    assert (booked.key, booked.amount, booked.reason) == ("call:1:close", 4, hold.lease)
    assert await ledger.settle(hold, Nanos(4), log=row) == booked
    balance = await ledger.balance(7)
    assert (balance.available, balance.held, balance.spent) == (10**6 - 24, 20, 4)
    await close_all(ledger, warm, 10)


async def test_a_part_is_closed_once(ledger: Ledger) -> None:
    """Settled or released, as any hold; costs above it come from what is available."""
    await ledger.credit(7, Nanos(10**6), key="a")
    await make_busy(ledger)
    one, two, three = [await ledger.reserve(7, Nanos(10), key=f"call:{number}") for number in range(3)]

    await ledger.release(one)
    with pytest.raises(HoldClosed):
        await ledger.settle(one, Nanos(1))
    await ledger.settle(two, Nanos(25))
    with pytest.raises(HoldClosed):
        await ledger.release(two)
    with pytest.raises(NoSuchHold):
        await ledger.settle(Hold(8, "call:9", Nanos(10), three.lease), Nanos(1))
    assert (await ledger.refund(two)).amount == 25
    balance = await ledger.balance(7)
    assert (balance.held, balance.spent, balance.granted) == (30, 0, 10**6)


async def test_what_is_leased_counts_as_available(db: Database, ledger: Ledger) -> None:
    """Neither spent nor held, for this process and for another one that reads the book."""
    await ledger.credit(7, Nanos(80_000), key="a")
    await make_busy(ledger)

    ours = await ledger.balance(7)
    in_book = await Ledger(db).balance(7)
    assert (ours.available, ours.held, ours.granted) == (80_000 - 20, 20, 80_000)
    assert in_book.held == 20 + 2560
    assert await db.read(lambda conn: leased(conn, 7)) == 2560
    assert await db.read(lambda conn: leased(conn, 8)) == 0
    assert in_book.with_free(2560) == ours


async def test_the_next_lease_is_asked_for_ahead(db: Database, ledger: Ledger) -> None:
    """Of 1,000 calls one after the other only the first ones, and those that came before their lease, were held for."""
    await ledger.credit(7, Nanos(10**7), key="a")
    exact = 0
    for number in range(1_000):
        hold = await ledger.reserve(7, Nanos(10), key=f"call:{number}")
        exact += not hold.lease
        await ledger.settle(hold, Nanos(3))

    assert exact <= 3
    assert 4 <= len(await keys(db, "hold")) - exact <= 9
    balance = await ledger.balance(7)
    assert (balance.available, balance.held, balance.spent) == (10**7 - 3_000, 0, 3_000)


async def test_all_of_a_balance_can_be_used(ledger: Ledger) -> None:
    """Many small calls at once spend a wallet to its last nano, and not one more; whoever is refused really has none."""
    await ledger.credit(7, Nanos(10_007), key="a")
    served = refused = 0

    async def caller(name: str) -> None:
        nonlocal served, refused
        for number in range(100):
            try:
                hold = await ledger.reserve(7, Nanos(10), key=f"{name}:{number}")
            except OutOfCredit:
                refused += 1
                continue
            served += 1
            await ledger.settle(hold, Nanos(10))

    await asyncio.gather(*(caller(name) for name in "abcdefghijklmnop"))

    assert (served, refused) == (1_000, 600)
    balance = await ledger.balance(7)
    assert (balance.available, balance.held, balance.spent) == (7, 0, 10_000)


async def test_a_lease_is_in_nobodys_way(ledger: Ledger) -> None:
    """A film that needs all there is gets it: what is left of the lease goes back first, also one on its way."""
    await ledger.credit(7, Nanos(100_000), key="a")
    warm = await make_busy(ledger)
    await close_all(ledger, warm, 0)
    assert (await ledger.reserve(7, Nanos(10), key="call:1")).lease

    film = await ledger.hold(7, Nanos(99_990), key="task_1", kind="task")
    with pytest.raises(OutOfCredit, match="balance is 0 "):
        await ledger.reserve(7, Nanos(1), key="call:2")
    assert (await ledger.balance(7)).available == 0
    await ledger.release(film)

    await ledger.credit(8, Nanos(100_000), key="b")
    together = await asyncio.gather(
        *(ledger.reserve(8, Nanos(10), key=f"other:{number}") for number in range(3)),
        ledger.hold(8, Nanos(100_000 - 30), key="task_2", kind="task"),
    )
    assert sum(hold.amount for hold in together) == 100_000


async def test_refused_together_nobody_is_wronged(ledger: Ledger) -> None:
    """While the rest of a lease is on its way back, others wait for it instead of being refused."""
    await ledger.credit(7, Nanos(3_200), key="a")
    warm = await make_busy(ledger)
    await close_all(ledger, warm, 0)
    assert ledger._leases.left(7) == 397

    holds = await asyncio.gather(*(ledger.hold(7, Nanos(1_600), key=f"task_{number}") for number in range(2)))
    assert [hold.amount for hold in holds] == [1_600, 1_600]


async def test_a_poor_wallet_gets_no_lease(db: Database, ledger: Ledger) -> None:
    """A lease takes an eighth of what is there at most, and is not worth it for fewer than four calls."""
    await ledger.credit(7, Nanos(330), key="a")
    await make_busy(ledger)

    assert ledger._leases.left(7) == 0
    assert len(await keys(db, "hold")) == 2


async def test_a_lease_ends_by_itself(db: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody calls any more: what is left is available again; calls under way keep their part."""
    monkeypatch.setattr(lease, "LIFE_S", 0.05)
    monkeypatch.setattr(lease, "BUSY_S", 0.02)
    await ledger.credit(7, Nanos(10**6), key="a")
    warm = await make_busy(ledger)
    hold = await ledger.reserve(7, Nanos(10), key="call:1")
    assert hold.lease
    async with asyncio.timeout(5):
        while (await Ledger(db).balance(7)).held != 30:
            await asyncio.sleep(0.01)
    await ledger.settle(hold, Nanos(4))

    await close_all(ledger, warm, 0)
    assert (await Ledger(db).balance(7)).held == 0
    assert not ledger._leases._timers
    assert not ledger._leases._returning


async def test_what_an_operator_takes_is_out_of_reach(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A balance that is corrected down: the next lease is refused, and with the end of the last one so are calls."""
    monkeypatch.setattr(lease, "LIFE_S", 0.05)
    await ledger.credit(7, Nanos(10**6), key="a")
    warm = await make_busy(ledger)
    await close_all(ledger, warm, 0)
    await ledger.adjust(7, Nanos(-(10**6)), key="b", reason="by mistake")
    served: list[Hold] = []

    async def call_on() -> None:
        async with asyncio.timeout(5):
            while True:
                served.append(await ledger.reserve(7, Nanos(10), key=f"call:{len(served)}"))
                await ledger.settle(served[-1], Nanos(0))
                await asyncio.sleep(0.01)

    with pytest.raises(OutOfCredit):
        await call_on()
    assert len(served) <= 256
    assert (await ledger.balance(7)).available == 0


async def test_stopping_gives_everything_back(tmp_path: Path) -> None:
    """After an orderly stop nothing is leased."""
    async with open_ledger(tmp_path) as (db, ledger):
        await ledger.credit(7, Nanos(10**6), key="a")
        await ledger.credit(8, Nanos(10**6), key="b")
        for wallet in (7, 8):
            await close_all(ledger, await make_busy(ledger, wallet=wallet), 1)
            assert ledger._leases.left(wallet) == 2560
        await ledger.stop()

        assert await db.read(open_leases) == []
        assert (await Ledger(db).balance(7)).held == 0


async def test_leases_of_the_dead_are_reclaimed(tmp_path: Path) -> None:
    """The next process gives back what was left, and what was promised to calls that nobody will close."""
    async with open_ledger(tmp_path) as (db, ledger):
        await ledger.credit(7, Nanos(10**6), key="a")
        await close_all(ledger, await make_busy(ledger), 0)
        late, lost = [await ledger.reserve(7, Nanos(10), key=f"call:{number}") for number in range(2)]
        await ledger.settle(await ledger.reserve(7, Nanos(10), key="call:2"), Nanos(4))

        heirs = Ledger(db)
        await heirs.start()
        assert await reclaim_leases(db, heirs) == 1
        assert await reclaim_leases(db, heirs) == 0
        assert await heirs.balance(7) == (await Ledger(db).balance(7))
        assert ((await heirs.balance(7)).available, (await heirs.balance(7)).held) == (10**6 - 4, 0)

        # The dead one lives, after all: its calls are charged, and nothing of what is held for others is touched.
        await heirs.hold(7, Nanos(50), key="task_1", kind="task")
        await ledger.settle(late, Nanos(6))
        await ledger.release(lost)
        balance = await heirs.balance(7)
        assert (balance.available, balance.held, balance.spent) == (10**6 - 60, 50, 10)
        await heirs.stop()


async def test_a_database_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls go on with the lease that is there; what is left goes back when the database is there again."""
    monkeypatch.setattr(lease, "RETRY_S", 0.01)
    async with open_ledger(tmp_path):
        pass
    db = Database.open(url_of(tmp_path), busy_timeout_s=0.02)
    ledger = Ledger(db)
    await ledger.start()
    await ledger.credit(7, Nanos(10**6), key="a")
    await close_all(ledger, await make_busy(ledger), 0)
    locked = sqlite3.connect(tmp_path / "yibu.db", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    hold = await ledger.reserve(7, Nanos(20), key="call:1")
    with pytest.raises(DatabaseAway):
        await ledger.settle(hold, Nanos(5))
    returning = asyncio.create_task(ledger._leases.give_back(7))
    await asyncio.sleep(0.1)
    assert not returning.done()
    locked.execute("ROLLBACK")
    locked.close()
    await asyncio.wait_for(returning, 5)
    await ledger.settle(hold, Nanos(5))

    assert hold.lease
    await ledger.hold(7, Nanos(10**6 - 5), key="task_1")
    await ledger.stop()
    await db.close()


async def test_two_processes(tmp_path: Path) -> None:
    """While one leases, another holds and takes away; together they give out what is there, and no more."""
    async with open_ledger(tmp_path) as (db, one):
        other_db = Database.open(url_of(tmp_path))
        other = Ledger(other_db)
        await other.start()
        await one.credit(7, Nanos(20_000), key="a")

        async def spend(ledger: Ledger, name: str) -> int:
            spent = 0
            for number in range(300):
                try:
                    hold = await ledger.reserve(7, Nanos(20), key=f"{name}:{number}")
                except OutOfCredit:
                    continue
                spent += (await ledger.settle(hold, Nanos(20))).amount
            return spent

        spent = await asyncio.gather(spend(one, "a"), spend(one, "b"), spend(other, "c"), spend(other, "d"))
        await other.adjust(7, Nanos(-1_000), key="b", reason="correction")
        await one.stop()
        await other.stop()

        assert all(spent)
        assert 17_500 <= sum(spent) <= 20_000
        balance = await Ledger(db).balance(7)
        assert (balance.available, balance.held, balance.spent) == (19_000 - sum(spent), 0, sum(spent))
        await other_db.close()
