"""Carries one call to a vendor and the answer back: the only step of a call that talks to the world.

`run` tries the attempts of the plan in order and picks a carrier for each; that choice is the only place which knows
that one of them is faster:

    pipe        both sides speak the same dialect: bytes go through, a tap listens
    translate   they do not, or the request must be understood: through the hub and back
    as_chat     the model is served by long work: submits it, tells how far it is, ends with the link
"""

from yibu.hub.errors import NoChannel, UpstreamError, WouldLose
from yibu.relay.as_chat import as_chat
from yibu.relay.call import Call, Outcome, Wires
from yibu.relay.pipe import pipe
from yibu.relay.reply import Gone, Reply
from yibu.relay.translate import translate
from yibu.routing.plan import Attempt

__all__ = ["Call", "Outcome", "Reply", "Wires", "run"]

CLIENT_CLOSED_REQUEST = 499
"""The customer hung up; a number of nginx, for the log only."""


async def run(call: Call, reply: Reply, wires: Wires, outcome: Outcome) -> None:
    """Answers the call and fills in how it went, so that `outcome` is right however this ends.

    Raises `HubError` only while nothing has been sent yet; afterwards errors are in the outcome.
    """
    try:
        async with reply.watching(_grace_s(call, wires)):
            if call.plan.work:
                await as_chat(call, reply, wires, outcome)
            else:
                await _try_in_order(call, reply, wires, outcome)
        outcome.status = CLIENT_CLOSED_REQUEST if reply.is_gone else reply.status
    except Gone:
        outcome.status = CLIENT_CLOSED_REQUEST


async def _try_in_order(call: Call, reply: Reply, wires: Wires, outcome: Outcome) -> None:
    last: UpstreamError | NoChannel | WouldLose = NoChannel()
    for attempt in call.plan.attempts:
        outcome.channel, outcome.upstream_model = attempt.channel.name, attempt.model
        outcome.losses = []
        try:
            carry = pipe if _can_pipe(call, attempt) else translate
            await carry(call, attempt, reply, wires, outcome)
        except WouldLose as error:  # another channel may speak a format that has the word
            last = error
            continue
        except UpstreamError as error:
            outcome.usage = None  # whatever the vendor counted, nothing of it reached the customer
            wires.health.failed(attempt.channel.name, attempt.credential, attempt.model, error)
            if error.retry == "never":
                raise
            last = error
            continue
        if isinstance(outcome.error, UpstreamError):
            wires.health.failed(attempt.channel.name, attempt.credential, attempt.model, outcome.error)
        else:
            wires.health.served(attempt.channel.name)
        return
    raise last


def _can_pipe(call: Call, attempt: Attempt) -> bool:
    needs_inlining = attempt.channel.inline_media and call.intent.has_remote_media
    return attempt.dialect == call.dialect.id and not needs_inlining


def _grace_s(call: Call, wires: Wires) -> float:
    """How long to go on for a customer who hung up. An answer in one piece is always waited for, since the vendor makes
    and bills it anyway; work goes on by itself."""
    if call.plan.work:
        return 0.0
    is_worth_it = not call.intent.is_stream or call.plan.model.on_disconnect == "drain"
    return wires.limits.drain_s if is_worth_it else 0.0
