"""Pictures, sounds, films and files, both ways: bytes in `inlineData`, addresses in `fileData`.

Google, *Files API* and *File input methods*, read 2026-11-22. Only Google can reach its own stores (`gs://`, the Files API) and films at
YouTube: to all others these are references, not addresses.
"""

import mimetypes
import re
from typing import Any, assert_never

from yibu.dialects._json import lean, merge, split
from yibu.dialects._scope import Scope
from yibu.dialects.gemini.wire import Members, enum
from yibu.hub import parts as hub
from yibu.hub.errors import WouldLose
from yibu.hub.media import FileRef, Inline, MediaKind, Source, Url

_GOOGLES = re.compile(
    r"https?://(?:[\w-]+\.)*(?:youtube\.com|youtu\.be|youtube-nocookie\.com|generativelanguage\.googleapis\.com)(?:[:/?]|$)",
    re.IGNORECASE,
)
UPLOADED = "An uploaded file is known to the vendor it was sent to only: send its content instead."
_STANDARD = str.maketrans("-_", "+/")
_URL_SAFE = str.maketrans("+/", "-_")

_DETAILS = {"MEDIA_RESOLUTION_LOW": "low", "MEDIA_RESOLUTION_HIGH": "high"}
_LEVELS = {detail: level for level, detail in _DETAILS.items()}


def decode_medium(members: Members) -> hub.Media | None:
    """What the part or the element of a function's response shows; None when it shows nothing. Raises `InvalidRequest`."""
    for key in ("inlineData", "fileData"):
        inner = members.inner(key)
        if inner is None:
            continue
        mime = inner.text("mimeType") or ""
        source = _inline(inner, mime) if key == "inlineData" else _address(inner.text("fileUri") or "", mime)
        name = inner.text("displayName") or ""
        detail = _take_detail(members)
        extras = split(members.left, key, inner.left)
        return hub.Media(kind=_kind(mime), source=source, name=name, detail=detail, extras=extras)
    return None


def is_remote(address: Members) -> bool:
    """Whether a `fileData` leads to something that anybody could fetch."""
    return isinstance(_address(address.text("fileUri") or "", ""), Url)


def _inline(inner: Members, mime: str) -> Source:
    return Inline(base64=(inner.text("data") or "").translate(_STANDARD), mime=mime)


def _address(uri: str, mime: str) -> Source:
    if uri.startswith(("http://", "https://")) and not _GOOGLES.match(uri):
        return Url(url=uri, mime=mime)
    return FileRef(id=uri, mime=mime)


def _kind(mime: str) -> MediaKind:
    match mime.partition("/")[0].lower():
        case "image":
            return "image"
        case "audio":
            return "audio"
        case "video":
            return "video"
        case _:
            return "file"


def _take_detail(members: Members) -> str:
    """A resolution that other formats have a word for, too; others stay extras."""
    value = members.take("mediaResolution")
    if value is None:
        return ""
    inner = Members(value, f"{members.path}.mediaResolution")
    detail = _DETAILS.get(enum(inner.text("level")), "")
    if not detail or inner.left:
        members.put("mediaResolution", value)
        return ""
    return detail


def encode_medium(part: hub.Media, scope: Scope, where: str, *, to_caller: bool = False) -> dict[str, Any] | None:
    """A part. A file that only another vendor knows is refused in a request, and left out (None) `to_caller`."""
    if part.transcript and not scope.is_ours:
        scope.lose(f"{where}.transcript", "the words of a sound have no place beside it")
    extras = scope.extras(where, part.extras)
    source = part.source
    match source:
        case Inline():
            key = "inlineData"
            data = source.base64.translate(_URL_SAFE) if scope.is_ours else source.base64
            about = {"displayName": part.name or None, "mimeType": source.mime or _guess(part, ""), "data": data}
        case Url() | FileRef():
            is_url = isinstance(source, Url)
            uri = source.url if isinstance(source, Url) else source.id
            if not is_url and not scope.is_ours:
                if not to_caller:
                    raise WouldLose(UPLOADED, param=where)
                scope.lose(where, "an uploaded file is known to its own vendor only")
                return None
            mime = source.mime or ("" if scope.is_ours else _guess(part, uri))
            key = "fileData"
            about = {"displayName": part.name or None, "mimeType": mime or None, "fileUri": uri}
        case _:
            assert_never(source)
    members: dict[str, Any] = {key: lean(about)}
    if part.detail in _LEVELS:
        members["mediaResolution"] = {"level": _LEVELS[part.detail]}
        if not scope.is_ours:
            del members["mediaResolution"]  # older models refuse it on a part
            scope.lose(f"{where}.detail", "this format sets it for a whole request")
    return merge(members, extras, key)


_USUAL: dict[MediaKind, str] = {
    "image": "image/png",
    "audio": "audio/wav",
    "video": "video/mp4",
    "file": "application/pdf",
}
_MAGIC = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": "application/pdf",
    "SUQz": "audio/mpeg",
    "T2dnUw": "audio/ogg",
    "ZkxhQ": "audio/flac",
}
"""First characters of files in base64."""


def _guess(part: hub.Media, uri: str) -> str:
    """A type for what came without one, which Google refuses: by its first bytes, its name, its kind."""
    source = part.source
    if isinstance(source, Inline):
        for begin, mime in _MAGIC.items():
            if source.base64.startswith(begin):
                return "audio/wav" if mime == "image/webp" and part.kind == "audio" else mime
    found, _ = mimetypes.guess_type(part.name or uri.partition("?")[0])
    return found or _USUAL[part.kind]
