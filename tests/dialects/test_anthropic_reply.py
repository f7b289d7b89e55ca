"""Answers and errors of the Messages format, whole."""

import json
from typing import Any

import msgspec
import pytest

from tests.corpus import Recording, answers, name_of, needs_corpus
from yibu.dialects import chat_dialects
from yibu.dialects.anthropic import DIALECT, parcel
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import (
    Absent,
    Broken,
    Busy,
    Denied,
    HubError,
    Internal,
    InvalidRequest,
    Late,
    NoChannel,
    NoKey,
    NotAllowed,
    NotFound,
    OutOfCredit,
    Refused,
    TooFast,
    TooLarge,
    UnknownModel,
    WrongKey,
    WrongMethod,
)
from yibu.hub.loss import Losses
from yibu.hub.media import Inline
from yibu.hub.options import Reasoning
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Seal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish, FinishKind
from yibu.hub.usage import Meter, Usage

ASKED = ChatRequest(model="m", turns=(Turn("user", (Text("x"),)),), dialect="anthropic")
THINKING = msgspec.structs.replace(ASKED, reasoning=Reasoning(member="enabled"))


def lean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: lean(one) for key, one in value.items() if one is not None}
    return [lean(one) for one in value] if isinstance(value, list) else value


@needs_corpus
@pytest.mark.parametrize("taken", answers("anthropic"), ids=name_of)
def test_recorded_answers_come_out_as_they_came(taken: Recording) -> None:
    """Law 2 for real answers, unknown members included."""
    losses: Losses = []

    assert lean(json.loads(DIALECT.encode_reply(DIALECT.decode_reply(taken.body), losses))) == lean(
        json.loads(taken.body)
    )
    assert losses == []


def answer(*parts: Part, kind: FinishKind = "stop", dialect: str = "", **members: Any) -> ChatReply:
    return ChatReply(id="r1", model="m", choices=(Choice(parts, Finish(kind, **members)),), dialect=dialect)


def encoded(reply: ChatReply, losses: Losses | None = None, request: ChatRequest | None = None) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(DIALECT.encode_reply(reply, [] if losses is None else losses, request))
    return made


def body(**members: Any) -> bytes:
    return json.dumps(
        {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], **members}
    ).encode()


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "paused"),
        ("refusal", "filtered"),
        ("compaction", "stop"),
        ("of_tomorrow", "stop"),
        (None, "stop"),
        (7, "stop"),
    ],
)
def test_every_stop_reason(word: Any, kind: str) -> None:
    """Pitfall 80: each has its meaning, an unknown one is an end."""
    finish = DIALECT.decode_reply(body(stop_reason=word, stop_sequence="END")).choices[0].finish

    assert (finish.kind, finish.raw, finish.stop_sequence) == (kind, word if isinstance(word, str) else "", "END")


@pytest.mark.parametrize(
    ("finish", "told"),
    [
        (Finish("stop"), ("end_turn", None)),
        (Finish("stop", stop_sequence="END"), ("stop_sequence", "END")),
        (Finish("length"), ("max_tokens", None)),
        (Finish("tool_calls"), ("tool_use", None)),
        (Finish("filtered"), ("refusal", None)),
        (Finish("paused"), ("pause_turn", None)),
        (Finish("error"), ("end_turn", None)),
    ],
)
def test_every_finish(finish: Finish, told: tuple[str, str | None]) -> None:
    """Pitfall 80: each of the hub's has its word."""
    made = encoded(ChatReply(id="r", model="m", choices=(Choice((Text("x"),), finish),)))

    assert (made["stop_reason"], made["stop_sequence"]) == told
    assert ("stop_details" in made) == (finish.kind == "filtered")


def test_call_counts_whatever_the_host_says() -> None:
    """Pitfall 13: `end_turn` after a call is the end of a call; a cut one stays cut."""
    call = {"type": "tool_use", "id": "a", "name": "f", "input": {}}

    assert DIALECT.decode_reply(body(content=[call], stop_reason="end_turn")).choices[0].finish.kind == "tool_calls"
    assert DIALECT.decode_reply(body(content=[call], stop_reason="max_tokens")).choices[0].finish.kind == "length"


