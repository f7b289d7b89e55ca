"""The least that a relay in Python can do: plain ASGI on granian, aiohttp to the upstream, and none of our work.

No key, no limits, no plan, no money, no log, no reading of the answer. What it costs is the floor under every figure,
so figures of one run are quoted as ratios to it. Run: `python -m bench.bare <upstream port>`; prints its port.
"""

import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

Message = MutableMapping[str, Any]


class Bare:
    """The ASGI application."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1000))

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {"content-type": "application/json", "authorization": "Bearer sk-upstream"}
        async with self._session.post(self._upstream + scope["path"], data=body, headers=headers) as answer:
            kind = answer.headers["content-type"]
            if "event-stream" in kind:
                await self._stream(answer, kind, send)
            else:
                whole = await answer.read()
                length = (b"content-length", str(len(whole)).encode())
                head = [(b"content-type", kind.encode()), length]
                await send({"type": "http.response.start", "status": answer.status, "headers": head})
                await send({"type": "http.response.body", "body": whole, "more_body": False})

    async def _stream(
        self, answer: aiohttp.ClientResponse, kind: str, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        head = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": head})
        async for chunk in answer.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def main(upstream_port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(
        Bare(f"http://127.0.0.1:{upstream_port}"),
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        log_enabled=False,
    )
    print(port, flush=True)
    await server.serve()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
