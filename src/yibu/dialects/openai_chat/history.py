"""A conversation of another format in the order that OpenAI demands.

OpenAI, *Function calling*, read 2026-11-22: right behind the message that calls come the results, one message each, of all its
calls and of no others; ids have at most 64 characters. Other formats allow results in any order and users who
speak before them, and clients cut histories in the middle.
"""

import msgspec

from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.pairing import Ids, Results
from yibu.hub.chat import Turn
from yibu.hub.parts import Part, Text, ToolCall, ToolResult

MOST_ID = 64


def arrange(turns: tuple[Turn, ...], scope: Scope) -> tuple[Turn, ...]:
    """The turns themselves when they are in order."""
    if _is_in_order(turns):
        return turns
    ids, results = Ids(), Results(turns)
    arranged: list[Turn] = []
    waiting: list[tuple[ToolCall, str]] = []
    last = 0
    for number, turn in enumerate(turns):
        if turn.role == "assistant":
            parts: list[Part] = []
            for part in turn.parts:
                own = ids.of_call(part) if isinstance(part, ToolCall) else part
                parts.append(own)
                if isinstance(part, ToolCall) and isinstance(own, ToolCall):
                    waiting.append((part, own.id))
            arranged.append(msgspec.structs.replace(turn, parts=tuple(parts)))
            last = number
            continue
        arranged += _answers(waiting, last, results, scope)
        waiting = []
        kept = _kept(turn, number, results, scope)
        if kept.parts or turn.role != "tool":
            arranged.append(kept)
    return (*arranged, *_answers(waiting, last, results, scope))


def _is_in_order(turns: tuple[Turn, ...]) -> bool:
    waiting: set[str] = set()
    known: set[str] = set()
    for turn in turns:
        for part in turn.parts:
            if isinstance(part, ToolResult):
                if part.call_id not in waiting:
                    return False
                waiting.discard(part.call_id)
            elif isinstance(part, ToolCall):
                if part.id in known or not 0 < len(part.id) <= MOST_ID:
                    return False
                known.add(part.id)
                waiting.add(part.id)
        if turn.role not in ("assistant", "tool") and waiting:
            return False
        if turn.role == "assistant" and waiting - {part.id for part in turn.parts if isinstance(part, ToolCall)}:
            return False
    return not waiting


def _answers(waiting: list[tuple[ToolCall, str]], after: int, results: Results, scope: Scope) -> list[Turn]:
    found: list[Part] = []
    for call, own in waiting:
        result = results.take(call.id, after)
        if result is None:
            scope.lose(
                f"$.turns[{after}]", f"the call `{call.name}` has no result: it is told to have none", "approximated"
            )
            result = ToolResult(call_id=own, parts=(Text(text="[no result]"),))
        found.append(msgspec.structs.replace(result, call_id=own))
    return [Turn(role="tool", parts=tuple(found))] if found else []


def _kept(turn: Turn, number: int, results: Results, scope: Scope) -> Turn:
    """The turn without the results that stand elsewhere now; those that answer nothing are the user's words."""
    kept: list[Part] = []
    for place, part in enumerate(turn.parts):
        if not isinstance(part, ToolResult):
            kept.append(part)
        elif not results.is_taken((number, place)):
            scope.lose(f"$.turns[{number}]", "a result without a call is told as the user's words", "approximated")
            kept.append(Text(text=f"Result of the tool {part.name or part.call_id}:"))
            kept += part.parts
    role = "user" if turn.role == "tool" else turn.role
    return msgspec.structs.replace(turn, role=role, parts=tuple(kept))
