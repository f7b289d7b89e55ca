from typing import Any

import msgspec
import pytest

from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Loss, Losses
from yibu.providers._quirk import Always, Between, For, OneAnswer, Only, Quirk, Rename, Without


def mend(quirk: Quirk, **members: Any) -> tuple[dict[str, Any], Losses]:
    """What is left of a request, and what was lost."""
    fields = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in members.items()}
    losses: Losses = []
    quirk(fields, losses)
    return {name: msgspec.json.decode(value) for name, value in fields.items()}, losses


def test_a_member_that_the_vendor_refuses_is_left_out() -> None:
    assert mend(Without("seed", "user"), seed=7, model="m") == (
        {"model": "m"},
        [Loss("dropped", "$.seed", "the vendor refuses it")],
    )


@pytest.mark.parametrize(
    "members",
    [
        {"n": 1},
        {"n": None},
        {"logprobs": False},
        {"parallel_tool_calls": True},
        {"frequency_penalty": 0.0},
        {"logit_bias": {}},
        {"tools": []},
    ],
)
def test_leaving_out_what_says_nothing_loses_nothing(members: dict[str, Any]) -> None:
    """Clients write defaults; the answer is the same without them."""
    assert mend(Without(*members), **members) == ({}, [])


def test_another_name_for_the_same_is_no_loss() -> None:
    """Where both are given the vendor's own name wins; null is not given."""
    ceiling = Rename("max_completion_tokens", "max_tokens")

    assert mend(ceiling, max_completion_tokens=9) == ({"max_tokens": 9}, [])
    assert mend(ceiling, max_completion_tokens=9, max_tokens=5) == ({"max_tokens": 5}, [])
    assert mend(ceiling, max_completion_tokens=9, max_tokens=None) == ({"max_tokens": 9}, [])
    assert mend(ceiling, max_completion_tokens=None) == ({}, [])


def test_several_choices_are_refused_where_there_is_one() -> None:
    """Fewer than were asked for would be a wrong answer."""
    with pytest.raises(InvalidRequest) as refused:
        mend(OneAnswer(), n=3)

    assert refused.value.param == "$.n"
    assert mend(OneAnswer(), n=1) == ({}, [])


def test_a_number_is_moved_to_the_vendors_bound() -> None:
    warm = Between("temperature", 0, 1)

    assert mend(warm, temperature=1.7) == (
        {"temperature": 1},
        [Loss("approximated", "$.temperature", "1, the vendor's bound")],
    )
    assert mend(warm, temperature=0.3) == ({"temperature": 0.3}, [])
    assert mend(warm, temperature=None) == ({"temperature": None}, [])


def test_a_value_that_the_vendor_does_not_know_becomes_one_it_knows() -> None:
    assert mend(Only("tool_choice", "auto", "none", instead="auto"), tool_choice="required") == (
        {"tool_choice": "auto"},
        [Loss("approximated", "$.tool_choice", "auto instead: the vendor knows no other")],
    )
    assert mend(Only("tool_choice", "auto"), tool_choice="none")[0] == {}
    assert mend(Only("tool_choice", "auto"), tool_choice="auto") == ({"tool_choice": "auto"}, [])


def test_quirks_of_some_models_leave_the_others_alone() -> None:
    """By the beginning of the name, however it is written."""
    quirk = For(["gpt-5", "o3"], Without("temperature"))

    assert mend(quirk, model="GPT-5-mini", temperature=0.1)[0] == {"model": "GPT-5-mini"}
    assert mend(quirk, model="gpt-4o", temperature=0.1)[1] == []


def test_what_the_vendor_needs_is_there_unless_the_caller_decided() -> None:
    assert mend(Always("reasoning_split", True)) == ({"reasoning_split": True}, [])
    assert mend(Always("reasoning_split", True), reasoning_split=False) == ({"reasoning_split": False}, [])
