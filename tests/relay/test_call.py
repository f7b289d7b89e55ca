from decimal import Decimal
from typing import Any, cast

import pytest

from yibu.catalog.model import Model
from yibu.catalog.price import sheet
from yibu.dialects.dialect import Intent
from yibu.hub.usage import Meter, Usage
from yibu.relay.call import SANE_UNITS, Call, bill, metered
from yibu.routing.plan import Plan

PLAN = Plan(
    Model("m"), sheet("m", {Meter.INPUT: Decimal(1), Meter.OUTPUT: Decimal(2), Meter.CALL: Decimal("0.001")}), ()
)
CALL = Call(
    request_id="req_1",
    key_id="key_1",
    wallet=7,
    dialect=cast(Any, None),
    intent=Intent(model="m", body=b"", text_bytes=400, media=1),
    plan=PLAN,
    public_url="https://us.test",
    started_at=0,
)
ESTIMATE = Usage({Meter.INPUT: 1100, Meter.OUTPUT: 30}, is_estimated=True)


def test_the_vendors_own_count_is_billed() -> None:
    reported = Usage({Meter.INPUT: 5, Meter.OUTPUT: 9})

    assert metered(reported, CALL, 30, was_accepted=True) is reported


def test_a_count_of_zero_is_a_count() -> None:
    """It is not taken for a missing one."""
    reported = Usage({Meter.INPUT: 0, Meter.OUTPUT: 0})

    assert metered(reported, CALL, 30, was_accepted=True) is reported


@pytest.mark.parametrize(
    "reported",
    [
        None,
        Usage({Meter.INPUT: -1, Meter.OUTPUT: 5}),
        Usage({Meter.INPUT: 5, Meter.OUTPUT: SANE_UNITS + 1}),
    ],
)
def test_what_was_not_counted_sanely_is_estimated(reported: Usage | None) -> None:
    """From what was sent and what was delivered, and marked as such."""
    assert metered(reported, CALL, 30, was_accepted=True) == ESTIMATE


@pytest.mark.parametrize("reported", [None, Usage({Meter.INPUT: -5})])
def test_an_answer_that_never_came_is_not_billed(reported: Usage | None) -> None:
    """Nothing was delivered, and what was sent is not held against the customer."""
    assert metered(reported, CALL, 0, was_accepted=False) is None


def test_a_bill_is_the_price_of_the_usage() -> None:
    """Nothing used is nothing to pay, not even for the call itself."""
    assert bill(None, PLAN) == 0
    assert bill(Usage({Meter.INPUT: 10, Meter.OUTPUT: 10}), PLAN) == 30_000 + 1_000_000
