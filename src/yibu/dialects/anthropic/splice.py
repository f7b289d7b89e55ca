"""A request for a vendor of the same format: untouched but for the model, and for what only a gateway can have put there.

A conversation may have passed through other vendors; their state in it (`parcel`) means nothing to this one, which
refuses signatures that it did not make. Bodies without our mark are not looked into.
"""

from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, raw, text_of
from yibu.dialects.anthropic.parcel import MARK, is_packed
from yibu.dialects.dialect import Intent
from yibu.hub.errors import InvalidRequest

_MARK = MARK.encode()
_OBJECTS = msgspec.json.Decoder(list[Fields])


def splice(intent: Intent, model: str) -> bytes:
    """The same request for another model name, without the parcels in it."""
    has_parcels = _MARK in intent.body
    if model == intent.model and not has_parcels:
        return intent.body
    members = fields(intent.body)
    members["model"] = raw(model)
    if has_parcels:
        _clean(members)
    return msgspec.json.encode(members)


def _clean(members: Fields) -> None:
    """Takes parcels out. Without its thoughts a running loop of tools may not go on thinking with a budget: then it does not."""
    messages = _objects(members["messages"])
    kept: list[Any] = []
    is_unsigned = False
    for message in messages:
        blocks = _objects(message.get("content"))
        clean = [_uncited(block) for block in blocks if not _is_parcel(block)]
        if len(clean) == len(blocks) and clean == blocks:
            kept.append(message)
        elif clean:
            kept.append({**message, "content": clean})
            is_unsigned = text_of(clean[0].get("type")) not in ("thinking", "redacted_thinking")
    if not kept:
        return
    members["messages"] = raw(kept)
    told = members.get("thinking")
    if is_unsigned and told is not None and b'"enabled"' in bytes(told) and _ends_with_result(kept[-1]):
        members["thinking"] = msgspec.Raw(b'{"type":"disabled"}')


def _objects(value: msgspec.Raw | None) -> list[Fields]:
    """The elements of an array of objects; nothing for any other value."""
    if value is None or not bytes(value).lstrip().startswith(b"["):
        return []
    try:
        return _OBJECTS.decode(value)
    except (msgspec.ValidationError, InvalidRequest):
        return []


def _is_parcel(block: Fields) -> bool:
    return is_packed(text_of(block.get("signature")) or "")


def _uncited(block: Fields) -> Fields:
    """The block without citations that another vendor gave."""
    cited = block.get("citations")
    if cited is None or _MARK not in bytes(cited):
        return block
    left = [one for one in _objects(cited) if not is_packed(text_of(one.get("encrypted_index")) or "")]
    rest = {key: value for key, value in block.items() if key != "citations"}
    return {**rest, "citations": raw(left)} if left else rest


def _ends_with_result(message: Fields) -> bool:
    return any(text_of(block.get("type")) == "tool_result" for block in _objects(message.get("content")))
