"""The models that a key can really call."""

from collections.abc import Mapping

from yibu.catalog.model import Kind, Model
from yibu.dialects.openai_models import DIALECT, WireModel
from yibu.gateway.admit import identify
from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.hub.errors import UnknownModel
from yibu.relay.headers import JSON
from yibu.relay.reply import Reply

ENDPOINTS: Mapping[Kind, str] = {"embedding": "embeddings", "rerank": "jina-rerank", "moderation": "moderations"}
"""By which tools tell what to call; all other kinds are asked in chat."""


async def list_models(request: Request, reply: Reply, house: House) -> None:
    caller = await identify(request, house)
    models = house.directory().models(caller.models)
    await reply.whole(200, [JSON], DIALECT.encode_models([_wire(model) for model in models]))


async def show_model(request: Request, reply: Reply, house: House) -> None:
    """Raises `UnknownModel`."""
    caller = await identify(request, house)
    wanted = request.params["model"]
    for model in house.directory().models(caller.models):
        if model.name == wanted:
            await reply.whole(200, [JSON], DIALECT.encode_model(_wire(model)))
            return
    raise UnknownModel(f"The model `{wanted}` does not exist here, or this key cannot use it.")


def _wire(model: Model) -> WireModel:
    return WireModel(model.name, model.owner or "yibu", [ENDPOINTS.get(model.kind, "openai")])
