"""The database: synchronous transactions, each run whole in a thread (SQLite) or in a greenlet (PostgreSQL, later).

A transaction is a plain function of a connection. It hops to its thread once, not once a statement as the async drivers
do, and reads from top to bottom.

On SQLite one thread writes (the file allows one writer anyway, and a queue is fairer than its lock) and a few read.
A kill of the process loses nothing that was committed. What a power cut may take is chosen a transaction:

* `write` is lasting (`synchronous=FULL`): on the disk when it returns. A top-up that a payment service was told is
  booked, work that a vendor was sent and a revoked key must not come back changed.
* `submit_write(…, is_lasting=False)` (`synchronous=NORMAL`) reaches the disk with the next lasting commit, checkpoint or
  write-back of the kernel. A power cut takes back the last seconds as a whole, so the books still agree; the house
  gives away those calls. It saves about 80 µs CPU and 190 µs of waiting a commit (measured, virtual disk, 2 cores).
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

T = TypeVar("T")

READERS = 3
BUSY_TIMEOUT_S = 10.0
"""How long a transaction waits for another process (the command line) that is writing the same file."""

_AWAY_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


class DatabaseAway(Exception):
    """The database cannot do that now: locked by another process, disk full, closed. Nothing was written; try again."""


class Database:
    """Runs transactions. Made by `Database.open`; one a process."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._writer = _Threads(make_engine(url, begin="BEGIN IMMEDIATE", query_only=False), 1, "db-write")
        self._reader = _Threads(make_engine(url, begin="BEGIN", query_only=True), READERS, "db-read")

    @classmethod
    def open(cls, url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> "Database":
        """Opens `sqlite:///path/to/file`; makes the file if it is not there, and no tables (`app/migrate.py` does).

        Nothing is touched before the first transaction. Raises `ValueError` for a database that we cannot use.
        """
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            raise ValueError(
                f"Databases of the kind {parsed.get_backend_name()!r} are not supported yet: use sqlite:///<path>"
            )
        if not parsed.database or parsed.database == ":memory:":
            raise ValueError("SQLite has to live in a file, because several connections share it: sqlite:///<path>")
        return cls(parsed.set(drivername="sqlite+pysqlite").update_query_dict({"timeout": str(busy_timeout_s)}))

    async def read(self, transaction: Callable[[Connection], T]) -> T:
        """Runs a transaction that only reads, on one snapshot. Raises `DatabaseAway`; writing in it is refused."""
        return await self._reader.submit(transaction)

    async def write(self, transaction: Callable[[Connection], T]) -> T:
        """Runs a transaction and commits it; if it raises, nothing is written and the exception comes out here.

        Raises `DatabaseAway`. A caller who is cancelled does not stop a transaction that has begun.
        """
        return await self._writer.submit(transaction)

    def submit_write(self, transaction: Callable[[Connection], T], *, is_lasting: bool) -> "asyncio.Future[T]":
        """Like `write`, begun at once, for those who want a callback instead of a task (the ledger's writer).

        `is_lasting`: whether it must survive a power cut; see the top of this file.
        """
        return self._writer.submit(transaction, is_lasting)

    async def close(self) -> None:
        """Waits for the transactions under way, then closes all connections."""
        await asyncio.gather(self._writer.close(), self._reader.close())


class _Threads:
    """A few threads, each with one connection that stays open."""

    def __init__(self, engine: Engine, count: int, name: str) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._own = threading.local()
        self._lock = threading.Lock()
        self._connections: list[Connection] = []
        self._is_closed = False

    def submit(self, transaction: Callable[[Connection], T], is_lasting: bool = True) -> "asyncio.Future[T]":
        if self._is_closed:
            raise DatabaseAway("The database is closed")
        return asyncio.get_running_loop().run_in_executor(self._pool, self._run, transaction, is_lasting)

    def _run(self, transaction: Callable[[Connection], T], is_lasting: bool) -> T:
        connection = None
        try:
            connection = self._connection()
            self._set_lasting(connection, is_lasting)
            with connection.begin():
                return transaction(connection)
        except (DBAPIError, sqlite3.Error) as error:
            if not is_away(error):
                raise
            self._drop(connection)
            raise DatabaseAway(f"The database is away: {_root(error)}") from error

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._engine.connect()
            self._own.connection = connection
            self._own.is_lasting = True
            with self._lock:
                self._connections.append(connection)
        return connection

    def _set_lasting(self, connection: Connection, is_lasting: bool) -> None:
        """Outside of a transaction, the only place where SQLite takes this pragma."""
        if self._own.is_lasting is not is_lasting:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute(f"PRAGMA synchronous={'FULL' if is_lasting else 'NORMAL'}")
            self._own.is_lasting = is_lasting

    def _drop(self, connection: Connection | None) -> None:
        """Forgets a connection that failed; the next transaction of this thread opens a fresh one."""
        if connection is None:
            return
        self._own.connection = None
        with self._lock:
            self._connections.remove(connection)
        connection.close()

    async def close(self) -> None:
        self._is_closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)
        for connection in self._connections:
            connection.close()
        self._engine.dispose()


def is_away(error: BaseException) -> bool:
    """Tells whether an error comes from the database's state (locked, full, gone) rather than from our statement."""
    root = _root(error)
    code = getattr(root, "sqlite_errorcode", None)
    return isinstance(root, sqlite3.Error) and code is not None and (code & 0xFF) in _AWAY_CODES


def _root(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def make_engine(url: URL, *, begin: str = "BEGIN IMMEDIATE", query_only: bool = False) -> Engine:
    """Gives an engine whose connections are set up as ours have to be; for `Database` and for migrations.

    `begin`: how a transaction starts; `query_only`: whether writing is refused.
    """
    # isolation_level None: the driver sends no BEGIN of its own, so that ours decides (docs.sqlalchemy.org,
    # dialects/sqlite, "Serializable isolation / Savepoints / Transactional DDL").
    engine = create_engine(url, poolclass=NullPool, connect_args={"isolation_level": None, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        if query_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
