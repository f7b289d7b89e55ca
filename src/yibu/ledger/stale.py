"""Holds whose call will never close them, because the process that served it was killed."""

from collections.abc import Callable

from sqlalchemy import Connection, func, literal, select

from yibu.kit.db import Database
from yibu.kit.ids import NUMBER_EPOCH_MS, first_number_at, now_ms
from yibu.kit.money import Nanos
from yibu.ledger.ledger import Ledger
from yibu.ledger.operation import Hold, HoldClosed
from yibu.ledger.tables import transfer

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


def open_holds(conn: Connection, reason: str, before: int) -> list[Hold]:
    """Holds of this kind, made before the time `before` (unix milliseconds), which nobody has closed."""
    newest: int = conn.execute(select(func.max(transfer.c.id))).scalar() or 0
    since = min(first_number_at(before), newest) - first_number_at(NUMBER_EPOCH_MS + LOOK_BACK_MS)
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
