"""Reading and writing the book: synchronous functions on a connection, to be run inside a transaction."""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from yibu.hub.errors import OutOfCredit
from yibu.kit.db import is_away
from yibu.kit.ids import new_number, now_ms
from yibu.kit.money import Nanos
from yibu.ledger import accounts
from yibu.ledger.calls import CallRow, insert_calls
from yibu.ledger.operation import BALANCE_LIMIT, LIMIT, LedgerRefusal, Operation, Posting, Transfer
from yibu.ledger.prepared import Prepared, PreparedList, PreparedRows
from yibu.ledger.tables import account, entry, transfer

Also = Callable[[Connection], None]
"""Something that is to be written together with an operation, or to forbid it by raising."""


class Item(msgspec.Struct, frozen=True):
    """One line of a batch: an operation, what goes with it, and a row for the log of calls. Each may be missing."""

    operation: Operation | None
    also: Also | None = None
    log: CallRow | None = None


class Balance(msgspec.Struct, frozen=True):
    """What a wallet has, in nanos."""

    available: Nanos
    held: Nanos
    spent: Nanos

    @property
    def granted(self) -> Nanos:
        """All that ever came in: what is there, set aside or spent."""
        return Nanos(self.available + self.held + self.spent)

    def with_free(self, leased: int) -> "Balance":
        """The same when so much of what is held is held for nothing in particular, and so available."""
        free = min(leased, self.held)
        return Balance(Nanos(self.available + free), Nanos(self.held - free), self.spent)


Outcome = Transfer | Exception | None
"""Of one item: what is booked now, why not, or None for an item without an operation."""


def apply(conn: Connection, batch: Sequence[Item]) -> list[Outcome]:
    """Books the operations of a batch in their order and gives the outcome of each; the caller commits.

    An operation that is refused, or whose `also` raises, changes nothing, and its log row is not written. Exceptions of
    the database itself come out of here and leave it to the caller to roll back the whole batch.
    """
    page = _Page(conn, [item.operation for item in batch if item.operation is not None])
    outcomes: list[Outcome] = []
    logs: list[CallRow] = []
    for item in batch:
        outcome = None if item.operation is None else page.book(item.operation, item.also)
        outcomes.append(outcome)
        if item.log is not None and not isinstance(outcome, Exception):
            logs.append(item.log)
    page.write()
    insert_calls(conn, logs)
    return outcomes


