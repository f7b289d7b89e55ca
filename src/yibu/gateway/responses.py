"""OpenAI's Responses interface: answers that can be continued, looked at again, made in the background and forgotten."""

from typing import Any, cast

import msgspec

from yibu.dialects._json import fields
from yibu.dialects.openai_responses import OpenAIResponses
from yibu.dialects.openai_responses.history import listed, output_of, queued
from yibu.dialects.openai_responses.response import Asked
from yibu.gateway.admit import identify, welcome
from yibu.gateway.background import Run
from yibu.gateway.call import carry, deliver, planned, set_aside
from yibu.gateway.continued import items_of, written_out
from yibu.gateway.count import count as count_body
from yibu.gateway.house import House
from yibu.gateway.recorder import Order, Recorder
from yibu.gateway.request import Request
from yibu.hub.errors import InvalidRequest, NotFound
from yibu.identity.callers import Caller
from yibu.kit.ids import new_id
from yibu.kit.rates import Ticket
from yibu.relay.headers import JSON, NO_BUFFERING
from yibu.relay.reply import Headers, Reply
from yibu.responses.record import Record

EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
MOST_LISTED = 100


async def create(request: Request, reply: Reply, house: House) -> None:
    """Raises `HubError` while nothing has been answered."""
    caller = await identify(request, house)
    ticket = welcome(caller, house)
    house.metrics.open.inc()
    is_going_on = False
    try:
        is_going_on = await _create(request, reply, house, caller, ticket)
    finally:
        if not is_going_on:
            _leave(house, ticket)


def _leave(house: House, ticket: Ticket) -> None:
    ticket.release()
    house.metrics.open.dec()


