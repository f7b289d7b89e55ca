"""The official `openai` SDK for Python, Chat Completions."""

import json
from typing import Any

import openai

from compat.matrix.client import Client, Desk, checks_of, raises, run_checks
from compat.matrix.things import BIRD, BOTH, LONG, QUESTION, TIME, WEATHER, pdf, picture, sound


class Sdk:
    """The client and a short way to ask it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.client = openai.OpenAI(base_url=f"{desk.url}/v1", api_key=desk.key, http_client=desk.http, max_retries=0)

    def ask(self, content: Any, *, model: str = "rules", **more: Any) -> Any:
        messages = content if isinstance(content, list) and content and "role" in content[0] else None
        return self.client.chat.completions.create(
            model=self.desk.model(model), messages=messages or [{"role": "user", "content": content}], **more
        )

    def text(self, content: Any, **more: Any) -> str:
        return str(self.ask(content, **more).choices[0].message.content)

    def gather(self, content: Any, **more: Any) -> tuple[str, str, dict[int, dict[str, str]], str | None, Any]:
        """Text, thoughts, calls, the finish reason and the usage of a stream."""
        text = thoughts = ""
        calls: dict[int, dict[str, str]] = {}
        finish, usage = None, None
        for chunk in self.ask(content, stream=True, stream_options={"include_usage": True}, **more):
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
                thoughts += getattr(choice.delta, "reasoning_content", None) or ""
                finish = choice.finish_reason or finish
                for part in choice.delta.tool_calls or ():
                    call = calls.setdefault(part.index, {"id": "", "name": "", "arguments": ""})
                    call["id"] += part.id or ""
                    call["name"] += part.function.name or ""
                    call["arguments"] += part.function.arguments or ""
        return text, thoughts, calls, finish, usage


def tool(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": f"Get the {name}.", "parameters": parameters}}


TOOLS = [tool("weather", WEATHER), tool("time", TIME)]


def called(*ids: str) -> list[dict[str, Any]]:
    calls = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": '{"city":"Paris"}'}}
        for id, name in zip(ids, ("weather", "time"), strict=False)
    ]
    return [{"role": "user", "content": BOTH}, {"role": "assistant", "content": None, "tool_calls": calls}]


def check_text(sdk: Sdk) -> None:
    said = json.loads(
        sdk.text(
            [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Good morning"}], model="mirror"
        )
    )
    assert "Be brief." in json.dumps(said)
    assert "Good morning" in json.dumps(said)


def check_history(sdk: Sdk) -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]
    said = sdk.text(turns, model="mirror")
    assert said.index("one") < said.index("two") < said.index("three")


def check_stream(sdk: Sdk) -> None:
    text, _, _, finish, _ = sdk.gather("count to 12")
    assert all(str(number) in text for number in range(1, 13)), text
    assert finish == "stop"


def check_unicode(sdk: Sdk) -> None:
    text, *_ = sdk.gather("请重复：一只🐦在飞行")
    assert "一只🐦在飞行" in text


def _metered(sdk: Sdk, usage: Any) -> None:
    assert usage.prompt_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details.cached_tokens > 0 or not sdk.desk.caches_unasked
    assert usage.completion_tokens_details.reasoning_tokens > 0


def check_usage(sdk: Sdk) -> None:
    _metered(sdk, sdk.ask(LONG, model="meters", reasoning_effort="medium").usage)


def check_stream_usage(sdk: Sdk) -> None:
    *_, usage = sdk.gather(LONG, model="meters", reasoning_effort="medium")
    _metered(sdk, usage)


def check_length(sdk: Sdk) -> None:
    answer = sdk.ask("count to 100", max_tokens=12)
    assert answer.choices[0].finish_reason == "length"


def check_stop(sdk: Sdk) -> None:
    answer = sdk.ask("count to 20", stop=["7"])
    assert "6" in answer.choices[0].message.content
    assert "8" not in answer.choices[0].message.content


def _weather(name: str, arguments: str) -> None:
    assert name == "weather"
    assert json.loads(arguments)["city"] == "Paris"


def check_tool_call(sdk: Sdk) -> None:
    choice = sdk.ask(QUESTION, tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert call.id
    _weather(call.function.name, call.function.arguments)


def check_stream_tool_call(sdk: Sdk) -> None:
    _, _, calls, finish, _ = sdk.gather(QUESTION, tools=TOOLS)
    assert finish == "tool_calls"
    assert list(calls) == [0]
    assert calls[0]["id"]
    _weather(calls[0]["name"], calls[0]["arguments"])


def check_parallel(sdk: Sdk) -> None:
    calls = sdk.ask(BOTH, tools=TOOLS).choices[0].message.tool_calls
    _, _, streamed, _, _ = sdk.gather(BOTH, tools=TOOLS)
    assert sorted(call.function.name for call in calls) == ["time", "weather"]
    assert len({call.id for call in calls}) == 2
    assert sorted(call["name"] for call in streamed.values()) == ["time", "weather"]
    assert sorted(streamed) == [0, 1]


def check_tool_result(sdk: Sdk) -> None:
    results = [
        {"role": "tool", "tool_call_id": "call_a", "content": "sunny, 21 degrees"},
        {"role": "tool", "tool_call_id": "call_b", "content": "ten past nine"},
    ]
    said = sdk.text([*called("call_a", "call_b"), *results], tools=TOOLS)
    assert "21 degrees" in said
    assert "ten past nine" in said


def check_forced(sdk: Sdk) -> None:
    choice = {"type": "function", "function": {"name": "time"}}
    [call] = sdk.ask("Hello there", tools=TOOLS, tool_choice=choice).choices[0].message.tool_calls
    assert call.function.name == "time"


def check_no_tool(sdk: Sdk) -> None:
    message = sdk.ask(QUESTION, tools=TOOLS, tool_choice="none").choices[0].message
    assert not message.tool_calls
    assert message.content


def check_schema(sdk: Sdk) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "bird", "schema": BIRD, "strict": True}}
    said = json.loads(sdk.text("Tell me about a bird", response_format=form))
    assert set(said) == {"name", "wingspan_cm", "migrates"}
    assert isinstance(said["wingspan_cm"], int)


def check_image(sdk: Sdk) -> None:
    url = {"url": f"data:image/png;base64,{picture()}"}
    said = sdk.text([{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": url}])
    assert "red" in said.lower()


def check_pdf(sdk: Sdk) -> None:
    file = {"filename": "page.pdf", "file_data": f"data:application/pdf;base64,{pdf()}"}
    assert "pdf" in sdk.text([{"type": "text", "text": "What is this?"}, {"type": "file", "file": file}]).lower()


def check_audio(sdk: Sdk) -> None:
    heard = {"data": sound(), "format": "wav"}
    said = sdk.text([{"type": "text", "text": "What is this?"}, {"type": "input_audio", "input_audio": heard}])
    assert "sound" in said.lower() or "audio" in said.lower()


def check_reasoning(sdk: Sdk) -> None:
    message = sdk.ask("Good morning", model="think", reasoning_effort="medium").choices[0].message
    assert message.reasoning_content
    assert message.content


def check_stream_reasoning(sdk: Sdk) -> None:
    text, thoughts, *_ = sdk.gather("Good morning", model="think", reasoning_effort="medium")
    assert thoughts
    assert text


def check_reasoning_loop(sdk: Sdk) -> None:
    more = {"model": "think", "tools": TOOLS, "reasoning_effort": "medium"}
    first = sdk.ask(QUESTION, **more).choices[0].message
    [call] = first.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny, 21 degrees"}
    bare = {"role": "assistant", "content": None, "tool_calls": [call.model_dump(exclude_none=True)]}
    for turn in (first.model_dump(exclude_none=True), bare):
        assert "21 degrees" in sdk.text([{"role": "user", "content": QUESTION}, turn, result], **more)


def check_refusal(sdk: Sdk) -> None:
    assert sdk.ask("Good morning", model="filtered").choices[0].finish_reason == "content_filter"


def check_busy(sdk: Sdk) -> None:
    error = raises(openai.RateLimitError, lambda: sdk.ask("Good morning", model="busy-429"))
    assert error.code == "upstream_busy"


def check_broken_stream(sdk: Sdk) -> None:
    raises(openai.APIError, lambda: sdk.gather("count to 20", model="error-mid-stream"))


def check_wrong(sdk: Sdk) -> None:
    error = raises(openai.BadRequestError, lambda: sdk.ask([{"role": 5, "content": "Hi"}]))
    assert error.param == "$.messages[0].role"


CLIENT = Client(
    "openai (Python), Chat Completions",
    openai.__version__,
    "chat",
    run_checks(Sdk, checks_of(globals())),
)
