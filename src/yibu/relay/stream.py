"""A streamed answer on its way to the customer, whichever carrier brings it."""

from typing import cast

from yibu.dialects.dialect import ChatDialect
from yibu.relay import headers
from yibu.relay.call import Call, Outcome
from yibu.relay.reply import Reply
from yibu.routing.plan import Attempt


async def write(ready: bytes, call: Call, attempt: Attempt, reply: Reply, outcome: Outcome) -> None:
    """The head goes out with the first bytes: until then another channel may be tried."""
    if not reply.has_started:
        caller = cast(ChatDialect, call.dialect)
        outcome.first_byte_ms = call.elapsed_ms()
        head = headers.of_stream(caller.answer_type(call.intent), attempt.channel.name, outcome.losses)
        await reply.start(200, head, is_stream=True, ping=caller.ping)
    await reply.write(ready)
