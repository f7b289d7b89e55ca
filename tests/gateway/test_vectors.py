"""Vectors, rankings, verdicts and legacy completions through the gateway, asked for by the vendors' own SDKs."""

import base64
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import cohere
import openai
import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.house import House

E5 = "multilingual-e5-small"
DOCUMENTS = ["Dogs bark at the moon.", "A cat purrs on the sofa.", "Ships sail."]
QUERY = "purrs on the sofa"
RERANKERS = {
    "rerank-v3.5": "sandbox-cohere",
    "jina-reranker-v2-base-multilingual": "sandbox-jina",
    "bge-reranker-v2-m3": "sandbox-xinference",
    "BAAI/bge-reranker-v2-m3": "sandbox-siliconflow",
}
every_reranker = pytest.mark.parametrize("model", RERANKERS)


async def last_call(house: House) -> Any:
    """The row of the log."""
    await house.app.house.closings.settled(house.wallet)
    return await house.app.house.db.read(
        lambda conn: (
            conn.execute(text("SELECT * FROM call ORDER BY started_at DESC, request_id DESC")).mappings().first()
        )
    )


async def test_vectors_as_numbers(house: House) -> None:
    """One for each input, of length 1, in their order, the same for the same text; the tokens are charged."""
    made = await house.openai.embeddings.create(model=E5, input=["a cat", "a dog", "a cat"], encoding_format="float")
    vectors = [one.embedding for one in made.data]

    assert [one.index for one in made.data] == [0, 1, 2]
    assert {len(vector) for vector in vectors} == {384}
    assert vectors[0] == vectors[2] != vectors[1]
    assert sum(value * value for value in vectors[0]) == pytest.approx(1)
    assert made.usage.prompt_tokens == made.usage.total_tokens > 0
    assert await house.spent() == made.usage.prompt_tokens * 20


async def test_vectors_as_the_sdk_asks_for_them(house: House) -> None:
    """Unasked, the SDK wants base64 and reads it: the vectors are the same but for the bits of float32."""
    numbers = await house.openai.embeddings.create(model=E5, input="a cat", encoding_format="float")
    unasked = await house.openai.embeddings.create(model=E5, input="a cat")

    assert unasked.data[0].embedding == pytest.approx(numbers.data[0].embedding, abs=1e-7)


async def test_base64_is_float32(house: House) -> None:
    """Four bytes a number, little-endian, as the answer says it on the wire."""
    status, headers, body = await house.post(
        {"model": E5, "input": "a cat", "encoding_format": "base64", "dimensions": 8}, "/v1/embeddings"
    )
    packed = json.loads(body)["data"][0]["embedding"]

    assert (status, headers["x-yibu-channel"]) == (200, "sandbox")
    assert float(headers["x-yibu-cost"]) > 0
    assert len(struct.unpack("<8f", base64.b64decode(packed))) == 8


async def test_shorter_vectors(house: House) -> None:
    """`dimensions` goes through, and what the vendor cannot do comes back as its refusal."""
    made = await house.openai.embeddings.create(model=E5, input="a cat", dimensions=16)

    assert len(made.data[0].embedding) == 16
    with pytest.raises(openai.BadRequestError) as caught:
        await house.openai.embeddings.create(model=E5, input="a cat", dimensions=4096)
    assert caught.value.param == "dimensions"


async def test_token_ids(house: House) -> None:
    """They go through; a vendor with another tokenizer refuses them, and that costs nothing."""
    with pytest.raises(openai.BadRequestError, match="tokenizer"):
        await house.openai.embeddings.create(model=E5, input=[[1, 2], [3]])
    assert (await house.spent(), await house.held()) == (0, 0)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": E5, "input": []}, "$.input"),
        ({"model": E5, "input": ["a", ""]}, "$.input[1]"),
        ({"model": E5, "input": "a", "encoding_format": "int8"}, "$.encoding_format"),
    ],
)
async def test_wrong_requests(house: House, body: dict[str, Any], param: str) -> None:
    """The gateway's own words, with the path of the wrong member."""
    status, _, said = await house.post(body, "/v1/embeddings")

    assert (status, json.loads(said)["error"]["param"]) == (400, param)


async def test_the_engine_in_the_path(house: House) -> None:
    """What old clients call works too."""
    status, _, body = await house.post({"input": "a cat"}, f"/v1/engines/{E5}/embeddings")

    assert status == 200
    assert json.loads(body)["model"] == E5


