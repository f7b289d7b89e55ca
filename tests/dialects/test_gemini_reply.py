"""Answers of generateContent: read, written for callers of Google's format, and their usage, ends, sources and errors."""

import json
from typing import Any

import msgspec
import pytest

from tests.corpus import Recording, answers, name_of, needs_corpus, recordings
from yibu.dialects.dialect import Intent, Target
from yibu.dialects.gemini import DIALECT
from yibu.dialects.gemini.seal import SKIP_BASE64, decode_seal
from yibu.dialects.openai_chat import DIALECT as OPENAI
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import (
    Absent,
    Broken,
    Busy,
    Denied,
    HubError,
    OutOfCredit,
    Refused,
    TooFast,
    UpstreamError,
    WrongKey,
)
from yibu.hub.loss import Losses
from yibu.hub.media import Inline
from yibu.hub.options import JsonObject
from yibu.hub.parts import Citation, Media, Opaque, Refusal, Seal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish, FinishKind
from yibu.hub.tools import Function
from yibu.hub.usage import Meter, Usage


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def answer(*parts: Any, finish: str = "STOP", **members: Any) -> Any:
    candidate = {"content": {"parts": list(parts), "role": "model"}, "finishReason": finish, "index": 0, **members}
    return {"candidates": [candidate], "modelVersion": "gemini-x", "responseId": "r1"}


def decode(members: Any) -> ChatReply:
    return DIALECT.decode_reply(json.dumps(members).encode())


def only(members: Any) -> Choice:
    [choice] = decode(members).choices
    return choice


def encode(*parts: Any, finish: Finish | None = None, **members: Any) -> tuple[Any, Losses]:
    losses: Losses = []
    reply = ChatReply(id="id", model="m", choices=(Choice(parts, finish or Finish("stop")),), **members)
    return json.loads(DIALECT.encode_reply(reply, losses)), losses


WHOLE = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"text": "hm", "thought": True},
                    {"text": "Hello."},
                    {"functionCall": {"name": "f", "args": {"a": 1.0}, "id": "x"}, "thoughtSignature": "AA=="},
                    {"functionCall": {"name": "g", "args": {}}},
                    {"inlineData": {"mimeType": "image/png", "data": "AA-_"}},
                    {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "id": "t"}},
                    {"text": "", "thoughtSignature": "BB=="},
                ],
                "role": "model",
            },
            "finishReason": "STOP",
            "index": 0,
            "finishMessage": "done",
            "avgLogprobs": -0.25,
            "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}],
            "groundingMetadata": {"webSearchQueries": ["q"]},
            "urlContextMetadata": {"urlMetadata": []},
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 5,
        "candidatesTokenCount": 3,
        "totalTokenCount": 8,
        "trafficType": "ON_DEMAND",
    },
    "modelVersion": "gemini-x",
    "responseId": "r1",
    "createTime": "2026-11-22T10:00:00.5Z",
    "later": {"a_b": 1},
}


def test_there_and_back() -> None:
    """An answer of Google's comes back as it was, members that nobody knows included."""
    losses: Losses = []
    reply = decode(WHOLE)

    assert json.loads(DIALECT.encode_reply(reply, losses)) == WHOLE
    assert losses == []
    assert (reply.id, reply.model, reply.created) == ("r1", "gemini-x", 1795341600)


@needs_corpus
@pytest.mark.parametrize("taken", answers("gemini"), ids=name_of)
def test_recorded_answers_come_back(taken: Recording) -> None:
    """Law 2 on what both services really answer."""
    losses: Losses = []
    back = json.loads(DIALECT.encode_reply(DIALECT.decode_reply(taken.body), losses))
    told = json.loads(taken.body)
    for candidate in told["candidates"]:
        candidate.setdefault("index", 0)
        candidate.setdefault("content", {}).setdefault("role", "model")

    assert back == told
    assert losses == []


