"""Why an answer ended: the vendors' words and the hub's."""

from yibu.hub.reply import Finish, FinishKind

_KINDS: dict[str, FinishKind] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "filtered",
    "safety": "filtered",
    "recitation": "filtered",
    "sensitive": "filtered",
    "error": "error",
    "abort": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
}
"""OpenAI's five; Together `eos`; Mistral `model_length`, `error`; Z.ai `sensitive`, `network_error`; vLLM `abort`;
DeepSeek `insufficient_system_resource`; others' borrowings from Anthropic and Google."""

_WORDS: dict[FinishKind, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "filtered": "content_filter",
    "paused": "stop",
    "error": "length",
}
"""OpenAI has no word for a broken answer; `length` at least tells that something is missing."""


def decode_finish(word: object, *, has_calls: bool) -> Finish:
    """Also for vendors that leave the word out (Snowflake) or say `stop` although there are calls."""
    raw = word if isinstance(word, str) else ""
    kind = _KINDS.get(raw.lower(), "stop")
    return Finish(kind="tool_calls" if kind == "stop" and has_calls else kind, raw=raw)


def encode_finish(finish: Finish, *, is_ours: bool) -> str:
    """The vendor's own word if it is one of this format."""
    return finish.raw if is_ours and finish.raw else _WORDS[finish.kind]
