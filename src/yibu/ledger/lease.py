"""Credit that this process has leased from busy wallets, so that their calls need not wait for a hold to be booked.

A lease is one hold in the book for many calls; their parts of it are set aside here, in memory. Each part is booked when
its call is settled or released, exactly as a hold of its own would be, so a lease never gives more than it has, and
what it has left is known at any moment. A lease is for a few seconds and then, used or not, what is left goes back.

    a wallet's first calls       exact holds, as without leases
    a second within `BUSY_S`     a lease is asked for; nobody waits for it
    then                         parts of the lease; the next one is asked for when half of it is gone
    little is available          no leases: a lease takes an eighth of what is there at most, and at least four calls
    an exact hold is refused     what is left of the lease goes back first, then the hold is tried again

So the last cents of a wallet are held exactly, and nobody is refused because of credit that lies in a lease.
"""

import asyncio
from collections.abc import Awaitable, Callable

from yibu.kit.clock import Clock, clock
from yibu.kit.db import DatabaseAway
from yibu.kit.ids import new_id
from yibu.kit.money import Nanos
from yibu.ledger.book import Item, Outcome
from yibu.ledger.operation import LEASE, LIMIT, Hold, LedgerRefusal, Release, TakeLease, Transfer

CALLS = 256
"""A lease is for so many calls like the one that asked for it, if there is enough."""
LEAST_CALLS = 4
SHARE = 8
BUSY_S = 1.0
"""A wallet is busy when it was held for so recently. One that is not saves nothing by a lease."""
LIFE_S = 5.0
"""What an operator takes off a balance is out of reach of new calls after this time at the latest."""
RETRY_S = 1.0
STOP_S = 10.0
MOST_KNOWN = 10_000
"""Wallets whose last hold is remembered."""


class Lease:
    """`left`: nanos that no call has been promised yet; `amount`: what was leased."""

    __slots__ = ("amount", "is_last", "key", "left", "used_s", "wallet")

    def __init__(self, wallet: int, key: str, amount: int, now_s: float) -> None:
        self.wallet = wallet
        self.key = key
        self.amount = amount
        self.left = amount
        self.used_s = now_s
        self.is_last = False
        """The next one has been asked for."""


class Leases:
    """At most one lease a wallet that gives, and those whose rest is on its way back. Of one event loop."""

    def __init__(self, post: Callable[[Item], Awaitable[Outcome]], clock: Clock = clock) -> None:
        """`post`: books an item, as `Writer.post` does."""
        self._post = post
        self._clock = clock
        self._current: dict[int, Lease] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}
        self._returning: dict[int, set[asyncio.Task[None]]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._held_s: dict[int, float] = {}
        self._is_open = True

    def take(self, wallet: int, amount: int, key: str) -> Hold | None:
        """A part of the wallet's lease, at once; None when there is none with as much left."""
        lease = self._current.get(wallet)
        if lease is None or lease.left < amount:
            return None
        lease.left -= amount
        lease.used_s = self._clock.monotonic_s()
        if lease.left * 2 < lease.amount and not lease.is_last:
            self._ask(wallet, amount)
        return Hold(wallet, key, Nanos(amount), lease.key)

    def notice(self, wallet: int, amount: int) -> None:
        """Tells that a call of so much was held for exactly; asks for a lease when that happens often."""
        now_s = self._clock.monotonic_s()
        last_s = self._held_s.get(wallet)
        if len(self._held_s) >= MOST_KNOWN:
            self._held_s.clear()
        self._held_s[wallet] = max(now_s, last_s or now_s)
        if amount and last_s is not None and 0 <= now_s - last_s < BUSY_S and wallet not in self._current:
            self._ask(wallet, amount)

    async def give_back(self, wallet: int) -> bool:
        """Returns when what is left of the wallet's leases is available again; tells whether there was any.

        The wallet gets no lease for a while: it needs what it has.
        """
        self._rest(wallet)
        asking = self._asking.get(wallet)
        if asking is not None:
            await asyncio.wait([asking])
        if (lease := self._current.get(wallet)) is not None:
            self._end(lease)
        returning = set(self._returning.get(wallet, ()))
        if returning:
            await asyncio.wait(returning)
        return asking is not None or bool(returning)

    def left(self, wallet: int) -> int:
        """Nanos of the wallet that are held in the book, and free all the same."""
        lease = self._current.get(wallet)
        return 0 if lease is None else lease.left

    async def stop(self) -> None:
        """Gives everything back; leases that are being asked for come and go first."""
        self._is_open = False
        if self._asking:
            await asyncio.wait(set(self._asking.values()))
        for lease in list(self._current.values()):
            self._end(lease)
        if waiting := {task for tasks in self._returning.values() for task in tasks}:
            _, late = await asyncio.wait(waiting, timeout=STOP_S)
            for task in late:  # the database is away: the next start reclaims them
                task.cancel()

    def _ask(self, wallet: int, amount: int) -> None:
        if wallet in self._asking or not self._is_open:
            return
        lease = self._current.get(wallet)
        if lease is not None:
            lease.is_last = True
        task = asyncio.get_running_loop().create_task(self._lease(wallet, amount))
        self._asking[wallet] = task
        task.add_done_callback(lambda _: self._asking.pop(wallet, None))

    async def _lease(self, wallet: int, amount: int) -> None:
        key = new_id(LEASE)
        most, least = min(amount * CALLS, LIMIT), min(amount * LEAST_CALLS, LIMIT)
        try:
            booked = await self._post(Item(TakeLease(wallet, key, most, LEASE, least, SHARE)))
        except (LedgerRefusal, DatabaseAway):
            self._rest(wallet)
            return
        assert isinstance(booked, Transfer)
        if (old := self._current.get(wallet)) is not None:
            self._end(old)
        lease = self._current[wallet] = Lease(wallet, key, booked.amount, self._clock.monotonic_s())
        self._timers[key] = asyncio.get_running_loop().call_later(LIFE_S, self._expire, lease, amount)

    def _expire(self, lease: Lease, amount: int) -> None:
        """What is still in use is replaced by a new one, for which the balance is looked at afresh."""
        is_busy = self._clock.monotonic_s() - lease.used_s < BUSY_S
        self._end(lease)
        if is_busy:
            self._ask(lease.wallet, amount)

    def _rest(self, wallet: int) -> None:
        """No lease is asked for during the life of one: as if the wallet had been held for in the future."""
        self._held_s[wallet] = self._clock.monotonic_s() + LIFE_S

    def _end(self, lease: Lease) -> None:
        self._timers.pop(lease.key).cancel()
        if self._current.get(lease.wallet) is lease:
            del self._current[lease.wallet]
        left, lease.left = lease.left, 0
        if left:
            self._spawn_return(lease, left)

    def _spawn_return(self, lease: Lease, left: int) -> None:
        task = asyncio.get_running_loop().create_task(self._return(lease, left))
        tasks = self._returning.setdefault(lease.wallet, set())
        tasks.add(task)

        def forget(_: "asyncio.Task[None]") -> None:
            tasks.discard(task)
            if not tasks and self._returning.get(lease.wallet) is tasks:
                del self._returning[lease.wallet]

        task.add_done_callback(forget)

    async def _return(self, lease: Lease, left: int) -> None:
        while True:
            try:
                await self._post(Item(Release(lease.wallet, lease.key, left, lease.key)))
                return
            except DatabaseAway:
                await asyncio.sleep(RETRY_S)
            except LedgerRefusal:  # reclaimed by somebody
                return
