"""Cohere's rerank, version 2. Sources: cohere 7.3.1 type definitions and Cohere, *Rerank v2*, read 2026-11-22."""

from typing import ClassVar

import msgspec

from yibu.dialects._cohere import CohereErrors
from yibu.dialects._ranked import counted
from yibu.dialects._rerank import Words
from yibu.dialects._rerank_format import RerankFormat
from yibu.dialects.dialect import Operation, Route
from yibu.hub.loss import Losses
from yibu.hub.rerank import RerankReply


class CohereRerankV2(CohereErrors, RerankFormat):
    """Documents are strings and never come back."""

    id: ClassVar[str] = "cohere_rerank_v2"
    title: ClassVar[str] = "Cohere Rerank v2"
    routes: ClassVar[tuple[Route, ...]] = (Route("POST", "/v2/rerank", Operation.RERANK),)
    words: ClassVar[Words] = Words(id=id, return_documents="", max_tokens="max_tokens_per_doc")

    def encode_reply(self, reply: RerankReply, losses: Losses) -> bytes:
        meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": counted(reply)[1]}}
        results = [{"index": one.index, "relevance_score": one.score} for one in reply.results]
        return msgspec.json.encode({"id": reply.id, "results": results, "meta": meta})


DIALECT = CohereRerankV2()
