"""OpenAI's list of models. Source: OpenAI, *Models*, read 2026-11-20; `supported_endpoint_types` is the addition of
relays, by which Cherry Studio and others choose the dialect for a model."""

from typing import ClassVar

import msgspec

from yibu.dialects.dialect import Operation, Route
from yibu.dialects.openai_chat.errors import OpenAIErrors

CREATED = 1735689600
"""The vendors' dates are not known here; one fixed day (2025-01-01) is better than one that changes."""


class WireModel(msgspec.Struct):
    id: str
    owned_by: str
    supported_endpoint_types: list[str]
    object: str = "model"
    created: int = CREATED


class WireModels(msgspec.Struct):
    data: list[WireModel]
    object: str = "list"


class OpenAIModels(OpenAIErrors):
    id: ClassVar[str] = "openai_models"
    title: ClassVar[str] = "OpenAI Models"
    routes: ClassVar[tuple[Route, ...]] = (
        Route("GET", "/v1/models", Operation.LIST_MODELS),
        Route("GET", "/v1/models/{model:path}", Operation.SHOW_MODEL),
    )

    def encode_models(self, models: list[WireModel]) -> bytes:
        return msgspec.json.encode(WireModels(models))

    def encode_model(self, model: WireModel) -> bytes:
        return msgspec.json.encode(model)


DIALECT = OpenAIModels()
