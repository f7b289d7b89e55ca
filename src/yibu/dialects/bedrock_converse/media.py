"""Pictures, films and documents, towards Amazon: always their bytes, and a format by name."""

import re
from typing import Any, assert_never

from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.media import true_mime
from yibu.hub.errors import InvalidRequest
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.parts import Media

PICTURES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
FILMS = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/x-matroska": "mkv",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
}
DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_ILLEGAL = re.compile(r"[^a-zA-Z0-9\s()\[\]-]+|\s{2,}")


class Names:
    """Documents of one request have different names, of a small alphabet."""

    def __init__(self) -> None:
        self._given = 0

    def of(self, part: Media) -> str:
        self._given += 1
        plain = _ILLEGAL.sub(" ", part.name.rpartition(".")[0] or part.name)
        plain = " ".join(plain.split())[:150]
        return f"{plain} {self._given}" if plain else f"Document {self._given}"


def encode_media(part: Media, names: Names, scope: Scope, where: str) -> dict[str, Any]:
    """Raises `InvalidRequest` for what no model behind Converse takes."""
    scope.extras(where, part.extras)
    source = part.source
    match source:
        case Url():
            raise InvalidRequest("Amazon fetches nothing by URL; send the file itself.", param=where)
        case FileRef():
            raise InvalidRequest("A file that was uploaded elsewhere is not there; send it itself.", param=where)
        case Inline():
            data = "".join(source.base64.split())
            mime = true_mime(data, source.mime).partition(";")[0]
        case _:
            assert_never(source)
    match part.kind:
        case "image":
            return {"image": {"format": _format(PICTURES, mime, where), "source": {"bytes": data}}}
        case "video":
            return {"video": {"format": _format(FILMS, mime, where), "source": {"bytes": data}}}
        case "file":
            form = "txt" if mime.startswith("text/") and mime not in DOCUMENTS else _format(DOCUMENTS, mime, where)
            return {"document": {"format": form, "name": names.of(part), "source": {"bytes": data}}}
        case "audio":
            raise InvalidRequest("This model takes no audio; send it to a model that does.", param=where)
        case _:
            assert_never(part.kind)


def _format(known: dict[str, str], mime: str, where: str) -> str:
    if mime in known:
        return known[mime]
    raise InvalidRequest(f"This model takes {', '.join(known.values())}, not `{mime or 'unknown'}`.", param=where)
