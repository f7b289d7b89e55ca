"""Anthropic's official SDK, unmodified, through the whole house: the model behind it lives in another format."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import jsonschema
import pytest
import pytest_asyncio
from sqlalchemy import select

from tests.gateway.test_chat import PERSON, picture
from tests.house import House
from yibu.ledger.tables import call

WEATHER: Any = {
    "name": "get_weather",
    "description": "Weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
# Nanos a token in a demo: 0.15 and 0.60 units a million.
INPUT, OUTPUT = 150, 600


@pytest_asyncio.fixture
async def client(house: House) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key=house.key, base_url=house.url, max_retries=0) as opened:
        yield opened


def asked(text: str) -> Any:
    return [{"role": "user", "content": text}]


async def test_answer_and_its_price(house: House, client: anthropic.AsyncAnthropic) -> None:
    """An answer has Anthropic's members, and the balance falls by what its usage costs."""
    answer = await client.messages.create(
        model="sandbox/rules", max_tokens=200, system="Be short.", messages=asked("Say hello.")
    )
    [block] = answer.content

    assert block.type == "text"
    assert block.text
    assert answer.id.startswith("msg_")
    assert answer.stop_reason == "end_turn"
    cached = answer.usage.cache_read_input_tokens or 0
    assert await house.spent() == (answer.usage.input_tokens + cached) * INPUT + answer.usage.output_tokens * OUTPUT
    assert await house.held() == 0


async def test_stream(house: House, client: anthropic.AsyncAnthropic) -> None:
    """The SDK's own accumulator is content with the stream, which tells the usage before and after."""
    async with client.messages.stream(model="sandbox/rules", max_tokens=200, messages=asked("count to 5")) as stream:
        started = [event async for event in stream if event.type == "message_start"]
        final = await stream.get_final_message()

    assert started[0].message.usage.input_tokens > 0
    assert final.stop_reason == "end_turn"
    assert final.content[0].type == "text"
    assert "5" in final.content[0].text
    assert await house.spent() == final.usage.input_tokens * INPUT + final.usage.output_tokens * OUTPUT


async def test_loop_of_a_tool(client: anthropic.AsyncAnthropic) -> None:
    """A call comes with an object that satisfies its schema; its result leads to an answer."""
    messages = asked("What is the weather in Paris?")
    first = await client.messages.create(
        model="sandbox/rules", max_tokens=300, messages=messages, tools=[WEATHER], tool_choice={"type": "any"}
    )
    [wanted] = [block for block in first.content if block.type == "tool_use"]
    jsonschema.validate(wanted.input, WEATHER["input_schema"])
    assert first.stop_reason == "tool_use"

    result = {"type": "tool_result", "tool_use_id": wanted.id, "content": [{"type": "text", "text": "18 degrees"}]}
    messages += [
        {"role": "assistant", "content": [block.to_dict() for block in first.content]},
        {"role": "user", "content": [result]},
    ]
    second = await client.messages.create(model="sandbox/rules", max_tokens=300, messages=messages, tools=[WEATHER])

    assert any(block.type == "text" and "18 degrees" in block.text for block in second.content)


async def test_call_in_a_stream(client: anthropic.AsyncAnthropic) -> None:
    """Fragments of arguments join to the object that the SDK hands out."""
    async with client.messages.stream(
        model="sandbox/rules",
        max_tokens=300,
        messages=asked("weather in Tokyo please"),
        tools=[WEATHER],
        tool_choice={"type": "tool", "name": "get_weather"},
    ) as stream:
        final = await stream.get_final_message()
    [wanted] = [block for block in final.content if block.type == "tool_use"]

    jsonschema.validate(wanted.input, WEATHER["input_schema"])
    assert final.stop_reason == "tool_use"


async def test_thinking_goes_round(client: anthropic.AsyncAnthropic) -> None:
    """Thoughts of a vendor that signs nothing come with a signature of ours, and may be sent back with the next turn."""
    messages = asked("Why?")
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    first = await client.messages.create(model="sandbox/think", max_tokens=4000, messages=messages, thinking=thinking)
    thought = first.content[0]
    assert thought.type == "thinking"
    assert thought.thinking
    assert thought.signature

    messages += [{"role": "assistant", "content": [block.to_dict() for block in first.content]}, *asked("And then?")]
    second = await client.messages.create(model="sandbox/think", max_tokens=4000, messages=messages, thinking=thinking)

    assert second.stop_reason == "end_turn"


