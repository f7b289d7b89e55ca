"""The log of calls: one row a call, written in the transaction that settles it."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, update
from sqlalchemy.dialects import postgresql, sqlite

from yibu.kit.money import Nanos
from yibu.ledger.prepared import PreparedRows
from yibu.ledger.tables import call


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the log keeps of one call; members are the columns of `tables.call`, where their units stand.

    `units` and `losses` are JSON text. A row whose `request_id` is there already is left out silently.
    """

    request_id: str
    started_at: int
    wallet: int
    key_id: str = ""
    model: str = ""
    upstream_model: str = ""
    channel: str = ""
    dialect: str = ""
    operation: str = ""
    is_stream: bool = False
    status: int = 200
    error_code: str = ""
    units: str = "{}"
    is_estimated: bool = False
    cost: Nanos = Nanos(0)
    first_byte_ms: int | None = None
    total_ms: int = 0
    losses: str = "[]"
    task_id: str = ""


_INSERT = PreparedRows(
    call,
    CallRow.__struct_fields__,
    sqlite=lambda rows: sqlite.insert(call).values(rows).on_conflict_do_nothing(),
    postgresql=lambda rows: postgresql.insert(call).values(rows).on_conflict_do_nothing(),
)


def insert_calls(conn: Connection, rows: Sequence[CallRow]) -> None:
    """Writes rows; those whose request id is known stay as they are."""
    _INSERT.insert(conn, [msgspec.structs.astuple(row) for row in rows])


def set_cost(conn: Connection, request_id: str, cost: Nanos) -> None:
    """Notes what a call came to cost in the end, when its task was settled."""
    conn.execute(update(call).where(call.c.request_id == request_id).values(cost=cost))
