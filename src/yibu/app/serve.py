"""The serving process: prepares the data directory, starts the sandbox and the gateway, and stops both in order."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from yibu.app import migrate
from yibu.app.build import MOST_OPEN_CALLS, App, build
from yibu.app.data_dir import DataLock, prepare, tighten
from yibu.app.sandbox import SandboxChild
from yibu.gateway.asgi import CUT_S
from yibu.kit.settings import Settings

log = structlog.get_logger(__name__)

DRAIN_S = 30.0
"""How long calls under way may go on after the process was told to stop."""

Ready = Callable[[App, str], Awaitable[None]]


class PortTaken(RuntimeError):
    """Another program listens there."""


async def serve(settings: Settings, *, with_sandbox: bool, on_ready: Ready) -> None:
    """Serves until SIGTERM or SIGINT. `on_ready` is told the gateway's address when it answers.

    Raises `DataDirUnusable`, `AlreadyServed`, `PortTaken`, `SandboxFailed`, `WrongChannel`, `ValueError`, each with a sentence.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    prepare(settings.data_dir)
    tighten(settings.data_dir)
    with DataLock(settings.data_dir):
        port = _free(settings.server.host, settings.server.port)
        migrate.upgrade(settings.database_url)
        async with _sandbox(settings, with_sandbox) as complete:
            app = build(complete)
            await app.start()
            _forget_what_stays()
            try:
                await _listen(app, complete.server.host, port, stop, on_ready)
            finally:
                await app.stop()


async def _listen(app: App, host: str, port: int, stop: asyncio.Event, on_ready: Ready) -> None:
    server = Server(
        app.gateway,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=MOST_OPEN_CALLS,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    await _until_answering(host, port, serving)
    await on_ready(app, f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}")  # noqa: S104
    await asyncio.wait({serving, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
        return
    log.info("stopping")
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait({serving}, timeout=DRAIN_S)
    if cut := await app.gateway.cut():
        log.warning("calls_cut", count=cut)
        await asyncio.wait({serving}, timeout=CUT_S)


def _forget_what_stays() -> None:
    """Modules, classes and tables live as long as the process: the collector need not walk over them again and again,
    with every call waiting for it. A call leaves no rings behind, so there is little for it to find at all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@contextlib.asynccontextmanager
async def _sandbox(settings: Settings, is_wanted: bool) -> AsyncIterator[Settings]:
    if not is_wanted:
        yield settings
        return
    child = SandboxChild(settings.data_dir / "sandbox")
    await child.start()
    try:
        yield child.join(settings)
    finally:
        await child.stop()


async def _until_answering(host: str, port: int, serving: asyncio.Task[None]) -> None:
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1" if host == "0.0.0.0" else host, port)  # noqa: S104
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return
    await serving


def _free(host: str, port: int) -> int:
    """The port itself, or a free one for 0. Raises `PortTaken`."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise PortTaken(
                f"Cannot listen on {host}:{port}: {exc.strerror}. Choose another --port or --host."
            ) from exc
        chosen: int = probe.getsockname()[1]
        return chosen
