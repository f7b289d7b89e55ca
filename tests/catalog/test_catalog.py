from decimal import Decimal

import pytest

from yibu.catalog import catalog
from yibu.hub.usage import Meter
from yibu.kit.settings import ModelSettings, PriceSettings


def test_a_model_without_a_sheet_has_no_price() -> None:
    """None, which is not the same as free."""
    sold = catalog.from_settings([], [PriceSettings(model="a", input=Decimal(1), output=Decimal(2))])

    assert sold.price("b") is None
    assert sold.price("a") is not None


def test_prices_and_models_of_the_settings_are_read() -> None:
    """Only what was written counts: a price that is not given falls back, it is not zero."""
    sold = catalog.from_settings(
        [ModelSettings(name="mine-*", kind="video", owner="me")],
        [
            PriceSettings(model="mine-a", input=Decimal(1), second=Decimal("0.5")),
            PriceSettings(model="gift", free=True),
        ],
    )
    sheet, gift = sold.price("mine-a"), sold.price("gift")

    assert sheet
    assert gift
    assert sheet.rates == {Meter.INPUT: 10**9, Meter.SECOND: 5 * 10**14}
    assert gift.is_free
    assert sold.model("mine-1").owner == "me"


def test_a_price_that_makes_no_sense_is_refused_with_its_model() -> None:
    """The operator reads which one."""
    with pytest.raises(ValueError, match="The price of a names no meter"):
        catalog.from_settings([], [PriceSettings(model="a")])
    with pytest.raises(ValueError, match="The price input = -1 of b"):
        catalog.from_settings([], [PriceSettings(model="b", input=Decimal(-1))])


@pytest.mark.parametrize(
    ("model", "prices", "missing"),
    [
        ("sora-2", {"input": 1, "output": 1}, "second"),
        ("sora-2", {"character": 1}, "second"),
        ("gpt-4o", {"second": 1}, "input"),
        ("gpt-4o", {"input": 1}, "output"),
        ("gpt-4o", {"output": 1, "image": 1}, "input"),
    ],
)
def test_a_price_that_would_give_the_work_away_is_refused(model: str, prices: dict[str, int], missing: str) -> None:
    """A film that is priced by tokens costs nothing, and so does an answer whose side was forgotten."""
    with pytest.raises(ValueError, match=f"The price of {model} has no `{missing}`"):
        catalog.from_settings([], [PriceSettings.model_validate({"model": model, **prices})])


@pytest.mark.parametrize(
    ("model", "prices"),
    [
        ("sora-2", {"call": 1}),
        ("sora-2", {"second": 0}),
        ("gpt-4o", {"call": 1}),
        ("gpt-4o", {"input": 0, "output": 1}),
        ("gpt-4o", {"free": True}),
        ("sora-2", {"free": True}),
    ],
)
def test_a_price_for_each_call_or_a_zero_is_meant(model: str, prices: dict[str, int]) -> None:
    """Whoever writes one knows what it says."""
    assert catalog.from_settings([], [PriceSettings.model_validate({"model": model, **prices})]).price(model)
