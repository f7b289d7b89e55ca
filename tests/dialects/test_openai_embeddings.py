"""OpenAI's embeddings: every form of input, both forms of vectors, and vendors who know only one of them."""

import base64
import json
import struct
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpus import answers, needs_corpus, recordings
from yibu.dialects import discover, spoken_dialects
from yibu.dialects.cohere_embed import CohereEmbed
from yibu.dialects.dialect import EmbedDialect, Intent, Operation, Target
from yibu.dialects.jina_embeddings import JinaEmbeddings
from yibu.dialects.openai_embeddings import OpenAIEmbeddings
from yibu.dialects.voyage_embeddings import VoyageEmbeddings
from yibu.hub.embed import EmbedInput, EmbedReply, EmbedRequest, Floats, Packed, Tokens
from yibu.hub.errors import Absent, Broken, InvalidRequest, Refused
from yibu.hub.loss import Loss
from yibu.hub.media import Inline, Url
from yibu.hub.parts import Media, Text
from yibu.hub.usage import Meter, Usage

OPENAI = OpenAIEmbeddings()


def body(**members: Any) -> bytes:
    return json.dumps({"model": "m", **members}).encode()


def packed(*values: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def answer(*embeddings: Any, **members: Any) -> bytes:
    data = [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(embeddings)]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return json.dumps({"object": "list", "data": data, "model": "m", "usage": usage, **members}).encode()


def tapped(intent: Intent, said: bytes) -> tuple[bytes, Any]:
    tap = OPENAI.tap(intent)
    out = tap.feed(said[:7]) + tap.feed(said[7:]) + tap.finish()
    return out, tap


@pytest.mark.parametrize(
    ("said", "inputs", "size"),
    [
        ("a", [Text("a")], 1),
        (["a", "b"], [Text("a"), Text("b")], 2),
        ("你好", [Text("你好")], 6),
        ([1, 2, 3], [Tokens((1, 2, 3))], 12),
        ([[1, 2], [3]], [Tokens((1, 2)), Tokens((3,))], 12),
        ([{"text": "a"}], [Text("a")], 1),
    ],
)
def test_inputs(said: Any, inputs: list[Any], size: int) -> None:
    """An array of integers is one input, an array of arrays many; a token weighs what four letters do."""
    request = OPENAI.decode_request(body(input=said))

    assert [one.parts for one in request.inputs] == [(part,) for part in inputs]
    assert OPENAI.sniff(body(input=said)).text_bytes == size


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"input": ""}, "$.input"),
        ({"input": []}, "$.input"),
        ({"input": ["a", ""]}, "$.input[1]"),
        ({"input": [[1], []]}, "$.input[1]"),
        ({"input": [1, "a"]}, "$.input[0]"),
        ({"input": [-1]}, "$.input"),
        ({"input": [{"video": "x"}]}, "$.input[0]"),
        ({"input": 5}, "$.input"),
        ({}, "$.input"),
        ({"input": "a", "dimensions": 0}, "$.dimensions"),
        ({"input": "a", "dimensions": "8"}, "$.dimensions"),
        ({"input": "a", "encoding_format": "int8"}, "$.encoding_format"),
        ({"input": "a", "model": None}, "$.model"),
    ],
)
def test_wrong_requests(said: dict[str, Any], param: str) -> None:
    """Whatever is wrong is told before anything is paid for, with its path."""
    with pytest.raises(InvalidRequest) as caught:
        OPENAI.sniff(body(**said))

    assert caught.value.param == param


def test_the_model_in_the_path() -> None:
    """Old clients name the model as an engine; the vendor is told it in the body."""
    intent = OPENAI.sniff(b'{"input":"a"}', Target(params={"model": "ada"}))

    assert intent.model == "ada"
    assert json.loads(OPENAI.splice(intent, "up")) == {"input": "a", "model": "up"}


def test_splice_keeps_everything_else() -> None:
    """Of a piped request only the model changes; members that nobody knows stay, in their order."""
    intent = OPENAI.sniff(b'{"zeta": 1.50, "input": [1,2], "model": "a", "encoding_format": "base64"}')

    assert OPENAI.splice(intent, "b") == b'{"zeta":1.50,"input":[1,2],"model":"b","encoding_format":"base64"}'


def test_base64_is_made_from_numbers() -> None:
    """Pitfall 82: a caller who asked for base64 gets it from a vendor who never heard of it (mem0ai/mem0#4057)."""
    out, tap = tapped(OPENAI.sniff(body(input="a", encoding_format="base64")), answer([0.5, -2, 1e-3]))

    assert json.loads(out)["data"][0]["embedding"] == packed(0.5, -2, 1e-3)
    assert tap.usage.units == {Meter.INPUT: 3}
    assert tap.is_finished


