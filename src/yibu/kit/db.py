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
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

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
    """A few threads that take transactions from one queue.

    Not `concurrent.futures`: a hop there and back costs a third more (47 against 61 µs CPU), and the ledger makes two a
    call. They are daemons: dying in the middle of a transaction is what a database is made for.
    """

    def __init__(self, engine: Engine, count: int, name: str) -> None:
        self._engine = engine
        self._count = count
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    def submit(self, transaction: Callable[[Connection], T], is_lasting: bool = True) -> "asyncio.Future[T]":
        if self._is_closed:
            raise DatabaseAway("The database is closed")
        if not self._threads:
            self._threads = [
                threading.Thread(
                    target=_Worker(self._engine, self._jobs).work, name=f"{self._name}-{number}", daemon=True
                )
                for number in range(self._count)
            ]
            for thread in self._threads:
                thread.start()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(transaction, is_lasting, answer))
        return answer

    async def close(self) -> None:
        self._is_closed = True
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._engine.dispose()


class _Job(NamedTuple):
    transaction: Callable[[Connection], Any]
    is_lasting: bool
    answer: "asyncio.Future[Any]"


class _Worker:
    """What one thread does: transactions on a connection of its own, which stays open between them."""

    def __init__(self, engine: Engine, jobs: "SimpleQueue[_Job | None]") -> None:
        self._engine = engine
        self._jobs = jobs
        self._connection: Connection | None = None
        self._is_lasting = True

    def work(self) -> None:
        """Runs until the queue says that there is no more."""
        while (job := self._jobs.get()) is not None:
            if job.answer.cancelled():
                continue
            try:
                answer, error = self._run(job.transaction, job.is_lasting), None
            except BaseException as raised:  # noqa: BLE001  it comes out at the caller, whatever it is
                answer, error = None, raised
            # A loop that was closed meanwhile has nobody who waits.
            with contextlib.suppress(RuntimeError):
                job.answer.get_loop().call_soon_threadsafe(_resolve, job.answer, answer, error)
            del job, answer, error
        self._drop()

    def _run(self, transaction: Callable[[Connection], T], is_lasting: bool) -> T:
        try:
            connection = self._connect()
            if self._is_lasting is not is_lasting:
                self._set_lasting(connection, is_lasting)
            with connection.begin():
                return transaction(connection)
        except (DBAPIError, sqlite3.Error) as error:
            if not is_away(error):
                raise
            self._drop()
            raise DatabaseAway(f"The database is away: {_root(error)}") from error

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._is_lasting = True
        return self._connection

    def _set_lasting(self, connection: Connection, is_lasting: bool) -> None:
        """Outside of a transaction, the only place where SQLite takes this pragma."""
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(f"PRAGMA synchronous={'FULL' if is_lasting else 'NORMAL'}")
        self._is_lasting = is_lasting

    def _drop(self) -> None:
        """Closes the connection; the next transaction opens a fresh one."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()


def _resolve(future: "asyncio.Future[Any]", answer: object, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(answer)
    elif isinstance(error, StopIteration):
        # A future does not take it.
        future.set_exception(RuntimeError(f"A transaction raised {error!r}"))
    else:
        future.set_exception(error)


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
        # On the driver's own connection: through SQLAlchemy it would cost as much as the rest of an empty transaction.
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(begin)

    return engine
