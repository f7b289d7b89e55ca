"""Quirks about the messages of a Chat Completions request: roles, members, ids, and text that has to be added."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from yibu.hub.loss import Loss, Losses
from yibu.providers._quirk import Fields, Quirk, put, value

Message = dict[str, msgspec.Raw]
_MESSAGES = msgspec.json.Decoder(list[Message])
_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def read(fields: Fields) -> list[Message]:
    """The messages with their members as JSON text; none when they are anything else, which the vendor will tell."""
    try:
        return _MESSAGES.decode(fields.get("messages", msgspec.Raw(b"[]")))
    except msgspec.ValidationError:
        return []


def text(said: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(said))


def _each(mend: Callable[[Message, int, Losses], bool], *signs: bytes) -> Quirk:
    """`mend` tells whether it changed the message; `signs`: one of these bytes stands in messages that need it."""

    def quirk(fields: Fields, losses: Losses) -> None:
        raw = bytes(fields.get("messages", b""))
        if not any(sign in raw for sign in signs):
            return
        messages = read(fields)
        changed = [mend(message, number, losses) for number, message in enumerate(messages)]
        if any(changed):
            put(fields, "messages", messages)

    return quirk


def SystemRole() -> Quirk:
    """The vendor knows `developer` as `system`."""

    def mend(message: Message, number: int, losses: Losses) -> bool:
        if bytes(message.get("role", b"")) != b'"developer"':
            return False
        message["role"] = msgspec.Raw(b'"system"')
        return True

    return _each(mend, b"developer")


def BareMessages(*names: str) -> Quirk:
    """The vendor refuses these members of messages; what they said is lost unless it was empty."""

    def mend(message: Message, number: int, losses: Losses) -> bool:
        found = [name for name in names if name in message]
        for name in found:
            if bytes(message.pop(name)) not in (b"null", b'""', b"[]", b"{}"):
                losses.append(Loss("dropped", f"$.messages[{number}].{name}", "the vendor refuses it"))
        return bool(found)

    return _each(mend, *(f'"{name}"'.encode() for name in names))


FOREIGN_THOUGHTS = BareMessages("reasoning_content", "reasoning", "reasoning_details")
"""Of vendors that refuse unknown members and keep their thoughts to themselves."""


def ThoughtsAs(name: str, *others: str) -> Quirk:
    """Thoughts in the history stand in this member, whatever member a client handed them back in."""

    def mend(message: Message, number: int, losses: Losses) -> bool:
        found = [other for other in others if other in message]
        for other in found:
            said = _spoken(message.pop(other))
            if said and name not in message:
                message[name] = text(said)
        return bool(found)

    return _each(mend, *(f'"{other}"'.encode() for other in others))


def _spoken(thoughts: msgspec.Raw) -> str:
    """The text in them, also in OpenRouter's elements."""
    said = msgspec.json.decode(thoughts)
    if isinstance(said, list):
        elements = [one for one in said if isinstance(one, dict)]
        said = "".join(str(one.get("text") or one.get("summary") or "") for one in elements)
    return said if isinstance(said, str) else ""


def ThoughtsOfCalls() -> Quirk:
    """An assistant's message with calls has `reasoning_content`: the vendor demands it back, and takes an empty one."""

    def mend(message: Message, number: int, losses: Losses) -> bool:
        calls = bytes(message.get("tool_calls", b"null"))
        if calls in (b"null", b"[]") or bytes(message.get("reasoning_content", b"null")) != b"null":
            return False
        message["reasoning_content"] = msgspec.Raw(b'""')
        return True

    return _each(mend, b'"tool_calls"')


def SchemaInText() -> Quirk:
    """The vendor gives any JSON object but follows no schema: the schema is told to the model in the system's message."""

    def quirk(fields: Fields, losses: Losses) -> None:
        form = value(fields, "response_format")
        if not isinstance(form, dict) or form.get("type") != "json_schema":
            return
        about = form.get("json_schema")
        schema = about.get("schema") if isinstance(about, dict) else None
        put(fields, "response_format", {"type": "json_object"})
        words = "Answer with one JSON object and nothing else."
        if schema is not None:
            words += f" It must satisfy this JSON Schema: {msgspec.json.encode(schema).decode()}"
        tell(fields, words)
        losses.append(
            Loss("approximated", "$.response_format", "the schema is told to the model; the vendor enforces none")
        )

    return quirk


def tell(fields: Fields, words: str) -> None:
    """Adds a sentence to the first system message, or makes one."""
    messages = read(fields)
    first = messages[0] if messages else {}
    if bytes(first.get("role", b"")) in (b'"system"', b'"developer"'):
        said = msgspec.json.decode(first.get("content", msgspec.Raw(b'""')))
        if isinstance(said, list):
            first["content"] = text([*said, {"type": "text", "text": words}])
        else:
            first["content"] = text(f"{said}\n\n{words}" if said else words)
    else:
        messages.insert(0, {"role": text("system"), "content": text(words)})
    put(fields, "messages", messages)


def NineLetterIds() -> Quirk:
    """Ids of calls have nine letters and digits: any other id becomes nine made of it, the same in call and result."""

    def mend(message: Message, number: int, losses: Losses) -> bool:
        changed = False
        if "tool_call_id" in message:
            id = msgspec.json.decode(message["tool_call_id"])
            if isinstance(id, str) and short_id(id) != id:
                message["tool_call_id"], changed = text(short_id(id)), True
        if bytes(message.get("tool_calls", b"null")) != b"null":
            calls = msgspec.json.decode(message["tool_calls"])
            for call in calls if isinstance(calls, list) else []:
                if isinstance(call, dict) and isinstance(call.get("id"), str) and short_id(call["id"]) != call["id"]:
                    call["id"], changed = short_id(call["id"]), True
            if changed:
                message["tool_calls"] = text(calls)
        return changed

    return _each(mend, b'"tool_call_id"', b'"tool_calls"')


def short_id(id: str) -> str:
    """Nine letters and digits, always the same for the same id."""
    if len(id) == 9 and id.isascii() and id.isalnum():
        return id
    number = int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest())
    letters = []
    for _ in range(9):
        number, place = divmod(number, len(_ALNUM))
        letters.append(_ALNUM[place])
    return "".join(letters)


def LooseTools() -> Quirk:
    """The vendor follows no strict schemas of tools, and refuses to be told to."""

    def quirk(fields: Fields, losses: Losses) -> None:
        if b'"strict"' not in bytes(fields.get("tools", b"")):
            return
        tools = value(fields, "tools")
        for number, tool in enumerate(tools if isinstance(tools, list) else []):
            function = tool.get("function") if isinstance(tool, dict) else None
            if isinstance(function, dict) and function.pop("strict", None):
                losses.append(Loss("dropped", f"$.tools[{number}].function.strict", "the vendor enforces no schema"))
        put(fields, "tools", tools)

    return quirk


def NoTools(said: str = "none") -> Quirk:
    """The vendor cannot be told to call no tool, so it is offered none."""

    def quirk(fields: Fields, losses: Losses) -> None:
        if value(fields, "tool_choice") == said:
            for name in ("tool_choice", "tools"):
                fields.pop(name, None)
            losses.append(Loss("approximated", "$.tool_choice", "the model was not told of its tools"))

    return quirk