async def test_no_thoughts_for_whom_did_not_ask(client: anthropic.AsyncAnthropic) -> None:
    """Without `thinking` no such block comes, whole or streamed."""
    whole = await client.messages.create(model="sandbox/think", max_tokens=4000, messages=asked("Why?"))
    async with client.messages.stream(model="sandbox/think", max_tokens=4000, messages=asked("Why?")) as stream:
        streamed = await stream.get_final_message()

    assert {block.type for block in whole.content} == {"text"}
    assert {block.type for block in streamed.content} == {"text"}


async def test_json_that_validates(client: anthropic.AsyncAnthropic) -> None:
    """`output_config.format` is obeyed."""
    answer = await client.messages.create(
        model="sandbox/rules",
        max_tokens=300,
        messages=asked("Describe Alice, 30 years old."),
        output_config={"format": {"type": "json_schema", "schema": PERSON}},
    )
    assert answer.content[0].type == "text"
    jsonschema.validate(json.loads(answer.content[0].text), PERSON)


async def test_picture(client: anthropic.AsyncAnthropic) -> None:
    """A picture is looked at."""
    data = picture("red").partition(",")[2]
    content: Any = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        {"type": "text", "text": "What do you see?"},
    ]
    answer = await client.messages.create(
        model="sandbox/rules", max_tokens=300, messages=[{"role": "user", "content": content}]
    )
    assert answer.content[0].type == "text"
    assert "red" in answer.content[0].text.lower()


async def test_beta_as_claude_code_sends_it(client: anthropic.AsyncAnthropic) -> None:
    """`?beta=true`, a list of betas, system blocks with cache marks, a user's id and a reminder in the middle all pass."""
    answer = await client.beta.messages.create(
        model="sandbox/rules",
        max_tokens=300,
        betas=["claude-code-20250219", "interleaved-thinking-2025-05-14"],
        system=[{"type": "text", "text": "You are a tool.", "cache_control": {"type": "ephemeral"}}],
        metadata={"user_id": "user_1_session_2"},
        messages=[
            *asked("hello"),
            {"role": "assistant", "content": "hi"},
            *asked("and?"),
            {"role": "system", "content": "Remember the plan."},  # type: ignore[list-item,typeddict-item]
        ],
    )

    assert answer.type == "message"


async def test_count_tokens(house: House, client: anthropic.AsyncAnthropic) -> None:
    """Pitfall 78: the count is real or estimated, never 0, grows with the text, and costs nothing."""
    short = await client.messages.count_tokens(model="sandbox/rules", messages=asked("hello"))
    long = await client.messages.count_tokens(
        model="sandbox/rules", messages=asked("hello " * 400), tools=[WEATHER], system="Be kind."
    )

    assert 0 < short.input_tokens < 50
    assert 400 <= long.input_tokens < 2000
    assert await house.spent() == 0


async def test_count_of_an_unknown_model(client: anthropic.AsyncAnthropic) -> None:
    """A model that is not here is said so."""
    with pytest.raises(anthropic.NotFoundError) as raised:
        await client.messages.count_tokens(model="nonesuch", messages=asked("hello"))

    assert error_of(raised.value)["type"] == "not_found_error"


def error_of(raised: anthropic.APIStatusError) -> dict[str, Any]:
    assert isinstance(raised.body, dict)
    found: dict[str, Any] = raised.body["error"]
    return found


async def test_models_in_anthropics_shape(house: House, client: anthropic.AsyncAnthropic) -> None:
    """The SDK pages through the list; a name with a slash is found; OpenAI's tools still get their own shape."""
    names = [model.id async for model in client.models.list(limit=2)]
    one = await client.models.retrieve("sandbox/rules")
    theirs = [model.id async for model in house.openai.models.list()]

    assert names == theirs
    assert one.type == "model"
    assert one.display_name == "sandbox/rules"
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("nonesuch")


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=" + "9" * 5000])
async def test_wrong_limit_of_models(house: House, query: str) -> None:
    """A limit that is none is the caller's mistake, in the caller's shape."""
    status, _, body = await house.get(f"/v1/models?{query}", **{"anthropic-version": "2023-06-01"})

    assert status == 400
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


