"""SiliconFlow's rerank. Source: SiliconFlow, *Create rerank*, read 2026-11-22."""

from typing import ClassVar

import msgspec

from yibu.dialects._ranked import counted, echo
from yibu.dialects._rerank import Words
from yibu.dialects._rerank_format import RerankFormat
from yibu.dialects.dialect import NOWHERE, Target
from yibu.hub.errors import HubError
from yibu.hub.loss import Losses
from yibu.hub.rerank import RerankReply

_CODES = {400: 20015, 402: 30001, 404: 20012, 500: 50505, 502: 50505, 503: 50505, 504: 50505}
"""Wrong parameter, no balance, no such model, service not available; other situations go by their HTTP status."""


class SiliconFlowRerank(RerankFormat):
    """Documents come back only when asked for; `instruction` is for Qwen's rerankers, chunks for the others."""

    id: ClassVar[str] = "siliconflow_rerank"
    title: ClassVar[str] = "SiliconFlow Rerank"
    words: ClassVar[Words] = Words(
        id=id, max_chunks="max_chunks_per_doc", overlap_tokens="overlap_tokens", instruction="instruction"
    )

    def error_status(self, error: HubError) -> int:
        return error.status

    def encode_error(self, error: HubError, request_id: str) -> bytes:
        message = f"{error.message} (request id: {request_id})" if request_id else error.message
        data = {"code": error.code, "param": error.param}
        return msgspec.json.encode({"code": _CODES.get(error.status, error.status), "message": message, "data": data})

    def encode_stream_error(self, error: HubError, request_id: str, target: Target = NOWHERE) -> bytes:
        return self.encode_error(error, request_id)

    def encode_reply(self, reply: RerankReply, losses: Losses) -> bytes:
        counts = {"input_tokens": counted(reply)[0], "output_tokens": 0}
        meta = {"billed_units": {**counts, "search_units": 0, "classifications": 0}, "tokens": counts}
        return msgspec.json.encode({"id": reply.id, "results": [echo(one) for one in reply.results], "meta": meta})


DIALECT = SiliconFlowRerank()