class _Page:
    """The part of the book that a batch concerns, in memory between reading it and writing it back."""

    def __init__(self, conn: Connection, operations: Sequence[Operation]) -> None:
        self._conn = conn
        self._known: dict[str, Transfer] = {}
        self._ids: dict[str, int] = {}
        self._balances: dict[str, int] = {}
        self._changes: dict[str, int] = {}
        self._transfers: list[Transfer] = []
        self._entries: list[tuple[int, str, int]] = []
        self._now = now_ms()
        names: set[str] = set()
        keys: set[str] = set()
        for operation in operations:
            names.update(operation.accounts)
            keys.add(operation.transfer_key)
            keys.update(operation.needs)
        # Accounts first: on PostgreSQL their locks are what makes the transfers that we read next the last ones.
        for id_, name, balance in _LOCK_ACCOUNTS.fetch_all(conn, names):
            self._ids[name] = id_
            self._balances[name] = balance
        for row in _FIND_TRANSFERS.fetch_all(conn, keys):
            self._known[row[1]] = Transfer(*row)

    def book(self, operation: Operation, also: Also | None) -> Transfer | Exception:
        key = operation.transfer_key
        try:
            first = self._known.get(key)
            if first is not None:
                return operation.repeat(first)
            posting = operation.plan(self._known, self._balances)
            self._check(posting)
        except (LedgerRefusal, OutOfCredit, ValueError) as error:
            return error
        refusal = None if also is None else self._run(also)
        if refusal is not None:
            return refusal
        booked = Transfer(
            new_number(), key, operation.kind, operation.wallet, Nanos(posting.amount), operation.reason, self._now
        )
        self._known[key] = booked
        self._transfers.append(booked)
        for name, amount in posting.entries:
            if amount:
                self._entries.append((booked.id, name, amount))
                self._balances[name] = self._balances.get(name, 0) + amount
                self._changes[name] = self._changes.get(name, 0) + amount
        return booked

    def _run(self, also: Also) -> Exception | None:
        """Gives what `also` raised, after undoing what it wrote.

        When the disk is full SQLite has rolled everything back by itself, savepoints too; then, as whenever the
        savepoint cannot be ended, the batch as a whole has failed and the error goes up.
        """
        savepoint = self._conn.begin_nested()
        try:
            also(self._conn)
        except Exception as error:
            if is_away(error):
                raise
            savepoint.rollback()
            return error
        savepoint.commit()
        return None

    def _check(self, posting: Posting) -> None:
        """Refuses sums that 64 bits cannot hold: SQLite would go on in floating point."""
        if abs(posting.amount) > LIMIT:
            raise ValueError(f"{posting.amount} nanos in one transfer are too many")
        for name, amount in posting.entries:
            if abs(self._balances.get(name, 0) + amount) > BALANCE_LIMIT:
                raise ValueError(f"The balance of {name} would not fit into 64 bits")

    def write(self) -> None:
        new = [name for name in self._changes if name not in self._ids]
        for name in new:
            self._ids[name] = new_number()
        ids = self._ids
        _INSERT_ACCOUNT.insert(self._conn, [(ids[name], name, accounts.kind_of(name), 0) for name in new])
        _INSERT_TRANSFER.insert(self._conn, [msgspec.structs.astuple(booked) for booked in self._transfers])
        _INSERT_ENTRY.insert(self._conn, [(id_, ids[name], amount) for id_, name, amount in self._entries])
        _CHANGE_BALANCE.execute_many(
            self._conn, [(amount, ids[name]) for name, amount in self._changes.items() if amount]
        )


def load_balance(conn: Connection, wallet: int) -> Balance:
    """Answers what a wallet has; zeros for one that nobody knows."""
    names = (accounts.available(wallet), accounts.held(wallet), accounts.revenue(wallet))
    balances = {name: balance for _, name, balance in _READ_ACCOUNTS.fetch_all(conn, names)}
    return Balance(*(Nanos(balances.get(name, 0)) for name in names))


def load_transfer(conn: Connection, transfer_key: str) -> Transfer | None:
    """Answers what is booked under a transfer's full key, such as `call_01k7…:close`."""
    rows = _FIND_TRANSFERS.fetch_all(conn, (transfer_key,))
    return Transfer(*rows[0]) if rows else None


def _names(names: Iterable[str]) -> ColumnElement[bool]:
    return account.c.name.in_([bindparam(name, type_=account.c.name.type) for name in names])


_READ_ACCOUNTS = PreparedList(
    lambda names: select(account.c.id, account.c.name, account.c.balance).where(_names(names))
)
_LOCK_ACCOUNTS = PreparedList(
    # One order for everybody, so that two batches never wait for each other. SQLite has no FOR UPDATE and leaves it out.
    lambda names: (
        select(account.c.id, account.c.name, account.c.balance)
        .where(_names(names))
        .order_by(account.c.id)
        .with_for_update()
    )
)
_FIND_TRANSFERS = PreparedList(
    lambda names: select(*[transfer.c[member] for member in Transfer.__struct_fields__]).where(
        transfer.c.key.in_([bindparam(name, type_=transfer.c.key.type) for name in names])
    )
)
_INSERT_ACCOUNT = PreparedRows(account, ("id", "name", "kind", "balance"), insert(account).values)
_INSERT_TRANSFER = PreparedRows(transfer, Transfer.__struct_fields__, insert(transfer).values)
_INSERT_ENTRY = PreparedRows(entry, ("transfer_id", "account_id", "amount"), insert(entry).values)
_CHANGE_BALANCE = Prepared(
    update(account)
    .where(account.c.id == bindparam("account_id"))
    .values(balance=account.c.balance + bindparam("change")),
    ("change", "account_id"),
)
