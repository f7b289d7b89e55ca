import importlib
import sqlite3
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

import yibu
from yibu.app.migrate import MIGRATIONS, current, head, is_current, upgrade
from yibu.kit.db import make_engine
from yibu.kit.tables import metadata


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


def schema(file: Path) -> dict[str, str]:
    """Every table and index, as the statement that makes it, blanks evened out."""
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: " ".join(sql.split()) for name, sql in rows if name != "alembic_version"}


def import_all_tables() -> None:
    """Each package's `tables.py`, found by its name."""
    for file in sorted(Path(yibu.__path__[0]).glob("*/tables.py")):
        importlib.import_module(f"yibu.{file.parent.name}.tables")


def test_migrations_make_what_the_code_expects(tmp_path: Path) -> None:
    """The migrated schema is, statement by statement, the one that the tables in the code describe."""
    import_all_tables()
    upgrade(url_of(tmp_path / "migrated.db"))
    engine = make_engine(make_url(url_of(tmp_path / "made.db")))
    with engine.begin() as connection:
        metadata.create_all(connection)
    engine.dispose()

    migrated, made = schema(tmp_path / "migrated.db"), schema(tmp_path / "made.db")
    assert migrated == made
    assert {"account", "transfer", "entry", "call", "wallet", "user", "api_key"} <= set(migrated)


def test_upgrade_twice(tmp_path: Path) -> None:
    """A database that is up to date stays as it is."""
    upgrade(url_of(tmp_path / "a.db"))
    before = schema(tmp_path / "a.db")
    upgrade(url_of(tmp_path / "a.db"))

    assert schema(tmp_path / "a.db") == before


def test_current(tmp_path: Path) -> None:
    """A database without tables has no revision; a migrated one has the last."""
    url = url_of(tmp_path / "a.db")

    assert current(url) is None
    assert not is_current(url)
    assert not (tmp_path / "a.db").exists()
    upgrade(url)
    assert current(url) == head()
    assert is_current(url)


def test_head_is_the_last_migration() -> None:
    """The files' names say the same as Alembic, which reads their contents."""
    script = ScriptDirectory(str(MIGRATIONS))

    assert head() == script.get_current_head()


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    """Blanks, percent signs and Chinese in a path do no harm."""
    folder = tmp_path / "50% 数据"
    folder.mkdir()
    upgrade(url_of(folder / "a.db"))

    assert is_current(url_of(folder / "a.db"))


def test_a_failed_upgrade_leaves_nothing(tmp_path: Path) -> None:
    """A migration that breaks off is undone whole, so it can be run again."""
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE api_key (id TEXT)")
    connection.close()

    with pytest.raises(OperationalError, match="api_key"):
        upgrade(url_of(tmp_path / "a.db"))
    assert set(schema(tmp_path / "a.db")) == {"api_key"}
    assert current(url_of(tmp_path / "a.db")) is None
