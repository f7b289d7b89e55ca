"""OpenAI's Responses format: as raw HTTP, and as OpenAI's own SDK sees it."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from tests.sandbox.conftest import TOKEN
from tests.sandbox.test_chat import red_picture
from tests.sandbox.test_kinds import PDF

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Current weather of a city",
    "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SUMMARY = {"reasoning": {"effort": "high", "summary": "auto"}}
ENCRYPTED = {"include": ["reasoning.encrypted_content"], "store": False}


@pytest.fixture(scope="module")
def http(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, headers={"authorization": f"Bearer {TOKEN}"}, timeout=20) as client:
        yield client


def body(items: Any = "count to 3", **more: Any) -> dict[str, Any]:
    return {"model": "sandbox/rules", "input": items} | more


def ask(http: httpx2.Client, items: Any = "count to 3", **more: Any) -> Any:
    answer = http.post("/v1/responses", json=body(items, **more))
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(http: httpx2.Client, value: dict[str, Any], status: int = 400) -> Any:
    answer = http.post("/v1/responses", json=value)
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def events(http: httpx2.Client, items: Any = "count to 3", **more: Any) -> list[Any]:
    """The events of a stream; name and type agree, and the numbers have no gap."""
    text = http.post("/v1/responses", json=body(items, stream=True, **more)).text
    frames = [frame.split("\ndata: ") for frame in text.strip().split("\n\n")]
    told = [json.loads(data) for _, data in frames]
    assert [name.removeprefix("event: ") for name, _ in frames] == [event["type"] for event in told]
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    return told


def kinds(told: list[Any]) -> list[str]:
    """The types without `response.`, repeated ones once."""
    names = [event["type"].removeprefix("response.") for event in told]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def output_of(call: dict[str, Any], text: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call["call_id"], "output": text}


def test_a_response(http: httpx2.Client) -> None:
    """A whole answer echoes what was asked, with OpenAI's defaults."""
    answer = ask(http, instructions="Be brief", metadata={"a": "b"})
    (message,) = answer["output"]

    assert (answer["object"], answer["status"], answer["store"]) == ("response", "completed", True)
    assert (answer["instructions"], answer["metadata"]) == ("Be brief", {"a": "b"})
    assert message["content"] == [{"type": "output_text", "text": "1 2 3", "annotations": [], "logprobs": []}]
    assert answer["usage"] == {
        "input_tokens": 13,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 16,
    }


def test_a_stream_has_every_event_in_order(http: httpx2.Client) -> None:
    """The last event holds the whole answer's response."""
    told = events(http)

    assert kinds(told) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert "".join(event.get("delta", "") for event in told) == "1 2 3"
    assert told[0]["response"]["usage"] is None
    assert told[-1]["response"] == ask(http)


def test_reasoning_and_a_call(http: httpx2.Client) -> None:
    """Reasoning is an item of its own with a summary on demand; calls are items with their arguments in deltas."""
    told = events(http, "Weather in Rome and Paris", tools=[WEATHER], **SUMMARY)
    output = told[-1]["response"]["output"]

    assert kinds(told)[2:14] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
    ]
    assert [item["type"] for item in output] == ["reasoning", "function_call", "function_call"]
    assert [json.loads(item["arguments"]) for item in output[1:]] == [{"city": "Rome"}, {"city": "Paris"}]
    assert len({item["call_id"] for item in output[1:]}) == 2
    assert output[0]["summary"][0]["type"] == "summary_text"
    assert ask(http, "Weather in Rome and Paris", tools=[WEATHER], **SUMMARY)["output"] == output


def test_without_a_summary_reasoning_is_silent(http: httpx2.Client) -> None:
    """The item comes and goes with nothing between."""
    told = events(http, reasoning={"effort": "low"})

    assert [event["type"] for event in told[2:4]] == ["response.output_item.added", "response.output_item.done"]
    assert told[3]["item"]["summary"] == []
    assert told[-1]["response"]["usage"]["output_tokens_details"]["reasoning_tokens"] > 0


