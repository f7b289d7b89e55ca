"""Pictures and documents, towards Cohere: pictures by URL, documents as text."""

from base64 import b64decode
from typing import Any, assert_never

from yibu.dialects._json import lean
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.media import true_mime
from yibu.hub.errors import InvalidRequest
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.parts import Media

_DETAILS = ("auto", "low", "high")
_TEXTS = ("application/json", "application/xml", "application/yaml")


def encode_picture(part: Media, scope: Scope, where: str) -> dict[str, Any]:
    """A part `image_url`. Raises `InvalidRequest` for what is no picture, or one that only another vendor has."""
    scope.extras(where, part.extras)
    if part.kind != "image":
        raise InvalidRequest(f"This model takes no {part.kind} here; send it to a model that does.", param=where)
    source = part.source
    match source:
        case Url():
            url = source.url
        case Inline():
            data = "".join(source.base64.split())
            url = f"data:{true_mime(data, source.mime).partition(';')[0]};base64,{data}"
        case FileRef():
            raise InvalidRequest("A file that was uploaded elsewhere is not there; send it itself.", param=where)
        case _:
            assert_never(source)
    detail = part.detail if part.detail in _DETAILS else None
    if part.detail and detail is None:
        scope.lose(f"{where}.detail", "auto, low and high are known", "approximated")
    return {"type": "image_url", "image_url": lean({"url": url, "detail": detail})}


def is_document(part: Media) -> bool:
    """Whether it is a text that stands in the request."""
    source = part.source
    return part.kind == "file" and isinstance(source, Inline) and _is_text(source.mime)


def encode_document(part: Media, scope: Scope, where: str) -> dict[str, Any]:
    """The members of a document, for a text. Raises `InvalidRequest` for base64 that is none."""
    scope.extras(where, part.extras)
    assert isinstance(part.source, Inline)
    try:
        text = b64decode("".join(part.source.base64.split())).decode("utf-8", "replace")
    except ValueError as error:
        raise InvalidRequest("The file is not valid base64.", param=where) from error
    return lean({"title": part.name or None, "text": text})


def _is_text(mime: str) -> bool:
    plain = mime.partition(";")[0].strip().lower()
    return plain.startswith("text/") or plain in _TEXTS
