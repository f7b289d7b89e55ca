"""What can be done with money, and which entries each operation books. Pure: values in, values out.

    credit   rail −x · available +x
    hold     available −x · held +x            refused if available < x
    settle   held −hold · revenue +x · available +(hold − x)      x may exceed the hold; available may go below zero
    release  held −hold · available +hold
    refund   revenue −x · available +x         of a settled hold, once, at most what was settled
    adjust   house:adjustments −x · available +x       by hand; x may be negative

A lease (`lease.py`) is a hold whose reason is `lease`. Settlements and releases that take their money from one carry its
key as their reason, and the amount that was set aside for them in memory.

An operation is known by its key. Doing it again gives the first transfer and books nothing. Settle and release of one
hold have the same key: the first of them closes the hold, the other kind is refused from then on (`HoldClosed`).
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from yibu.hub.errors import OutOfCredit
from yibu.kit.money import Nanos, in_units
from yibu.ledger import accounts

LIMIT = 10**18
"""Highest amount of one operation, in nanos: a milliard units. Sums of many still fit into 64 bits."""

BALANCE_LIMIT = 2**63 - 1

LEASE = "lease"
"""The reason of a hold that many calls share."""

ALL = -1
"""As the amount of a refund: what was settled."""


class Hold(msgspec.Struct, frozen=True):
    """Money set aside. Can be made again from stored values: the book believes its own amount.

    `lease`: the lease that it is a part of, for the amount that stands here; empty for a hold of its own.
    """

    wallet: int
    key: str
    amount: Nanos
    lease: str = ""


class Transfer(msgspec.Struct, frozen=True):
    """One booked operation; members are the columns of `tables.transfer`."""

    id: int
    key: str
    kind: str
    wallet: int
    amount: Nanos
    reason: str
    created_at: int


class LedgerRefusal(Exception):
    """The book cannot write that down; nothing was changed."""


class HoldClosed(LedgerRefusal):
    """The hold was closed the other way: released when it is to be settled, or settled when it is to be released."""

    def __init__(self, transfer: Transfer) -> None:
        """`transfer`: what closed it."""
        self.transfer = transfer
        super().__init__(f"{transfer.key} is there already, as a {transfer.kind} of {in_units(transfer.amount)}")


class NoSuchHold(LedgerRefusal):
    """There is no hold with this key."""


class NotSettled(LedgerRefusal):
    """Only a settled hold can be refunded, up to what was settled."""


class NoLease(LedgerRefusal):
    """So little is available that every call has to be held for by itself."""


class KeyTaken(LedgerRefusal):
    """Another operation (of another wallet, or of another kind) has this key."""


class Posting(msgspec.Struct, frozen=True):
    """What an operation will write: its transfer's amount, and by how much each account changes (sums to zero)."""

    amount: int
    entries: tuple[tuple[str, int], ...]


class Operation(msgspec.Struct, frozen=True):
    """Something that is to be booked.

    `key`: the caller's; `reason`: kept with the transfer. `amount`: nanos.
    """

    wallet: int
    key: str
    amount: int
    reason: str = ""

    kind: ClassVar[str] = ""

    @property
    def transfer_key(self) -> str:
        """The unique key of the transfer."""
        return f"{self.key}:{self.kind}"

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys of other transfers that `plan` looks at."""
        return ()

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of all accounts that may change."""
        raise NotImplementedError

    def plan(self, known: Mapping[str, Transfer], balances: Mapping[str, int]) -> Posting:
        """Decides what to write; raises `LedgerRefusal` or `OutOfCredit`.

        `known`: those of the transfers in `needs` that exist; `balances`: of `accounts`, an absent one is at zero.
        """
        raise NotImplementedError

    def repeat(self, first: Transfer) -> Transfer:
        """Gives the transfer that has this key already, if it is the same operation; raises `KeyTaken` if not."""
        if first.kind != self.kind or first.wallet != self.wallet:
            raise KeyTaken(f"{first.key} is there already, as a {first.kind} of wallet {first.wallet}")
        return first


class TakeHold(Operation, frozen=True):
    kind: ClassVar[str] = "hold"

    @property
    def accounts(self) -> tuple[str, ...]:
        return accounts.available(self.wallet), accounts.held(self.wallet)

    def plan(self, known: Mapping[str, Transfer], balances: Mapping[str, int]) -> Posting:
        available, held = self.accounts
        balance = balances.get(available, 0)
        if balance < self.amount:
            raise OutOfCredit(
                f"The balance is {in_units(balance)} and this call may cost up to {in_units(self.amount)}. "
                "Top up, or ask for a shorter answer."
            )
        return Posting(self.amount, ((available, -self.amount), (held, self.amount)))


