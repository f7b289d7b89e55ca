"""The contents of a conversation read into turns, and a conversation of Google's written back as it was.

Normalised on the way: a missing role is `user`, the legacy role `function` too. A content that holds results of tools beside other
parts becomes a turn of the role `tool` and one of the user, which is marked as the same content.
"""

from typing import Any

import msgspec

from yibu.dialects._json import raw
from yibu.dialects._scope import Scope
from yibu.dialects.gemini.parts import NO_ID, decode_part, encode_part, encode_parts
from yibu.dialects.gemini.results import decode_result, encode_result
from yibu.dialects.gemini.wire import Members, wrong
from yibu.hub.chat import Role, Turn
from yibu.hub.parts import Part, ToolCall, ToolResult

SAME = "same"
"""Member of a turn that goes on in the content of the turn before it."""
_ROLES: dict[str, Role] = {"model": "assistant", "assistant": "assistant"}
_HEADS = ("system", "developer")


class _Ids:
    """Ids for calls and results that came without one: the n-th result of a function belongs to its n-th open call."""

    def __init__(self) -> None:
        self._count = 0
        self._open: list[tuple[str, str]] = []

    def of_call(self, name: str) -> str:
        self._count += 1
        return f"call_{self._count}_{name[:40]}"

    def note(self, call: ToolCall) -> None:
        self._open.append((call.id, call.name))

    def of_result(self, id: str, name: str) -> str:
        known = next((call for call in self._open if call[0] == id), None) if id else None
        if known is None and not id:
            known = next((call for call in self._open if call[1] == name), self._open[0] if self._open else None)
        if known is not None:
            self._open.remove(known)
            return known[0]
        return id or self.of_call(name)


def decode_turns(body: Members) -> list[Turn]:
    """System text first, then the contents. Raises `InvalidRequest`."""
    turns: list[Turn] = []
    head = body.take("systemInstruction")
    if head is not None:
        turns.append(_decode_system(Members(head, f"{body.path}.systemInstruction")))
    ids = _Ids()
    contents = body.each("contents")
    if not contents:
        raise wrong(f"{body.path}.contents", "a list of at least one content")
    for content in contents:
        turns += _decode_content(content, ids)
    return turns


def _decode_system(content: Members) -> Turn:
    content.take("role")
    parts: list[Part] = []
    for value, path in content.elements("parts"):
        found = decode_part(value, path, lambda name: name)
        if any(isinstance(part, ToolCall) for part in found):
            raise wrong(path, "a text")
        parts += found
    return Turn(role="system", parts=tuple(parts), extras=content.left)


def _decode_content(content: Members, ids: _Ids) -> list[Turn]:
    role = _ROLES.get((content.text("role") or "").lower(), "user")
    runs: list[tuple[Role, list[Part]]] = []
    for value, path in content.elements("parts"):
        parts = _decode_one(value, path, ids)
        run = _role_of(parts[0], role)
        if not runs or runs[-1][0] != run:
            runs.append((run, []))
        runs[-1][1].extend(parts)
    extras = content.left
    if not runs:
        return [Turn(role=role, parts=(), extras=extras)]
    first, *others = [Turn(role=run, parts=tuple(parts)) for run, parts in runs]
    same = [msgspec.structs.replace(turn, member=SAME) for turn in others]
    return [msgspec.structs.replace(first, extras=extras), *same]


def _role_of(part: Part, role: Role) -> Role:
    """Results are a tool's and calls a model's, whoever is said to speak."""
    if isinstance(part, ToolResult):
        return "tool"
    return "assistant" if isinstance(part, ToolCall) else role


def _decode_one(value: msgspec.Raw, path: str, ids: _Ids) -> list[Part]:
    members = Members(value, path)
    inner = members.inner("functionResponse")
    if inner is not None:
        id, name = inner.text("id"), inner.text("name") or ""
        inner.put("name", raw(name))
        flags = () if id else (NO_ID,)
        return [decode_result(inner, members, ids.of_result(id or "", name), flags)]
    parts = decode_part(value, path, ids.of_call)
    for part in parts:
        if isinstance(part, ToolCall):
            if not part.name:
                raise wrong(f"{path}.functionCall.name", "the name of a function")
            ids.note(part)
    return parts


def encode_own(turns: tuple[Turn, ...], scope: Scope) -> dict[str, Any]:
    """`systemInstruction` and `contents` of a conversation that was Google's before."""
    members: dict[str, Any] = {}
    contents: list[dict[str, Any]] = []
    for number, turn in enumerate(turns):
        where = f"$.turns[{number}]"
        if turn.role in _HEADS:
            parts = encode_parts([(where, part) for part in turn.parts], scope, to_caller=False)
            members["systemInstruction"] = {"role": "user", "parts": parts, **turn.extras}
            continue
        written = _encode_run(turn, scope, where)
        if turn.member == SAME and contents:
            contents[-1]["parts"] += written
            continue
        role = "model" if turn.role == "assistant" else "user"
        contents.append({"role": role, "parts": written, **turn.extras})
    return {**members, "contents": contents}


def _encode_run(turn: Turn, scope: Scope, where: str) -> list[dict[str, Any]]:
    if turn.role != "tool":
        return encode_parts([(where, part) for part in turn.parts], scope, to_caller=False)
    written: list[dict[str, Any]] = []
    for part in turn.parts:
        if isinstance(part, ToolResult):
            no_id = NO_ID in part.member.split()
            written.append(encode_result(part, part.name, scope, where, shows_media=True, no_id=no_id))
        elif (other := encode_part(part, scope, where, to_caller=False)) is not None:
            written.append(other)
    return written
