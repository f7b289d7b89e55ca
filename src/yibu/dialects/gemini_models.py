"""Google's list of models. Source: Google, reference of `models.list`, and google-genai 3.4.0, read 2026-11-22.

Only what is known here is told: of a model's ceiling for input and of its version a gateway knows nothing.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from yibu.dialects.dialect import Operation, Route
from yibu.dialects.gemini.errors import GoogleErrors
from yibu.hub.errors import InvalidRequest

MOST = 1000
USUAL = 50
_PREFIX = "models/"


class WireModel(msgspec.Struct, rename="camel", omit_defaults=True):
    name: str
    display_name: str
    output_token_limit: int
    supported_generation_methods: list[str]


class WireModels(msgspec.Struct, rename="camel", omit_defaults=True):
    models: list[WireModel]
    next_page_token: str = ""


class GeminiModels(GoogleErrors):
    id: ClassVar[str] = "gemini_models"
    title: ClassVar[str] = "Gemini Models"
    routes: ClassVar[tuple[Route, ...]] = (
        Route("GET", "/v1beta/models", Operation.LIST_MODELS),
        Route("GET", "/v1beta/models/{model:path}", Operation.SHOW_MODEL),
    )

    def encode_models(self, models: list[WireModel], query: Mapping[str, str]) -> bytes:
        """One page of `pageSize` models behind `pageToken`. Raises `InvalidRequest` for a size or a token that is none."""
        size = query.get("pageSize") or query.get("page_size") or str(USUAL)
        if not (size.isascii() and size.isdigit() and len(size) <= 9):
            raise InvalidRequest("`pageSize` is a number.", param="$.pageSize")
        most = min(int(size), MOST) or USUAL
        names = [model.name for model in models]
        token = query.get("pageToken") or query.get("page_token") or ""
        if token and token not in names:
            raise InvalidRequest("`pageToken` is the `nextPageToken` of the page before.", param="$.pageToken")
        rest = models[names.index(token) + 1 :] if token else models
        page = rest[:most]
        return msgspec.json.encode(WireModels(page, page[-1].name if len(rest) > most else ""))

    def encode_model(self, model: WireModel) -> bytes:
        return msgspec.json.encode(model)


def wire(name: str, output_token_limit: int, methods: list[str]) -> WireModel:
    """A model as Google tells it."""
    return WireModel(_PREFIX + name, name, output_token_limit, methods)


def bare(name: str) -> str:
    """The name without Google's prefix, however often a client wrote it."""
    while name.startswith(_PREFIX):
        name = name.removeprefix(_PREFIX)
    return name


def is_meant(headers: Mapping[str, str]) -> bool:
    """Whether whoever asks for OpenAI's list speaks to Google. `headers` have lower-case names."""
    return "x-goog-api-key" in headers and "authorization" not in headers


DIALECT = GeminiModels()
