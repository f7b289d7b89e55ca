"""Disguises of a request are undone in the answer, whole and streamed alike."""

import pytest

from tests.hub.slices import sliced
from yibu.hub.fold import fold, unfold
from yibu.hub.masks import Masks, Unmasking, unmask
from yibu.hub.parts import Part, Text, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish, FinishKind


def answer(*parts: Part, kind: FinishKind = "stop") -> ChatReply:
    return ChatReply(id="r", model="m", choices=(Choice(parts, Finish(kind)),))


def both(reply: ChatReply, masks: Masks) -> Choice:
    """The answer put right as a whole; in pieces of any size it comes out the same."""
    whole = unmask(reply, masks)
    for size in (1, 2, 3, 7):
        unmasking = Unmasking(masks)
        events = [out for event in unfold(reply) for piece in sliced(event, size) for out in unmasking.feed([piece])]
        assert fold(events) == whole
    return whole.choices[0]


def test_alias_becomes_the_name() -> None:
    """A tool that had to be called by another name has its own again."""
    reply = answer(ToolCall("c", "long_ab12", '{"a":1}'), kind="tool_calls")
    choice = both(reply, Masks(names={"long_ab12": "long.name"}))

    assert choice.parts == (ToolCall("c", "long.name", '{"a":1}'),)
    assert choice.finish.kind == "tool_calls"


@pytest.mark.parametrize(
    ("arguments", "text"), [('{"input": "SELECT 1"}', "SELECT 1"), ('{"query": 1}', '{"query": 1}'), ("cut {", "cut {")]
)
def test_free_text_leaves_its_wrapper(arguments: str, text: str) -> None:
    """A custom tool gets its free text; what a model wrote otherwise stays as it is."""
    choice = both(answer(ToolCall("c", "sql", arguments), kind="tool_calls"), Masks(customs=frozenset({"sql"})))

    assert choice.parts == (ToolCall("c", "sql", text, is_custom=True),)


def test_arguments_become_the_answer() -> None:
    """The call of the tool that stands for a schema is the answer itself, and ends like one."""
    choice = both(answer(ToolCall("c", "json_answer", '{"a":1}'), kind="tool_calls"), Masks(answer="json_answer"))

    assert choice.parts == (Text('{"a":1}'),)
    assert choice.finish.kind == "stop"


def test_other_calls_beside_the_answer() -> None:
    """Where the caller's own tool was called too, the end says so."""
    reply = answer(ToolCall("c", "json_answer", "{}"), ToolCall("d", "look", "{}"), kind="tool_calls")
    choice = both(reply, Masks(answer="json_answer"))

    assert [type(part) for part in choice.parts] == [Text, ToolCall]
    assert choice.finish.kind == "tool_calls"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('\n```\n{"a": "```"}\n```\n', '{"a": "```"}'),
        ('{"a": 1}', '{"a": 1}'),
        ("``not a fence", "``not a fence"),
        ("", ""),
    ],
)
def test_fence_around_json(said: str, meant: str) -> None:
    """A code fence around a JSON answer is taken away; fences inside stay."""
    assert both(answer(Text(said)), Masks(may_be_fenced=True)).parts == (Text(meant),)
