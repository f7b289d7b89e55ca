"""The parts of a content array, both ways."""

import re
from mimetypes import guess_extension
from typing import Any, assert_never

import msgspec

from yibu.dialects._json import Fields, fields, lean, merge, present, raw, read, rest, split, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.openai_chat.wire import ID, Part
from yibu.hub import parts as hub
from yibu.hub.errors import WouldLose
from yibu.hub.media import FileRef, Inline, Source, Url

_DATA_URL = re.compile(r"data:([^,]*);base64,")
_MIMES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_FORMATS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}

_PARTS = msgspec.json.Decoder(list[Fields])


class _Thought(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    type: str = "text"


_THOUGHTS = msgspec.json.Decoder(list[_Thought])


def decode_content(content: str | list[Part] | None, text: msgspec.Raw | None) -> tuple[hub.Part, ...]:
    """`content` as the wire struct read it, and as JSON text, from which unknown members are kept."""
    if content is None:
        return ()
    if isinstance(content, str):
        return (hub.Text(text=content),)
    members = read(_PARTS, text) if text is not None else []
    return tuple(decode_part(part, own) for part, own in zip(content, members, strict=True))


def decode_part(part: Part, members: Fields) -> hub.Part:
    """A part that the hub has no word for becomes `Opaque`."""
    found: hub.Part | None = None
    match part.type:
        case "text" if part.text is not None:
            found = hub.Text(text=part.text, extras=rest(members, frozenset({"type", "text"})))
        case "refusal" if part.refusal is not None and members.keys() <= {"type", "refusal"}:
            found = hub.Refusal(text=part.refusal)
        case "image_url" if part.image_url is not None:
            url, detail = _address(part.image_url)
            found = _medium("image", _source(url), members, "image_url", frozenset({"url", "detail"}), detail=detail)
        case "video_url" if part.video_url is not None:
            url, _ = _address(part.video_url)
            found = _medium("video", _source(url), members, "video_url", frozenset({"url"}))
        case "input_audio" if part.input_audio is not None:
            known = frozenset({"data", "format"})
            found = _medium(
                "audio", _sound(part.input_audio.data, part.input_audio.format), members, "input_audio", known
            )
        case "file" if part.file is not None:
            known = frozenset({"file_id", "file_data", "filename"})
            source = _file(part.file.file_id, part.file.file_data)
            found = _medium("file", source, members, "file", known, name=part.file.filename or "")
        case "document_url":
            found = _document(members)
        case "thinking":
            found = _thinking(members)
    return hub.Opaque(dialect=ID, data=raw(members), member="content") if found is None else found


def _address(value: Any) -> tuple[str, str]:
    """Mistral also takes the bare address; it is written back as an object."""
    return (value, "") if isinstance(value, str) else (value.url, getattr(value, "detail", None) or "")


def _medium(
    kind: Any, source: Source | None, members: Fields, key: str, known: frozenset[str], name: str = "", detail: str = ""
) -> hub.Media | None:
    if source is None:
        return None
    inner = members[key]
    remains = rest(fields(inner), known) if bytes(inner).lstrip().startswith(b"{") else {}
    extras = split(rest(members, frozenset({"type", key})), key, remains)
    return hub.Media(kind=kind, source=source, name=name, detail=detail, extras=extras)


def _source(url: str) -> Source | None:
    """None for a data URL that is not base64 with a type: it cannot be written back as it was."""
    if not url.startswith("data:"):
        return Url(url=url)
    found = _DATA_URL.match(url)
    return Inline(base64=url[found.end() :], mime=found[1]) if found else None


def _sound(data: str, form: str | None) -> Source | None:
    if data.startswith("data:"):
        return None
    if data.startswith(("http://", "https://")):
        return Url(url=data)
    return Inline(base64=data, mime=_MIMES.get(form, f"audio/{form}") if form else "")


def _document(members: Fields) -> hub.Media | None:
    """Mistral's own way to show a file, by address or as a data URL. That it was used is remembered by its `type`."""
    source = _source(text_of(members.get("document_url")) or "data:")
    if source is None:
        return None
    extras = rest(members, frozenset({"document_url", "document_name"}))
    return hub.Media(kind="file", source=source, name=text_of(members.get("document_name")) or "", extras=extras)


def _file(file_id: str | None, data: str | None) -> Source | None:
    if file_id is not None:
        return FileRef(id=file_id) if data is None else None
    if data is None:
        return None
    if data.startswith(("http://", "https://", "data:")):
        return _source(data)
    return Inline(base64=data)


def _thinking(members: Fields) -> hub.Thinking | None:
    """Mistral: `{"type": "thinking", "thinking": [{"type": "text", "text": …}]}`; other forms are kept whole in a seal."""
    value = present(members.get("thinking"))
    if value is None:
        return None
    extras = rest(members, frozenset({"type", "thinking"}))
    try:
        thoughts = _THOUGHTS.decode(value)
    except msgspec.ValidationError:
        return None
    text = "".join(thought.text for thought in thoughts)
    if len(thoughts) == 1 and thoughts[0].type == "text":
        return hub.Thinking(text=text, member="content", extras=extras)
    return hub.Thinking(text=text, member="content", seal=hub.Seal(dialect=ID, data=raw(members)))


def encode_content(parts: list[hub.Part], scope: Scope, where: str, *, is_list: bool) -> str | list[Any] | None:
    """A string where that says it all, unless the caller wrote a list; None when there is nothing.

    OpenAI refuses an empty list: of a list of another dialect from which nothing could be carried, nothing is written.
    """
    if not is_list and not parts:
        return None
    if not is_list and len(parts) == 1:
        only = parts[0]
        if isinstance(only, hub.Text) and not scope.extras(where, only.extras):
            return only.text
    encoded = [encode_part(part, scope, f"{where}[{number}]") for number, part in enumerate(parts)]
    kept = [part for part in encoded if part is not None]
    return kept if kept or (is_list and scope.is_ours) else None


def encode_part(part: hub.Part, scope: Scope, where: str) -> Any:
    """The part of a content array, None when this format has no place for it there."""
    match part:
        case hub.Text():
            return merge({"type": "text", "text": part.text}, scope.extras(where, part.extras))
        case hub.Refusal():
            return {"type": "refusal", "refusal": part.text}
        case hub.Media():
            return _encode_medium(part, scope, where)
        case hub.Thinking():
            return encode_thought(part, scope, where)
        case hub.Opaque():
            if part.dialect == ID:
                return part.data
            scope.lose(where, f"only {part.dialect} understands it")
            return None
        case hub.Citation():
            scope.lose(where, "a citation has no place in a request")
            return None
        case hub.ToolCall() | hub.ToolResult():
            raise AssertionError("calls and results stand beside the content")
        case _:
            assert_never(part)


def encode_thought(part: hub.Thinking, scope: Scope, where: str) -> Any:
    """A thinking part as Mistral has it."""
    if part.seal is not None and part.seal.dialect == ID:
        return part.seal.data
    thoughts = [{"type": "text", "text": part.text}]
    return merge({"type": "thinking", "thinking": thoughts}, scope.extras(where, part.extras))


def _encode_medium(part: hub.Media, scope: Scope, where: str) -> Any:
    extras = scope.extras(where, part.extras)
    match part.source:
        case FileRef():
            if not scope.is_ours:
                raise WouldLose(
                    "An uploaded file is known to the vendor it was sent to only: send its content instead.",
                    param=where,
                )
            return merge(
                {"type": "file", "file": lean({"file_id": part.source.id, "filename": part.name or None})},
                extras,
                "file",
            )
        case Url():
            address = part.source.url
        case Inline():
            address = f"data:{part.source.mime};base64,{part.source.base64}"
        case _:
            assert_never(part.source)
    if "type" in extras:
        return merge(lean({"document_url": address, "document_name": part.name or None}), extras)
    match part.kind:
        case "image":
            return merge(
                {"type": "image_url", "image_url": lean({"url": address, "detail": part.detail or None})},
                extras,
                "image_url",
            )
        case "video":
            return merge({"type": "video_url", "video_url": {"url": address}}, extras, "video_url")
        case "audio" | "file":
            if isinstance(part.source, Url) and not scope.is_ours:
                scope.lose(where, f"this format takes {part.kind} as bytes, not by address")
                return None
            return _encode_bytes(part, address, extras, scope)
        case _:
            assert_never(part.kind)


def _encode_bytes(part: hub.Media, address: str, extras: hub.Extras, scope: Scope) -> Any:
    source = part.source
    mime = source.mime if isinstance(source, Inline) else ""
    bare = source.base64 if isinstance(source, Inline) else address
    if part.kind == "audio":
        form = _FORMATS.get(mime, mime.partition("/")[2]) or None
        return merge(
            {"type": "input_audio", "input_audio": lean({"data": bare, "format": form})}, extras, "input_audio"
        )
    data = address if mime else bare
    name = part.name if scope.is_ours or part.name else f"file{guess_extension(mime) or ''}"  # OpenAI demands one
    return merge({"type": "file", "file": lean({"file_data": data, "filename": name or None})}, extras, "file")