def test_content_as_a_string() -> None:
    """Some hosts write it so."""
    assert DIALECT.decode_reply(body(content="hi")).choices[0].parts == (Text("hi"),)


def test_answer_of_another_format() -> None:
    """It has every member that clients of this format look at."""
    made = encoded(answer(Text("hi"), ToolCall("call_1", "f", '{"a":1}'), kind="tool_calls"))

    assert made == {
        "id": "msg_r1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "text", "text": "hi"},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 0,
        },
    }


def test_answer_of_nothing() -> None:
    """Clients expect a block."""
    assert encoded(answer())["content"] == [{"type": "text", "text": ""}]
    assert encoded(answer(dialect="anthropic"))["content"] == []


@pytest.mark.parametrize("seal", [None, Seal("gemini", msgspec.Raw(b'"x"'))])
def test_thoughts_of_another_vendor(seal: Seal | None) -> None:
    """Pitfall 83: they have a signature of ours, which brings the vendor's state back, and is never empty."""
    made = encoded(answer(Thinking("hm", seal), Text("y")), request=THINKING)
    signature = made["content"][0]["signature"]

    assert made["content"][0]["thinking"] == "hm"
    assert parcel.is_packed(signature)
    assert parcel.unpack(signature).seal == seal


def test_thoughts_for_whom_did_not_ask() -> None:
    """They are left out, and so is what would carry the seal of a call."""
    call = ToolCall("c", "f", "{}", seal=Seal("gemini", msgspec.Raw(b'"x"')))
    made = encoded(answer(Thinking("hm"), Text("y"), call), request=ASKED)
    asked = encoded(answer(Thinking("hm"), Text("y"), call), request=THINKING)

    assert [block["type"] for block in made["content"]] == ["text", "tool_use"]
    assert [block["type"] for block in asked["content"]] == ["thinking", "text", "thinking", "tool_use"]


def test_thoughts_of_anthropics_own() -> None:
    """They are shown as they are, asked for or not, because they have to come back."""
    seal = Seal("anthropic", msgspec.Raw(b'{"signature":"E"}'))
    made = encoded(answer(Thinking("hm", seal), dialect="anthropic"), request=ASKED)

    assert made["content"] == [{"type": "thinking", "thinking": "hm", "signature": "E"}]


def test_citations_of_another_vendor() -> None:
    """They stand in the text that they belong to, recognisable as not Anthropic's."""
    made = encoded(answer(Text("it rains"), Citation("https://a.example", "A")))
    [cited] = made["content"][0]["citations"]

    assert (cited["type"], cited["url"], cited["title"]) == ("web_search_result_location", "https://a.example", "A")
    back = DIALECT.decode_reply(json.dumps(made).encode()).choices[0].parts
    assert back == (Text("it rains"), Citation("https://a.example", "A"))


def test_what_has_no_place_in_an_answer() -> None:
    """Pictures, sounds and opaque parts are losses; a refusal is said."""
    losses: Losses = []
    parts = (
        Media("image", Inline("AAAA", "image/png")),
        Opaque("openai_chat", msgspec.Raw(b"{}")),
        Citation("u"),
        Refusal("no"),
    )
    made = encoded(answer(*parts), losses)

    assert made["content"] == [{"type": "text", "text": "no"}]
    assert len(losses) == 3


def test_several_choices() -> None:
    losses: Losses = []
    two = ChatReply(id="r", model="m", choices=(Choice((Text("a"),), Finish("stop")),) * 2)

    assert encoded(two, losses)["content"] == [{"type": "text", "text": "a"}]
    assert [loss.where for loss in losses] == ["$.choices"]


