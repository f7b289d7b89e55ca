"""A call, from the key to the booked cost: the whole data plane in six steps."""

from collections.abc import Awaitable, Callable

import msgspec

from yibu import relay
from yibu.catalog.cost import ceiling
from yibu.dialects.dialect import CallDialect, Intent, Operation
from yibu.gateway.admit import identify, welcome
from yibu.gateway.closing import Closing
from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.hub.errors import HubError
from yibu.identity.callers import Caller
from yibu.kit.money import Nanos
from yibu.ledger import LIMIT, CallRow, Hold
from yibu.relay import Call, Outcome, Reply
from yibu.relay.call import bill
from yibu.routing.plan import Plan, Wish, plan

BYTES_A_TOKEN = 2
"""A cautious ruler for the hold: texts have three or more."""
TOKENS_A_MEDIUM = 2000


Hear = Callable[[bytes], CallDialect]
"""The format that a request's body is written in."""


async def serve(request: Request, reply: Reply, house: House, hear: Hear) -> None:
    """Raises `HubError` while nothing has been answered."""
    caller = await identify(request, house)
    ticket = welcome(caller, house)
    house.metrics.open.inc()
    try:
        await _serve(request, reply, house, hear, caller)
    finally:
        ticket.release()
        house.metrics.open.dec()


async def _serve(request: Request, reply: Reply, house: House, hear: Hear, caller: Caller) -> None:
    limits = house.settings.limits
    body = await request.body(limits.body_bytes, limits.idle_s)
    dialect = hear(body)
    intent = dialect.sniff(body, request.target)
    await carry(planned(request, house, dialect, intent, caller), reply, house)


def planned(request: Request, house: House, dialect: CallDialect, intent: Intent, caller: Caller) -> Call:
    """Raises `HubError` when nobody can serve it."""
    way = _plan(caller, intent, dialect, house)
    return Call(
        request_id=request.id,
        key_id=caller.key_id,
        wallet=caller.wallet,
        dialect=dialect,
        intent=intent,
        plan=way,
        public_url=request.public_url(house.settings.server.public_url),
        started_at=request.started_at,
        refuses_loss=caller.refuses_loss,
    )


async def carry(call: Call, reply: Reply, house: House) -> None:
    """Steps 4 to 6."""
    await deliver(call, await set_aside(call, house), reply, house)


async def deliver(call: Call, hold: Hold | None, reply: Reply, house: House) -> None:
    """Steps 5 and 6."""
    health, first = house.wires.health, call.plan.attempts[0].channel.name
    is_probe = health.begin(first)
    try:
        await _run(call, hold, reply, house)
    finally:
        if is_probe:
            health.leave(first)


async def _run(call: Call, hold: Hold | None, reply: Reply, house: House) -> None:
    outcome = Outcome()
    if call.plan.work:  # the task holds and settles by itself
        try:
            await relay.run(call, reply, house.wires, outcome)
        finally:
            _count(call, outcome, Nanos(0), house)
        return
    closing = house.closings.of(call.wallet, hold.key if hold else "")
    reply.before_end = closing.begin
    try:
        await relay.run(call, reply, house.wires, outcome)
    except HubError as error:
        outcome.error, outcome.status = error, call.dialect.error_status(error)
        raise
    finally:
        _close(call, hold, outcome, house, closing)


def _plan(caller: Caller, intent: Intent, dialect: CallDialect, house: House) -> Plan:
    wish = Wish(intent.model, dialect.id, caller.models, intent.lead, operation=dialect.operation)
    return plan(wish, house.directory(), house.wires.health, house.random, house.settings.limits.attempts)


async def set_aside(call: Call, house: House) -> Hold | None:
    """Holds the most that the call can cost. Raises `OutOfCredit`."""
    if call.plan.work:
        return None
    intent, model = call.intent, call.plan.model
    into = intent.text_bytes // BYTES_A_TOKEN + intent.media * TOKENS_A_MEDIUM
    is_chat = call.dialect.operation is Operation.CHAT  # other answers are sold by what was asked
    out = (intent.max_output_tokens or model.max_output_tokens) * intent.choices if is_chat else 0
    most = ceiling(into, out, call.plan.sheet, intent.searches)
    if not most:
        return None
    # A caller may ask for more tokens than the book can hold the price of; nobody has as much.
    return await house.ledger.reserve(call.wallet, Nanos(min(most, LIMIT)), key=f"call:{call.request_id}")


def _close(call: Call, hold: Hold | None, outcome: Outcome, house: House, closing: Closing) -> None:
    """Settles or releases, and logs, in one transaction that nothing can cancel any more."""
    cost = Nanos(bill(outcome.usage, call.plan))
    row = _row(call, outcome, cost)
    _count(call, outcome, cost, house)

    def book() -> Awaitable[object]:
        if hold is None:
            return house.ledger.record(row)
        if cost:
            return house.ledger.settle(hold, cost, log=row)
        return house.ledger.release(hold, log=row)

    closing.book(call.request_id, book)


def _count(call: Call, outcome: Outcome, cost: Nanos, house: House) -> None:
    """Figures for the operator; what a film costs is told by the engine that settles it."""
    house.metrics.calls(call.dialect.operation, outcome.channel, outcome.status).inc()
    if outcome.first_byte_ms is not None:
        house.metrics.first_byte.observe(outcome.first_byte_ms / 1000)
    house.metrics.charged(outcome.channel, cost)


def _row(call: Call, outcome: Outcome, cost: Nanos) -> CallRow:
    usage = outcome.usage
    return CallRow(
        request_id=call.request_id,
        started_at=call.started_at,
        wallet=call.wallet,
        key_id=call.key_id,
        model=call.intent.model,
        upstream_model=outcome.upstream_model,
        channel=outcome.channel,
        dialect=call.dialect.id,
        operation=call.dialect.operation,
        is_stream=call.intent.is_stream,
        status=outcome.status,
        error_code=outcome.error.code if outcome.error else "",
        units=msgspec.json.encode(usage.units).decode() if usage else "{}",
        is_estimated=usage.is_estimated if usage else False,
        cost=cost,
        first_byte_ms=outcome.first_byte_ms,
        total_ms=call.elapsed_ms(),
        losses=msgspec.json.encode(outcome.losses).decode() if outcome.losses else "[]",
    )
