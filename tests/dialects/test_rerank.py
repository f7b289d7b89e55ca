"""Five rerank formats: who is who on one path, one request in five words, answers each in their own shape."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yibu.dialects import discover
from yibu.dialects.cohere_rerank import CohereRerank
from yibu.dialects.cohere_rerank_v2 import CohereRerankV2
from yibu.dialects.dialect import Bounds, Intent, Target
from yibu.dialects.jina_rerank import JinaRerank
from yibu.dialects.rerank import Rerank
from yibu.dialects.siliconflow_rerank import SiliconFlowRerank
from yibu.dialects.xinference_rerank import XinferenceRerank
from yibu.hub.errors import Absent, Broken, Busy, InvalidRequest, Refused, UnknownModel
from yibu.hub.loss import Loss
from yibu.hub.media import Url
from yibu.hub.rerank import Document, Ranked, RerankReply, RerankRequest, fit_rerank
from yibu.hub.usage import Meter, Usage

FORMATS: list[Any] = [CohereRerank(), CohereRerankV2(), JinaRerank(), XinferenceRerank(), SiliconFlowRerank()]
every_format = pytest.mark.parametrize("dialect", FORMATS, ids=lambda dialect: dialect.id)
JINA, V1 = JinaRerank(), CohereRerank()


def body(**members: Any) -> bytes:
    return json.dumps({"model": "m", "query": "q", "documents": ["a", "b"], **members}).encode()


@pytest.mark.parametrize(
    ("said", "headers", "dialect"),
    [
        ({}, {"user-agent": "cohere/7.3.1", "x-fern-sdk-name": "cohere"}, "cohere_rerank"),
        ({"model": "jina-x"}, {"user-agent": "cohere/5"}, "cohere_rerank"),
        ({"model": "rerank-v3.5"}, {}, "cohere_rerank"),
        ({"rank_fields": ["title"]}, {}, "cohere_rerank"),
        ({"model": "jina-reranker-v2-base-multilingual"}, {}, "jina_rerank"),
        ({"max_doc_length": 1024}, {}, "jina_rerank"),
        ({"return_len": True}, {}, "xinference_rerank"),
        ({"model": "BAAI/bge-reranker-v2-m3"}, {}, "siliconflow_rerank"),
        ({"model": "Pro/BAAI/bge-reranker-v2-m3"}, {}, "siliconflow_rerank"),
        ({"model": "Qwen/Qwen3-Reranker-8B"}, {}, "siliconflow_rerank"),
        ({"overlap_tokens": 20}, {}, "siliconflow_rerank"),
        ({"instruction": "law"}, {}, "siliconflow_rerank"),
        ({"return_documents": True}, {}, "jina_rerank"),
        ({}, {}, "jina_rerank"),
    ],
)
def test_told_apart(said: dict[str, Any], headers: dict[str, str], dialect: str) -> None:
    """Who calls, what only one format has, the name of the model; who shows nothing is answered as Jina would."""
    assert Rerank().told_apart(body(**said), Target(headers=headers)) == dialect
    assert dialect in discover()


def test_told_apart_from_nonsense() -> None:
    """What is no JSON object is the caller's mistake."""
    for said in (b"", b"[]", b"[" * 100_000):
        with pytest.raises(InvalidRequest):
            Rerank().told_apart(said, Target())


@every_format
@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"query": ""}, "$.query"),
        ({"query": None}, "$.query"),
        ({"documents": []}, "$.documents"),
        ({"documents": "a"}, "$.documents"),
        ({"documents": ["a", 5]}, "$.documents[1]"),
        ({"top_n": 0}, "$.top_n"),
        ({"top_n": "3"}, "$.top_n"),
        ({"model": ""}, "$.model"),
        ({"model": None}, "$.model"),
    ],
)
def test_wrong_requests(dialect: Any, said: dict[str, Any], param: str) -> None:
    """Whatever is wrong is told before anything is paid for, with its path."""
    with pytest.raises(InvalidRequest) as caught:
        dialect.sniff(body(**said))

    assert caught.value.param == param


@pytest.mark.parametrize(("said", "param"), [({"documents": [{}]}, "$.documents[0]"), ({"query": {}}, "$.query")])
def test_empty_objects(said: dict[str, Any], param: str) -> None:
    """An object with nothing in it cannot be ranked."""
    with pytest.raises(InvalidRequest) as caught:
        JINA.decode_request(body(**said))

    assert caught.value.param == param


def test_too_deep() -> None:
    """A document nested beyond the operator's limit is refused."""
    with pytest.raises(InvalidRequest, match="deeper than 4"):
        JINA.within(Bounds(depth=4)).sniff(body(documents=[{"text": "a", "x": [[[[1]]]]}]))


