"""Vectors, rankings and verdicts over real HTTP: every caller's format against every vendor's."""

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator
from typing import Any, ClassVar, cast

import pytest
import pytest_asyncio
from aiohttp import web

from tests.house import free_port
from yibu.catalog.model import Model
from yibu.catalog.price import Sheet
from yibu.dialects import call_dialects
from yibu.dialects.dialect import Target
from yibu.hub.errors import Broken, HubError
from yibu.hub.usage import Meter
from yibu.kit.http import Client
from yibu.kit.settings import Limits
from yibu.providers.provider import Provider
from yibu.relay.call import Call, Outcome, Wires
from yibu.relay.pipe import pipe
from yibu.relay.reply import Message, Reply
from yibu.relay.translate import translate
from yibu.routing.channel import Channel
from yibu.routing.credentials import Credentials
from yibu.routing.plan import Attempt, Plan

SHEET = Sheet("m", {Meter.INPUT: 1_000_000, Meter.SEARCH: 10**15})
VECTOR = [0.5, -0.25]
RANKED = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.25}]
DOCUMENTS = ["Dogs bark.", "Cats purr."]
TOKENS = {"input_tokens": 9, "output_tokens": 0}
RANKINGS: dict[str, Any] = {
    "cohere_rerank": {"id": "c1", "results": RANKED, "meta": {"billed_units": {"search_units": 1}}},
    "cohere_rerank_v2": {"id": "c2", "results": RANKED, "meta": {"billed_units": {"search_units": 1}}},
    "jina_rerank": {
        "model": "m",
        "object": "list",
        "usage": {"total_tokens": 9},
        "results": [{**one, "document": "cut"} for one in RANKED],
    },
    "xinference_rerank": {
        "id": "x1",
        "results": [{**one, "document": None} for one in RANKED],
        "meta": {"billed_units": None, "tokens": {"input_tokens": 9, "output_tokens": 9}},
    },
    "siliconflow_rerank": {"id": "s1", "results": RANKED, "meta": {"billed_units": TOKENS, "tokens": TOKENS}},
}


class Everything(Provider):
    """A vendor who speaks every format. Docs: none, read never."""

    id: ClassVar[str] = "everything"
    title: ClassVar[str] = "Everything"
    speaks = {name: f"/v1/{name}" for name in call_dialects()}


class Vendor:
    """Answers in the format that the path names, and remembers what it was asked; `answer` wins if it is set."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: dict[str, Any] = {}
        self.calls: list[dict[str, Any]] = []
        self.answer: Any = None

    async def serve(self, request: web.Request) -> web.Response:
        self.asked = await request.json()
        self.calls.append(self.asked)
        dialect = request.path.rpartition("/")[2]
        return web.json_response(self.answer or RANKINGS.get(dialect) or self.embed(dialect))

    def embed(self, dialect: str) -> Any:
        """Numbers, whatever was asked for; only Cohere gives what it is told to."""
        if dialect == "cohere_embed":
            form = self.asked["embedding_types"][0]
            vector = base64.b64encode(struct.pack("<2f", *VECTOR)).decode() if form == "base64" else VECTOR
            vectors = [vector] * len(self.asked["texts"])
            return {"id": "e1", "embeddings": {form: vectors}, "meta": {"billed_units": {"input_tokens": 4}}}
        said = self.asked["input"]
        data = [{"index": at, "embedding": VECTOR} for at in range(len(said) if isinstance(said, list) else 1)]
        return {"object": "list", "model": "up", "data": data, "usage": {"total_tokens": 4}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing() -> AsyncIterator[Vendor]:
    made = Vendor()
    app = web.Application()
    app.router.add_post("/v1/{dialect}", made.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    await runner.cleanup()


@pytest.fixture
def vendor(standing: Vendor) -> Vendor:
    standing.answer = None
    standing.calls = []
    return standing


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Client]:
    made = Client()
    yield made
    await made.close()


class FewWires:
    """What these carriers use of the wires."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.credentials = Credentials(client)
        self.limits = Limits()


