"""The official `google-genai` SDK for Python, generateContent."""

import base64
import json
from typing import Any

from google import genai
from google.genai import errors, types

from compat.matrix.client import Client, Desk, checks_of, raises, run_checks
from compat.matrix.things import BIRD, BOTH, LONG, QUESTION, TIME, WEATHER, pdf, picture, sound


class Sdk:
    """The client and a short way to ask it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        options = types.HttpOptions(base_url=desk.url, httpx_client=desk.http)
        self.client = genai.Client(api_key=desk.key, http_options=options)

    def ask(self, contents: Any, *, model: str = "rules", **config: Any) -> Any:
        return self.client.models.generate_content(**self._whole(contents, model, config))

    def gather(self, contents: Any, *, model: str = "rules", **config: Any) -> list[Any]:
        return list(self.client.models.generate_content_stream(**self._whole(contents, model, config)))

    def _whole(self, contents: Any, model: str, config: dict[str, Any]) -> dict[str, Any]:
        config.setdefault("automatic_function_calling", {"disable": True})
        return {"model": self.desk.model(model), "contents": contents, "config": config}


def declaration(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "description": f"Get the {name}.", "parameters_json_schema": schema}


TOOLS = [{"function_declarations": [declaration("weather", WEATHER), declaration("time", TIME)]}]


def turn(role: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def inline(mime: str, data: str) -> dict[str, Any]:
    return {"inline_data": {"mime_type": mime, "data": base64.b64decode(data)}}


def called(*names: str) -> list[dict[str, Any]]:
    calls = [{"function_call": {"name": name, "args": {"city": "Paris"}}} for name in names]
    return [turn("user", {"text": BOTH}), turn("model", *calls)]


def response(name: str, said: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"function_response": {"name": name, "response": said, **more}}


def parts_of(answer: Any) -> list[Any]:
    return list(answer.candidates[0].content.parts or ()) if answer.candidates and answer.candidates[0].content else []


def calls_of(*answers: Any) -> list[Any]:
    return [part.function_call for answer in answers for part in parts_of(answer) if part.function_call]


def text_of(*answers: Any) -> str:
    return "".join(part.text or "" for answer in answers for part in parts_of(answer) if not part.thought)


def thoughts_of(*answers: Any) -> str:
    return "".join(part.text or "" for answer in answers for part in parts_of(answer) if part.thought)


def finish_of(*answers: Any) -> str:
    reasons = [answer.candidates[0].finish_reason for answer in answers if answer.candidates]
    return next((reason.value for reason in reversed(reasons) if reason), "")


def check_text(sdk: Sdk) -> None:
    said = text_of(sdk.ask("Good morning", model="mirror", system_instruction="Be brief."))
    assert "Be brief." in said
    assert "Good morning" in said
    json.loads(said)


def check_history(sdk: Sdk) -> None:
    turns = [turn("user", {"text": "one"}), turn("model", {"text": "two"}), turn("user", {"text": "three"})]
    said = text_of(sdk.ask(turns, model="mirror"))
    assert said.index("one") < said.index("two") < said.index("three")


def check_stream(sdk: Sdk) -> None:
    answers = sdk.gather("count to 12")
    assert all(str(number) in text_of(*answers) for number in range(1, 13))
    assert finish_of(*answers) == "STOP"
    assert len(answers) > 2


def check_unicode(sdk: Sdk) -> None:
    assert "一只🐦在飞行" in text_of(*sdk.gather("请重复：一只🐦在飞行"))


def _metered(usage: Any) -> None:
    assert usage.prompt_token_count > 0
    assert usage.candidates_token_count > 0
    assert usage.thoughts_token_count > 0
    whole = usage.prompt_token_count + usage.candidates_token_count + usage.thoughts_token_count
    assert usage.total_token_count == whole + (usage.tool_use_prompt_token_count or 0)


def check_usage(sdk: Sdk) -> None:
    _metered(sdk.ask(LONG, model="meters", thinking_config=THINKING).usage_metadata)


def check_stream_usage(sdk: Sdk) -> None:
    _metered(sdk.gather(LONG, model="meters", thinking_config=THINKING)[-1].usage_metadata)


def check_length(sdk: Sdk) -> None:
    assert finish_of(sdk.ask("count to 100", max_output_tokens=16)) == "MAX_TOKENS"


def check_stop(sdk: Sdk) -> None:
    said = text_of(sdk.ask("count to 20", stop_sequences=["7"]))
    assert "6" in said
    assert "8" not in said


def _weather(call: Any) -> None:
    assert call.name == "weather"
    assert call.args["city"] == "Paris"


def check_tool_call(sdk: Sdk) -> None:
    [call] = calls_of(sdk.ask(QUESTION, tools=TOOLS))
    _weather(call)


def check_stream_tool_call(sdk: Sdk) -> None:
    [call] = calls_of(*sdk.gather(QUESTION, tools=TOOLS))
    _weather(call)


def check_parallel(sdk: Sdk) -> None:
    for answers in ([sdk.ask(BOTH, tools=TOOLS)], sdk.gather(BOTH, tools=TOOLS)):
        assert sorted(call.name for call in calls_of(*answers)) == ["time", "weather"]


def check_tool_result(sdk: Sdk) -> None:
    results = response("weather", {"output": "sunny, 21 degrees"}), response("time", {"output": "ten past nine"})
    said = text_of(sdk.ask([*called("weather", "time"), turn("user", *results)], tools=TOOLS))
    assert "21 degrees" in said
    assert "ten past nine" in said


def check_tool_error(sdk: Sdk) -> None:
    result = turn("user", response("weather", {"error": "the station is silent"}))
    assert "the station is silent" in text_of(sdk.ask([*called("weather"), result], tools=TOOLS))


def _choosing(mode: str, *names: str) -> dict[str, Any]:
    chosen: dict[str, Any] = {"mode": mode}
    if names:
        chosen["allowed_function_names"] = list(names)
    return {"function_calling_config": chosen}


def check_forced(sdk: Sdk) -> None:
    [call] = calls_of(sdk.ask("Hello there", tools=TOOLS, tool_config=_choosing("ANY", "time")))
    assert call.name == "time"


def check_no_tool(sdk: Sdk) -> None:
    answer = sdk.ask(QUESTION, tools=TOOLS, tool_config=_choosing("NONE"))
    assert not calls_of(answer)
    assert text_of(answer)


def check_schema(sdk: Sdk) -> None:
    answer = sdk.ask("Tell me about a bird", response_mime_type="application/json", response_json_schema=BIRD)
    assert set(json.loads(text_of(answer))) == {"name", "wingspan_cm", "migrates"}


def check_image(sdk: Sdk) -> None:
    said = text_of(sdk.ask([turn("user", {"text": "What is this?"}, inline("image/png", picture()))]))
    assert "red" in said.lower()


def check_image_result(sdk: Sdk) -> None:
    shown = response("weather", {"output": "a screenshot"}, parts=[inline("image/png", picture())])
    assert "red" in text_of(sdk.ask([*called("weather"), turn("user", shown)], tools=TOOLS)).lower()


def check_pdf(sdk: Sdk) -> None:
    said = text_of(sdk.ask([turn("user", {"text": "What is this?"}, inline("application/pdf", pdf()))]))
    assert "pdf" in said.lower()


def check_audio(sdk: Sdk) -> None:
    said = text_of(sdk.ask([turn("user", {"text": "What is this?"}, inline("audio/wav", sound()))]))
    assert "sound" in said.lower() or "audio" in said.lower()


THINKING = {"include_thoughts": True, "thinking_budget": 2048}


def check_reasoning(sdk: Sdk) -> None:
    answer = sdk.ask("Good morning", model="think", thinking_config=THINKING)
    assert thoughts_of(answer)
    assert text_of(answer)


def check_stream_reasoning(sdk: Sdk) -> None:
    answers = sdk.gather("Good morning", model="think", thinking_config=THINKING)
    assert thoughts_of(*answers)
    assert text_of(*answers)


def check_reasoning_loop(sdk: Sdk) -> None:
    more = {"model": "think", "tools": TOOLS, "thinking_config": THINKING}
    first = sdk.ask(QUESTION, **more)
    [call] = calls_of(first)
    result = response(call.name, {"output": "sunny, 21 degrees"}, **({"id": call.id} if call.id else {}))
    history = [turn("user", {"text": QUESTION}), first.candidates[0].content, turn("user", result)]
    assert "21 degrees" in text_of(sdk.ask(history, **more))


def check_refusal(sdk: Sdk) -> None:
    assert finish_of(sdk.ask("Good morning", model="filtered")) not in ("STOP", "MAX_TOKENS", "")


def check_busy(sdk: Sdk) -> None:
    error = raises(errors.ClientError, lambda: sdk.ask("Good morning", model="busy-429"))
    assert error.code == 429


def check_broken_stream(sdk: Sdk) -> None:
    raises(errors.APIError, lambda: sdk.gather("count to 20", model="error-mid-stream"))


def check_wrong(sdk: Sdk) -> None:
    body = {"contents": [{"role": 5, "parts": [{"text": "Hi"}]}]}
    path = f"{sdk.desk.url}/v1beta/models/{sdk.desk.model('rules')}:generateContent"
    answer = sdk.desk.http.post(path, json=body, headers={"x-goog-api-key": sdk.desk.key})
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert "contents[0].role" in answer.text


def check_count(sdk: Sdk) -> None:
    assert sdk.client.models.count_tokens(model=sdk.desk.model("rules"), contents=LONG).total_tokens > 50


CLIENT = Client(
    "google-genai (Python), generateContent",
    genai.__version__,
    "gemini",
    run_checks(Sdk, checks_of(globals())),
)
