from typing import Any

import pytest
from msgspec import Raw, json

from yibu.hub.loss import Losses
from yibu.providers._messages import (
    BareMessages,
    LooseTools,
    NineLetterIds,
    NoTools,
    SchemaInText,
    SystemRole,
    ThoughtsAs,
    ThoughtsOfCalls,
    short_id,
)
from yibu.providers._quirk import Quirk

CALLS = [{"id": "call_abc", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def mend(quirk: Quirk, **members: Any) -> tuple[dict[str, Any], list[str]]:
    """What is left of a request, and where something was lost."""
    fields = {name: Raw(json.encode(value)) for name, value in members.items()}
    losses: Losses = []
    quirk(fields, losses)
    return {name: json.decode(value) for name, value in fields.items()}, [loss.where for loss in losses]


def messages(quirk: Quirk, *given: dict[str, Any]) -> tuple[list[Any], list[str]]:
    made, lost = mend(quirk, messages=list(given))
    return made["messages"], lost


def test_a_developer_is_a_system() -> None:
    """Only as a role; the word may stand in a text."""
    talk = [{"role": "developer", "content": "x"}, {"role": "user", "content": "developer"}]

    assert messages(SystemRole(), *talk) == ([{"role": "system", "content": "x"}, talk[1]], [])


def test_untouched_messages_stay_as_they_were_written() -> None:
    """Byte for byte, numbers and spaces included."""
    raw = Raw(b'[{"role" : "user","content":"\\u4e24","n":1.50}]')
    fields = {"messages": raw}
    for quirk in (SystemRole(), BareMessages("name"), NineLetterIds(), ThoughtsAs("a", "b"), ThoughtsOfCalls()):
        quirk(fields, [])

    assert bytes(fields["messages"]) == bytes(raw)


def test_members_that_messages_must_not_have_are_left_out() -> None:
    """Pitfall 62: with a loss for what they said; empty ones say nothing."""
    told = {"role": "user", "content": "x", "name": "Ann"}
    silent = {"role": "assistant", "content": "y", "name": None, "refusal": ""}

    assert messages(BareMessages("name", "refusal"), told, silent) == (
        [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
        ["$.messages[0].name"],
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"reasoning": "Hm"}, {"reasoning_content": "Hm"}),
        ({"reasoning": "Hm", "reasoning_content": "Own"}, {"reasoning_content": "Own"}),
        (
            {"reasoning_details": [{"type": "reasoning.text", "text": "A"}, {"summary": "B"}, 5]},
            {"reasoning_content": "AB"},
        ),
        ({"reasoning": None}, {}),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "zz"}]}, {}),
    ],
)
def test_thoughts_go_back_in_the_vendors_own_member(given: dict[str, Any], kept: dict[str, Any]) -> None:
    """Clients hand them back in whatever member their own client library knows."""
    quirk = ThoughtsAs("reasoning_content", "reasoning", "reasoning_details")

    assert messages(quirk, {"role": "assistant", **given})[0] == [{"role": "assistant", **kept}]


def test_a_turn_with_calls_has_thoughts() -> None:
    """Pitfall 26: empty ones when a client lost them; the others are not touched."""
    plain = {"role": "assistant", "content": "x", "tool_calls": []}
    kept = {"role": "assistant", "tool_calls": CALLS, "reasoning_content": "Hm"}

    assert messages(ThoughtsOfCalls(), {"role": "assistant", "tool_calls": CALLS}, plain, kept)[0] == [
        {"role": "assistant", "tool_calls": CALLS, "reasoning_content": ""},
        plain,
        kept,
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], "W"),
        ([{"role": "system", "content": "Be kind."}], "Be kind.\n\nW"),
        ([{"role": "system", "content": ""}], "W"),
        ([{"role": "system", "content": [{"type": "text", "text": "Be kind."}]}], None),
    ],
)
def test_a_schema_is_told_where_none_is_enforced(before: list[Any], after: str | None) -> None:
    """In the system's message, as one more sentence of it."""
    form = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
    made, lost = mend(SchemaInText(), response_format=form, messages=[*before, {"role": "user", "content": "x"}])
    words = 'Answer with one JSON object and nothing else. It must satisfy this JSON Schema: {"type":"object"}'

    assert made["response_format"] == {"type": "json_object"}
    assert lost == ["$.response_format"]
    assert made["messages"][1:] == [{"role": "user", "content": "x"}]
    if after is None:
        assert made["messages"][0]["content"] == [*before[0]["content"], {"type": "text", "text": words}]
    else:
        assert made["messages"][0] == {"role": "system", "content": after.replace("W", words)}


@pytest.mark.parametrize("form", [None, {"type": "text"}, {"type": "json_object"}])
def test_other_forms_of_output_stay(form: Any) -> None:
    assert mend(SchemaInText(), response_format=form, messages=[]) == ({"response_format": form, "messages": []}, [])


def test_ids_have_nine_letters_in_call_and_result() -> None:
    """The same id becomes the same nine; one that is right already stays."""
    made, lost = messages(
        NineLetterIds(),
        {"role": "assistant", "tool_calls": [*CALLS, {"id": "abcDEF123"}]},
        {"role": "tool", "tool_call_id": "call_abc"},
        {"role": "tool", "tool_call_id": "abcDEF123"},
    )

    assert [call["id"] for call in made[0]["tool_calls"]] == [short_id("call_abc"), "abcDEF123"]
    assert [one["tool_call_id"] for one in made[1:]] == [short_id("call_abc"), "abcDEF123"]
    assert lost == []


@pytest.mark.parametrize("id", ["call_abc", "", "x", "toolu_01A09q90qw90lq917835lq9", "九个字母九个字母呀", "a" * 400])
def test_a_short_id_is_nine_letters_or_digits(id: str) -> None:
    short = short_id(id)

    assert len(short) == 9
    assert short.isascii()
    assert short.isalnum()
    assert short_id(short) == short


def test_strict_tools_become_loose_ones() -> None:
    """`strict: false` says what would happen anyway."""
    tools = [
        {"type": "function", "function": {"name": name, "strict": strict}}
        for name, strict in (("a", True), ("b", False))
    ]
    made, lost = mend(LooseTools(), tools=tools)

    assert [tool["function"] for tool in made["tools"]] == [{"name": "a"}, {"name": "b"}]
    assert lost == ["$.tools[0].function.strict"]


def test_a_vendor_that_cannot_be_forbidden_to_call_is_told_of_no_tools() -> None:
    assert mend(NoTools(), tool_choice="none", tools=[1]) == ({}, ["$.tool_choice"])
    assert mend(NoTools(), tool_choice="auto", tools=[1]) == ({"tool_choice": "auto", "tools": [1]}, [])