async def test_a_vendor_that_does_not_count(house: House) -> None:
    """Its tokens are estimated: in the answer, in the bill, and marked in the log."""
    status, headers, body = await house.post({"model": "sandbox/no-usage", "input": "a" * 40}, "/v1/embeddings")
    row = await last_call(house)

    assert status == 200
    assert json.loads(body)["usage"] == {"prompt_tokens": 10, "total_tokens": 10}
    assert (row["operation"], row["dialect"], row["is_estimated"]) == ("embed", "openai_embeddings", True)
    assert json.loads(row["units"]) == {"input": 10}
    assert float(headers["x-yibu-cost"]) == row["cost"] / 1e9


@pytest.mark.parametrize("model", ["sandbox/bad-json", "sandbox/error-500", "sandbox/cut-mid-stream", "sandbox/html"])
async def test_bad_days(house: House, model: str) -> None:
    """A vendor that breaks is an error of the vendor's, and costs nothing."""
    status, _, body = await house.post({"model": model, "input": "a"}, "/v1/embeddings")

    assert (status, json.loads(body)["error"]["code"]) == (502, "upstream_broken")
    assert (await house.spent(), await house.held()) == (0, 0)


@pytest_asyncio.fixture
async def old(house: House) -> AsyncIterator[cohere.AsyncClient]:
    """Cohere's SDK as it speaks version 1."""
    async with cohere.AsyncClient(api_key=house.key, base_url=house.url) as client:
        yield client


@pytest_asyncio.fixture
async def new(house: House) -> AsyncIterator[cohere.AsyncClientV2]:
    """And version 2."""
    async with cohere.AsyncClientV2(api_key=house.key, base_url=house.url) as client:
        yield client


@every_reranker
async def test_cohere_version_1(house: House, old: cohere.AsyncClient, model: str) -> None:
    """Cohere's SDK ranks with every vendor's model: objects, documents, units of search."""
    objects = [{"id": at, "text": one} for at, one in enumerate(DOCUMENTS)]
    made = await old.rerank(
        model=model, query=QUERY, documents=objects, rank_fields=["text"], top_n=2, return_documents=True
    )

    assert made.results[0].index == 1
    assert len(made.results) == 2
    assert made.results[0].document is not None
    assert made.results[0].document.text == DOCUMENTS[1]
    assert made.meta is not None
    assert made.meta.billed_units is not None
    assert made.meta.billed_units.search_units == 1
    assert made.id
    row = await last_call(house)
    assert (row["channel"], row["operation"], row["cost"]) == (RERANKERS[model], "rerank", 1_000_000)


@every_reranker
async def test_cohere_version_2(house: House, new: cohere.AsyncClientV2, model: str) -> None:
    """And in the second version."""
    made = await new.rerank(model=model, query=QUERY, documents=DOCUMENTS, top_n=1)

    assert [one.index for one in made.results] == [1]
    assert made.results[0].relevance_score > 0
    assert made.id
    assert await house.spent() == 1_000_000


@every_reranker
@pytest.mark.parametrize(
    ("members", "shape"),
    [
        ({}, None),
        ({"max_doc_length": 512}, "jina"),
        ({"return_len": True}, "xinference"),
        ({"overlap_tokens": 8}, "siliconflow"),
        ({"rank_fields": ["text"]}, "cohere"),
    ],
)
async def test_each_in_his_own_shape(house: House, model: str, members: dict[str, Any], shape: str | None) -> None:
    """Four formats on one path: whoever serves the model, the caller reads his own."""
    asked = {"model": model, "query": QUERY, "documents": [{"text": one} for one in DOCUMENTS], **members}
    if shape in ("xinference", "siliconflow") or not members:
        asked["documents"] = DOCUMENTS
    status, _, body = await house.post(asked, "/v1/rerank")
    answer = json.loads(body)
    by_name = {"rerank-v3.5": "cohere", "BAAI/bge-reranker-v2-m3": "siliconflow"}
    first = answer["results"][0]

    assert status == 200, body
    assert first["index"] == 1
    match shape or by_name.get(model, "jina"):
        case "jina":
            assert first["document"] == {"text": DOCUMENTS[1]}
            assert answer["usage"]["total_tokens"] > 0
        case "xinference":
            assert first["document"] is None
            assert answer["meta"]["tokens"]["input_tokens"] == answer["meta"]["tokens"]["output_tokens"] > 0
        case "siliconflow":
            assert "document" not in first
            assert answer["meta"]["tokens"]["input_tokens"] > 0
        case "cohere":
            assert "document" not in first
            assert answer["meta"]["billed_units"]["search_units"] == 1


