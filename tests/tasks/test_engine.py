import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tests.ledger.books import url_of
from tests.tasks.studio import SECOND, WALLET, Studio
from tests.tasks.vendor import FILM, Vendor, sends, state
from yibu.kit.db import Database, DatabaseAway
from yibu.kit.http import Client, Response
from yibu.kit.ids import now_ms
from yibu.ledger import Hold, Nanos
from yibu.tasks import store
from yibu.tasks.chores import Chore
from yibu.tasks.engine import End, Engine, Step
from yibu.tasks.store import LostLease
from yibu.tasks.task import State, Task


class Fuse:
    """Lets so many points pass and stops whoever comes to the next one, as a power cut does."""

    def __init__(self, points: int = 1_000_000) -> None:
        self.points = points
        self.blown = asyncio.Event()
        self.mended = asyncio.Event()

    async def burn(self) -> None:
        if not self.points:
            self.blown.set()
            await self.mended.wait()
            return
        self.points -= 1


class FusedClient(Client):
    """May stop before a request is sent, and after its answer has come."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    async def request(self, *args: Any, **options: Any) -> Response:
        await self._fuse.burn()
        response = await super().request(*args, **options)
        await self._fuse.burn()
        return response


class FusedEngine(Engine):
    """May stop before anything is written, and after it was."""

    fuse: Fuse

    async def save(self, task: Task, **changes: Any) -> Task:
        return await self._fused(super().save(task, **changes))

    async def _go_on(self, row: Task, step: Step) -> None:
        await self._fused(super()._go_on(row, step))

    async def _end(self, row: Task, end: End) -> None:
        await self._fused(super()._end(row, end))

    async def _fused(self, work: Awaitable[Any]) -> Any:
        try:
            await self.fuse.burn()
        except asyncio.CancelledError:
            asyncio.ensure_future(work).cancel()
            raise
        done = await work
        await self.fuse.burn()
        return done


def fused(studio: Studio, fuse: Fuse) -> tuple[Engine, Client]:
    client = FusedClient(fuse)
    engine = studio.another_engine(FusedEngine, client)
    assert isinstance(engine, FusedEngine)
    engine.fuse = fuse
    return engine, client


async def until_idle(engine: Engine) -> None:
    """What a step does after its last write is done as well."""
    while engine._steps:
        await asyncio.sleep(0.002)


async def run_until(engine: Engine, *conditions: Awaitable[Any]) -> None:
    """Lets the engine work until one of these has come about, then kills it."""
    engine.start()
    waiting = [asyncio.ensure_future(one) for one in conditions]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    await engine.stop()
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize("polls", [[], [state("failed")]], ids=["done", "failed"])
async def test_a_crash_at_any_point_makes_one_film_and_one_settlement(
    polls: list[Any], studio: Studio, vendor: Vendor
) -> None:
    """Killed before and after each request and each write, then started again on the same rows."""
    films = 0
    while True:
        fuse = Fuse(films)
        killed, client = fused(studio, fuse)
        vendor.polls = list(polls) * 3
        task_id = await studio.order(seconds=10)
        await run_until(killed, fuse.blown.wait(), studio.until(task_id))
        await client.close()
        was_killed = fuse.blown.is_set()
        await studio.let_leases_run_out()
        heir = studio.another_engine()
        heir.start()
        task = await studio.until(task_id)
        await heir.stop()
        films += 1

        assert task.state is (State.FAILED if polls else State.DONE)
        assert vendor.jobs_of(task_id) == 1, f"after {films - 1} points"
        assert await studio.money() == (0 if polls else films * 10 * SECOND, 0)
        assert set(await studio.files.of_task(task_id)) == (set() if polls else {"video", "thumbnail"})
        if not was_killed:
            break
    assert films > 10


async def test_two_engines_share_the_work(studio: Studio, vendor: Vendor) -> None:
    """Each film is made once, whoever looks after it; both get some."""
    took: dict[str, set[str]] = {"one": set(), "other": set()}

    class Witness(Engine):
        name = ""

        async def _advance(self, row: Task) -> None:
            took[self.name].add(row.id)
            await super()._advance(row)

    vendor.polls = [state("in_progress")] * 100
    one, other = studio.another_engine(Witness, workers=2), studio.another_engine(Witness, workers=2)
    one.name, other.name = "one", "other"  # type: ignore[attr-defined]
    ids = [await studio.order(seconds=4) for _ in range(12)]
    one.start()
    other.start()
    tasks = [await studio.until(id) for id in ids]
    await one.stop()
    await other.stop()

    assert {task.state for task in tasks} == {State.DONE}
    assert sorted(vendor.jobs.values()) == sorted(ids)
    assert await studio.money() == (12 * 4 * SECOND, 0)
    assert took["one"]
    assert took["other"]


async def test_a_row_is_leased_to_one_of_two(studio: Studio) -> None:
    """Two processes that ask at the same moment: one has it, the other has nothing."""
    await studio.order()
    other = Database.open(url_of(studio.files.blobs._root.parent))

    def take(db: Database, token: str) -> Awaitable[list[Task]]:
        return db.write(lambda conn: store.claim(conn, now=2**60, until=2**61, token=token, most=9))

    claimed = await asyncio.gather(take(studio.db, "one"), take(other, "other"))
    await other.close()

    assert sorted(len(rows) for rows in claimed) == [0, 1]


async def test_a_worker_that_was_too_slow_writes_nothing(studio: Studio, vendor: Vendor) -> None:
    """At whatever point it wakes up again after another has finished the film. What it still sends bears the same key."""
    vendor.knows_keys = True
    points = 0
    while True:
        fuse = Fuse(points)
        slow, client = fused(studio, fuse)
        task_id = await studio.order(seconds=4)
        slow.start()
        waiting = [asyncio.ensure_future(fuse.blown.wait()), asyncio.ensure_future(studio.until(task_id))]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*(one for one in waiting if one.cancel()), return_exceptions=True)
        if not fuse.blown.is_set():
            await slow.stop()
            await client.close()
            break
        assert slow._loop
        slow._loop.cancel()  # it would claim the row again between two steps of its heir, and be as slow
        await studio.let_leases_run_out()
        heir = studio.another_engine()
        heir.start()
        finished = await studio.until(task_id)
        await heir.stop()
        fuse.points = 1_000_000
        fuse.mended.set()
        await until_idle(slow)
        await slow.stop()
        await client.close()
        points += 1

        assert await studio.find(task_id) == finished
        assert vendor.jobs_of(task_id) == 1
        assert len(await studio.files.of_task(task_id)) == 2
        assert await studio.money() == (points * 4 * SECOND, 0)
    assert points > 10


async def test_a_lost_lease_stops_the_step(studio: Studio, vendor: Vendor) -> None:
    """The vendor is not called by somebody who no longer looks after the row."""
    await studio.order()
    [row] = await studio.db.write(lambda conn: store.claim(conn, now=2**60, until=2**61, token="mine", most=1))
    await studio.write(row.id, lease_token="theirs")

    with pytest.raises(LostLease):
        await studio.engine.save(row, state=State.SUBMITTING)
    assert (await studio.find(row.id)).state is State.ACCEPTED


async def test_nothing_is_settled_without_the_lease(studio: Studio) -> None:
    """Money and row are one transaction: neither moves."""
    await studio.order(seconds=10)
    [row] = await studio.db.write(lambda conn: store.claim(conn, now=2**60, until=2**61, token="mine", most=1))
    await studio.write(row.id, lease_token="theirs")

    with pytest.raises(LostLease):
        await studio.engine._end(row, End(State.DONE, charge=5))
    with pytest.raises(LostLease):
        await studio.engine._end(row, End(State.FAILED))
    assert await studio.money() == (0, 10 * SECOND)
    assert (await studio.find(row.id)).state is State.ACCEPTED


@pytest.mark.parametrize("by_hand", ["release", "settle"])
@pytest.mark.parametrize("polls", [[], [state("failed")]], ids=["done", "failed"])
async def test_a_film_whose_hold_was_closed_by_hand_ends_as_the_book_says(
    polls: list[Any], by_hand: str, studio: Studio, vendor: Vendor
) -> None:
    """It is charged or given back once; the row and the log of calls agree with the book, and the operator is told once."""
    vendor.polls = list(polls)
    task_id = await studio.order(seconds=10)
    hold = Hold(WALLET, task_id, Nanos(10 * SECOND))
    if by_hand == "release":
        await studio.ledger.release(hold)
    else:
        await studio.ledger.settle(hold, Nanos(3 * SECOND))
    with capture_logs() as told:
        studio.engine.start()
        task = await studio.until(task_id)
        await until_idle(studio.engine)
        await studio.engine.stop()
    charged = 0 if by_hand == "release" else 3 * SECOND

    assert task.state is (State.FAILED if polls else State.DONE)
    assert (task.cost, task.next_at) == (charged, None)
    assert await studio.money() == (charged, 0)
    assert len(await studio.files.of_task(task_id)) == (0 if polls else 2)
    assert [line["event"] for line in told if line["log_level"] == "error"] == ["task_hold_was_closed_before"]


async def test_a_hold_closed_by_hand_moves_no_row_of_another(studio: Studio) -> None:
    """Whoever lost the lease writes nothing then, either."""
    task_id = await studio.order(seconds=10)
    await studio.ledger.release(Hold(WALLET, task_id, Nanos(0)))
    [row] = await studio.db.write(lambda conn: store.claim(conn, now=2**60, until=2**61, token="mine", most=1))
    await studio.write(row.id, lease_token="theirs")

    with pytest.raises(LostLease):
        await studio.engine._end(row, End(State.DONE, charge=5))
    assert (await studio.find(task_id)).state is State.ACCEPTED


async def test_what_was_charged_is_told_once(studio: Studio, vendor: Vendor) -> None:
    """For the operator's figures; a film that failed was not charged for."""
    told: list[tuple[str, int]] = []
    engine = studio.another_engine(on_charge=lambda task, nanos: told.append((task.where.channel, nanos)))
    engine.start()
    await studio.until(await studio.order(seconds=10))
    vendor.polls = [state("failed")]
    await studio.until(await studio.order(seconds=10))
    await until_idle(engine)
    await engine.stop()

    assert told == [("a", 10 * SECOND)]


