"""The customer's end of a call: what was answered so far, and whether anybody still listens."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Headers = list[tuple[bytes, bytes]]
Listener = Callable[[bytes], Awaitable[None]]

PING = b": ping\n\n"
PING_S = 15.0
"""A stream that has been silent for so long gets a comment, which every client skips, so that proxies keep it open."""

HTTP_OK = 200
NO_CONTENT = (204, 304)
"""Answers of which a length would say something else. Source: RFC 9110, section 8.6."""


class Gone(Exception):
    """The customer hung up, and the call was told to stop for that."""


class Reply:
    """Writes an ASGI answer. Writing to a customer who has gone does nothing.

    While it is open as a context (`async with reply.watching(grace_s)`), a hang-up stops the code inside after `grace_s` seconds: `Gone`
    comes out of the context. `always`: headers of every answer.
    """

    def __init__(self, send: Send, receive: Receive, always: Headers, *, is_head: bool = False) -> None:
        self._send = send
        self._receive = receive
        self._always = always
        self._is_head = is_head
        self.is_stream = False
        self._is_writing = False
        self._tail = b"\n\n"
        self._written_at = 0.0
        self._ping: asyncio.TimerHandle | None = None
        self._ping_frame = PING
        self._pinging: asyncio.Task[None] | None = None
        self.before_end: Callable[[], None] | None = None
        """Called once, just before the last byte of the answer goes out."""
        self.listener: Listener | None = None
        """Hears each piece of a good answer before it goes out."""
        self.has_started = False
        self.is_gone = False
        self.status = 0

    def watching(self, grace_s: float) -> "Watch":
        return Watch(self, self._receive, grace_s)

    async def start(self, status: int, headers: Headers, *, is_stream: bool = False, ping: bytes = PING) -> None:
        """Sends the head. `is_stream`: a piece at a time, kept alive with `ping` while there is silence, unless that is empty."""
        self.has_started = True
        self.status = status
        self.is_stream = is_stream
        self._ping_frame = ping
        if is_stream and ping:
            self._schedule_ping()
        await self._emit({"type": "http.response.start", "status": status, "headers": [*headers, *self._always]})

    async def write(self, data: bytes) -> None:
        """Sends a piece; waits while the customer is slower than the upstream."""
        if self.listener:
            await self.listener(data)
        if self._pinging:
            await self._after_ping()
        self._is_writing = True
        try:
            await self._emit({"type": "http.response.body", "body": b"" if self._is_head else data, "more_body": True})
        finally:
            self._is_writing = False
        self._tail = data[-4:] if len(data) >= 4 else (self._tail + data)[-4:]
        self._written_at = asyncio.get_running_loop().time()

    async def end(self) -> None:
        """Sends the end of the body."""
        self._stop_ping()
        await self._after_ping()
        await self._last(b"")

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Sends an answer in one piece."""
        if self.listener and status == HTTP_OK:
            await self.listener(body)
        length = [] if status in NO_CONTENT else [(b"content-length", str(len(body)).encode())]
        self.has_started = True
        self.status = status
        await self._emit(
            {"type": "http.response.start", "status": status, "headers": [*headers, *length, *self._always]}
        )
        await self._last(b"" if self._is_head else body)

    async def _last(self, body: bytes) -> None:
        if self.before_end:
            self.before_end()
        await self._emit({"type": "http.response.body", "body": body, "more_body": False})

    async def _emit(self, message: Message) -> None:
        if self.is_gone:
            return
        try:
            await self._send(message)
        except (OSError, RuntimeError):  # the server's word for a connection that is no longer there
            self.is_gone = True

    def _schedule_ping(self) -> None:
        loop = asyncio.get_running_loop()
        self._written_at = loop.time()
        self._ping = loop.call_later(PING_S, self._maybe_ping)

    def _maybe_ping(self) -> None:
        loop = asyncio.get_running_loop()
        silent_s = loop.time() - self._written_at
        is_at_frame_end = self._tail.endswith((b"\n\n", b"\r\n\r\n"))
        if silent_s >= PING_S and is_at_frame_end and not self._is_writing and not self.is_gone:
            self._pinging = loop.create_task(
                self._emit({"type": "http.response.body", "body": self._ping_frame, "more_body": True})
            )
            self._pinging.add_done_callback(self._forget_ping)
            self._written_at = loop.time()
            silent_s = 0.0
        self._ping = loop.call_later(max(PING_S - silent_s, 1.0), self._maybe_ping)

    async def _after_ping(self) -> None:
        if self._pinging:
            await asyncio.wait([self._pinging])

    def _forget_ping(self, _done: asyncio.Task[None]) -> None:
        self._pinging = None

    def _stop_ping(self) -> None:
        if self._ping:
            self._ping.cancel()
            self._ping = None


class Watch:
    """Listens for the customer's hang-up while the code inside works."""

    def __init__(self, reply: Reply, receive: Receive, grace_s: float) -> None:
        self._reply = reply
        self._receive = receive
        self._grace_s = grace_s
        self._listener: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._worker: asyncio.Task[Any] | None = None
        self._did_stop = False

    async def __aenter__(self) -> None:
        self._worker = asyncio.current_task()
        self._listener = asyncio.create_task(self._listen())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._listener
        self._listener.cancel()
        # The cancelled task keeps a traceback that leads here: together they would be a ring for the collector to find.
        self._listener = None
        if self._deadline:
            self._deadline.cancel()
        self._reply._stop_ping()
        if self._did_stop and kind is asyncio.CancelledError:
            assert self._worker
            self._worker.uncancel()
            raise Gone from error

    async def _listen(self) -> None:
        while True:
            if (await self._receive())["type"] == "http.disconnect":
                break
        self._reply.is_gone = True
        self._deadline = asyncio.get_running_loop().call_later(self._grace_s, self._stop)

    def _stop(self) -> None:
        assert self._worker
        self._did_stop = True
        self._worker.cancel()
