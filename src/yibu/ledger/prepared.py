"""Statements that are compiled once a dialect and then run on the driver's cursor.

Everybody else uses SQLAlchemy's `execute`. A paying call runs a dozen statements, and there SQLAlchemy's share was the
greater part of the time (figures: bench/ledger.py); the text still comes from its compiler, so it is right for
both databases.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, Connection, Table, bindparam

Row = tuple[Any, ...]
"""As the driver gives it; the function that owns the statement knows the types."""


class Prepared:
    """A statement with the same parameters everywhere.

    `members`: names of the parameters in the order of the tuples that callers pass; checked against the compiler's.
    `postgresql`: where the two databases need different constructs.
    """

    def __init__(self, sqlite: ClauseElement, members: Sequence[str], postgresql: ClauseElement | None = None) -> None:
        self._statements = {"sqlite": sqlite, "postgresql": sqlite if postgresql is None else postgresql}
        self._members = list(members)
        self._texts: dict[str, str] = {}

    def execute_many(self, conn: Connection, rows: Sequence[Row]) -> None:
        """Runs it once a row; `rows` may be empty."""
        if rows:
            cursor = conn.connection.cursor()
            cursor.executemany(self._text(conn), rows)
            cursor.close()

    def execute(self, conn: Connection, row: Row) -> None:
        """Runs it once."""
        cursor = conn.connection.cursor()
        cursor.execute(self._text(conn), row)
        cursor.close()

    def fetch_all(self, conn: Connection, row: Row) -> Sequence[Row]:
        """Runs it and gives all rows of the answer."""
        cursor = conn.connection.cursor()
        cursor.execute(self._text(conn), row)
        answer = cursor.fetchall()
        cursor.close()
        return answer

    def _text(self, conn: Connection) -> str:
        name = conn.dialect.name
        text = self._texts.get(name)
        if text is None:
            compiled: Any = self._statements[name].compile(dialect=conn.dialect)
            if compiled.positiontup != self._members:
                raise TypeError(f"The parameters are {compiled.positiontup}, not {self._members}")
            text = self._texts[name] = str(compiled)
        return text


class PreparedList:
    """A query with one list of values.

    The list is filled up to the next power of four by repeating its last value, so that there are a handful of texts.
    `make`: gives the statement for the names of that many parameters.
    """

    def __init__(self, make: Callable[[list[str]], ClauseElement]) -> None:
        self._make = make
        self._sizes: dict[int, Prepared] = {}

    def fetch_all(self, conn: Connection, values: Iterable[str]) -> Sequence[Row]:
        """Runs the query for these values; gives nothing for no values."""
        given = tuple(values)
        if not given:
            return ()
        size = 4
        while size < len(given):
            size *= 4
        prepared = self._sizes.get(size)
        if prepared is None:
            names = [f"value_{number}" for number in range(size)]
            prepared = self._sizes[size] = Prepared(self._make(names), names)
        return prepared.fetch_all(conn, given + given[-1:] * (size - len(given)))


Rows = Sequence[Mapping[str, BindParameter[Any]]]
ROWS = (64, 16, 4, 1)


class PreparedRows:
    """An insert of any number of rows, sent in statements of 64, 16, 4 and 1.

    sqlite3 lets go of the interpreter's lock for each statement, and to get it back from an event loop that is busy
    costs both threads (measured: 7 µs of a call's 248 when 32 are under way).
    """

    def __init__(
        self,
        table: Table,
        members: Sequence[str],
        sqlite: Callable[[Rows], ClauseElement],
        postgresql: Callable[[Rows], ClauseElement] | None = None,
    ) -> None:
        """`members`: columns in the order of the tuples that callers pass; the functions make a statement for rows."""
        self._statements: dict[int, Prepared] = {}
        for size in ROWS:
            rows = [{m: bindparam(f"{m}_{row}", type_=table.c[m].type) for m in members} for row in range(size)]
            names = [f"{member}_{row}" for row in range(size) for member in members]
            self._statements[size] = Prepared(sqlite(rows), names, postgresql(rows) if postgresql else None)

    def insert(self, conn: Connection, rows: Sequence[Row]) -> None:
        """Writes all rows; there may be none."""
        done = 0
        for size in ROWS:
            while len(rows) - done >= size:
                self._statements[size].execute(conn, tuple(chain.from_iterable(rows[done : done + size])))
                done += size
