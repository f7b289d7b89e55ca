"""Reads `contents` and checks how they follow each other: roles, calls and responses, signatures of the running turn.

Neighbouring contents of the model are one turn, as in recorded requests that Google took; the responses to a turn's calls
stand in one content. Source: Google, *Function calling*, *Thought signatures*, read 2026-11-22; the errors as the API words them.
"""

import msgspec

from yibu.sandbox.ask import Call, Turn
from yibu.sandbox.gemini.messages import each
from yibu.sandbox.gemini.parts import FunctionCall, Parts, read_parts
from yibu.sandbox.gemini.words import wrong
from yibu.sandbox.members import Members

_COUNT = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
_AFTER = "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
_BEFORE = "Please ensure that function response turn comes immediately after a function call turn."


def read_turns(wire: Members, *, is_sealed: bool) -> tuple[Turn, ...]:
    """The turns. `is_sealed`: calls of the running turn must carry their signatures. Raises `Refusal` 400."""
    contents = each(wire, "contents", "Content")
    if not contents:
        raise wire.words.missing("contents")
    read: list[tuple[str, Parts]] = []
    for content in contents:
        role = content.text("role", "user") or "user"
        if role not in ("user", "model", "function"):
            raise wrong("Please use a valid role: user, model.")
        parts = read_parts(content)
        if role == "model" and read and read[-1][0] == "model":
            read[-1][1].extend(parts)
        else:
            read.append(("model" if role == "model" else "user", parts))
    _check_order(read)
    if is_sealed:
        _check_signatures(read)
    return tuple(turn for number, (role, parts) in enumerate(read) for turn in _turns(number, role, parts, read))


def _check_order(contents: list[tuple[str, Parts]]) -> None:
    asked: list[FunctionCall] = []
    for number, (role, parts) in enumerate(contents):
        if asked and (len(parts.responses) != len(asked) or role == "model"):
            raise wrong(_COUNT)
        if parts.responses:
            if not asked or role == "model":
                raise wrong(_BEFORE)
            _check_match(asked, parts)
        if parts.calls and (role != "model" or number == 0):
            raise wrong(_AFTER)
        asked = parts.calls
    if asked:
        raise wrong(_COUNT)


def _check_match(asked: list[FunctionCall], parts: Parts) -> None:
    """Each response answers one call: by id where the calls have ids, by name in any case."""
    if sorted((call.id, call.name) for call in asked) != sorted((one.id, one.name) for one in parts.responses):
        raise wrong(
            "Please ensure that the ids and names of function response parts match those of the function call parts."
        )


def _check_signatures(contents: list[tuple[str, Parts]]) -> None:
    for number in range(len(contents) - 1, -1, -1):
        role, parts = contents[number]
        if role == "user" and not parts.responses:
            return  # what stands before belongs to earlier turns
        if parts.calls and parts.calls[0].signature == "none":
            name = parts.calls[0].name
            raise wrong(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
                "correctly, and missing thought_signature may lead to degraded model performance. Additional data, "
                f"function call `default_api:{name}` , position {number + 1}. Please refer to "
                "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
            )


def _turns(number: int, role: str, parts: Parts, contents: list[tuple[str, Parts]]) -> list[Turn]:
    text, thoughts = "\n".join(parts.texts), "\n".join(parts.thoughts)
    if role == "model":
        calls = tuple(
            Call(call.id or _id(number, at), call.name, msgspec.json.encode(call.args).decode())
            for at, call in enumerate(parts.calls)
        )
        return [Turn("assistant", text, calls=calls, thoughts=thoughts)]
    turns: list[Turn] = []
    left = list(enumerate(contents[number - 1][1].calls)) if parts.responses else []
    for response in parts.responses:
        at = next(index for index, (_, call) in enumerate(left) if (call.id, call.name) == (response.id, response.name))
        position, call = left.pop(at)
        answers = call.id or _id(number - 1, position)
        turns.append(Turn("tool", response.text, response.media, answers=answers, failed=response.failed))
    if text or parts.media or not turns:
        turns.append(Turn("user", text, tuple(parts.media)))
    return turns


def _id(number: int, position: int) -> str:
    """Calls without an id get one from where they stand."""
    return f"{number}.{position}"
