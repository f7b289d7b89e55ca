"""Bedrock's Converse format as raw HTTP; its frames are taken apart by hand here, checksums included."""

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.sandbox.conftest import TOKEN
from tests.sandbox.test_chat import red_picture
from tests.sandbox.test_kinds import PDF

SPEC = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
}
TOOLS = {"toolConfig": {"tools": [{"toolSpec": SPEC}]}}
THINKING = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}
CITIES = "Weather in Rome and Paris"


@pytest.fixture(scope="module")
def http(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, headers={"authorization": f"Bearer {TOKEN}"}, timeout=20) as client:
        yield client


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": block} if isinstance(block, str) else block for block in blocks]}


def body(*blocks: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [user(*(blocks or ("count to 3",)))]} | more


def post(http: httpx2.Client, value: Any, model: str = "rules", method: str = "converse") -> Any:
    return http.post(f"/model/sandbox%2F{model}/{method}", json=value)


def ask(http: httpx2.Client, *blocks: Any, model: str = "rules", **more: Any) -> Any:
    answer = post(http, body(*blocks, **more), model)
    assert answer.status_code == 200, answer.text
    return answer.json()


def content_of(answer: Any) -> Any:
    return answer["output"]["message"]["content"]


def frames(http: httpx2.Client, *blocks: Any, model: str = "rules", **more: Any) -> list[tuple[str, Any]]:
    """Name and payload of each frame; both checksums are right."""
    answer = post(http, body(*blocks, **more), model, "converse-stream")
    assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
    data, told = answer.content, []
    while data:
        total, head, checksum = struct.unpack(">III", data[:12])
        one, data = data[:total], data[total:]
        assert zlib.crc32(one[:8]) == checksum
        assert zlib.crc32(one[:-4]) == struct.unpack(">I", one[-4:])[0]
        headers = _headers(one[12 : 12 + head])
        payload = json.loads(one[12 + head : -4])
        payload.pop("p", None)
        told.append((headers.get(":event-type") or headers[":exception-type"], payload))
    return told


def _headers(raw: bytes) -> dict[str, str]:
    found = {}
    while raw:
        name = raw[1 : 1 + raw[0]].decode()
        raw = raw[1 + raw[0] :]
        (length,) = struct.unpack(">H", raw[1:3])
        assert raw[0] == 7
        found[name] = raw[3 : 3 + length].decode()
        raw = raw[3 + length :]
    return found


def result(use: dict[str, Any], text: str) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": use["toolUse"]["toolUseId"], "content": [{"text": text}]}}


def test_an_answer(http: httpx2.Client) -> None:
    """A whole answer has message, reason and counts."""
    assert ask(http) == {
        "output": {"message": {"role": "assistant", "content": [{"text": "1 2 3"}]}},
        "stopReason": "end_turn",
        "metrics": {"latencyMs": 1},
        "usage": {
            "inputTokens": 7,
            "outputTokens": 3,
            "totalTokens": 10,
            "cacheReadInputTokens": 0,
            "cacheWriteInputTokens": 0,
        },
    }