def test_results_are_quoted(http: httpx2.Client) -> None:
    """A result is text, or parts with a picture."""
    question = user("Weather in Rome")
    (call,) = ask(http, [question], tools=[WEATHER])["output"]
    url = f"data:image/png;base64,{base64.b64encode(red_picture()).decode()}"
    parts = [{"type": "input_text", "text": "31"}, {"type": "input_image", "image_url": url}]
    plain = ask(http, [question, call, output_of(call, "31")], tools=[WEATHER])
    shown = ask(http, [question, call, output_of(call, parts)], tools=[WEATHER])

    assert plain["output"][0]["content"][0]["text"] == "According to the tools, get_weather: 31."
    assert "get_weather: 31 This is a PNG picture" in shown["output"][0]["content"][0]["text"]


def test_encrypted_reasoning_comes_back(http: httpx2.Client) -> None:
    """Without storage the content of the reasoning must come along, unchanged; a foreign one is refused."""
    question = user("Weather in Rome")
    request = {"tools": [WEATHER], **SUMMARY, **ENCRYPTED}
    thought, call = ask(http, [question], **request)["output"]
    bare = [{name: value for name, value in item.items() if name != "id"} for item in (call,)]
    result = output_of(call, "31")

    assert ask(http, [question, thought, call, result], **request)["status"] == "completed"
    foreign = thought | {"encrypted_content": "gAAAA"}
    assert refused(http, body([question, foreign, call, result], **request))["code"] == "invalid_encrypted_content"
    lost = thought | {"encrypted_content": None, "id": "rs_gone"}
    assert "Items are not persisted" in refused(http, body([question, lost, call, result], **request), 404)["message"]
    alone = refused(http, body([question, thought, result, *bare], **request))
    assert alone["message"].endswith("of type 'reasoning' was provided without its required following item.")


def test_a_stored_call_keeps_its_reasoning(http: httpx2.Client) -> None:
    """A call whose id is known is refused without the reasoning that led to it."""
    question = user("Weather in Rome, now")
    thought, call = ask(http, [question], tools=[WEATHER], **SUMMARY)["output"]
    said = refused(http, body([question, call, output_of(call, "31")], tools=[WEATHER]))["message"]
    reference = {"type": "item_reference", "id": thought["id"]}

    assert said.endswith(f"was provided without its required 'reasoning' item: '{thought['id']}'.")
    assert ask(http, [question, reference, call, output_of(call, "31")], tools=[WEATHER])["status"] == "completed"


def test_a_conversation_goes_on_by_id(http: httpx2.Client) -> None:
    """The earlier input and output stand before the new input; instructions do not."""
    first = ask(http, "Weather in Rome", tools=[WEATHER], instructions="Be brief")
    (call,) = first["output"]
    second = ask(http, [output_of(call, "31")], tools=[WEATHER], previous_response_id=first["id"])
    told = ask(http, "again", model="sandbox/mirror", previous_response_id=second["id"])
    turns = json.loads(told["output"][0]["content"][0]["text"])["turns"]

    assert second["output"][0]["content"][0]["text"] == "According to the tools, get_weather: 31."
    assert [turn["role"] for turn in turns] == ["user", "assistant", "tool", "assistant", "user"]


def test_responses_are_kept_listed_and_forgotten(http: httpx2.Client) -> None:
    """Retrieve, its events, its items, delete."""
    first = ask(http, [user("one"), user("count to 4")])
    path = f"/v1/responses/{first['id']}"
    items = http.get(f"{path}/input_items", params={"limit": 1}).json()
    rest = http.get(f"{path}/input_items", params={"after": items["last_id"], "order": "desc"}).json()
    replayed = http.get(path, params={"stream": "true", "starting_after": 2}).text

    assert http.get(path).json() == first
    assert items["data"][0]["content"] == [{"type": "input_text", "text": "count to 4"}]
    assert (items["has_more"], rest["has_more"]) == (True, False)
    assert rest["data"][0]["content"][0]["text"] == "one"
    assert replayed.startswith("event: response.content_part.added\n")
    assert http.delete(path).json() == {"id": first["id"], "object": "response", "deleted": True}
    assert http.get(path).json()["error"]["message"] == f"Response with id '{first['id']}' not found."


