"""Whatever is sent to the formats beside chat, and whatever their vendors answer: a clear error, never a crash."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yibu.dialects import call_dialects
from yibu.dialects.dialect import CallDialect, Operation, Target
from yibu.dialects.rerank import Rerank
from yibu.hub.errors import InvalidRequest, UpstreamError

OTHERS = [
    dialect
    for dialect in call_dialects().values()
    if dialect.operation in (Operation.EMBED, Operation.RERANK, Operation.MODERATE)
    or dialect.id == "openai_completions"
]
every_dialect = pytest.mark.parametrize("dialect", OTHERS, ids=lambda dialect: dialect.id)

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
_MEMBERS = """
    model input inputs texts images content type text image image_url url prompt suffix query documents top_n rank_fields
    encoding_format dimensions embedding_types input_type task truncate n best_of logprobs echo stream stop data index
    embedding embeddings float base64 results relevance_score document meta tokens billed_units input_tokens usage
    prompt_tokens total_tokens flagged categories category_scores category_applied_input_types choices finish_reason
    error message top_logprobs token_logprobs requests parts values title
"""
NAMES = st.sampled_from(_MEMBERS.split()) | st.text(max_size=4)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=12
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=8)
SEEDS: dict[Operation, list[dict[str, Any]]] = {
    Operation.EMBED: [
        {"model": "m", "input": ["a"], "texts": ["a"], "requests": [{"content": {"parts": [{"text": "a"}]}}]},
    ],
    Operation.RERANK: [{"model": "m", "query": "q", "documents": ["a", {"text": "b"}]}],
    Operation.MODERATE: [{"input": ["a"]}],
    Operation.CHAT: [{"model": "m", "prompt": "a"}],
}
ANSWERS: list[dict[str, Any]] = [
    {"data": [{"index": 0, "embedding": [0.5]}], "usage": {"total_tokens": 1}},
    {"embeddings": {"float": [[0.5]]}, "meta": {"billed_units": {"input_tokens": 1}}},
    {"results": [{"index": 0, "relevance_score": 0.5, "document": {"text": "a"}}], "meta": {"tokens": None}},
    {"id": "1", "results": [{"flagged": True, "categories": {}, "category_scores": {}}]},
    {"choices": [{"text": "a", "index": 0, "logprobs": {"tokens": ["a"]}, "finish_reason": "stop"}]},
]


def spoil(draw: st.DrawFn, value: Any) -> Any:
    """The same with something else at one place."""
    if draw(st.booleans()) and isinstance(value, dict | list) and value:
        at = draw(st.sampled_from(sorted(value))) if isinstance(value, dict) else draw(st.integers(0, len(value) - 1))
        changed = dict(value) if isinstance(value, dict) else list(value)
        changed[at] = spoil(draw, value[at])
        return changed
    return draw(VALUES)


@st.composite
def requests(draw: st.DrawFn, operation: Operation) -> bytes:
    seed = draw(st.sampled_from(SEEDS[operation]))
    return json.dumps(draw(st.one_of(BODIES, st.just(seed))) | {k: spoil(draw, v) for k, v in seed.items()}).encode()


@every_dialect
@settings(deadline=None)
@given(data=st.data())
def test_requests(dialect: CallDialect, data: st.DataObject) -> None:
    """A request is understood, or refused with the caller's mistake; what is understood can be written for every other format."""
    body = data.draw(requests(dialect.operation))
    target = Target(params={"model": "m"})
    try:
        intent = dialect.sniff(body, target)
        dialect.splice(intent, "up")
        request = dialect.decode_request(body, target)
    except InvalidRequest:
        return
    for other in OTHERS:
        if other.operation is dialect.operation:
            try:
                json.loads(other.encode_request(request, []))
            except InvalidRequest:
                continue


@every_dialect
@settings(deadline=None)
@given(data=st.data())
def test_answers(dialect: CallDialect, data: st.DataObject) -> None:
    """A vendor's answer is understood, or told to be broken, on both ways."""
    seed = data.draw(st.sampled_from(ANSWERS))
    body = json.dumps(seed | data.draw(BODIES) | {k: spoil(data.draw, v) for k, v in seed.items()}).encode()
    intent = dialect.sniff(json.dumps(SEEDS[dialect.operation][0]).encode(), Target(params={"model": "m"}))
    tap = dialect.tap(intent)
    tap.feed(body)
    tap.finish()
    try:
        reply = dialect.decode_reply(body)
        json.loads(dialect.encode_reply(reply, []))
    except UpstreamError:
        pass

    assert tap.failed is None or isinstance(tap.failed, UpstreamError)


@settings(deadline=None)
@given(body=st.binary(max_size=40) | BODIES.map(lambda value: json.dumps(value).encode()))
def test_whose_format(body: bytes) -> None:
    """On the path that several share, some format is always found, or the body is no JSON object."""
    try:
        assert Rerank().told_apart(body, Target()) in call_dialects()
    except InvalidRequest:
        return


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 200_000, b'{"model":"\\ud800"}', b'{"input":' + b"[" * 500 + b"]" * 500]
)
@every_dialect
def test_hostile_bodies(dialect: CallDialect, body: bytes) -> None:
    """No JSON, no UTF-8, half a surrogate, no bottom."""
    with pytest.raises(InvalidRequest):
        dialect.sniff(body, Target(params={"model": "m"}))
