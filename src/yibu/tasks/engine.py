"""The engine: claims rows that are due, moves each one step on, and sleeps until the next is due.

A step is a handler's `advance`: it looks at the row, does one thing, and says what is true now (`Step`) or how it ended
(`End`). Everything is written under the row's lease, so a worker that was too slow writes nothing; money moves in the
transaction that ends the row.
"""

import asyncio
import contextlib
import random
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, Protocol

import msgspec
import structlog
from sqlalchemy import Connection

from yibu.hub.errors import OutOfCredit
from yibu.kit.db import Database, DatabaseAway
from yibu.kit.ids import now_ms
from yibu.ledger import Hold, HoldClosed, Ledger, Nanos, in_units
from yibu.ledger.calls import CallRow, insert_calls, set_cost
from yibu.tasks import store
from yibu.tasks.files import File, insert_files
from yibu.tasks.task import State, Task

log = structlog.get_logger(__name__)

IDLE_S = 1.0
"""How soon work that another process accepted is noticed."""
TROUBLE_S = (1, 2, 5, 10, 30, 60)
"""Waits after a step that failed for a reason of ours; the last one repeats."""
LONGEST_STEP_S = 3600.0
"""A step that works for longer hangs: its lease is renewed no more, and it is cut off before that ends."""


class Step(msgspec.Struct, frozen=True):
    """The work goes on: `changes` to the row, and when to look again."""

    in_s: float
    changes: dict[str, Any] = {}


class End(msgspec.Struct, frozen=True):
    """The work is over. `charge`: nanos to settle when it is done; otherwise everything is given back."""

    state: State
    charge: int = 0
    changes: dict[str, Any] = {}
    files: list[File] = []


class Handler(Protocol):
    """Knows the steps of one kind of work."""

    async def advance(self, task: Task, engine: "Engine") -> Step | End:
        """Does one thing. Before it does something in the world that must not happen twice, it says so with `engine.save`."""
        ...