def test_what_is_not_stored_cannot_be_gone_on_from(http: httpx2.Client) -> None:
    """`store: false` keeps nothing."""
    first = ask(http, "not stored", store=False)

    assert http.get(f"/v1/responses/{first['id']}").status_code == 404
    error = refused(http, body(previous_response_id=first["id"]))
    assert (error["code"], error["param"]) == ("previous_response_not_found", "previous_response_id")


def test_background(http: httpx2.Client) -> None:
    """It answers at once and ends later, or is cancelled; what was not begun so cannot be."""
    quick = ask(http, "count to 5", background=True)
    slow = ask(http, "count to 5", background=True, model="sandbox/slow")
    deadline = time.monotonic() + 10
    while (now := http.get(f"/v1/responses/{quick['id']}").json())["status"] != "completed":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    cancelled = [http.post(f"/v1/responses/{slow['id']}/cancel").json()["status"] for _ in range(2)]
    plain = ask(http)

    assert quick["status"] == "queued"
    assert now["output"][0]["content"][0]["text"] == "1 2 3 4 5"
    assert cancelled == ["cancelled", "cancelled"]
    assert http.post(f"/v1/responses/{plain['id']}/cancel").status_code == 400


def test_a_limit_leaves_the_response_incomplete(http: httpx2.Client) -> None:
    """With the reason, and the same state in its items."""
    answer = ask(http, "count to 50", max_output_tokens=16)

    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert answer["output"][0]["status"] == "incomplete"
    assert events(http, "count to 50", max_output_tokens=16)[-1]["type"] == "response.incomplete"


def test_custom_tools_take_free_text(http: httpx2.Client) -> None:
    """Their input comes in deltas of its own."""
    tool = {"type": "custom", "name": "note", "description": "Writes a note"}
    told = events(http, "note this", tools=[tool], tool_choice="required")
    item = told[-1]["response"]["output"][0]

    assert (item["type"], item["input"], item["name"]) == ("custom_tool_call", "note this", "note")
    assert "custom_tool_call_input.delta" in kinds(told)


def test_strict_is_tried_unless_it_is_declined(http: httpx2.Client) -> None:
    """Without `strict` optional members get filled; `strict: true` demands a strict schema."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "note": {"type": "string"}},
        "required": ["city"],
    }
    loose = WEATHER | {"parameters": schema}
    silent = {name: value for name, value in loose.items() if name != "strict"}

    def arguments(tool: Any) -> Any:
        return json.loads(ask(http, "Weather in Rome", tools=[tool])["output"][0]["arguments"])

    assert arguments(loose) == {"city": "Rome"}
    assert arguments(silent) == {"city": "Rome", "note": "note"}
    error = refused(http, body(tools=[loose | {"strict": True}]))
    assert error["message"].startswith(
        "Invalid schema for function 'get_weather': In context=(), 'additionalProperties'"
    )


def test_a_format_is_obeyed(http: httpx2.Client) -> None:
    """The schema stands flat in `text.format`."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "person", "schema": schema, "strict": True}
    text = ask(http, 'I am "Ada"', text={"format": form})["output"][0]["content"][0]["text"]

    assert json.loads(text) == {"name": "Ada"}


def test_media_and_logprobs(http: httpx2.Client) -> None:
    """A picture and a PDF are described; each token has its logprobs on demand."""
    url = f"data:image/png;base64,{base64.b64encode(red_picture()).decode()}"
    data = f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"
    parts = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": url, "detail": "auto"},
        {"type": "input_file", "filename": "q.pdf", "file_data": data},
    ]
    text = ask(http, [{"role": "user", "content": parts}])["output"][0]["content"][0]["text"]
    told = ask(http, include=["message.output_text.logprobs"], top_logprobs=2)["output"][0]["content"][0]["logprobs"]

    assert [line[:18] for line in text.split("\n")] == ["This is a PNG pict", "This is a PDF docu"]
    assert [one["token"] for one in told] == ["1", " 2", " 3"]
    assert [len(one["top_logprobs"]) for one in told] == [2, 2, 2]


