"""Serves the sandbox with granian inside the running event loop."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from yibu.sandbox.asgi import build


async def serve(
    host: str,
    port: int,
    token: str | None,
    data_dir: Path,
    on_ready: Callable[[str], None],
    report: Callable[[str], None] | None = None,
) -> None:
    """Serve until cancelled. `port`: 0 picks a free one. `on_ready`: called with the address once connections succeed.

    Raises `OSError` when the port is taken.
    """
    port = _check_port(host, port)
    app = build(token, data_dir, report)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    app.start()
    serving = asyncio.create_task(server.serve())
    try:
        await _wait_open(host, port)
        on_ready(f"http://{host}:{port}")
        await asyncio.shield(serving)
    finally:
        app.hang_up()
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({serving}, timeout=2)
        await app.stop()


def _check_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0. Bound and let go, so that a taken port is an error at once."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])


async def _wait_open(host: str, port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.005)
        else:
            writer.close()
            return
