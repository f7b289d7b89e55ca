"""Cohere's embeddings, version 2. Sources: cohere 7.3.1 type definitions, Cohere, *Embed v2* and recorded answers, read 2026-11-22.

Inputs come as `texts`, as `images` (data URLs), or as `inputs` in which both are mixed. Every model since v3 wants an `input_type`.
Vectors come in as many forms as `embedding_types` names; the hub has words for two of them, `float` and `base64`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec

from yibu.dialects._answer import read_answer
from yibu.dialects._cohere import CohereErrors, usage_of
from yibu.dialects._json import NULL, check_depth, fields, lean, raw, read, rest
from yibu.dialects._purpose import MEMBERS, NEAREST, purpose_of
from yibu.dialects._scope import Scope
from yibu.dialects._vectors import floats_of, packed_of
from yibu.dialects._vendor_errors import decode_error
from yibu.dialects._whole import Seen, WholeTap
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.dialects.openai_embeddings.request import weigh
from yibu.dialects.openai_embeddings.words import FAMILY
from yibu.hub.embed import (
    EmbedInput,
    EmbedPart,
    EmbedReply,
    EmbedRequest,
    Floats,
    Packed,
    Purpose,
    Tokens,
    Truncation,
    Vector,
)
from yibu.hub.errors import Broken, InvalidRequest, UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef, Inline, Source, Url
from yibu.hub.parts import Media, Text
from yibu.hub.usage import Meter

ID = "cohere_embed"
_PURPOSES: Mapping[Purpose, str] = {
    "query": "search_query",
    "document": "search_document",
    "classification": "classification",
    "clustering": "clustering",
}


class _Image(msgspec.Struct):
    url: str


class _Part(msgspec.Struct):
    type: str = "text"
    text: str | None = None
    image_url: _Image | None = None


class _Input(msgspec.Struct):
    content: list[_Part]


class _Body(msgspec.Struct):
    model: str
    texts: list[str] | None = None
    images: list[str] | None = None
    inputs: list[_Input] | None = None
    input_type: str | None = None
    output_dimension: int | None = None
    embedding_types: list[str] | None = None
    truncate: Literal["NONE", "START", "END"] | None = None


class _Vectors(msgspec.Struct):
    numbers: list[tuple[float, ...]] | None = msgspec.field(default=None, name="float")
    base64: list[str] | None = None


class _Answer(msgspec.Struct):
    embeddings: _Vectors
    id: str = ""
    meta: msgspec.Raw = NULL


class _Seen(msgspec.Struct):
    embeddings: msgspec.Raw
    meta: msgspec.Raw = NULL


_BODY = msgspec.json.Decoder(_Body)
_ANSWER = msgspec.json.Decoder(_Answer)
_SEEN = msgspec.json.Decoder(_Seen)
_KNOWN = frozenset(_Body.__struct_fields__)


class CohereEmbed(CohereErrors):
    id: ClassVar[str] = ID
    title: ClassVar[str] = "Cohere Embed v2"
    operation: ClassVar[Operation] = Operation.EMBED
    routes: ClassVar[tuple[Route, ...]] = (Route("POST", "/v2/embed", Operation.EMBED),)
    most_inputs: ClassVar[int] = 96

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()

    def within(self, bounds: Bounds) -> "CohereEmbed":
        return CohereEmbed(bounds)

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        """Raises `InvalidRequest`."""
        check_depth(body, self.bounds.depth)
        seen = read(_BODY, body)
        text_bytes, media = weigh(_inputs(seen))
        return Intent(model=seen.model, body=body, text_bytes=text_bytes, media=media, target=target)

    def splice(self, intent: Intent, model: str) -> bytes:
        return msgspec.json.encode({**fields(intent.body), "model": raw(model)})

    def request_headers(self, target: Target) -> dict[str, str]:
        return {}

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> EmbedRequest:
        """Raises `InvalidRequest`, also for forms of vectors that other vendors do not have."""
        said = read(_BODY, body)
        purpose = purpose_of(said.input_type or "")
        forms = said.embedding_types or ["float"]
        if len(forms) != 1 or forms[0] not in ("float", "base64"):
            raise InvalidRequest(
                "This model is served by another vendor, who gives one form of vectors: `float` or `base64`.",
                param="$.embedding_types",
            )
        cut: dict[str, Truncation] = {"NONE": "none", "START": "start", "END": "end"}
        return EmbedRequest(
            model=said.model,
            inputs=_inputs(said),
            purpose=purpose,
            dimensions=said.output_dimension,
            form="base64" if forms[0] == "base64" else "float",
            truncate=cut[said.truncate] if said.truncate else None,
            dialect=ID,
            extras=rest(fields(body), _KNOWN if purpose else _KNOWN - {"input_type"}),
        )

    def encode_request(self, request: EmbedRequest, losses: Losses) -> bytes:
        """Raises `InvalidRequest` for what Cohere cannot embed: tokens, files of other vendors."""
        scope = Scope(ID, request.dialect, losses)
        members: dict[str, Any] = {
            "model": request.model,
            **_written(request.inputs, scope),
            "input_type": _input_type(request.purpose, scope),
            "embedding_types": ["base64" if request.form == "base64" else "float"],
            "output_dimension": request.dimensions,
            "truncate": request.truncate.upper() if request.truncate else None,
        }
        if request.user:
            scope.lose("$.user")
        extras = request.extras
        if request.dialect in FAMILY and request.purpose is not None:
            extras = {key: value for key, value in extras.items() if key not in MEMBERS}
        return msgspec.json.encode({**scope.extras("$", extras), **lean(members)})

    def decode_reply(self, body: bytes, asked: EmbedRequest | None = None) -> EmbedReply:
        """Raises `Broken` when it is none."""
        answer = read_answer(_ANSWER, body)
        vectors: list[Vector] = [Packed(one) for one in answer.embeddings.base64 or ()]
        if answer.embeddings.numbers is not None:
            vectors = [Floats(one) for one in answer.embeddings.numbers]
        return EmbedReply(id=answer.id, model="", vectors=tuple(vectors), usage=usage_of(answer.meta, ID), dialect=ID)

    def encode_reply(self, reply: EmbedReply, losses: Losses) -> bytes:
        """Raises `Broken` when a vector is none."""
        form, write = ("base64", packed_of) if reply.form == "base64" else ("float", floats_of)
        tokens = reply.usage.units.get(Meter.INPUT, 0) if reply.usage else 0
        meta: Any = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": tokens}}
        if reply.usage and reply.usage.raw and reply.usage.dialect == ID:
            meta = reply.usage.raw
        embeddings = {form: [write(vector) for vector in reply.vectors]}
        return msgspec.json.encode(
            {"id": reply.id, "embeddings": embeddings, "meta": meta, "response_type": "embeddings_by_type"}
        )

    def tap(self, intent: Intent) -> Tap:
        return WholeTap(_look)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)


def _look(body: bytes) -> Seen:
    seen = read_answer(_SEEN, body)
    if not bytes(seen.embeddings).startswith((b"{", b"[")):
        raise Broken(upstream_words="no embeddings")
    return Seen(body, usage_of(seen.meta, ID))


def _inputs(said: _Body) -> tuple[EmbedInput, ...]:
    """Raises `InvalidRequest` when there is none, or an empty one."""
    found: list[EmbedInput] = []
    for at, text in enumerate(said.texts or ()):
        found.append(EmbedInput((_text(text, f"$.texts[{at}]"),)))
    found += [EmbedInput((_media(url),)) for url in said.images or ()]
    for at, one in enumerate(said.inputs or ()):
        parts = tuple(_part(part, f"$.inputs[{at}].content[{nth}]") for nth, part in enumerate(one.content))
        if not parts:
            raise InvalidRequest("An input must not be empty.", param=f"$.inputs[{at}].content")
        found.append(EmbedInput(parts))
    if not found:
        raise InvalidRequest("There is nothing to embed: send `texts`, `images` or `inputs`.", param="$.texts")
    return tuple(found)


def _text(text: str, path: str) -> Text:
    if not text:
        raise InvalidRequest("An input must not be empty.", param=path)
    return Text(text)


def _part(part: _Part, path: str) -> EmbedPart:
    if part.type == "image_url" and part.image_url is not None:
        return _media(part.image_url.url)
    if part.type == "text" and part.text is not None:
        return _text(part.text, f"{path}.text")
    raise InvalidRequest("A part is a `text` or an `image_url`.", param=path)


def _media(url: str) -> Media:
    if not url.startswith("data:"):
        return Media("image", Url(url))
    head, _, data = url.partition(";base64,")
    return Media("image", Inline(data, head.removeprefix("data:")))


def _written(inputs: tuple[EmbedInput, ...], scope: Scope) -> dict[str, Any]:
    """`texts` when there is nothing else, which every model takes; else `inputs`, which v4 takes."""
    for at, one in enumerate(inputs):
        if one.title:
            scope.lose(f"$.input[{at}].title")
    if all(len(one.parts) == 1 and isinstance(one.parts[0], Text) for one in inputs):
        return {"texts": [part.text for one in inputs for part in one.parts if isinstance(part, Text)]}
    content = [[_content(part, f"$.input[{at}]") for part in one.parts] for at, one in enumerate(inputs)]
    return {"inputs": [{"content": one} for one in content]}


def _content(part: EmbedPart, path: str) -> dict[str, Any]:
    match part:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Media(kind="image", source=source):
            return {"type": "image_url", "image_url": {"url": _url(source, path)}}
        case Media():
            raise InvalidRequest("This model takes texts and pictures only.", param=path)
        case Tokens():
            raise InvalidRequest("This model has another tokenizer: send text instead of token ids.", param=path)


def _url(source: Source, path: str) -> str:
    match source:
        case Url(url=url):
            return url
        case Inline(base64=data, mime=mime):
            return f"data:{mime or 'image/png'};base64,{data}"
        case FileRef():
            raise InvalidRequest("This model does not take files that lie at another vendor.", param=path)


def _input_type(purpose: Purpose | None, scope: Scope) -> str | None:
    if purpose is None:
        if scope.is_ours:
            return None
        scope.lose("$.input_type", "taken for documents; say `query` for questions", "approximated")
        return _PURPOSES["document"]
    if purpose not in _PURPOSES:
        scope.lose("$.input_type", f"taken for a {NEAREST[purpose]}", "approximated")
    return _PURPOSES.get(purpose) or _PURPOSES[NEAREST[purpose]]


DIALECT = CohereEmbed()
