"""Anthropic's format: as raw HTTP, and as Anthropic's own SDK sees it."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.sandbox.conftest import TOKEN
from tests.sandbox.test_chat import red_picture

WEATHER = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
VERSION = {"x-api-key": TOKEN, "anthropic-version": "2023-06-01"}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


@pytest.fixture(scope="module")
def http(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, headers=VERSION, timeout=20) as client:
        yield client


def body(content: Any = "count to 3", **more: Any) -> dict[str, Any]:
    messages = more.pop("messages", [{"role": "user", "content": content}])
    return {"model": "sandbox/rules", "max_tokens": 2048, "messages": messages} | more


def ask(http: httpx2.Client, content: Any = "count to 3", **more: Any) -> Any:
    answer = http.post("/v1/messages", json=body(content, **more))
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(http: httpx2.Client, value: dict[str, Any], **headers: str) -> str:
    answer = http.post("/v1/messages", json=value, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    return str(answer.json()["error"]["message"])


def events(http: httpx2.Client, content: Any = "count to 3", **more: Any) -> list[tuple[str, Any]]:
    """Name and data of each event of a stream."""
    answer = http.post("/v1/messages", json=body(content, stream=True, **more))
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    frames = [frame.split("\ndata: ") for frame in answer.text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data)) for name, data in frames]


def test_a_message(http: httpx2.Client) -> None:
    """A whole answer has all members of Anthropic's Message."""
    answer = ask(http)

    assert answer.pop("id").startswith("msg_")
    assert answer == {
        "type": "message",
        "role": "assistant",
        "model": "sandbox/rules",
        "content": [{"type": "text", "text": "1 2 3", "citations": None}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "container": None,
        "usage": {
            "input_tokens": 7,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"thinking_tokens": 0},
            "service_tier": "standard",
        },
    }


def test_a_stream_has_every_event_in_order(http: httpx2.Client) -> None:
    """Blocks are opened, pinged once and closed; usage comes provisional first and whole last."""
    told = events(http)

    assert [name for name, _ in told] == [
        "message_start",
        "content_block_start",
        "ping",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert all(name == data["type"] for name, data in told)
    assert told[0][1]["message"]["usage"]["input_tokens"] == 7
    assert told[-2][1]["delta"]["stop_reason"] == "end_turn"
    assert told[-2][1]["usage"]["output_tokens"] == 3


def test_a_streamed_call_begins_with_an_empty_fragment(http: httpx2.Client) -> None:
    """The fragments join to the input of the whole answer's call."""
    whole = ask(http, "Weather in Rome", tools=[WEATHER])
    told = events(http, "Weather in Rome", tools=[WEATHER])
    parts = [data["delta"]["partial_json"] for name, data in told if name == "content_block_delta"]

    assert whole["stop_reason"] == "tool_use"
    assert whole["content"][0]["input"] == json.loads("".join(parts)) == {"city": "Rome"}
    assert parts[0] == ""
    assert told[1][1]["content_block"] == whole["content"][0] | {"input": {}}


def test_parallel_calls_are_blocks_of_their_own(http: httpx2.Client) -> None:
    """Two cities are two calls, unless parallel use is disabled."""
    both = ask(http, "Weather in Rome and Paris", tools=[WEATHER])["content"]
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    one = ask(http, "Weather in Rome and Paris", tools=[WEATHER], tool_choice=choice)["content"]

    assert [block["input"]["city"] for block in both] == ["Rome", "Paris"]
    assert len({block["id"] for block in both}) == 2
    assert [block["input"]["city"] for block in one] == ["Rome"]


FITTING = {"thinking": {"thinking_delta", "signature_delta"}, "text": {"text_delta"}, "tool_use": {"input_json_delta"}}


def test_deltas_belong_to_the_block_that_is_open(http: httpx2.Client) -> None:
    """Also the empty one that a call begins with, after a text or a thought; each is of its block's kind."""
    is_open, kind = -1, ""
    for name, data in events(http, "Weather in Rome and in Oslo", tools=[WEATHER], **THINKING):
        if name == "content_block_start":
            is_open, kind = data["index"], data["content_block"]["type"]
        elif name == "content_block_delta":
            assert (data["index"], data["delta"]["type"] in FITTING[kind]) == (is_open, True)
        elif name == "content_block_stop":
            assert data["index"] == is_open


def test_results_are_quoted(http: httpx2.Client) -> None:
    """A tool's result leads to a text; a picture in it is described."""
    call = ask(http, "Weather in Rome", tools=[WEATHER])["content"]
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(red_picture()).decode()}
    result = {"type": "tool_result", "tool_use_id": call[0]["id"]}
    result["content"] = [{"type": "text", "text": "31 degrees"}, {"type": "image", "source": source}]
    history = [
        {"role": "user", "content": "Weather in Rome"},
        {"role": "assistant", "content": call},
        {"role": "user", "content": [result]},
    ]
    text = ask(http, messages=history, tools=[WEATHER])["content"][0]["text"]

    assert text.startswith("According to the tools, get_weather: 31 degrees This is a PNG picture of 64x32 pixels")


