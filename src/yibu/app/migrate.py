"""Brings a database's tables to the shape that this version expects: Alembic, without an ini file.

The migrations travel in the wheel (`app/migrations/versions`). These functions are synchronous and meant for the start
of a process and for the command line. Alembic is imported only when a migration is missing: a serving process would
carry its 10 MB for ever, and every command would wait for it.
"""

from pathlib import Path

from sqlalchemy import Engine, column, inspect, select, table
from sqlalchemy.engine import make_url

from yibu.kit.db import make_engine

MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = table("alembic_version", column("version_num"))


def upgrade(url: str) -> None:
    """Runs all migrations that are missing, in one transaction; safe to repeat, and by several processes at once."""
    if is_current(url):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    # A percent sign in a path would be read as an interpolation.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def current(url: str) -> str | None:
    """Gives the revision the database is at; None when it has no tables yet. Makes no file."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        return None
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(_VERSION.name):
                return None
            revision: str | None = connection.execute(select(_VERSION.c.version_num)).scalar()
            return revision
    finally:
        engine.dispose()


def is_current(url: str) -> bool:
    """Tells whether no migration is missing."""
    return current(url) == head()


def head() -> str:
    """Gives the revision that this version of the program expects: the migrations' files begin with their revision."""
    return max(file.name for file in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def _engine(url: str) -> Engine:
    return make_engine(make_url(url))
