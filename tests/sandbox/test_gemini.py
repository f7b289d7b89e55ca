"""Google's format: as raw HTTP, and as Google's own SDK sees it."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.sandbox.conftest import TOKEN
from tests.sandbox.test_chat import red_picture
from tests.sandbox.test_kinds import PDF, sound

WEATHER = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}
TOOLS = {"tools": [{"functionDeclarations": [WEATHER]}]}
CITIES = "Weather in Rome and Paris"


@pytest.fixture(scope="module")
def http(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, headers={"x-goog-api-key": TOKEN}, timeout=20) as client:
        yield client


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def body(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"contents": [user(*(parts or ("count to 3",)))]} | more


def post(http: httpx2.Client, value: Any, model: str = "sandbox/rules", method: str = "generateContent") -> Any:
    return http.post(f"/v1beta/models/{model}:{method}", json=value)


def ask(http: httpx2.Client, *parts: Any, model: str = "sandbox/rules", **more: Any) -> Any:
    answer = post(http, body(*parts, **more), model)
    assert answer.status_code == 200, answer.text
    return answer.json()


def parts_of(answer: Any) -> Any:
    return answer["candidates"][0]["content"]["parts"]


def refusal(http: httpx2.Client, value: Any, model: str = "sandbox/rules") -> str:
    answer = post(http, value, model)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    return str(answer.json()["error"]["message"])


def stream(http: httpx2.Client, value: Any, model: str = "sandbox/rules") -> list[Any]:
    """The chunks of a stream of server-sent events."""
    answer = post(http, value, model, "streamGenerateContent?alt=sse")
    assert answer.headers["content-type"] == "text/event-stream"
    return [json.loads(frame.removeprefix("data: ")) for frame in answer.text.strip().split("\r\n\r\n")]


def test_an_answer(http: httpx2.Client) -> None:
    """A whole answer has candidates and counts; counters that are zero are left out."""
    answer = ask(http)

    assert answer.pop("responseId")
    assert answer == {
        "candidates": [
            {"content": {"parts": [{"text": "1 2 3"}], "role": "model"}, "finishReason": "STOP", "index": 0},
        ],
        "usageMetadata": {
            "promptTokenCount": 7,
            "candidatesTokenCount": 3,
            "totalTokenCount": 10,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}],
        },
        "modelVersion": "sandbox/rules",
    }


def test_a_stream_has_new_parts_and_counts_in_each_chunk(http: httpx2.Client) -> None:
    """Only the last chunk has a reason; the last counts are those of the whole answer."""
    chunks = stream(http, body())

    assert [parts_of(chunk)[0]["text"] for chunk in chunks] == ["1", " 2", " 3", ""]
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks] == [None, None, None, "STOP"]
    assert chunks[0]["usageMetadata"]["promptTokenCount"] == 7
    assert chunks[-1]["usageMetadata"] == ask(http)["usageMetadata"]


def test_without_sse_a_stream_is_an_array(http: httpx2.Client) -> None:
    """The same chunks, as one JSON array that grows."""
    answer = post(http, body(), method="streamGenerateContent")

    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.json() == stream(http, body())


@pytest.mark.parametrize("model", ["sandbox/rules", "sandbox/rules-3"])
def test_a_call_comes_in_one_piece(http: httpx2.Client, model: str) -> None:
    """Streamed and whole calls are the same; only Gemini 3 gives ids and a signature on the first."""
    whole = parts_of(ask(http, CITIES, model=model, **TOOLS))
    streamed = [part for chunk in stream(http, body(CITIES, **TOOLS), model) for part in parts_of(chunk)][:2]
    is_sealed = model.endswith("-3")

    assert streamed == whole
    assert [part["functionCall"]["args"] for part in whole] == [{"city": "Rome"}, {"city": "Paris"}]
    assert ["id" in part["functionCall"] for part in whole] == [is_sealed] * 2
    assert ["thoughtSignature" in part for part in whole] == [is_sealed, False]


def responses(calls: list[Any], *said: str) -> dict[str, Any]:
    """The user's content that answers the calls in their order, with their ids where they have them."""
    return user(*(_response(part["functionCall"], text) for part, text in zip(calls, said, strict=False)))