def test_weight() -> None:
    """A query is read with each document; a hundred documents are one unit of search."""
    intent = JINA.sniff(body(query="ab", documents=["c"] * 101))

    assert (intent.text_bytes, intent.searches, intent.model) == (303, 2, "m")


ALL = {
    "top_n": 9,
    "return_documents": True,
    "max_chunks_per_doc": 4,
    "max_tokens_per_doc": 512,
    "overlap_tokens": 8,
    "instruction": "i",
}
PLAIN = {"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2}


@pytest.mark.parametrize(
    ("dialect", "written", "lost"),
    [
        (
            CohereRerankV2(),
            {**PLAIN, "max_tokens_per_doc": 512},
            {"$.max_chunks_per_doc", "$.overlap_tokens", "$.instruction"},
        ),
        (
            CohereRerank(),
            {**PLAIN, "return_documents": False, "max_chunks_per_doc": 4},
            {"$.max_tokens_per_doc", "$.overlap_tokens", "$.instruction"},
        ),
        (
            JinaRerank(),
            {**PLAIN, "return_documents": False, "max_doc_length": 512},
            {"$.max_chunks_per_doc", "$.overlap_tokens", "$.instruction"},
        ),
        (
            XinferenceRerank(),
            {**PLAIN, "return_documents": False, "max_chunks_per_doc": 4, "return_len": True},
            {"$.max_tokens_per_doc", "$.overlap_tokens", "$.instruction"},
        ),
        (
            SiliconFlowRerank(),
            {**PLAIN, "return_documents": False, "max_chunks_per_doc": 4, "overlap_tokens": 8, "instruction": "i"},
            {"$.max_tokens_per_doc"},
        ),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_asked_in_each_format(dialect: Any, written: dict[str, Any], lost: set[str]) -> None:
    """One request in five words: `top_n` clamped, documents never asked back (they are the caller's anyway), losses told."""
    losses: list[Loss] = []
    request = RerankRequest(
        **{name: getattr(V1.decode_request(body(**ALL)), name) for name in RerankRequest.__struct_fields__}
        | {"dialect": "other"}
    )

    assert json.loads(dialect.encode_request(request, losses)) == written
    assert {loss.where for loss in losses} == lost


OBJECTS = [{"title": "Cats", "text": "purr", "year": 1999}, "plain"]


@pytest.mark.parametrize(
    ("dialect", "keys", "documents"),
    [
        (CohereRerank(), ["title", "year"], OBJECTS),
        (CohereRerankV2(), ["title", "year"], ["title: Cats\nyear: 1999", "plain"]),
        (JinaRerank(), None, ["purr", "plain"]),
        (SiliconFlowRerank(), None, ["purr", "plain"]),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_objects(dialect: Any, keys: Any, documents: list[Any]) -> None:
    """Objects go as they are to who takes them, else as the text that `rank_fields` makes of them."""
    request = V1.decode_request(body(documents=OBJECTS, rank_fields=keys))
    written = json.loads(dialect.encode_request(request, []))

    assert written["documents"] == documents
    assert written.get("rank_fields") == (keys if dialect.id == "cohere_rerank" else None)


def test_pictures() -> None:
    """Jina ranks pictures; whoever ranks texts only refuses them."""
    said = body(query={"image": "https://x.example/q.png"}, documents=[{"image": "data:image/png;base64,AA"}, "b"])
    request = JINA.decode_request(said)

    assert request.query_picture == Url("https://x.example/q.png")
    assert json.loads(JINA.encode_request(request, []))["documents"] == [{"image": "data:image/png;base64,AA"}, "b"]
    with pytest.raises(InvalidRequest):
        V1.encode_request(request, [])


def test_splice() -> None:
    """Of a piped request the model changes; Xinference is also asked to count."""
    assert CohereRerankV2().splice(CohereRerankV2().sniff(body(priority=1)), "up") == (
        b'{"model":"up","query":"q","documents":["a", "b"],"priority":1}'
    )
    assert json.loads(XinferenceRerank().splice(XinferenceRerank().sniff(body()), "up"))["return_len"] is True


RESULTS = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]


@pytest.mark.parametrize(
    ("dialect", "members", "units"),
    [
        (CohereRerankV2(), {"meta": {"billed_units": {"search_units": 1}}}, {Meter.SEARCH: 1}),
        (
            CohereRerank(),
            {"meta": {"tokens": {"input_tokens": 90, "output_tokens": 0}, "billed_units": {"search_units": 2}}},
            {Meter.INPUT: 90, Meter.SEARCH: 2},
        ),
        (JinaRerank(), {"usage": {"total_tokens": 815, "prompt_tokens": 815}}, {Meter.INPUT: 815}),
        (JinaRerank(), {"usage": {"total_tokens": 815}}, {Meter.INPUT: 815}),
        (
            XinferenceRerank(),
            {"meta": {"billed_units": None, "tokens": {"input_tokens": 90, "output_tokens": 90}}},
            {Meter.INPUT: 90},
        ),
        (XinferenceRerank(), {"meta": {"tokens": None}}, None),
        (
            SiliconFlowRerank(),
            {
                "meta": {
                    "billed_units": {"input_tokens": 28, "output_tokens": 0, "search_units": 0},
                    "tokens": {"input_tokens": 28, "output_tokens": 0},
                }
            },
            {Meter.INPUT: 28},
        ),
        (SiliconFlowRerank(), {"tokens": {"input_tokens": 28, "output_tokens": 0}}, {Meter.INPUT: 28}),
        (SiliconFlowRerank(), {"meta": {"billed_units": {"input_tokens": 28}}}, {Meter.INPUT: 28}),
    ],
)
def test_counted(dialect: Any, members: dict[str, Any], units: Any) -> None:
    """Each vendor counts in another place; tokens that Xinference repeats as output are not counted twice. Both ways bill alike."""
    said = json.dumps({"results": RESULTS, **members}).encode()
    tap = dialect.tap(dialect.sniff(body()))
    out = tap.feed(said) + tap.finish()
    usage = dialect.decode_reply(said).usage

    assert (usage and usage.units) == units
    assert tap.usage == usage
    assert out == said


@pytest.mark.parametrize("document", [{"text": "A"}, "A"])
def test_documents_in_two_shapes(document: Any) -> None:
    """A document comes as an object or, from some back ends, as a bare string."""
    said = {"results": [{**RESULTS[0], "document": document}]}
    found = XinferenceRerank().decode_reply(json.dumps(said).encode()).results[0].document

    assert found is not None
    assert found.text == "A"


def tapped(intent: Intent, results: list[dict[str, Any]]) -> tuple[Any, Any]:
    tap = JINA.tap(intent)
    out = tap.feed(json.dumps({"results": results, "x": 1}).encode()) + tap.finish()
    return out and json.loads(out), tap


def test_the_pipe_sorts_and_cuts() -> None:
    """A vendor that ignores the order or `top_n` is put right on the way through."""
    out, _ = tapped(JINA.sniff(body(top_n=1)), RESULTS[::-1])

    assert out == {"results": RESULTS[:1], "x": 1}


@pytest.mark.parametrize("index", [2, -1])
def test_the_pipe_checks_indexes(index: int) -> None:
    """An index that points to no document is a broken answer."""
    out, tap = tapped(JINA.sniff(body()), [{"index": index, "relevance_score": 0.5}])

    assert (out, type(tap.failed)) == (b"", Broken)


@pytest.mark.parametrize("said", [b"", b"{}", b'{"results":5}', b'{"results":[{"index":0}]}', b"<html>"])
@every_format
def test_broken_answers(dialect: Any, said: bytes) -> None:
    """What is no answer is broken on both ways."""
    tap = dialect.tap(dialect.sniff(body()))
    tap.feed(said)
    tap.finish()

    assert isinstance(tap.failed, Broken)
    with pytest.raises(Broken):
        dialect.decode_reply(said)


REPLY = RerankReply(
    id="rr-1", model="m", results=(Ranked(1, 0.9), Ranked(0, 0.1)), usage=Usage({Meter.INPUT: 90, Meter.SEARCH: 1})
)
ASKED = V1.decode_request(body(documents=[{"text": "A", "id": 7}, "B"], return_documents=True))
FITTED = fit_rerank(ASKED, REPLY)
ECHOED = [
    {"index": 1, "relevance_score": 0.9, "document": {"text": "B"}},
    {"index": 0, "relevance_score": 0.1, "document": {"text": "A", "id": 7}},
]
COUNTS = {"input_tokens": 90, "output_tokens": 0}


@pytest.mark.parametrize(
    ("dialect", "written"),
    [
        (
            CohereRerank(),
            {
                "id": "rr-1",
                "results": ECHOED,
                "meta": {"api_version": {"version": "1"}, "billed_units": {"search_units": 1}, "tokens": COUNTS},
            },
        ),
        (
            CohereRerankV2(),
            {
                "id": "rr-1",
                "results": RESULTS,
                "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
            },
        ),
        (
            JinaRerank(),
            {
                "id": "rr-1",
                "object": "list",
                "model": "m",
                "results": ECHOED,
                "meta": {"api_version": {"version": "1"}, "billed_units": {"search_units": 1}, "tokens": COUNTS},
                "usage": {"prompt_tokens": 90, "completion_tokens": 0, "total_tokens": 90},
            },
        ),
        (
            XinferenceRerank(),
            {
                "id": "rr-1",
                "results": ECHOED,
                "meta": {
                    "api_version": None,
                    "billed_units": None,
                    "tokens": {"input_tokens": 90, "output_tokens": 90},
                    "warnings": None,
                },
            },
        ),
        (
            SiliconFlowRerank(),
            {
                "id": "rr-1",
                "results": ECHOED,
                "meta": {"billed_units": {**COUNTS, "search_units": 0, "classifications": 0}, "tokens": COUNTS},
            },
        ),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_answered_in_each_shape(dialect: Any, written: dict[str, Any]) -> None:
    """Each format has its own shape; the caller's documents come back with all their keys."""
    assert json.loads(dialect.encode_reply(FITTED, [])) == written


def test_xinference_has_a_null_document() -> None:
    """Unasked, Xinference gives `document` as null where the others leave it out."""
    assert json.loads(XinferenceRerank().encode_reply(REPLY, []))["results"][0]["document"] is None
    assert "document" not in json.loads(JINA.encode_reply(REPLY, []))["results"][0]


def test_documents_unasked() -> None:
    """Jina gives documents back unless told not to; the others only when told to."""
    wanted = {dialect.id for dialect in FORMATS if dialect.decode_request(body()).return_documents}

    assert wanted == {"jina_rerank"}
    assert not JINA.decode_request(body(return_documents=False)).return_documents


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        (CohereRerank(), {"id": "req_1", "message": "No such model. ($.model)"}),
        (
            JinaRerank(),
            {"detail": "No such model. (request id: req_1)", "code": "model_not_found", "param": "$.model"},
        ),
        (
            SiliconFlowRerank(),
            {
                "code": 20012,
                "message": "No such model. (request id: req_1)",
                "data": {"code": "model_not_found", "param": "$.model"},
            },
        ),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_errors_in_each_shape(dialect: Any, said: dict[str, Any]) -> None:
    """Errors look as those of each vendor."""
    error = UnknownModel("No such model.", param="$.model")

    assert json.loads(dialect.encode_error(error, "req_1")) == said
    assert dialect.error_status(error) == 404


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (404, {"message": "model 'x' not found"}, Absent),
        (400, {"id": "1", "message": "invalid request: documents must not be empty"}, Refused),
        (400, {"detail": "Model not found in the model list, uid: x"}, Absent),
        (422, {"detail": [{"loc": ["body", "query"], "msg": "field required"}]}, Refused),
        (400, {"code": 20012, "message": "Model does not exist. Please check it carefully.", "data": None}, Absent),
        (429, "Too many", Busy),
    ],
)
def test_errors_are_understood(status: int, said: Any, kind: type) -> None:
    """What vendors say, in any of their shapes, is sorted into the situation it means."""
    assert type(JINA.decode_error(status, {}, json.dumps(said).encode())) is kind


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@every_format
@settings(deadline=None)
@given(
    query=WORDS,
    documents=st.lists(WORDS, min_size=1, max_size=4),
    top_n=st.none() | st.integers(1, 4),
    return_documents=st.booleans(),
)
def test_requests_there_and_back(
    dialect: Any, query: str, documents: list[str], top_n: int | None, return_documents: bool
) -> None:
    """What every rerank format can say survives it."""
    asked = RerankRequest(
        model="m",
        query=query,
        documents=tuple(map(Document, documents)),
        top_n=top_n,
        return_documents=return_documents,
        dialect=dialect.id,
    )
    back = dialect.decode_request(dialect.encode_request(asked, []))

    assert (back.query, back.documents) == (query, asked.documents)
    assert back.top_n == (top_n and min(top_n, len(documents)))
    assert back.return_documents == (return_documents and dialect.id != "cohere_rerank_v2")


@every_format
@settings(deadline=None)
@given(scores=st.lists(st.floats(-9, 9), min_size=1, max_size=4), tokens=st.integers(0, 10_000))
def test_replies_there_and_back(dialect: Any, scores: list[float], tokens: int) -> None:
    """Order and scores survive every format; tokens those that have a place for them."""
    ranked = tuple(Ranked(at, score) for at, score in enumerate(sorted(scores, reverse=True)))
    reply = RerankReply(id="1", model="m", results=ranked, usage=Usage({Meter.INPUT: tokens, Meter.SEARCH: 1}))
    back = dialect.decode_reply(dialect.encode_reply(reply, []))

    assert back.results == ranked
    assert back.usage.units.get(Meter.INPUT) == (None if dialect.id == "cohere_rerank_v2" else tokens)