async def ask(caller: str, spoken: str, body: dict[str, Any], vendor: Vendor, client: Client) -> tuple[Any, Outcome]:
    """What the customer gets, and how it went."""
    dialect = call_dialects()[caller]
    channel = Channel("c", Everything(), f"http://127.0.0.1:{vendor.port}", ("",), {"m": "up"}, {})
    attempt = Attempt(channel, 0, "up", spoken)
    call = Call(
        request_id="req_1",
        key_id="key_1",
        wallet=1,
        dialect=dialect,
        intent=dialect.sniff(json.dumps(body).encode(), Target()),
        plan=Plan(Model("m"), SHEET, (attempt,)),
        public_url="http://127.0.0.1",
        started_at=0,
    )
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    reply = Reply(send, asyncio.Event().wait, [])  # type: ignore[arg-type]
    outcome = Outcome()
    carry = pipe if caller == spoken else translate
    await carry(call, attempt, reply, cast(Wires, FewWires(client)), outcome)
    return json.loads(b"".join(sent)), outcome


RERANK = {"model": "m", "query": "Which animal purrs?", "documents": DOCUMENTS}


@pytest.mark.parametrize("spoken", RANKINGS)
@pytest.mark.parametrize("caller", RANKINGS)
@pytest.mark.asyncio(loop_scope="module")
async def test_rankings(caller: str, spoken: str, vendor: Vendor, client: Client) -> None:
    """Five formats in, five out: the caller's shape, his own documents, both ways of counting."""
    body = dict(RERANK) if caller == "cohere_rerank_v2" else {**RERANK, "return_documents": True}
    answer, outcome = await ask(caller, spoken, body, vendor, client)

    assert vendor.asked["model"] == "up"
    assert [(one["index"], one["relevance_score"]) for one in answer["results"]] == [(1, 0.9), (0, 0.25)]
    assert outcome.usage
    assert outcome.usage.units[Meter.SEARCH] == 1
    assert outcome.usage.is_estimated == spoken.startswith("cohere")
    if caller != spoken:
        echoed = [one.get("document") for one in answer["results"]]
        assert echoed == ([None, None] if caller == "cohere_rerank_v2" else [{"text": t} for t in DOCUMENTS[::-1]])
        assert answer["id"] in ("req_1", "c1", "c2", "x1", "s1")


VENDORS = ["openai_embeddings", "jina_embeddings", "voyage_embeddings", "cohere_embed"]


@pytest.mark.parametrize("spoken", VENDORS)
@pytest.mark.parametrize("form", ["float", "base64", None])
@pytest.mark.asyncio(loop_scope="module")
async def test_vectors_for_openai(spoken: str, form: str | None, vendor: Vendor, client: Client) -> None:
    """A caller of OpenAI's format gets the form that he asked for from every vendor, and `prompt_tokens`."""
    body = {"model": "m", "input": ["a", "b"], "input_type": "query", **({"encoding_format": form} if form else {})}
    answer, outcome = await ask("openai_embeddings", spoken, body, vendor, client)
    packed = base64.b64encode(struct.pack("<2f", *VECTOR)).decode()

    assert [one["embedding"] for one in answer["data"]] == [packed if form == "base64" else VECTOR] * 2
    assert [one["index"] for one in answer["data"]] == [0, 1]
    assert answer["usage"]["prompt_tokens"] == 4
    assert outcome.usage
    assert (outcome.usage.units, outcome.losses) == ({Meter.INPUT: 4}, [])


@pytest.mark.parametrize("spoken", VENDORS)
@pytest.mark.asyncio(loop_scope="module")
async def test_vectors_for_cohere(spoken: str, vendor: Vendor, client: Client) -> None:
    """A caller of Cohere's format too."""
    body = {"model": "m", "texts": ["a", "b"], "input_type": "search_query", "embedding_types": ["float"]}
    answer, outcome = await ask("cohere_embed", spoken, body, vendor, client)

    assert answer["embeddings"] == {"float": [VECTOR, VECTOR]}
    assert answer["meta"]["billed_units"]["input_tokens"] == 4
    assert answer["id"]
    assert [loss.where for loss in outcome.losses] == (["$.input_type"] if spoken == "openai_embeddings" else [])