@needs_corpus
@pytest.mark.parametrize("taken", answers("gemini"), ids=name_of)
def test_recorded_usage_adds_up(taken: Recording) -> None:
    """Pitfalls 66, 71 and 72: every token of the total is in exactly one meter."""
    usage = DIALECT.decode_reply(taken.body).usage
    told = json.loads(taken.body)["usageMetadata"]

    assert usage is not None
    assert sum(count for meter, count in usage.units.items() if meter is not Meter.SEARCH) == told["totalTokenCount"]
    assert usage.units.get(Meter.REASONING, 0) == told.get("thoughtsTokenCount", 0)
    assert usage.units.get(Meter.INPUT_CACHED, 0) == told.get("cachedContentTokenCount", 0)


def test_what_an_answer_holds() -> None:
    thought, text, call, other, picture, opaque, seal = only(WHOLE).parts

    assert thought == Thinking("hm")
    assert text == Text("Hello.")
    assert call == ToolCall("x", "f", '{"a": 1.0}', seal=Seal("gemini", raw("AA==")))
    assert isinstance(other, ToolCall)
    assert other.id.startswith("call_")
    assert picture == Media("image", Inline("AA+/", "image/png"))
    assert isinstance(opaque, Opaque)
    assert seal == Thinking("", Seal("gemini", raw("BB==")))


def test_calls_without_ids_get_unique_ones() -> None:
    """Pitfall 41: unique in an answer and from answer to answer, the same whenever the same answer is read."""
    call = {"functionCall": {"name": "f"}}
    one, two = only(answer(call, call)).parts
    [again] = only({**answer(call), "responseId": "r2"}).parts
    assert isinstance(one, ToolCall)
    assert isinstance(two, ToolCall)
    assert isinstance(again, ToolCall)

    assert len({one.id, two.id, again.id}) == 3
    assert only(answer(call, call)).parts == (one, two)
    assert one.arguments == "{}"
    assert len(one.id) <= 40


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("STOP", "stop"),
        ("FINISH_REASON_UNSPECIFIED", "stop"),
        ("SOMETHING_NEW", "stop"),
        ("MAX_TOKENS", "length"),
        ("CONTINUATION", "length"),
        *((word, "filtered") for word in (
            "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR", "ESCALATION", "PUP_LIMITED_DISABLED",
        )),
        *((word, "error") for word in (
            "OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
            "MALFORMED_RESPONSE", "IMAGE_OTHER", "NO_IMAGE",
        )),
    ],
)  # fmt: skip
def test_every_finish_reason(word: str, kind: FinishKind) -> None:
    """Pitfall 80: each has a meaning, a new one ends an answer well, and each comes back as it was."""
    reply = decode(answer({"text": "x"}, finish=word))

    assert reply.choices[0].finish == Finish(kind, word)
    assert json.loads(DIALECT.encode_reply(reply, []))["candidates"][0]["finishReason"] == word


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("stop", "STOP"),
        ("length", "MAX_TOKENS"),
        ("tool_calls", "STOP"),
        ("filtered", "SAFETY"),
        ("paused", "STOP"),
        ("error", "OTHER"),
    ],
)
def test_every_end_of_others(kind: FinishKind, word: str) -> None:
    assert encode(Text("x"), finish=Finish(kind, "their_word"))[0]["candidates"][0]["finishReason"] == word


@pytest.mark.parametrize(("word", "kind"), [("STOP", "tool_calls"), ("MAX_TOKENS", "length"), ("SAFETY", "filtered")])
def test_calls_are_told_by_their_part(word: str, kind: FinishKind) -> None:
    """Pitfall 13: Google says `STOP` beside a call; a cut or a filter is stronger."""
    assert only(answer({"functionCall": {"name": "f"}}, finish=word)).finish.kind == kind