@pytest.mark.parametrize(
    ("path", "headers", "member"),
    [
        ("/v1/rerank", {}, "detail"),
        ("/v1/rerank", {"user-agent": "cohere/7.3.1"}, "message"),
        ("/v2/rerank", {}, "message"),
    ],
)
async def test_errors_in_each_shape(house: House, path: str, headers: dict[str, str], member: str) -> None:
    """Errors are told as the caller's vendor tells them."""
    status, _, body = await house.post({"model": "nobody", "query": "q", "documents": ["a"]}, path, **headers)

    assert status == 404
    assert "`nobody` does not exist" in json.loads(body)[member]


async def test_cohere_reads_our_errors(new: cohere.AsyncClientV2) -> None:
    """Its SDK raises what it raises for Cohere."""
    with pytest.raises(cohere.errors.BadRequestError, match="no documents"):
        await new.rerank(model="rerank-v3.5", query="q", documents=[])


async def test_vectors_for_coheres_sdk(house: House, new: cohere.AsyncClientV2) -> None:
    """Cohere's SDK gets vectors of a model that lives behind OpenAI's format; what it meant them for is a declared loss."""
    made = await new.embed(
        model=E5, texts=["a cat", "a dog"], input_type="search_query", embedding_types=["float"], output_dimension=16
    )
    row = await last_call(house)

    assert made.embeddings.float_ is not None
    assert [len(vector) for vector in made.embeddings.float_] == [16, 16]
    assert [loss["where"] for loss in json.loads(row["losses"])] == ["$.input_type"]


async def test_verdicts(house: House) -> None:
    """One for each text; a text with pictures is judged as one; the sandbox gives it away."""
    made = await house.openai.moderations.create(input=["I love cats.", "I will kill you."])
    mixed = await house.openai.moderations.create(
        model="omni-moderation-latest",
        input=[
            {"type": "text", "text": "a knife"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        ],
    )

    assert [one.flagged for one in made.results] == [False, True]
    assert made.results[1].categories.harassment_threatening
    assert mixed.results[0].category_applied_input_types.violence == ["text", "image"]
    assert await house.spent() == 0


async def test_completions(house: House) -> None:
    """Whole and streamed, with usage, echo and probabilities, as the SDK reads them."""
    whole = await house.openai.completions.create(
        model="sandbox/rules", prompt="Once", max_tokens=40, echo=True, logprobs=1
    )
    stream = await house.openai.completions.create(
        model="sandbox/rules", prompt="Once", max_tokens=40, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    assert whole.choices[0].text == "OnceYou said: Once"
    assert whole.choices[0].logprobs is not None
    assert "".join(whole.choices[0].logprobs.tokens or ()) == "You said: Once"
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == "You said: Once"
    assert whole.usage == chunks[-1].usage
    assert await house.spent() > 0


async def test_usage_that_nobody_asked_for_is_hidden(house: House) -> None:
    """It is asked for all the same, for the bill."""
    stream = await house.openai.completions.create(model="sandbox/rules", prompt="Once", stream=True)
    chunks = [chunk async for chunk in stream]
    row = await last_call(house)

    assert all(chunk.choices for chunk in chunks)
    assert not row["is_estimated"]
    assert row["cost"] > 0


async def test_completions_of_a_model_that_only_chats(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the vendor has no such interface for the model, the prompt is a question: the same words, echo and all."""
    provider = type(house.app.house.directory().channels[0].provider)
    monkeypatch.setattr(provider, "understands", lambda self, dialect, model: dialect == "openai_chat")
    whole = await house.openai.completions.create(
        model="sandbox/rules", prompt="Once", max_tokens=40, echo=True, logprobs=1
    )
    stream = await house.openai.completions.create(model="sandbox/rules", prompt="Once", stream=True, n=2)
    said = {0: "", 1: ""}
    async for chunk in stream:
        for choice in chunk.choices:
            said[choice.index] += choice.text

    assert whole.object == "text_completion"
    assert whole.id.startswith("cmpl-")
    assert whole.choices[0].text == "OnceYou said: Once"
    assert whole.choices[0].logprobs is not None
    assert whole.choices[0].logprobs.text_offset == [4, 7, 12, 13]
    assert said == {0: "You said: Once", 1: "You said: Once"}
    with pytest.raises(openai.BadRequestError) as caught:
        await house.openai.completions.create(model="sandbox/rules", prompt=[1, 2])
    assert caught.value.param == "$.prompt"


async def test_models_say_what_to_call(house: House) -> None:
    """Tools choose by it."""
    _, _, body = await house.get("/v1/models")
    kinds = {one["id"]: one["supported_endpoint_types"] for one in json.loads(body)["data"]}

    assert kinds[E5] == ["embeddings"]
    assert kinds["BAAI/bge-reranker-v2-m3"] == kinds["rerank-v3.5"] == ["jina-rerank"]
