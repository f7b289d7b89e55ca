"""Why an answer ended: this format's words and the hub's. Source: anthropic-sdk-python 2.12.0, `StopReason`, read 2026-11-22."""

from typing import Any

from yibu.hub.reply import Finish, FinishKind

_KINDS: dict[str, FinishKind] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "compaction": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "paused",
    "refusal": "filtered",
}
"""Words that are not here yet mean an ordinary end."""

_WORDS: dict[FinishKind, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "filtered": "refusal",
    "paused": "pause_turn",
    "error": "end_turn",
}
"""There is no word for a broken answer."""


def decode_finish(word: Any, stop_sequence: Any, *, has_calls: bool) -> Finish:
    """Hosts that speak this format say `end_turn` after a call, too: what was called counts."""
    raw = word if isinstance(word, str) else ""
    kind = _KINDS.get(raw, "stop")
    return Finish(
        kind="tool_calls" if kind == "stop" and has_calls else kind,
        raw=raw,
        stop_sequence=stop_sequence if isinstance(stop_sequence, str) else None,
    )


def encode_finish(finish: Finish, *, is_ours: bool) -> dict[str, Any]:
    """`stop_reason`, `stop_sequence` and, where a filter ended it, `stop_details`."""
    word = finish.raw if is_ours and finish.raw else _WORDS[finish.kind]
    if word == "end_turn" and finish.stop_sequence is not None:
        word = "stop_sequence"
    members: dict[str, Any] = {"stop_reason": word, "stop_sequence": finish.stop_sequence}
    if word == "refusal" and not is_ours:
        members["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
    return members
