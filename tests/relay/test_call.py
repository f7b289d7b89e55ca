from decimal import Decimal

import msgspec
import pytest

from yibu.catalog.model import Model
from yibu.catalog.price import sheet
from yibu.dialects import call_dialects, chat_dialects
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
    dialect=chat_dialects()["openai_chat"],
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


RANKING = msgspec.structs.replace(
    CALL,
    dialect=call_dialects()["jina_rerank"],
    intent=Intent(model="m", body=b"", text_bytes=400, searches=2),
)


@pytest.mark.parametrize(
    ("reported", "billed"),
    [
        (None, Usage({Meter.INPUT: 100, Meter.SEARCH: 2}, is_estimated=True)),
        (Usage({Meter.SEARCH: 3}), Usage({Meter.SEARCH: 3, Meter.INPUT: 100}, is_estimated=True)),
        (Usage({Meter.INPUT: 7}), Usage({Meter.INPUT: 7, Meter.SEARCH: 2})),
        (Usage({Meter.INPUT: 7, Meter.SEARCH: 3}), Usage({Meter.INPUT: 7, Meter.SEARCH: 3})),
    ],
)
def test_a_ranking_is_counted_both_ways(reported: Usage | None, billed: Usage) -> None:
    """Whether it is sold by tokens or by searches, and whichever of them the vendor counted: it is not given away."""
    assert metered(reported, RANKING, 0, was_accepted=True) == billed


def test_vectors_have_no_output() -> None:
    """What was not counted of them is estimated from the request alone."""
    call = msgspec.structs.replace(CALL, dialect=call_dialects()["openai_embeddings"])

    assert metered(None, call, 0, was_accepted=True) == Usage({Meter.INPUT: 1100}, is_estimated=True)
    assert metered(None, call, 0, was_accepted=False) is None
