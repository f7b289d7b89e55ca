from decimal import Decimal

import pytest

from yibu.catalog.price import Sheet, sheet
from yibu.hub.usage import Meter

D = Decimal


def test_token_prices_are_per_million_and_pieces_are_single() -> None:
    """0.15 a million tokens is 150 nanos a token; a picture of 0.04 costs 0.04."""
    sold = sheet("m", {Meter.INPUT: D("0.15"), Meter.IMAGE: D("0.04")})

    assert sold.rate(Meter.INPUT) == 150_000_000
    assert sold.rate(Meter.IMAGE) == 40_000_000 * 1_000_000


@pytest.mark.parametrize(
    ("meter", "same_as"),
    [
        (Meter.INPUT_CACHED, Meter.INPUT),
        (Meter.CACHE_WRITE, Meter.INPUT),
        (Meter.AUDIO_IN, Meter.INPUT),
        (Meter.REASONING, Meter.OUTPUT),
        (Meter.AUDIO_OUT, Meter.OUTPUT),
    ],
)
def test_a_meter_without_a_price_costs_what_plain_tokens_of_its_side_cost(meter: Meter, same_as: Meter) -> None:
    """A forgotten price never makes a kind of token free."""
    sold = sheet("m", {Meter.INPUT: D(3), Meter.OUTPUT: D(7)})

    assert sold.rate(meter) == sold.rate(same_as) > 0


def test_a_price_of_zero_is_a_price() -> None:
    """Reasoning that is given away stays free although output is not."""
    sold = sheet("m", {Meter.OUTPUT: D(7), Meter.REASONING: D(0)})

    assert sold.rate(Meter.REASONING) == 0


def test_a_meter_that_is_not_sold_has_no_rate() -> None:
    """Pictures of a text model cost nothing, since nothing was said about them."""
    assert sheet("m", {Meter.INPUT: D(1)}).rate(Meter.IMAGE) == 0


@pytest.mark.parametrize(
    ("meter", "price"),
    [
        (Meter.INPUT, D("-1")),
        (Meter.CALL, D("-0.01")),
        (Meter.INPUT, D("0.0000000001")),
        (Meter.OUTPUT, D("1.0000000005")),
        (Meter.SECOND, D("0.0000000000000001")),
    ],
)
def test_a_price_is_neither_negative_nor_too_fine(meter: Meter, price: Decimal) -> None:
    """What cannot be written in whole nanos is refused with the name of the model, not rounded."""
    with pytest.raises(ValueError, match="fine-model is negative or finer than a billionth"):
        sheet("fine-model", {meter: price})


def test_a_sheet_without_a_price_is_refused() -> None:
    """Nothing is given away by accident."""
    with pytest.raises(ValueError, match="names no meter"):
        sheet("m", {})


def test_a_free_sheet_says_so() -> None:
    """`free` needs no meter, and wins over prices that stand beside it."""
    assert sheet("m", {}, is_free=True) == Sheet("m", {}, is_free=True)
    assert sheet("m", {Meter.INPUT: D(1)}, is_free=True).rate(Meter.INPUT) == 0
