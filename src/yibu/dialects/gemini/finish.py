"""Why an answer ended: Google's words and the hub's. Source: google-genai 3.4.0, `FinishReason`, read 2026-11-22."""

from yibu.hub.reply import Finish, FinishKind

_FILTERED = (
    "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR", "ESCALATION", "PUP_LIMITED_DISABLED",
)  # fmt: skip
_BROKEN = (
    "OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE", "IMAGE_OTHER", "NO_IMAGE",
)  # fmt: skip
_KINDS: dict[str, FinishKind] = {
    "STOP": "stop",
    "FINISH_REASON_UNSPECIFIED": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(_FILTERED, "filtered"),
    **dict.fromkeys(_BROKEN, "error"),
}
"""`CONTINUATION`: the ceiling of one call was met and the next call may go on."""

_WORDS: dict[FinishKind, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "filtered": "SAFETY",
    "paused": "STOP",
    "error": "OTHER",
}

MALFORMED = "MALFORMED_FUNCTION_CALL"


def decode_finish(word: str, *, has_calls: bool) -> Finish:
    """A call is told by its part alone: the word beside it is `STOP`. Words that are not known yet end an answer well."""
    kind = _KINDS.get(word.upper(), "stop")
    return Finish(kind="tool_calls" if kind == "stop" and has_calls else kind, raw=word)


def encode_finish(finish: Finish, *, is_ours: bool) -> str:
    """Google's own word if it was one."""
    return finish.raw if is_ours and finish.raw else _WORDS[finish.kind]
