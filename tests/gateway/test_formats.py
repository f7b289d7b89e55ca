"""One client against the sandbox in each format: what is asked in OpenAI's format arrives in any other, and comes back."""

import json
import time
from typing import Any

import pytest

from tests.gateway.test_chat import WEATHER
from tests.house import House
from yibu.app.sandbox import SandboxChild
from yibu.dialects import discover
from yibu.kit.settings import Settings

FORMATS = {
    "chat": "openai_chat",
    "responses": "openai_responses",
    "claude": "anthropic",
    "gemini": "gemini",
    "gemini-3": "gemini",
}
SPOKEN = [name for name, dialect in FORMATS.items() if dialect in discover()]
WORK = "Read notes.txt and write its first line in upper case to out.txt"


def function(name: str, *members: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {member: {"type": "string"} for member in members},
        "required": list(members),
    }
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def test_each_format_has_a_channel_of_its_own(settings: Settings, sandbox: SandboxChild) -> None:
    """A channel speaks one format alone, and each of its models has a price."""
    channels = {channel.name: channel for channel in settings.channels}
    priced = {price.model for price in settings.prices}

    assert {name: channels[f"sandbox-{name}"].speaks for name in FORMATS} == {n: (d,) for n, d in FORMATS.items()}
    assert channels["sandbox-gemini-3"].models["sandbox/gemini-3/agent"] == "sandbox/agent-3"
    assert {model for channel in settings.channels for model in channel.models} <= priced


@pytest.mark.parametrize("name", SPOKEN)
async def test_a_text_whole_and_streamed(house: House, name: str) -> None:
    """The same text and the same count either way."""
    request: Any = {"model": f"sandbox/{name}", "messages": [{"role": "user", "content": "count to 5"}]}
    whole = await house.openai.chat.completions.create(**request)
    stream = await house.openai.chat.completions.create(**request, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]

    assert whole.choices[0].message.content == "1 2 3 4 5"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "1 2 3 4 5"
    assert whole.usage
    assert chunks[-1].usage
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (7, 5)
    assert chunks[-1].usage.completion_tokens == 5


@pytest.mark.parametrize("name", ["claude", "gemini"])
async def test_an_answer_has_its_time(house: House, name: str) -> None:
    """A vendor whose format does not tell when it answered did so now."""
    began = int(time.time())
    request: Any = {"model": f"sandbox/{name}", "messages": [{"role": "user", "content": "count to 5"}]}
    whole = await house.openai.chat.completions.create(**request)
    stream = await house.openai.chat.completions.create(**request, stream=True)
    told = {chunk.created async for chunk in stream}
    response = await house.openai.responses.create(model=f"sandbox/{name}", input="count to 5")

    assert len(told) == 1
    assert all(began <= one <= time.time() for one in (whole.created, *told, response.created_at))


@pytest.mark.parametrize("name", SPOKEN)
async def test_a_coding_agent_comes_to_its_end(house: House, name: str) -> None:
    """Calls and results travel through several turns, whatever ids and signatures the format demands."""
    files = {"notes.txt": "a heron\nand a fish\n"}
    tools: Any = [function("read_file", "path"), function("write_file", "path", "content")]
    messages: list[Any] = [{"role": "user", "content": WORK}]
    for _ in range(4):
        reply = await house.openai.chat.completions.create(
            model=f"sandbox/{name}/agent", messages=messages, tools=tools
        )
        message = reply.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            assert call.type == "function"
            arguments = json.loads(call.function.arguments)
            if call.function.name == "write_file":
                files[arguments["path"]] = arguments["content"]
            result = files[arguments["path"]] if call.function.name == "read_file" else "written"
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    assert files["out.txt"] == "A HERON\n"
    assert message.content == "Done: out.txt is written."


@pytest.mark.parametrize("name", SPOKEN)
async def test_what_the_upstream_understood(house: House, name: str) -> None:
    """Roles, tools and limits arrive as they were meant."""
    reply = await house.openai.chat.completions.create(
        model=f"sandbox/{name}/mirror",
        messages=[
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "1"},
            {"role": "user", "content": "two"},
        ],
        tools=[WEATHER],  # type: ignore[list-item]
        max_tokens=900,
        temperature=0.5,
    )
    told = json.loads(reply.choices[0].message.content or "")

    assert [(turn["role"], turn["text"]) for turn in told["turns"]] == [
        ("system", "Be brief"),
        ("user", "one"),
        ("assistant", "1"),
        ("user", "two"),
    ]
    assert (told["tools"][0]["name"], told["limit"], told["temperature"]) == ("get_weather", 900, 0.5)
