"""Responses that are made while nobody waits: each is a task of this process and a row that says how it ended.

The vendor is always asked for a stream, so that whoever asks later sees how far it is. What the caller gets to see has the
id that he was given at once, and events numbered from the one that told it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import structlog

from yibu.dialects._sse import Cutter, parse
from yibu.dialects.openai_responses.errors import frame, told
from yibu.dialects.openai_responses.event import OVER
from yibu.gateway.recorder import Order
from yibu.hub.errors import Broken, HubError, Internal
from yibu.kit.db import DatabaseAway
from yibu.relay.reply import Message, Reply
from yibu.responses.archive import LOST, Archive

log = structlog.get_logger(__name__)

STOP_S = 10.0
"""For all responses together to write down that they were stopped."""


class Run:
    """One response on its way. `snapshot`: as it would be shown now; `frames`: its events, numbered by their place."""

    def __init__(self, snapshot: dict[str, Any], order: Order, archive: Archive, *, keeps_events: bool) -> None:
        self.snapshot = snapshot
        self.frames: list[bytes] = []
        self.is_over = False
        self._fixed = {key: snapshot[key] for key in ("id", "background", "store", "previous_response_id")}
        self._order = order
        self._archive = archive
        self._keeps_events = keeps_events
        self._cutter = Cutter()
        self._changed = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._tell({"type": "response.created", "response": snapshot})
        self._tell({"type": "response.queued", "response": snapshot})

    async def hear(self, data: bytes) -> None:
        """What would go to a caller who waits."""
        for raw in self._cutter.feed(data):
            read = parse(raw)
            if read is not None and not read.data.startswith(b"[DONE]"):
                self._take(msgspec.json.decode(read.data))

    def _take(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        if kind in ("response.created", "response.queued") or self.is_over:
            return
        if kind == "error":
            error = {"code": str(event.get("code")), "message": str(event.get("message"))}
            self._end({**self.snapshot, "status": "failed", "error": error}, "response.failed")
        elif kind in OVER and isinstance(event.get("response"), dict):
            self._end(event["response"], str(kind))
        else:
            if isinstance(event.get("response"), dict):
                event["response"] = self.snapshot = {**event["response"], **self._fixed}
            elif kind == "response.output_item.done" and isinstance(event.get("item"), dict):
                self.snapshot = {**self.snapshot, "output": [*self.snapshot["output"], event["item"]]}
            self._tell(event)

    def _end(self, response: dict[str, Any], kind: str) -> None:
        self.snapshot = {**response, **self._fixed}
        self.is_over = True
        self._tell({"type": kind, "response": self.snapshot})

    def _tell(self, event: dict[str, Any]) -> None:
        event["sequence_number"] = len(self.frames)
        self.frames.append(frame(event))
        self._changed.set()

    def fail(self, error: dict[str, str]) -> None:
        """It ends with that error, unless it has ended."""
        if not self.is_over:
            self._end({**self.snapshot, "status": "failed", "error": error}, "response.failed")

    def cancel(self) -> None:
        """It ends with what there is, unless it has ended."""
        if not self.is_over:
            self._end({**self.snapshot, "status": "cancelled"}, "response.cancelled")

    async def watch(self, begin: int) -> AsyncIterator[bytes]:
        """Its events from the number `begin` on, until it has ended."""
        place = max(begin, 0)
        while True:
            self._changed.clear()
            while place < len(self.frames):
                yield self.frames[place]
                place += 1
            if self.is_over:
                return
            await self._changed.wait()

    async def begin(self) -> None:
        """Writes the row, before anything is asked of a vendor."""
        await self._archive.save(self._order.record(self.snapshot, self._archive.ttl_ms))

    async def close(self) -> None:
        """Writes how it ended."""
        events = b"".join(self.frames) if self._keeps_events else None
        try:
            await self._archive.finish(self._order.record(self.snapshot, self._archive.ttl_ms, events))
        except DatabaseAway as exc:
            log.error("response_not_kept", why=str(exc))


class Runs:
    """All responses that this process is making in the background."""

    def __init__(self) -> None:
        self._runs: dict[tuple[int, str], Run] = {}

    def find(self, wallet: int, id: str) -> Run | None:
        return self._runs.get((wallet, id))

    def start(self, wallet: int, run: Run, work: Callable[[Reply], Awaitable[None]], ended: Callable[[], None]) -> None:
        """`work`: answers into the reply that it is given; `ended`: called when all is over."""
        key = (wallet, str(run.snapshot["id"]))
        self._runs[key] = run
        run.task = asyncio.create_task(self._make(run, work))

        def over(_task: asyncio.Task[None]) -> None:
            self._runs.pop(key, None)
            ended()

        run.task.add_done_callback(over)

    async def stop(self) -> None:
        """Ends all of them, each with a row that says so."""
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)

    async def _make(self, run: Run, work: Callable[[Reply], Awaitable[None]]) -> None:
        reply = Reply(_swallow, _never, [])
        reply.listener = run.hear
        try:
            await work(reply)
            run.fail(told(Broken()))
        except HubError as error:
            run.fail(told(error))
        except asyncio.CancelledError:
            run.fail(LOST)
        except Exception:
            log.exception("background_response_failed", response=run.snapshot.get("id"))
            run.fail(told(Internal()))
        finally:
            await run.close()


async def _swallow(message: Message) -> None:
    """Nobody listens."""


async def _never() -> Message:
    """Nobody hangs up."""
    await asyncio.Event().wait()
    raise AssertionError("an event that nobody sets")
