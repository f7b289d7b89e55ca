"""What vendors of this format say they counted, as meters that do not overlap, and back.

OpenAI: cached, cache-write and audio tokens are parts of `prompt_tokens`, reasoning and audio tokens of
`completion_tokens`. xAI's Chat interface keeps reasoning outside: there `total = prompt + completion + reasoning`.
Google's caches through OpenRouter read and write the same tokens in one call and charge for both: each count stands as it
was reported, and what is left for the plain input is never less than 0.
"""

from typing import Any

import msgspec

from yibu.dialects._json import present
from yibu.dialects.openai_chat.wire import ID
from yibu.hub.usage import Meter, Usage

_ANY = msgspec.json.Decoder()


def decode_usage(value: msgspec.Raw | None) -> Usage | None:
    """None when nothing was counted. A count that is negative or no integer is treated as not reported; 0 is a count."""
    if present(value) is None or value is None:
        return None
    try:
        said = _ANY.decode(value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    prompt, completion = _count(said, "prompt_tokens"), _count(said, "completion_tokens")
    if prompt is None and completion is None:
        return None
    into, out = _details(said, "prompt_tokens_details"), _details(said, "completion_tokens_details")
    cached = _first(
        _count(into, "cached_tokens"),
        _count(said, "prompt_cache_hit_tokens"),  # DeepSeek
        _count(said, "cached_tokens"),  # Together, Moonshot
        _count(said, "num_cached_tokens"),  # Mistral
    )
    written, heard = _count(into, "cache_write_tokens"), _count(into, "audio_tokens")
    thought = _first(_count(out, "reasoning_tokens"), _count(said, "reasoning_tokens"))
    spoken = _count(out, "audio_tokens")
    units: dict[Meter, int] = {}
    if prompt is not None:
        units[Meter.INPUT] = max(0, prompt - (cached or 0) - (written or 0) - (heard or 0))
    if completion is not None:
        is_outside = bool(thought) and _count(said, "total_tokens") == (prompt or 0) + completion + (thought or 0)
        units[Meter.OUTPUT] = max(0, completion - (0 if is_outside else thought or 0) - (spoken or 0))
    for meter, count in (
        (Meter.INPUT_CACHED, cached),
        (Meter.CACHE_WRITE, written),
        (Meter.AUDIO_IN, heard),
        (Meter.REASONING, thought),
        (Meter.AUDIO_OUT, spoken),
    ):
        if count is not None:
            units[meter] = count
    return Usage(units=units, raw=value, dialect=ID)


def encode_usage(usage: Usage) -> Any:
    """The vendor's own object when it was of this format, else one made from the meters."""
    if usage.raw is not None and usage.dialect == ID:
        return usage.raw
    units = usage.units

    def total(*meters: Meter) -> int:
        return sum(units.get(meter, 0) for meter in meters)

    prompt = total(Meter.INPUT, Meter.INPUT_CACHED, Meter.CACHE_WRITE, Meter.CACHE_WRITE_1H, Meter.AUDIO_IN)
    completion = total(Meter.OUTPUT, Meter.REASONING, Meter.AUDIO_OUT)
    members: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    for key, names in _DETAILS.items():
        details = {name: total(*meters) for name, meters in names.items() if any(meter in units for meter in meters)}
        if details:
            members[key] = details
    return members


_DETAILS: dict[str, dict[str, tuple[Meter, ...]]] = {
    "prompt_tokens_details": {
        "cached_tokens": (Meter.INPUT_CACHED,),
        "cache_write_tokens": (Meter.CACHE_WRITE, Meter.CACHE_WRITE_1H),
        "audio_tokens": (Meter.AUDIO_IN,),
    },
    "completion_tokens_details": {"reasoning_tokens": (Meter.REASONING,), "audio_tokens": (Meter.AUDIO_OUT,)},
}


def _count(said: dict[str, Any], key: str) -> int | None:
    count = said.get(key)
    if type(count) is float and count.is_integer():
        count = int(count)
    return count if type(count) is int and count >= 0 else None  # a boolean is no count


def _details(said: dict[str, Any], key: str) -> dict[str, Any]:
    details = said.get(key)
    return details if isinstance(details, dict) else {}


def _first(*counts: int | None) -> int | None:
    return next((count for count in counts if count is not None), None)
