from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from yibu.catalog.cost import ceiling, cost
from yibu.catalog.price import Sheet, sheet
from yibu.hub.usage import Meter, Usage

D = Decimal
INTO = (Meter.INPUT, Meter.INPUT_CACHED, Meter.CACHE_WRITE, Meter.AUDIO_IN)
OUT = (Meter.OUTPUT, Meter.REASONING, Meter.AUDIO_OUT)

sheets = st.builds(
    lambda rates: Sheet("m", rates),
    st.fixed_dictionaries({}, optional={meter: st.integers(0, 10**13) for meter in Meter}),
)
units = st.dictionaries(st.sampled_from(Meter), st.integers(0, 10**7))


def test_a_bill_is_a_dot_product() -> None:
    """1000 tokens in at 0.15 and 500 out at 0.60 a million come to 0.00045."""
    sold = sheet("m", {Meter.INPUT: D("0.15"), Meter.OUTPUT: D("0.60")})

    assert cost(Usage({Meter.INPUT: 1000, Meter.OUTPUT: 500}), sold) == 450_000


def test_pieces_are_billed_by_the_piece() -> None:
    """Ten seconds at 0.1 are one unit of currency; so are four pictures at 0.25."""
    sold = sheet("m", {Meter.SECOND: D("0.1"), Meter.IMAGE: D("0.25")})

    assert cost(Usage({Meter.SECOND: 10}), sold) == 10**9
    assert cost(Usage({Meter.IMAGE: 4}), sold) == 10**9


def test_a_bill_is_rounded_up_once() -> None:
    """Three thirds of a nano are one nano, and not three."""
    sold = Sheet("m", {Meter.INPUT: 333_333, Meter.OUTPUT: 333_333, Meter.CACHE_WRITE: 333_334})

    assert cost(Usage({Meter.INPUT: 1}), sold) == 1
    assert cost(Usage({Meter.INPUT: 1, Meter.OUTPUT: 1, Meter.CACHE_WRITE: 1}), sold) == 1


def test_a_very_fine_price_of_a_call_is_rounded_together_with_the_tokens() -> None:
    """Half a nano for the call and half a nano for its token are one nano."""
    sold = sheet("m", {Meter.INPUT: D("0.0005"), Meter.CALL: D("0.0000000005")})

    assert cost(Usage({Meter.INPUT: 1}), sold) == 1
    assert ceiling(1, 0, sold) == 1


def test_the_price_of_a_call_is_added_once() -> None:
    """It is due for every call, also for one without any tokens, and not again when the vendor counts calls."""
    sold = sheet("m", {Meter.INPUT: D(1), Meter.CALL: D("0.01")})

    assert cost(Usage({}), sold) == 10_000_000
    assert cost(Usage({Meter.INPUT: 5}), sold) == 10_000_000 + 5_000
    assert cost(Usage({Meter.CALL: 1}), sold) == 10_000_000
    assert cost(Usage({Meter.CALL: 3}), sold) == 30_000_000


def test_a_free_model_costs_nothing() -> None:
    """Neither held nor charged, whatever was used."""
    sold = sheet("m", {}, is_free=True)

    assert cost(Usage({Meter.INPUT: 10**9, Meter.CALL: 5}), sold) == 0
    assert ceiling(10**9, 10**9, sold) == 0


def test_a_negative_count_does_not_pay_the_customer() -> None:
    """It is worth nothing, and takes nothing off what else was used."""
    sold = sheet("m", {Meter.INPUT: D(1), Meter.OUTPUT: D(1)})

    assert cost(Usage({Meter.INPUT: -1_000_000, Meter.OUTPUT: 7}), sold) == 7_000


def test_the_ceiling_counts_at_the_dearest_rate_of_each_side() -> None:
    """A dear cache or dear sound cannot lead to a bill above the hold."""
    sold = sheet(
        "m", {Meter.INPUT: D(1), Meter.INPUT_CACHED: D(2), Meter.AUDIO_IN: D(5), Meter.OUTPUT: D(3), Meter.CALL: D(1)}
    )

    assert ceiling(10, 100, sold) == 10 * 5_000 + 100 * 3_000 + 10**9


@given(usage=units, sold=sheets)
def test_a_bill_is_never_negative(usage: dict[Meter, int], sold: Sheet) -> None:
    assert cost(Usage(usage), sold) >= 0


@given(
    into=st.lists(st.tuples(st.sampled_from(INTO), st.integers(0, 10**6))),
    out=st.lists(st.tuples(st.sampled_from(OUT), st.integers(0, 10**6))),
    sold=sheets,
)
def test_a_bill_within_its_bounds_is_never_above_the_ceiling(
    into: list[tuple[Meter, int]], out: list[tuple[Meter, int]], sold: Sheet
) -> None:
    """However the tokens of a side are spread over its meters."""
    used: dict[Meter, int] = {}
    for meter, count in into + out:
        used[meter] = used.get(meter, 0) + count

    assert cost(Usage(used), sold) <= ceiling(sum(n for _, n in into), sum(n for _, n in out), sold)


@given(one=units, other=units, rates=st.dictionaries(st.sampled_from(Meter), st.integers(0, 10**13)))
def test_two_bills_differ_from_one_by_rounding_alone(
    one: dict[Meter, int], other: dict[Meter, int], rates: dict[Meter, int]
) -> None:
    """Without a price for the call itself, splitting a call neither pays nor costs more than a nano."""
    sold = Sheet("m", rates | {Meter.CALL: 0})
    both = {meter: one.get(meter, 0) + other.get(meter, 0) for meter in Meter}

    assert 0 <= cost(Usage(one), sold) + cost(Usage(other), sold) - cost(Usage(both), sold) <= 1


@given(usage=units, sold=sheets)
def test_more_use_never_costs_less(usage: dict[Meter, int], sold: Sheet) -> None:
    counted = usage | {Meter.CALL: 1}
    more = {meter: count + 1 for meter, count in counted.items()}

    assert cost(Usage(more), sold) >= cost(Usage(counted), sold)
