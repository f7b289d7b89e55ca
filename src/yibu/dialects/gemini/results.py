"""What tools answered, both ways.

Google, *Function calling*, read 2026-11-22: `response` is an object, in which `output` (some SDKs say `result`) and `error` are
understood; media stand beside it in `parts`. The hub has a text: a lone string in one of these members is that text, any other object is
its own JSON text.
"""

from typing import Any

import msgspec

from yibu.dialects._json import lean, merge, split, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.gemini.media import decode_medium, encode_medium
from yibu.dialects.gemini.wire import ID, Members
from yibu.hub.media import FileRef
from yibu.hub.parts import Media, Opaque, Text, ToolResult

WHOLE = "whole"
"""Member of a result whose text is the JSON of the whole object."""
_LONE = ("output", "result")


def decode_result(inner: Members, outer: Members, call_id: str, flags: tuple[str, ...]) -> ToolResult:
    """`inner`: the `functionResponse` without its id; `outer`: the part around it. Raises `InvalidRequest`."""
    name = inner.text("name") or ""
    text, member, is_error = _decode_response(inner)
    parts: list[Text | Media | Opaque] = [Text(text=text)] if text or member != WHOLE else []
    for value, path in inner.elements("parts"):
        medium = decode_medium(Members(value, path))
        parts.append(Opaque(dialect=ID, data=value) if medium is None else medium)
    return ToolResult(
        call_id=call_id,
        parts=tuple(parts),
        name=name,
        is_error=is_error,
        member=" ".join([member, *flags]).strip(),
        extras=split(outer.left, "functionResponse", inner.left),
    )


def _decode_response(inner: Members) -> tuple[str, str, bool]:
    """The text, which member it was, and whether it tells an error."""
    value = inner.take("response")
    if value is None:
        return "", WHOLE, False
    members = Members(value, f"{inner.path}.response").left
    if len(members) == 1:
        for key in (*_LONE, "error"):
            text = text_of(members.get(key))
            if text is not None:
                return text, key if key == "result" else "", key == "error"
    return bytes(value).decode(), WHOLE, "error" in members and len(members) == 1


def encode_result(
    result: ToolResult, name: str, scope: Scope, where: str, *, shows_media: bool, no_id: bool = False
) -> dict[str, Any]:
    """The part. `name`: the function's, which results of other formats do not know; `shows_media`: the model takes media in it."""
    texts: list[str] = []
    media: list[Any] = []
    for number, part in enumerate(result.parts):
        match part:
            case Text():
                texts.append(part.text)
            case Media():
                if shows_media and (encoded := encode_medium(part, scope, f"{where}.content[{number}]")) is not None:
                    media.append(encoded)
            case Opaque():
                if part.dialect == ID:
                    media.append(part.data)
                else:
                    scope.lose(f"{where}.content[{number}]", f"only {part.dialect} understands it")
    about = {
        "id": None if no_id else result.call_id or None,
        "name": name or None,
        "response": _encode_response(result, texts, scope),
        "parts": media or None,
    }
    return merge({"functionResponse": lean(about)}, scope.extras(where, result.extras), "functionResponse")


def _encode_response(result: ToolResult, texts: list[str], scope: Scope) -> Any:
    text = "\n".join(texts)
    flags = result.member.split() if scope.is_ours else []
    if WHOLE in flags:
        return msgspec.Raw(text.encode()) if text else None
    value: Any = text
    if not scope.is_ours and _is_object(text):
        value = msgspec.Raw(text.encode())
        if not result.is_error:
            return value
    key = "error" if result.is_error else "result" if "result" in flags else "output"
    return {key: value}


def _is_object(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError):
        return False


def files_in(result: ToolResult) -> bool:
    """It shows a file that only Google can reach."""
    return any(isinstance(part, Media) and isinstance(part.source, FileRef) for part in result.parts)