def test_neighbours_of_the_assistant_are_one_turn(http: httpx2.Client) -> None:
    """Calls in two messages may be answered in one; instructions may stand in the middle."""
    calls = ask(http, "Weather in Rome and Paris", tools=[WEATHER])["content"]
    messages = [USER, *({"role": "assistant", "content": [call]} for call in calls), result(*(c["id"] for c in calls))]
    told = ask(http, messages=[*messages, {"role": "system", "content": "Be brief"}], tools=[WEATHER])

    assert told["content"][0]["text"] == "According to the tools, get_weather: 31; get_weather: 31."


def test_thinking_comes_signed(http: httpx2.Client) -> None:
    """Whole and streamed give the same thinking and signature, which are counted."""
    whole = ask(http, **THINKING)
    told = events(http, **THINKING)
    deltas = [data["delta"] for name, data in told if name == "content_block_delta"]

    assert [block["type"] for block in whole["content"]] == ["thinking", "text"]
    assert "".join(delta.get("thinking", "") for delta in deltas) == whole["content"][0]["thinking"]
    assert [one["signature"] for one in deltas if "signature" in one] == [whole["content"][0]["signature"]]
    assert whole["usage"]["output_tokens_details"]["thinking_tokens"] > 0


def test_thinking_shows_only_when_asked_for(http: httpx2.Client) -> None:
    """Even a model that always thinks says nothing of it without `thinking`."""
    assert [block["type"] for block in ask(http, model="sandbox/think")["content"]] == ["text"]


def test_omitted_thinking_has_its_signature(http: httpx2.Client) -> None:
    """`display: omitted` leaves out the text, and the block may come back so."""
    adaptive = {"thinking": {"type": "adaptive", "display": "omitted"}}
    blocks = ask(http, **adaptive)["content"]
    history = [*body()["messages"], {"role": "assistant", "content": blocks}, {"role": "user", "content": "more"}]

    assert (blocks[0]["thinking"], bool(blocks[0]["signature"])) == ("", True)
    assert ask(http, messages=history, **adaptive)["stop_reason"] == "end_turn"
    kinds = [data["delta"]["type"] for name, data in events(http, **adaptive) if name == "content_block_delta"]
    assert kinds == ["signature_delta", "text_delta", "text_delta", "text_delta"]


def test_redacted_thinking_comes_whole(http: httpx2.Client) -> None:
    """Anthropic's own test string hides the thinking in a block without deltas, and it may come back."""
    text = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9"
    blocks = ask(http, text, **THINKING)["content"]
    starts = [data["content_block"] for name, data in events(http, text, **THINKING) if name == "content_block_start"]
    history = [*body(text)["messages"], {"role": "assistant", "content": blocks}, {"role": "user", "content": "more"}]

    assert blocks[0]["type"] == "redacted_thinking"
    assert starts[0] == blocks[0]
    assert ask(http, messages=history, **THINKING)["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    "change",
    [{"signature": "bm90IG91cnM="}, {"signature": "gw1.abc"}, {"thinking": "something else"}, {"signature": ""}],
)
def test_a_wrong_signature_is_refused(http: httpx2.Client, change: dict[str, str]) -> None:
    """A foreign signature, or one of another text, is a 400 that names the block."""
    block, text = ask(http, **THINKING)["content"]
    history = [*body()["messages"], {"role": "assistant", "content": [block | change, text]}]
    history.append({"role": "user", "content": "more"})

    assert refusal(http, body(messages=history)) in (
        "messages.1.content.0: Invalid `signature` in `thinking` block",
        "messages.1.content.0.signature: Field required",
    )


