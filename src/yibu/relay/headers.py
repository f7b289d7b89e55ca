"""Headers of an answer that come from the call itself."""

from collections.abc import Iterable
from urllib.parse import quote

from yibu.hub.loss import Loss
from yibu.kit.money import Nanos, in_units
from yibu.relay.reply import Headers

JSON = (b"content-type", b"application/json")
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
NO_BUFFERING: Headers = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
MOST_LOSSES = 20


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
    return [(b"x-yibu-loss", quote("; ".join(said[:MOST_LOSSES] + more), safe=" $.[];(),:'!?=/_-").encode())]


def of_stream(served_by: str, lost: Iterable[Loss]) -> Headers:
    """The head of a stream of events."""
    return [EVENT_STREAM, channel(served_by), *NO_BUFFERING, *losses(lost)]
