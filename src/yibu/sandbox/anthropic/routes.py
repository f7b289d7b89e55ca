"""`POST /v1/messages`, `POST /v1/messages/count_tokens`, and Anthropic's own shape of `GET /v1/models`.

Source: Anthropic, *Create a message*, *Count tokens*, *List models*, read 2026-11-22.
"""

from typing import Any

from yibu.sandbox.anthropic.reply import MessageStage
from yibu.sandbox.anthropic.request import read_message
from yibu.sandbox.anthropic.words import REQUEST_ID, wrong
from yibu.sandbox.engines.language import Language
from yibu.sandbox.models import chat_models
from yibu.sandbox.play import count, find_manner, play
from yibu.sandbox.refusal import unknown_model
from yibu.sandbox.request import Request
from yibu.sandbox.response import Response, Whole, json_response

HEADERS = {"request-id": REQUEST_ID, "anthropic-organization-id": "sandbox"}


async def create(request: Request, language: Language) -> Response:
    """Answer a message. Raises `Refusal` for wrong input."""
    message = read_message(request)
    manner = find_manner(message.ask.model)
    response = await play(message.ask, language, MessageStage(message, tells_usage=manner.usage != "none"))
    response.headers.update(HEADERS)
    return response


async def count_tokens(request: Request) -> Response:
    """How many tokens a message would have."""
    return json_response({"input_tokens": count(read_message(request, counts_only=True).ask)}, headers=HEADERS)


def list_models(request: Request) -> Whole:
    """A page of the models, in a fixed order."""
    names = list(chat_models())
    try:
        limit = int(request.query.get("limit", "20"))
    except ValueError as exc:
        raise wrong("limit: Input should be a valid integer") from exc
    if not 1 <= limit <= 1000:
        raise wrong("limit: Input should be between 1 and 1000")
    after, before = request.query.get("after_id"), request.query.get("before_id")
    if after in names:
        names = names[names.index(after) + 1 :]
    if before in names:
        names = names[: names.index(before)]
    page = names[:limit]
    return json_response(
        {
            "data": [_model(name) for name in page],
            "has_more": len(names) > len(page),
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        },
        headers=HEADERS,
    )


def get_model(name: str) -> Whole:
    """One model. Raises `Refusal` 404 for an unknown one."""
    if name not in chat_models():
        raise unknown_model(name)
    return json_response(_model(name), headers=HEADERS)


def _model(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "2025-12-01T00:00:00Z"}
