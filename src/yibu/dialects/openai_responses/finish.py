"""Why an answer ended: the states of a response and the hub's words."""

from typing import Any

from yibu.hub.reply import Finish, FinishKind

_REASONS: dict[str, FinishKind] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "max_messages": "length",
    "content_filter": "filtered",
}
_INCOMPLETE: dict[FinishKind, str] = {"length": "max_output_tokens", "filtered": "content_filter"}


def decode_finish(status: str, reason: str, *, has_calls: bool) -> Finish:
    """Azure and proxies have written `complete`; a response that is `queued` or `in_progress` was asked for in the background."""
    if status == "incomplete":
        return Finish(kind=_REASONS.get(reason, "stop" if reason == "steered" else "length"), raw=reason or status)
    if status in ("cancelled", "failed"):
        return Finish(kind="error", raw=status)
    return Finish(kind="tool_calls" if has_calls else "stop", raw=status)


def encode_finish(finish: Finish, *, is_ours: bool) -> tuple[str, dict[str, Any] | None]:
    """`status` and `incomplete_details`."""
    if finish.kind in _INCOMPLETE:
        reason = finish.raw if is_ours and finish.raw in _REASONS else _INCOMPLETE[finish.kind]
        return "incomplete", {"reason": reason}
    if is_ours and finish.raw == "steered":
        return "incomplete", {"reason": finish.raw}
    if finish.kind == "error":
        return ("cancelled" if is_ours and finish.raw == "cancelled" else "incomplete"), None
    if is_ours and finish.raw in ("queued", "in_progress"):
        return finish.raw, None
    return "completed", None