async def test_what_another_process_accepts_is_noticed(studio: Studio, vendor: Vendor) -> None:
    """Without a word from it."""
    other = studio.another_engine()
    other.start()
    task_id = await studio.order()
    task = await studio.until(task_id)
    await other.stop()

    assert task.state is State.DONE


async def test_a_watcher_hears_of_each_change(studio: Studio, vendor: Vendor) -> None:
    """At once, though it would have waited for minutes; nothing is left of it afterwards."""
    task_id = await studio.order()
    studio.engine.start()
    async with asyncio.timeout(5):
        while not (await studio.find(task_id)).state.is_final:
            await studio.engine.changed(task_id, 60)

    assert studio.engine._watchers == {}


async def test_a_watcher_does_not_wait_for_ever(studio: Studio) -> None:
    """The change may have happened in another process."""
    await studio.engine.changed("task_unknown", 0.01)

    assert studio.engine._watchers == {}


class Act:
    """A handler whose steps a test writes."""

    def __init__(self, *steps: Callable[[Task], Step | End]) -> None:
        self._steps = list(steps)
        self.saw: list[Task] = []

    async def advance(self, task: Task, engine: Engine) -> Step | End:
        self.saw.append(task)
        return self._steps.pop(0)(task)


def fails(_task: Task) -> Step | End:
    raise ZeroDivisionError


