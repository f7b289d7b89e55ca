"""The short way: both sides speak the same dialect, so the vendor's bytes go to the customer as they are.

A tap listens for what must be known: usage, the end, an error. It hides the one frame that only we asked for.
"""

from yibu.hub.errors import Broken
from yibu.kit.http import HttpFailed, Response
from yibu.relay import headers
from yibu.relay.call import Call, Outcome, Wires, bill, metered
from yibu.relay.reply import Reply
from yibu.relay.stream import write
from yibu.relay.upstream import MOST_REPLY_BYTES, broken, send
from yibu.routing.plan import Attempt


async def pipe(call: Call, attempt: Attempt, reply: Reply, wires: Wires, outcome: Outcome) -> None:
    """Raises `UpstreamError` while nothing was sent to the customer; afterwards it is in `outcome.error`."""
    body = call.dialect.splice(call.intent, attempt.model)
    response = await send(call, attempt, call.dialect, body, outcome.losses, wires)
    try:
        if call.intent.is_stream:
            await _stream(call, attempt, response, reply, outcome)
        else:
            await _whole(call, attempt, response, reply, outcome)
    finally:
        await response.close()


async def _whole(call: Call, attempt: Attempt, response: Response, reply: Reply, outcome: Outcome) -> None:
    tap = call.dialect.tap(call.intent)
    try:
        body = await response.read(MOST_REPLY_BYTES)
    except HttpFailed as exc:
        raise broken(exc) from exc
    ready = tap.feed(body) + tap.finish()
    if tap.failed:
        raise tap.failed
    if not tap.is_finished:
        raise Broken(upstream_status=response.status, upstream_words=body[:200].decode("utf-8", "replace"))
    outcome.first_byte_ms = call.elapsed_ms()
    outcome.usage = metered(tap.usage, call, tap.text_units, was_accepted=True)
    cost = headers.price(bill(outcome.usage, call.plan))
    head = [headers.JSON, headers.channel(attempt.channel.name), cost, *headers.losses(outcome.losses)]
    await reply.whole(response.status, head, ready)


async def _stream(call: Call, attempt: Attempt, response: Response, reply: Reply, outcome: Outcome) -> None:
    tap = call.dialect.tap(call.intent)
    try:
        async for chunk in response.chunks():
            ready = tap.feed(chunk)
            if tap.failed and not reply.has_started:
                raise tap.failed
            if ready:
                await write(ready, call, attempt, reply, outcome)
            if tap.failed:
                break
        if rest := tap.finish():
            await write(rest, call, attempt, reply, outcome)
        outcome.error = tap.failed
        if not tap.is_finished and not tap.failed:
            outcome.error = Broken("The vendor's answer broke off before its end.")
    except HttpFailed as exc:
        outcome.error = broken(exc)
    finally:
        was_accepted = reply.has_started and (outcome.error is None or tap.text_units > 0)
        outcome.usage = metered(tap.usage, call, tap.text_units, was_accepted=was_accepted)
    if outcome.error and not reply.has_started:
        error, outcome.error = outcome.error, None
        raise error
    if outcome.error and not tap.is_told:
        await reply.write(call.dialect.encode_stream_error(outcome.error, call.request_id, call.intent.target))
    await reply.end()