def test_a_tool_loop_keeps_its_thinking(http: httpx2.Client) -> None:
    """With manual thinking the calls come back behind the thinking that led to them."""
    blocks = ask(http, "Weather in Rome", tools=[WEATHER], **THINKING)["content"]
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": blocks[1]["id"], "content": "31"}]}
    first = {"role": "user", "content": "Weather in Rome"}
    whole = [first, {"role": "assistant", "content": blocks}, result]
    lost = [first, {"role": "assistant", "content": blocks[1:]}, result]

    assert ask(http, messages=whole, tools=[WEATHER], **THINKING)["stop_reason"] == "end_turn"
    said = refusal(http, body(messages=lost, tools=[WEATHER], **THINKING))
    assert said.startswith(
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."
    )
    assert ask(http, messages=lost, tools=[WEATHER])["stop_reason"] == "end_turn"


def test_marks_write_and_read_the_cache(http: httpx2.Client) -> None:
    """What is marked is written; in the next request what stood before the last answer is read."""
    system = [{"type": "text", "text": "one two three", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    first = ask(http, system=system)["usage"]
    history = [*body()["messages"], {"role": "assistant", "content": "1 2 3"}, {"role": "user", "content": "and on"}]
    second = ask(http, system=system, messages=history)["usage"]

    assert first["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 7}
    assert (first["input_tokens"], first["cache_read_input_tokens"]) == (7, 0)
    assert (second["cache_read_input_tokens"], second["cache_creation_input_tokens"]) == (7, 0)


def test_stops_and_limits(http: httpx2.Client) -> None:
    """A stop sequence is named; a limit says max_tokens."""
    stopped = ask(http, "count to 9", stop_sequences=[" 4", " 7"])
    short = ask(http, "count to 9", max_tokens=2)

    assert (stopped["content"][0]["text"], stopped["stop_reason"], stopped["stop_sequence"]) == (
        "1 2 3",
        "stop_sequence",
        " 4",
    )
    assert (short["content"][0]["text"], short["stop_reason"]) == ("1 2", "max_tokens")


def test_a_format_is_obeyed(http: httpx2.Client) -> None:
    """`output_config.format` gives a text that is JSON; schemas that it cannot enforce are refused."""
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    form = {"type": "json_schema", "schema": schema | {"additionalProperties": False}}
    text = ask(http, 'I am "Ada"', output_config={"format": form})["content"][0]["text"]
    said = refusal(http, body(output_config={"format": form | {"schema": schema}}))

    assert json.loads(text) == {"name": "Ada"}
    assert said.endswith("For 'object' type, 'additionalProperties' must be explicitly set to false")


def test_tokens_are_counted(http: httpx2.Client) -> None:
    """The count is that of the message; members that only an answer needs are refused."""
    counted = http.post("/v1/messages/count_tokens", json={"model": "sandbox/rules", "messages": body()["messages"]})
    refused = http.post("/v1/messages/count_tokens", json=body())

    assert counted.json() == {"input_tokens": 7}
    assert refused.json()["error"]["message"] == "max_tokens: Extra inputs are not permitted"


USER = {"role": "user", "content": "x"}
CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}}]}


