"""Random histories against a model of a few lines, with crashes, and the proof after every step."""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Connection, func, select

from tests.ledger.books import asked, url_of
from yibu.app.migrate import upgrade
from yibu.hub.errors import OutOfCredit
from yibu.kit.db import Database
from yibu.ledger import Balance, Hold, HoldClosed, Ledger, Nanos, NoSuchHold, NotSettled, check
from yibu.ledger.stale import reclaim_leases
from yibu.ledger.tables import account

T = TypeVar("T")

wallets = st.integers(1, 2)
amounts = st.integers(0, 12)
keys = st.sampled_from("abcde")


class Refused(Exception):
    """Raised by an `also`."""


def refuse(conn: Connection) -> None:
    raise Refused


class History(RuleBasedStateMachine):
    """`held`, `closed`, `refunded`: what the model knows of each hold's key."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.url = url_of(Path(self.folder.name))
        upgrade(self.url)
        self.open()
        self.available = {1: 0, 2: 0}
        self.spent = {1: 0, 2: 0}
        self.held: dict[str, Hold] = {}
        self.closed: dict[str, tuple[str, int]] = {}
        self.refunded: set[str] = set()
        self.credited: set[str] = set()
        self.trips = 0
        self.open_calls: dict[str, Hold] = {}

    def open(self) -> None:
        self.db = Database.open(self.url)
        self.ledger = Ledger(self.db)
        self.run(self.ledger.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.ledger.stop())
        self.run(self.db.close())
        self.loop.close()
        self.folder.cleanup()

    @rule(wallet=wallets, amount=st.sampled_from([1, 12, 500]), key=keys)
    def credit(self, wallet: int, amount: int, key: str) -> None:
        name = f"{wallet}:{key}"
        self.run(self.ledger.credit(wallet, Nanos(amount), key=name))
        if name not in self.credited:
            self.credited.add(name)
            self.available[wallet] += amount

    @rule(wallet=wallets, amount=st.integers(1, 3), calls=st.integers(1, 6), cost=st.integers(0, 4))
    def lease(self, wallet: int, amount: int, calls: int, cost: int) -> None:
        """Calls of a wallet one after the other, soon out of a lease; each is answered, and the last stays open."""
        self.trips += 1
        for number in range(calls):
            name = f"leased:{self.trips}:{number}"
            if self.available[wallet] < amount:
                with pytest.raises(OutOfCredit):
                    self.run(self.ledger.reserve(wallet, Nanos(amount), key=name))
                return
            hold = self.run(self.ledger.reserve(wallet, Nanos(amount), key=name))
            self.run(asked(self.ledger))
            self.available[wallet] -= amount
            if number == calls - 1:
                self.open_calls[name] = hold
                return
            self.run(self.ledger.settle(hold, Nanos(cost)) if cost else self.ledger.release(hold))
            self.available[wallet] += amount - cost
            self.spent[wallet] += cost

    @rule(cost=st.integers(0, 4))
    def answer(self, cost: int) -> None:
        """A call that was open ends, perhaps long after its lease."""
        if self.open_calls:
            hold = self.open_calls.pop(next(iter(self.open_calls)))
            self.run(self.ledger.settle(hold, Nanos(cost)))
            self.available[hold.wallet] += hold.amount - cost
            self.spent[hold.wallet] += cost

    @rule()
    def end_leases(self) -> None:
        """Time passes."""
        leases = self.ledger._leases
        for lease in list(leases._current.values()):
            leases._end(lease)
        leases._held_s.clear()

    @rule(wallet=wallets, amount=amounts, key=keys)
    def hold(self, wallet: int, amount: int, key: str) -> None:
        name = f"{wallet}:{key}"
        if name in self.held:
            assert self.run(self.ledger.hold(wallet, Nanos(amount), key=name)) == self.held[name]
        elif self.available[wallet] < amount:
            with pytest.raises(OutOfCredit):
                self.run(self.ledger.hold(wallet, Nanos(amount), key=name))
        else:
            self.held[name] = self.run(self.ledger.hold(wallet, Nanos(amount), key=name))
            self.available[wallet] -= amount

    @rule(wallet=wallets, amount=amounts, key=keys, is_release=st.booleans())
    def close(self, wallet: int, amount: int, key: str, is_release: bool) -> None:
        name = f"{wallet}:{key}"
        # The amount of a hold that was made again from stored values may be wrong; the book's own counts.
        hold = Hold(wallet, name, Nanos(amount))
        kind = "release" if is_release else "settle"
        work = self.ledger.release(hold) if is_release else self.ledger.settle(hold, Nanos(amount))
        if name not in self.held:
            with pytest.raises(NoSuchHold):
                self.run(work)
        elif name not in self.closed:
            done = self.run(work)
            first = self.held[name].amount
            cost = 0 if is_release else amount
            self.closed[name] = (kind, done.id)
            self.available[wallet] += first - cost
            self.spent[wallet] += cost
        elif self.closed[name][0] == kind:
            assert self.run(work).id == self.closed[name][1]
        else:
            with pytest.raises(HoldClosed):
                self.run(work)

    @rule(wallet=wallets, key=keys)
    def refund(self, wallet: int, key: str) -> None:
        name = f"{wallet}:{key}"
        work = self.ledger.refund(Hold(wallet, name, Nanos(0)))
        if self.closed.get(name, ("", 0))[0] != "settle":
            with pytest.raises(NotSettled):
                self.run(work)
            return
        amount = self.run(work).amount
        if name not in self.refunded:
            self.refunded.add(name)
            self.available[wallet] += amount
            self.spent[wallet] -= amount

    @rule(wallet=wallets, key=keys)
    def refused_by_also(self, wallet: int, key: str) -> None:
        name = f"{wallet}:{key}"
        if name in self.held and name not in self.closed:
            with pytest.raises(Refused):
                self.run(self.ledger.release(self.held[name], also=refuse))

    @rule(amount=st.integers(1, 5))
    def many_at_once(self, amount: int) -> None:
        """Holds and releases in one batch end where they began."""
        self.trips += 1

        async def round_trip(number: int) -> int:
            try:
                hold = await self.ledger.hold(1, Nanos(amount), key=f"trip:{self.trips}:{number}")
            except OutOfCredit:
                return 0
            await self.ledger.release(hold)
            return 1

        async def all_of_them() -> list[int]:
            return await asyncio.gather(*(round_trip(number) for number in range(4)))

        assert sum(self.run(all_of_them())) == min(4, max(0, self.available[1] // amount))

    @rule(wallet=wallets, key=st.sampled_from("xyz"))
    def crash(self, wallet: int, key: str) -> None:
        """The writer is dropped with work under way; whatever was booked is booked whole, and may be repeated."""

        async def leave() -> None:
            going = asyncio.ensure_future(self.ledger.credit(wallet, Nanos(3), key=f"{wallet}:{key}"))
            await asyncio.sleep(0)
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)
            for timer in self.ledger._leases._timers.values():
                timer.cancel()
            await self.db.close()

        self.run(leave())
        self.open()
        self.credit(wallet, 3, key)
        self.run(reclaim_leases(self.db, self.ledger))
        for name, call in list(self.open_calls.items()):
            if call.lease:  # nobody will close it any more
                self.available[call.wallet] += call.amount
                del self.open_calls[name]

    @invariant()
    def books_agree(self) -> None:
        assert self.run(self.db.read(check)) == []
        assert self.run(self.db.read(lambda conn: conn.execute(select(func.sum(account.c.balance))).scalar() or 0)) == 0
        for wallet in (1, 2):
            held = sum(h.amount for name, h in self.held.items() if h.wallet == wallet and name not in self.closed)
            held += sum(call.amount for call in self.open_calls.values() if call.wallet == wallet)
            expected = Balance(Nanos(self.available[wallet]), Nanos(held), Nanos(self.spent[wallet]))
            assert self.run(self.ledger.balance(wallet)) == expected


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=50, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
