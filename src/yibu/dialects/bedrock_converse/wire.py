"""What stands in the JSON of Converse's answers, and the words that both ways share."""

import msgspec

from yibu.dialects._json import NULL
from yibu.hub.reply import Finish, FinishKind
from yibu.hub.usage import Meter, Usage

ID = "bedrock_converse"

_KINDS: dict[str, FinishKind] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "filtered",
    "content_filtered": "filtered",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}
"""Words that are not here yet mean an ordinary end."""


class CacheDetail(msgspec.Struct):
    ttl: str = ""
    inputTokens: int = 0


class WireUsage(msgspec.Struct):
    inputTokens: int | None = None
    outputTokens: int | None = None
    cacheReadInputTokens: int | None = None
    cacheWriteInputTokens: int | None = None
    cacheDetails: list[CacheDetail] | None = None


class ReasoningText(msgspec.Struct):
    text: str = ""
    signature: str | None = None


class ReasoningContent(msgspec.Struct):
    """Of a whole answer `reasoningText` or `redactedContent`; of a delta the others, too."""

    reasoningText: ReasoningText | None = None
    redactedContent: str | None = None
    text: str | None = None
    signature: str | None = None


_USAGE = msgspec.json.Decoder(WireUsage)


def decode_usage(raw: msgspec.Raw) -> Usage | None:
    """None when nothing was counted. The meters do not overlap here either: input leaves out what the cache did."""
    if bytes(raw) in (b"", b"null"):
        return None
    said = _USAGE.decode(raw)
    if said.inputTokens is None and said.outputTokens is None:
        return None
    long = sum(max(one.inputTokens, 0) for one in said.cacheDetails or () if one.ttl == "1h")
    counts = (
        (Meter.INPUT, said.inputTokens),
        (Meter.OUTPUT, said.outputTokens),
        (Meter.INPUT_CACHED, said.cacheReadInputTokens),
        (Meter.CACHE_WRITE, None if said.cacheWriteInputTokens is None else max(said.cacheWriteInputTokens - long, 0)),
        (Meter.CACHE_WRITE_1H, long or None),
    )
    return Usage({meter: count for meter, count in counts if count is not None}, raw=raw, dialect=ID)


def decode_finish(word: str, *, has_calls: bool) -> Finish:
    """Some models say `end_turn` after a call: what was called counts."""
    kind = _KINDS.get(word, "stop")
    return Finish("tool_calls" if kind == "stop" and has_calls else kind, raw=word)


__all__ = ["ID", "NULL", "ReasoningContent", "ReasoningText", "decode_finish", "decode_usage"]
