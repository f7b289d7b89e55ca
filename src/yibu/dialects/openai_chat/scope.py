"""What may pass from the hub into this format: its own extras, and a note of everything else."""

from typing import Any, Literal

import msgspec

from yibu.dialects.openai_chat.wire import ID, fields, raw
from yibu.hub.loss import Loss, Losses
from yibu.hub.parts import Extras


class Scope:
    """One encoding. `is_ours`: what is encoded was decoded by this dialect, so its extras are members of this format."""

    def __init__(self, dialect: str, losses: Losses) -> None:
        self.is_ours = dialect == ID
        self.losses = losses

    def extras(self, where: str, extras: Extras) -> Extras:
        """The extras to write; those of another dialect become losses."""
        if self.is_ours:
            return extras
        for key in extras:
            self.lose(f"{where}.{key}")
        return {}

    def lose(self, where: str, detail: str = "", kind: Literal["dropped", "approximated"] = "dropped") -> None:
        self.losses.append(Loss(kind=kind, where=where, detail=detail))


def merge(members: dict[str, Any], extras: Extras, inner: str = "") -> dict[str, Any]:
    """`members` with the extras beside them; the extra called `inner` holds what remained of that member's own object."""
    for key, value in extras.items():
        if key == inner and isinstance(members.get(key), dict):
            members[key] = {**members[key], **fields(value)}
        else:
            members.setdefault(key, value)
    return members


def split(outer: Extras, inner: str, remains: Extras) -> Extras:
    """The reverse of `merge`: keeps what remained of the member `inner` under its name."""
    return {**outer, inner: raw(remains)} if remains else outer


def lean(members: dict[str, Any]) -> dict[str, Any]:
    """Without the members that are None."""
    return {key: value for key, value in members.items() if value is not None}


def text_of(value: msgspec.Raw | None) -> str | None:
    """A member that is a string; None for any other."""
    if value is None or not bytes(value).lstrip().startswith(b'"'):
        return None
    text: str = msgspec.json.decode(value, type=str)
    return text
