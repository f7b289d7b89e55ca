"""Ordinary chat through the whole house with the official SDK, unmodified, against the sandbox."""

import base64
import io
import json

import jsonschema
import openai
import pytest
from PIL import Image
from sqlalchemy import select

from tests.house import House
from yibu.identity import keys
from yibu.kit.ids import now_ms
from yibu.ledger.tables import call

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
# Nanos a token in a demo: 0.15 and 0.60 units a million.
INPUT, OUTPUT = 150, 600


def picture(color: str = "red", size: tuple[int, int] = (64, 48)) -> str:
    written = io.BytesIO()
    Image.new("RGB", size, color).save(written, "PNG")
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()


async def rows(house: House) -> list[dict[str, object]]:
    """The log of calls, oldest first."""
    await house.app.house.closings.drain()
    return await house.app.house.db.read(
        lambda conn: [dict(row) for row in conn.execute(select(call).order_by(call.c.started_at)).mappings()]
    )


async def test_answer_of_the_language_model(house: House) -> None:
    """A real language model answers, and the balance falls by exactly what its usage costs."""
    answer = await house.openai.chat.completions.create(
        model="smollm2-135m", messages=[{"role": "user", "content": "What is the capital of France?"}], max_tokens=24
    )

    assert answer.choices[0].message.content
    assert answer.usage
    cost = answer.usage.prompt_tokens * INPUT + answer.usage.completion_tokens * OUTPUT
    assert await house.spent() == cost
    assert await house.held() == 0


async def test_stream_of_the_language_model(house: House) -> None:
    """Pieces come one by one; usage comes last because it was asked for; the log knows what was billed."""
    stream = await house.openai.chat.completions.create(
        model="smollm2-135m",
        messages=[{"role": "user", "content": "Count to five."}],
        max_tokens=24,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]

    assert chunks[0].choices[0].delta.role == "assistant"
    assert len([c for c in chunks if c.choices and c.choices[0].delta.content]) > 3
    usage = chunks[-1].usage
    assert usage
    assert chunks[-1].choices == []
    assert await house.spent() == usage.prompt_tokens * INPUT + usage.completion_tokens * OUTPUT
    [row] = await rows(house)
    units = json.loads(str(row["units"]))
    assert {name: count for name, count in units.items() if count} == {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
    }
    assert row["is_stream"]
    assert row["channel"] == "sandbox"


async def test_usage_that_nobody_asked_for(house: House) -> None:
    """Pitfall 73: the usage frame that only the gateway asked for is hidden, and billed all the same."""
    stream = await house.openai.chat.completions.create(
        model="sandbox/rules", messages=[{"role": "user", "content": "hello"}], stream=True
    )
    chunks = [chunk async for chunk in stream]

    assert all(chunk.choices for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)
    assert await house.spent() > 0


async def test_tool_call_and_its_result(house: House) -> None:
    """A call matches its schema; after the result the model answers with it."""
    messages: list[dict[str, object]] = [{"role": "user", "content": "What is the weather in Paris, in celsius?"}]
    first = await house.openai.chat.completions.create(
        model="smollm2-135m",
        messages=messages,
        tools=[WEATHER],
        tool_choice="required",  # type: ignore[list-item,arg-type]
    )
    [wanted] = first.choices[0].message.tool_calls or []
    assert wanted.type == "function"
    arguments = json.loads(wanted.function.arguments)
    jsonschema.validate(arguments, WEATHER["function"]["parameters"])  # type: ignore[index]
    assert arguments["city"] == "Paris"
    assert first.choices[0].finish_reason == "tool_calls"

    messages += [
        first.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": wanted.id, "content": "18 degrees and sunny"},
    ]
    second = await house.openai.chat.completions.create(model="smollm2-135m", messages=messages, tools=[WEATHER])  # type: ignore[list-item,arg-type]

    assert "18 degrees" in (second.choices[0].message.content or "")


async def test_tool_call_in_a_stream(house: House) -> None:
    """Fragments of arguments join to JSON that satisfies the schema."""
    stream = await house.openai.chat.completions.create(
        model="sandbox/rules",
        messages=[{"role": "user", "content": "weather in Tokyo please"}],
        tools=[WEATHER],  # type: ignore[list-item]
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        stream=True,
    )
    arguments = ""
    async for chunk in stream:
        for fragment in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            arguments += (fragment.function.arguments or "") if fragment.function else ""

    jsonschema.validate(json.loads(arguments), WEATHER["function"]["parameters"])  # type: ignore[index]


