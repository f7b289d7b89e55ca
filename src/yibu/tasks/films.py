"""A film from acceptance to its file, one step at a time, at whatever vendor makes it.

accepted ─► submitting ─► running ─► collecting ─► done
                │
                └─ found like this after a crash: ask the vendor by our id; if it cannot tell, give the money back
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from yibu.catalog.cost import cost
from yibu.catalog.price import Sheet
from yibu.hub.errors import Broken, Busy, HubError, Late, Refused, UpstreamError
from yibu.hub.usage import Meter, Usage
from yibu.hub.work import Artefact, Failure, Progress, Ready, VideoRequest, Work
from yibu.kit.blobs import BlobsFailed, BlobTooLarge
from yibu.kit.fetch import Fetcher
from yibu.kit.http import Client, HttpFailed, Response, TimedOut
from yibu.kit.ids import now_ms
from yibu.providers.provider import TaskDriver, UpstreamRequest
from yibu.routing.channel import Channel
from yibu.routing.credentials import Credentials
from yibu.routing.health import Health
from yibu.routing.plan import Directory
from yibu.tasks.download import follow
from yibu.tasks.engine import End, Engine, Step
from yibu.tasks.files import File, Files
from yibu.tasks.task import State, Task

log = structlog.get_logger(__name__)
T = TypeVar("T")

KIND = "video"
MOST_JSON_BYTES = 4 * 1024 * 1024
MOST_TRIES = 12
"""So often a film is tried to be submitted before it is given up, each time after a longer wait. One that has begun is
asked for until its deadline: the vendor bills it anyway."""
WAITS_S = (1, 2, 5, 10, 20, 30)
NOBODY_KNOWS = "The vendor cannot say whether it began. You were not charged."
UNTYPED = ("application/octet-stream", "binary/octet-stream")
"""What stores say of content when nobody told them its type."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer asked for, as the row keeps it. `picture`: blob id of the first frame, already of the size;
    `parent`: our id of the earlier film that is to be changed."""

    prompt: str
    seconds: int
    size: tuple[int, int]
    picture: str = ""
    picture_mime: str = ""
    parent: str = ""
    remix_of: str = ""


class Films:
    """Handler of the kind `video`. `directory` gives the current snapshot of channels; `health` is told what vendors say
    to orders and questions."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        client: Client,
        credentials: Credentials,
        files: Files,
        decode_error: Callable[[int, dict[str, str], bytes], UpstreamError],
        health: Health,
        fetcher: Fetcher,
    ) -> None:
        self._directory = directory
        self._client = client
        self._credentials = credentials
        self._files = files
        self._decode_error = decode_error
        self._health = health
        self._fetcher = fetcher

    async def advance(self, task: Task, engine: Engine) -> Step | End:
        if task.deadline_at and now_ms() >= task.deadline_at:
            return _fail(State.EXPIRED, "deadline_exceeded", "The film was not ready in time.")
        channel = self._directory().channel(task.where.channel)
        if channel is None or Work.VIDEO not in channel.provider.works:
            if task.state is State.ACCEPTED and task.place + 1 < task.place_count:
                return Step(0, {"place": task.place + 1, "attempt": task.attempt})
            return _fail(State.FAILED, "channel_gone", "The account that should make this film is no longer there.")
        driver = channel.provider.works[Work.VIDEO]
        try:
            match task.state:
                case State.ACCEPTED:
                    return await self._submit(await engine.save(task, state=State.SUBMITTING), channel, driver)
                case State.SUBMITTING:
                    return await self._recover(task, channel, driver)
                case State.RUNNING:
                    return await self._poll(task, channel, driver)
                case _:
                    return await self._collect(task, channel, driver)
        except (UpstreamError, HttpFailed) as exc:
            return _stumble(task, exc)

    async def _submit(self, task: Task, channel: Channel, driver: TaskDriver) -> Step | End:
        request = driver.submit(await self._request(task), task.id)
        try:
            upstream_id = await self._ask(request, driver.read_submit, task, channel)
        except Refused as exc:
            return _fail(State.FAILED, exc.upstream_code or exc.code, exc.message)
        except (UpstreamError, HttpFailed) as exc:
            if _may_have_begun(exc):
                raise
            return _elsewhere(task, exc)
        return Step(driver.polls_s[0], {"state": State.RUNNING, "upstream_id": upstream_id})

    async def _recover(self, task: Task, channel: Channel, driver: TaskDriver) -> Step | End:
        """It was sent, or was about to be, and nobody knows what came of it."""
        question = driver.find(task.id)
        if question is None:
            return _fail(State.FAILED, "outcome_unknown", NOBODY_KNOWS)
        try:
            sighting = await self._ask(question, lambda body: driver.read_find(body, task.id), task, channel)
        except Refused:  # a question that this vendor does not take
            return _fail(State.FAILED, "outcome_unknown", NOBODY_KNOWS)
        if sighting.upstream_id:
            return Step(0, {"state": State.RUNNING, "upstream_id": sighting.upstream_id})
        if sighting.is_certain:
            return await self._submit(task, channel, driver)
        return _fail(State.FAILED, "outcome_unknown", NOBODY_KNOWS)

    async def _poll(self, task: Task, channel: Channel, driver: TaskDriver) -> Step | End:
        try:
            outlook = await self._ask(driver.poll(task.upstream_id), driver.read_poll, task, channel)
        except Refused as exc:
            if exc.upstream_status == 404:
                raise  # a film that was accepted and is not seen yet, or not by this machine of the vendor's
            return _fail(State.FAILED, exc.upstream_code or exc.code, exc.message)
        match outlook:
            case Progress():
                age_s = (now_ms() - task.created_at) / 1000
                changes = {
                    "progress": max(outlook.percent, task.progress),
                    "is_queued": outlook.is_queued and task.is_queued,
                }
                return Step(_snooze_s(driver.polls_s, age_s), changes)
            case Failure():
                return _fail(State.FAILED, outlook.code, outlook.message, is_policy=outlook.is_policy)
            case Ready():
                order = msgspec.json.decode(task.request, type=Order)
                done = msgspec.structs.replace(order, seconds=outlook.seconds or order.seconds)
                request = msgspec.json.encode(done).decode()
                collecting = {"state": State.COLLECTING, "progress": 100, "is_queued": False, "request": request}
                return Step(0, collecting)

    async def _collect(self, task: Task, channel: Channel, driver: TaskDriver) -> End:
        """Copies what was made, because a vendor's links die; then the film is paid for."""
        work, *courtesies = driver.artefacts(task.upstream_id)
        try:
            files = [await self._fetch(work, task, channel)]
        except BlobTooLarge:
            return _fail(
                State.FAILED, "file_too_large", "The film is larger than the gateway keeps. You were not charged."
            )
        for artefact in courtesies:
            try:
                files.append(await self._fetch(artefact, task, channel))
            except (HubError, HttpFailed, BlobsFailed) as exc:
                log.info("task_courtesy_missed", task=task.id, kind=artefact.kind, why=str(exc))
        order = msgspec.json.decode(task.request, type=Order)
        if order.picture:
            await self._files.blobs.delete(order.picture)
        return End(
            State.DONE,
            charge=min(price(order, msgspec.json.decode(task.sheet, type=Sheet)), task.hold_amount),
            files=files,
        )

    async def _fetch(self, artefact: Artefact, task: Task, channel: Channel) -> File:
        request = UpstreamRequest(method="GET", path=artefact.path)
        ask = partial(self._open, request, task, channel)
        response = await follow(channel.url(request.path), ask, self._fetcher)
        try:
            if response.status != 200:
                raise self._decode_error(response.status, response.headers, await response.read(MOST_JSON_BYTES))
            said = response.headers.get("content-type", artefact.mime)
            if not said.startswith((artefact.mime.split("/")[0], *UNTYPED)):
                raise Broken(upstream_words=f"content-type {said}")
            file = await self._files.store(
                response.chunks(), wallet=task.wallet, kind=artefact.kind, mime=artefact.mime, task_id=task.id
            )
            if not file.size:
                await self._files.blobs.delete(file.id)
                raise Broken(upstream_words="an empty file")
            return file
        finally:
            await response.close()

    async def _request(self, task: Task) -> VideoRequest:
        order = msgspec.json.decode(task.request, type=Order)
        return VideoRequest(
            model=task.where.model,
            prompt=order.prompt,
            seconds=order.seconds,
            size=order.size,
            picture=await self._files.read(order.picture) if order.picture else b"",
            picture_mime=order.picture_mime,
            remix_of=order.remix_of,
        )

    async def _ask(self, request: UpstreamRequest, read: Callable[[bytes], T], task: Task, channel: Channel) -> T:
        """A vendor's answer to an order or a question; what it says of the channel's health is passed on, as with calls."""
        about = channel.name, _credential(task, channel), task.where.model
        try:
            answer = read(await self._exchange(request, task, channel))
        except UpstreamError as exc:
            self._health.failed(*about, exc)
            raise
        except HttpFailed as exc:
            self._health.failed(*about, Late() if isinstance(exc, TimedOut) else Broken())
            raise
        self._health.served(channel.name)
        return answer

    async def _exchange(self, request: UpstreamRequest, task: Task, channel: Channel) -> bytes:
        response = await self._open(request, task, channel, channel.url(request.path))
        try:
            body = await response.read(MOST_JSON_BYTES)
        finally:
            await response.close()
        if response.status >= 400:
            raise self._decode_error(response.status, response.headers, body)
        return body

    async def _open(self, request: UpstreamRequest, task: Task, channel: Channel, url: str) -> Response:
        secret = channel.secrets[_credential(task, channel)]
        return await self._client.request(
            request.method,
            url,
            headers=await self._credentials.headers(
                channel.provider.auth, secret, request.method, url, request.headers, request.body
            ),
            body=request.body,
            connect_timeout_s=10,
            first_byte_timeout_s=60,
            idle_timeout_s=60,
        )


