"""`GET /v1/models` and `GET /v1/models/{id}`."""

from typing import Any

from yibu.sandbox.behaviours import FATES, MANNERS
from yibu.sandbox.refusal import unknown_model
from yibu.sandbox.response import Whole, json_response

LANGUAGE_MODEL = "smollm2-135m"
CREATED = 1_764_547_200  # 2025-12-01; a constant, so that answers depend only on the request


def chat_models() -> tuple[str, ...]:
    """The models for chat, in a fixed order."""
    return (LANGUAGE_MODEL, *MANNERS)


def list_models() -> Whole:
    """All models, in a fixed order."""
    names = [*chat_models(), *FATES]
    return json_response({"object": "list", "data": [_model(name) for name in names]})


def get_model(name: str) -> Whole:
    """One model. Raises `Refusal` 404 for an unknown one."""
    if name not in (*chat_models(), *FATES):
        raise unknown_model(name)
    return json_response(_model(name))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "sandbox"}
