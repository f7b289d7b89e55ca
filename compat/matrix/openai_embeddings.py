"""The official `openai` SDK for Python, Embeddings."""

from typing import Any

import openai

from compat.matrix.client import Client, Desk, checks_of, raises, run_checks
from compat.matrix.feature import VECTORS
from compat.stand import OTHERS

TEXTS = ["a cat", "a dog", "a cat"]
LENGTH = 384


class Sdk:
    """The client and a short way to ask it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.client = openai.OpenAI(base_url=f"{desk.url}/v1", api_key=desk.key, http_client=desk.http, max_retries=0)

    def embed(self, *, model: str = "", texts: Any = None, **more: Any) -> Any:
        name = self.desk.model(model or OTHERS[self.desk.upstream][2])
        return self.client.embeddings.create(model=name, input=TEXTS if texts is None else texts, **more)


def vectors_of(made: Any) -> list[list[float]]:
    return [one.embedding for one in made.data]


def check_float(sdk: Sdk) -> None:
    one, other, again = vectors_of(sdk.embed(encoding_format="float"))
    assert len(one) == LENGTH
    assert one == again != other


def check_base64(sdk: Sdk) -> None:
    """Unasked, this SDK wants base64 and reads it."""
    [packed] = vectors_of(sdk.embed(texts="a cat"))
    [vector] = vectors_of(sdk.embed(texts="a cat", encoding_format="float"))
    assert all(abs(one - other) < 1e-6 for one, other in zip(packed, vector, strict=True))


def check_dimensions(sdk: Sdk) -> None:
    assert {len(one) for one in vectors_of(sdk.embed(dimensions=16))} == {16}


def check_usage(sdk: Sdk) -> None:
    usage = sdk.embed().usage
    assert usage.prompt_tokens == usage.total_tokens > 0


def check_busy(sdk: Sdk) -> None:
    error = raises(openai.RateLimitError, lambda: sdk.embed(model="busy-429"))
    assert error.code == "upstream_busy"


def check_wrong(sdk: Sdk) -> None:
    error = raises(openai.BadRequestError, lambda: sdk.embed(texts=["a", {"b": 5}]))
    assert error.param == "$.input[1]"


CLIENT = Client(
    "openai (Python), Embeddings",
    openai.__version__,
    "openai_embeddings",
    run_checks(Sdk, checks_of(globals()), VECTORS),
    VECTORS,
)
