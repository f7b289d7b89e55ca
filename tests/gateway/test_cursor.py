"""Cursor's agent, which asks in the format of Responses at the path of chat and reads answers of chat."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.house import House

PATH = "/v1/chat/completions"
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PATCH = {
    "type": "custom",
    "name": "ApplyPatch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": 'start: "*** Begin Patch"'},
}
every_upstream = pytest.mark.parametrize("upstream", ["chat", "responses", "claude", "gemini"])


def asked(upstream: str, text: str, **members: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": [{"type": "input_text", "text": text}]}]
    return {"model": f"sandbox/{upstream}", "input": said, "store": False, **members}


def chunks(body: bytes) -> list[ChatCompletionChunk]:
    frames = [line.removeprefix(b"data: ") for line in body.split(b"\n\n") if line.startswith(b"data: ")]
    assert frames.pop() == b"[DONE]"
    return [ChatCompletionChunk.model_validate_json(frame, strict=True) for frame in frames]


@every_upstream
async def test_whole(house: House, upstream: str) -> None:
    """A request of Responses at the path of chat is answered as chat."""
    status, _, body = await house.post(asked(upstream, "count to 5", messages=[]))

    assert status == 200, body
    answer = ChatCompletion.model_validate_json(body, strict=True)
    assert (answer.object, answer.choices[0].message.content) == ("chat.completion", "1 2 3 4 5")
    assert await house.spent() > 0


@every_upstream
async def test_stream_with_its_usage(house: House, upstream: str) -> None:
    """A stream has chunks, and the usage at its end when it was asked for in the words of chat; that is no loss."""
    options = {"include_usage": True}
    _, head, body = await house.post(asked(upstream, "count to 5", stream=True, stream_options=options))
    told = chunks(body)

    assert "".join(chunk.choices[0].delta.content or "" for chunk in told if chunk.choices) == "1 2 3 4 5"
    assert told[-1].usage
    assert "stream_options" not in head.get("x-yibu-loss", "")


async def test_stream_without_usage(house: House) -> None:
    """Who did not ask for usage gets none."""
    _, _, body = await house.post(asked("claude", "count to 5", stream=True))

    assert not any(chunk.usage for chunk in chunks(body))


@every_upstream
async def test_flat_tools(house: House, upstream: str) -> None:
    """Flat tools are called, and items of calls and results in the history are understood."""
    _, _, body = await house.post(asked(upstream, "Use get_weather for Paris", tools=[WEATHER]))
    message = ChatCompletion.model_validate_json(body).choices[0].message
    assert message.tool_calls
    call = message.tool_calls[0]
    assert call.type == "function"
    went = {"type": "function_call", "call_id": call.id, "name": "get_weather", "arguments": call.function.arguments}
    came = {"type": "function_call_output", "call_id": call.id, "output": "21 degrees"}
    question = asked(upstream, "Use get_weather for Paris", tools=[WEATHER])
    question["input"] += [went, came]
    status, _, body = await house.post(question)

    assert json.loads(call.function.arguments).keys() == {"city"}
    assert status == 200, body
    assert ChatCompletion.model_validate_json(body).choices[0].finish_reason == "stop"


@every_upstream
async def test_free_text_tool(house: House, upstream: str) -> None:
    """The patch tool, which takes free text, is called as a free-text tool of chat."""
    _, _, body = await house.post(asked(upstream, "Use ApplyPatch", tools=[PATCH]))
    [call] = json.loads(body)["choices"][0]["message"]["tool_calls"]

    assert (call["type"], call["custom"]["name"]) == ("custom", "ApplyPatch")


async def test_chat_about_input_is_chat(house: House) -> None:
    """A request of chat whose tools have a member named `input` stays one."""
    schema = {"type": "object", "properties": {"input": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "say", "parameters": schema}}
    said = {"messages": [{"role": "user", "content": "count to 5"}], "tools": [tool]}
    _, _, body = await house.post({"model": "sandbox/rules", **said})

    assert json.loads(body)["choices"][0]["message"]["content"] == "1 2 3 4 5"


async def test_wrong_member(house: House) -> None:
    """A mistake is told with its path, in the shape of chat."""
    status, _, body = await house.post({"model": "sandbox/rules", "input": [{"role": 7, "content": "a"}]})

    assert status == 400
    assert json.loads(body)["error"]["param"].startswith("$.input[0]")
