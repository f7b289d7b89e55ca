"""Answers to rerank requests: alike but for their edges.

Results come by falling score; `index` points into the request. Jina may give `document` as a plain string, and so does Xinference on
llama.cpp. SiliconFlow counts in `meta.tokens`, in older answers in `tokens`; Xinference repeats its input tokens as output. Sources: as in
`_rerank.py`.
"""

from typing import Any

import msgspec

from yibu.dialects import _cohere
from yibu.dialects._answer import count_of, read_answer
from yibu.dialects._json import NULL, fields, present, raw, rest
from yibu.dialects._rerank import Words
from yibu.dialects._whole import Seen
from yibu.dialects.dialect import Intent
from yibu.hub.errors import Broken
from yibu.hub.parts import Extras
from yibu.hub.rerank import Document, Ranked, RerankReply, joined, searches
from yibu.hub.usage import Meter, Usage


class Result(msgspec.Struct):
    index: int
    relevance_score: float
    document: str | dict[str, msgspec.Raw] | None = None


class Answer(msgspec.Struct):
    results: list[Result]
    id: str | None = None
    model: str | None = None
    meta: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL
    tokens: msgspec.Raw = NULL


class _Rank(msgspec.Struct):
    index: int
    relevance_score: float


class _Seen(msgspec.Struct):
    results: list[msgspec.Raw]
    meta: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL
    tokens: msgspec.Raw = NULL


class _Asked(msgspec.Struct):
    documents: list[msgspec.Raw]
    top_n: int | None = None


_ANSWER = msgspec.json.Decoder(Answer)
_SEEN = msgspec.json.Decoder(_Seen)
_ASKED = msgspec.json.Decoder(_Asked)
_RANK = msgspec.json.Decoder(_Rank)
_OUTER = frozenset(("object", *Answer.__struct_fields__))


def decode_reply(body: bytes, words: Words) -> RerankReply:
    """Raises `Broken` when it is none."""
    answer = read_answer(_ANSWER, body)
    results = tuple(Ranked(one.index, one.relevance_score, _echo(one.document)) for one in answer.results)
    return RerankReply(
        id=answer.id or "",
        model=answer.model or "",
        results=results,
        usage=_usage(answer.meta, answer.usage, answer.tokens, words),
        dialect=words.id,
        extras=rest(fields(body), _OUTER),
    )


def _echo(said: str | dict[str, msgspec.Raw] | None) -> Document | None:
    if said is None or isinstance(said, str):
        return None if said is None else Document(said)
    return Document(joined(said), said)


def _usage(meta: msgspec.Raw, usage: msgspec.Raw, tokens: msgspec.Raw, words: Words) -> Usage | None:
    """Wherever a vendor counts: `usage`, `meta.tokens`, `meta.billed_units`, `tokens`."""
    if present(usage) is not None:
        said = msgspec.json.decode(usage)
        said = said if isinstance(said, dict) else {}
        count = count_of(said.get("prompt_tokens"))
        count = count_of(said.get("total_tokens")) if count is None else count
        if count is not None:
            return Usage({Meter.INPUT: count}, raw=usage, dialect=words.id)
    if found := _cohere.usage_of(meta, words.id):
        return found
    return _cohere.usage_of(raw({"tokens": tokens}), words.id)


def echo(one: Ranked) -> Any:
    """A result as all formats write it, the document only if there is one."""
    found: dict[str, Any] = {"index": one.index, "relevance_score": one.score}
    if one.document is not None:
        found["document"] = document_of(one.document)
    return found


def document_of(document: Document) -> Extras | dict[str, str]:
    return {"text": document.text} if document.fields is None else document.fields


def counted(reply: RerankReply) -> tuple[int, int]:
    """Tokens read, and units of search."""
    units = reply.usage.units if reply.usage else {}
    return units.get(Meter.INPUT, 0), units.get(Meter.SEARCH, 0) or searches(reply.asked or len(reply.results))


def put_right(body: bytes, intent: Intent, words: Words) -> Seen:
    """A vendor's answer as it is, but sorted and cut where the vendor did neither. Raises `Broken` for an index that points nowhere."""
    seen, asked = read_answer(_SEEN, body), _ASKED.decode(intent.body)
    try:
        ranks = [_RANK.decode(one) for one in seen.results]
    except msgspec.DecodeError as error:
        raise Broken(upstream_words=str(error)) from error
    count = len(asked.documents)
    if len({one.index for one in ranks}) != len(ranks) or not all(0 <= one.index < count for one in ranks):
        raise Broken(upstream_words=f"indexes that point nowhere among {count} documents")
    order = sorted(range(len(ranks)), key=lambda at: -ranks[at].relevance_score)[: asked.top_n]
    usage = _usage(seen.meta, seen.usage, seen.tokens, words)
    if order == list(range(len(ranks))):
        return Seen(body, usage)
    return Seen(msgspec.json.encode({**fields(body), "results": [seen.results[at] for at in order]}), usage)
