"""The chat API as OpenAI's SDK sees it."""

import base64
import io
import json
import time
from typing import Any

import openai
import pytest
from jsonschema import validate
from PIL import Image

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}


def user(text: Any) -> list[Any]:
    return [{"role": "user", "content": text}]


def picture_part(content: bytes, kind: str = "png") -> dict[str, Any]:
    url = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def red_picture(width: int = 64, height: int = 32) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (220, 20, 20)).save(file, "PNG")
    return file.getvalue()


def ask(client: openai.OpenAI, text: Any, model: str = "sandbox/rules", **more: Any) -> Any:
    return client.chat.completions.create(model=model, messages=user(text), **more)


def test_every_listed_model_can_be_fetched(client: openai.OpenAI) -> None:
    """Each model of the list has a page of its own, and an unknown one is a 404."""
    names = [model.id for model in client.models.list()]

    assert {"smollm2-135m", "sandbox/rules", "sora-2"} <= set(names)
    assert [client.models.retrieve(name).id for name in names] == names
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-nothing")
    assert caught.value.code == "model_not_found"


def test_a_wrong_token_is_refused(client: openai.OpenAI) -> None:
    """A request without the right token is a 401 in OpenAI's shape."""
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key="wrong").models.list()

    assert caught.value.body == {
        "message": "Incorrect API key provided.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }


def test_the_rules_engine_echoes(client: openai.OpenAI) -> None:
    """Without anything else to do the rules engine repeats the question, in its language."""
    english, chinese = ask(client, "good morning"), ask(client, "早上好")

    assert english.choices[0].message.content == "You said: good morning"
    assert chinese.choices[0].message.content == "你说的是：早上好"
    assert english.usage.total_tokens == english.usage.prompt_tokens + english.usage.completion_tokens


def test_the_language_model_is_deterministic_and_streams_the_same(client: openai.OpenAI) -> None:
    """The same request gives the same answer, and the stream carries the same text and usage."""
    request = {"max_tokens": 24, "temperature": 0.8, "seed": 5, "model": "smollm2-135m"}
    first, second = (ask(client, "Name three animals.", **request) for _ in range(2))
    chunks = list(ask(client, "Name three animals.", **request, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    assert first.model_dump() == second.model_dump()
    assert (first.choices[0].finish_reason, first.usage.completion_tokens) == ("length", 24)
    assert text == first.choices[0].message.content
    assert chunks[-1].usage == first.usage


def test_a_stop_string_ends_the_language_model(client: openai.OpenAI) -> None:
    """The answer ends before the stop string, with finish_reason stop."""
    choice = ask(client, "Count: one, two, three", "smollm2-135m", temperature=0, max_tokens=60, stop=[" "]).choices[0]

    assert " " not in choice.message.content
    assert choice.finish_reason == "stop"


def test_a_prompt_longer_than_the_context_is_the_callers_mistake(client: openai.OpenAI) -> None:
    """More tokens than the model's context are a 400."""
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "word " * 4000, "smollm2-135m", stream=True)

    assert caught.value.code == "context_length_exceeded"


def test_leaving_a_stream_stops_the_language_model(client: openai.OpenAI) -> None:
    """When the client closes a long stream, the only slot is free again at once."""
    stream = ask(client, "Tell a very long story.", "smollm2-135m", max_tokens=1500, stream=True)
    next(iter(stream))
    stream.close()
    started = time.monotonic()
    ask(client, "Hi", "smollm2-135m", max_tokens=2)

    assert time.monotonic() - started < 3


def test_a_mentioned_tool_is_called_once_per_city(client: openai.OpenAI) -> None:
    """Under auto the subject of a tool leads to a call for each city, with arguments that the schema accepts."""
    reply = ask(client, "Weather in Paris and Berlin, in fahrenheit?", tools=[WEATHER, CLOCK]).choices[0]
    arguments = [json.loads(call.function.arguments) for call in reply.message.tool_calls]

    assert reply.finish_reason == "tool_calls"
    assert arguments == [{"city": "Paris", "unit": "fahrenheit"}, {"city": "Berlin", "unit": "fahrenheit"}]
    assert reply.message.content is None


def test_chinese_subjects_call_english_tools(client: openai.OpenAI) -> None:
    """北京天气 calls get_weather."""
    reply = ask(client, "北京今天天气怎么样？", tools=[WEATHER]).choices[0]

    assert json.loads(reply.message.tool_calls[0].function.arguments)["city"] == "北京"


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"tool_choice": "none"}, []),
        ({"tool_choice": "required"}, ["get_weather"]),
        ({"tool_choice": {"type": "function", "function": {"name": "get_time"}}}, ["get_time"]),
        ({}, []),
    ],
)
def test_the_tool_choice_decides(client: openai.OpenAI, more: dict[str, Any], names: list[str]) -> None:
    """A text that mentions no tool calls one only when the choice demands it."""
    message = ask(client, "Hello there", tools=[WEATHER, CLOCK], **more).choices[0].message

    assert [call.function.name for call in message.tool_calls or []] == names


