"""`POST /v1/moderations`: verdicts as OpenAI gives them, by rule. Source of the wire form: OpenAI, *Create moderation*, read 2026-11-22."""

import hashlib
from typing import Any

from yibu.sandbox.engines.harm import CATEGORIES, OF_PICTURES, judge
from yibu.sandbox.members import Members
from yibu.sandbox.models import MODERATION_MODEL
from yibu.sandbox.refusal import missing, wrong_type, wrong_value
from yibu.sandbox.request import Request
from yibu.sandbox.response import Response
from yibu.sandbox.whole import deliver, manner_for


async def moderate(request: Request) -> Response:
    """Raises `Refusal` for wrong input."""
    wire = Members(request.json())
    wire.only({"input", "model"})
    model = wire.text("model", MODERATION_MODEL)
    inputs = _inputs(wire)
    manner = await manner_for(model, (MODERATION_MODEL,))
    digest = hashlib.sha256(request.body).hexdigest()[:24]
    results = [_result(text, with_picture=with_picture) for text, with_picture in inputs]
    return deliver({"id": f"modr-{digest}", "model": model, "results": results}, manner)


def _inputs(wire: Members) -> list[tuple[str, bool]]:
    """For each verdict the text, and whether a picture stands beside it."""
    value = wire.value.get("input")
    if value is None:
        raise missing("input")
    if isinstance(value, str):
        return [(value, False)]
    if not isinstance(value, list):
        raise wrong_type("input", "a string or an array", value)
    if not value:
        raise wrong_value("input", "an empty array.")
    if all(isinstance(one, str) for one in value):
        return [(one, False) for one in value]
    texts: list[str] = []
    pictures = 0
    for part in wire.objects("input"):
        if part.choice("type", ("text", "image_url")) == "text":
            texts.append(part.text("text"))
        else:
            pictures += bool(part.object("image_url").text("url"))
    return [("\n".join(texts), pictures > 0)]


def _result(text: str, *, with_picture: bool) -> dict[str, Any]:
    scores = judge(text)
    applies = {name: score > 0.5 for name, score in scores.items()}
    looked_at = {name: ["text", "image"] if with_picture and name in OF_PICTURES else ["text"] for name in CATEGORIES}
    return {
        "flagged": any(applies.values()),
        "categories": applies,
        "category_scores": scores,
        "category_applied_input_types": looked_at,
    }
