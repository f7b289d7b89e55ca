"""Google's embeddings, one and several."""

import json
from typing import Any

import pytest

from tests.corpus import Recording, name_of, needs_corpus, recordings
from yibu.dialects.dialect import Intent, Target
from yibu.dialects.gemini_embeddings import DIALECT
from yibu.hub.embed import EmbedInput, EmbedReply, EmbedRequest, Floats, Packed, Tokens, fit_embed
from yibu.hub.errors import Broken, InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.media import Inline
from yibu.hub.parts import Media, Text
from yibu.hub.usage import Meter, Usage

ONE = Target({"model": "models/e", "verb": "embedContent"})
MANY = Target({"model": "e", "verb": "batchEmbedContents"})
SINGLE = {
    "model": "models/e",
    "content": {"parts": [{"text": "hi"}]},
    "taskType": "RETRIEVAL_QUERY",
    "outputDimensionality": 8,
}


def decode(members: Any, target: Target = MANY) -> EmbedRequest:
    return DIALECT.decode_request(json.dumps(members).encode(), target)


@needs_corpus
@pytest.mark.parametrize("taken", recordings("gemini-embeddings"), ids=name_of)
def test_recordings(taken: Recording) -> None:
    """Requests come back as they were but for the model, and every vector is read, on both ways alike."""
    target = MANY if taken.request and "requests" in taken.request else ONE
    request = DIALECT.decode_request(taken.asked, target)
    back = json.loads(DIALECT.encode_request(request, []))
    told = taken.request["requests"] if taken.request and target is MANY else [taken.request]
    reply = fit_embed(request, DIALECT.decode_reply(taken.body))

    assert back["requests"] == [{**one, "model": "models/" + request.model} for one in told]
    assert json.loads(DIALECT.encode_reply(reply, [])) == json.loads(taken.body)
    if target is MANY:
        tap = DIALECT.tap(Intent(model="e", body=taken.asked, target=target))
        tap.feed(taken.body)
        assert tap.finish() == taken.body
        assert tap.usage == reply.usage


def test_one_is_asked_for_as_a_batch() -> None:
    """And taken out of its answer again."""
    body = json.dumps(SINGLE).encode()
    intent = DIALECT.sniff(body, ONE)
    tap = DIALECT.tap(intent)
    tap.feed(b'{"embeddings":[{"values":[0.5]}],"usageMetadata":{"promptTokenCount":2}}')

    assert intent.model == "e"
    assert json.loads(DIALECT.splice(intent, "real")) == {"requests": [{**SINGLE, "model": "models/real"}]}
    assert json.loads(tap.finish()) == {"embedding": {"values": [0.5]}, "usageMetadata": {"promptTokenCount": 2}}
    assert tap.usage is not None
    assert tap.usage.units == {Meter.INPUT: 2}
    assert DIALECT.decode_request(body, ONE).is_list is False


def test_a_batch_is_spliced() -> None:
    """Each request in it names the model; all else stays."""
    body = json.dumps({"requests": [{**SINGLE, "later": 1.50}]}).encode()

    assert json.loads(DIALECT.splice(DIALECT.sniff(body, MANY), "real")) == {
        "requests": [{**SINGLE, "model": "models/real", "later": 1.5}]
    }


@pytest.mark.parametrize(
    ("task", "purpose"),
    [
        ("RETRIEVAL_QUERY", "query"),
        ("RETRIEVAL_DOCUMENT", "document"),
        ("SEMANTIC_SIMILARITY", "similarity"),
        ("CLASSIFICATION", "classification"),
        ("CLUSTERING", "clustering"),
        ("QUESTION_ANSWERING", "question"),
        ("FACT_VERIFICATION", "fact"),
        ("CODE_RETRIEVAL_QUERY", "code_query"),
        ("SOMETHING_NEW", None),
    ],
)
def test_every_task(task: str, purpose: str | None) -> None:
    request = decode({"requests": [{**SINGLE, "taskType": task}]})

    assert request.purpose == purpose
    assert json.loads(DIALECT.encode_request(request, []))["requests"][0]["taskType"] == task


@pytest.mark.parametrize(
    ("members", "target"),
    [
        ({}, ONE),
        ({}, MANY),
        ({"requests": []}, MANY),
        ({"content": {"parts": []}}, ONE),
        ({"content": {"parts": [{"text": ""}]}}, ONE),
        ({"content": {"parts": [{"fileless": 1}]}}, ONE),
        ({"requests": [SINGLE, {**SINGLE, "taskType": "CLUSTERING"}]}, MANY),
        ({**SINGLE, "outputDimensionality": 0}, ONE),
    ],
)
def test_what_cannot_be_embedded(members: Any, target: Target) -> None:
    with pytest.raises(InvalidRequest):
        decode(members, target)


def test_from_other_formats() -> None:
    """Titles and pictures are carried, what Google cannot be told is declared, tokens are refused."""
    losses: Losses = []
    inputs = (EmbedInput((Text("a"),), title="T"), EmbedInput((Media("image", Inline("AAAA", "image/png")),)))
    request = EmbedRequest(model="e", inputs=inputs, purpose="document", dimensions=4, truncate="start", user="u")
    common = {"model": "models/e", "taskType": "RETRIEVAL_DOCUMENT", "outputDimensionality": 4}

    assert json.loads(DIALECT.encode_request(request, losses)) == {
        "requests": [
            {"content": {"parts": [{"text": "a"}]}, "title": "T", **common},
            {"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}, **common},
        ]
    }
    assert [(loss.kind, loss.where) for loss in losses] == [("approximated", "$.truncate"), ("dropped", "$.user")]
    with pytest.raises(InvalidRequest):
        DIALECT.encode_request(EmbedRequest(model="e", inputs=(EmbedInput((Tokens((1,)),)),)), [])


def test_vectors_of_others() -> None:
    """Base64 becomes numbers; what was counted is told."""
    reply = EmbedReply(model="m", vectors=(Floats((0.5,)), Packed("AAAAPw==")), usage=Usage({Meter.INPUT: 3}))

    assert json.loads(DIALECT.encode_reply(reply, [])) == {
        "embeddings": [{"values": [0.5]}, {"values": [0.5]}],
        "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3},
    }


@pytest.mark.parametrize("body", [b"{}", b"x", b'{"embeddings":[{"values":["a"]}]}'])
def test_what_is_no_vector(body: bytes) -> None:
    with pytest.raises(Broken):
        DIALECT.decode_reply(body)