@pytest.mark.parametrize("spoken", VENDORS)
@pytest.mark.asyncio(loop_scope="module")
async def test_another_number_of_vectors(spoken: str, vendor: Vendor, client: Client) -> None:
    """Nobody is answered with vectors of which one is missing; another vendor may do better."""
    cohere = {"id": "1", "embeddings": {"float": [VECTOR]}}
    vendor.answer = cohere if spoken == "cohere_embed" else {"data": [{"index": 0, "embedding": VECTOR}]}

    with pytest.raises(Broken):
        await ask("openai_embeddings", spoken, {"model": "m", "input": ["a", "b"]}, vendor, client)


@pytest.mark.asyncio(loop_scope="module")
async def test_uncounted_vectors(vendor: Vendor, client: Client) -> None:
    """What no vendor counted is estimated, and told as it is billed."""
    vendor.answer = {"id": "1", "embeddings": {"float": [VECTOR]}}
    answer, outcome = await ask("openai_embeddings", "cohere_embed", {"model": "m", "input": "a" * 40}, vendor, client)

    assert answer["usage"] == {"prompt_tokens": 10, "total_tokens": 10}
    assert answer["model"] == "m"
    assert outcome.usage
    assert outcome.usage.is_estimated


@pytest.mark.parametrize("spoken", ["cohere_rerank", "jina_rerank"])
@pytest.mark.asyncio(loop_scope="module")
async def test_an_index_that_points_nowhere(spoken: str, vendor: Vendor, client: Client) -> None:
    """A ranking of other documents is no answer, piped or translated."""
    vendor.answer = {"id": "1", "results": [{"index": 2, "relevance_score": 0.5}]}

    with pytest.raises(HubError):
        await ask("jina_rerank", spoken, RERANK, vendor, client)


@pytest.mark.asyncio(loop_scope="module")
async def test_verdicts(vendor: Vendor, client: Client) -> None:
    """Verdicts pass as they are; what they cost is estimated, since nobody counts."""
    result = {"flagged": False, "categories": {"hate": False}, "category_scores": {"hate": 0.1}}
    vendor.answer = {"id": "modr-1", "model": "up", "results": [result]}
    answer, outcome = await ask("openai_moderations", "openai_moderations", {"input": "abcd" * 5}, vendor, client)

    assert answer == vendor.answer
    assert outcome.usage
    assert outcome.usage.units == {Meter.INPUT: 5}


@pytest.mark.asyncio(loop_scope="module")
async def test_more_inputs_than_a_vendor_takes(vendor: Vendor, client: Client) -> None:
    """Cohere takes 96 texts a call: 200 are three calls, one answer in the order of the inputs, and one bill."""
    texts = [f"text {number}" for number in range(200)]
    body = {"model": "m", "input": texts, "input_type": "query"}
    answer, outcome = await ask("openai_embeddings", "cohere_embed", body, vendor, client)

    assert [len(call["texts"]) for call in vendor.calls] == [96, 96, 8]
    assert [text for call in vendor.calls for text in call["texts"]] == texts
    assert [one["index"] for one in answer["data"]] == list(range(200))
    assert outcome.usage
    assert outcome.usage.units == {Meter.INPUT: 12}
    assert answer["usage"]["prompt_tokens"] == 12


@pytest.mark.asyncio(loop_scope="module")
async def test_one_part_fails(vendor: Vendor, client: Client) -> None:
    """Half an answer is none."""
    vendor.answer = {"id": "1", "embeddings": {"float": [VECTOR] * 96}}

    with pytest.raises(Broken):
        await ask("openai_embeddings", "cohere_embed", {"model": "m", "input": ["a"] * 100}, vendor, client)