class TakeLease(TakeHold, frozen=True):
    """Takes `amount`, or the part of what is available that may be leased if that is less; at least `least`."""

    least: int = 0
    share: int = 1
    """One lease takes at most this part of what is available: 8 is an eighth."""

    def plan(self, known: Mapping[str, Transfer], balances: Mapping[str, int]) -> Posting:
        available, held = self.accounts
        amount = min(self.amount, balances.get(available, 0) // self.share)
        if amount < self.least:
            raise NoLease(f"Wallet {self.wallet} has too little for a lease")
        return Posting(amount, ((available, -amount), (held, amount)))


class _Close(Operation, frozen=True):
    """Ends a hold; both ways of doing it share one key. `reason`: the key of the lease that the hold is a part of."""

    @property
    def transfer_key(self) -> str:
        return f"{self.key}:close"

    @property
    def needs(self) -> tuple[str, ...]:
        if self.reason:
            return f"{self.reason}:hold", f"{self.reason}:reclaim"
        return (f"{self.key}:hold",)

    def repeat(self, first: Transfer) -> Transfer:
        if first.kind != self.kind and first.wallet == self.wallet:
            raise HoldClosed(first)
        return Operation.repeat(self, first)

    def held(self, known: Mapping[str, Transfer], part: int) -> int:
        """Gives the amount of the hold as it was booked; raises `NoSuchHold`.

        `part`: what was set aside of a lease; nothing of it is there any more when somebody has reclaimed the lease.
        """
        key = self.reason or self.key
        hold = known.get(f"{key}:hold")
        if hold is None or hold.wallet != self.wallet:
            raise NoSuchHold(f"Wallet {self.wallet} has no hold {key}")
        if self.reason:
            return 0 if f"{key}:reclaim" in known else part
        return hold.amount


class Settle(_Close, frozen=True):
    """`part`: nanos set aside of a lease; not looked at when the hold is one of its own."""

    part: int = 0

    kind: ClassVar[str] = "settle"

    @property
    def accounts(self) -> tuple[str, ...]:
        return accounts.held(self.wallet), accounts.revenue(self.wallet), accounts.available(self.wallet)

    def plan(self, known: Mapping[str, Transfer], balances: Mapping[str, int]) -> Posting:
        hold = self.held(known, self.part)
        held, revenue, available = self.accounts
        return Posting(self.amount, ((held, -hold), (revenue, self.amount), (available, hold - self.amount)))


class Release(_Close, frozen=True):
    """Its `amount` counts for a part of a lease alone: of other holds what goes back is what was held."""

    kind: ClassVar[str] = "release"

    @property
    def accounts(self) -> tuple[str, ...]:
        return accounts.held(self.wallet), accounts.available(self.wallet)

    def plan(self, known: Mapping[str, Transfer], balances: Mapping[str, int]) -> Posting:
        hold = self.held(known, self.amount)
        held, available = self.accounts
        return Posting(hold, ((held, -hold), (available, hold)))


class Reclaim(Release, frozen=True):
    """Takes all that remains of a dead process's lease (`key`, and `reason`) back to the wallet."""

    @property
    def transfer_key(self) -> str:
        return f"{self.key}:reclaim"


class Refund(Operation, frozen=True):
    """Its `amount` is at most what was settled; -1 is all of it."""

    kind: ClassVar[str] = "refund"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"{self.key}:close",)

    @property
    def accounts(self) -> tuple[str, ...]:
        return accounts.revenue(self.wallet), accounts.available(self.wallet)

    def plan(self, known: Mapping[str, Transfer], balances: Mapping[str, int]) -> Posting:
        close = known.get(f"{self.key}:close")
        if close is None or close.kind != "settle" or close.wallet != self.wallet:
            raise NotSettled(f"Wallet {self.wallet} has not paid for {self.key}")
        amount = close.amount if self.amount == ALL else self.amount
        if amount > close.amount:
            raise NotSettled(f"{self.key} cost {in_units(close.amount)}; {in_units(amount)} cannot be refunded")
        revenue, available = self.accounts
        return Posting(amount, ((revenue, -amount), (available, amount)))


class Credit(Operation, frozen=True):
    """`source`: the account that gives."""

    source: str = ""

    kind: ClassVar[str] = "credit"

    @property
    def transfer_key(self) -> str:
        return f"{self.source}:{self.key}:credit"

    @property
    def accounts(self) -> tuple[str, ...]:
        return self.source, accounts.available(self.wallet)

    def plan(self, known: Mapping[str, Transfer], balances: Mapping[str, int]) -> Posting:
        source, available = self.accounts
        return Posting(self.amount, ((source, -self.amount), (available, self.amount)))


class Adjust(Operation, frozen=True):
    kind: ClassVar[str] = "adjust"

    @property
    def accounts(self) -> tuple[str, ...]:
        return accounts.HOUSE_ADJUSTMENTS, accounts.available(self.wallet)

    def plan(self, known: Mapping[str, Transfer], balances: Mapping[str, int]) -> Posting:
        adjustments, available = self.accounts
        return Posting(self.amount, ((adjustments, -self.amount), (available, self.amount)))
