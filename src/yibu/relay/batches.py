"""More inputs than a vendor makes vectors of in one call: several calls, one after the other, and one answer."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from yibu.dialects.dialect import EmbedDialect, VendorDialect
from yibu.hub.embed import EmbedReply, EmbedRequest, fit_embed
from yibu.hub.loss import Losses
from yibu.hub.usage import Meter, Usage
from yibu.kit.http import HttpFailed
from yibu.relay.call import Call, Wires
from yibu.relay.upstream import MOST_REPLY_BYTES, broken, send
from yibu.routing.plan import Attempt


def split(asked: Any, spoken: VendorDialect) -> Sequence[Any]:
    """The request in as many parts as its vendor wants, in order; nearly always one."""
    if not isinstance(asked, EmbedRequest):
        return (asked,)
    inputs, most = asked.inputs, cast(EmbedDialect, spoken).most_inputs
    if len(inputs) <= most:
        return (asked,)
    return [msgspec.structs.replace(asked, inputs=inputs[at : at + most]) for at in range(0, len(inputs), most)]


async def gather(
    call: Call, attempt: Attempt, spoken: VendorDialect, parts: Sequence[EmbedRequest], losses: Losses, wires: Wires
) -> EmbedReply:
    """All vectors in the order of the inputs. Raises `UpstreamError` when one part fails: half an answer is none."""
    replies = [await _ask(call, attempt, spoken, part, losses, wires) for part in parts]
    vectors = tuple(vector for reply in replies for vector in reply.vectors)
    return msgspec.structs.replace(replies[0], vectors=vectors, usage=_sum([reply.usage for reply in replies]))


async def _ask(
    call: Call, attempt: Attempt, spoken: VendorDialect, part: EmbedRequest, losses: Losses, wires: Wires
) -> EmbedReply:
    body = spoken.encode_request(part, [])  # what is lost of one part is lost of all, and was noted with the first
    response = await send(call, attempt, spoken, body, losses, wires)
    try:
        reply: EmbedReply = spoken.decode_reply(await response.read(MOST_REPLY_BYTES), part)
    except HttpFailed as exc:
        raise broken(exc) from exc
    finally:
        await response.close()
    return fit_embed(part, reply)


def _sum(usages: Sequence[Usage | None]) -> Usage | None:
    """None when one part was not counted: then all of it is estimated."""
    units: dict[Meter, int] = {}
    for usage in usages:
        if usage is None:
            return None
        for meter, count in usage.units.items():
            units[meter] = units.get(meter, 0) + count
    return Usage(units)