def price(order: Order, sheet: Sheet) -> int:
    """Nanos for one film: the same arithmetic before it is made and after."""
    return cost(Usage({Meter.SECOND: order.seconds}), sheet)


def _credential(task: Task, channel: Channel) -> int:
    """The one of the plan; a pool that has shrunk since still has one."""
    return task.where.credential % len(channel.secrets)


def _snooze_s(polls_s: tuple[float, ...], age_s: float) -> float:
    """The vendor's rhythm: the wait whose predecessors add up to the age."""
    for wait in polls_s:
        age_s -= wait
        if age_s < 0:
            return wait
    return polls_s[-1]


def _fail(state: State, code: str, message: str, *, is_policy: bool = False) -> End:
    return End(state, changes={"error_code": code, "error_message": message, "is_policy": is_policy})


def _may_have_begun(exc: UpstreamError | HttpFailed) -> bool:
    """A 5xx, nonsense, or a connection that was cut after something was sent: ask before sending it again."""
    return exc.is_ambiguous if isinstance(exc, HttpFailed) else isinstance(exc, Broken | Late)


def _elsewhere(task: Task, exc: UpstreamError | HttpFailed) -> Step | End:
    """It has definitely not begun: the next place may try at once; when all have been asked, after a while."""
    outcome = _stumble(task, exc)
    if isinstance(outcome, End):
        return outcome
    place = (task.place + 1) % task.place_count
    return Step(0 if place else outcome.in_s, {**outcome.changes, "state": State.ACCEPTED, "place": place})


def _stumble(task: Task, exc: UpstreamError | HttpFailed) -> Step | End:
    """A vendor in trouble is asked again, more and more slowly, and in the end no more."""
    has_begun = task.state in (State.RUNNING, State.COLLECTING)
    log.info("task_stumbles", task=task.id, state=task.state, attempt=task.attempt, why=str(exc))
    if task.attempt + 1 >= MOST_TRIES and not has_begun:
        message = exc.message if isinstance(exc, HubError) else "The vendor could not be reached."
        return _fail(State.FAILED, "upstream_unavailable", message)
    wait_s: float = WAITS_S[min(task.attempt, len(WAITS_S) - 1)]
    if isinstance(exc, Busy) and exc.retry_after_s:
        wait_s = max(wait_s, exc.retry_after_s)
    if task.deadline_at:  # then the film expires, however long the vendor would like to rest
        wait_s = min(wait_s, max(task.deadline_at - now_ms() + 10, 0) / 1000)
    return Step(wait_s, {"attempt": task.attempt + 1})
