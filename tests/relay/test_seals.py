"""Vendor state is kept for tools that do not send it back."""

import msgspec

from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.events import ArgumentsDelta, PartClosed, PartOpened, TextDelta, ThinkingDelta
from yibu.hub.parts import Part, Seal, Text, Thinking, ToolCall
from yibu.kit.clock import FixedClock
from yibu.relay.seals import LIFE_S, MOST_BYTES, Gatherer, Seals

SEAL = Seal("anthropic", msgspec.Raw(b'"c2ln"'))
THOUGHT = Thinking("Let me look.", seal=SEAL)
CALL = ToolCall("call_1", "look", "{}", seal=Seal("anthropic", msgspec.Raw(b'"call"')))
BARE = ToolCall("call_1", "look", "{}")


def asked(*parts: Part) -> ChatRequest:
    return ChatRequest(model="m", turns=(Turn("user", (Text("Hi"),)), Turn("assistant", parts)))


def test_state_comes_back_to_the_call_it_belongs_to() -> None:
    """Pitfalls 24, 27: a tool that sends only calls and results gets thoughts and signatures put back before the vendor sees the turn."""
    seals = Seals()
    seals.remember(1, (THOUGHT, Text("Looking."), CALL))

    restored = seals.restore(1, asked(Text("Looking."), BARE), "anthropic")

    assert restored.turns[1].parts == (THOUGHT, Text("Looking."), CALL)
    assert restored.turns[0] == asked().turns[0]


def test_an_unsigned_thought_makes_room_for_the_signed_one() -> None:
    seals = Seals()
    seals.remember(1, (THOUGHT, CALL))

    assert seals.restore(1, asked(Thinking("Let me look."), BARE), "anthropic").turns[1].parts == (THOUGHT, CALL)


def test_state_that_came_back_is_left_alone() -> None:
    seals = Seals()
    seals.remember(1, (THOUGHT, CALL))
    whole = asked(Thinking("Otherwise.", seal=SEAL), CALL)

    assert seals.restore(1, whole, "anthropic") == whole


def test_state_goes_to_its_own_wallet_and_dialect_only() -> None:
    """Nobody's thoughts are given to anybody else, and no vendor sees another's signature."""
    seals = Seals()
    seals.remember(1, (THOUGHT, CALL))

    assert seals.restore(2, asked(BARE), "anthropic") == asked(BARE)
    assert seals.restore(1, asked(BARE), "gemini") == asked(BARE)


def test_state_is_forgotten_after_an_hour() -> None:
    clock = FixedClock()
    seals = Seals(clock.monotonic_s)
    seals.remember(1, (THOUGHT, CALL))
    clock.move(int(LIFE_S * 1000))

    assert seals.restore(1, asked(BARE), "anthropic") == asked(BARE)


def test_state_beyond_measure_is_not_kept() -> None:
    seals = Seals()
    seals.remember(1, (Thinking("x" * MOST_BYTES, seal=SEAL), CALL))

    assert seals.restore(1, asked(BARE), "anthropic") == asked(BARE)


def test_a_stream_is_gathered_like_a_whole_answer() -> None:
    """Of a stream only thoughts and calls are kept, choice by choice."""
    gatherer = Gatherer()
    for event in (
        PartOpened(0, 0, Thinking("")),
        ThinkingDelta(0, 0, "Let me "),
        ThinkingDelta(0, 0, "look."),
        PartClosed(0, 0, seal=SEAL),
        PartOpened(0, 1, Text("")),
        TextDelta(0, 1, "Looking."),
        PartClosed(0, 1),
        PartOpened(0, 2, ToolCall("call_1", "look", "")),
        ArgumentsDelta(0, 2, "{}"),
        PartClosed(0, 2, seal=CALL.seal),
    ):
        gatherer.listen(event)

    (thought, call) = gatherer.choices[0]
    assert thought == THOUGHT
    assert isinstance(call, ToolCall)
    assert (call.id, call.seal) == ("call_1", CALL.seal)