def test_numbers_are_made_from_base64() -> None:
    """Pitfall 82: a caller who asked for numbers gets them from a vendor who sends base64 all the same."""
    out, _ = tapped(OPENAI.sniff(body(input="a", encoding_format="float")), answer(packed(0.5, 0.1)))

    assert json.loads(out)["data"][0]["embedding"] == [0.5, struct.unpack("<f", struct.pack("<f", 0.1))[0]]


@pytest.mark.parametrize(("form", "said"), [("float", [0.25]), ("base64", packed(0.25)), (None, [0.25])])
def test_right_answers_stay_bytes(form: str | None, said: Any) -> None:
    """An answer in the form that was asked for goes through as the same bytes, unknown members included."""
    asked = body(input="a", **({"encoding_format": form} if form else {}))
    whole = answer(said, vendor={"x": [1.0]})

    assert tapped(OPENAI.sniff(asked), whole)[0] == whole


def test_usage_without_prompt_tokens() -> None:
    """Voyage counts the total alone; OpenAI's clients read `prompt_tokens`."""
    out, tap = tapped(OPENAI.sniff(body(input="a")), answer([1.0], usage={"total_tokens": 7, "x": 1}))

    assert json.loads(out)["usage"] == {"total_tokens": 7, "x": 1, "prompt_tokens": 7}
    assert tap.usage.units == {Meter.INPUT: 7}


def test_no_usage() -> None:
    """What the vendor did not count is estimated, says so, and stands in the answer."""
    out, tap = tapped(OPENAI.sniff(body(input="a" * 40)), answer([1.0], usage=None))

    assert json.loads(out)["usage"] == {"prompt_tokens": 10, "total_tokens": 10}
    assert tap.usage == Usage({Meter.INPUT: 10}, is_estimated=True)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b'{"data": []}',
        answer([1.0], [2.0]),
        answer(None),
        answer({"int8": [1]}),
        b'{"data":[{"embedding":[NaN]}]}',
    ],
)
def test_broken_answers(said: bytes) -> None:
    """Nonsense, or another number of vectors than inputs, is not passed on."""
    out, tap = tapped(OPENAI.sniff(body(input="a")), said)

    assert (out, type(tap.failed), tap.is_finished) == (b"", Broken, False)


@pytest.mark.parametrize("said", [packed(float("nan")), packed(float("inf")), "AAAA", "%%%", packed(1)[:-1]])
def test_base64_that_is_no_vector(said: str) -> None:
    """Base64 with NaN in it, of a wrong length, or that is none."""
    _, tap = tapped(OPENAI.sniff(body(input="a", encoding_format="float")), answer(said))

    assert isinstance(tap.failed, Broken)


def test_numbers_beyond_float32() -> None:
    """A number that float32 cannot hold is no part of a vector."""
    _, tap = tapped(OPENAI.sniff(body(input="a", encoding_format="base64")), answer([1e300]))

    assert isinstance(tap.failed, Broken)


def test_an_error_with_a_good_status() -> None:
    """An error in place of an answer is the error that it says it is."""
    _, tap = tapped(OPENAI.sniff(body(input="a")), b'{"error":{"message":"too long","type":"invalid_request_error"}}')

    assert isinstance(tap.failed, Refused)


def test_vectors_follow_their_index() -> None:
    """Vectors that come out of order are put where they belong."""
    data = [{"index": 1, "embedding": [1.0]}, {"index": 0, "embedding": [0.0]}]

    assert OPENAI.decode_reply(json.dumps({"data": data}).encode()).vectors == (Floats((0.0,)), Floats((1.0,)))


def test_asked_of_openai() -> None:
    """Base64 is not asked for on another format's behalf; what OpenAI has no word for is a loss."""
    losses: list[Loss] = []
    request = EmbedRequest(
        model="m",
        inputs=(EmbedInput((Text("a"),), title="t"), EmbedInput((Tokens((1, 2)),))),
        purpose="query",
        dimensions=8,
        form="base64",
        truncate="end",
        dialect="gemini_embeddings",
    )

    assert json.loads(OPENAI.encode_request(request, losses)) == {"model": "m", "input": ["a", [1, 2]], "dimensions": 8}
    assert {loss.where for loss in losses} == {"$.input[0].title", "$.input_type", "$.truncate"}


@pytest.mark.parametrize("part", [Media("image", Url("https://x.example/a.png")), Media("audio", Inline("AA"))])
def test_openai_embeds_texts_only(part: Media) -> None:
    """A picture is refused rather than left out."""
    with pytest.raises(InvalidRequest):
        OPENAI.encode_request(EmbedRequest(model="m", inputs=(EmbedInput((part,)),)), [])


