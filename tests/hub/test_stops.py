"""Stop strings that a vendor could not be told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibu.hub.events import Event, Finished, Opened, PartClosed, PartOpened, TextDelta
from yibu.hub.fold import fold, unfold
from yibu.hub.masks import Masks, Unmasking, unmask
from yibu.hub.parts import Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish
from yibu.hub.usage import Meter, Usage


def pieces(*texts: str) -> list[Event]:
    deltas = [TextDelta(choice=0, part=0, text=text) for text in texts]
    head: list[Event] = [Opened(id="1", model="m"), PartOpened(choice=0, part=0, head=Text(""))]
    return [*head, *deltas, PartClosed(choice=0, part=0), Finished(choice=0, finish=Finish("length"))]


def cut(stops: tuple[str, ...], *texts: str) -> tuple[str, Finish]:
    """The text that gets out, and how it ends."""
    unmasking = Unmasking(Masks(stops=stops))
    choice = fold([out for event in pieces(*texts) for out in unmasking.feed([event])]).choices[0]
    return "".join(part.text for part in choice.parts if isinstance(part, Text)), choice.finish


@pytest.mark.parametrize(
    ("stops", "texts", "out", "met"),
    [
        (("END",), ("one E", "N", "D two"), "one ", "END"),
        (("END",), ("one E", "N", "T two"), "one ENT two", None),
        (("END",), ("one EN",), "one EN", None),
        (("\n",), ("a", "\nb"), "a", "\n"),
        (("bc", "abcd"), ("abcd",), "", "abcd"),
        (("x", "ab"), ("aab",), "a", "ab"),
        (("aab",), ("aa", "ab"), "a", "aab"),
    ],
)
def test_where_an_answer_ends(stops: tuple[str, ...], texts: tuple[str, ...], out: str, met: str | None) -> None:
    """At the first stop string in it, however it comes in pieces; what only looks like one gets out."""
    text, finish = cut(stops, *texts)

    assert text == out
    assert finish == (Finish("stop", stop_sequence=met) if met else Finish("length"))


@given(st.lists(st.text("ab", max_size=4), max_size=6), st.lists(st.text("ab", min_size=1, max_size=3), min_size=1))
def test_cuts_make_no_difference(texts: list[str], stops: list[str]) -> None:
    """In pieces as in one piece; and nothing that gets out holds a stop string."""
    whole = "".join(texts)
    first = min((whole.index(stop) for stop in stops if stop in whole), default=len(whole))

    assert cut(tuple(stops), *texts)[0] == whole[:first]


def test_only_the_text_is_cut() -> None:
    """Thoughts and arguments are none of it; what comes after the stop is left out, and its usage counts."""
    parts = (Thinking("END"), ToolCall("c", "f", '"END"'), Text("one END"), Text("two"), ToolCall("d", "f", "{}"))
    usage = Usage({Meter.OUTPUT: 9})
    reply = ChatReply(id="1", model="m", choices=(Choice(parts, Finish("tool_calls")),), usage=usage)
    out = unmask(reply, Masks(stops=("END",)))

    assert out.choices[0].parts == (*parts[:2], Text("one "))
    assert out.choices[0].finish == Finish("tool_calls", stop_sequence="END")
    assert out.usage == usage
    assert fold(unfold(out)) == out
