"""OpenAI's moderations: texts one by one, a mix of texts and pictures as one."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yibu.dialects.openai_moderations import UNNAMED, OpenAIModerations
from yibu.hub.errors import Broken, InvalidRequest
from yibu.hub.loss import Loss
from yibu.hub.media import Inline, Url
from yibu.hub.moderate import ModerateReply, ModerateRequest, Verdict
from yibu.hub.parts import Media, Text

DIALECT = OpenAIModerations()
PARTS = [
    {"type": "text", "text": "a"},
    {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
]
RESULT = {
    "flagged": True,
    "categories": {"violence": True, "self-harm/intent": False},
    "category_scores": {"violence": 0.9, "self-harm/intent": 1e-7},
    "category_applied_input_types": {"violence": ["text", "image"], "self-harm/intent": ["text"]},
}
ANSWER = {"id": "modr-1", "model": "omni-moderation-2024-09-26", "results": [RESULT]}


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    ("said", "inputs"),
    [
        ("a", ((Text("a"),),)),
        (["a", "b"], ((Text("a"),), (Text("b"),))),
        (
            PARTS,
            (
                (
                    Text("a"),
                    Media("image", Url("https://x.example/a.png")),
                    Media("image", Inline("AA", "image/png")),
                ),
            ),
        ),
    ],
)
def test_inputs(said: Any, inputs: Any) -> None:
    """A list of texts is judged one by one, a list of parts as one; both come back as they were written."""
    request = DIALECT.decode_request(body(input=said, model="m"))

    assert request.inputs == inputs
    assert json.loads(DIALECT.encode_request(request, [])) == {"input": said, "model": "m"}


def test_sniff() -> None:
    """Without a model it is OpenAI's latest; texts and pictures are weighed."""
    intent = DIALECT.sniff(body(input=PARTS))

    assert (intent.model, intent.text_bytes, intent.media) == (UNNAMED, 1, 2)
    assert json.loads(DIALECT.splice(intent, "up")) == {"input": PARTS, "model": "up"}


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({}, "$.input"),
        ({"input": []}, "$.input"),
        ({"input": 5}, "$.input"),
        ({"input": ["a", PARTS[0]]}, "$.input[0]"),
        ({"input": [{"type": "audio"}]}, "$.input[0]"),
        ({"input": "a", "model": 5}, "$.model"),
    ],
)
def test_wrong_requests(said: dict[str, Any], param: str) -> None:
    """What is wrong is told with its path."""
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.sniff(body(**said))

    assert caught.value.param == param


def test_answers() -> None:
    """A verdict with its categories, scores and what was looked at; the pipe passes it as it is, and it costs nothing by itself."""
    whole = body(**ANSWER)
    tap = DIALECT.tap(DIALECT.sniff(body(input="a")))
    reply = DIALECT.decode_reply(whole)

    assert tap.feed(whole) + tap.finish() == whole
    assert (tap.usage, tap.is_finished) == (None, True)
    assert reply.verdicts[0].looked_at["violence"] == ("text", "image")
    assert json.loads(DIALECT.encode_reply(reply, [])) == ANSWER


def test_categories_that_were_not_judged() -> None:
    """Older models give null for categories that they do not know."""
    result = {**RESULT, "categories": {"illicit": None}, "category_scores": {"illicit": None}}
    reply = DIALECT.decode_reply(body(**{**ANSWER, "results": [result]}))

    assert reply.verdicts[0].categories == reply.verdicts[0].scores == {}


@pytest.mark.parametrize("said", [b"", b"{}", b'{"results":[{"flagged":"yes"}]}', b"[]"])
def test_broken_answers(said: bytes) -> None:
    """What is no answer is broken on both ways."""
    tap = DIALECT.tap(DIALECT.sniff(body(input="a")))
    tap.feed(said)
    tap.finish()

    assert isinstance(tap.failed, Broken)
    with pytest.raises(Broken):
        DIALECT.decode_reply(said)


def test_what_cannot_be_asked() -> None:
    """Several inputs with pictures have no place in this format; members of another format are losses."""
    losses: list[Loss] = []
    picture = Media("image", Url("https://x.example/a.png"))

    with pytest.raises(InvalidRequest):
        DIALECT.encode_request(ModerateRequest(model="m", inputs=((Text("a"),), (picture,))), [])
    extras = DIALECT.decode_request(body(input="a", x=1)).extras
    DIALECT.encode_request(ModerateRequest(model="m", inputs=((Text("a"),),), dialect="other", extras=extras), losses)
    assert [loss.where for loss in losses] == ["$.x"]


SCORES = st.dictionaries(st.sampled_from(["violence", "hate", "sexual/minors"]), st.floats(0, 1), max_size=3)


@settings(deadline=None)
@given(verdicts=st.lists(st.tuples(st.booleans(), SCORES), min_size=1, max_size=3))
def test_replies_there_and_back(verdicts: list[tuple[bool, dict[str, float]]]) -> None:
    """Verdicts survive the format."""
    judged = tuple(
        Verdict(flagged, {name: score > 0.5 for name, score in scores.items()}, scores) for flagged, scores in verdicts
    )
    reply = ModerateReply(id="modr-1", model="m", verdicts=judged, dialect=DIALECT.id)

    assert DIALECT.decode_reply(DIALECT.encode_reply(reply, [])) == reply
