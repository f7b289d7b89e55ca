"""The models that a key can really call, in the shape of the vendor that the caller believes to speak to.

OpenAI, Anthropic and an older version of Google have their lists at the same address: the headers of their tools tell them apart.
"""

from collections.abc import Mapping

from yibu.catalog.model import Kind, Model
from yibu.dialects import anthropic, anthropic_models, gemini_models, openai_models
from yibu.gateway.admit import identify
from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.hub.errors import UnknownModel
from yibu.relay.headers import JSON
from yibu.relay.reply import Reply

ENDPOINTS: Mapping[Kind, list[str]] = {
    "chat": ["openai", "openai-response", "anthropic", "gemini"],
    "video": ["openai"],
    "embedding": ["embeddings"],
    "rerank": ["jina-rerank"],
    "moderation": ["moderations"],
}
"""By which tools tell what to call, the best for most of them first. Every chat model is reached in every chat format."""

METHODS: Mapping[Kind, list[str]] = {
    "chat": ["generateContent", "streamGenerateContent", "countTokens"],
    "embedding": ["embedContent", "batchEmbedContents"],
}
"""By which Google's tools tell the same."""


async def list_models(request: Request, reply: Reply, house: House) -> None:
    _take_manner(request)
    caller = await identify(request, house)
    models = house.directory().models(caller.models)
    if request.dialect is anthropic.DIALECT:
        body = anthropic_models.encode_models([_anthropic(model) for model in models], request.query)
    elif request.dialect is gemini_models.DIALECT:
        body = gemini_models.DIALECT.encode_models([_gemini(model) for model in models], request.query)
    else:
        body = openai_models.DIALECT.encode_models([_openai(model) for model in models])
    await reply.whole(200, [JSON], body)


async def show_model(request: Request, reply: Reply, house: House) -> None:
    """Raises `UnknownModel`."""
    _take_manner(request)
    caller = await identify(request, house)
    wanted = request.params["model"]
    if request.dialect is gemini_models.DIALECT:
        wanted = gemini_models.bare(wanted)
    for model in house.directory().models(caller.models):
        if model.name == wanted:
            if request.dialect is anthropic.DIALECT:
                body = anthropic_models.encode_model(_anthropic(model))
            elif request.dialect is gemini_models.DIALECT:
                body = gemini_models.DIALECT.encode_model(_gemini(model))
            else:
                body = openai_models.DIALECT.encode_model(_openai(model))
            await reply.whole(200, [JSON], body)
            return
    raise UnknownModel(f"The model `{wanted}` does not exist here, or this key cannot use it.")


def _take_manner(request: Request) -> None:
    """From here on errors are in the caller's shape, too."""
    if request.dialect is gemini_models.DIALECT:
        return
    if anthropic_models.is_meant(request.headers):
        request.dialect = anthropic.DIALECT
    elif gemini_models.is_meant(request.headers):
        request.dialect = gemini_models.DIALECT


def _openai(model: Model) -> openai_models.WireModel:
    return openai_models.WireModel(model.name, model.owner or "yibu", ENDPOINTS[model.kind])


def _anthropic(model: Model) -> anthropic_models.WireModel:
    return anthropic_models.WireModel(model.name, model.name)


def _gemini(model: Model) -> gemini_models.WireModel:
    return gemini_models.wire(model.name, model.max_output_tokens, METHODS.get(model.kind, []))