class Engine:
    """One a process. `workers`: rows looked after at the same time; `lease_s`: how long a row waits for another worker
    when its own was killed. A lease is renewed while the step works, for `step_s` at most. `on_charge` is told
    what each task was charged for, in nanos, once it is booked."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        handlers: Mapping[str, Handler],
        *,
        workers: int,
        lease_s: float,
        step_s: float = LONGEST_STEP_S,
        on_charge: Callable[[Task, int], None] = lambda _task, _nanos: None,
    ) -> None:
        self._db = db
        self._ledger = ledger
        self._handlers = handlers
        self._workers = workers
        self._lease_ms = int(lease_s * 1000)
        self._step_s = step_s
        self._on_charge = on_charge
        self._news = asyncio.Event()
        self._steps: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)

    def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name="tasks")

    async def stop(self) -> None:
        """Stops claiming; steps under way are cancelled. What they had not written is found again by its lease."""
        for running in (self._loop, *self._steps):
            if running:
                running.cancel()
        await asyncio.gather(*(t for t in (self._loop, *self._steps) if t), return_exceptions=True)

    def wake(self) -> None:
        """There may be work that is due now."""
        self._news.set()

    async def accept(self, row: Task, call: CallRow) -> Task:
        """Writes the row, its hold and the call's log in one transaction; from then on the work happens, whatever breaks.

        Raises `OutOfCredit` or `DatabaseAway`; then nothing was written.
        """

        def insert(conn: Connection) -> None:
            store.insert_task(conn, row)
            insert_calls(conn, [call])

        await self._ledger.hold(row.wallet, Nanos(row.hold_amount), key=row.id, kind="task", also=insert)
        self.wake()
        return row

    async def check_credit(self, wallet: int, amount: int) -> None:
        """Raises `OutOfCredit` when the wallet could not pay for work of `amount` nanos, so that nothing need be prepared
        for it. Nothing is set aside: `accept` has the last word."""
        available = (await self._ledger.balance(wallet)).available
        if available < amount:
            raise OutOfCredit(
                f"The balance is {in_units(available)} and this costs {in_units(amount)}. Top up, or ask for less."
            )

    async def find(self, task_id: str) -> Task | None:
        return await self._db.read(lambda conn: store.load(conn, task_id))

    async def changed(self, task_id: str, timeout_s: float) -> None:
        """Returns when the row has changed here, or after `timeout_s`: another process may be looking after it."""
        event = asyncio.Event()
        self._watchers[task_id].add(event)
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            return
        finally:
            self._watchers[task_id].discard(event)
            if not self._watchers[task_id]:
                del self._watchers[task_id]

    async def save(self, task: Task, **changes: Any) -> Task:
        """Writes in the middle of a step. Raises `LostLease`, and then the step must stop at once."""
        await self._db.write(lambda conn: store.save(conn, task, **changes))
        self._tell(task.id)
        return msgspec.structs.replace(task, **changes)

    async def _run(self) -> None:
        while True:
            try:
                idle_s = await self._claim()
            except DatabaseAway as exc:
                log.warning("tasks_wait_for_database", why=str(exc))
                idle_s = IDLE_S
            except Exception:
                log.exception("tasks_claim_failed")
                idle_s = IDLE_S
            # Not `wait_for`: before Python 3.12 it may swallow the cancellation of `stop`.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(idle_s):
                    await self._news.wait()
            self._news.clear()

    async def _claim(self) -> float:
        """Takes what is due; gives the seconds until something may be due again."""
        free = self._workers - len(self._steps)
        if free <= 0:
            return IDLE_S
        now = now_ms()
        due = await self._db.read(store.next_due)
        if due is None or due > now:
            return IDLE_S if due is None else min((due - now) / 1000, IDLE_S)
        token = secrets.token_hex(8)
        until = now + self._lease_ms
        rows = await self._db.write(lambda conn: store.claim(conn, now=now, until=until, token=token, most=free))
        for row in rows:
            step = asyncio.create_task(self._advance(row), name=f"step:{row.id}")
            self._steps.add(step)
            step.add_done_callback(self._forget)
        return 0.05

    def _forget(self, step: asyncio.Task[None]) -> None:
        self._steps.discard(step)
        self.wake()

    async def _advance(self, row: Task) -> None:
        """The edge of one step: whatever goes wrong in it, the row is looked after again."""
        try:
            outcome = await self._work(row)
            if isinstance(outcome, End):
                await self._end(row, outcome)
            else:
                await self._go_on(row, outcome)
        except store.LostLease:
            log.info("task_lease_lost", task=row.id)
        except Exception:
            log.exception("task_step_failed", task=row.id, state=row.state, attempt=row.attempt)
            wait_s = TROUBLE_S[min(row.attempt, len(TROUBLE_S) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311
            try:
                await self._go_on(row, Step(wait_s, {"attempt": row.attempt + 1}))
            except (store.LostLease, DatabaseAway):
                return
        finally:
            self._tell(row.id)

    async def _work(self, row: Task) -> Step | End:
        """The handler's step, under a lease that is renewed meanwhile. Raises `LostLease` when somebody else has it."""
        async with asyncio.timeout(self._sure_s) as limit:
            beat = asyncio.create_task(self._renew(row, limit), name=f"lease:{row.id}")
            try:
                return await self._handlers[row.kind].advance(row, self)
            except asyncio.CancelledError:
                if beat.done() and beat.result() == "lost":
                    raise store.LostLease(row.id) from None
                raise
            finally:
                beat.cancel()

    async def _renew(self, row: Task, limit: asyncio.Timeout) -> Literal["lost", "overdue"]:
        """Moves `limit` on with each renewal: a database that is away long enough ends the step as well, while the
        lease still is ours."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._step_s
        while loop.time() < end:
            await asyncio.sleep(self._lease_ms / 3000)
            asked_at, until = loop.time(), now_ms() + self._lease_ms
            try:
                await self._db.write(partial(store.save, row=row, lease_until_at=until))
            except DatabaseAway:
                continue
            except store.LostLease:
                limit.reschedule(asked_at)
                return "lost"
            limit.reschedule(asked_at + self._sure_s)
        return "overdue"

    @property
    def _sure_s(self) -> float:
        """So long after it was written a lease certainly is ours."""
        return self._lease_ms / 1000 * 0.9

    async def _go_on(self, row: Task, step: Step) -> None:
        changes = {"attempt": 0} | step.changes
        next_at = now_ms() + int(step.in_s * 1000)
        free = {"next_at": next_at, "lease_until_at": None, "lease_token": None}
        await self._db.write(lambda conn: store.save(conn, row, **changes, **free))

    async def _end(self, row: Task, end: End) -> None:
        has_moved = threading.Event()

        def move(conn: Connection) -> None:
            _write_end(conn, row, end, end.charge)
            has_moved.set()

        hold = Hold(row.wallet, row.id, Nanos(row.hold_amount))
        try:
            if end.state is State.DONE:
                closed = await self._ledger.settle(hold, Nanos(end.charge), also=move)
            else:
                closed = await self._ledger.release(hold, also=move)
        except HoldClosed as exc:
            closed = exc.transfer
        if has_moved.is_set():
            if charged := closed.amount if closed.kind == "settle" else 0:
                self._on_charge(row, charged)
            return
        # Somebody else closed it, by hand for one. No repetition changes that, so the row tells what the book says.
        charged = closed.amount if closed.kind == "settle" else 0
        await self._db.write(lambda conn: _write_end(conn, row, end, charged))
        log.error("task_hold_was_closed_before", task=row.id, state=end.state, by=closed.kind, charged=charged)

    def _tell(self, task_id: str) -> None:
        for event in self._watchers.get(task_id, ()):
            event.set()


def _write_end(conn: Connection, row: Task, end: End, charged: int) -> None:
    """The row's last state with what came out of it. Raises `LostLease`."""
    free = {"final_at": now_ms(), "next_at": None, "lease_until_at": None, "lease_token": None}
    store.save(conn, row, **end.changes, state=end.state, cost=charged, **free)
    insert_files(conn, end.files)
    set_cost(conn, row.request_id, Nanos(charged))
