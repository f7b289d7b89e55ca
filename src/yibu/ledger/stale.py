"""Holds whose call will never close them, because the process that served it was killed."""

from sqlalchemy import Connection, func, literal, select

from yibu.kit.db import Database
from yibu.kit.ids import first_number_at, now_ms
from yibu.kit.money import Nanos
from yibu.ledger.ledger import Ledger
from yibu.ledger.operation import Hold, HoldClosed
from yibu.ledger.tables import transfer

LOOK_BACK_MS = 7 * 24 * 3_600_000
"""Holds are looked for among the transfers of the last week."""
SUFFIX = ":hold"


async def release_stale(db: Database, ledger: Ledger, *, older_than_ms: int) -> int:
    """Gives back the holds of calls (not of tasks, which look after their own) that are older; gives their number."""
    before = now_ms() - older_than_ms
    holds = await db.read(lambda conn: open_holds(conn, "call", before))
    for hold in holds:
        try:
            await ledger.release(hold)
        except HoldClosed:
            continue
    return len(holds)


def open_holds(conn: Connection, reason: str, before: int) -> list[Hold]:
    """Holds of this kind, made before the time `before` (unix milliseconds), which nobody has closed."""
    closing = transfer.alias("closing")
    base = func.substr(transfer.c.key, 1, func.length(transfer.c.key) - len(SUFFIX))
    rows = conn.execute(
        select(transfer.c.wallet, base.label("key"), transfer.c.amount)
        .outerjoin(closing, closing.c.key == base + literal(":close"))
        .where(
            transfer.c.id >= first_number_at(before - LOOK_BACK_MS),
            transfer.c.id < first_number_at(before),
            transfer.c.kind == "hold",
            transfer.c.reason == reason,
            closing.c.id.is_(None),
        )
    )
    return [Hold(row.wallet, row.key, Nanos(row.amount)) for row in rows]
