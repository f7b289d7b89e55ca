"""What Google says it counted, as meters that do not overlap, and back.

Google, reference of `UsageMetadata` and *Pricing*, read 2026-11-22, and recorded answers: the total is prompt +
candidates + thoughts + prompt of tool use; `promptTokenCount` includes what came from a cache; what tools of Google's
read is `toolUsePromptTokenCount` and costs as input; `candidatesTokenCount` is without thoughts, which cost as output.
A count of 0 is left out.

Grounding with Google Search is sold by the search since Gemini 3, before that by the prompt that made any.
"""

from typing import Any

import msgspec

from yibu.dialects._json import present
from yibu.dialects.gemini.wire import ID, whole
from yibu.hub.usage import Meter, Usage


def decode_usage(value: msgspec.Raw | None, searches: int = 0, model: str = "") -> Usage | None:
    """None when nothing was counted. `searches`: how often Google was asked; `model`: which answered."""
    if present(value) is None or value is None:
        return None
    try:
        said = msgspec.json.decode(value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    prompt, out, thought = (
        _count(said, key) for key in ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    )
    if prompt is None and out is None and thought is None and _count(said, "totalTokenCount") is None:
        return None
    cached, tools = _count(said, "cachedContentTokenCount"), _count(said, "toolUsePromptTokenCount") or 0
    heard = (
        _sound(said, "promptTokensDetails")
        + _sound(said, "toolUsePromptTokensDetails")
        - _sound(said, "cacheTokensDetails")
    )
    spoken = _sound(said, "candidatesTokensDetails")
    heard, spoken = max(heard, 0), min(spoken, out or 0)
    units = {
        Meter.INPUT: max(0, (prompt or 0) - (cached or 0) + tools - heard),
        Meter.OUTPUT: (out or 0) - spoken,
    }
    for meter, count in (
        (Meter.INPUT_CACHED, cached),
        (Meter.REASONING, thought),
        (Meter.AUDIO_IN, heard or None),
        (Meter.AUDIO_OUT, spoken or None),
        (Meter.SEARCH, _sold(searches, model) or None),
    ):
        if count is not None:
            units[meter] = count
    return Usage(units=units, raw=value, dialect=ID)


def _sold(searches: int, model: str) -> int:
    return min(searches, 1) if model.removeprefix("models/").startswith(("gemini-1", "gemini-2")) else searches


def _count(said: dict[str, Any], key: str) -> int | None:
    count = whole(said.get(key))
    return count if count is not None and count >= 0 else None


def _sound(said: dict[str, Any], key: str) -> int:
    """Tokens of sound among those that `key` splits up."""
    found = said.get(key)
    if not isinstance(found, list):
        return 0
    sounds = [one for one in found if isinstance(one, dict) and one.get("modality") == "AUDIO"]
    return sum(_count(one, "tokenCount") or 0 for one in sounds)


def encode_usage(usage: Usage) -> Any:
    """Google's own object when it was one, else one made from the meters."""
    if usage.raw is not None and usage.dialect == ID:
        return usage.raw
    units = usage.units

    def total(*meters: Meter) -> int:
        return sum(units.get(meter, 0) for meter in meters)

    cached = total(Meter.INPUT_CACHED)
    prompt = total(Meter.INPUT, Meter.CACHE_WRITE, Meter.CACHE_WRITE_1H, Meter.AUDIO_IN) + cached
    out, thought = total(Meter.OUTPUT, Meter.AUDIO_OUT), total(Meter.REASONING)
    members: dict[str, Any] = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": out,
        "totalTokenCount": prompt + out + thought,
    }
    if thought:
        members["thoughtsTokenCount"] = thought
    if cached:
        members["cachedContentTokenCount"] = cached
    for key, meter, whole_count in (
        ("promptTokensDetails", Meter.AUDIO_IN, prompt),
        ("candidatesTokensDetails", Meter.AUDIO_OUT, out),
    ):
        if sound := units.get(meter, 0):
            others = [{"modality": "TEXT", "tokenCount": whole_count - sound}] if whole_count > sound else []
            members[key] = [*others, {"modality": "AUDIO", "tokenCount": sound}]
    return members
