"""Quirks about the items of a Responses request."""

from typing import Any

from yibu.hub.loss import Loss, Losses
from yibu.providers._quirk import Fields, Quirk, put, value

RESULTS = ("function_call_output", "custom_tool_call_output")
_ELSEWHERE = "(see the next message)"


def TextResults() -> Quirk:
    """The vendor reads what a tool returned as text only: pictures and files in it follow as the user's, behind all results."""

    def quirk(fields: Fields, losses: Losses) -> None:
        if b'_call_output"' not in bytes(fields.get("input", b"")):
            return
        items = value(fields, "input")
        if not isinstance(items, list):
            return
        made: list[Any] = []
        shown: list[Any] = []
        for number, item in enumerate(items):
            is_result = isinstance(item, dict) and item.get("type") in RESULTS
            if not is_result:
                made += _follow(shown)
                made.append(item)
                continue
            media = _texts_only(item)
            if media:
                where = f"$.input[{number}].output"
                losses.append(
                    Loss("approximated", where, "the vendor reads text there: what was shown follows as the user's")
                )
            shown += media
            made.append(item)
        put(fields, "input", [*made, *_follow(shown)])

    return quirk


def _texts_only(item: dict[str, Any]) -> list[Any]:
    """Makes the result a text; returns the parts that are none."""
    output = item.get("output")
    if not isinstance(output, list):
        return []
    texts = [part["text"] for part in output if isinstance(part, dict) and isinstance(part.get("text"), str)]
    media = [part for part in output if not (isinstance(part, dict) and "text" in part)]
    item["output"] = "\n".join(texts) or (_ELSEWHERE if media else "")
    return media


def _follow(shown: list[Any]) -> list[Any]:
    """The message with what was shown, if anything was; empties the list."""
    if not shown:
        return []
    content = [*shown]
    shown.clear()
    return [{"role": "user", "content": content}]
