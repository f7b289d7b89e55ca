"""The ledger as everybody else sees it."""

from yibu.hub.errors import OutOfCredit
from yibu.kit.db import Database
from yibu.kit.money import Nanos
from yibu.ledger import accounts
from yibu.ledger.book import Also, Balance, Item, load_balance
from yibu.ledger.calls import CallRow
from yibu.ledger.lease import Leases
from yibu.ledger.operation import (
    ALL,
    LIMIT,
    Adjust,
    Credit,
    Hold,
    Operation,
    Reclaim,
    Refund,
    Release,
    Settle,
    TakeHold,
    Transfer,
)
from yibu.ledger.writer import Writer


class Ledger:
    """Moves money. One a process; `start` before use, `stop` (which drains it) before the database is closed.

    Amounts are nanos. Every operation may be repeated with its key and then gives the first result without writing.

    `also` of an operation runs in its transaction, in the database's thread, after the operation was found acceptable.
    If it raises, this operation alone is undone and the exception comes out at its caller. It does not run on a
    repetition, sees the book as it was before the batch, and may run twice when a batch has to be tried again: it
    must do nothing but use its connection.

    All raise `DatabaseAway` when nothing could be written: try again with the same key. A caller who is cancelled while
    waiting does not know: a hold may be there and stay until somebody closes it.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._writer = Writer(db)
        self._leases = Leases(self._writer.post)

    async def start(self) -> None:
        self._writer.start()

    async def stop(self) -> None:
        await self._leases.stop()
        await self._writer.stop()

    async def hold(self, wallet: int, amount: Nanos, *, key: str, kind: str = "call", also: Also | None = None) -> Hold:
        """Sets money aside. Raises `OutOfCredit` when less is available; then nothing is written.

        `key`: unique for the call or task; `kind`: `call` or `task`, kept with the transfer. Repeated, it gives the
        first hold, closed or not. Raises `KeyTaken` when the key belongs to another wallet.
        """
        operation = TakeHold(wallet, key, _positive(amount), kind)
        try:
            booked = await self._book(operation, also)
        except OutOfCredit:
            if not await self._leases.give_back(wallet):
                raise
            booked = await self._book(operation, also)
        return Hold(wallet, key, booked.amount)

    async def reserve(self, wallet: int, amount: Nanos, *, key: str) -> Hold:
        """As `hold`, for a call that ends with this process: of a busy wallet it is a part of a lease, and there at once.

        Not in the book before it is closed, so it cannot be repeated with its key.
        """
        part = self._leases.take(wallet, _positive(amount), key)
        if part is not None:
            return part
        self._leases.notice(wallet, amount)
        return await self.hold(wallet, amount, key=key)

    async def settle(
        self, hold: Hold, amount: Nanos, *, also: Also | None = None, log: CallRow | None = None
    ) -> Transfer:
        """Charges `amount` and gives the rest of the hold back; more than the hold comes from what is available.

        Raises `HoldClosed` when the hold was released, `NoSuchHold` when there is none. `log` is written in the same
        transaction.
        """
        return await self._book(Settle(hold.wallet, hold.key, _positive(amount), hold.lease, hold.amount), also, log)

    async def release(self, hold: Hold, *, also: Also | None = None, log: CallRow | None = None) -> Transfer:
        """Gives the whole hold back. Raises `HoldClosed` when it was settled, `NoSuchHold` when there is none."""
        return await self._book(Release(hold.wallet, hold.key, hold.amount, hold.lease), also, log)

    async def reclaim(self, lease: Hold) -> Transfer:
        """Gives back what remains of a lease (its key, and what remains) whose process is dead, once."""
        return await self._book(Reclaim(lease.wallet, lease.key, lease.amount, lease.key), None)

    async def refund(
        self, hold: Hold, amount: Nanos | None = None, *, reason: str = "", also: Also | None = None
    ) -> Transfer:
        """Gives back what was settled (None: all of it), once a hold. Raises `NotSettled`."""
        wanted = ALL if amount is None else _positive(amount)
        return await self._book(Refund(hold.wallet, hold.key, wanted, reason), also)

    async def credit(
        self,
        wallet: int,
        amount: Nanos,
        *,
        key: str,
        rail: str = "gift",
        reason: str = "",
        also: Also | None = None,
    ) -> Transfer:
        """Adds money that came over a rail. `key`: unique on its rail (the payment's number, the code, …)."""
        operation = Credit(wallet, key, _positive(amount), reason, accounts.rail(rail))
        if not amount:
            raise ValueError("A credit of nothing")
        return await self._book(operation, also)

    async def adjust(self, wallet: int, amount: Nanos, *, key: str, reason: str, also: Also | None = None) -> Transfer:
        """Corrects a balance by hand, up or (negative) down; it may take the wallet below zero."""
        _positive(abs(amount))
        return await self._book(Adjust(wallet, key, amount, reason), also)

    async def record(self, row: CallRow) -> None:
        """Logs a call that moved no money. A request id that is logged already stays as it is."""
        await self._writer.post(Item(None, log=row))

    async def balance(self, wallet: int) -> Balance:
        """Gives what a wallet has, with everything that was committed before; zeros for an unknown wallet.

        What this process has leased and not promised to a call yet is available.
        """
        booked = await self._db.read(lambda conn: load_balance(conn, wallet))
        return booked.with_free(self._leases.left(wallet))

    async def _book(self, operation: Operation, also: Also | None, log: CallRow | None = None) -> Transfer:
        outcome = await self._writer.post(Item(operation, also, log))
        assert isinstance(outcome, Transfer)
        return outcome


def _positive(amount: int) -> int:
    if not 0 <= amount <= LIMIT:
        raise ValueError(f"An amount is between 0 and {LIMIT} nanos, not {amount}")
    return amount
