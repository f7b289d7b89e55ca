"""What vendors of this format say they counted, as meters that do not overlap, and back.

Cached and cache-write tokens are parts of `input_tokens`, reasoning tokens of `output_tokens`; where a vendor keeps reasoning
outside (xAI), the total tells. Searches are told apart from tokens, in `tool_usage`.
"""

from typing import Any

import msgspec

from yibu.dialects._json import present
from yibu.dialects.openai_responses.wire import ID
from yibu.hub.usage import Meter, Usage


def decode_usage(value: msgspec.Raw | None, tool_usage: msgspec.Raw | None = None) -> Usage | None:
    """None when nothing was counted. A count that is negative or no integer is treated as not reported; 0 is a count."""
    said = _object(value)
    into_all, out_all = _count(said, "input_tokens"), _count(said, "output_tokens")
    if into_all is None and out_all is None:
        return None
    into, out = _inner(said, "input_tokens_details"), _inner(said, "output_tokens_details")
    cached, written = _count(into, "cached_tokens"), _count(into, "cache_write_tokens")
    thought = _count(out, "reasoning_tokens")
    units: dict[Meter, int] = {}
    if into_all is not None:
        units[Meter.INPUT] = max(0, into_all - (cached or 0) - (written or 0))
    if out_all is not None:
        is_outside = bool(thought) and _count(said, "total_tokens") == (into_all or 0) + out_all + (thought or 0)
        units[Meter.OUTPUT] = max(0, out_all - (0 if is_outside else thought or 0))
    searches = _count(_inner(_object(tool_usage), "web_search"), "num_requests")
    for meter, count in (
        (Meter.INPUT_CACHED, cached),
        (Meter.CACHE_WRITE, written),
        (Meter.REASONING, thought),
        (Meter.SEARCH, searches or None),
    ):
        if count is not None:
            units[meter] = count
    return Usage(units=units, raw=value, dialect=ID)


def encode_usage(usage: Usage | None) -> Any:
    """The vendor's own object when it was of this format, else one made from the meters; official SDKs expect the details."""
    if usage is None:
        return None
    if usage.raw is not None and usage.dialect == ID:
        return usage.raw
    units = usage.units

    def total(*meters: Meter) -> int:
        return sum(units.get(meter, 0) for meter in meters)

    written = total(Meter.CACHE_WRITE, Meter.CACHE_WRITE_1H)
    into = total(Meter.INPUT, Meter.INPUT_CACHED, Meter.AUDIO_IN) + written
    out = total(Meter.OUTPUT, Meter.REASONING, Meter.AUDIO_OUT)
    return {
        "input_tokens": into,
        "input_tokens_details": {"cached_tokens": total(Meter.INPUT_CACHED), "cache_write_tokens": written},
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": total(Meter.REASONING)},
        "total_tokens": into + out,
    }


def _object(value: msgspec.Raw | None) -> dict[str, Any]:
    if present(value) is None or value is None:
        return {}
    try:
        said = msgspec.json.decode(value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _inner(said: dict[str, Any], key: str) -> dict[str, Any]:
    value = said.get(key)
    return value if isinstance(value, dict) else {}


def _count(said: dict[str, Any], key: str) -> int | None:
    count = said.get(key)
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None
