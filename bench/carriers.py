"""CPU of the two carriers alone, in this process: `pipe` and `translate` of the same call, without server, client or money.

There is one chat dialect so far, so no configured channel makes the gateway translate; here the carrier is called by
hand, from the dialect through the hub to the same dialect. What translation adds is the difference between the two.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypedDict, cast

from bench import upstream
from bench.stand import body
from yibu.catalog.model import Model
from yibu.catalog.price import Sheet
from yibu.dialects import chat_dialects
from yibu.hub.usage import Meter
from yibu.kit.http import Client, Response
from yibu.kit.settings import Limits
from yibu.providers import discover
from yibu.relay.call import Call, Outcome, Wires
from yibu.relay.pipe import pipe
from yibu.relay.reply import Reply
from yibu.relay.seals import Seals
from yibu.relay.translate import translate
from yibu.routing.channel import Channel
from yibu.routing.credentials import Credentials
from yibu.routing.plan import Attempt, Plan

FRAMES = 100

Carrier = Callable[[Call, Attempt, Reply, Wires, Outcome], Awaitable[None]]


class CarrierCost(TypedDict):
    """Microseconds of CPU."""

    call_us: float
    frame_us: float


class _Answer:
    """A vendor's answer that is there already, as `kit.http.Response` gives it."""

    def __init__(self, kind: str, chunks: list[bytes]) -> None:
        self.status = 200
        self.headers = {"content-type": kind}
        self._chunks = chunks

    async def chunks(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk

    async def read(self, limit: int) -> bytes:
        return self._chunks[0]

    async def close(self) -> None:
        pass


class _Client:
    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    async def request(self, *_: object, **__: object) -> Response:
        return cast(Response, self._answer)


class _Wires:
    """Of all wires only these are touched."""

    def __init__(self, answer: _Answer) -> None:
        self.client = _Client(answer)
        self.limits = Limits()
        self.seals = Seals()
        self.credentials = Credentials(cast(Client, self.client))
        self.fetcher = None


def measure(rounds: int) -> dict[str, CarrierCost]:
    return {"pipe": _cost(pipe, rounds), "translate": _cost(translate, rounds)}


def _cost(carrier: Carrier, rounds: int) -> CarrierCost:
    whole = min(_time(carrier, None, 400) for _ in range(rounds))
    few = min(_time(carrier, 1, 100) for _ in range(rounds))
    many = min(_time(carrier, FRAMES, 100) for _ in range(rounds))
    return CarrierCost(call_us=whole, frame_us=(many - few) / (FRAMES - 1))


def _time(carrier: Carrier, frames: int | None, calls: int) -> float:
    """Microseconds of CPU a call."""
    answer = _answer(frames)
    dialect = chat_dialects()["openai_chat"]
    channel = Channel("fixed", discover()["openai"], "http://127.0.0.1:1", ("sk",), {"fixed": "fixed"}, {})
    attempt = Attempt(channel, 0, "fixed", dialect.id)
    sheet = Sheet("fixed", {Meter.INPUT: 150_000_000, Meter.OUTPUT: 600_000_000})
    plan = Plan(Model("fixed"), sheet, (attempt,))
    wires = cast(Wires, _Wires(answer))
    request = body(frames=frames).encode()

    async def send(_: Any) -> None:
        pass

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def run() -> float:
        began = time.process_time()
        for _ in range(calls):
            call = Call(
                request_id="req_fixed",
                key_id="key_fixed",
                wallet=1,
                dialect=dialect,
                intent=dialect.sniff(request),
                plan=plan,
                public_url="",
                started_at=0,
            )
            await carrier(call, attempt, Reply(send, receive, []), wires, Outcome(losses=[]))
        return (time.process_time() - began) / calls * 1e6

    return asyncio.run(run())


def _answer(frames: int | None) -> _Answer:
    if frames is None:
        return _Answer("application/json", [upstream.ANSWER])
    return _Answer("text/event-stream", [upstream.FIRST_EVENT, *[upstream.EVENT] * frames, upstream.LAST_EVENTS])