def _response(call: dict[str, Any], text: str) -> dict[str, Any]:
    kept = {name: value for name, value in call.items() if name in ("id", "name")}
    return {"functionResponse": kept | {"response": {"output": text}}}


@pytest.mark.parametrize("model", ["sandbox/rules", "sandbox/rules-3"])
def test_responses_are_quoted(http: httpx2.Client, model: str) -> None:
    """Each result is told with the name of its function."""
    calls = parts_of(ask(http, CITIES, model=model, **TOOLS))
    contents = [user(CITIES), {"role": "model", "parts": calls}, responses(calls, "31", "17")]
    answer = post(http, {"contents": contents} | TOOLS, model).json()

    assert parts_of(answer)[0]["text"] == "According to the tools, get_weather: 31; get_weather: 17."


def test_neighbours_of_the_model_are_one_turn(http: httpx2.Client) -> None:
    """Calls in two contents may be answered in one."""
    calls = parts_of(ask(http, CITIES, **TOOLS))
    contents = [user(CITIES), *({"role": "model", "parts": [call]} for call in calls), responses(calls, "31", "17")]

    assert parts_of(post(http, {"contents": contents} | TOOLS).json())[0]["text"].endswith("31; get_weather: 17.")


def test_gemini_3_demands_its_signature(http: httpx2.Client) -> None:
    """A first call without it, with another part's, or with a foreign one is a 400; the documented dummy is let in."""
    model = "sandbox/rules-3"
    calls = parts_of(ask(http, CITIES, model=model, **TOOLS))
    bare = {name: value for name, value in calls[0].items() if name != "thoughtSignature"}
    text = parts_of(ask(http, model=model))[0]["thoughtSignature"]

    def said(first: Any) -> str:
        contents = [user(CITIES), {"role": "model", "parts": [first, calls[1]]}, responses(calls, "31", "17")]
        answer = post(http, {"contents": contents} | TOOLS, model)
        return str(answer.json()["error"]["message"]) if answer.status_code == 400 else "fine"

    assert said(calls[0]) == "fine"
    assert said(bare).startswith("Function call is missing a thought_signature in functionCall parts.")
    assert said(bare | {"thoughtSignature": text}) == "Corrupted thought signature."
    assert said(bare | {"thoughtSignature": "Zm9yZWlnbg=="}) == "Corrupted thought signature."
    assert said(bare | {"thoughtSignature": "no base64!"}).startswith(
        "Invalid value at 'contents[1].parts[0].thought_sign"
    )
    assert said(bare | {"thoughtSignature": base64.b64encode(b"skip_thought_signature_validator").decode()}) == "fine"
    assert said(bare | {"thoughtSignature": "skip_thought_signature_validator"}) == "fine"


def test_earlier_turns_need_no_signature(http: httpx2.Client) -> None:
    """Only the calls since the last message of the user are looked at."""
    call = {"functionCall": {"name": "get_weather", "args": {"city": "Rome"}}}
    done = [user("Weather?"), {"role": "model", "parts": [call]}, responses([call], "31")]
    contents = [*done, {"role": "model", "parts": [{"text": "31"}]}, user("count to 2")]

    assert post(http, {"contents": contents} | TOOLS, "sandbox/rules-3").status_code == 200
    assert post(http, {"contents": done} | TOOLS, "sandbox/rules-3").status_code == 400


def test_thoughts_are_told_when_asked_for(http: httpx2.Client) -> None:
    """They are counted apart from the answer in any case."""
    shown = ask(http, generationConfig={"thinkingConfig": {"includeThoughts": True}})
    silent = ask(http, model="sandbox/think")
    off = ask(http, model="sandbox/think", generationConfig={"thinkingConfig": {"thinkingBudget": 0}})

    assert [part.get("thought", False) for part in parts_of(shown)] == [True, False]
    assert len(parts_of(silent)) == 1
    usage = silent["usageMetadata"]
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + 3 + usage["thoughtsTokenCount"]
    assert usage["candidatesTokenCount"] == 3
    assert "thoughtsTokenCount" not in off["usageMetadata"]


