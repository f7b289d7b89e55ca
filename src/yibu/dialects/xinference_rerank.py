"""Xinference's rerank. Source: Xinference's types and rerank back ends, read 2026-11-22.

It counts tokens only for `return_len`, so every request says that. Its output tokens repeat the input's. Some families of models
give logits, which may be negative or above 1.
"""

from typing import Any, ClassVar

import msgspec

from yibu.dialects._ranked import counted, document_of
from yibu.dialects._rerank import Words
from yibu.dialects._rerank_format import RerankFormat
from yibu.dialects.jina_rerank import DetailErrors
from yibu.hub.loss import Losses
from yibu.hub.rerank import Ranked, RerankReply


class XinferenceRerank(DetailErrors, RerankFormat):
    """Documents come back only when asked for; else `document` is null."""

    id: ClassVar[str] = "xinference_rerank"
    title: ClassVar[str] = "Xinference Rerank"
    words: ClassVar[Words] = Words(id=id, max_chunks="max_chunks_per_doc", always={"return_len": True})

    def encode_reply(self, reply: RerankReply, losses: Losses) -> bytes:
        tokens, _ = counted(reply)
        meta = {
            "api_version": None,
            "billed_units": None,
            "tokens": {"input_tokens": tokens, "output_tokens": tokens},
            "warnings": None,
        }
        return msgspec.json.encode({"id": reply.id, "results": [_result(one) for one in reply.results], "meta": meta})


def _result(one: Ranked) -> dict[str, Any]:
    document = None if one.document is None else document_of(one.document)
    return {"index": one.index, "relevance_score": one.score, "document": document}


DIALECT = XinferenceRerank()