USAGES: list[tuple[dict[str, Any], dict[Meter, int]]] = [
    ({"input_tokens": 3, "output_tokens": 4}, {Meter.INPUT: 3, Meter.OUTPUT: 4}),
    (
        {"input_tokens": 3, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 7, "output_tokens": 9},
        {Meter.INPUT: 3, Meter.INPUT_CACHED: 20, Meter.CACHE_WRITE: 7, Meter.OUTPUT: 9},
    ),
    (
        {
            "input_tokens": 3,
            "cache_creation_input_tokens": 9,
            "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
            "output_tokens": 9,
            "output_tokens_details": {"thinking_tokens": 6},
            "server_tool_use": {"web_search_requests": 2},
        },
        {
            Meter.INPUT: 3,
            Meter.CACHE_WRITE: 4,
            Meter.CACHE_WRITE_1H: 5,
            Meter.OUTPUT: 3,
            Meter.REASONING: 6,
            Meter.SEARCH: 2,
        },
    ),
    ({"input_tokens": -1, "output_tokens": 1.0}, {Meter.OUTPUT: 1}),
    ({"input_tokens": True, "output_tokens": 2, "cache_creation": None}, {Meter.OUTPUT: 2}),
    (
        {
            "input_tokens": 220,
            "output_tokens": 8,
            "iterations": [
                {"type": "compaction", "input_tokens": 55196, "output_tokens": 125},
                {"type": "message", "input_tokens": 220, "output_tokens": 8},
                {"type": "advisor_message", "input_tokens": 9, "output_tokens": 9},
            ],
        },
        {Meter.INPUT: 55416, Meter.OUTPUT: 133},
    ),
]


@pytest.mark.parametrize(("said", "units"), USAGES)
def test_usage(said: dict[str, Any], units: dict[Meter, int]) -> None:
    """Pitfalls 66, 67: meters that never overlap; what was cached is not in the input."""
    usage = DIALECT.decode_reply(body(usage=said)).usage

    assert usage is not None
    assert usage.units == units


@pytest.mark.parametrize("said", [None, {}, [], "many", {"input_tokens": "3"}])
def test_no_usage(said: Any) -> None:
    assert DIALECT.decode_reply(body(usage=said)).usage is None


def test_usage_of_another_vendor() -> None:
    """Pitfall 66: the input excludes what was cached; sounds and thoughts are counted where they belong."""
    units = {
        Meter.INPUT: 3,
        Meter.INPUT_CACHED: 20,
        Meter.CACHE_WRITE: 4,
        Meter.CACHE_WRITE_1H: 5,
        Meter.AUDIO_IN: 1,
        Meter.OUTPUT: 6,
        Meter.REASONING: 7,
        Meter.AUDIO_OUT: 1,
        Meter.SEARCH: 2,
    }
    reply = msgspec.structs.replace(answer(Text("x")), usage=Usage(units))
    made = encoded(reply)["usage"]

    assert made == {
        "input_tokens": 4,
        "cache_creation_input_tokens": 9,
        "cache_read_input_tokens": 20,
        "output_tokens": 14,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
        "output_tokens_details": {"thinking_tokens": 7},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
    }


def test_usage_there_and_back_through_openai() -> None:
    """Counts are the same after the way through Chat Completions."""
    chat = chat_dialects()["openai_chat"]
    usage = Usage({Meter.INPUT: 3, Meter.INPUT_CACHED: 20, Meter.CACHE_WRITE: 4, Meter.OUTPUT: 6, Meter.REASONING: 7})
    first = msgspec.structs.replace(answer(Text("x")), usage=usage)
    through = chat.decode_reply(chat.encode_reply(first, []))
    back = DIALECT.decode_reply(DIALECT.encode_reply(through, []))

    assert back.usage is not None
    assert back.usage.units == {**usage.units, Meter.CACHE_WRITE: 4}


@pytest.mark.parametrize(
    "text", [b"", b"<html>", b"[]", b"{}", b'{"type":"message"}', b'{"content":[{"type":"text"}]}', b'{"content":[1]}']
)
def test_what_is_no_answer(text: bytes) -> None:
    with pytest.raises(Broken):
        DIALECT.decode_reply(text)


def test_error_with_status_200() -> None:
    """Pitfall 19: it is the error that it says."""
    with pytest.raises(Busy):
        DIALECT.decode_reply(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}')


