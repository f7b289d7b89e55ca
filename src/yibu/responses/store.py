"""Queries on kept responses. Plain functions of a connection, to be run by `Database.read` and `.write`."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, RowMapping, and_, delete, insert, select

from yibu.responses.record import UNFINISHED, Record
from yibu.responses.tables import response, response_item

MOST_BACK = 2048
"""Responses in one conversation; more have been joined by mistake, or in a ring."""
MOST_AT_ONCE = 200
"""Rows that are deleted in one statement."""


def save(conn: Connection, record: Record) -> None:
    """Writes the record; one of the same wallet and id is replaced, as when a vendor answers the same call again."""
    remove(conn, record.wallet, record.id)
    conn.execute(insert(response).values(msgspec.structs.asdict(record)))
    ids = record.item_ids
    if ids:
        known = and_(response_item.c.wallet == record.wallet, response_item.c.id.in_(ids))
        conn.execute(delete(response_item).where(known))
        rows = [{"wallet": record.wallet, "id": id, "response_id": record.id} for id in ids]
        conn.execute(insert(response_item), rows)


def load(conn: Connection, wallet: int, id: str, now: int) -> Record | None:
    """None when this wallet has no such response, or its time is over."""
    mine = and_(response.c.wallet == wallet, response.c.id == id, response.c.expires_at > now)
    row = conn.execute(select(response).where(mine)).mappings().first()
    return None if row is None else _record(row)


def chain(conn: Connection, wallet: int, id: str, now: int) -> list[Record] | None:
    """The response and all those before it, the oldest first; None when one of them is gone."""
    found: list[Record] = []
    while id:
        record = load(conn, wallet, id, now) if len(found) < MOST_BACK else None
        if record is None:
            return None
        found.append(record)
        id = record.previous_id
    return found[::-1]


def holders(conn: Connection, wallet: int, items: Iterable[str], now: int) -> dict[str, Record]:
    """The responses in which these items stand, by item; without those that are nowhere."""
    wanted = and_(response_item.c.wallet == wallet, response_item.c.id.in_(list(items)))
    places = conn.execute(select(response_item.c.id, response_item.c.response_id).where(wanted)).all()
    records = {id: load(conn, wallet, id, now) for id in {place.response_id for place in places}}
    return {place.id: record for place in places if (record := records[place.response_id]) is not None}


def remove(conn: Connection, wallet: int, id: str) -> bool:
    """Whether there was one."""
    conn.execute(delete(response_item).where(and_(response_item.c.wallet == wallet, response_item.c.response_id == id)))
    return conn.execute(delete(response).where(and_(response.c.wallet == wallet, response.c.id == id))).rowcount > 0


def remove_expired(conn: Connection, now: int) -> int:
    """Deletes some of those whose time is over; gives their number, which is 0 when none is left."""
    old = select(response.c.wallet, response.c.id).where(response.c.expires_at <= now).limit(MOST_AT_ONCE)
    gone = conn.execute(old).all()
    for row in gone:
        remove(conn, row.wallet, row.id)
    return len(gone)


def unfinished(conn: Connection) -> list[Record]:
    """Those that somebody was still making."""
    rows = conn.execute(select(response).where(response.c.status.in_(UNFINISHED))).mappings().all()
    return [_record(row) for row in rows]


def finish(conn: Connection, record: Record) -> None:
    """Writes how an unfinished response ended, unless it was deleted meanwhile."""
    mine = and_(response.c.wallet == record.wallet, response.c.id == record.id)
    if conn.execute(select(response.c.id).where(mine)).first() is not None:
        save(conn, record)


def _record(row: RowMapping) -> Record:
    return Record(**row)
