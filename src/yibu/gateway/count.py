"""How many tokens a request would have: asked of a vendor that counts them in the caller's own format, else estimated here.

It costs nothing. A vendor that cannot count is no worse for answers, so its health is left alone; and an estimate is always
better than none, because tools decide by it when to shorten a conversation.
"""

from typing import cast

import structlog

from yibu.dialects.dialect import CountingDialect, Intent, Operation
from yibu.gateway.admit import identify, welcome
from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.hub.errors import Busy, NoChannel, Refused, UpstreamError
from yibu.hub.estimate import estimate_request
from yibu.hub.loss import Loss
from yibu.identity.callers import Caller
from yibu.kit.http import HttpFailed
from yibu.relay import Reply, Wires, headers
from yibu.relay.upstream import broken, post
from yibu.routing.plan import Attempt, Wish, plan

log = structlog.get_logger(__name__)

MOST_BYTES = 64 * 1024
"""Of a vendor's answer."""
_ESTIMATED = Loss("approximated", "$.input_tokens", "estimated by the gateway")
_HIS_MISTAKES = (400, 413, 422)


async def count_tokens(request: Request, reply: Reply, house: House) -> None:
    """Raises `HubError` while nothing has been answered."""
    caller = await identify(request, house)
    ticket = welcome(caller, house)
    try:
        limits = house.settings.limits
        await count(await request.body(limits.body_bytes, limits.idle_s), request, reply, house, caller)
    finally:
        ticket.release()


async def count(body: bytes, request: Request, reply: Reply, house: House, caller: Caller) -> None:
    """Answers how many tokens the request in `body` would have."""
    dialect = cast(CountingDialect, request.dialect)
    limits = house.settings.limits
    intent = dialect.sniff_count(body, request.target)
    wish = Wish(intent.model, dialect.id, caller.models, intent.lead, operation=dialect.operation)
    try:
        attempts = plan(wish, house.directory(), house.wires.health, house.random, limits.attempts).attempts
    except (NoChannel, Busy):
        attempts = ()
    for attempt in attempts:
        counted = await _ask(dialect, intent, attempt, house.wires)
        if counted is not None:
            house.metrics.calls(Operation.COUNT_TOKENS, attempt.channel.name, "200").inc()
            await reply.whole(200, [headers.JSON, headers.channel(attempt.channel.name)], counted)
            return
    house.metrics.calls(Operation.COUNT_TOKENS, "", "200").inc()
    tokens = estimate_request(dialect.decode_count(intent.body, intent.target))
    await reply.whole(200, [headers.JSON, *headers.losses([_ESTIMATED])], dialect.encode_count(tokens))


async def _ask(dialect: CountingDialect, intent: Intent, attempt: Attempt, wires: Wires) -> bytes | None:
    """The vendor's own answer; None when it has none. Raises `Refused` for a request that it finds wrong."""
    channel = attempt.channel
    url = channel.provider.count_url(channel.base_url, dialect.id, attempt.model)
    if attempt.dialect != dialect.id or not url:
        return None
    asked = channel.provider.prepare_headers(dialect.id, dialect.request_headers(intent.target))
    body = dialect.splice_count(intent, attempt.model)
    try:
        response = await post(attempt, dialect, url, {"accept": "application/json", **asked}, body, wires)
        try:
            return await response.read(MOST_BYTES)
        except HttpFailed as exc:
            raise broken(exc) from exc
        finally:
            await response.close()
    except UpstreamError as error:
        if isinstance(error, Refused) and error.upstream_status in _HIS_MISTAKES:
            raise
        log.info("count_failed", channel=channel.name, code=error.code, upstream_status=error.upstream_status)
        return None
