"""The official `openai` SDK for Python, Responses."""

import json
from typing import Any

import openai

from compat.matrix.client import Client, Desk, checks_of, raises, run_checks
from compat.matrix.things import BIRD, BOTH, LONG, QUESTION, TIME, WEATHER, pdf, picture


class Sdk:
    """The client and a short way to ask it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.client = openai.OpenAI(base_url=f"{desk.url}/v1", api_key=desk.key, http_client=desk.http, max_retries=0)

    def ask(self, said: Any, *, model: str = "rules", **more: Any) -> Any:
        return self.client.responses.create(model=self.desk.model(model), input=said, **more)

    def gather(self, said: Any, *, model: str = "rules", **more: Any) -> tuple[list[Any], Any]:
        """The events of a stream, and the response that the SDK makes of them."""
        with self.client.responses.stream(model=self.desk.model(model), input=said, **more) as stream:
            events = list(stream)
            return events, stream.get_final_response()


def tool(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "description": f"Get the {name}.",
        "parameters": parameters,
        "strict": False,
    }


TOOLS = [tool("weather", WEATHER), tool("time", TIME)]


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def called(*ids: str) -> list[dict[str, Any]]:
    calls = [
        {"type": "function_call", "call_id": id, "name": name, "arguments": '{"city":"Paris"}'}
        for id, name in zip(ids, ("weather", "time"), strict=False)
    ]
    return [{"role": "user", "content": BOTH}, *calls]


def output(id: str, said: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id, "output": said}


def calls_of(response: Any) -> list[Any]:
    return [item for item in response.output if item.type == "function_call"]


def thoughts_of(response: Any) -> str:
    items = [item for item in response.output if item.type == "reasoning"]
    return "".join(part.text for item in items for part in (*item.summary, *(item.content or ())))


def check_text(sdk: Sdk) -> None:
    said = sdk.ask("Good morning", model="mirror", instructions="Be brief.").output_text
    assert "Be brief." in said
    assert "Good morning" in said
    json.loads(said)


def check_history(sdk: Sdk) -> None:
    turns = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]
    said = sdk.ask(turns, model="mirror").output_text
    assert said.index("one") < said.index("two") < said.index("three")


def check_stream(sdk: Sdk) -> None:
    events, response = sdk.gather("count to 12")
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == sorted({event.sequence_number for event in events})
    assert all(str(number) in response.output_text for number in range(1, 13))
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert deltas == response.output_text


def check_unicode(sdk: Sdk) -> None:
    assert "一只🐦在飞行" in sdk.gather("请重复：一只🐦在飞行")[1].output_text


def _metered(sdk: Sdk, usage: Any) -> None:
    assert usage.input_tokens > 0
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.input_tokens_details.cached_tokens > 0 or not sdk.desk.caches_unasked
    assert usage.output_tokens_details.reasoning_tokens > 0


def check_usage(sdk: Sdk) -> None:
    _metered(sdk, sdk.ask(LONG, model="meters", reasoning=THINKING).usage)


def check_stream_usage(sdk: Sdk) -> None:
    _metered(sdk, sdk.gather(LONG, model="meters", reasoning=THINKING)[1].usage)


def check_length(sdk: Sdk) -> None:
    response = sdk.ask("count to 100", max_output_tokens=16)
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"


def check_tool_call(sdk: Sdk) -> None:
    [call] = calls_of(sdk.ask(QUESTION, tools=TOOLS))
    assert call.call_id
    assert call.name == "weather"
    assert json.loads(call.arguments)["city"] == "Paris"


def check_stream_tool_call(sdk: Sdk) -> None:
    events, response = sdk.gather(QUESTION, tools=TOOLS)
    [call] = calls_of(response)
    deltas = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    assert deltas == call.arguments
    assert json.loads(call.arguments)["city"] == "Paris"


def check_parallel(sdk: Sdk) -> None:
    for response in (sdk.ask(BOTH, tools=TOOLS), sdk.gather(BOTH, tools=TOOLS)[1]):
        calls = calls_of(response)
        assert sorted(call.name for call in calls) == ["time", "weather"]
        assert len({call.call_id for call in calls}) == 2


def check_tool_result(sdk: Sdk) -> None:
    results = [output("call_a", "sunny, 21 degrees"), output("call_b", "ten past nine")]
    said = sdk.ask([*called("call_a", "call_b"), *results], tools=TOOLS).output_text
    assert "21 degrees" in said
    assert "ten past nine" in said


def check_forced(sdk: Sdk) -> None:
    [call] = calls_of(sdk.ask("Hello there", tools=TOOLS, tool_choice={"type": "function", "name": "time"}))
    assert call.name == "time"


def check_no_tool(sdk: Sdk) -> None:
    response = sdk.ask(QUESTION, tools=TOOLS, tool_choice="none")
    assert not calls_of(response)
    assert response.output_text


def check_schema(sdk: Sdk) -> None:
    form = {"format": {"type": "json_schema", "name": "bird", "schema": BIRD, "strict": True}}
    said = json.loads(sdk.ask("Tell me about a bird", text=form).output_text)
    assert set(said) == {"name", "wingspan_cm", "migrates"}


def _picture() -> dict[str, Any]:
    return {"type": "input_image", "image_url": f"data:image/png;base64,{picture()}", "detail": "auto"}


def check_image(sdk: Sdk) -> None:
    said = sdk.ask(user({"type": "input_text", "text": "What is this?"}, _picture())).output_text
    assert "red" in said.lower()


def check_image_result(sdk: Sdk) -> None:
    shown = output("call_a", [{"type": "input_text", "text": "a screenshot"}, _picture()])
    said = sdk.ask([*called("call_a"), shown], tools=TOOLS).output_text
    assert "red" in said.lower()


def check_pdf(sdk: Sdk) -> None:
    file = {"type": "input_file", "filename": "page.pdf", "file_data": f"data:application/pdf;base64,{pdf()}"}
    assert "pdf" in sdk.ask(user({"type": "input_text", "text": "What is this?"}, file)).output_text.lower()


THINKING = {"effort": "medium", "summary": "auto"}


def check_reasoning(sdk: Sdk) -> None:
    response = sdk.ask("Good morning", model="think", reasoning=THINKING)
    assert thoughts_of(response)
    assert response.output_text


def check_stream_reasoning(sdk: Sdk) -> None:
    events, response = sdk.gather("Good morning", model="think", reasoning=THINKING)
    assert thoughts_of(response)
    assert any(event.type == "response.reasoning_summary_text.delta" for event in events)


def check_reasoning_loop(sdk: Sdk) -> None:
    more = {"model": "think", "tools": TOOLS, "reasoning": THINKING, "include": ["reasoning.encrypted_content"]}
    first = sdk.ask(QUESTION, store=False, **more)
    [call] = calls_of(first)
    result = output(call.call_id, "sunny, 21 degrees")
    history = [{"role": "user", "content": QUESTION}, *(item.model_dump(exclude_none=True) for item in first.output)]
    assert "21 degrees" in sdk.ask([*history, result], store=False, **more).output_text
    kept = sdk.ask(QUESTION, **more)
    result = output(calls_of(kept)[0].call_id, "sunny, 21 degrees")
    assert "21 degrees" in sdk.ask([result], previous_response_id=kept.id, **more).output_text


def check_refusal(sdk: Sdk) -> None:
    response = sdk.ask("Good morning", model="filtered")
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "content_filter"


def check_busy(sdk: Sdk) -> None:
    error = raises(openai.RateLimitError, lambda: sdk.ask("Good morning", model="busy-429"))
    assert error.code == "upstream_busy"


def check_broken_stream(sdk: Sdk) -> None:
    try:
        events, _ = sdk.gather("count to 20", model="error-mid-stream")
    except (openai.APIError, RuntimeError):
        return
    assert events[-1].type in ("response.failed", "error")


def check_wrong(sdk: Sdk) -> None:
    error = raises(openai.BadRequestError, lambda: sdk.ask([{"role": 5, "content": "Hi"}]))
    assert error.param == "$.input[0].role"


def check_count(sdk: Sdk) -> None:
    counted = sdk.client.responses.input_tokens.count(model=sdk.desk.model("rules"), input=LONG)
    assert counted.input_tokens > 50


CLIENT = Client(
    "openai (Python), Responses",
    openai.__version__,
    "responses",
    run_checks(Sdk, checks_of(globals())),
)
