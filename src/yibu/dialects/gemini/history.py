"""A conversation of another format, written as Google's rules want it.

Google, *Function calling* and *Thought signatures*, read 2026-11-22: a content of the user begins; neighbours of one role are one content;
after the calls of a model comes one content of the user with exactly their results, in their order; results carry the name of
their function; 3.x models want a signature on the first call of each step.
"""

from typing import Any

from yibu.dialects._scope import Scope
from yibu.dialects.gemini.models import Traits
from yibu.dialects.gemini.parts import encode_parts
from yibu.dialects.gemini.results import encode_result
from yibu.dialects.gemini.seal import SKIP_BASE64
from yibu.hub.chat import Turn
from yibu.hub.parts import Media, Part, Text, ToolCall, ToolResult

Placed = list[tuple[str, Part]]
"""Parts with the path of the turn from which they come."""

_HEADS = ("system", "developer")
_FILLER = "."
"""What a user says who did not begin; Google refuses a blank text."""
_NO_RESULT = "[no result]"


class _Content:
    """One content to be: `results` are the user's only, and stand before the rest."""

    def __init__(self, is_model: bool) -> None:
        self.is_model = is_model
        self.results: list[tuple[str, ToolResult]] = []
        self.parts: Placed = []

    @property
    def calls(self) -> list[tuple[str, ToolCall]]:
        return [(where, part) for where, part in self.parts if isinstance(part, ToolCall)]


def encode_history(turns: tuple[Turn, ...], traits: Traits, scope: Scope) -> dict[str, Any]:
    """`systemInstruction`, if there is system text at the head, and `contents`."""
    head = next((number for number, turn in enumerate(turns) if turn.role not in _HEADS), len(turns))
    members: dict[str, Any] = {}
    instructions = [part for turn in turns[:head] for part in turn.parts if not _is_empty(part)]
    if instructions:
        placed = [("$.system", part) for part in instructions]
        members["systemInstruction"] = {"parts": encode_parts(placed, scope, to_caller=False)}
    contents = _pair(_gather(turns, head, scope), scope)
    written: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for content in contents:
        parts = _encode(content, names, traits, scope)
        names = {call.id: call.name for _, call in content.calls}
        role = "model" if content.is_model else "user"
        if parts and written and written[-1]["role"] == role:  # of what was between nothing could be carried
            written[-1]["parts"] += parts
        elif parts:
            written.append({"role": role, "parts": parts})
    if not written or written[0]["role"] == "model":
        scope.lose("$.turns", f"a conversation begins with the user here, who says {_FILLER!r}", "approximated")
        written.insert(0, {"role": "user", "parts": [{"text": _FILLER}]})
    return {**members, "contents": written}


def _gather(turns: tuple[Turn, ...], head: int, scope: Scope) -> list[_Content]:
    """Neighbours of one side as one content; all that lies between two contents of the model is the user's."""
    contents: list[_Content] = []
    for number, turn in enumerate(turns[head:], head):
        where = f"$.turns[{number}]"
        is_model = turn.role == "assistant"
        if turn.role in _HEADS and turn.parts:
            scope.lose(where, "an instruction in mid-conversation is told as the user's", "approximated")
        if not contents or contents[-1].is_model != is_model:
            contents.append(_Content(is_model))
        for part in turn.parts:
            if isinstance(part, ToolResult):
                contents[-1].results.append((where, part))
            elif not _is_empty(part):
                contents[-1].parts.append((where, part))
        scope.extras(where, turn.extras)
    return contents


def _is_empty(part: Part) -> bool:
    return isinstance(part, Text) and not part.text


def _pair(contents: list[_Content], scope: Scope) -> list[_Content]:
    """The same with as many results after each content of the model as it has calls, in their order."""
    paired: list[_Content] = []
    waiting: list[tuple[str, ToolCall]] = []
    for content in contents:
        if content.is_model:
            waiting = content.calls
            paired.append(content)
            continue
        _settle(content, waiting, scope)
        waiting = []
        paired.append(content)
    if waiting:
        last = _Content(is_model=False)
        _settle(last, waiting, scope)
        paired.append(last)
    return paired


def _settle(content: _Content, calls: list[tuple[str, ToolCall]], scope: Scope) -> None:
    """Puts the results into the order of the calls, makes up those that are missing, and turns others into text."""
    found = list(content.results)
    content.results = []
    for where, call in calls:
        result = next((one for one in found if one[1].call_id == call.id), None)
        if result is None:
            scope.lose(where, f"the call {call.name} has no result: it is told to have none", "approximated")
            empty = ToolResult(call_id=call.id, parts=(Text(text=_NO_RESULT),), name=call.name, is_error=True)
            content.results.append((where, empty))
        else:
            found.remove(result)
            content.results.append(result)
    for where, orphan in found:
        scope.lose(where, "a result without a call before it is told as the user's", "approximated")
        words = "\n".join(part.text for part in orphan.parts if isinstance(part, Text))
        told = Text(text=f"Result of a tool: {words}")
        content.parts += [(where, told), *((where, part) for part in orphan.parts if isinstance(part, Media))]


def _encode(content: _Content, names: dict[str, str], traits: Traits, scope: Scope) -> list[dict[str, Any]]:
    """`names`: of the functions that were called just before, by the id of the call."""
    if content.is_model:
        parts = encode_parts(content.parts, scope, to_caller=False)
        if traits.checks_signatures:
            _sign(parts)
        return parts
    results: list[dict[str, Any]] = []
    lifted: Placed = []
    for where, result in content.results:
        name = names.get(result.call_id) or result.name
        results.append(encode_result(result, name, scope, where, shows_media=traits.shows_results))
        if not traits.shows_results:
            media: Placed = [(where, part) for part in result.parts if isinstance(part, Media)]
            if media:
                scope.lose(where, "what a tool showed follows its result as the user's", "approximated")
            lifted += media
    return [*results, *encode_parts(lifted + content.parts, scope, to_caller=False)]


def _sign(parts: list[dict[str, Any]]) -> None:
    """The first call of a step has a signature, be it the documented stand-in."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", SKIP_BASE64)
