"""Headers of an answer that come from the call itself."""

import re
from collections.abc import Iterable
from urllib.parse import quote

from yibu.hub.loss import Loss
from yibu.kit.money import Nanos, in_units
from yibu.relay.reply import Headers

JSON = (b"content-type", b"application/json")
NO_BUFFERING: Headers = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
MOST_LOSSES = 20
MOST_BYTES = 2048
_CUT = re.compile(r"%[0-9A-F]?$")


def channel(name: str) -> tuple[bytes, bytes]:
    return b"x-yibu-channel", name.encode()


def price(cost: int) -> tuple[bytes, bytes]:
    """Units of currency, as a decimal number."""
    return b"x-yibu-cost", in_units(Nanos(cost)).encode()


def losses(lost: Iterable[Loss]) -> Headers:
    """`dropped $.logit_bias; approximated $.tools[0].strict (…)`; absent when everything was carried."""
    said = [f"{one.kind} {one.where}" + (f" ({one.detail})" if one.detail else "") for one in lost]
    if not said:
        return []
    more = [f"and {len(said) - MOST_LOSSES} more"] if len(said) > MOST_LOSSES else []
    # A member's name is the caller's: nothing of it may leave the header or make it too long for servers and proxies.
    plain = quote("; ".join(said[:MOST_LOSSES] + more), safe=" $.[];(),:'!?=/_-", errors="replace")
    return [(b"x-yibu-loss", _CUT.sub("", plain[:MOST_BYTES]).encode())]


def of_stream(kind: str, served_by: str, lost: Iterable[Loss]) -> Headers:
    """The head of a stream. `kind`: its content type."""
    return [(b"content-type", kind.encode()), channel(served_by), *NO_BUFFERING, *losses(lost)]
