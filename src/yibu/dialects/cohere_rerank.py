"""Cohere's rerank, version 1, which its SDK's `Client` speaks.

Sources: cohere 7.3.1 type definitions and Cohere, *Rerank v1*, read 2026-11-22.
"""

from typing import ClassVar

import msgspec

from yibu.dialects._cohere import CohereErrors
from yibu.dialects._ranked import counted, echo
from yibu.dialects._rerank import Words
from yibu.dialects._rerank_format import RerankFormat
from yibu.hub.loss import Losses
from yibu.hub.rerank import RerankReply


class CohereRerank(CohereErrors, RerankFormat):
    """Documents may be objects, of which `rank_fields` are ranked; they come back only when asked for."""

    id: ClassVar[str] = "cohere_rerank"
    title: ClassVar[str] = "Cohere Rerank v1"
    words: ClassVar[Words] = Words(
        id=id, rank_fields="rank_fields", max_chunks="max_chunks_per_doc", takes_objects=True
    )

    def encode_reply(self, reply: RerankReply, losses: Losses) -> bytes:
        tokens, units = counted(reply)
        meta = {
            "api_version": {"version": "1"},
            "billed_units": {"search_units": units},
            "tokens": {"input_tokens": tokens, "output_tokens": 0},
        }
        return msgspec.json.encode({"id": reply.id, "results": [echo(one) for one in reply.results], "meta": meta})


DIALECT = CohereRerank()
