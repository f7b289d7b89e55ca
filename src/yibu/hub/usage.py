"""What a call used, in meters that never overlap, so that a bill is a dot product."""

from enum import StrEnum

import msgspec


class Meter(StrEnum):
    """One unit of each. Tokens are counted in exactly one of the token meters."""

    INPUT = "input"
    INPUT_CACHED = "input_cached"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_1H = "cache_write_1h"
    AUDIO_IN = "audio_in"
    OUTPUT = "output"
    REASONING = "reasoning"
    AUDIO_OUT = "audio_out"
    IMAGE = "image"
    SECOND = "second"
    CHARACTER = "character"
    SEARCH = "search"
    CALL = "call"


class Usage(msgspec.Struct, frozen=True):
    """`units`: meter to a count ≥ 0, absent when not reported; `is_estimated`: counted here because the vendor did not say.

    `raw`: the vendor's own usage object as JSON text, for the log and for callers of the same `dialect`.
    """

    units: dict[Meter, int]
    raw: msgspec.Raw | None = None
    dialect: str = ""
    is_estimated: bool = False