def test_jina_is_asked_in_its_words() -> None:
    """The task that a caller of OpenAI's format adds reaches Jina, and so do pictures and members of Jina's own."""
    losses: list[Loss] = []
    said = body(input=[{"image": "data:image/png;base64,AAAA"}, "b"], task="retrieval.query", late_chunking=True)

    assert json.loads(JinaEmbeddings().encode_request(OPENAI.decode_request(said), losses)) == {
        "model": "m",
        "input": [{"image": "data:image/png;base64,AAAA"}, "b"],
        "task": "retrieval.query",
        "late_chunking": True,
    }
    assert losses == []


@pytest.mark.parametrize(
    ("said", "word", "lost"),
    [
        ({"input_type": "query"}, "query", []),
        ({"task_type": "RETRIEVAL_DOCUMENT"}, "document", []),
        ({"task": "code.query"}, "query", ["approximated"]),
        ({}, "document", ["approximated"]),
    ],
)
def test_voyage_is_asked_in_its_words(said: dict[str, str], word: str, lost: list[str]) -> None:
    """The purpose, in whatever vendor's words, becomes Voyage's; the word `float` is never said to it."""
    losses: list[Loss] = []
    written = VoyageEmbeddings().encode_request(
        OPENAI.decode_request(body(input="a", dimensions=256, encoding_format="float", **said)), losses
    )

    assert json.loads(written) == {"model": "m", "input": "a", "output_dimension": 256, "input_type": word}
    assert [loss.kind for loss in losses] == lost


def test_cohere_is_asked_in_its_words() -> None:
    """Texts, a purpose which Cohere demands, one form of vectors."""
    losses: list[Loss] = []
    said = body(input=["a", "b"], input_type="search_query", dimensions=512, encoding_format="base64", user="u")

    assert json.loads(CohereEmbed().encode_request(OPENAI.decode_request(said), losses)) == {
        "model": "m",
        "texts": ["a", "b"],
        "input_type": "search_query",
        "embedding_types": ["base64"],
        "output_dimension": 512,
    }
    assert [loss.where for loss in losses] == ["$.user"]


def test_cohere_takes_documents_unless_told() -> None:
    """Without a purpose the texts are taken for documents, and the caller learns it."""
    losses: list[Loss] = []

    assert json.loads(CohereEmbed().encode_request(OPENAI.decode_request(body(input="a")), losses))["input_type"] == (
        "search_document"
    )
    assert [(loss.kind, loss.where) for loss in losses] == [("approximated", "$.input_type")]


def test_cohere_refuses_tokens() -> None:
    """Token ids of OpenAI's tokenizer would be other words at Cohere."""
    with pytest.raises(InvalidRequest, match="tokenizer"):
        CohereEmbed().encode_request(OPENAI.decode_request(body(input=[1, 2])), [])


def test_cohere_mixes_texts_and_pictures() -> None:
    """Cohere's `inputs` become hub inputs of several parts, and come back as they were."""
    content = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    said = body(inputs=[{"content": content}], input_type="search_query")
    request = CohereEmbed().decode_request(said)

    assert request.inputs == (EmbedInput((Text("a"), Media("image", Inline("AA", "image/png")))),)
    assert json.loads(CohereEmbed().encode_request(request, []))["inputs"] == [{"content": content}]


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"texts": []}, "$.texts"),
        ({"texts": [""]}, "$.texts[0]"),
        ({"inputs": [{"content": []}]}, "$.inputs[0].content"),
        ({"inputs": [{"content": [{"type": "sound"}]}]}, "$.inputs[0].content[0]"),
    ],
)
def test_wrong_requests_to_cohere(said: dict[str, Any], param: str) -> None:
    """The same for Cohere's format."""
    with pytest.raises(InvalidRequest) as caught:
        CohereEmbed().sniff(body(**said))

    assert caught.value.param == param


def test_forms_that_only_cohere_has() -> None:
    """Asked of another vendor, int8 is refused: numbers of another kind would be a wrong answer."""
    with pytest.raises(InvalidRequest) as caught:
        CohereEmbed().decode_request(body(texts=["a"], embedding_types=["float", "int8"]))

    assert caught.value.param == "$.embedding_types"


def test_cohere_counts_in_its_meta() -> None:
    """Tokens come from `billed_units`, and go back into it."""
    said = {"id": "1", "embeddings": {"float": [[0.5]]}, "meta": {"billed_units": {"input_tokens": 4}}}
    reply = CohereEmbed().decode_reply(json.dumps(said).encode())
    other = EmbedReply(model="m", vectors=(Packed(packed(0.5)),), usage=Usage({Meter.INPUT: 9}))
    written = json.loads(CohereEmbed().encode_reply(other, []))

    assert reply.usage is not None
    assert reply.usage.units == {Meter.INPUT: 4}
    assert written["embeddings"] == {"float": [[0.5]]}
    assert written["meta"]["billed_units"] == {"input_tokens": 9}