ERRORS: list[tuple[HubError, int, str]] = [
    (InvalidRequest("no", param="$.x"), 400, "invalid_request_error"),
    (NoKey(), 401, "authentication_error"),
    (WrongKey(), 401, "authentication_error"),
    (OutOfCredit(), 402, "billing_error"),
    (NotAllowed(), 403, "permission_error"),
    (UnknownModel(), 404, "not_found_error"),
    (NotFound(), 404, "not_found_error"),
    (WrongMethod(), 405, "invalid_request_error"),
    (TooLarge(), 413, "request_too_large"),
    (TooFast(), 429, "rate_limit_error"),
    (Refused("no", upstream_code="cyber"), 400, "invalid_request_error"),
    (Busy(upstream_status=429), 429, "rate_limit_error"),
    (Busy(upstream_status=529), 529, "overloaded_error"),
    (Busy(upstream_status=503), 529, "overloaded_error"),
    (Broken(), 502, "api_error"),
    (Late(), 504, "timeout_error"),
    (Denied(), 503, "api_error"),
    (Absent(), 503, "api_error"),
    (NoChannel(), 529, "overloaded_error"),
    (Internal(), 500, "api_error"),
]


@pytest.mark.parametrize(("error", "status", "kind"), ERRORS, ids=lambda one: type(one).__name__)
def test_every_error(error: HubError, status: int, kind: str) -> None:
    """Pitfall 77: each of ours has Anthropic's status, type and shape, and the stable code."""
    made = json.loads(DIALECT.encode_error(error, "req_1"))

    assert DIALECT.error_status(error) == status
    assert (made["type"], made["error"]["type"], made["request_id"]) == ("error", kind, "req_1")
    assert made["error"]["message"]
    assert made["error"]["details"]["error_code"] == (getattr(error, "upstream_code", "") or error.code)
    assert made["error"]["details"].get("param") == error.param


def test_error_in_a_stream() -> None:
    frame = DIALECT.encode_stream_error(Broken(), "req_1")

    assert frame.startswith(b"event: error\ndata: {")
    assert frame.endswith(b"\n\n")


def vendor(kind: str, message: str = "words", **details: Any) -> bytes:
    about: dict[str, Any] = {"type": kind, "message": message}
    if details:
        about["details"] = details
    return json.dumps({"type": "error", "error": about, "request_id": "req_9"}).encode()


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, vendor("invalid_request_error", "max_tokens: too many"), Refused),
        (400, vendor("invalid_request_error", "Your credit balance is too low to access the API"), Denied),
        (401, vendor("authentication_error"), Denied),
        (402, vendor("billing_error"), Denied),
        (403, vendor("permission_error"), Denied),
        (404, vendor("not_found_error", "model: claude-y"), Absent),
        (404, vendor("not_found_error", "File not found"), Refused),
        (409, vendor("conflict_error"), Broken),
        (413, vendor("request_too_large"), Refused),
        (429, vendor("rate_limit_error"), Busy),
        (429, vendor("rate_limit_error", error_code="ramp_limit_exceeded"), Busy),
        (429, vendor("rate_limit_error", error_code="enforced_spend_limit_reached"), Denied),
        (429, vendor("rate_limit_error", error_code="contract_spend_limit_reached"), Denied),
        (500, vendor("api_error"), Broken),
        (503, vendor("api_error", error_code="cmek_key_unreachable"), Broken),
        (504, vendor("timeout_error"), Broken),
        (529, vendor("overloaded_error", "Overloaded"), Busy),
        (502, b"<html>bad gateway</html>", Broken),
        (500, b"", Broken),
    ],
)
def test_every_error_of_a_vendor(status: int, said: bytes, kind: type[HubError]) -> None:
    """Each is the situation that it means for routing."""
    error = DIALECT.decode_error(status, {}, said)

    assert type(error) is kind
    assert error.upstream_status == status


def test_how_long_to_wait() -> None:
    assert DIALECT.decode_error(429, {"retry-after": "7"}, vendor("rate_limit_error")).retry_after_s == 7


def test_words_of_a_vendor_are_harmless() -> None:
    """Keys and addresses stay here."""
    said = vendor("invalid_request_error", "key sk-ant-api03-abcdefgh at https://api.anthropic.com/v1 is odd")

    assert DIALECT.decode_error(400, {}, said).message == "key [key] at [address] is odd"
