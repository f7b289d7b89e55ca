"""Holds and leases whose calls will never close them, because the process that served them was killed."""

from collections.abc import Callable

from sqlalchemy import Connection, func, literal, select, true

from yibu.kit.db import Database
from yibu.kit.ids import NUMBER_EPOCH_MS, first_number_at, now_ms
from yibu.kit.money import Nanos
from yibu.ledger import accounts
from yibu.ledger.ledger import Ledger
from yibu.ledger.operation import LEASE, Hold, HoldClosed
from yibu.ledger.tables import account, entry, transfer

LOOK_BACK_MS = 7 * 24 * 3_600_000
"""Holds are looked for among the transfers of the last week in which there were any."""
SUFFIX = ":hold"


async def release_stale(
    db: Database, ledger: Ledger, *, older_than_ms: int, is_open: Callable[[str], bool] = lambda _key: False
) -> int:
    """Gives back the holds of calls (not of tasks, which look after their own) that are older; gives their number.

    `is_open`: tells of a hold's key whether its call is under way here; a customer who reads slowly enough would
    otherwise get the answer for nothing.
    """
    before = now_ms() - older_than_ms
    holds = [hold for hold in await db.read(lambda conn: open_holds(conn, "call", before)) if not is_open(hold.key)]
    for hold in holds:
        try:
            await ledger.release(hold)
        except HoldClosed:
            continue
    return len(holds)


async def reclaim_leases(db: Database, ledger: Ledger) -> int:
    """Gives back what remains of all leases; gives their number. For the start, when none of them can be ours."""
    leases = await db.read(open_leases)
    for lease in leases:
        await ledger.reclaim(lease)
    return len(leases)


def open_leases(conn: Connection, wallet: int | None = None) -> list[Hold]:
    """Leases out of which something is held still, with how much that is. `wallet`: only this one's."""
    somebody = account.c.name == accounts.held(wallet) if wallet is not None else account.c.kind == "held"
    if not conn.execute(select(account.c.id).where(somebody, account.c.balance > 0).limit(1)).all():
        return []
    since = _since(conn, now_ms())
    drawing = transfer.alias("drawing")
    drawn = (
        select(drawing.c.reason, func.sum(entry.c.amount).label("amount"))
        .join(entry, entry.c.transfer_id == drawing.c.id)
        .join(account, account.c.id == entry.c.account_id)
        .where(
            drawing.c.id >= since,
            drawing.c.kind.in_(("settle", "release")),
            drawing.c.reason != "",
            account.c.kind == "held",
            drawing.c.wallet == wallet if wallet is not None else true(),
        )
        .group_by(drawing.c.reason)
        .subquery()
    )
    base = func.substr(transfer.c.key, 1, func.length(transfer.c.key) - len(SUFFIX))
    remains = transfer.c.amount + func.coalesce(drawn.c.amount, 0)
    rows = conn.execute(
        select(transfer.c.wallet, base.label("key"), remains.label("amount"))
        .outerjoin(drawn, drawn.c.reason == base)
        .where(
            transfer.c.id >= since,
            transfer.c.kind == "hold",
            transfer.c.reason == LEASE,
            remains > 0,
            transfer.c.wallet == wallet if wallet is not None else true(),
        )
    )
    return [Hold(row.wallet, row.key, Nanos(row.amount)) for row in rows]


def leased(conn: Connection, wallet: int) -> int:
    """Nanos of the wallet that lie in leases, those included that are promised to calls under way."""
    return sum(lease.amount for lease in open_leases(conn, wallet))


def open_holds(conn: Connection, reason: str, before: int) -> list[Hold]:
    """Holds of this kind, made before the time `before` (unix milliseconds), which nobody has closed."""
    since = _since(conn, before)
    closing = transfer.alias("closing")
    base = func.substr(transfer.c.key, 1, func.length(transfer.c.key) - len(SUFFIX))
    rows = conn.execute(
        select(transfer.c.wallet, base.label("key"), transfer.c.amount)
        .outerjoin(closing, closing.c.key == base + literal(":close"))
        .where(
            transfer.c.id >= since,
            transfer.c.id < first_number_at(before),
            transfer.c.kind == "hold",
            transfer.c.reason == reason,
            closing.c.id.is_(None),
        )
    )
    return [Hold(row.wallet, row.key, Nanos(row.amount)) for row in rows]


def _since(conn: Connection, before: int) -> int:
    """The lowest id to look at: a week before that time, or before the last transfer if that is longer ago."""
    newest: int = conn.execute(select(func.max(transfer.c.id))).scalar() or 0
    return min(first_number_at(before), newest) - first_number_at(NUMBER_EPOCH_MS + LOOK_BACK_MS)