@needs_corpus
@pytest.mark.parametrize("taken", answers("openai-embeddings"), ids=lambda taken: taken.name)
def test_recorded_answers(taken: Any) -> None:
    """Recorded answers (all of them base64) read as vectors, pass untouched but for what is uncounted, and bill alike."""
    intent = OPENAI.sniff(taken.asked)
    reply = OPENAI.decode_reply(taken.body)
    out, tap = tapped(intent, taken.body)
    sent, told = json.loads(out), json.loads(taken.body)

    assert len(reply.vectors) == len(taken.request["input"])
    assert tap.usage.units == reply.usage.units
    assert sent["usage"].pop("prompt_tokens") == told["usage"]["total_tokens"]
    assert sent == told


@needs_corpus
@pytest.mark.parametrize("taken", answers("cohere-embed-v2"), ids=lambda taken: taken.name)
def test_recorded_answers_of_cohere(taken: Any) -> None:
    """Cohere's recorded requests and answers are read whole, and bill alike both ways."""
    cohere = CohereEmbed()
    request, reply = cohere.decode_request(taken.asked), cohere.decode_reply(taken.body)
    tap = cohere.tap(cohere.sniff(taken.asked))
    passed = tap.feed(taken.body) + tap.finish()

    assert [one.parts[0].text for one in request.inputs] == taken.request["texts"]
    assert reply.vectors == tuple(Floats(tuple(v)) for v in json.loads(taken.body)["embeddings"]["float"])
    assert passed == taken.body
    assert tap.usage == reply.usage


@needs_corpus
def test_recorded_errors() -> None:
    """A model that is not there is told as such by OpenAI and by Voyage."""
    said = [taken for taken in recordings("openai-embeddings") if taken.status != 200]

    assert len(said) == 2
    assert {type(OPENAI.decode_error(one.status, {}, one.body)) for one in said} == {Absent}


NUMBER = st.floats(width=32, allow_nan=False, allow_infinity=False)
VECTOR = st.lists(NUMBER, min_size=1, max_size=8).map(tuple)
FORMATS = [OPENAI, JinaEmbeddings(), VoyageEmbeddings(), CohereEmbed()]
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@pytest.mark.parametrize("dialect", FORMATS, ids=lambda dialect: dialect.id)
@settings(deadline=None)
@given(vectors=st.lists(VECTOR, min_size=1, max_size=3), form=st.sampled_from([None, "float", "base64"]))
def test_replies_there_and_back(dialect: Any, vectors: list[tuple[float, ...]], form: Any) -> None:
    """float32 survives every form in every format, to the last bit."""
    usage = Usage({Meter.INPUT: 5})
    reply = EmbedReply(model="m", vectors=tuple(map(Floats, vectors)), form=form, usage=usage)
    back = dialect.decode_reply(dialect.encode_reply(reply, []))
    numbers = OPENAI.decode_reply(OPENAI.encode_reply(msgspec.structs.replace(back, form="float"), []))

    assert numbers.vectors == tuple(map(Floats, vectors))
    assert back.usage.units == usage.units


@pytest.mark.parametrize("dialect", FORMATS, ids=lambda dialect: dialect.id)
@settings(deadline=None)
@given(
    texts=st.lists(WORDS, min_size=1, max_size=3),
    dimensions=st.none() | st.integers(1, 4096),
    purpose=st.sampled_from(["query", "document"]),
    form=st.sampled_from(["float", "base64"]),
)
def test_requests_there_and_back(dialect: Any, texts: list[str], dimensions: Any, purpose: Any, form: Any) -> None:
    """What every format of embeddings can say survives it."""
    inputs = tuple(EmbedInput((Text(text),)) for text in texts)
    asked = EmbedRequest(
        model="m", inputs=inputs, dimensions=dimensions, purpose=purpose, form=form, dialect=dialect.id
    )
    back = dialect.decode_request(dialect.encode_request(asked, []))

    assert back.inputs == inputs
    assert (back.model, back.dimensions) == ("m", dimensions)
    assert back.purpose == (None if dialect.id == "openai_embeddings" else purpose)
    assert back.form == (None if dialect.id == "voyage_embeddings" and form == "float" else form)


def test_they_are_found() -> None:
    """All of them are there by their files; those who share OpenAI's path have none of their own."""
    found = discover()

    assert {"openai_embeddings", "jina_embeddings", "voyage_embeddings", "cohere_embed"} <= set(found)
    assert found["jina_embeddings"].routes == found["voyage_embeddings"].routes == ()


def test_every_format_says_how_many_inputs_it_takes() -> None:
    """By it a longer list is asked for in several calls."""
    formats = [one for one in spoken_dialects().values() if one.operation is Operation.EMBED]

    assert len(formats) >= 4
    assert all(cast(EmbedDialect, one).most_inputs > 0 for one in formats)
