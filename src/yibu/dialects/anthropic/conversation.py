"""A conversation of another format, put into the order that this one demands.

Anthropic wants turns of user and assistant by turns, no empty text, each call answered in the very next message with all
results first, ids and names of a small alphabet, and, for newer models, a user's turn at the end. Rules and error
messages: Anthropic, *Messages* and *Tool use*, read 2026-11-22.
"""

from typing import Any

import msgspec

from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.abilities import Abilities
from yibu.dialects.anthropic.blocks import encode_blocks, signature_of
from yibu.dialects.anthropic.pairing import Ids, Results
from yibu.hub.chat import Turn
from yibu.hub.parts import Citation, Part, Refusal, Text, Thinking, ToolCall, ToolResult

_SYSTEMS = ("system", "developer")
_START = "."
"""A blank one would be refused."""
_GO_ON = "Continue your answer exactly where it stops."


class Line:
    """A message on its way: parts are added until the other side speaks."""

    __slots__ = ("parts", "role")

    def __init__(self, role: str, parts: list[Part]) -> None:
        self.role = role
        self.parts = parts


class Conversation:
    """`system`: the text before the messages, None for none; `messages`: encoded; `is_unsigned_loop`: the last turn of the
    assistant called tools and its thoughts are gone, which models with a thinking budget do not accept while thinking."""

    def __init__(self, turns: tuple[Turn, ...], scope: Scope, able: Abilities, *, may_prefill: bool) -> None:
        self._scope = scope
        self._able = able
        self._may_prefill = may_prefill
        head = 0
        while head < len(turns) and turns[head].role in _SYSTEMS:
            head += 1
        self.system = self._encode_system(turns[:head])
        lines = self._finish(self._lines(turns, head))
        self.is_unsigned_loop = _is_unsigned_loop(lines)
        self.messages = [self._encode(line, f"$.messages[{number}]") for number, line in enumerate(lines)]

    def _encode_system(self, turns: tuple[Turn, ...]) -> Any:
        parts = [part for turn in turns for part in turn.parts]
        texts = [part for part in parts if isinstance(part, Text) and part.text.strip()]
        if any(not isinstance(part, Text) for part in parts):
            self._scope.lose("$.system", "a system text holds words only")
        if any(text.cache for text in texts):
            return encode_blocks(list(texts), self._scope, "$.system", to_caller=False)
        for number, text in enumerate(texts):
            self._scope.extras(f"$.system[{number}]", text.extras)
        return "\n\n".join(text.text for text in texts) or None

    def _lines(self, turns: tuple[Turn, ...], head: int) -> list[Line]:
        lines: list[Line] = []
        ids, results = Ids(), Results(turns)
        at = head
        while at < len(turns):
            turn, where = turns[at], f"$.turns[{at}]"
            self._scope.extras(where, turn.extras)
            if turn.name:
                self._scope.lose(f"{where}.name", "participants have no names here")
            if turn.role == "assistant":
                last = at
                while last + 1 < len(turns) and turns[last + 1].role == "assistant":
                    last += 1
                parts = [part for one in turns[at : last + 1] for part in one.parts]
                at = last
                said = self._said(parts, where)
                calls = [part for part in said if isinstance(part, ToolCall)]
                legal = [ids.of_call(part) for part in calls]
                renamed = iter(legal)
                _add(lines, "assistant", [next(renamed) if isinstance(part, ToolCall) else part for part in said])
                _add(lines, "user", self._answers(calls, [one.id for one in legal], last, results, where))
            elif turn.role in _SYSTEMS:
                self._remind(turn, turns, at, lines)
            else:
                _add(lines, "user", self._asked(turn, at, results, where))
            at += 1
        return lines

    def _said(self, parts: list[Part], where: str) -> list[Part]:
        """What an assistant said, without what is empty here: blank texts, thoughts without Anthropic's signature."""
        kept: list[Part] = []
        for part in parts:
            match part:
                case Text() if not part.text.strip():
                    continue
                case Refusal() if not part.text.strip():
                    continue
                case Thinking() if signature_of(part) == ("", ""):
                    self._scope.lose(f"{where}.thinking", "Anthropic takes back only thoughts that it signed")
                case _:
                    kept.append(part)
        return kept

    def _answers(self, calls: list[ToolCall], ids: list[str], after: int, results: Results, where: str) -> list[Part]:
        """One result for each call, in their order; `ids`: what the calls are named now."""
        found: list[Part] = []
        for call, own in zip(calls, ids, strict=True):
            result = results.take(call.id, after)
            if result is None:
                self._scope.lose(where, f"the call `{call.name}` has no result: an empty one stands in", "approximated")
                result = ToolResult(call_id=call.id, parts=(Text(text="[no result]"),), is_error=True)
            found.append(msgspec.structs.replace(result, call_id=own))
        return found

    def _asked(self, turn: Turn, number: int, results: Results, where: str) -> list[Part]:
        """What a user said, and results that belong to no call, as words."""
        kept: list[Part] = []
        for place, part in enumerate(turn.parts):
            match part:
                case Text() if not part.text.strip():
                    continue
                case ToolResult():
                    if results.is_taken((number, place)):
                        continue
                    self._scope.lose(where, "a result without a call is told as the user's words", "approximated")
                    kept.append(Text(text=f"Result of the tool {part.name or part.call_id}:"))
                    kept += [one for one in part.parts if not isinstance(one, Text) or one.text.strip()]
                case Citation():
                    self._scope.lose(where, "a citation has no place in a request")
                case _:
                    kept.append(part)
        return kept

    def _remind(self, turn: Turn, turns: tuple[Turn, ...], at: int, lines: list[Line]) -> None:
        """A system text in the middle stays where it is: as such where the model takes it, else in the user's words.

        Moved to the top it would change what it is about, and everything after it would leave the prompt cache.
        """
        texts: list[Part] = [part for part in turn.parts if isinstance(part, Text) and part.text.strip()]
        if not texts:
            return
        following = next((one.role for one in turns[at + 1 :] if one.role not in _SYSTEMS), "assistant")
        follows_user = bool(lines) and lines[-1].role in ("user", "system")
        if self._able.takes_system and follows_user and following == "assistant":
            _add(lines, "system", texts)
            return
        self._scope.lose(f"$.turns[{at}]", "told inside the user's turn as a system reminder", "approximated")
        for part in texts:
            assert isinstance(part, Text)
            said = f"<system-reminder>\n{part.text}\n</system-reminder>"
            _add(lines, "user", [msgspec.structs.replace(part, text=said)])

    def _finish(self, lines: list[Line]) -> list[Line]:
        """The first turn is the user's, and the last one what the model takes as such."""
        if not lines or lines[0].role != "user":
            lines = [Line("user", [Text(text=_START)]), *lines]
        last = lines[-1]
        if last.role != "assistant":
            return lines
        if isinstance(last.parts[-1], Text):
            text = last.parts[-1]
            last.parts[-1] = msgspec.structs.replace(text, text=text.text.rstrip())
        if not self._may_prefill or not self._able.takes_prefill:
            self._scope.lose("$.messages", "the model begins its answer itself: it is asked to go on", "approximated")
            lines.append(Line("user", [Text(text=_GO_ON)]))
        return lines

    def _encode(self, line: Line, where: str) -> dict[str, Any]:
        only = line.parts[0] if len(line.parts) == 1 else None
        if isinstance(only, Text) and not only.cache:
            self._scope.extras(f"{where}.content", only.extras)
            return {"role": line.role, "content": only.text}
        blocks = encode_blocks(line.parts, self._scope, f"{where}.content", to_caller=False)
        return {"role": line.role, "content": blocks or _START}


def _add(lines: list[Line], role: str, parts: list[Part]) -> None:
    """Neighbours of one role are one message; nothing said is no message."""
    if not parts:
        return
    if lines and lines[-1].role == role:
        lines[-1].parts += parts
    else:
        lines.append(Line(role, list(parts)))


def _is_unsigned_loop(lines: list[Line]) -> bool:
    if len(lines) < 2 or not any(isinstance(part, ToolResult) for part in lines[-1].parts):
        return False
    caller = next((line for line in reversed(lines) if line.role == "assistant"), None)
    return caller is not None and not isinstance(caller.parts[0], Thinking)