async def test_page_before_a_model(house: House) -> None:
    """`before_id` gives the models that stand before it."""
    names = [model.id async for model in house.openai.models.list()]
    _, _, body = await house.get(f"/v1/models?before_id={names[3]}&limit=2", **{"x-api-key": house.key})
    page = json.loads(body)

    assert [model["id"] for model in page["data"]] == names[1:3]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (names[1], names[2], True)


async def test_errors_have_anthropics_shape(house: House, client: anthropic.AsyncAnthropic) -> None:
    """Pitfall 77: a wrong key, an unknown model, a wrong member and an unknown address are told as Anthropic tells them."""
    with pytest.raises(anthropic.AuthenticationError) as raised:
        await client.with_options(api_key="sk-no").messages.create(
            model="sandbox/rules", max_tokens=1, messages=asked("hi")
        )
    assert error_of(raised.value)["type"] == "authentication_error"
    with pytest.raises(anthropic.NotFoundError) as missing:
        await client.messages.create(model="nonesuch", max_tokens=1, messages=asked("hi"))
    assert error_of(missing.value)["details"]["error_code"] == "model_not_found"

    status, _, body = await house.post(
        {"model": "sandbox/rules", "max_tokens": 1, "messages": [{"role": "x"}]}, "/v1/messages"
    )
    assert status == 400
    told = json.loads(body)
    assert told["type"] == "error"
    assert told["request_id"].startswith("req_")
    assert told["error"]["details"]["param"].startswith("$.messages[0]")

    status, _, body = await house.get("/v1/messages/batches", **{"anthropic-version": "2023-06-01"})
    assert status in (404, 405)
    assert json.loads(body)["error"]["type"] in ("not_found_error", "invalid_request_error")


async def test_missing_ceiling(house: House) -> None:
    """`max_tokens` is demanded, as Anthropic does."""
    status, _, body = await house.post({"model": "sandbox/rules", "messages": asked("hi")}, "/v1/messages")

    assert status == 400
    assert json.loads(body)["error"]["details"]["param"] == "$.max_tokens"


@pytest.mark.parametrize(
    ("model", "kind"),
    [("sandbox/busy-429", anthropic.RateLimitError), ("sandbox/error-500", anthropic.InternalServerError)],
)
async def test_vendor_in_trouble(client: anthropic.AsyncAnthropic, model: str, kind: type[Exception]) -> None:
    """What a vendor suffers reaches the caller as the SDK's own exception."""
    with pytest.raises(kind):
        await client.messages.create(model=model, max_tokens=10, messages=asked("hi"))


async def test_stream_that_breaks(client: anthropic.AsyncAnthropic) -> None:
    """Pitfall 21: an answer that breaks off is no whole one: the SDK raises."""
    with pytest.raises(anthropic.APIError):
        async with client.messages.stream(
            model="sandbox/cut-mid-stream", max_tokens=100, messages=asked("count to 50")
        ) as stream:
            await stream.get_final_message()


async def test_log_knows_the_format(house: House, client: anthropic.AsyncAnthropic) -> None:
    """The row of a call says in which format it was made."""
    await client.messages.create(model="sandbox/rules", max_tokens=20, messages=asked("hi"))
    await house.app.house.closings.drain()
    [row] = await house.app.house.db.read(lambda conn: [dict(row) for row in conn.execute(select(call)).mappings()])

    assert row["dialect"] == "anthropic"
    assert row["operation"] == "chat"


@pytest.mark.parametrize("path", ["/messages", "/v1/v1/messages", "//v1//messages/", "/v1/messages?beta=true"])
async def test_whatever_base_url(house: House, path: str) -> None:
    """Base URLs with and without `/v1`, doubled slashes and the beta mark all lead to the same route."""
    status, _, body = await house.post({"model": "sandbox/rules", "max_tokens": 20, "messages": asked("hi")}, path)

    assert status == 200
    assert json.loads(body)["type"] == "message"
