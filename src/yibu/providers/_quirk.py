"""What a vendor trips over in a request, said as data: a vendor lists its quirks, in the order in which they are mended.

A quirk changes the members of a request in place. Members are JSON text (`msgspec.Raw`), so whatever no quirk is about
stays as the caller wrote it. What changes the answer, or is not carried, is a `Loss`; another name for the same thing is
none. What the vendor cannot do and nobody would want to be without is refused, with the path of the member.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Loss, Losses

Fields = dict[str, msgspec.Raw]
Quirk = Callable[[Fields, Losses], None]

NULL = b"null"
IDLE: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "parallel_tool_calls": (True,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "metadata": ({},),
    "store": (False,),
    "service_tier": ("auto", "default"),
    "modalities": (["text"],),
    "stop": ([],),
    "tools": ([],),
}
"""Values that say what would happen anyway: leaving them out loses nothing."""


def value(fields: Fields, name: str) -> Any:
    """A member as Python sees it; None when it is missing or null."""
    return msgspec.json.decode(fields[name]) if name in fields else None


def put(fields: Fields, name: str, new: Any) -> None:
    fields[name] = msgspec.Raw(msgspec.json.encode(new))


def model(fields: Fields) -> str:
    return str(value(fields, "model") or "")


def Without(*names: str, because: str = "the vendor refuses it") -> Quirk:
    """These members are left out."""

    def quirk(fields: Fields, losses: Losses) -> None:
        for name in names:
            if name not in fields:
                continue
            said = value(fields, name)
            del fields[name]
            if said is not None and said not in IDLE.get(name, ()):
                losses.append(Loss("dropped", f"$.{name}", because))

    return quirk


def Rename(old: str, new: str) -> Quirk:
    """The vendor knows `old` as `new`, which wins where both are given."""

    def quirk(fields: Fields, losses: Losses) -> None:
        if old not in fields:
            return
        said = fields.pop(old)
        if bytes(said) != NULL and bytes(fields.get(new, NULL)) == NULL:
            fields[new] = said

    return quirk


def OneAnswer() -> Quirk:
    """The vendor gives one choice a call."""

    def quirk(fields: Fields, losses: Losses) -> None:
        if "n" in fields and value(fields, "n") not in (None, 1):
            raise InvalidRequest(
                "The vendor of this model gives one choice a call. Leave `n` out, and call several times.", param="$.n"
            )
        fields.pop("n", None)

    return quirk


def Between(name: str, low: float, high: float) -> Quirk:
    """A number outside of these bounds is moved to the nearer one."""

    def quirk(fields: Fields, losses: Losses) -> None:
        said = value(fields, name)
        if isinstance(said, int | float) and not low <= said <= high:
            near = min(max(said, low), high)
            put(fields, name, near)
            losses.append(Loss("approximated", f"$.{name}", f"{near:g}, the vendor's bound"))

    return quirk


def Only(name: str, *allowed: Any, instead: Any = None) -> Quirk:
    """Any other value becomes `instead`; None leaves the member out."""

    def quirk(fields: Fields, losses: Losses) -> None:
        said = value(fields, name)
        if said is None or said in allowed:
            return
        if instead is None:
            del fields[name]
        else:
            put(fields, name, instead)
        told = "left out" if instead is None else f"{instead} instead"
        losses.append(Loss("approximated", f"$.{name}", f"{told}: the vendor knows no other"))

    return quirk


def For(prefixes: Iterable[str], *quirks: Quirk) -> Quirk:
    """Quirks of some models only: those whose names begin so."""
    beginnings = tuple(prefixes)

    def quirk(fields: Fields, losses: Losses) -> None:
        if model(fields).lower().startswith(beginnings):
            for one in quirks:
                one(fields, losses)

    return quirk


def Always(name: str, said: Any) -> Quirk:
    """A member that the vendor needs, unless the caller said something else."""

    def quirk(fields: Fields, losses: Losses) -> None:
        if bytes(fields.get(name, NULL)) == NULL:
            put(fields, name, said)

    return quirk


USUAL_CEILING = Rename("max_completion_tokens", "max_tokens")
"""Vendors that kept OpenAI's older name; some of them ignore the newer one, which makes an answer without a ceiling."""
