"""Counting the tokens of a request, and Google's list of models."""

import json
from typing import Any

import pytest

from yibu.dialects import gemini_models
from yibu.dialects.dialect import Target
from yibu.dialects.gemini import DIALECT
from yibu.hub.errors import InvalidRequest
from yibu.hub.parts import Text

TARGET = Target({"model": "public", "verb": "countTokens"})
HI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


@pytest.mark.parametrize(
    "body",
    [
        HI,
        {"generateContentRequest": {"model": "models/public", **HI}},
        {"generate_content_request": {"model": "models/public", **HI}},
        {"systemInstruction": {"parts": [{"text": "s"}]}, **HI},
    ],
)
def test_every_form_of_the_question(body: Any) -> None:
    """Bare contents, a whole request, the members of one as Vertex AI takes them."""
    text = json.dumps(body).encode()
    intent = DIALECT.sniff_count(text, TARGET)
    spliced = json.loads(DIALECT.splice_count(intent, "real"))

    assert (intent.model, intent.body, intent.is_stream) == ("public", text, False)
    assert DIALECT.decode_count(text, TARGET).turns[-1].parts == (Text("hi"),)
    assert [inner["model"] for key, inner in spliced.items() if key.startswith("generate")] == ["models/real"] * (
        "models/public" in text.decode()
    )


def test_the_answer() -> None:
    assert json.loads(DIALECT.encode_count(7)) == {
        "totalTokens": 7,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}],
    }


@pytest.mark.parametrize(
    "body", [b"{}", b'{"contents":[]}', b'{"generateContentRequest":{}}', b'{"generateContentRequest":7}', b"["]
)
def test_questions_that_are_none(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        DIALECT.sniff_count(body, TARGET)
    with pytest.raises(InvalidRequest):
        DIALECT.decode_count(body, TARGET)


MODELS = [gemini_models.wire(name, 8192, ["generateContent"]) for name in ("a", "b", "c")]


def test_pages_of_models() -> None:
    """Each page tells where the next one begins; the last tells nothing."""
    first = json.loads(gemini_models.DIALECT.encode_models(MODELS, {"pageSize": "2"}))
    second = json.loads(gemini_models.DIALECT.encode_models(MODELS, {"pageToken": first["nextPageToken"]}))

    assert [model["name"] for model in first["models"]] == ["models/a", "models/b"]
    assert second == {
        "models": [
            {
                "name": "models/c",
                "displayName": "c",
                "outputTokenLimit": 8192,
                "supportedGenerationMethods": ["generateContent"],
            }
        ]
    }


@pytest.mark.parametrize("query", [{"pageSize": "many"}, {"pageSize": "-1"}, {"pageToken": "models/z"}])
def test_pages_that_are_none(query: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        gemini_models.DIALECT.encode_models(MODELS, query)
