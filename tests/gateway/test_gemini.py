"""Google's official SDK, unmodified, through the whole house: the model behind it lives in another format, or in Google's own."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import pytest_asyncio
from google import genai
from google.genai import errors, types
from sqlalchemy import select

from tests.gateway.test_chat import picture
from tests.house import House, open_house
from yibu.kit.settings import Settings
from yibu.ledger.tables import call

WEATHER: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS: Any = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(
                name="get_weather", description="Weather of a city", parameters_json_schema=WEATHER
            )
        ]
    )
]
MODEL = "sandbox/rules"
# Nanos a token in a demo: 0.15 and 0.60 units a million.
INPUT, OUTPUT = 150, 600


@pytest_asyncio.fixture(params=["openai", "gemini"])
async def house(settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """The sandbox as a vendor of OpenAI's format, to be translated, and of Google's, to be piped."""
    channel = settings.channels[0].model_copy(update={"provider": request.param, "inline_media": False})
    async with open_house(settings.model_copy(update={"channels": (channel,)})) as opened:
        yield opened


@pytest.fixture
def client(house: House) -> Any:
    return genai.Client(api_key=house.key, http_options={"base_url": house.url}).aio


def config(**members: Any) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(automatic_function_calling={"disable": True}, **members)


async def test_answer_and_its_price(house: House, client: Any) -> None:
    """An answer has Google's members, and the balance falls by what its usage costs."""
    answer = await client.models.generate_content(
        model=MODEL, contents="Say hello.", config=config(system_instruction="Be short.", max_output_tokens=200)
    )
    usage = answer.usage_metadata
    thoughts = usage.thoughts_token_count or 0

    assert answer.text
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count + thoughts
    assert await house.spent() == usage.prompt_token_count * INPUT + (usage.candidates_token_count + thoughts) * OUTPUT
    assert await house.held() == 0


async def test_stream(house: House, client: Any) -> None:
    """Piece by piece, with the end and the usage in the last."""
    pieces = [
        piece
        async for piece in await client.models.generate_content_stream(
            model=MODEL, contents="count to 5", config=config(max_output_tokens=200)
        )
    ]
    usage = pieces[-1].usage_metadata

    assert len(pieces) > 2
    assert "5" in "".join(piece.text or "" for piece in pieces)
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert await house.spent() == usage.prompt_token_count * INPUT + usage.candidates_token_count * OUTPUT


async def test_stream_as_an_array(house: House) -> None:
    """Without `alt=sse` the stream is one JSON array of the same pieces."""
    path = f"/v1beta/models/{MODEL}:streamGenerateContent"
    body = {"contents": [{"parts": [{"text": "count to 5"}]}]}
    status, headers, said = await house.post(body, path)
    _, sse, _ = await house.post(body, f"{path}?alt=sse")
    pieces = json.loads(said)

    assert status == 200
    assert headers["content-type"].startswith("application/json")
    assert sse["content-type"].startswith("text/event-stream")
    assert said.startswith(b"[{")
    assert "5" in "".join(
        part.get("text", "") for piece in pieces for part in piece["candidates"][0]["content"]["parts"]
    )
    assert pieces[-1]["candidates"][0]["finishReason"] == "STOP"


async def test_loop_of_a_tool(client: Any) -> None:
    """A call comes with an object that satisfies its schema; its result leads to an answer."""
    contents: list[Any] = [types.UserContent("What is the weather in Paris?")]
    first = await client.models.generate_content(
        model=MODEL,
        contents=contents,
        config=config(tools=TOOLS, tool_config={"function_calling_config": {"mode": "ANY"}}),
    )
    [wanted] = first.function_calls
    jsonschema.validate(wanted.args, WEATHER)
    result = types.Part.from_function_response(name=wanted.name, response={"output": "18 degrees"})
    result.function_response.id = wanted.id
    contents += [first.candidates[0].content, types.Content(role="user", parts=[result])]
    second = await client.models.generate_content(model=MODEL, contents=contents, config=config(tools=TOOLS))

    assert "18 degrees" in second.text


async def test_call_in_a_stream(client: Any) -> None:
    """A call comes whole, in one piece."""
    calls = [
        call
        async for piece in await client.models.generate_content_stream(
            model=MODEL,
            contents="weather in Tokyo please",
            config=config(tools=TOOLS, tool_config={"function_calling_config": {"mode": "ANY"}}),
        )
        for call in piece.function_calls or ()
    ]

    assert [call.name for call in calls] == ["get_weather"]
    jsonschema.validate(calls[0].args, WEATHER)


async def test_json(client: Any) -> None:
    """A schema is kept to, and the SDK parses what comes."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    answer = await client.models.generate_content(
        model=MODEL,
        contents="A number, please.",
        config=config(response_mime_type="application/json", response_json_schema=schema),
    )

    jsonschema.validate(json.loads(answer.text), schema)


async def test_picture(house: House, client: Any) -> None:
    """Bytes in the SDK's own alphabet arrive as a picture."""
    image = types.Part.from_bytes(data=base64.b64decode(picture().partition(",")[2]), mime_type="image/png")
    answer = await client.models.generate_content(model=MODEL, contents=[image, "What do you see?"])
    assert await house.spent() > 0
    row = await house.app.house.db.read(lambda conn: conn.execute(select(call)).mappings().one())

    assert answer.text
    assert [loss for loss in json.loads(row["losses"]) if "turns" in loss["where"]] == []


async def test_thoughts(client: Any) -> None:
    """Thoughts are parts that are marked as such."""
    answer = await client.models.generate_content(
        model=MODEL,
        contents="think about 2+2",
        config=config(thinking_config={"thinking_budget": 1024, "include_thoughts": True}),
    )

    assert answer.candidates[0].content.parts
    assert answer.text


