"""`POST /v1/rerank` and `/v2/rerank` as four vendors have them; the model's name says which.

Documents are ranked by the angle between their vector and the query's. Source of the wire forms: Cohere, *Rerank* v1 and v2, Jina,
*Reranker API*, SiliconFlow, *Create rerank*, Xinference's RESTful API, read 2026-11-22.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from yibu.sandbox.engines.vectors import Vectors, cosine
from yibu.sandbox.models import RERANKERS
from yibu.sandbox.refusal import Refusal
from yibu.sandbox.request import Request
from yibu.sandbox.response import Response, Whole, json_response
from yibu.sandbox.whole import count_in, deliver, manner_for

A_SEARCH = 100  # documents


@dataclass(frozen=True, slots=True)
class Ranking:
    """`results`: (index, score) by falling score; `echoes`: the documents as they go back, None when they do not.

    `tokens`: None when they are not told.
    """

    id: str
    model: str
    results: list[tuple[int, float]]
    echoes: list[Any] | None
    documents: int
    tokens: int | None

    def rows(self, **more: Any) -> list[dict[str, Any]]:
        """What all vendors give of a result."""
        rows: list[dict[str, Any]] = []
        for index, score in self.results:
            echo = {} if self.echoes is None else {"document": self.echoes[index]}
            rows.append({"index": index, "relevance_score": score, **more, **echo})
        return rows


Answer = Callable[[Ranking, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One vendor's format. `known`: its members; `returns`: documents come back unless told not to; `refusal`: the body of an error."""

    known: frozenset[str]
    answer: Answer
    refusal: Callable[[Refusal], Any]
    returns: bool = False
    takes_objects: bool = False


def _cohere(version: str) -> Answer:
    def answer(ranking: Ranking, asked: dict[str, Any]) -> dict[str, Any]:
        units = -(-ranking.documents // A_SEARCH)
        meta = {"api_version": {"version": version}, "billed_units": {"search_units": units}}
        return {"id": ranking.id, "results": ranking.rows(), "meta": meta}

    return answer


def _jina(ranking: Ranking, asked: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {"model": ranking.model, "object": "list", "results": ranking.rows()}
    if ranking.tokens is not None:
        value["usage"] = {"total_tokens": ranking.tokens}
    return value


def _xinference(ranking: Ranking, asked: dict[str, Any]) -> dict[str, Any]:
    told = ranking.tokens if asked.get("return_len") else None
    tokens = None if told is None else {"input_tokens": told, "output_tokens": told}
    rows = ranking.rows() if ranking.echoes is not None else ranking.rows(document=None)
    meta = {"api_version": None, "billed_units": None, "tokens": tokens, "warnings": None}
    return {"id": ranking.id, "results": rows, "meta": meta}


def _siliconflow(ranking: Ranking, asked: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {"id": ranking.id, "results": ranking.rows()}
    if ranking.tokens is not None:
        counts = {"input_tokens": ranking.tokens, "output_tokens": 0}
        value["meta"] = {"billed_units": {**counts, "search_units": 0, "classifications": 0}, "tokens": counts}
    return value


def _detail(refusal: Refusal) -> Any:
    return {"detail": refusal.message}


def _message(refusal: Refusal) -> Any:
    return {"id": "00000000-0000-4000-8000-000000000000", "message": refusal.message}


def _coded(refusal: Refusal) -> Any:
    return {"code": 20012 if refusal.status == 404 else 20015, "message": refusal.message, "data": None}


_COMMON = frozenset({"model", "query", "documents", "top_n"})
COHERE_V2 = Kind(_COMMON | {"max_tokens_per_doc", "priority"}, _cohere("2"), _message)
KINDS = {
    "cohere": Kind(
        _COMMON | {"return_documents", "rank_fields", "max_chunks_per_doc"}, _cohere("1"), _message, takes_objects=True
    ),
    "jina": Kind(
        _COMMON | {"return_documents", "max_doc_length", "truncation", "return_embeddings"},
        _jina,
        _detail,
        returns=True,
    ),
    "xinference": Kind(_COMMON | {"return_documents", "return_len", "max_chunks_per_doc"}, _xinference, _detail),
    "siliconflow": Kind(
        _COMMON | {"return_documents", "max_chunks_per_doc", "overlap_tokens", "instruction"}, _siliconflow, _coded
    ),
}
ANYBODY = Kind(frozenset().union(*(kind.known for kind in KINDS.values())), _cohere("1"), _message, takes_objects=True)
"""For models that misbehave, and for those that are not there: whoever asks."""


async def rerank(request: Request, vectors: Vectors) -> Response:
    """Answers in the format of the model's vendor; an unknown model is told in Cohere's."""
    body = request.json()
    model = body.get("model")
    vendor = RERANKERS.get(model) if isinstance(model, str) else None
    kind = COHERE_V2 if request.path.startswith("/v2/") else KINDS[vendor] if vendor else ANYBODY
    try:
        return await _rank(request, body, kind, vectors)
    except Refusal as refusal:
        return json_response(kind.refusal(refusal), refusal.status, refusal.headers)


async def _rank(request: Request, body: dict[str, Any], kind: Kind, vectors: Vectors) -> Whole:
    for name in body:
        if name not in kind.known:
            raise Refusal(422, f"unknown field: {name}")
    model, query, most = body.get("model"), body.get("query"), body.get("top_n")
    if not isinstance(model, str):
        raise Refusal(400, "invalid request: model must be a string")
    if not isinstance(query, str) or not query:
        raise Refusal(400, "invalid request: query must be a string that is not empty")
    documents = body.get("documents")
    if not isinstance(documents, list) or not documents:
        raise Refusal(400, "invalid request: documents must be a list that is not empty")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= len(documents)):
        raise Refusal(400, "invalid request: top_n must be from 1 to the number of documents")
    manner = await manner_for(model, tuple(RERANKERS))
    texts = [_text(one, body.get("rank_fields"), kind) for one in documents]
    [asked] = await vectors.encode([query], "query")
    scores = [max(cosine(asked, vector), 0.0) for vector in await vectors.encode(texts, "passage")]
    order = sorted(range(len(texts)), key=lambda at: -scores[at])[:most]
    tokens = await vectors.count(texts) + len(texts) * await vectors.count([query])
    returns = body.get("return_documents", kind.returns)
    ranking = Ranking(
        id=hashlib.sha256(request.body).hexdigest()[:32],
        model=model,
        results=[(at, round(scores[at], 8)) for at in order],
        echoes=[one if isinstance(one, dict) else {"text": one} for one in documents] if returns else None,
        documents=len(documents),
        tokens=count_in(manner, tokens),
    )
    return deliver(kind.answer(ranking, body), manner)


def _text(document: Any, fields: Any, kind: Kind) -> str:
    """What is ranked: a string, or of an object its text or the fields that were named."""
    if isinstance(document, str):
        return document
    is_jina = isinstance(document, dict) and kind.returns and isinstance(document.get("text"), str)
    if not isinstance(document, dict) or not (kind.takes_objects or is_jina):
        raise Refusal(400, "invalid request: documents must be strings")
    names = fields if isinstance(fields, list) and fields else ["text"]
    if not all(name in document for name in names):
        raise Refusal(400, "invalid request: a document has none of the rank_fields")
    return "\n".join(str(document[name]) for name in names)