def test_names_may_be_written_in_snake_case(http: httpx2.Client) -> None:
    """Each field in either spelling."""
    config = {"max_output_tokens": 2, "stopSequences": ["9"]}
    system = {"parts": [{"text": "Be brief"}]}
    answer = ask(http, generation_config=config, system_instruction=system, safetySettings=[])

    assert answer["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert parts_of(answer)[0]["text"] == "1 2"


def test_a_limit_that_thoughts_use_up_leaves_no_content(http: httpx2.Client) -> None:
    """The candidate then has a reason and nothing else."""
    config = {"maxOutputTokens": 3}
    (candidate,) = ask(http, model="sandbox/think", generationConfig=config)["candidates"]

    assert candidate == {"finishReason": "MAX_TOKENS", "index": 0}


def test_media_are_described(http: httpx2.Client) -> None:
    """Pictures, sounds and documents; sound is counted apart."""
    kinds = {"image/png": red_picture(), "audio/wav": sound(), "application/pdf": PDF}
    parts = [
        {"inlineData": {"mimeType": kind, "data": base64.b64encode(data).decode()}} for kind, data in kinds.items()
    ]
    answer = ask(http, "What is this?", *parts)
    lines = parts_of(answer)[0]["text"].split("\n")

    assert [line[:21] for line in lines] == ["This is a PNG picture", "I hear a sound of 2.0", "This is a PDF documen"]
    assert {"modality": "AUDIO", "tokenCount": 64} in answer["usageMetadata"]["promptTokensDetails"]


def test_json_and_its_schema(http: httpx2.Client) -> None:
    """Google's own schema and JSON Schema are both obeyed."""
    own = {"type": "OBJECT", "properties": {"name": {"type": "STRING", "nullable": True}}, "required": ["name"]}
    plain = {"type": "object", "properties": {"name": {"type": ["string", "null"]}}, "required": ["name"]}
    for form in ({"responseSchema": own}, {"responseJsonSchema": plain}):
        config = {"responseMimeType": "application/json"} | form
        text = parts_of(ask(http, 'I am "Ada"', generationConfig=config))[0]["text"]

        assert json.loads(text) == {"name": "Ada"}


def test_logprobs_and_candidates(http: httpx2.Client) -> None:
    """Each candidate has its logprobs, with as many alternatives as asked for."""
    config = {"responseLogprobs": True, "logprobs": 2, "candidateCount": 2}
    answer = ask(http, generationConfig=config)

    assert [candidate["index"] for candidate in answer["candidates"]] == [0, 1]
    told = answer["candidates"][1]["logprobsResult"]
    assert [one["token"] for one in told["chosenCandidates"]] == ["1", " 2", " 3"]
    assert [len(one["candidates"]) for one in told["topCandidates"]] == [2, 2, 2]
    assert answer["usageMetadata"]["candidatesTokenCount"] == 6


CALL = {"functionCall": {"name": "get_weather", "args": {}}}
MODEL = {"role": "model", "parts": [CALL]}
MANY = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fancy": 1}, 'Invalid JSON payload received. Unknown name "fancy": Cannot find field.'),
        (
            {"contents": [{"role": "user", "parts": [{"text": "x", "fancy": 1}]}]},
            "Invalid JSON payload received. Unknown name \"fancy\" at 'contents[0].parts[0]': Cannot find field.",
        ),
        (
            {"generationConfig": {"max_tokens": 1}},
            "Invalid JSON payload received. Unknown name \"max_tokens\" at 'generation_config': Cannot find field.",
        ),
        ({"contents": []}, "* GenerateContentRequest.contents: contents is not specified"),
        (
            {"contents": [{"role": "user", "parts": []}]},
            "* GenerateContentRequest.contents[0].parts: contents.parts must",
        ),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "Please use a valid role: user, model."),
        (
            {"contents": [{"role": "user", "parts": [{}]}]},
            "* GenerateContentRequest.contents[0].parts[0].data: required",
        ),
        ({"systemInstruction": "be brief"}, "Invalid value at 'system_instruction' (TYPE_MESSAGE), \"be brief\""),
        ({"contents": [user("x"), MODEL]}, MANY),
        ({"contents": [user("x"), MODEL, user("y")]}, MANY),
        ({"contents": [user("x"), {"role": "model", "parts": [CALL, CALL]}, responses([CALL], "1")]}, MANY),
        (
            {"contents": [MODEL, responses([CALL], "1")]},
            "Please ensure that function call turn comes immediately after",
        ),
        (
            {"contents": [user("x"), responses([CALL], "1")]},
            "Please ensure that function response turn comes immediately",
        ),
        (
            {"contents": [user("x"), MODEL, user({"functionResponse": {"name": "get_weather", "response": "31"}})]},
            "Invalid value at 'contents[2].parts[0].function_response.response' (TYPE_MESSAGE), \"31\"",
        ),
        (
            {"generationConfig": {"temperature": 3}},
            "* GenerateContentRequest.generation_config.temperature: must be at most",
        ),
        (
            {"generationConfig": {"stopSequences": ["a"] * 6}},
            "* GenerateContentRequest.generation_config.stop_sequences:",
        ),
        (
            {"generationConfig": {"responseModalities": ["AUDIO"]}},
            "Model does not support the requested response modal",
        ),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
            "Thinking level is not supported for this",
        ),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 1}}},
            "You can only set only one of thinking budget and thinking level.",
        ),
        (
            {"generationConfig": {"responseSchema": {"type": "STRING"}}},
            "* GenerateContentRequest.generation_config.respon",
        ),
        (
            {
                "tools": [
                    {
                        "functionDeclarations": [
                            WEATHER | {"parameters": {"type": "object", "additionalProperties": False}}
                        ]
                    }
                ]
            },
            'Invalid JSON payload received. Unknown name "additionalProperties" at '
            "'tools[0].function_declarations[0].parameters': Cannot find field.",
        ),
        (
            {"tools": [{"functionDeclarations": [{"name": "9x"}]}]},
            "* GenerateContentRequest.tools[0].function_declarations",
        ),
        ({"tools": [{"googleSearch": {}}, *TOOLS["tools"]]}, "Built-in tools ({googleSearch}) and Function Calling"),
        (
            {"toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["get_weather"]}}},
            "Allowed function names",
        ),
    ],
)
def test_wrong_input_is_refused_in_googles_words(http: httpx2.Client, change: dict[str, Any], said: str) -> None:
    """Each rule of the API is a 400 that says which."""
    assert refusal(http, body(**TOOLS) | change).startswith(said)


