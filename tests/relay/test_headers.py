import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibu.hub.loss import Loss
from yibu.relay import headers


def value(*lost: Loss) -> bytes:
    [(name, said)] = headers.losses(lost)
    assert name == b"x-yibu-loss"
    return said


def test_losses_read_as_a_sentence() -> None:
    """Kind, place, and what happens instead."""
    said = value(Loss("dropped", "$.logit_bias"), Loss("approximated", "$.tools[0].strict", "asked for politely"))

    assert said == b"dropped $.logit_bias; approximated $.tools[0].strict (asked for politely)"


def test_nothing_lost_is_no_header() -> None:
    assert headers.losses([]) == []


@pytest.mark.parametrize("detail", ["a\r\nset-cookie: x", "一", "\x00", "\ud800", "100%", "\u2028"])
def test_a_loss_cannot_leave_its_header(detail: str) -> None:
    """Printable ASCII without line breaks, whatever its words are."""
    said = value(Loss("dropped", "$.x", detail))

    assert said.startswith(b"dropped $.x (")
    assert all(32 <= byte < 127 for byte in said)


def test_many_losses_are_counted() -> None:
    """The first twenty are named."""
    said = value(*(Loss("dropped", f"$.m[{number}]") for number in range(50)))

    assert said.endswith(b"dropped $.m[19]; and 30 more")


@given(st.lists(st.builds(Loss, st.just("dropped"), st.text(), st.text()), min_size=1))
def test_the_header_is_ascii_and_bounded(lost: list[Loss]) -> None:
    """A client chooses the names of members; servers and proxies refuse long headers."""
    said = value(*lost)

    assert len(said) <= headers.MOST_BYTES
    assert all(32 <= byte < 127 for byte in said)


@pytest.mark.parametrize("where", ["$." + "x" * 100_000, "$." + "中" * 100_000, "%" * 100_000])
def test_a_long_name_is_cut(where: str) -> None:
    """Nowhere inside of an escape."""
    said = value(Loss("dropped", where))

    assert headers.MOST_BYTES - 2 <= len(said) <= headers.MOST_BYTES
    assert b"%" not in said[-2:]


@pytest.mark.parametrize(
    ("cost", "said"), [(0, b"0"), (1, b"0.000000001"), (450_000, b"0.00045"), (10**9, b"1"), (12 * 10**9, b"12")]
)
def test_a_price_is_a_decimal_number(cost: int, said: bytes) -> None:
    """Exact, without an exponent."""
    assert headers.price(cost) == (b"x-yibu-cost", said)


def test_a_stream_is_not_buffered() -> None:
    """Neither by caches nor by nginx."""
    head = dict(headers.of_stream("text/event-stream; charset=utf-8", "main", [Loss("dropped", "$.n")]))

    assert head[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert head[b"cache-control"] == b"no-cache"
    assert head[b"x-accel-buffering"] == b"no"
    assert head[b"x-yibu-channel"] == b"main"
    assert head[b"x-yibu-loss"] == b"dropped $.n"
