"""What a vendor of this format says it counted, as meters that do not overlap, and back.

`input_tokens` excludes what was read from or written into the cache; thinking is part of `output_tokens`. The split of
writes by lifetime stands in `cache_creation`; without it they are of the short kind. In a stream `message_start` counts
the prompt and `message_delta` brings final figures, member by member: the last value of each counts, never the sum.

`iterations`, where it is, tells the rounds of one call. Those of the type `message` are what the totals sum up;
a `compaction` is billed beside them (recorded: totals 220 and 8, compaction 55,196 and 125), so it is added here. An
`advisor_message` is another model's, with a price of its own, and is not: this call has one price sheet.
"""

from typing import Any

import msgspec

from yibu.dialects._json import present, raw
from yibu.dialects.anthropic.wire import ID
from yibu.hub.estimate import TextMeter
from yibu.hub.usage import Meter, Usage

Said = dict[str, Any]
"""A usage object; what stands in it is the vendor's affair."""


def decode_usage(value: msgspec.Raw | None) -> Usage | None:
    """None when nothing was counted. A count that is negative or no integer is treated as not reported; 0 is a count."""
    said = _object(value)
    return None if said is None else _usage(said, value)


def encode_usage(usage: Usage | None) -> Any:
    """The vendor's own object when it was of this format, else one made from the meters; zeros when nobody counted."""
    if usage is not None and usage.raw is not None and usage.dialect == ID:
        return usage.raw
    units = usage.units if usage is not None else {}

    def total(*meters: Meter) -> int:
        return sum(units.get(meter, 0) for meter in meters)

    members: Said = {
        "input_tokens": total(Meter.INPUT, Meter.AUDIO_IN),
        "cache_creation_input_tokens": total(Meter.CACHE_WRITE, Meter.CACHE_WRITE_1H),
        "cache_read_input_tokens": total(Meter.INPUT_CACHED),
        "output_tokens": total(Meter.OUTPUT, Meter.REASONING, Meter.AUDIO_OUT),
    }
    if members["cache_creation_input_tokens"]:
        members["cache_creation"] = {
            "ephemeral_5m_input_tokens": total(Meter.CACHE_WRITE),
            "ephemeral_1h_input_tokens": total(Meter.CACHE_WRITE_1H),
        }
    if Meter.REASONING in units:
        members["output_tokens_details"] = {"thinking_tokens": units[Meter.REASONING]}
    if Meter.SEARCH in units:
        members["server_tool_use"] = {"web_search_requests": units[Meter.SEARCH], "web_fetch_requests": 0}
    return members


class Tally:
    """The usage of a stream while it comes.

    `final` is None until the vendor has told the end. `usage` is at least what is known when a stream is cut: the
    prompt as the vendor counted it, and an estimate of what was written; None as long as nothing was written, because
    vendors do not charge for that.
    """

    __slots__ = ("_said", "final", "meter")

    def __init__(self) -> None:
        self._said: Said = {}
        self.final: Usage | None = None
        self.meter = TextMeter()

    def start(self, value: msgspec.Raw | None) -> None:
        """`usage` of `message_start`."""
        self._said = _object(value) or {}

    def update(self, value: msgspec.Raw | None) -> None:
        """`usage` of a `message_delta`."""
        said = _object(value)
        if said is None:
            return
        self._said = {**self._said, **{key: count for key, count in said.items() if count is not None}}
        self.final = _usage(self._said, raw(self._said)) or self.final

    @property
    def usage(self) -> Usage | None:
        tokens = self.meter.tokens
        if self.final is not None or not self._said or not tokens:
            return self.final
        said = {**self._said, "output_tokens": max(tokens, _count(self._said, "output_tokens") or 0)}
        usage = _usage(said, None)
        return None if usage is None else msgspec.structs.replace(usage, is_estimated=True)


def _usage(said: Said, value: msgspec.Raw | None) -> Usage | None:
    into, out = _count(said, "input_tokens"), _count(said, "output_tokens")
    if into is None and out is None:
        return None
    units: dict[Meter, int] = {}
    read, written = _count(said, "cache_read_input_tokens"), _count(said, "cache_creation_input_tokens")
    lives = _members(said, "cache_creation")
    long, short = _count(lives, "ephemeral_1h_input_tokens"), _count(lives, "ephemeral_5m_input_tokens")
    if written is not None:
        short = max(written - (long or 0), short or 0, 0)
    thought = _count(_members(said, "output_tokens_details"), "thinking_tokens")
    searches = _count(_members(said, "server_tool_use"), "web_search_requests")
    for meter, count in (
        (Meter.INPUT, into),
        (Meter.INPUT_CACHED, read),
        (Meter.CACHE_WRITE, short),
        (Meter.CACHE_WRITE_1H, long or None),
        (Meter.OUTPUT, None if out is None else max(0, out - (thought or 0))),
        (Meter.REASONING, thought),
        (Meter.SEARCH, searches or None),
    ):
        if count is not None:
            units[meter] = count
    for beside in _beside(said):
        for meter, key in _COUNTS.items():
            if count := _count(beside, key):
                units[meter] = units.get(meter, 0) + count
    return Usage(units=units, raw=value, dialect=ID)


_COUNTS = {
    Meter.INPUT: "input_tokens",
    Meter.INPUT_CACHED: "cache_read_input_tokens",
    Meter.CACHE_WRITE: "cache_creation_input_tokens",
    Meter.OUTPUT: "output_tokens",
}


def _beside(said: Said) -> list[Said]:
    """Rounds that are billed beside the totals."""
    rounds = said.get("iterations")
    found = rounds if isinstance(rounds, list) else []
    return [one for one in found if isinstance(one, dict) and one.get("type") == "compaction"]


def _object(value: msgspec.Raw | None) -> Said | None:
    if value is None or present(value) is None:
        return None
    try:
        said = msgspec.json.decode(value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _count(said: Said, key: str) -> int | None:
    count = said.get(key)
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _members(said: Said, key: str) -> Said:
    inner = said.get(key)
    return inner if isinstance(inner, dict) else {}
