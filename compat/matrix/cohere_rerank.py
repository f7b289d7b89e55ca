"""The official `cohere` SDK for Python, rankings: both versions of its client."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import cohere
import httpx

from compat.matrix.client import Client, Desk, checks_of, raises, run_checks
from compat.matrix.feature import RANKINGS
from compat.stand import OTHERS

DOCUMENTS = ["Dogs bark at the moon.", "A cat purrs on the sofa.", "Ships sail."]
QUERY = "purrs on the sofa"


class Sdk:
    """Both clients and a short way to ask them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        http = httpx.Client(event_hooks={"response": [desk.listen]}, timeout=60)
        self.old = cohere.Client(api_key=desk.key, base_url=desk.url, httpx_client=http)
        self.new = cohere.ClientV2(api_key=desk.key, base_url=desk.url, httpx_client=http)

    def rank(self, client: Any, *, model: str = "", documents: Any = None, **more: Any) -> Any:
        name = self.desk.model(model or OTHERS[self.desk.upstream][2])
        said = DOCUMENTS if documents is None else documents
        once: Any = {"max_retries": 0}
        return client.rerank(model=name, query=QUERY, documents=said, request_options=once, **more)

    def with_both(self, act: Callable[[Any], None]) -> None:
        for client in (self.old, self.new):
            act(client)


def order_of(made: Any) -> list[int]:
    return [one.index for one in made.results]


def check_v1(sdk: Sdk) -> None:
    made = sdk.rank(sdk.old)
    assert sorted(order_of(made)) == [0, 1, 2]
    assert order_of(made)[0] == 1
    assert made.id


def check_v2(sdk: Sdk) -> None:
    made = sdk.rank(sdk.new)
    scores = [one.relevance_score for one in made.results]
    assert order_of(made)[0] == 1
    assert scores == sorted(scores, reverse=True)
    assert made.id


def check_top_n(sdk: Sdk) -> None:
    sdk.with_both(lambda client: same(order_of(sdk.rank(client, top_n=1)), [1]))


def check_documents(sdk: Sdk) -> None:
    assert sdk.rank(sdk.old, return_documents=True).results[0].document.text == DOCUMENTS[1]
    assert sdk.rank(sdk.old).results[0].document is None


def check_objects(sdk: Sdk) -> None:
    objects = [{"number": str(number), "words": text} for number, text in enumerate(DOCUMENTS)]
    assert order_of(sdk.rank(sdk.old, documents=objects, rank_fields=["words"]))[0] == 1


def check_units(sdk: Sdk) -> None:
    sdk.with_both(lambda client: same(sdk.rank(client).meta.billed_units.search_units, 1))


def check_busy(sdk: Sdk) -> None:
    sdk.with_both(lambda client: raises(cohere.errors.TooManyRequestsError, lambda: sdk.rank(client, model="busy-429")))


def check_wrong(sdk: Sdk) -> None:
    def act(client: Any) -> None:
        error = raises(cohere.errors.BadRequestError, lambda: sdk.rank(client, documents=["a", 5]))
        assert "$.documents[1]" in error.body["message"]

    sdk.with_both(act)


def same(one: Any, other: Any) -> None:
    assert one == other, f"{one!r} is not {other!r}"


CLIENT = Client(
    "cohere (Python), Rerank v1 and v2",
    version("cohere"),
    "cohere_rerank",
    run_checks(Sdk, checks_of(globals()), RANKINGS),
    RANKINGS,
)
