"""What models of this format can do, by their names.

Sources: recorded exchanges with these models and the model profiles in public SDKs, read 2026-11-22; Anthropic's *Models
overview* is the place to compare. A Claude that is newer than this table is treated as the newest in it. Names that are
not Claude's (MiniMax, Kimi, GLM and others speak this format too, and operators give names of their own) get what all have
had from the start, and one of temperature and top_p, because a vendor that wants one refuses both.
"""

import re
from functools import lru_cache
from typing import Literal

import msgspec

Thinking = Literal["none", "manual", "both", "adaptive"]
"""`manual`: with a budget; `adaptive`: steered by effort."""


class Abilities(msgspec.Struct, frozen=True):
    """`efforts`: the levels it takes, lowest first; `has_format`: JSON schemas for answers and strict tools;
    `has_sampling`: temperature, top_p, top_k; `takes_both`: temperature and top_p in one request; `takes_prefill`: a last turn
    of the assistant; `takes_system`: such a turn in the middle; `can_be_forced`: to call a tool; `can_stop_thinking`: by
    `disabled`; `most_output`: tokens, None when not known.
    """

    thinking: Thinking = "manual"
    efforts: tuple[str, ...] = ()
    has_format: bool = False
    has_sampling: bool = True
    takes_both: bool = False
    takes_prefill: bool = True
    takes_system: bool = False
    can_be_forced: bool = True
    can_stop_thinking: bool = True
    most_output: int | None = None


_NAME = re.compile(
    r"claude-(?:(?P<family>opus|sonnet|haiku|instant|fable|mythos)-)?(?:v?(?P<major>\d{1,2})(?:[-.](?P<minor>\d{1,2})(?!\d))?|preview)"
    r"(?:-(?P<late>opus|sonnet|haiku))?"
)
_OTHERS = re.compile(r"minimax|kimi|moonshot|glm|deepseek|qwen")
"""Models of other vendors who speak this format."""
_FAMILY_5 = ("fable", "mythos")


@lru_cache(maxsize=512)
def abilities(model: str) -> Abilities:
    """`model`: as the upstream calls it, perhaps with a date, a region or a host's prefix around it."""
    found = _NAME.search(model.lower())
    if found is None:
        return Abilities(takes_both=_OTHERS.search(model.lower()) is not None)
    family = found["family"] or found["late"] or ""
    version = (int(found["major"] or 5), int(found["minor"] or 0))
    return Abilities(
        thinking=_thinking(version),
        efforts=_efforts(version, family),
        has_format=version >= (4, 5) or (version == (4, 1) and family == "opus"),
        has_sampling=version < (4, 7),
        takes_both=version < (4, 1),
        takes_prefill=version < (4, 6),
        takes_system=version >= (4, 8),
        can_be_forced=family not in _FAMILY_5,
        can_stop_thinking=family not in _FAMILY_5,
        most_output=_most_output(version, family),
    )


def _thinking(version: tuple[int, int]) -> Thinking:
    if version < (3, 7):
        return "none"
    if version < (4, 6):
        return "manual"
    return "both" if version < (4, 7) else "adaptive"


def _efforts(version: tuple[int, int], family: str) -> tuple[str, ...]:
    if version >= (4, 7):
        return ("low", "medium", "high", "xhigh", "max")
    if version >= (4, 6):
        return ("low", "medium", "high", "max")
    return ("low", "medium", "high") if version == (4, 5) and family == "opus" else ()


def _most_output(version: tuple[int, int], family: str) -> int:
    if version >= (4, 6):
        return 128_000
    if version < (3, 5):
        return 4096
    if version < (3, 7):
        return 8192
    return 32_000 if family == "opus" and version < (4, 5) else 64_000