async def test_json_that_validates(house: House) -> None:
    """An answer with a JSON schema is JSON that satisfies it."""
    answer = await house.openai.chat.completions.create(
        model="smollm2-135m",
        messages=[{"role": "user", "content": "Describe Alice, 30 years old, as JSON."}],
        response_format={"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON}},
    )

    jsonschema.validate(json.loads(answer.choices[0].message.content or ""), PERSON)


async def test_picture_in_a_question(house: House) -> None:
    """A picture is looked at: its colour and form are in the answer."""
    answer = await house.openai.chat.completions.create(
        model="smollm2-135m",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What do you see?"},
                    {"type": "image_url", "image_url": {"url": picture("red")}},
                ],
            }
        ],
    )

    assert "red" in (answer.choices[0].message.content or "").lower()


async def test_headers_of_an_answer(house: House) -> None:
    """Every answer says its request id, its channel and its cost."""
    status, headers, body = await house.post(
        {"model": "sandbox/rules", "messages": [{"role": "user", "content": "hi"}]}
    )
    usage = json.loads(body)["usage"]
    cost = usage["prompt_tokens"] * INPUT + usage["completion_tokens"] * OUTPUT

    assert status == 200
    assert headers["x-request-id"].startswith("req_")
    assert headers["x-yibu-channel"] == "sandbox"
    assert round(float(headers["x-yibu-cost"]) * 1e9) == cost


async def test_models_list(house: House) -> None:
    """The list holds what the key can call; a name with a slash is found; an unknown one is the SDK's NotFoundError."""
    names = [model.id async for model in house.openai.models.list()]
    one = await house.openai.models.retrieve("sandbox/rules")

    assert {"smollm2-135m", "sora-2", "sandbox/rules"} <= set(names)
    assert one.id == "sandbox/rules"
    with pytest.raises(openai.NotFoundError) as raised:
        await house.openai.models.retrieve("nonesuch")
    assert raised.value.code == "model_not_found"
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["message_zh"].startswith("没有这个模型")


async def test_the_last_use_of_a_key_is_kept(house: House) -> None:
    """Written behind the calls' backs; a key that nobody used has none."""
    used, secret = await house.new_key()
    unused, _ = await house.new_key()
    began = now_ms()
    await house.get("/v1/models", authorization=f"Bearer {secret}")
    await house.app.uses.write()
    rows = {row.id: row.last_used_at for row in await house.app.house.db.read(keys.list_keys)}

    assert rows[unused] is None
    assert began <= (rows[used] or 0) <= now_ms()


async def test_key_for_some_models(house: House) -> None:
    """A key with a list of models sees and calls only these."""
    _, secret = await house.new_key(models=("sandbox/rules",))
    client = house.openai.with_options(api_key=secret)

    assert [model.id async for model in client.models.list()] == ["sandbox/rules"]
    with pytest.raises(openai.PermissionDeniedError):
        await client.chat.completions.create(model="smollm2-135m", messages=[{"role": "user", "content": "hi"}])


async def test_balance_as_tools_ask_for_it(house: House) -> None:
    """Granted minus spent is what is left, to the nano, and the book agrees."""
    await house.post({"model": "sandbox/rules", "messages": [{"role": "user", "content": "hi"}]})
    subscription = json.loads((await house.get("/v1/dashboard/billing/subscription"))[2], parse_float=str)
    usage = json.loads(
        (await house.get("/dashboard/billing/usage?start_date=2026-01-01&end_date=2026-12-31"))[2], parse_float=str
    )
    balance = await house.app.house.ledger.balance(house.wallet)

    assert subscription["hard_limit_usd"] == 10
    assert balance.spent > 0
    assert round(float(usage["total_usage"]) * 1e7) == balance.spent
    assert balance.available == 10_000_000_000 - balance.spent


async def test_reasoning_is_metered(house: House) -> None:
    """Thoughts arrive as `reasoning_content` and are billed as reasoning."""
    status, _, body = await house.post({"model": "sandbox/think", "messages": [{"role": "user", "content": "Why?"}]})
    message = json.loads(body)["choices"][0]["message"]

    assert status == 200
    assert message["reasoning_content"]
    [row] = await rows(house)
    assert json.loads(str(row["units"]))["reasoning"] > 0