def test_parallel_calls_can_be_switched_off(client: openai.OpenAI) -> None:
    """Two tools are called at once unless parallel_tool_calls is false."""
    both, one = (
        ask(client, "Use get_time and get_weather for Rome", tools=[WEATHER, CLOCK], parallel_tool_calls=parallel)
        for parallel in (True, False)
    )

    assert [call.function.name for call in both.choices[0].message.tool_calls] == ["get_time", "get_weather"]
    assert [call.function.name for call in one.choices[0].message.tool_calls] == ["get_time"]


def test_a_streamed_call_is_the_same_call(client: openai.OpenAI) -> None:
    """The fragments of a streamed call join to the call of the whole answer."""
    whole = ask(client, "Weather in Rome", tools=[WEATHER]).choices[0].message.tool_calls[0]
    calls = [
        call
        for chunk in ask(client, "Weather in Rome", tools=[WEATHER], stream=True)
        for call in chunk.choices[0].delta.tool_calls or []
    ]

    assert (calls[0].function.name, calls[0].type) == ("get_weather", "function")
    assert calls[0].id.startswith("call_")
    assert all(call.id is None for call in calls[1:])
    assert "".join(call.function.arguments for call in calls) == whole.function.arguments


def test_results_of_tools_are_quoted(client: openai.OpenAI) -> None:
    """After the results the answer is a text that repeats them."""
    call = ask(client, "Weather in Rome", tools=[WEATHER]).choices[0].message
    history = [
        *user("Weather in Rome"),
        call.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "31 degrees"},
    ]
    reply = client.chat.completions.create(model="smollm2-135m", messages=history, tools=[WEATHER])  # type: ignore[list-item, arg-type]

    assert reply.choices[0].message.content == "According to the tools, get_weather: 31 degrees."