@pytest.mark.parametrize(
    "candidate",
    [
        {"finishReason": "MAX_TOKENS"},
        {"finishReason": "STOP", "content": {}},
        {"finishReason": "STOP", "content": {"role": "model"}},
        {"finishReason": "UNEXPECTED_TOOL_CALL", "content": {"parts": []}, "finishMessage": "m"},
    ],
)
def test_candidates_without_parts(candidate: Any) -> None:
    """A ceiling that thoughts used up, a broken call, an empty answer: no parts, and no failure of ours."""
    choice = only({"candidates": [candidate], "usageMetadata": {"totalTokenCount": 1}})

    assert choice.parts == ()


@pytest.mark.parametrize(
    "reason", ["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK", "NEW"]
)
def test_a_blocked_prompt(reason: str) -> None:
    """There is no candidate: one choice that was filtered, which OpenAI's clients can read."""
    body = {
        "promptFeedback": {"blockReason": reason},
        "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4},
        "modelVersion": "g",
    }
    reply = decode(body)
    elsewhere = json.loads(OPENAI.encode_reply(reply, []))

    assert reply.choices == (Choice((), Finish("filtered", reason)),)
    assert json.loads(DIALECT.encode_reply(reply, [])) == body
    assert elsewhere["choices"][0]["finish_reason"] == "content_filter"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"nonsense",
        b'"x"',
        b'{"candidates":7}',
        b'{"candidates":[{"content":7}]}',
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        DIALECT.decode_reply(body)


@pytest.mark.parametrize(
    ("said", "units"),
    [
        (
            {
                "promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 7, "thoughtsTokenCount": 5,
                "toolUsePromptTokenCount": 11,
            },
            {Meter.INPUT: 51, Meter.INPUT_CACHED: 60, Meter.OUTPUT: 7, Meter.REASONING: 5},
        ),
        (
            {
                "promptTokenCount": 100,
                "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 90}, {"modality": "TEXT", "tokenCount": 10}],
                "cachedContentTokenCount": 50,
                "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}],
                "candidatesTokenCount": 30,
                "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 25}],
            },
            {Meter.INPUT: 10, Meter.INPUT_CACHED: 50, Meter.AUDIO_IN: 40, Meter.OUTPUT: 5, Meter.AUDIO_OUT: 25},
        ),
        ({"totalTokenCount": 0}, {Meter.INPUT: 0, Meter.OUTPUT: 0}),
        ({"promptTokenCount": -5, "candidatesTokenCount": "3"}, {Meter.INPUT: 0, Meter.OUTPUT: 3}),
    ],
)  # fmt: skip
def test_usage(said: Any, units: dict[Meter, int]) -> None:
    """Pitfalls 66, 71, 72: caches are part of the prompt, what tools read is input, thoughts are not part of the answer."""
    usage = decode({**answer({"text": "x"}), "usageMetadata": said}).usage

    assert usage is not None
    assert usage.units == units


def test_usage_of_others() -> None:
    """The counts of a caller add up to the total, which is how Google's own do."""
    units = {
        Meter.INPUT: 10, Meter.INPUT_CACHED: 4, Meter.CACHE_WRITE: 2, Meter.CACHE_WRITE_1H: 1, Meter.AUDIO_IN: 3,
        Meter.OUTPUT: 5, Meter.REASONING: 6, Meter.AUDIO_OUT: 2,
    }  # fmt: skip
    told = encode(Text("x"), usage=Usage(units))[0]["usageMetadata"]

    assert told == {
        "promptTokenCount": 20,
        "candidatesTokenCount": 7,
        "totalTokenCount": 33,
        "thoughtsTokenCount": 6,
        "cachedContentTokenCount": 4,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 17}, {"modality": "AUDIO", "tokenCount": 3}],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": "AUDIO", "tokenCount": 2}],
    }