def result(*ids: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "31"} for id in ids]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": 999_999}, "max_tokens: 999999 > 128000, which is the maximum allowed number"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages.0.role: Input should be 'user' or 'assistant'"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 'messages: first message must use the "user" role'),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0: user messages must have non-empty content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.0: user messages must have non-empty content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
            "messages: text content blocks must be non-empty",
        ),
        (
            {"messages": [USER, {"role": "assistant", "content": "so "}]},
            "messages: final assistant content cannot end with trailing whitespace",
        ),
        ({"messages": [USER, CALL]}, "messages.1: `tool_use` ids were found without `tool_result` blocks"),
        ({"messages": [USER, CALL, USER]}, "messages.1: `tool_use` ids were found without `tool_result` blocks"),
        ({"messages": [USER, CALL, result("t2")]}, "messages.2.content.0: unexpected `tool_use_id` found"),
        (
            {"messages": [USER, CALL, {"role": "user", "content": [{"type": "text", "text": "x"}, *result("t1")["content"]]}]},
            "messages.1: `tool_use` ids were found without `tool_result` blocks",
        ),
        ({"messages": [USER, CALL, result("t1")], "tools": None}, "Requests which have `tool_use` or `tool_result`"),
        ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
        ({"temperature": 0.5, "top_p": 0.5}, "`temperature` and `top_p` cannot both be specified"),
        ({"temperature": 0.5, **THINKING}, "`temperature` may only be set to 1 when thinking is enabled"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, "`max_tokens` must be greater than `thinking"),
        ({"thinking": {"type": "enabled", "budget_tokens": 5}}, "thinking.enabled.budget_tokens: Input should be greater"),
        ({"tool_choice": {"type": "any"}, **THINKING}, "Thinking may not be enabled when tool_choice forces tool use."),
        ({"tools": None, "tool_choice": {"type": "auto"}}, "tool_choice: tool_choice may only be specified"),
        ({"stop_sequences": [" "]}, "stop_sequences: each stop sequence must contain non-whitespace"),
        ({"n": 2}, "n: Extra inputs are not permitted"),
        ({"context_management": {}}, "context_management: Extra inputs are not permitted"),
        ({"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
        ({"tools": [{"name": "f", "input_schema": {}}]}, "tools.0.input_schema.type: Field required"),
        ({"tools": [WEATHER, WEATHER]}, "tools: Tool names must be unique."),
        (
            {"system": [{"type": "text", "text": str(at), "cache_control": {"type": "ephemeral"}} for at in range(5)]},
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        ),
        ({"output_config": {"effort": "minimal"}}, "output_config.effort: Input should be 'low', 'medium', 'high'"),
    ],
)  # fmt: skip
def test_wrong_input_is_refused_in_anthropics_words(http: httpx2.Client, change: dict[str, Any], said: str) -> None:
    """Each rule of the API is a 400 that says which."""
    value = {name: one for name, one in (body(tools=[WEATHER]) | change).items() if one is not None}

    assert refusal(http, value).startswith(said)


def test_a_picture_is_what_it_says(http: httpx2.Client) -> None:
    """The media type must be that of the data."""
    source = {"type": "base64", "media_type": "image/jpeg", "data": base64.b64encode(red_picture()).decode()}

    assert "appears to be a image/png image" in refusal(http, body([{"type": "image", "source": source}]))
    source["media_type"] = "image/png"
    assert "red" in ask(http, [{"type": "image", "source": source}])["content"][0]["text"]


def test_the_version_is_demanded_and_obeyed(http: httpx2.Client) -> None:
    """Without the header nothing works; the newer version knows no sampling."""
    bare = httpx2.post(f"{http.base_url}/v1/messages", json=body(), headers={"x-api-key": TOKEN})

    assert bare.json()["error"]["message"] == "anthropic-version: header is required"
    newer = {"anthropic-version": "2026-10-21"}
    assert refusal(http, body(temperature=1), **newer) == "temperature: Extra inputs are not permitted"


def test_the_key_may_stand_in_two_places(http: httpx2.Client) -> None:
    """`x-api-key` or a bearer token; a wrong one is a 401."""
    headers = {"anthropic-version": "2023-06-01"}
    url = f"{http.base_url}/v1/messages"
    bearer = httpx2.post(url, json=body(), headers=headers | {"authorization": f"Bearer {TOKEN}"})
    wrong = httpx2.post(url, json=body(), headers=headers | {"x-api-key": "no"})

    assert bearer.status_code == 200
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (401, "authentication_error")