async def test_a_mistake_of_ours_is_tried_again(studio: Studio) -> None:
    """The row is not lost, and counts how often."""
    act = Act(fails, fails, lambda _task: End(State.DONE, charge=3))
    task_id = await studio.order()
    engine = Engine(studio.db, studio.ledger, {"video": act}, workers=1, lease_s=60)
    engine.start()
    task = await studio.until(task_id)
    await engine.stop()

    assert [seen.attempt for seen in act.saw] == [0, 1, 2]
    assert task.cost == 3
    assert await studio.money() == (3, 0)


async def test_a_download_may_take_longer_than_its_lease(studio: Studio, vendor: Vendor) -> None:
    """The lease is renewed while the step works, so it is neither cut off nor begun again, here or elsewhere."""
    downloads = 0

    async def slow(_request: web.Request) -> web.StreamResponse:
        nonlocal downloads
        downloads += 1
        leases = set()
        while len(leases) < 4:  # each a third of a lease after the one before
            leases.add((await studio.find(task_id)).lease_until_at)
            await asyncio.sleep(0.01)
        return await sends(FILM, "video/mp4")(_request)

    vendor.contents = [slow, slow, slow]
    task_id = await studio.order(seconds=10)
    one, other = studio.another_engine(lease_s=0.9), studio.another_engine(lease_s=0.9)
    one.start()
    other.start()
    task = await studio.until(task_id)
    await one.stop()
    await other.stop()

    assert (task.state, downloads) == (State.DONE, 1)
    assert await studio.money() == (10 * SECOND, 0)


async def test_a_step_stops_when_its_lease_is_lost(studio: Studio) -> None:
    """In the middle of its work, and without a word in the row."""
    stopped = asyncio.Event()

    class Endless(Act):
        async def advance(self, task: Task, engine: Engine) -> Step | End:
            await studio.write(task.id, lease_token="theirs", lease_until_at=2**60)
            try:
                await asyncio.sleep(30)
            finally:
                stopped.set()
            return End(State.DONE)

    task_id = await studio.order()
    engine = Engine(studio.db, studio.ledger, {"video": Endless()}, workers=1, lease_s=0.3)
    engine.start()
    async with asyncio.timeout(5):
        await stopped.wait()
    await until_idle(engine)
    await engine.stop()
    row = await studio.find(task_id)

    assert (row.lease_token, row.state, row.attempt) == ("theirs", State.ACCEPTED, 0)


