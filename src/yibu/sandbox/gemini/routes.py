"""`/v1beta/models…`: the list, and the methods behind a model's colon; also under Vertex's longer paths.

Source: Google, *generateContent*, *countTokens*, *models*, read 2026-11-22.
"""

import re
from typing import Any

from yibu.sandbox.engines.language import Language
from yibu.sandbox.gemini.messages import inner, message
from yibu.sandbox.gemini.reply import GenerationStage
from yibu.sandbox.gemini.request import read_generation
from yibu.sandbox.gemini.words import wrong
from yibu.sandbox.models import chat_models
from yibu.sandbox.play import count, find_manner, play
from yibu.sandbox.refusal import Refusal, unknown_model
from yibu.sandbox.request import Request
from yibu.sandbox.response import Response, Whole, json_response

_PREFIX = r"/v1(?:beta1?)?(?:/projects/[^/]+/locations/[^/]+/publishers/google)?"
METHODS = re.compile(rf"{_PREFIX}/models/(.+):(generateContent|streamGenerateContent|countTokens)")


async def generate(request: Request, language: Language, model: str, *, stream: bool) -> Response:
    """Answer a request. Raises `Refusal` for wrong input."""
    name = model.removeprefix("models/")
    manner = find_manner(name)
    alt = request.query.get("alt", "json")
    if alt not in ("json", "sse"):
        raise wrong(f"Invalid value for query parameter alt: {alt}")
    generation = read_generation(request.json(), name, stream=stream, is_sealed=manner.is_sealed)
    stage = GenerationStage(generation, is_array=alt != "sse", tells_usage=manner.usage in ("true", "every"))
    return await play(generation.ask, language, stage)


async def count_tokens(request: Request, model: str) -> Response:
    """How many tokens a request would have; it stands there bare or whole in `generateContentRequest`."""
    name = model.removeprefix("models/")
    manner = find_manner(name)
    wire = message(request.json(), "CountTokensRequest")
    body: dict[str, Any] = wire.value
    if wire.has("generateContentRequest"):
        if wire.has("contents"):
            raise wrong("Only one of contents and generate_content_request may be set.")
        whole = inner(wire, "generateContentRequest", "GenerateContentRequest")
        if whole.text("model").removeprefix("models/") != name:
            raise wrong("The model in generate_content_request must be that of the path.")
        body = whole.value
    total = count(read_generation(body, name, stream=False, is_sealed=manner.is_sealed).ask)
    return json_response({"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]})


def list_models(request: Request) -> Whole:
    """A page of the models, in a fixed order."""
    try:
        size = int(request.query.get("pageSize", "50"))
        start = int(request.query.get("pageToken") or "0")
    except ValueError as exc:
        raise wrong("The page size and token must be those that a list has given.") from exc
    names = chat_models()
    page = names[start : start + max(1, min(size, 1000))]
    rest = {"nextPageToken": str(start + len(page))} if start + len(page) < len(names) else {}
    return json_response({"models": [_model(name) for name in page]} | rest)


def get_model(name: str) -> Whole:
    """One model. Raises `Refusal` 404 for an unknown one."""
    if name not in chat_models():
        raise unknown_model(name)
    return json_response(_model(name))


def keyless() -> Refusal:
    """No key at all."""
    said = "Method doesn't allow unregistered callers (callers without established identity)."
    return Refusal(403, f"{said} Please use API Key or other form of API consumer identity to call this API.")


def _model(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "description": "A model of the sandbox.",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }
