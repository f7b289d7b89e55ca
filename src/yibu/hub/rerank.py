"""Documents put into the order in which they answer a query."""

from collections.abc import Iterable

import msgspec

from yibu.hub.errors import Broken
from yibu.hub.media import Source
from yibu.hub.parts import Extras
from yibu.hub.usage import Usage

DOCUMENTS_A_SEARCH = 100
"""Cohere's unit, in which search is sold: one query with up to so many documents."""


class Document(msgspec.Struct, frozen=True):
    """`text`: what is ranked; `fields`: the object that the caller wrote, None for a plain string; `picture`: ranked instead of text."""

    text: str
    fields: Extras | None = None
    picture: Source | None = None


class RerankRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`return_documents`: as the caller said or as the dialect does unasked; `rank_fields`: of the documents' fields, in this order.

    `max_chunks`, `max_tokens`: of one document; `overlap_tokens`: of neighbouring chunks; `instruction`: what counts as relevant.
    `dialect`: as in `ChatRequest`.
    """

    model: str
    query: str
    documents: tuple[Document, ...]
    query_picture: Source | None = None
    top_n: int | None = None
    return_documents: bool = False
    rank_fields: tuple[str, ...] = ()
    max_chunks: int | None = None
    max_tokens: int | None = None
    overlap_tokens: int | None = None
    instruction: str = ""
    dialect: str = ""
    extras: Extras = {}


class Ranked(msgspec.Struct, frozen=True):
    """`index`: which of the request's documents, from 0; `score`: the higher the better, on the model's own scale."""

    index: int
    score: float
    document: Document | None = None
    extras: Extras = {}


class RerankReply(msgspec.Struct, frozen=True, kw_only=True):
    """`results` by falling score; `asked`: number of documents in the request, 0 when not known.

    `usage` is None when the vendor did not say; `dialect`: as in `ChatRequest`.
    """

    results: tuple[Ranked, ...]
    id: str = ""
    model: str = ""
    asked: int = 0
    usage: Usage | None = None
    dialect: str = ""
    extras: Extras = {}


def fit_rerank(request: RerankRequest, reply: RerankReply) -> RerankReply:
    """The reply as the answer to this request: sorted, cut to `top_n`, with the caller's own documents if they are wanted.

    Raises `Broken` when a result points to no document or two point to the same.
    """
    seen: set[int] = set()
    for one in reply.results:
        if not 0 <= one.index < len(request.documents) or one.index in seen:
            raise Broken(upstream_words=f"index {one.index} among {len(request.documents)} documents")
        seen.add(one.index)
    best = sorted(reply.results, key=lambda one: -one.score)[: request.top_n]
    results = tuple(
        msgspec.structs.replace(one, document=request.documents[one.index] if request.return_documents else None)
        for one in best
    )
    model = reply.model or request.model
    return msgspec.structs.replace(reply, results=results, model=model, asked=len(request.documents))


def searches(documents: int) -> int:
    """How many units of search these documents are, when a vendor does not say."""
    return -(-documents // DOCUMENTS_A_SEARCH)


def joined(fields: Extras, keys: Iterable[str] = ()) -> str:
    """An object as the one text that is ranked: its `text`, or its members (those of `keys`) as lines `key: value`."""
    chosen = tuple(keys)
    if not chosen and "text" in fields:
        return _plain(fields["text"])
    names = [key for key in chosen if key in fields] if chosen else list(fields)
    return "\n".join(f"{name}: {_plain(fields[name])}" for name in names)


def _plain(value: msgspec.Raw) -> str:
    text = bytes(value)
    found = msgspec.json.decode(text) if text.startswith(b'"') else None
    return found if isinstance(found, str) else text.decode()