async def test_a_step_stops_before_its_lease_ends_when_the_database_is_away(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can say any more that the row is ours."""
    stopped_at: list[int] = []

    async def away(*_: Any) -> None:
        raise DatabaseAway("away")

    class Endless(Act):
        async def advance(self, task: Task, engine: Engine) -> Step | End:
            self.saw.append(task)
            monkeypatch.setattr(studio.db, "write", away)
            try:
                await asyncio.sleep(30)
            finally:
                stopped_at.append(now_ms())
            return End(State.DONE)

    act = Endless()
    await studio.order()
    engine = Engine(studio.db, studio.ledger, {"video": act}, workers=1, lease_s=1)
    engine.start()
    async with asyncio.timeout(5):
        while not stopped_at:
            await asyncio.sleep(0.01)
    await engine.stop()

    assert act.saw[0].lease_until_at
    assert stopped_at[0] < act.saw[0].lease_until_at


async def test_a_step_that_hangs_is_cut_off_before_its_lease_ends(studio: Studio) -> None:
    """A lease is not renewed for ever, and nobody looks after one row twice."""

    class Slow(Act):
        async def advance(self, task: Task, engine: Engine) -> Step | End:
            self.saw.append(task)
            if len(self.saw) == 1:
                await asyncio.sleep(30)
            return End(State.DONE)

    act = Slow()
    task_id = await studio.order()
    engine = Engine(studio.db, studio.ledger, {"video": act}, workers=1, lease_s=0.1, step_s=0)
    engine.start()
    await studio.until(task_id)
    await engine.stop()

    assert len(act.saw) == 2


async def test_no_more_rows_at_once_than_workers(studio: Studio) -> None:
    """The others wait for their turn, and get it."""
    running = most = 0

    class Busy(Act):
        async def advance(self, task: Task, engine: Engine) -> Step | End:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            return End(State.DONE)

    ids = [await studio.order(seconds=1) for _ in range(7)]
    engine = Engine(studio.db, studio.ledger, {"video": Busy()}, workers=3, lease_s=60)
    engine.start()
    for task_id in ids:
        await studio.until(task_id)
    await engine.stop()

    assert most == 3


async def test_a_row_that_nobody_can_look_after_does_not_stop_the_others(studio: Studio, vendor: Vendor) -> None:
    """A kind of work that this version does not know stays, and waits for one that does."""
    strange = await studio.order(seconds=1)
    await studio.write(strange, kind="music")
    task = await studio.make()

    assert task.state is State.DONE
    assert (await studio.find(strange)).state is State.ACCEPTED


async def test_an_engine_stops_whatever_happens_at_that_moment(studio: Studio) -> None:
    """News that comes in the same round of the loop does not keep it alive."""
    for _ in range(20):
        engine = studio.another_engine()
        engine.start()
        await asyncio.sleep(0.005)
        engine.wake()
        async with asyncio.timeout(2):
            await engine.stop()


async def test_a_chore_repeats(studio: Studio) -> None:
    """It has one row however often it is enlisted, never becomes final, and moves no money."""
    done = asyncio.Event()
    count = 0

    async def sweep() -> int:
        nonlocal count
        count += 1
        if count == 3:
            done.set()
        if count == 2:
            raise ZeroDivisionError
        return count

    chore = Chore("sweep", 0.01, sweep)
    await chore.enlist(studio.db)
    await chore.enlist(studio.db)
    engine = Engine(studio.db, studio.ledger, {chore.kind: chore}, workers=2, lease_s=60)
    engine.start()
    async with asyncio.timeout(5):
        await done.wait()
    await engine.stop()
    row = await studio.find("chore:sweep")

    assert (row.state, row.final_at, row.hold_amount) == (State.ACCEPTED, None, 0)
    assert await studio.money() == (0, 0)


async def test_films_go_on_after_a_restart(studio: Studio, vendor: Vendor) -> None:
    """The only process of its database takes the rows from whoever leased them, instead of waiting."""
    vendor.polls = [state("in_progress")] * 3
    task_id = await studio.order()
    await run_until(studio.engine, studio.until(task_id, State.RUNNING))
    await studio.db.write(lambda conn: store.free_leases(conn, now_ms()))
    heir = studio.another_engine()
    heir.start()
    task = await studio.until(task_id)
    await heir.stop()

    assert task.state is State.DONE
    assert vendor.jobs_of(task_id) == 1
    assert await studio.files.read((await studio.files.of_task(task_id))["video"].id) == FILM
