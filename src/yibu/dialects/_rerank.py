"""What the rerank formats have in common: one request that all of them are subsets of.

Sources: cohere 7.3.1 type definitions; Xinference's types and rerank back ends; Jina, *Reranker API*; SiliconFlow, *Create rerank*; read
2026-11-22.
"""

from typing import Annotated, Any

import msgspec

from yibu.dialects._json import NULL, check_depth, fields, lean, read, rest
from yibu.dialects._scope import Scope
from yibu.dialects.dialect import Bounds, Intent, Target
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef, Inline, Source, Url
from yibu.hub.rerank import Document, RerankRequest, joined, searches


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a format calls things; an empty name: it has no such member.

    `returns_unasked`: documents come back unless the caller says no; `always`: said in every request; `takes_objects`: documents may
    be objects with any members; `takes_pictures`: documents and query may be `{"image": …}`.
    """

    id: str
    return_documents: str = "return_documents"
    returns_unasked: bool = False
    rank_fields: str = ""
    max_chunks: str = ""
    max_tokens: str = ""
    overlap_tokens: str = ""
    instruction: str = ""
    always: dict[str, Any] = {}
    takes_objects: bool = False
    takes_pictures: bool = False


Positive = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class Body(msgspec.Struct):
    """`top_k` is what Voyage and some tools say for `top_n`."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    query: str | dict[str, msgspec.Raw]
    documents: list[str | dict[str, msgspec.Raw]]
    top_n: Positive | None = None
    top_k: Positive | None = None
    return_documents: bool | None = None
    rank_fields: list[str] | None = None
    max_chunks_per_doc: Positive | None = None
    max_tokens_per_doc: Positive | None = None
    max_doc_length: Positive | None = None
    overlap_tokens: Whole | None = None
    instruction: str | None = None


BODY = msgspec.json.Decoder(Body)
_KNOWN = frozenset(Body.__struct_fields__)


def sniff(body: bytes, bounds: Bounds, target: Target) -> Intent:
    """Raises `InvalidRequest`. The query is read anew with each document, and that is how vendors count it."""
    check_depth(body, bounds.depth)
    said = read(BODY, body)
    query, documents, pictures = _weight(said.query), 0, 0
    _check(said)
    for one in said.documents:
        documents += query + _weight(one)
        pictures += isinstance(one, dict) and "image" in one
    return Intent(
        model=said.model,
        body=body,
        text_bytes=documents,
        media=pictures,
        searches=searches(len(said.documents)),
        target=target,
    )


def _weight(text: str | dict[str, msgspec.Raw]) -> int:
    if isinstance(text, str):
        return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return sum(len(key) + len(bytes(value)) for key, value in text.items() if key != "image")


def _check(said: Body) -> None:
    if not said.query:
        raise InvalidRequest("The query must not be empty.", param="$.query")
    if not said.documents:
        raise InvalidRequest("There are no documents to rank.", param="$.documents")


def decode_request(body: bytes, words: Words) -> RerankRequest:
    """Raises `InvalidRequest`."""
    said = read(BODY, body)
    _check(said)
    fields_ranked = tuple(said.rank_fields or ())
    query, picture = (said.query, None) if isinstance(said.query, str) else _query(said.query)
    return RerankRequest(
        model=said.model,
        query=query,
        query_picture=picture,
        documents=tuple(_document(one, fields_ranked, f"$.documents[{at}]") for at, one in enumerate(said.documents)),
        top_n=said.top_n or said.top_k,
        return_documents=words.returns_unasked if said.return_documents is None else said.return_documents,
        rank_fields=fields_ranked,
        max_chunks=said.max_chunks_per_doc,
        max_tokens=said.max_tokens_per_doc or said.max_doc_length,
        overlap_tokens=said.overlap_tokens,
        instruction=said.instruction or "",
        dialect=words.id,
        extras=rest(fields(body), _KNOWN | words.always.keys()),
    )


def _query(said: dict[str, msgspec.Raw]) -> tuple[str, Source | None]:
    if source := _picture(said):
        return "", source
    if text := joined(said):
        return text, None
    raise InvalidRequest("A query that is an object has a `text` or an `image`.", param="$.query")


def _document(said: str | dict[str, msgspec.Raw], keys: tuple[str, ...], path: str) -> Document:
    if isinstance(said, str):
        return Document(said)
    if not said:
        raise InvalidRequest("A document must not be empty.", param=path)
    if not keys and "text" not in said and (source := _picture(said)):
        return Document("", said, source)
    return Document(joined(said, keys), said)


def _picture(said: dict[str, msgspec.Raw]) -> Source | None:
    value = bytes(said.get("image", NULL))
    if not value.startswith(b'"'):
        return None
    text: str = msgspec.json.decode(value)
    if text.startswith(("http://", "https://")):
        return Url(text)
    head, _, data = text.rpartition(";base64,")
    return Inline(data, head.removeprefix("data:"))


def encode_request(request: RerankRequest, words: Words, losses: Losses) -> bytes:
    """Raises `InvalidRequest` for pictures where only texts are ranked."""
    scope = Scope(words.id, request.dialect, losses)
    query: Any = request.query
    if request.query_picture is not None:
        query = {"image": _address(request.query_picture, words, "$.query")}
    members: dict[str, Any] = {
        "model": request.model,
        "query": query,
        "documents": [_written(one, words, f"$.documents[{at}]") for at, one in enumerate(request.documents)],
        "top_n": None if request.top_n is None else min(request.top_n, len(request.documents)),
    }
    if words.return_documents:  # said in any case: what happens unasked differs, and what comes back is made here
        members[words.return_documents] = request.return_documents and scope.is_ours
    if words.rank_fields and request.rank_fields:
        members[words.rank_fields] = request.rank_fields
    for name, member, value in (
        (words.max_chunks, "max_chunks_per_doc", request.max_chunks),
        (words.max_tokens, "max_tokens_per_doc", request.max_tokens),
        (words.overlap_tokens, "overlap_tokens", request.overlap_tokens),
        (words.instruction, "instruction", request.instruction or None),
    ):
        if value is not None:
            if name:
                members[name] = value
            else:
                scope.lose(f"$.{member}")
    return msgspec.json.encode({**lean(members), **scope.extras("$", request.extras), **words.always})


def _written(one: Document, words: Words, path: str) -> Any:
    """As one text, which is what `rank_fields` made of an object, where the vendor takes no objects."""
    if one.fields is not None and (words.takes_objects or (words.takes_pictures and one.fields.keys() <= {"text"})):
        return one.fields
    if one.picture is not None:
        return {"image": _address(one.picture, words, path)}
    return one.text


def _address(source: Source, words: Words, path: str) -> str:
    if not words.takes_pictures:
        raise InvalidRequest("This model ranks texts, not pictures.", param=path)
    match source:
        case Url(url=url):
            return url
        case Inline(base64=data, mime=mime):
            return f"data:{mime};base64,{data}" if mime else data
        case FileRef():
            raise InvalidRequest("This model does not take files that lie at another vendor.", param=path)
