"""Queries on the rows of long work. Plain functions of a connection, to be run by `Database.read` and `.write`."""

from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from yibu.tasks.tables import task
from yibu.tasks.task import State, Task

ON_ITS_WAY_MS = 10_000
"""A vendor knows of work that was sent to it so long ago, or will never know."""


class LostLease(Exception):
    """Somebody else looks after the row by now; what this worker found out is thrown away."""


def insert_task(conn: Connection, row: Task) -> None:
    conn.execute(insert(task).values(msgspec.structs.asdict(row)))


def ensure(conn: Connection, row: Task) -> None:
    """Inserts the row unless there is one with its id."""
    try:
        with conn.begin_nested():
            insert_task(conn, row)
    except IntegrityError:
        return


def load(conn: Connection, task_id: str) -> Task | None:
    row = conn.execute(select(task).where(task.c.id == task_id)).mappings().first()
    return None if row is None else _task(row)


def claim(conn: Connection, *, now: int, until: int, token: str, most: int) -> list[Task]:
    """Rows that are due and free, leased to `token` until the time `until`.

    PostgreSQL takes `SKIP LOCKED`, so that workers do not wait for each other; SQLite has one writer and leaves it out.
    """
    due = (
        select(task.c.id)
        .where(and_(task.c.next_at <= now, or_(task.c.lease_until_at.is_(None), task.c.lease_until_at < now)))
        .order_by(task.c.next_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    taken = update(task).where(task.c.id.in_(due)).values(lease_until_at=until, lease_token=token).returning(task)
    return [_task(row) for row in conn.execute(taken).mappings().all()]


def save(conn: Connection, row: Task, **changes: Any) -> None:
    """Writes `changes` if the lease still is ours. Raises `LostLease`."""
    mine = and_(task.c.id == row.id, task.c.lease_token == row.lease_token)
    if conn.execute(update(task).where(mine).values(**changes)).rowcount != 1:
        raise LostLease(row.id)


def free_leases(conn: Connection, now: int) -> int:
    """Takes every row from whoever leased it, because they are all gone; gives their number.

    What was just being submitted is left alone for a moment, so that a request which is still on its way arrives
    before the vendor is asked whether it knows the work.
    """
    sent = update(task).where(task.c.lease_token.is_not(None), task.c.state == State.SUBMITTING)
    conn.execute(sent.values(next_at=now + ON_ITS_WAY_MS))
    leased = update(task).where(task.c.lease_token.is_not(None))
    return conn.execute(leased.values(lease_until_at=None, lease_token=None)).rowcount


def next_due(conn: Connection) -> int | None:
    """When the next row falls due, in unix milliseconds; leased rows count from the end of their lease."""
    rows = conn.execute(
        select(task.c.next_at, task.c.lease_until_at)
        .where(task.c.next_at.is_not(None))
        .order_by(task.c.next_at)
        .limit(50)
    )
    return min((max(row.next_at, row.lease_until_at or 0) for row in rows), default=None)


def look_now(conn: Connection, task_id: str, now: int) -> None:
    """A reason to look sooner: the row falls due at once."""
    conn.execute(update(task).where(and_(task.c.id == task_id, task.c.next_at.is_not(None))).values(next_at=now))


def _task(row: RowMapping) -> Task:
    return Task(**{**row, "state": State(row["state"])})