def test_a_response_format_is_obeyed(client: openai.OpenAI) -> None:
    """The answer validates against the schema, whatever the model."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}}
    value = json.loads(
        ask(client, 'The person "Ada" is 36', "smollm2-135m", response_format=form).choices[0].message.content
    )

    validate(value, schema)
    assert value == {"name": "Ada", "age": 36}


def test_json_object_needs_the_word(client: openai.OpenAI) -> None:
    """json_object gives an object, and refuses a conversation that never says JSON."""
    form = {"type": "json_object"}

    assert json.loads(ask(client, "Some JSON please", response_format=form).choices[0].message.content)
    with pytest.raises(openai.BadRequestError, match="must contain the word 'json'"):
        ask(client, "An object please", response_format=form)


@pytest.mark.parametrize(("model", "more"), [("sandbox/think", {}), ("sandbox/rules", {"reasoning_effort": "high"})])
def test_reasons_are_told_and_counted(client: openai.OpenAI, model: str, more: dict[str, Any]) -> None:
    """Reasoning comes in reasoning_content and is part of the completion tokens."""
    reply = ask(client, "What now?", model, **more)

    assert "What now?" in reply.choices[0].message.reasoning_content
    assert 0 < reply.usage.completion_tokens_details.reasoning_tokens < reply.usage.completion_tokens


def test_pictures_are_described_in_the_language_of_the_question(client: openai.OpenAI) -> None:
    """Format, size, orientation, colour and brightness are told."""
    parts = [picture_part(red_picture())]
    english = ask(client, [{"type": "text", "text": "What is this?"}, *parts]).choices[0].message.content
    chinese = ask(client, [{"type": "text", "text": "这是什么？"}, *parts], "smollm2-135m").choices[0].message.content

    assert "PNG picture of 64x32 pixels in landscape orientation" in english
    assert "red" in english
    assert chinese == "这是一张 64×32 像素的横向 PNG 图片，主要颜色是红色，整体偏暗。"


@pytest.mark.parametrize("part", [picture_part(b"no picture"), {"type": "image_url", "image_url": {"url": "nonsense"}}])
def test_a_broken_picture_is_refused(client: openai.OpenAI, part: dict[str, Any]) -> None:
    """Data that is no picture is a 400 invalid_image_url, also for a stream."""
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, [part], stream=True)

    assert caught.value.code == "invalid_image_url"


def test_links_are_not_opened(client: openai.OpenAI) -> None:
    """An http picture is answered with a remark, never fetched."""
    part = {"type": "image_url", "image_url": {"url": "http://192.0.2.1/cat.png"}}

    assert "do not open" in ask(client, [part]).choices[0].message.content


def test_limits_and_stops_cut_the_rules_engine(client: openai.OpenAI) -> None:
    """max_completion_tokens ends with length, a stop string with stop and without the string."""
    short = ask(client, "count to 50", max_completion_tokens=5).choices[0]
    stopped = ask(client, "count to 50", stop=" 7").choices[0]

    assert (short.message.content, short.finish_reason) == ("1 2 3 4 5", "length")
    assert (stopped.message.content, stopped.finish_reason) == ("1 2 3 4 5 6", "stop")


def test_several_choices_share_the_prompt(client: openai.OpenAI) -> None:
    """n=2 gives two choices, whose completion tokens add up."""
    reply = ask(client, "hello", n=2)
    single = ask(client, "hello")

    assert [choice.index for choice in reply.choices] == [0, 1]
    assert reply.usage.prompt_tokens == single.usage.prompt_tokens
    assert reply.usage.completion_tokens == 2 * single.usage.completion_tokens


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "sandbox/rules"}, "messages"),
        ({"messages": user("x")}, "model"),
        ({"model": "sandbox/rules", "messages": []}, "messages"),
        ({"model": "sandbox/rules", "messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"model": "sandbox/rules", "messages": [{"role": "user"}]}, "messages[0].content"),
        ({"model": "sandbox/rules", "messages": user([{"type": "smell"}])}, "messages[0].content[0].type"),
        ({"model": "sandbox/rules", "messages": user("x"), "temperature": 3}, "temperature"),
        ({"model": "sandbox/rules", "messages": user("x"), "max_tokens": "5"}, "max_tokens"),
        ({"model": "sandbox/rules", "messages": user("x"), "fancy": 1}, "fancy"),
        ({"model": "sandbox/rules", "messages": user("x"), "tool_choice": "auto"}, "tool_choice"),
        ({"model": "sandbox/rules", "messages": user("x"), "stop": ["a"] * 5}, "stop"),
    ],
)
def test_wrong_input_names_the_member(client: openai.OpenAI, body: dict[str, Any], param: str) -> None:
    """A wrong member is a 400 that names its path."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body=body, cast_to=object)

    assert caught.value.param == param
