from typing import Any

import pytest
from msgspec import Raw, json

from yibu.hub.loss import Losses
from yibu.providers._quirk import Quirk
from yibu.providers._thinking import Budget, Efforts, ForcedCallsDoNotThink, Switch, Template

OFF, ON = {"type": "disabled"}, {"type": "enabled"}
NAMED = {"type": "function", "function": {"name": "f"}}


def mend(quirk: Quirk, **members: Any) -> tuple[dict[str, Any], list[str]]:
    """What is left of a request, and where something was lost."""
    fields = {name: Raw(json.encode(value)) for name, value in members.items()}
    losses: Losses = []
    quirk(fields, losses)
    return {name: json.decode(value) for name, value in fields.items()}, [loss.where for loss in losses]


@pytest.mark.parametrize(
    ("asked", "told", "lost"),
    [
        ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}, []),
        ({"reasoning_effort": "medium"}, {"reasoning_effort": "high"}, ["$.reasoning_effort"]),
        ({"reasoning_effort": "ultra"}, {}, ["$.reasoning_effort"]),
        ({"reasoning_effort": "none"}, {"reasoning_effort": "none"}, []),
        ({"reasoning": {"effort": "medium"}}, {"reasoning_effort": "high"}, ["$.reasoning_effort"]),
        ({"reasoning": {"enabled": False}}, {"reasoning_effort": "none"}, []),
        ({}, {}, []),
        ({"reasoning_effort": None}, {}, []),
    ],
)
def test_an_effort_becomes_the_nearest_that_the_vendor_knows(asked: Any, told: Any, lost: list[str]) -> None:
    """In whichever of the two ways it was asked for."""
    assert mend(Efforts({"low": "low", "medium": "high"}), **asked) == (told, lost)


def test_a_model_that_cannot_stop_thinking_is_left_alone() -> None:
    assert mend(Efforts({}, can_stop=False), reasoning_effort="none") == ({}, ["$.reasoning_effort"])
    assert mend(Switch(can_stop=False), reasoning_effort="none") == ({}, ["$.reasoning_effort"])


@pytest.mark.parametrize(
    ("asked", "told", "lost"),
    [
        ({"reasoning_effort": "none"}, {"thinking": OFF}, []),
        ({"reasoning_effort": "high"}, {"thinking": ON}, ["$.reasoning_effort"]),
        ({"reasoning_effort": "high", "thinking": OFF}, {"reasoning_effort": "high", "thinking": OFF}, []),
        ({}, {}, []),
    ],
)
def test_an_effort_is_a_switch(asked: Any, told: Any, lost: list[str]) -> None:
    """Unless the caller uses the vendor's own."""
    assert mend(Switch(), **asked) == (told, lost)


def test_a_switch_may_have_degrees_beside_it() -> None:
    assert mend(Switch(keeps_effort=True), reasoning_effort="high") == (
        {"thinking": ON, "reasoning_effort": "high"},
        [],
    )


@pytest.mark.parametrize(
    ("asked", "told", "lost"),
    [
        ({"reasoning_effort": "none"}, {"enable_thinking": False}, []),
        ({"reasoning_effort": "low"}, {"enable_thinking": True, "thinking_budget": 2048}, ["$.reasoning_effort"]),
        ({"reasoning": {"max_tokens": 700}}, {"enable_thinking": True, "thinking_budget": 700}, []),
        ({"reasoning_effort": "low", "enable_thinking": False}, {"enable_thinking": False}, []),
        ({}, {}, []),
    ],
)
def test_an_effort_is_a_number_of_tokens(asked: Any, told: Any, lost: list[str]) -> None:
    assert mend(Budget(), **asked) == (told, lost)


def test_a_template_is_told_not_to_think() -> None:
    """Beside whatever else the caller tells it; any other effort is for the model itself."""
    off = {"enable_thinking": False}

    assert mend(Template(), reasoning_effort="none", chat_template_kwargs={"a": 1})[0] == {
        "chat_template_kwargs": off | {"a": 1}
    }
    assert mend(Template(), reasoning_effort="high")[0] == {"reasoning_effort": "high"}


@pytest.mark.parametrize(
    ("given", "made", "lost"),
    [
        ({"tool_choice": NAMED}, {"tool_choice": NAMED, "thinking": OFF}, ["$.thinking"]),
        ({"tool_choice": "required", "thinking": ON}, {"tool_choice": "auto", "thinking": ON}, ["$.tool_choice"]),
        ({"tool_choice": "required", "thinking": OFF}, {"tool_choice": "required", "thinking": OFF}, []),
        ({"tool_choice": "auto"}, {"tool_choice": "auto"}, []),
    ],
)
def test_a_forced_call_excludes_thoughts(given: Any, made: Any, lost: list[str]) -> None:
    """The call matters more, unless thoughts were asked for."""
    assert mend(ForcedCallsDoNotThink(by_default=True), **given) == (made, lost)
