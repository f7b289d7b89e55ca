"""Pictures and documents, both ways."""

import base64
import binascii
from typing import Any, assert_never

import msgspec

from yibu.dialects._json import Fields, fields, present, rest, split, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.wire import Content, MediaBlock, Source, TextBlock, members_of, read_at
from yibu.hub.errors import InvalidRequest, WouldLose
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.media import Source as HubSource
from yibu.hub.parts import Media, Part, Text

PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF = "application/pdf"
_PLAIN = "text/plain"
_TEXTS = frozenset({"application/json", "application/xml", "application/yaml", "application/x-yaml", "application/csv"})
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", _PDF),
)
_MOST_MAGIC = 24
"""Base64 characters that hold every mark above, and RIFF....WEBP."""

_BLOCK = msgspec.json.Decoder(MediaBlock)
_CONTENT = msgspec.json.Decoder(Content)
_TEXT = msgspec.json.Decoder(TextBlock)
_SOURCES = {
    "base64": frozenset({"type", "media_type", "data"}),
    "text": frozenset({"type", "media_type", "data"}),
    "url": frozenset({"type", "url"}),
    "file": frozenset({"type", "file_id"}),
}


def decode_media(kind: str, text: msgspec.Raw, members: Fields, cache: str, where: str) -> list[Part]:
    """`kind`: `image` or `document`. Nothing for a source that the hub cannot hold: the block stays opaque."""
    wire = read_at(_BLOCK, text, where)
    inner = members_of(members["source"], f"{where}.source")
    extras = rest(members, frozenset({"type", "source", "title", "cache_control"} if kind == "document" else _IMAGE))
    if wire.source.type == "content" and kind == "document":
        return _composed(wire, members, cache, f"{where}.source.content")
    source = _source(wire.source)
    if source is None:
        return []
    extras = split(extras, "source", rest(inner, _SOURCES[wire.source.type]))
    medium = "image" if kind == "image" else "file"
    name = wire.title or "" if kind == "document" else ""
    return [Media(kind=medium, source=source, name=name, cache=cache, extras=extras)]  # type: ignore[arg-type]


_IMAGE = {"type", "source", "cache_control"}


def _source(source: Source) -> HubSource | None:
    match source.type:
        case "base64" if source.data is not None:
            return Inline(base64=source.data, mime=source.media_type or "")
        case "text" if source.data is not None:
            return Inline(base64=base64.b64encode(source.data.encode()).decode(), mime=source.media_type or _PLAIN)
        case "url" if source.url is not None:
            return Url(url=source.url)
        case "file" if source.file_id is not None:
            return FileRef(id=source.file_id)
        case _:
            return None


def _composed(wire: MediaBlock, members: Fields, cache: str, where: str) -> list[Part]:
    """A document of text and image blocks. Its words become a file, which remembers the block; with pictures in it, it is told
    block by block, so that no vendor misses them."""
    content = read_at(_CONTENT, wire.source.content, where)
    if isinstance(content, str):
        return [_remembered(content, wire, members, cache)]
    texts: list[str] = []
    parts: list[Part] = [Text(text=f"Document: {wire.title}")] if wire.title else []
    for number, block in enumerate(content):
        at = f"{where}[{number}]"
        own = members_of(block, at)
        if bytes(own.get("type", b"")) == b'"image"':
            parts += decode_media("image", block, own, "", at)
        else:
            texts.append(read_at(_TEXT, block, at).text)
            parts.append(Text(text=texts[-1]))
    if any(isinstance(part, Media) for part in parts):
        return parts
    return [_remembered("\n\n".join(texts), wire, members, cache)]


def _remembered(text: str, wire: MediaBlock, members: Fields, cache: str) -> Media:
    source = Inline(base64=base64.b64encode(text.encode()).decode(), mime=_PLAIN)
    extras = rest(members, frozenset({"type", "title", "cache_control"}))
    return Media(kind="file", source=source, name=wire.title or "", cache=cache, extras=extras)


def encode_media(part: Media, scope: Scope, where: str) -> dict[str, Any]:
    """An `image` or `document` block. Raises `InvalidRequest` for what no model of this format can see or read."""
    extras = dict(scope.extras(where, part.extras))
    match part.kind:
        case "image":
            block: dict[str, Any] = {"type": "image", "source": _encode_picture(part, scope, where)}
            if part.detail and part.detail != "auto" and not scope.is_ours:
                scope.lose(f"{where}.detail")
        case "file":
            block = {"type": "document", "source": _encode_file(part, extras, scope, where)}
            if part.name:
                block["title"] = part.name
        case "audio" | "video":
            raise WouldLose(f"This model takes no {part.kind}; send it to a model that does.", param=where)
        case _:
            assert_never(part.kind)
    remains = extras.pop("source", None)
    if remains is not None and isinstance(block["source"], dict):
        block["source"] = {**block["source"], **fields(remains)}
    return {**block, **extras}


def _encode_picture(part: Media, scope: Scope, where: str) -> dict[str, Any]:
    source = part.source
    match source:
        case Url():
            return {"type": "url", "url": source.url}
        case FileRef():
            return _encode_ref(source, scope, where)
        case Inline():
            data = source.base64 if scope.is_ours else "".join(source.base64.split())
            mime = source.mime if scope.is_ours else true_mime(data, source.mime)
            if mime not in PICTURES and not scope.is_ours:
                kinds = "JPEG, PNG, GIF or WebP"
                raise WouldLose(f"This model takes pictures as {kinds}, not `{mime or 'unknown'}`.", param=where)
            return {"type": "base64", "media_type": mime, "data": data}
        case _:
            assert_never(source)


def _encode_file(part: Media, extras: dict[str, msgspec.Raw], scope: Scope, where: str) -> Any:
    source = part.source
    match source:
        case Url():
            return {"type": "url", "url": source.url}
        case FileRef():
            return _encode_ref(source, scope, where)
        case Inline():
            own = present(extras.get("source"))
            if own is not None and text_of(fields(own).get("type")) == "content":
                return extras.pop("source")
            data = "".join(source.base64.split())
            mime = source.mime.partition(";")[0].strip() if scope.is_ours else true_mime(data, source.mime)
            if mime == _PDF or (scope.is_ours and not _is_text(mime)):
                return {"type": "base64", "media_type": source.mime if scope.is_ours else mime, "data": data}
            if mime and not _is_text(mime):
                raise WouldLose(f"This model reads PDF and plain text, not `{mime}`.", param=where)
            return {"type": "text", "media_type": _PLAIN, "data": _text(data, where)}
        case _:
            assert_never(source)


def _encode_ref(source: FileRef, scope: Scope, where: str) -> dict[str, Any]:
    if not scope.is_ours:
        raise WouldLose(
            "An uploaded file is known to the vendor it was sent to only: send its content instead.", param=where
        )
    return {"type": "file", "file_id": source.id}


def _is_text(mime: str) -> bool:
    return mime.startswith("text/") or mime in _TEXTS


def _text(data: str, where: str) -> str:
    try:
        return base64.b64decode(data + "=" * (-len(data) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("This file is neither a PDF nor UTF-8 text.", param=where) from error


def true_mime(data: str, said: str) -> str:
    """The type of a file by its first bytes, which Anthropic compares with what is said; `said` where they tell nothing.

    `data`: base64 without white space.
    """
    try:
        head = base64.b64decode(data[:_MOST_MAGIC])
    except (binascii.Error, ValueError):
        return said
    for mark, mime in _MAGIC:
        if head.startswith(mark):
            return mime
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    plain = said.partition(";")[0].strip().lower()
    return "image/jpeg" if plain == "image/jpg" else plain
