"""`GET /v1/models` and `GET /v1/models/{id}`."""

from typing import Any

from yibu.sandbox.behaviours import FATES, MANNERS
from yibu.sandbox.refusal import unknown_model
from yibu.sandbox.response import Whole, json_response

LANGUAGE_MODEL = "smollm2-135m"
VECTOR_MODEL = "multilingual-e5-small"
MODERATION_MODEL = "omni-moderation-latest"
RERANKERS = {
    "rerank-v3.5": "cohere",
    "jina-reranker-v2-base-multilingual": "jina",
    "bge-reranker-v2-m3": "xinference",
    "BAAI/bge-reranker-v2-m3": "siliconflow",
}
"""By name, whose format it is called in; the engine is the same."""
OTHER_MODELS = (VECTOR_MODEL, *RERANKERS, MODERATION_MODEL)
"""Those that do not chat."""
CREATED = 1_764_547_200  # 2025-12-01; a constant, so that answers depend only on the request


def chat_models() -> tuple[str, ...]:
    """The models for chat, in a fixed order."""
    return (LANGUAGE_MODEL, *MANNERS)


def list_models() -> Whole:
    """All models, in a fixed order."""
    names = [*chat_models(), *OTHER_MODELS, *FATES]
    return json_response({"object": "list", "data": [_model(name) for name in names]})


def get_model(name: str) -> Whole:
    """One model. Raises `Refusal` 404 for an unknown one."""
    if name not in (*chat_models(), *OTHER_MODELS, *FATES):
        raise unknown_model(name)
    return json_response(_model(name))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "sandbox"}
