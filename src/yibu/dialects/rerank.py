"""The path `/v1/rerank`, where Cohere's first version, Jina, Xinference and SiliconFlow meet.

Whose format a caller means shows in who he is (Cohere's SDK names itself), in members that only one of them has, or in the name of
the model. Who shows nothing is answered in Jina's format, which relays made the common one.
"""

from typing import ClassVar

import msgspec

from yibu.dialects._json import read
from yibu.dialects.dialect import Operation, Route, Target
from yibu.dialects.jina_rerank import DetailErrors

_MEMBERS = {
    "rank_fields": "cohere_rerank",
    "return_len": "xinference_rerank",
    "overlap_tokens": "siliconflow_rerank",
    "instruction": "siliconflow_rerank",
    "max_doc_length": "jina_rerank",
    "truncation": "jina_rerank",
    "return_embeddings": "jina_rerank",
}
_MODELS = {
    "baai/": "siliconflow_rerank",
    "pro/": "siliconflow_rerank",
    "netease-youdao/": "siliconflow_rerank",
    "qwen/": "siliconflow_rerank",
    "jina-": "jina_rerank",
    "rerank-": "cohere_rerank",
}
"""How names begin at the vendors."""


_BODY = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Rerank(DetailErrors):
    """A path that several formats share; `told_apart` says which of them a request is in."""

    id: ClassVar[str] = "rerank"
    title: ClassVar[str] = "Rerank"
    routes: ClassVar[tuple[Route, ...]] = (Route("POST", "/v1/rerank", Operation.RERANK),)

    def told_apart(self, body: bytes, target: Target) -> str:
        """The id of the dialect. Raises `InvalidRequest` when the body is no JSON object."""
        headers = target.headers
        members = read(_BODY, body)
        if headers.get("x-fern-sdk-name") == "cohere" or headers.get("user-agent", "").startswith("cohere/"):
            return "cohere_rerank"
        for member, dialect in _MEMBERS.items():
            if member in members:
                return dialect
        model = bytes(members.get("model", msgspec.Raw(b""))).strip(b'"').decode("utf-8", "replace").lower()
        return next((dialect for start, dialect in _MODELS.items() if model.startswith(start)), "jina_rerank")


DIALECT = Rerank()
