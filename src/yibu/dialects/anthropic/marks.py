"""`cache_control`, the mark after which a vendor keeps the prompt in its cache, both ways."""

from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, present
from yibu.dialects.anthropic.wire import CacheControl

_CONTROL = msgspec.json.Decoder(CacheControl)


def take_mark(members: Fields) -> tuple[str, Fields]:
    """The mark of a block, and the block without it; a form that is not known yet stays a member."""
    value = present(members.get("cache_control"))
    if value is None:
        return "", members
    try:
        control = _CONTROL.decode(value)
    except msgspec.ValidationError:
        return "", members
    return control.ttl or control.type, {key: own for key, own in members.items() if key != "cache_control"}


def encode_mark(block: dict[str, Any], cache: str) -> dict[str, Any]:
    """The block with its mark, if it has one."""
    if cache:
        block["cache_control"] = {"type": "ephemeral"} if cache == "ephemeral" else {"type": "ephemeral", "ttl": cache}
    return block


def count_marks(value: Any) -> int:
    """How many marks stand in JSON that was encoded here: blocks as members, and as JSON text."""
    match value:
        case dict():
            return ("cache_control" in value) + sum(
                count_marks(inner) for key, inner in value.items() if key != "cache_control"
            )
        case list():
            return sum(map(count_marks, value))
        case msgspec.Raw():
            text = bytes(value)
            if b'"cache_control"' not in text or not text.startswith(b"{"):
                return 0
            return present(fields(value).get("cache_control")) is not None
        case _:
            return 0


def drop_marks(value: Any, most: int) -> int:
    """Takes away the marks that are too many, in the order of tools, system and messages, in which the cache is built.

    Returns how many more there may be.
    """
    if isinstance(value, list):
        for inner in value:
            most = drop_marks(inner, most)
    elif isinstance(value, dict):
        for key in ("tools", "system", "messages", "content"):
            if key in value:
                most = drop_marks(value[key], most)
        if "cache_control" in value:
            most -= 1
            if most < 0:
                del value["cache_control"]
    return most
