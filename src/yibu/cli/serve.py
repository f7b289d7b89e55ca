"""`yibu serve`, `yibu demo`, `yibu sandbox`, `yibu migrate`: run things."""

from pathlib import Path
from typing import Annotated

import typer

from yibu.app import migrate as migrations
from yibu.app.data_dir import DataDirUnusable, prepare
from yibu.cli.house import Config, DataDir, fail, settings_of
from yibu.kit.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on. 监听地址")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one. 端口")]


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)
    app.command("demo")(demo)
    app.command("sandbox")(sandbox)
    app.command("migrate")(migrate)


def serve(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    sandbox: Annotated[bool, typer.Option(help="Start the sandbox as one more vendor. 启动沙盒")] = False,
) -> None:
    """Run the gateway. 启动网关。"""
    from yibu.cli.run import run, say_ready

    run(_settings(config, data_dir, host, port), with_sandbox=sandbox, on_ready=say_ready)


def demo(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
) -> None:
    """Run the gateway with the sandbox, a key and some credit, and print a command to try. 一键体验。"""
    from yibu.cli.run import invite, run

    run(_settings(config, data_dir or Path(".demo"), host, port), with_sandbox=True, on_ready=invite)


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535)] = 9100,
    data_dir: Annotated[Path, typer.Option()] = Path("sandbox-data"),
) -> None:
    """Run the sandbox alone, as a vendor that needs no account. 单独运行沙盒。"""
    from yibu.sandbox.__main__ import main

    raise typer.Exit(main(["--port", str(port), "--data-dir", str(data_dir)]))


def migrate(config: Config = None, data_dir: DataDir = None) -> None:
    """Bring the database's tables up to date. 升级数据库。"""
    settings = settings_of(config, data_dir)
    try:
        prepare(settings.data_dir)
    except DataDirUnusable as exc:
        fail(str(exc))
    migrations.upgrade(settings.database_url)
    typer.echo(f"The database is at revision {migrations.current(settings.database_url)}.")


def _settings(config: Path | None, data_dir: Path | None, host: str | None, port: int | None) -> Settings:
    settings = settings_of(config, data_dir)
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    return settings.model_copy(update={"server": settings.server.model_copy(update=given)})
