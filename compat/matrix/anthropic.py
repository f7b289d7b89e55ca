"""The official `anthropic` SDK for Python, Messages."""

import json
from typing import Any

import anthropic

from compat.matrix.client import Client, Desk, checks_of, raises, run_checks
from compat.matrix.things import BIRD, BOTH, LONG, QUESTION, TIME, WEATHER, pdf, picture


class Sdk:
    """The client and a short way to ask it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.client = anthropic.Anthropic(base_url=desk.url, api_key=desk.key, http_client=desk.http, max_retries=0)

    def ask(self, content: Any, *, model: str = "rules", **more: Any) -> Any:
        return self.client.messages.create(**self._whole(content, model, more))

    def text(self, content: Any, **more: Any) -> str:
        return "".join(block.text for block in self.ask(content, **more).content if block.type == "text")

    def gather(self, content: Any, *, model: str = "rules", **more: Any) -> tuple[list[Any], Any]:
        """The events of a stream, and the message that the SDK makes of them."""
        with self.client.messages.stream(**self._whole(content, model, more)) as stream:
            return list(stream), stream.get_final_message()

    def _whole(self, content: Any, model: str, more: dict[str, Any]) -> dict[str, Any]:
        is_talk = isinstance(content, list) and content and "role" in content[0]
        messages = content if is_talk else [{"role": "user", "content": content}]
        return {"model": self.desk.model(model), "max_tokens": 4096, "messages": messages, **more}


def tool(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "description": f"Get the {name}.", "input_schema": schema}


TOOLS = [tool("weather", WEATHER), tool("time", TIME)]


def called(*ids: str) -> list[dict[str, Any]]:
    calls = [
        {"type": "tool_use", "id": id, "name": name, "input": {"city": "Paris"}}
        for id, name in zip(ids, ("weather", "time"), strict=False)
    ]
    return [{"role": "user", "content": BOTH}, {"role": "assistant", "content": calls}]


def result(id: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def results(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def calls_of(message: Any) -> list[Any]:
    return [block for block in message.content if block.type == "tool_use"]


def text_of(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def check_text(sdk: Sdk) -> None:
    said = sdk.text("Good morning", model="mirror", system="Be brief.")
    assert "Be brief." in said
    assert "Good morning" in said
    json.loads(said)


def check_history(sdk: Sdk) -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]
    said = sdk.text(turns, model="mirror")
    assert said.index("one") < said.index("two") < said.index("three")


def check_stream(sdk: Sdk) -> None:
    events, message = sdk.gather("count to 12")
    kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert all(str(number) in text_of(message) for number in range(1, 13))
    assert message.stop_reason == "end_turn"


def check_unicode(sdk: Sdk) -> None:
    assert "一只🐦在飞行" in text_of(sdk.gather("请重复：一只🐦在飞行")[1])


def _metered(usage: Any) -> None:
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    assert usage.cache_read_input_tokens > 0


def check_usage(sdk: Sdk) -> None:
    _metered(sdk.ask(LONG, model="meters").usage)


def check_stream_usage(sdk: Sdk) -> None:
    _metered(sdk.gather(LONG, model="meters")[1].usage)


def check_length(sdk: Sdk) -> None:
    assert sdk.ask("count to 100", max_tokens=12).stop_reason == "max_tokens"


def check_stop(sdk: Sdk) -> None:
    message = sdk.ask("count to 20", stop_sequences=["7"])
    assert "6" in text_of(message)
    assert "8" not in text_of(message)


def _weather(call: Any) -> None:
    assert call.id
    assert call.name == "weather"
    assert call.input["city"] == "Paris"


def check_tool_call(sdk: Sdk) -> None:
    message = sdk.ask(QUESTION, tools=TOOLS)
    assert message.stop_reason == "tool_use"
    [call] = calls_of(message)
    _weather(call)


def check_stream_tool_call(sdk: Sdk) -> None:
    _, message = sdk.gather(QUESTION, tools=TOOLS)
    assert message.stop_reason == "tool_use"
    [call] = calls_of(message)
    _weather(call)


def check_parallel(sdk: Sdk) -> None:
    for message in (sdk.ask(BOTH, tools=TOOLS), sdk.gather(BOTH, tools=TOOLS)[1]):
        calls = calls_of(message)
        assert sorted(call.name for call in calls) == ["time", "weather"]
        assert len({call.id for call in calls}) == 2


def check_tool_result(sdk: Sdk) -> None:
    said = results(result("toolu_a", "sunny, 21 degrees"), result("toolu_b", "ten past nine"))
    text = sdk.text([*called("toolu_a", "toolu_b"), said], tools=TOOLS)
    assert "21 degrees" in text
    assert "ten past nine" in text


def check_tool_error(sdk: Sdk) -> None:
    said = results(result("toolu_a", "the station is silent", is_error=True))
    assert "the station is silent" in sdk.text([*called("toolu_a"), said], tools=TOOLS)


def check_forced(sdk: Sdk) -> None:
    [call] = calls_of(sdk.ask("Hello there", tools=TOOLS, tool_choice={"type": "tool", "name": "time"}))
    assert call.name == "time"


def check_no_tool(sdk: Sdk) -> None:
    message = sdk.ask(QUESTION, tools=TOOLS, tool_choice={"type": "none"})
    assert not calls_of(message)
    assert text_of(message)


def check_schema(sdk: Sdk) -> None:
    form = {"format": {"type": "json_schema", "schema": BIRD}}
    said = json.loads(sdk.text("Tell me about a bird", output_config=form))
    assert set(said) == {"name", "wingspan_cm", "migrates"}


def _picture() -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture()}}


def check_image(sdk: Sdk) -> None:
    assert "red" in sdk.text([{"type": "text", "text": "What is this?"}, _picture()]).lower()


def check_image_result(sdk: Sdk) -> None:
    shown = results(result("toolu_a", [{"type": "text", "text": "a screenshot"}, _picture()]))
    assert "red" in sdk.text([*called("toolu_a"), shown], tools=TOOLS).lower()


def check_pdf(sdk: Sdk) -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": pdf()}
    said = sdk.text([{"type": "document", "source": source}, {"type": "text", "text": "What is this?"}])
    assert "pdf" in said.lower()


THINKING = {"type": "enabled", "budget_tokens": 2048}


def _thoughts(message: Any) -> str:
    return "".join(block.thinking for block in message.content if block.type == "thinking")


def check_reasoning(sdk: Sdk) -> None:
    message = sdk.ask("Good morning", model="think", thinking=THINKING)
    assert _thoughts(message)
    assert text_of(message)


def check_stream_reasoning(sdk: Sdk) -> None:
    events, message = sdk.gather("Good morning", model="think", thinking=THINKING)
    assert _thoughts(message)
    assert any(event.type == "thinking" for event in events)


def check_reasoning_loop(sdk: Sdk) -> None:
    more = {"model": "think", "tools": TOOLS, "thinking": THINKING}
    first = sdk.ask(QUESTION, **more)
    [call] = calls_of(first)
    history = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
        results(result(call.id, "sunny, 21 degrees")),
    ]
    assert "21 degrees" in sdk.text(history, **more)


def check_refusal(sdk: Sdk) -> None:
    assert sdk.ask("Good morning", model="filtered").stop_reason == "refusal"


def check_busy(sdk: Sdk) -> None:
    error = raises(anthropic.RateLimitError, lambda: sdk.ask("Good morning", model="busy-429"))
    assert error.body["error"]["type"] == "rate_limit_error"


def check_broken_stream(sdk: Sdk) -> None:
    raises(anthropic.APIError, lambda: sdk.gather("count to 20", model="error-mid-stream"))


def check_wrong(sdk: Sdk) -> None:
    error = raises(anthropic.BadRequestError, lambda: sdk.ask([{"role": 5, "content": "Hi"}]))
    assert "messages[0].role" in str(error) or "messages.0.role" in str(error)


def check_count(sdk: Sdk) -> None:
    counted = sdk.client.messages.count_tokens(
        model=sdk.desk.model("rules"), messages=[{"role": "user", "content": LONG}]
    )
    assert counted.input_tokens > 50


CLIENT = Client(
    "anthropic (Python), Messages",
    anthropic.__version__,
    "anthropic",
    run_checks(Sdk, checks_of(globals())),
)
