"""What may pass from the hub into a format: its own extras, and a note of everything else."""

from typing import Literal

from yibu.hub.loss import Loss, Losses
from yibu.hub.parts import Extras

_RECORDS = frozenset({"id", "type", "status", "store", "include", "background", "echo", "system_fingerprint"})
"""Names of records that mean something to the vendor alone who made them, and of wishes that the gateway fulfils itself:
an answer is the same without them."""
_EMPTY = frozenset({b"[]", b"{}", b'""', b"false"})


class Scope:
    """One encoding into the dialect `into`. `is_ours`: what is encoded was decoded by it, so its extras are members of this format."""

    def __init__(self, into: str, dialect: str, losses: Losses) -> None:
        self.into = into
        self.is_ours = dialect == into
        self.losses = losses

    def extras(self, where: str, extras: Extras) -> Extras:
        """The extras to write; those of another dialect become losses, unless nothing is lost with them."""
        if self.is_ours:
            return extras
        for key, value in extras.items():
            if key not in _RECORDS and bytes(value).strip() not in _EMPTY:
                self.lose(f"{where}.{key}")
        return {}

    def lose(self, where: str, detail: str = "", kind: Literal["dropped", "approximated"] = "dropped") -> None:
        self.losses.append(Loss(kind=kind, where=where, detail=detail))
