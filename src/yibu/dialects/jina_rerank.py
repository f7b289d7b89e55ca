"""Jina's rerank, which relays made the common format. Source: Jina, *Reranker API*, read 2026-11-22.

Callers who do not show whose format they mean are answered in it too, so its answer also has the members that Cohere's readers look
for: `id` and `meta`.
"""

from typing import ClassVar

import msgspec

from yibu.dialects._ranked import counted, echo
from yibu.dialects._rerank import Words
from yibu.dialects._rerank_format import RerankFormat
from yibu.dialects.dialect import NOWHERE, Target
from yibu.hub.errors import HubError
from yibu.hub.loss import Losses
from yibu.hub.rerank import RerankReply


class DetailErrors:
    """Errors as FastAPI writes them, and as Jina and Xinference do: `{"detail": "…"}`; `code` and `param` are ours."""

    def error_status(self, error: HubError) -> int:
        return error.status

    def encode_error(self, error: HubError, request_id: str) -> bytes:
        detail = f"{error.message} (request id: {request_id})" if request_id else error.message
        return msgspec.json.encode({"detail": detail, "code": error.code, "param": error.param})

    def encode_stream_error(self, error: HubError, request_id: str, target: Target = NOWHERE) -> bytes:
        return self.encode_error(error, request_id)


class JinaRerank(DetailErrors, RerankFormat):
    """Documents come back unless the caller says no."""

    id: ClassVar[str] = "jina_rerank"
    title: ClassVar[str] = "Jina Rerank"
    words: ClassVar[Words] = Words(id=id, returns_unasked=True, max_tokens="max_doc_length", takes_pictures=True)

    def encode_reply(self, reply: RerankReply, losses: Losses) -> bytes:
        tokens, units = counted(reply)
        meta = {
            "api_version": {"version": "1"},
            "billed_units": {"search_units": units},
            "tokens": {"input_tokens": tokens, "output_tokens": 0},
        }
        return msgspec.json.encode(
            {
                "id": reply.id,
                "object": "list",
                "model": reply.model,
                "results": [echo(one) for one in reply.results],
                "meta": meta,
                "usage": {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens},
            }
        )


DIALECT = JinaRerank()
