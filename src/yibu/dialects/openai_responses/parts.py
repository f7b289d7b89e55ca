"""The parts of a content array, both ways.

`input_text`, `input_image`, `input_file` and `input_audio` in what users, developers and tools say; `output_text` and
`refusal` in what the model said. The wrong one of `input_text` and `output_text` is a 400 at OpenAI, so which to write is
decided by the role alone.
"""

import re
from typing import Any, assert_never

import msgspec

from yibu.dialects._json import Fields, lean, merge, raw, read, rest
from yibu.dialects._scope import Scope
from yibu.dialects.openai_responses.wire import ID, Part
from yibu.hub import parts as hub
from yibu.hub.errors import WouldLose
from yibu.hub.media import FileRef, Inline, Source, Url

_DATA_URL = re.compile(r"data:([^,]*);base64,")
_MIMES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_FORMATS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
_MEDIUM = frozenset({"type", "image_url", "file_id", "file_data", "file_url", "filename", "detail"})

_PART = msgspec.json.Decoder(Part)
_PARTS = msgspec.json.Decoder(list[Fields])
_TEXT = msgspec.json.Decoder(str | None)


def decode_content(value: msgspec.Raw, where: str) -> tuple[tuple[hub.Part, ...], bool]:
    """The parts, and whether they stood in a list. Raises `InvalidRequest`."""
    if not bytes(value).lstrip().startswith(b"["):
        text = read(_TEXT, value, where)
        return ((hub.Text(text=text),) if text is not None else ()), False
    members = read(_PARTS, value, where)
    return tuple(decode_part(own, f"{where}[{number}]") for number, own in enumerate(members)), True


def decode_part(members: Fields, where: str) -> hub.Part:
    """A part that the hub has no word for becomes `Opaque`."""
    part = read(_PART, raw(members), where)
    found: hub.Part | None = None
    match part.type:
        case "input_text" | "output_text" | "text" if part.text is not None:
            found = hub.Text(text=part.text, extras=rest(members, frozenset({"type", "text"})))
        case "refusal" if part.refusal is not None:
            found = hub.Refusal(text=part.refusal)
        case "input_image":
            found = _medium("image", _source(part.image_url, None, part.file_id), part, members)
        case "input_file":
            found = _medium("file", _source(part.file_url, part.file_data, part.file_id), part, members)
        case "input_audio":
            found = _sound(part.input_audio, rest(members, frozenset({"type", "input_audio"})))
    return hub.Opaque(dialect=ID, data=raw(members), member="content") if found is None else found


def _medium(kind: Any, source: Source | None, part: Part, members: Fields) -> hub.Media | None:
    """`file_id` beside other content names the file of the same bytes: it stays an extra, as an old name would."""
    if source is None:
        return None
    known = _MEDIUM if part.file_id is None or isinstance(source, FileRef) else _MEDIUM - {"file_id"}
    return hub.Media(
        kind=kind,
        source=source,
        name=part.filename or "",
        detail=part.detail or "",
        extras=rest(members, known),
    )


def _source(url: str | None, data: str | None, file_id: str | None) -> Source | None:
    """None for a data URL that is not base64: it cannot be written back as it was."""
    for text in (data, url):
        if text is None:
            continue
        if text.startswith(("http://", "https://")):
            return Url(url=text)
        found = _DATA_URL.match(text)
        if found:
            return Inline(base64=text[found.end() :], mime=found[1])
        return None if text.startswith("data:") else Inline(base64=text)
    return FileRef(id=file_id) if file_id is not None else None


def _sound(value: Any, extras: hub.Extras) -> hub.Media | None:
    if not isinstance(value, dict) or not isinstance(value.get("data"), str) or not value.keys() <= {"data", "format"}:
        return None
    form = value.get("format")
    mime = _MIMES.get(form, f"audio/{form}") if isinstance(form, str) and form else ""
    return hub.Media(kind="audio", source=Inline(base64=value["data"], mime=mime), extras=extras)


def encode_content(parts: list[hub.Part], scope: Scope, where: str, *, is_list: bool, is_model: bool) -> Any:
    """A string where that says it all, unless the caller wrote a list. `is_model`: the model said it.

    OpenAI refuses an empty list: of a list of another dialect from which nothing could be carried, nothing is written.
    """
    only = parts[0] if len(parts) == 1 and not is_list else None
    if isinstance(only, hub.Text) and not scope.extras(where, only.extras):
        return only.text
    encoded = [
        encode_part(part, scope, f"{where}[{number}]", is_model=is_model)
        for number, part in enumerate(parts)
        if is_list or part != hub.Text(text="")
    ]
    kept = [part for part in encoded if part is not None]
    return kept if kept or (is_list and scope.is_ours) else ""


def encode_part(part: hub.Part, scope: Scope, where: str, *, is_model: bool = False) -> Any:
    """One element of a content array, None when it has no place there."""
    match part:
        case hub.Text():
            members: dict[str, Any] = {"type": "output_text" if is_model else "input_text", "text": part.text}
            merge(members, scope.extras(where, part.extras))
            if is_model and not scope.is_ours:
                members["annotations"] = []
            return members
        case hub.Refusal():
            return {"type": "refusal", "refusal": part.text}
        case hub.Media():
            return encode_medium(part, scope, where)
        case hub.Opaque():
            if part.dialect == ID:
                return part.data
            scope.lose(where, f"only {part.dialect} understands it")
            return None
        case hub.Citation():
            scope.lose(where, "a citation has no place in a request")
            return None
        case hub.Thinking() | hub.ToolCall() | hub.ToolResult():
            raise AssertionError("these are items of their own")
        case _:
            assert_never(part)


def encode_medium(part: hub.Media, scope: Scope, where: str) -> Any:
    extras = scope.extras(where, part.extras)
    match part.kind:
        case "image":
            about: dict[str, Any] = {"detail": part.detail or None}
            members = {"type": "input_image", **_named(part.source, "image_url", "image_url"), **about}
        case "file":
            name = part.name or None
            if name is None and isinstance(part.source, Inline) and not scope.is_ours:
                name = _file_name(part.source.mime)  # bytes without a name are refused
            members = {"type": "input_file", **_named(part.source, "file_url", "file_data")}
            members |= {"filename": name, "detail": part.detail or None}
        case "audio" if isinstance(part.source, Inline) and scope.is_ours:
            form = _FORMATS.get(part.source.mime, part.source.mime.partition("/")[2]) or None
            members = {"type": "input_audio", "input_audio": lean({"data": part.source.base64, "format": form})}
        case "audio" | "video":
            raise WouldLose(f"This model takes no {part.kind}; send it to a model that does.", param=where)
        case _:
            assert_never(part.kind)
    if isinstance(part.source, FileRef) and not scope.is_ours:
        raise WouldLose(
            "An uploaded file is known to the vendor it was sent to only: send its content instead.", param=where
        )
    return merge(lean(members), extras)


def _named(source: Source, url: str, data: str) -> dict[str, Any]:
    match source:
        case Url():
            return {url: source.url}
        case Inline():
            return {data: f"data:{source.mime};base64,{source.base64}" if source.mime else source.base64}
        case FileRef():
            return {"file_id": source.id}
        case _:
            assert_never(source)


def _file_name(mime: str) -> str:
    return "document." + {"application/pdf": "pdf", "text/plain": "txt"}.get(mime, mime.partition("/")[2] or "bin")
