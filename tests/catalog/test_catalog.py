from decimal import Decimal

import pytest

from yibu.catalog import catalog
from yibu.hub.usage import Meter
from yibu.kit.settings import ModelSettings, PriceSettings


def test_a_model_without_a_sheet_has_no_price() -> None:
    """None, which is not the same as free."""
    sold = catalog.from_settings([], [PriceSettings(model="a", input=Decimal(1))])

    assert sold.price("b") is None
    assert sold.price("a") is not None


def test_prices_and_models_of_the_settings_are_read() -> None:
    """Only what was written counts: a price that is not given falls back, it is not zero."""
    sold = catalog.from_settings(
        [ModelSettings(name="mine-*", kind="video", owner="me")],
        [PriceSettings(model="a", input=Decimal(1), second=Decimal("0.5")), PriceSettings(model="gift", free=True)],
    )
    sheet, gift = sold.price("a"), sold.price("gift")

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
