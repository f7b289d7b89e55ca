"""The official `cohere` SDK for Python, vectors."""

import base64
import struct
from importlib.metadata import version
from typing import Any

import cohere
import httpx

from compat.matrix.client import Client, Declared, Desk, checks_of, raises, run_checks
from compat.matrix.feature import VECTORS
from compat.stand import OTHERS

TEXTS = ["a cat", "a dog", "a cat"]
LENGTH = 384


class Sdk:
    """The client and a short way to ask it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        http = httpx.Client(event_hooks={"response": [desk.listen]}, timeout=60)
        self.client = cohere.ClientV2(api_key=desk.key, base_url=desk.url, httpx_client=http)

    def embed(self, form: str, *, model: str = "", texts: Any = None, **more: Any) -> Any:
        return self.client.embed(
            model=self.desk.model(model or OTHERS[self.desk.upstream][2]),
            texts=TEXTS if texts is None else texts,
            input_type="search_document",
            embedding_types=[form],
            request_options={"max_retries": 0},
            **more,
        )


def check_float(sdk: Sdk) -> None:
    one, other, again = sdk.embed("float").embeddings.float_
    assert len(one) == LENGTH
    assert one == again != other


def check_base64(sdk: Sdk) -> None:
    [packed] = sdk.embed("base64", texts=["a cat"]).embeddings.base64
    [vector] = sdk.embed("float", texts=["a cat"]).embeddings.float_
    found = struct.unpack(f"<{LENGTH}f", base64.b64decode(packed))
    assert all(abs(one - other) < 1e-6 for one, other in zip(found, vector, strict=True))


def check_int8(sdk: Sdk) -> None:
    try:
        [vector, *_] = sdk.embed("int8").embeddings.int8
    except cohere.errors.BadRequestError as error:
        message = error.body["message"]
        assert "$.embedding_types" in message
        raise Declared(message) from error
    assert all(-128 <= one <= 127 for one in vector)


def check_dimensions(sdk: Sdk) -> None:
    assert {len(one) for one in sdk.embed("float", output_dimension=16).embeddings.float_} == {16}


def check_usage(sdk: Sdk) -> None:
    assert sdk.embed("float").meta.billed_units.input_tokens > 0


def check_busy(sdk: Sdk) -> None:
    raises(cohere.errors.TooManyRequestsError, lambda: sdk.embed("float", model="busy-429"))


def check_wrong(sdk: Sdk) -> None:
    error = raises(cohere.errors.BadRequestError, lambda: sdk.embed("float", texts=["a", 5]))
    assert "$.texts[1]" in error.body["message"]


CLIENT = Client(
    "cohere (Python), Embed v2",
    version("cohere"),
    "cohere_embed",
    run_checks(Sdk, checks_of(globals()), VECTORS),
    VECTORS,
)