@pytest.mark.parametrize(
    ("version", "sold"), [("gemini-3-flash", 2), ("gemini-2.5-flash", 1), ("models/gemini-2.0-flash", 1)]
)
def test_searches_are_metered(version: str, sold: int) -> None:
    """By the search since Gemini 3, by the answer before."""
    body = answer({"text": "x"}, groundingMetadata={"webSearchQueries": ["a", "b"]})
    usage = decode({**body, "usageMetadata": {"totalTokenCount": 1}, "modelVersion": version}).usage

    assert usage is not None
    assert usage.units[Meter.SEARCH] == sold


GROUNDED = {
    "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}, {"web": {"uri": "https://b.example"}}, {}],
    "groundingSupports": [
        {"segment": {"endIndex": 6, "text": "Köln."}, "groundingChunkIndices": [0, 2]},
        {"segment": {"startIndex": 7, "endIndex": 12, "text": "Rhein"}, "groundingChunkIndices": [0, 9]},
        {"segment": {"startIndex": 900, "endIndex": 950, "text": "Rhein"}, "groundingChunkIndices": [0]},
    ],
}  # fmt: skip


def test_sources_are_counted_in_characters() -> None:
    """Google counts bytes of UTF-8, the hub characters; an index that cannot be is found again by its words."""
    choice = only(answer({"text": "Köln. Rhein."}, groundingMetadata=GROUNDED))
    cited = [part for part in choice.parts if isinstance(part, Citation)]

    assert cited == [
        Citation("https://a.example", "A", 0, 5),
        Citation("https://a.example", "A", 6, 11),
        Citation("https://a.example", "A", 6, 11),
        Citation("https://b.example"),
    ]


def test_sources_of_others() -> None:
    """And back into bytes."""
    body, losses = encode(
        Text("Köln. Rhein."), Citation("https://a.example", "A", 6, 11), Citation("https://b.example")
    )

    assert body["candidates"][0]["groundingMetadata"] == {
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}, {"web": {"uri": "https://b.example"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 7, "endIndex": 12, "text": "Rhein"}, "groundingChunkIndices": [0]}
        ],
    }
    assert losses == []


def test_logprobs() -> None:
    """In the form that OpenAI's clients read, and back."""
    told = {
        "chosenCandidates": [{"token": "ö", "logProbability": -0.5, "tokenId": 7}],
        "topCandidates": [
            {"candidates": [{"token": "ö", "logProbability": -0.5}, {"token": "o", "logProbability": -2.0}]}
        ],
    }
    choice = only(answer({"text": "ö"}, logprobsResult=told))
    assert choice.logprobs is not None
    [token] = json.loads(bytes(choice.logprobs))["content"]
    back = json.loads(
        DIALECT.encode_reply(ChatReply(id="", model="", choices=(Choice((), Finish("stop"), choice.logprobs),)), [])
    )

    assert (token["token"], token["logprob"], token["bytes"], len(token["top_logprobs"])) == ("ö", -0.5, [195, 182], 2)
    assert back["candidates"][0]["logprobsResult"]["chosenCandidates"] == [{"token": "ö", "logProbability": -0.5}]
    assert back["candidates"][0]["logprobsResult"]["topCandidates"] == told["topCandidates"]


