"""`POST /v1/embeddings`: vectors as OpenAI gives them, of the model multilingual-e5-small.

That model wants to be told what a text is: `query: ` or `passage: ` before it; without, it is a passage. Token ids are refused, as a
server with another tokenizer does. Source of the wire form: OpenAI, *Create embeddings*, read 2026-11-22.
"""

import base64
import struct
from typing import Any

from yibu.sandbox.engines.vectors import DIMENSIONS, Side, Vector, Vectors, unit
from yibu.sandbox.members import Members
from yibu.sandbox.models import VECTOR_MODEL
from yibu.sandbox.refusal import missing, wrong_type, wrong_value
from yibu.sandbox.request import Request
from yibu.sandbox.response import Response
from yibu.sandbox.whole import count_in, deliver, manner_for

MOST_INPUTS = 2048


async def embed(request: Request, vectors: Vectors) -> Response:
    """Raises `Refusal` for wrong input, before anything is computed."""
    wire = Members(request.json())
    wire.only({"model", "input", "encoding_format", "dimensions", "user"})
    model = wire.text("model")
    texts = _texts(wire)
    form = wire.choice("encoding_format", ("float", "base64"), "float")
    length = wire.integer("dimensions", 1, DIMENSIONS) or DIMENSIONS
    manner = await manner_for(model, (VECTOR_MODEL,))
    found = [_shortened(vector, length) for vector in await _encode(texts, vectors)]
    data = [
        {"object": "embedding", "index": at, "embedding": _written(vector, form)} for at, vector in enumerate(found)
    ]
    value: dict[str, Any] = {"object": "list", "data": data, "model": model}
    if (counted := count_in(manner, await vectors.count(texts))) is not None:
        value["usage"] = {"prompt_tokens": counted, "total_tokens": counted}
    return deliver(value, manner)


def _texts(wire: Members) -> list[str]:
    value = wire.value.get("input")
    if value is None:
        raise missing("input")
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list):
        raise wrong_type("input", "a string or an array", value)
    if not texts or len(texts) > MOST_INPUTS:
        raise wrong_value("input", f"expected 1 to {MOST_INPUTS} inputs, but got {len(texts)}.")
    if all(isinstance(one, int | list) for one in texts):
        raise wrong_value("input", "this model has a tokenizer of its own, send text instead of token ids.")
    for at, one in enumerate(texts):
        if not isinstance(one, str):
            raise wrong_type(f"input[{at}]", "a string", one)
        if not one:
            raise wrong_value(f"input[{at}]", "an input must not be empty.")
    return texts


async def _encode(texts: list[str], vectors: Vectors) -> list[Vector]:
    """Queries and passages apart, and then in their order."""
    found: dict[int, Vector] = {}
    sides: dict[Side, list[int]] = {"query": [], "passage": []}
    for at, text in enumerate(texts):
        sides["query" if text.startswith("query: ") else "passage"].append(at)
    for side, places in sides.items():
        if places:
            plain = [texts[at].removeprefix(f"{side}: ") for at in places]
            found.update(zip(places, await vectors.encode(plain, side), strict=True))
    return [found[at] for at in range(len(texts))]


def _shortened(vector: Vector, length: int) -> Vector:
    """The first numbers, again of length 1, as OpenAI shortens."""
    return unit(vector[:length]) if length < len(vector) else vector


def _written(vector: Vector, form: str) -> Any:
    return vector if form == "float" else base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