async def test_count_tokens(house: House, client: Any) -> None:
    """Counted by Google, else estimated; it costs nothing."""
    counted = await client.models.count_tokens(model=MODEL, contents="How long is this sentence?")

    assert 3 < counted.total_tokens < 40
    assert await house.spent() == 0


async def test_models(client: Any) -> None:
    """In pages, and one by its name with or without the prefix."""
    pager = await client.models.list(config={"page_size": 2})
    names = [model.name async for model in pager]

    assert f"models/{MODEL}" in names
    assert len(names) == len(set(names)) > 2
    for name in (MODEL, f"models/{MODEL}"):
        assert (await client.models.get(model=name)).name == f"models/{MODEL}"


async def test_errors(house: House, client: Any) -> None:
    """They are the SDK's own errors, with our codes."""
    with pytest.raises(errors.ClientError) as unknown:
        await client.models.generate_content(model="nobody-has-this", contents="hi")
    with pytest.raises(errors.ClientError) as wrong:
        await client.models.generate_content(model=MODEL, contents="hi", config=config(max_output_tokens=0))
    stranger = genai.Client(api_key="sk-yb-nobody", http_options={"base_url": house.url}).aio
    with pytest.raises(errors.ClientError) as denied:
        await stranger.models.generate_content(model=MODEL, contents="hi")

    assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND")
    assert (wrong.value.code, wrong.value.status) == (400, "INVALID_ARGUMENT")
    assert "maxOutputTokens" in str(wrong.value)
    assert (denied.value.code, denied.value.status) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("alt", ["", "?alt=sse"])
async def test_a_stream_that_breaks(alt: str, house: House) -> None:
    """Pitfall 21: it ends with an error in its own form, never with an end that nobody gave."""
    path = f"/v1beta/models/sandbox/cut-mid-stream:streamGenerateContent{alt}"
    _, _, said = await house.post({"contents": [{"parts": [{"text": "count to 9"}]}]}, path)
    pieces = (
        [json.loads(frame.removeprefix(b"data: ")) for frame in said.replace(b"\r\n", b"\n").split(b"\n\n") if frame]
        if alt
        else json.loads(said)
    )

    assert pieces[-1]["error"]["code"] == 502
    assert not any(piece["candidates"][0].get("finishReason") for piece in pieces[:-1])


@pytest.mark.parametrize("alt", ["", "?alt=sse"])
async def test_a_stream_that_cannot_be_read(alt: str, house: House) -> None:
    """Whatever a vendor sends, the caller reads Google's format."""
    path = f"/v1beta/models/sandbox/bad-json:streamGenerateContent{alt}"
    status, _, said = await house.post({"contents": [{"parts": [{"text": "hi"}]}]}, path)
    text = said.decode()

    assert status in (200, 502)
    if not alt:
        json.loads(text)
    assert '"error"' in text


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/{}:generateContent",
        "/v1/models/{}:generateContent",
        "/models/{}:generateContent",
        "/v1/v1beta/models/models/{}:generateContent",
    ],
)
@pytest.mark.parametrize("place", ["header", "query", "bearer"])
async def test_addresses_and_keys(path: str, place: str, house: House) -> None:
    """Wherever the base URL ends and wherever the key travels."""
    address = house.url + path.format(MODEL) + (f"?key={house.key}" if place == "query" else "")
    headers = {"header": {"x-goog-api-key": house.key}, "query": {}, "bearer": house.bearer}[place]
    async with house.session.post(address, json={"contents": [{"parts": [{"text": "hi"}]}]}, headers=headers) as answer:
        body = await answer.json()

    assert (answer.status, body["candidates"][0]["finishReason"]) == (200, "STOP")


async def test_what_only_google_has_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Where the model lives elsewhere: its file stores and caches cannot be reached from there."""
    async with open_house(settings) as house:
        path = f"/v1beta/models/{MODEL}:generateContent"
        file = {"fileData": {"fileUri": "gs://bucket/a.pdf", "mimeType": "application/pdf"}}
        for body in (
            {"contents": [{"parts": [file]}]},
            {"contents": [{"parts": [{"text": "hi"}]}], "cachedContent": "cachedContents/1"},
        ):
            status, _, said = await house.post(body, path)
            assert (status, json.loads(said)["error"]["status"]) == (400, "INVALID_ARGUMENT")


async def test_google_behind_openai(house: House) -> None:
    """The other way round: OpenAI's SDK does not notice whose model it is."""
    tool: Any = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    first = await house.openai.chat.completions.create(
        model=MODEL, messages=messages, tools=[tool], tool_choice="required"
    )
    answer = first.choices[0]
    assert answer.finish_reason == "tool_calls"
    [wanted] = answer.message.tool_calls or []
    messages += [
        answer.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": wanted.id, "content": "18 degrees"},
    ]
    stream = await house.openai.chat.completions.create(
        model=MODEL, messages=messages, tools=[tool], stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    assert "18 degrees" in "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens > 0


async def test_vectors(settings: Settings) -> None:
    """One and several, whoever makes them."""
    async with open_house(settings) as house:
        client = genai.Client(api_key=house.key, http_options={"base_url": house.url}).aio
        several = await client.models.embed_content(
            model="multilingual-e5-small",
            contents=["Cats purr.", "Dogs bark."],
            config={"task_type": "RETRIEVAL_QUERY"},
        )
        path = "/v1beta/models/multilingual-e5-small:embedContent"
        status, _, said = await house.post({"content": {"parts": [{"text": "Cats purr."}]}}, path)
        assert await house.spent() > 0

    assert several.embeddings is not None
    assert [len(one.values or ()) for one in several.embeddings] == [384, 384]
    assert (status, len(json.loads(said)["embedding"]["values"])) == (200, 384)