def test_an_answer_of_others() -> None:
    """Everything that a model can say, for a client of Google's."""
    body, losses = encode(
        Thinking("hm", Seal("anthropic", raw({"signature": "s"}))),
        Text("so"),
        Refusal("no"),
        ToolCall("call_1", "f", '{"a":1}'),
        ToolCall("call_2", "g", ""),
        ToolCall("call_3", "patch", "free", is_custom=True),
        Media("audio", Inline("AAAA", "audio/wav"), transcript="words"),
        Opaque("openai_chat", raw({})),
    )
    parts = body["candidates"][0]["content"]["parts"]

    assert decode_seal(raw(parts[0].pop("thoughtSignature"))) == Seal("anthropic", raw({"signature": "s"}))
    assert parts == [
        {"text": "hm", "thought": True},
        {"text": "so"},
        {"text": "no"},
        {"functionCall": {"id": "call_1", "name": "f", "args": {"a": 1}}, "thoughtSignature": SKIP_BASE64},
        {"functionCall": {"id": "call_2", "name": "g", "args": {}}, "thoughtSignature": SKIP_BASE64},
        {"functionCall": {"id": "call_3", "name": "patch", "args": {"input": "free"}}, "thoughtSignature": SKIP_BASE64},
        {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
    ]
    assert (body["responseId"], body["modelVersion"]) == ("id", "m")
    assert [(loss.kind, loss.where) for loss in losses] == [
        ("dropped", "$.choices[0].parts[6].transcript"),
        ("dropped", "$.choices[0].parts[7]"),
    ]


def test_an_empty_answer_of_others() -> None:
    """Clients expect a part."""
    assert encode()[0]["candidates"] == [
        {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP", "index": 0}
    ]


@pytest.mark.parametrize(("kind", "word"), [("tool_calls", "MALFORMED_FUNCTION_CALL"), ("length", "MAX_TOKENS")])
def test_a_call_that_is_no_json(kind: FinishKind, word: str) -> None:
    """It cannot stand in this format: the reason tells, unless it is that the answer was cut."""
    body, _ = encode(Text("x"), ToolCall("c", "f", '{"a": '), finish=Finish(kind))

    assert body["candidates"][0]["finishReason"] == word
    assert body["candidates"][0]["content"]["parts"] == [{"text": "x"}]


def test_masks_are_undone() -> None:
    """Pitfall 48 and free-text tools: the caller reads his own names and words."""
    long = "x" * 90
    tools = (Function(long), Function("patch", is_custom=True))
    asked = ChatRequest(model="gemini-2.5-flash", turns=(), tools=tools, output=JsonObject())
    sent = json.loads(DIALECT.encode_request(asked, []))
    alias = sent["tools"][0]["functionDeclarations"][0]["name"]
    parts = [
        {"functionCall": {"name": alias, "args": {}}},
        {"functionCall": {"name": "patch", "args": {"input": "***"}}},
        {"text": '```json\n{"a":1}\n```'},
    ]
    body = json.dumps(answer(*parts)).encode()
    call, custom, text = DIALECT.decode_reply(body, asked).choices[0].parts
    reader = DIALECT.reader(asked)
    streamed = reader.feed(b"data: " + body + b"\n\n") + reader.finish()

    assert isinstance(call, ToolCall)
    assert call.name == long
    assert isinstance(custom, ToolCall)
    assert (custom.is_custom, custom.arguments) == (True, "***")
    assert text == Text('{"a":1}')
    assert [event.head.name for event in streamed if hasattr(event, "head") and isinstance(event.head, ToolCall)] == [
        long,
        "patch",
    ]


# --- errors ---------------------------------------------------------------------------------------------------------------


def error(code: int, status: str, message: str = "m", *details: Any) -> bytes:
    return json.dumps(
        {"error": {"code": code, "message": message, "status": status, "details": list(details)}}
    ).encode()


BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"}
DAILY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}],
}