async def _create(request: Request, reply: Reply, house: House, caller: Caller, ticket: Ticket) -> bool:
    """Whether it goes on when this is over."""
    limits = house.settings.limits
    body = await request.body(limits.body_bytes, limits.idle_s)
    known = cast(OpenAIResponses, request.dialect)
    known.sniff(body, request.target)
    members = fields(body)
    continued = await written_out(body, members, caller.wallet, house.archive)
    was_written_out = continued.body is not body
    told = {**members, "store": members.get("store", msgspec.Raw(b"true"))} if was_written_out else members
    amended = ("previous_response_id", "store") if was_written_out else ()
    asked = Asked(response_id=new_id("resp"), members=told, amended=amended)
    request.dialect = dialect = known.answering(asked)
    intent = dialect.sniff(continued.body, request.target)
    order = Order(wallet=caller.wallet, model=intent.model, items=continued.items, previous_id=continued.previous_id)
    keeps = members.get("store") is None or bytes(members["store"]) != b"false"
    if _says(members, "background"):
        if not keeps:
            raise InvalidRequest("A response in the background has to be stored.", param="$.store")
        alone = {**fields(continued.body), "stream": msgspec.Raw(b"true"), "store": msgspec.Raw(b"false")}
        alone.pop("background", None)
        intent = dialect.sniff(msgspec.json.encode(alone), request.target)
        call = planned(request, house, dialect, intent, caller)
        hold = await set_aside(call, house)
        run = Run(
            queued(asked, intent.model, request.started_at // 1000),
            order,
            house.archive,
            keeps_events=_says(members, "stream"),
        )
        await run.begin()
        house.runs.start(
            caller.wallet,
            run,
            lambda sink: deliver(call, hold, sink, house),
            lambda: _leave(house, ticket),
        )
        await _tell(run, reply, 0, is_stream=_says(members, "stream"))
        return True
    if keeps:
        reply.listener = Recorder(order, house.archive, is_stream=intent.is_stream).hear
    await carry(planned(request, house, dialect, intent, caller), reply, house)
    return False


def _says(members: dict[str, msgspec.Raw], name: str) -> bool:
    return bytes(members.get(name, b"")) == b"true"


async def _tell(run: Run, reply: Reply, begin: int, *, is_stream: bool) -> None:
    """How far it is, or its events as they come; a caller who hangs up stops nothing but this."""
    if not is_stream:
        await reply.whole(200, [JSON], msgspec.json.encode(run.snapshot))
        return
    async with reply.watching(0.0):
        await reply.start(200, [EVENT_STREAM, *NO_BUFFERING], is_stream=True)
        async for frame in run.watch(begin):
            await reply.write(frame)
        await reply.end()


async def show(request: Request, reply: Reply, house: House) -> None:
    """The response as it is now; with `stream=true` its events after the number `starting_after`."""
    caller = await identify(request, house)
    wants_events = request.query.get("stream") == "true"
    begin = _number(request, "starting_after", -1, -1, 2**31) + 1
    run = house.runs.find(caller.wallet, request.params["response"])
    if run is not None:
        await _tell(run, reply, begin, is_stream=wants_events)
        return
    record = await _own(request, house, caller)
    if not wants_events:
        await reply.whole(200, [JSON], record.body.encode())
        return
    if record.events is None:
        raise InvalidRequest("Only responses that were created with `background` and `stream` can be streamed again.")
    frames = record.events.split(b"\n\n")[begin:]
    head: Headers = [EVENT_STREAM, *NO_BUFFERING]
    await reply.whole(200, head, b"\n\n".join(frames))


async def remove(request: Request, reply: Reply, house: House) -> None:
    caller = await identify(request, house)
    record = await _own(request, house, caller)
    run = house.runs.find(caller.wallet, record.id)
    await house.archive.remove(caller.wallet, record.id)
    if run is not None and run.task is not None:
        run.cancel()
        run.task.cancel()
    gone = {"id": record.id, "object": "response", "deleted": True}
    await reply.whole(200, [JSON], msgspec.json.encode(gone))


async def cancel(request: Request, reply: Reply, house: House) -> None:
    """Ends a response in the background; one that has ended stays as it is."""
    caller = await identify(request, house)
    record = await _own(request, house, caller)
    if not _says(fields(record.body.encode()), "background"):
        raise InvalidRequest("Only responses that were created with `background: true` can be cancelled.")
    run = house.runs.find(caller.wallet, record.id)
    body = record.body.encode()
    if run is not None and run.task is not None:
        run.cancel()
        run.task.cancel()
        body = msgspec.json.encode(run.snapshot)
    await reply.whole(200, [JSON], body)


async def items(request: Request, reply: Reply, house: House) -> None:
    """What the model was given: the items of the whole conversation up to this response, a page at a time."""
    caller = await identify(request, house)
    record = await _own(request, house, caller)
    found: list[dict[str, Any]] = []
    for one in await house.archive.chain(caller.wallet, record.id) or [record]:
        found += listed(items_of(one), one.id)
        found += listed(output_of(one.body), one.id) if one.id != record.id else []
    if request.query.get("order", "desc") != "asc":
        found.reverse()
    ids = [item.get("id") for item in found]
    after = request.query.get("after", "")
    if after:
        if after not in ids:
            raise InvalidRequest(f"There is no item '{after}' in this response.", param="after")
        found = found[ids.index(after) + 1 :]
    limit = _number(request, "limit", 20, 1, MOST_LISTED)
    page = found[:limit]
    answer = {
        "object": "list",
        "data": page,
        "first_id": page[0].get("id") if page else None,
        "last_id": page[-1].get("id") if page else None,
        "has_more": len(found) > limit,
    }
    await reply.whole(200, [JSON], msgspec.json.encode(answer))


async def count(request: Request, reply: Reply, house: House) -> None:
    """How many tokens a request would have, with the conversation that it continues."""
    caller = await identify(request, house)
    ticket = welcome(caller, house)
    try:
        limits = house.settings.limits
        body = await request.body(limits.body_bytes, limits.idle_s)
        cast(OpenAIResponses, request.dialect).sniff_count(body, request.target)
        continued = await written_out(body, fields(body), caller.wallet, house.archive)
        await count_body(continued.body, request, reply, house, caller)
    finally:
        ticket.release()


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 12 and least <= int(text) <= most):
        raise InvalidRequest(f"`{name}` is a number from {least} to {most}.", param=name)
    return int(text)


async def _own(request: Request, house: House, caller: Caller) -> Record:
    """The caller's own response; ids of others are as good as none. Raises `NotFound`."""
    id = request.params["response"]
    record = await house.archive.find(caller.wallet, id)
    if record is None:
        raise NotFound(f"Response with id '{id[:100]}' not found.")
    return record