def test_tool_modes(http: httpx2.Client) -> None:
    """ANY calls a function, NONE does not, and the allowed names narrow the choice."""
    clock = {"name": "get_time"}
    tools = [{"functionDeclarations": [WEATHER, clock]}]

    def called(**config: Any) -> list[str]:
        answer = ask(http, "Hello", tools=tools, toolConfig={"functionCallingConfig": config})
        return [part["functionCall"]["name"] for part in parts_of(answer) if "functionCall" in part]

    assert called(mode="ANY") == ["get_weather"]
    assert called(mode="ANY", allowedFunctionNames=["get_time"]) == ["get_time"]
    assert called(mode="NONE") == called(mode="AUTO") == []


def test_tokens_are_counted(http: httpx2.Client) -> None:
    """Bare contents, or a whole request."""
    whole = {"generateContentRequest": {"model": "models/sandbox/rules", **body()}}

    assert post(http, body(), method="countTokens").json()["totalTokens"] == 7
    assert post(http, whole, method="countTokens").json()["totalTokens"] == 7


def test_the_key_stands_in_a_header_or_in_the_query(http: httpx2.Client) -> None:
    """A wrong key is Google's 400, none at all its 403."""
    url = f"{http.base_url}/v1beta/models/sandbox/rules:generateContent"
    wrong = httpx2.post(f"{url}?key=no", json=body())

    assert httpx2.post(f"{url}?key={TOKEN}", json=body()).status_code == 200
    assert httpx2.post(url, json=body(), headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert (wrong.status_code, wrong.json()["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")
    assert httpx2.post(url, json=body()).json()["error"]["status"] == "PERMISSION_DENIED"


def test_bad_days_are_googles(http: httpx2.Client) -> None:
    """Status and name of each; the wait stands in the details; an array is asked for an array."""
    names = ("busy-429", "overloaded", "error-500", "nothing")
    answers = [post(http, body(), f"sandbox/{name}") for name in names]
    in_array = post(http, body(), "sandbox/overloaded", "streamGenerateContent").json()

    assert [one.json()["error"]["status"] for one in answers] == [
        "RESOURCE_EXHAUSTED",
        "UNAVAILABLE",
        "INTERNAL",
        "NOT_FOUND",
    ]
    assert [one.status_code for one in answers] == [429, 503, 500, 404]
    assert answers[0].json()["error"]["details"][1]["retryDelay"] == "1s"
    assert in_array[0]["error"]["code"] == 503


def test_an_error_may_come_in_the_stream(http: httpx2.Client) -> None:
    """It is the last frame, or the last element of the array."""
    chunks = stream(http, body("count to 9"), "sandbox/error-mid-stream")
    array = post(http, body("count to 9"), "sandbox/error-mid-stream", "streamGenerateContent").json()

    assert [next(iter(chunk)) for chunk in chunks] == ["candidates"] * 3 + ["error"]
    assert array[-1] == chunks[-1]


def test_refusals(http: httpx2.Client) -> None:
    """A filtered answer ends with SAFETY; a blocked prompt has feedback and no candidates."""
    filtered = ask(http, "count to 9", model="sandbox/filtered")["candidates"][0]
    blocked = ask(http, model="sandbox/blocked")

    assert (filtered["content"]["parts"][0]["text"], filtered["finishReason"]) == ("1 2 3", "SAFETY")
    assert "candidates" not in blocked
    assert blocked["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"
    assert stream(http, body(), "sandbox/blocked")[0]["promptFeedback"] == blocked["promptFeedback"]


def test_usage_may_be_missing_or_whole(http: httpx2.Client) -> None:
    """`sandbox/no-usage` never counts; `sandbox/meters` counts each kind apart."""
    usage = ask(http, "count to 90, and then a little more than that", model="sandbox/meters")["usageMetadata"]

    assert all("usageMetadata" not in chunk for chunk in stream(http, body(), "sandbox/no-usage"))
    assert usage["cachedContentTokenCount"] == 2 * usage["promptTokensDetails"][1]["tokenCount"] > 0
    assert usage["thoughtsTokenCount"] > 0


def test_models_are_listed_in_pages(http: httpx2.Client) -> None:
    """A page says where the next begins."""
    first = http.get("/v1beta/models", params={"pageSize": 2}).json()
    second = http.get("/v1beta/models", params={"pageSize": 2, "pageToken": first["nextPageToken"]}).json()

    assert [model["name"] for model in first["models"]] == ["models/smollm2-135m", "models/sandbox/rules"]
    assert second["models"][0]["name"] not in [model["name"] for model in first["models"]]
    assert http.get("/v1beta/models/sandbox/rules").json()["thinking"]


def test_vertex_has_longer_paths(http: httpx2.Client) -> None:
    """The same methods below a project."""
    path = "/v1/projects/p/locations/l/publishers/google/models/sandbox/rules:generateContent"

    assert parts_of(http.post(path, json=body()).json())[0]["text"] == "1 2 3"


def test_googles_sdk_is_content(address: str) -> None:
    """Whole, streamed, calls with their signatures and counts arrive as the SDK's own objects."""
    genai = pytest.importorskip("google.genai")
    client = genai.Client(api_key=TOKEN, http_options={"base_url": address})
    model = "sandbox/rules-3"
    answer = client.models.generate_content(model=model, contents="count to 3")
    chunks = list(client.models.generate_content_stream(model=model, contents="count to 3"))
    called = client.models.generate_content(model=model, contents=CITIES, config=TOOLS)
    content = called.candidates[0].content
    results = [
        {"function_response": {"id": call.id, "name": call.name, "response": {"output": "31"}}}
        for call in called.function_calls
    ]
    history = [{"role": "user", "parts": [{"text": CITIES}]}, content, {"role": "user", "parts": results}]
    told = client.models.generate_content(model=model, contents=history, config=TOOLS)

    assert (answer.text, answer.usage_metadata.total_token_count) == ("1 2 3", 10)
    assert "".join(chunk.text or "" for chunk in chunks) == "1 2 3"
    assert [call.args for call in called.function_calls] == [{"city": "Rome"}, {"city": "Paris"}]
    assert told.text == "According to the tools, get_weather: 31; get_weather: 31."
    assert client.models.count_tokens(model=model, contents="count to 3").total_tokens == 7