@pytest.mark.parametrize(
    ("status", "body", "kind", "wait_s"),
    [
        (400, error(400, "INVALID_ARGUMENT", "API key not valid.", BAD_KEY), Denied, None),
        (400, error(400, "INVALID_ARGUMENT", "Invalid value at 'contents'"), Refused, None),
        (400, error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), Denied, None),
        (401, error(401, "UNAUTHENTICATED"), Denied, None),
        (403, error(403, "PERMISSION_DENIED"), Denied, None),
        (404, error(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta"), Absent, None),
        (404, error(404, "NOT_FOUND", "Publisher Model `projects/p/models/x` was not found"), Absent, None),
        (429, error(429, "RESOURCE_EXHAUSTED", "Quota", RETRY), Busy, 17.5),
        (429, error(429, "RESOURCE_EXHAUSTED", "Quota", RETRY, DAILY), Busy, 3600.0),
        (429, b"[" + error(429, "RESOURCE_EXHAUSTED", "Quota", RETRY) + b"]", Busy, 17.5),
        (429, error(429, "RESOURCE_EXHAUSTED"), Busy, None),
        (500, error(500, "INTERNAL"), Broken, None),
        (503, error(503, "UNAVAILABLE", "The model is overloaded."), Broken, None),
        (504, error(504, "DEADLINE_EXCEEDED"), Broken, None),
        (502, b"<html>bad gateway</html>", Broken, None),
        (429, b'{"error":{"details":[{"retryDelay":"soon","violations":[7]}, 5]}}', Busy, None),
    ],
)
def test_errors_of_google(status: int, body: bytes, kind: type[UpstreamError], wait_s: float | None) -> None:
    """What routing does next depends on the situation, which Google tells by details as much as by the status."""
    found = DIALECT.decode_error(status, {}, body)

    assert type(found) is kind
    assert found.retry_after_s == wait_s


def test_an_error_in_the_place_of_an_answer() -> None:
    """Also as the only element of an array."""
    body = error(429, "RESOURCE_EXHAUSTED", "Quota", RETRY)
    for told in (body, b"[" + body + b"]"):
        with pytest.raises(Busy) as caught:
            DIALECT.decode_reply(told)
        assert caught.value.retry_after_s == 17.5


@needs_corpus
@pytest.mark.parametrize("taken", [one for one in recordings("gemini") if one.status != 200], ids=name_of)
def test_recorded_errors(taken: Recording) -> None:
    """Of a caller's mistake he is told, without addresses."""
    found = DIALECT.decode_error(taken.status, {}, taken.body)

    assert type(found) is Refused
    assert found.message.startswith("Cannot fetch content from the provided URL")


@pytest.mark.parametrize(
    ("situation", "status", "word", "reason"),
    [
        (WrongKey(), 401, "UNAUTHENTICATED", "API_KEY_INVALID"),
        (OutOfCredit(), 429, "RESOURCE_EXHAUSTED", "insufficient_quota"),
        (TooFast(retry_after_s=2.2), 429, "RESOURCE_EXHAUSTED", "rate_limit_exceeded"),
        (Broken(), 502, "UNAVAILABLE", "upstream_broken"),
        (Refused("no", param="$.contents[0]", upstream_code="their_code"), 400, "INVALID_ARGUMENT", "their_code"),
    ],
)
def test_errors_for_callers(situation: HubError, status: int, word: str, reason: str) -> None:
    """In Google's shape, with our code as the reason, the wrong member and when to come again."""
    told = json.loads(DIALECT.encode_error(situation, "req_1"))["error"]
    kinds = {detail["@type"].rpartition(".")[2]: detail for detail in told["details"]}

    assert (told["code"], told["status"], DIALECT.error_status(situation)) == (status, word, status)
    assert "req_1" in told["message"]
    assert kinds["ErrorInfo"]["reason"] == reason
    assert ("RetryInfo" in kinds) == bool(situation.retry_after_s)
    assert [one["field"] for one in kinds.get("BadRequest", {}).get("fieldViolations", [])] == (
        ["contents[0]"] if situation.param else []
    )


def test_errors_in_a_stream() -> None:
    """As one more event, or as the last element of the array."""
    target = Target({"verb": "streamGenerateContent"})
    event = DIALECT.encode_stream_error(Broken(), "r", Target({"verb": "streamGenerateContent"}, {"alt": "sse"}))
    element = b'[{"candidates":[]}' + DIALECT.encode_stream_error(Broken(), "r", target)

    assert json.loads(event.removeprefix(b"data: "))["error"]["status"] == "UNAVAILABLE"
    assert json.loads(element)[1]["error"]["code"] == 502
    assert DIALECT.answer_type(Intent(model="m", body=b"", target=target)).startswith("application/json")
