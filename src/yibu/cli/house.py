"""What all commands share: the configuration, the database, and how a mistake is told."""

import asyncio
import json
import re
import tomllib
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from yibu.app import migrate
from yibu.app.data_dir import DataDirUnusable, prepare
from yibu.kit.db import Database, DatabaseAway
from yibu.kit.settings import Settings, load

T = TypeVar("T")

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file (TOML). 配置文件", envvar="YIBU_CONFIG")
]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where data is kept. 数据目录")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON. 输出 JSON")]


def settings_of(config: Path | None, data_dir: Path | None, **overrides: Any) -> Settings:
    """Ends the program with a sentence when the configuration is wrong."""
    if config is None and Path("yibu.toml").is_file():
        config = Path("yibu.toml")
    try:
        return load(config, **({"data_dir": data_dir} if data_dir else {}), **overrides)
    except (FileNotFoundError, tomllib.TOMLDecodeError) as exc:
        where = f" ({config})" if isinstance(exc, tomllib.TOMLDecodeError) else ""
        fail(f"The configuration cannot be read: {exc}{where}")
    except SettingsError as exc:
        section = re.search(r'field "(\w+)"', str(exc))
        name = f"YIBU_{section[1].upper()}" if section else "YIBU_…"
        fail(f"The variable {name}, or one whose name begins so, is no JSON. Lists and tables are written as JSON.")
    except ValidationError as exc:
        problems = [f"  {_place(one['loc'])}: {_words(one['type'], one['msg'])}" for one in exc.errors()]
        fail("The configuration is wrong:\n" + "\n".join(problems))


WORDS = {
    "extra_forbidden": "There is no such setting.",
    "missing": "This setting is required.",
    "tuple_type": 'It takes a list, such as ["…"].',
    "int_parsing": "It takes a whole number.",
    "decimal_parsing": 'It takes a number, such as "0.15".',
    "string_pattern_mismatch": "It takes letters, digits, `.`, `_` and `-`, 64 at most.",
}
"""By pydantic's kind of error, where its own words are for programmers."""


def _words(kind: str, message: str) -> str:
    return WORDS.get(kind) or message.removeprefix("Value error, ")


def _place(path: tuple[int | str, ...]) -> str:
    """Such as `channels[2].name` for the second block, as people count."""
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Runs `work` on an up-to-date database."""

    async def run() -> T:
        prepare(settings.data_dir)
        migrate.upgrade(settings.database_url)
        db = Database.open(settings.database_url)
        try:
            return await work(db)
        finally:
            await db.close()

    return finish(run())


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine; a database that is away, or a directory that cannot be, becomes a sentence."""
    try:
        return asyncio.run(work)
    except (DatabaseAway, DataDirUnusable) as exc:
        fail(str(exc))


def say(facts: dict[str, Any], *, as_json: bool, human: str) -> None:
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else human)


def fail(message: str, code: int = 1) -> NoReturn:
    typer.secho(message, fg="red", err=True)
    raise typer.Exit(code)