CALL = {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": "{}"}


@pytest.mark.parametrize(
    ("value", "param"),
    [
        (body(n=2), "n"),
        (body(stop=["x"]), "stop"),
        (body(seed=1), "seed"),
        (body(max_output_tokens=5), "max_output_tokens"),
        ({"model": "sandbox/rules"}, "input"),
        (body([]), "input"),
        (body([{"role": "robot", "content": "x"}]), "input[0].role"),
        (body([{"type": "smell"}]), "input[0].type"),
        (
            body([user("x"), {"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]),
            "input[1].content[0].type",
        ),
        (body([user("x"), CALL]), "input"),
        (body([user("x"), output_of(CALL, "31")]), "input"),
        (body([user("x"), CALL | {"id": "call_1"}, output_of(CALL, "31")]), "input[1].id"),
        (body([user("x"), CALL | {"call_id": "c" * 65}, output_of(CALL, "31")]), "input[1].call_id"),
        (body(tools=[{"type": "function", "function": {"name": "f"}}]), "tools[0].name"),
        (body(tools=[{"type": "function", "name": "f"}]), "tools[0].parameters"),
        (body(text={"format": {"type": "json_schema", "json_schema": {}}}), "text.format.json_schema"),
        (body(include=["nonsense"]), "include[0]"),
        (body(model="sandbox/nothing"), "model"),
        (body(background=True, store=False), "background"),
        (body(text={"format": {"type": "json_object"}}), "input"),
    ],
)
def test_wrong_input_names_the_member(http: httpx2.Client, value: dict[str, Any], param: str) -> None:
    """A wrong member is a 400 that names its path."""
    assert refused(http, value)["param"] == param


def test_codex_says_who_it_is(http: httpx2.Client) -> None:
    """`client_metadata` is taken, although no page names it."""
    assert ask(http, client_metadata={"x-codex-installation-id": "1"})["status"] == "completed"


def test_tokens_are_counted(http: httpx2.Client) -> None:
    """The count is that of the response."""
    counted = http.post("/v1/responses/input_tokens", json=body(instructions="Be brief")).json()

    assert counted == {"object": "response.input_tokens", "input_tokens": 13}


def test_bad_days(http: httpx2.Client) -> None:
    """Refusals are parts, filters make it incomplete, an error in the stream is told twice: as event and as failed response."""
    declined = ask(http, model="sandbox/refuse")["output"][0]["content"][0]
    filtered = ask(http, "count to 9", model="sandbox/filtered")
    told = events(http, "count to 9", model="sandbox/error-mid-stream")
    statuses = [
        http.post("/v1/responses", json=body(model=f"sandbox/{name}")).status_code
        for name in ("busy-429", "overloaded", "error-500", "blocked")
    ]

    assert declined == {"type": "refusal", "refusal": "I cannot help with that."}
    assert filtered["incomplete_details"] == {"reason": "content_filter"}
    assert [event["type"] for event in told[-2:]] == ["error", "response.failed"]
    assert told[-1]["response"]["error"]["code"] == "server_error"
    assert statuses == [429, 503, 500, 400]
    assert ask(http, model="sandbox/no-usage")["usage"] is None


def test_openais_sdk_is_content(client: openai.OpenAI) -> None:
    """Whole, streamed, parsed, retrieved and counted as the SDK's own objects."""
    whole = client.responses.create(model="sandbox/think", input="count to 3", reasoning={"summary": "auto"})
    with client.responses.stream(model="sandbox/rules", input="Weather in Rome", tools=[WEATHER]) as stream:
        names = [event.type for event in stream]
        final: Any = stream.get_final_response()
    items = client.responses.input_items.list(whole.id).data

    assert whole.output_text == "1 2 3"
    assert [item.type for item in whole.output] == ["reasoning", "message"]
    assert names[-1] == "response.completed"
    assert json.loads(final.output[0].arguments) == {"city": "Rome"}
    assert client.responses.retrieve(whole.id).output_text == "1 2 3"
    assert [item.type for item in items] == ["message"]
    assert client.responses.input_tokens.count(model="sandbox/rules", input="count to 3").input_tokens == 7
    client.responses.delete(whole.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(whole.id)