def test_bad_days_are_anthropics(http: httpx2.Client) -> None:
    """Busy, overloaded, broken and unknown have Anthropic's statuses and types."""
    names = ("busy-429", "overloaded", "error-500", "nothing")
    answers = [http.post("/v1/messages", json=body(model=f"sandbox/{name}")) for name in names]

    assert [(one.status_code, one.json()["error"]["type"]) for one in answers] == [
        (429, "rate_limit_error"),
        (529, "overloaded_error"),
        (500, "api_error"),
        (404, "not_found_error"),
    ]
    assert answers[0].headers["retry-after"] == "1"
    assert answers[3].json()["error"]["message"] == "model: sandbox/nothing"


def test_an_error_in_the_stream_is_an_event(http: httpx2.Client) -> None:
    """After three deltas comes `error`, and nothing else."""
    told = events(http, "count to 9", model="sandbox/error-mid-stream")

    assert [name for name, _ in told[-2:]] == ["content_block_delta", "error"]
    assert told[-1][1]["error"]["type"] == "api_error"


def test_refusals_are_stop_reasons(http: httpx2.Client) -> None:
    """Filtered and blocked answers stop with `refusal`; a model that declines does so in its text."""
    assert ask(http, "count to 9", model="sandbox/filtered")["stop_reason"] == "refusal"
    blocked = ask(http, model="sandbox/blocked")
    declined = ask(http, model="sandbox/refuse")

    assert (blocked["content"], blocked["stop_reason"]) == ([], "refusal")
    assert (declined["content"][0]["text"], declined["stop_reason"]) == ("I cannot help with that.", "end_turn")


def test_usage_may_be_missing_or_whole(http: httpx2.Client) -> None:
    """`sandbox/no-usage` never counts; `sandbox/meters` counts each kind apart."""
    silent = events(http, model="sandbox/no-usage")
    usage = ask(http, "count to 90, and then a little more than that", model="sandbox/meters")["usage"]
    cached, written = usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]

    assert "usage" not in silent[0][1]["message"]
    assert "usage" not in silent[-2][1]
    assert cached == written == 2 * usage["cache_creation"]["ephemeral_1h_input_tokens"] > 0


def test_models_are_listed_in_pages(http: httpx2.Client) -> None:
    """With Anthropic's header the list has Anthropic's shape."""
    first = http.get("/v1/models", params={"limit": 2}).json()
    second = http.get("/v1/models", params={"limit": 1, "after_id": first["last_id"]}).json()

    assert first["has_more"]
    assert [model["type"] for model in first["data"]] == ["model", "model"]
    assert second["first_id"] not in [model["id"] for model in first["data"]]
    assert http.get("/v1/models/sandbox/rules").json()["display_name"] == "sandbox/rules"


def test_the_language_model_speaks_here_too(http: httpx2.Client) -> None:
    """Plain text is answered by the real model, with its own count."""
    answer = ask(http, "Name three animals.", model="smollm2-135m", max_tokens=8)

    assert (answer["stop_reason"], answer["usage"]["output_tokens"]) == ("max_tokens", 8)
    assert answer["content"][0]["text"]


def test_anthropics_sdk_is_content(address: str) -> None:
    """Whole, streamed, thinking and tools arrive as the SDK's own objects."""
    anthropic = pytest.importorskip("anthropic")
    client = anthropic.Anthropic(base_url=address, api_key=TOKEN, max_retries=0)
    request = {"model": "sandbox/rules", "max_tokens": 2048, "messages": body()["messages"]}
    message = client.messages.create(**request)
    with client.messages.stream(**request, thinking={"type": "adaptive"}) as stream:
        final = stream.get_final_message()
    question = [{"role": "user", "content": "Weather in Rome"}]
    with client.messages.stream(**request | {"messages": question}, tools=[WEATHER]) as stream:
        called = stream.get_final_message()

    assert message.content[0].text == "1 2 3"
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert (called.content[0].input, called.stop_reason) == ({"city": "Rome"}, "tool_use")
    assert client.messages.count_tokens(model="sandbox/rules", messages=request["messages"]).input_tokens == 7
    assert client.models.list(limit=1).data[0].id == "smollm2-135m"
    with pytest.raises(anthropic.RateLimitError):
        client.messages.create(**request | {"model": "sandbox/busy-429"})
