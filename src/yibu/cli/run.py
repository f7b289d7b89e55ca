"""Runs the server for `yibu serve` and `yibu demo`. Imported by these two alone: it brings everything along, and the
other commands start in half the time without it."""

import typer
import uvloop

from yibu.app import demo
from yibu.app.build import App
from yibu.app.data_dir import AlreadyServed, DataDirUnusable
from yibu.app.sandbox import SandboxFailed
from yibu.app.serve import PortTaken, Ready, serve
from yibu.cli.house import fail
from yibu.kit import logs
from yibu.kit.settings import Settings
from yibu.routing.channel import WrongChannel


async def say_ready(app: App, url: str) -> None:
    typer.echo(f"Yibu listens on {url}")


async def invite(app: App, url: str) -> None:
    typer.echo(await demo.invitation(app, url))


def run(settings: Settings, *, with_sandbox: bool, on_ready: Ready) -> None:
    """Returns when it was told to stop; ends the program with a sentence when it cannot start."""
    logs.configure(settings.server.log_level, settings.server.log_json)
    try:
        uvloop.run(serve(settings, with_sandbox=with_sandbox, on_ready=on_ready))
    except (DataDirUnusable, AlreadyServed, PortTaken, SandboxFailed, WrongChannel, ValueError) as exc:
        fail(str(exc))