def test_a_stream_is_made_of_binary_frames(http: httpx2.Client) -> None:
    """In the order of ConverseStream, with the counts of the whole answer at the end."""
    told = frames(http)

    assert [name for name, _ in told] == [
        "messageStart",
        *["contentBlockDelta"] * 3,
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert [payload["delta"]["text"] for name, payload in told if name == "contentBlockDelta"] == ["1", " 2", " 3"]
    assert told[-1][1]["usage"] == ask(http)["usage"]


def test_calls_and_their_results(http: httpx2.Client) -> None:
    """Streamed and whole calls are the same; results are quoted."""
    calls = content_of(ask(http, CITIES, **TOOLS))
    told = frames(http, CITIES, **TOOLS)
    starts = [payload["start"]["toolUse"] for name, payload in told if name == "contentBlockStart"]
    fragments = [payload["delta"]["toolUse"]["input"] for name, payload in told if name == "contentBlockDelta"]
    history = [
        user(CITIES),
        {"role": "assistant", "content": calls},
        user(result(calls[0], "31"), result(calls[1], "17")),
    ]
    answer = post(http, {"messages": history} | TOOLS).json()

    assert [call["toolUse"]["input"] for call in calls] == [{"city": "Rome"}, {"city": "Paris"}]
    assert [call["toolUse"] | {"input": {}} for call in calls] == [start | {"input": {}} for start in starts]
    assert "".join(fragments) == '{"city":"Rome"}{"city":"Paris"}'
    assert content_of(answer)[0]["text"] == "According to the tools, get_weather: 31; get_weather: 17."


def test_reasoning_is_signed(http: httpx2.Client) -> None:
    """Its signature comes as the last delta of its block, and is verified when it comes back."""
    blocks = content_of(ask(http, **THINKING))
    told = [
        payload["delta"]["reasoningContent"]
        for name, payload in frames(http, **THINKING)
        if "reasoning" in str(payload)
    ]
    reasoning = blocks[0]["reasoningContent"]["reasoningText"]
    history = [user("count to 3"), {"role": "assistant", "content": blocks}, user("more")]

    assert "".join(delta.get("text", "") for delta in told) == reasoning["text"]
    assert told[-1] == {"signature": reasoning["signature"]}
    assert post(http, {"messages": history}).status_code == 200
    reasoning["text"] = "something else"
    assert "Invalid `signature`" in post(http, {"messages": history}).json()["message"]


def test_media_and_marks(http: httpx2.Client) -> None:
    """A picture and a document are described; what stands before a cache point is written."""
    picture = {"image": {"format": "png", "source": {"bytes": base64.b64encode(red_picture()).decode()}}}
    document = {"document": {"format": "pdf", "name": "q", "source": {"bytes": base64.b64encode(PDF).decode()}}}
    answer = ask(
        http, "What is this?", picture, document, system=[{"text": "a b c"}, {"cachePoint": {"type": "default"}}]
    )
    lines = content_of(answer)[0]["text"].split("\n")

    assert [line[:18] for line in lines] == ["This is a PNG pict", "This is a PDF docu"]
    assert answer["usage"]["cacheWriteInputTokens"] == 7


USE = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": {}}}]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fancy": 1}, "Malformed input request: #: extraneous key [fancy] is not permitted"),
        ({"messages": [USE]}, "A conversation must start with a user message."),
        ({"messages": [user("x"), user("y")]}, "A conversation must alternate between user and assistant roles."),
        ({"messages": [user("")]}, "The text field in the ContentBlock object at messages.0.content.0 is blank."),
        ({"messages": [user()]}, "The content field in the Message object at messages.0 is empty."),
        ({"messages": [user("x"), USE, user("y")]}, "Expected toolResult blocks at messages.2.content for the following Ids: t1"),
        ({"messages": [user("x"), USE]}, "Expected toolResult blocks at messages.2.content for the following Ids: t1"),
        ({"messages": [user(result(USE["content"][0], "x"))]}, "The number of toolResult blocks at messages.0.content"),
        (
            {"messages": [user("x"), USE, user(result(USE["content"][0], "x"))], "toolConfig": None},
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        ),
        ({"inferenceConfig": {"temperature": 2}}, "1 validation error detected: Value '2' at 'inferenceConfig.temperature'"),
        (
            {"messages": [user({"document": {"format": "pdf", "name": "a.pdf", "source": {"bytes": ""}}})]},
            "The file name provided contains invalid characters.",
        ),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_in_awss_words(http: httpx2.Client, change: dict[str, Any], said: str) -> None:
    """Each rule of the API is a ValidationException that says which."""
    answer = post(http, body(**TOOLS) | change)

    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert answer.json()["message"].startswith(said)


def test_a_signature_has_all_its_parts(http: httpx2.Client) -> None:
    """The access key id is the token; a signature without its date, or of nobody, is refused."""
    url = f"{http.base_url}/model/sandbox%2Frules/converse"
    signed = (
        f"AWS4-HMAC-SHA256 Credential={TOKEN}/20261122/us-east-1/bedrock/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'a' * 64}"
    )
    dated = {"authorization": signed, "x-amz-date": "20261122T000000Z"}
    strange = dated | {"authorization": signed.replace(TOKEN, "AKIA0")}

    assert httpx2.post(url, json=body(), headers=dated).status_code == 200
    assert httpx2.post(url, json=body(), headers={"authorization": signed}).status_code == 403
    answer = httpx2.post(url, json=body(), headers=strange)
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (403, "UnrecognizedClientException")


def test_bad_days_are_awss(http: httpx2.Client) -> None:
    """Statuses and exceptions; in a stream an exception is a frame."""
    answers = [post(http, body(), name) for name in ("busy-429", "overloaded", "error-500", "nothing")]
    told = frames(http, "count to 9", model="error-mid-stream")

    assert [(one.status_code, one.headers["x-amzn-errortype"]) for one in answers] == [
        (429, "ThrottlingException"),
        (503, "ServiceUnavailableException"),
        (500, "InternalServerException"),
        (400, "ValidationException"),
    ]
    assert told[-1][0] == "internalServerException"
    assert ask(http, "count to 9", model="filtered")["stopReason"] == "content_filtered"
    assert ask(http, model="blocked")["stopReason"] == "guardrail_intervened"
