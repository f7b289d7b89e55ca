"""Requests of generateContent: read, written back, and written for conversations of other formats."""

import base64
import json
from typing import Any

import msgspec
import pytest

from tests.corpus import Recording, name_of, needs_corpus, recordings
from yibu.dialects.dialect import Bounds, Target
from yibu.dialects.gemini import DIALECT
from yibu.dialects.gemini.seal import SKIP_BASE64, pack
from yibu.dialects.openai_chat import DIALECT as OPENAI
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidRequest, WouldLose
from yibu.hub.loss import Loss, Losses
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.options import JsonObject, JsonSchema, Limits, Output, Reasoning, Sampling
from yibu.hub.parts import Media, Opaque, Part, Refusal, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only, Tool, ToolChoice

TARGET = Target({"model": "gemini-x", "verb": "generateContent"})
OLD, MIDDLE, NEW = "gemini-2.0-flash", "gemini-2.5-flash", "gemini-3-flash-preview"


def decode(members: Any, target: Target = TARGET) -> ChatRequest:
    return DIALECT.decode_request(json.dumps(members).encode(), target)


def again(members: Any) -> Any:
    """Read and written back."""
    losses: Losses = []
    body = json.loads(DIALECT.encode_request(decode(members), losses))
    assert losses == []
    return body


def asked(*turns: Turn, model: str = NEW, **members: Any) -> ChatRequest:
    return ChatRequest(model=model, turns=turns, **members)


def encode(request: ChatRequest) -> tuple[Any, list[tuple[str, str]]]:
    """The body, and where something was lost how."""
    losses: Losses = []
    return json.loads(DIALECT.encode_request(request, losses)), [(loss.kind, loss.where) for loss in losses]


def contents(*turns: Turn, model: str = NEW) -> Any:
    return encode(asked(*turns, model=model))[0]["contents"]


def user(*parts: Part) -> Turn:
    return Turn("user", parts or (Text("hi"),))


def model(*parts: Part) -> Turn:
    return Turn("assistant", parts)


def results(*parts: ToolResult) -> Turn:
    return Turn("tool", parts)


def result(id: str, text: str = "ok", **members: Any) -> ToolResult:
    return ToolResult(id, (Text(text),), **members)


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


HI = {"role": "user", "parts": [{"text": "hi"}]}

WHOLE: dict[str, Any] = {
    "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "look"}, {"inlineData": {"mimeType": "image/png", "data": "_-8="}}]},
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
                {"text": "I look.", "thoughtSignature": "dGV4dA=="},
                {
                    "functionCall": {"id": "x1", "name": "f", "args": {"b": 1, "a": [1.50]}},
                    "thoughtSignature": "Y2FsbA==",
                },
                {"functionCall": {"name": "g", "args": {}}},
                {"executableCode": {"language": "PYTHON", "code": "1+1"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}},
                {"thoughtSignature": "YmFyZQ=="},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "x1", "name": "f", "response": {"output": "seen"}}},
                {
                    "functionResponse": {
                        "name": "g",
                        "response": {"rows": [1], "why": None},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
                        "willContinue": False,
                    }
                },
                {"text": "and then?"},
                {"fileData": {"mimeType": "application/pdf", "fileUri": "https://host.example/a.pdf"}, "newHere": 7},
                {
                    "fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"},
                    "videoMetadata": {"startOffset": "1s", "fps": 2},
                    "mediaResolution": {"level": "MEDIA_RESOLUTION_MEDIUM"},
                },
            ],
        },
    ],
    "tools": [
        {
            "functionDeclarations": [
                {"name": "f", "description": "looks", "parametersJsonSchema": {"type": "object", "title": "F"}},
                {
                    "name": "g",
                    "parameters": {
                        "type": "OBJECT",
                        "properties": {"type": {"type": "STRING", "nullable": True}, "n": {"type": "INTEGER"}},
                        "required": ["type"],
                    },
                    "behavior": "BLOCKING",
                },
            ]
        },
        {"googleSearch": {"timeRangeFilter": {}}},
        {"codeExecution": {}},
        {"urlContext": {}},
    ],
    "toolConfig": {
        "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]},
        "retrievalConfig": {"languageCode": "de"},
    },
    "generationConfig": {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "candidateCount": 2,
        "maxOutputTokens": 100,
        "stopSequences": ["a", "b", "c", "d", "e"],
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": -0.1,
        "responseLogprobs": True,
        "logprobs": 3,
        "responseModalities": ["TEXT", "IMAGE"],
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": -1},
        "speechConfig": {"languageCode": "de-DE"},
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "tomorrow": {"x_y": 1},
    },
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
    "labels": {"team": "a"},
    "serviceTier": "flex",
    "someDay": [1],
}


def test_there_and_back() -> None:
    """What Google's format can say is written back as it was, members that nobody knows included."""
    assert again(WHOLE) == WHOLE


def snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): snake(one) for key, one in value.items()}
    return [snake(one) for one in value] if isinstance(value, list) else value


def test_both_names_of_a_member_are_understood() -> None:
    """Protocol buffers give each member two names, and SDKs mix them."""
    body = {
        "system_instruction": {"parts": {"text": "s"}},
        "contents": {
            "parts": [{"function_call": {"name": "f", "args": {"snake_case": 1}}, "thought_signature": "AA=="}],
            "role": "model",
        },
        "tools": {
            "function_declarations": [{"name": "f", "parameters_json_schema": {"max_items": 1}}],
            "google_search": {},
        },
        "tool_config": {"function_calling_config": {"mode": "any", "allowed_function_names": ["f"]}},
        "generation_config": {"max_output_tokens": "12", "top_k": 3.0, "thinking_config": {"thinking_level": "low"}},
    }

    assert again(body) == {
        "systemInstruction": {"role": "user", "parts": [{"text": "s"}]},
        "contents": [
            {
                "role": "model",
                "parts": [{"functionCall": {"name": "f", "args": {"snake_case": 1}}, "thoughtSignature": "AA=="}],
            }
        ],
        "tools": [
            {"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"max_items": 1}}]},
            {"googleSearch": {}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {"maxOutputTokens": 12, "topK": 3, "thinkingConfig": {"thinkingLevel": "LOW"}},
    }


@needs_corpus
@pytest.mark.parametrize("taken", recordings("gemini"), ids=name_of)
def test_recorded_requests_come_back(taken: Recording) -> None:
    """Law 2 on what SDKs really send: nothing is lost, and writing again changes nothing any more."""
    request = DIALECT.decode_request(taken.asked, TARGET)
    losses: Losses = []
    once = DIALECT.encode_request(request, losses)

    assert losses == []
    assert DIALECT.encode_request(DIALECT.decode_request(once, TARGET), []) == once
    assert plain(json.loads(once)) == plain(taken.request)


def plain(value: Any, *, is_data: bool = False) -> Any:
    """Without the differences that are declared: names, single elements, empty members, case of types, alphabet of bytes."""
    if isinstance(value, list):
        return [plain(one, is_data=is_data) for one in value]
    if not isinstance(value, dict):
        return value
    if is_data:
        return value
    made: dict[str, Any] = {}
    for key, one in value.items():
        first, *others = key.split("_")
        name = first + "".join(word.capitalize() for word in others)
        if name == "tools" and isinstance(one, dict):
            one = [one]
        if name == "type" and isinstance(one, str):
            one = one.upper()
        if name == "data" and isinstance(one, str):
            one = one.translate(str.maketrans("+/", "-_"))
        if one not in ("", {}) or name in ("text", "googleSearch", "codeExecution", "urlContext", "response"):
            made[name] = plain(one, is_data=name in ("args", "response", "parametersJsonSchema", "responseJsonSchema"))
    return made


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({}, "$.contents"),
        ({"contents": []}, "$.contents"),
        ({"contents": "hi"}, "$.contents"),
        ({"contents": [7]}, "$.contents[0]"),
        ({"contents": [{"parts": ["hi"]}]}, "$.contents[0].parts[0]"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "$.contents[0].parts[0].text"),
        ({"contents": [HI], "generationConfig": {"temperature": "hot"}}, "$.generationConfig.temperature"),
        ({"contents": [HI], "generationConfig": {"maxOutputTokens": 0}}, "$.generationConfig.maxOutputTokens"),
        ({"contents": [HI], "generationConfig": {"candidateCount": 1.5}}, "$.generationConfig.candidateCount"),
        ({"contents": [HI], "generationConfig": {"stopSequences": [1]}}, "$.generationConfig.stopSequences"),
        ({"contents": [HI], "tools": [{"functionDeclarations": [{}]}]}, "$.tools[0].functionDeclarations[0].name"),
        (
            {"contents": [{"parts": [{"functionCall": {"name": "f", "args": []}}]}]},
            "$.contents[0].parts[0].functionCall.args",
        ),
        (
            {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": "bare"}}]}]},
            "$.contents[0].parts[0].functionResponse.response",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_path(members: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode(members)

    assert caught.value.param == path


def test_bounds() -> None:
    """Too many contents, functions or levels are refused, by the sniffer and by the decoder alike."""
    narrow = DIALECT.within(Bounds(messages=1, tools=1, depth=12))
    functions = {"functionDeclarations": [{"name": "a"}, {"name": "b"}]}
    deep: Any = {"contents": [HI]}
    for _ in range(12):
        deep = {"contents": [HI], "x": deep}
    for body in ({"contents": [HI, HI]}, {"contents": [HI], "tools": [functions]}, deep):
        text = json.dumps(body).encode()
        with pytest.raises(InvalidRequest):
            narrow.sniff(text, TARGET)
        with pytest.raises(InvalidRequest):
            narrow.decode_request(text, TARGET)


def test_the_hub_understands() -> None:
    """What other formats will be told of a request of Google's."""
    request = decode(WHOLE)
    system, first, answer, tools, more = request.turns

    assert (system.role, first.role, answer.role, tools.role, more.role) == (
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    )
    assert first.parts[1] == Media("image", Inline("/+8=", "image/png"))
    assert answer.parts[0] == Thinking("hm", Seal("gemini", raw("c2ln")))
    assert answer.parts[1:3] == (Text("I look."), Thinking("", Seal("gemini", raw("dGV4dA==")), member="on_part"))
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    assert [(call.id, call.name, json.loads(call.arguments)) for call in calls] == [
        ("x1", "f", {"b": 1, "a": [1.5]}),
        (calls[1].id, "g", {}),
    ]
    answers = [part for part in tools.parts if isinstance(part, ToolResult)]
    assert [(one.call_id, one.name, one.is_error) for one in answers] == [("x1", "f", False), (calls[1].id, "g", False)]
    assert answers[0].parts == (Text("seen"),)
    assert answers[1].parts[1] == Media("image", Inline("AAAA", "image/png"))
    assert next(one for one in more.parts if isinstance(one, Media)).source == Url(
        "https://host.example/a.pdf", "application/pdf"
    )
    assert [one for one in more.parts if isinstance(one, Media)][1].source == FileRef("https://youtu.be/x", "video/mp4")
    assert request.tool_choice == Only(("f",), required=True, is_list=True)
    assert [tool.kind for tool in request.tools if isinstance(tool, Hosted)] == [
        "web_search",
        "code_execution",
        "urlContext",
    ]
    assert request.reasoning == Reasoning(show=True)
    assert request.service_tier == "flex"
    assert request.bound == ("$.contents[].parts[].fileData",)


def test_an_openapi_schema_is_told_as_json_schema() -> None:
    """So that every other format understands it."""
    schema = {
        "type": "OBJECT",
        "properties": {
            "nullable": {"type": "STRING", "nullable": True},
            "list": {"type": "ARRAY", "items": {"type": "INTEGER"}, "maxItems": "3"},
            "one": {"any_of": [{"type": "STRING"}, {"type": "NUMBER"}], "nullable": True},
        },
    }
    request = decode({"contents": [HI], "tools": [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]})
    [tool] = request.tools

    assert isinstance(tool, Function)
    assert tool.parameters is not None
    assert json.loads(bytes(tool.parameters)) == {
        "type": "object",
        "properties": {
            "nullable": {"type": ["string", "null"]},
            "list": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
            "one": {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
        },
    }


@pytest.mark.parametrize(
    ("response", "text", "is_error"),
    [
        ({"output": "42"}, "42", False),
        ({"result": "42"}, "42", False),
        ({"error": "no such city"}, "no such city", True),
        ({"error": {"code": 5}}, '{"error": {"code": 5}}', True),
        ({"return_value": "42"}, '{"return_value": "42"}', False),
        ({"output": 42}, '{"output": 42}', False),
        ({}, "{}", False),
        ({"output": ""}, "", False),
    ],
)
def test_what_a_tool_answered(response: Any, text: str, is_error: bool) -> None:
    """The members that Google understands are a text elsewhere; any other object is its JSON."""
    part = {"functionResponse": {"id": "1", "name": "f", "response": response}}
    body = {"contents": [{"role": "user", "parts": [part]}]}
    [turn] = decode(body).turns
    [one] = turn.parts

    assert isinstance(one, ToolResult)
    assert (one.parts, one.is_error) == ((Text(text),), is_error)
    assert again(body)["contents"][0]["parts"] == [part]


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({"mode": "AUTO"}, Auto()),
        ({"mode": "ANY"}, AnyTool()),
        ({"mode": "NONE"}, NoTool()),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]}, Only(("f",), is_list=True)),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, Only(("f",), required=False, is_list=True)),
        ({"mode": "VALIDATED"}, None),
        ({"mode": "MODE_UNSPECIFIED"}, None),
        ({"mode": "ANY", "streamFunctionCallArguments": True}, None),
    ],
)
def test_every_mode_of_calling(config: Any, choice: ToolChoice | None) -> None:
    """Pitfall 44 the other way round: each mode means what it says, and is written back as it was."""
    body = {"contents": [HI], "toolConfig": {"functionCallingConfig": config}}

    assert decode(body).tool_choice == choice
    assert again(body)["toolConfig"] == body["toolConfig"]


@pytest.mark.parametrize(
    ("thinking", "wish"),
    [
        ({"thinkingBudget": 0}, Reasoning(budget_tokens=0)),
        ({"thinkingBudget": 512, "includeThoughts": False}, Reasoning(budget_tokens=512, show=False)),
        ({"thinkingBudget": -1}, Reasoning()),
        *(
            ({"thinkingLevel": level}, Reasoning(effort=level.lower()))
            for level in ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
        ),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, Reasoning()),
    ],
)
def test_every_way_to_think(thinking: Any, wish: Reasoning) -> None:
    body = {"contents": [HI], "generationConfig": {"thinkingConfig": thinking}}

    assert decode(body).reasoning == wish
    assert again(body)["generationConfig"]["thinkingConfig"] == thinking


@pytest.mark.parametrize(
    ("config", "output"),
    [
        ({"responseMimeType": "application/json"}, JsonObject()),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
            JsonSchema("response", raw({"type": "object"})),
        ),
    ],
)
def test_forms_of_the_output(config: Any, output: Output) -> None:
    """Pitfall 47: each form is understood, and what is no JSON (an enum) stays Google's own affair."""
    request = decode({"contents": [HI], "generationConfig": config})
    enum = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a"]}}

    assert type(request.output) is type(output)
    assert again({"contents": [HI], "generationConfig": config})["generationConfig"] == config
    assert again({"contents": [HI], "generationConfig": enum})["generationConfig"] == enum


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"model": "gemini-2.5-pro"}, "gemini-2.5-pro"),
        ({"model": "models/gemini-2.5-pro"}, "gemini-2.5-pro"),
        ({"model": "models/models/a/b"}, "a/b"),
        ({"model": "mine", "family": "tunedModels/"}, "tunedModels/mine"),
        ({"model": "tunedModels/mine"}, "tunedModels/mine"),
        ({"model": "m:7b:generateContent/v1beta/models/m:7b"}, "m:7b"),
    ],
)
def test_the_model_stands_in_the_path(params: dict[str, str], name: str) -> None:
    """Also where clients repeat its prefix."""
    body = json.dumps({"contents": [HI]}).encode()

    assert DIALECT.sniff(body, Target(params)).model == name
    assert DIALECT.decode_request(body, Target(params)).model == name


def test_sniff() -> None:
    """What is planned by: the ceiling, how many answers, what has to be fetched, how long the text is."""
    picture = base64.b64encode(bytes(300)).decode()
    parts = [
        {"text": "hi"},
        {"inlineData": {"mimeType": "image/png", "data": picture}},
        {"file_data": {"file_uri": "https://host.example/a.png"}},
        {"functionResponse": {"name": "f", "response": {}, "parts": [{"inlineData": {"data": picture}}]}},
    ]
    body = json.dumps(
        {"contents": [{"parts": parts}], "generation_config": {"max_output_tokens": 9, "candidateCount": 2}}
    ).encode()
    stream = Target({"model": "m", "verb": "streamGenerateContent"}, {"alt": "sse"})
    intent = DIALECT.sniff(body, stream)
    own = DIALECT.sniff(b'{"contents":[{"parts":[{"fileData":{"fileUri":"gs://a/b"}}]}]}', TARGET)

    assert (intent.model, intent.is_stream, intent.max_output_tokens, intent.choices) == ("m", True, 9, 2)
    assert (intent.media, intent.has_remote_media) == (3, True)
    assert intent.text_bytes == len(body) - 2 * len(picture)
    assert (own.is_stream, own.media, own.has_remote_media) == (False, 1, False)


def test_a_conversation_keeps_its_lead() -> None:
    """The bytes by which a conversation stays where its prompt cache is do not change as it goes on."""
    first = {"systemInstruction": {"parts": [{"text": "s"}]}, "contents": [HI]}
    later = {**first, "contents": [HI, {"role": "model", "parts": [{"text": "yes"}]}, HI]}
    other = {**first, "contents": [{"parts": [{"text": "ho"}]}]}
    leads = [DIALECT.sniff(json.dumps(body).encode(), TARGET).lead for body in (first, later, other)]

    assert leads[0] == leads[1] != leads[2]


def test_splice_leaves_the_body_alone() -> None:
    """The model stands in the path, so the same bytes go on; but for a model in the body, and for what is not Google's."""
    body = b'{ "contents" : [ {"parts":[{"text":"\\u0068i"}]} ], "unknown": 1e2 }'
    named = b'{"model":"models/public","contents":[{"parts":[{"text":"x"}]}]}'
    packed = pack(Seal("anthropic", raw({"signature": "s"})))
    foreign = json.dumps(
        {"contents": [{"parts": [{"functionCall": {"name": "f"}, "thoughtSignature": packed}]}]}
    ).encode()

    assert DIALECT.splice(DIALECT.sniff(body, TARGET), "real") is body
    assert json.loads(DIALECT.splice(DIALECT.sniff(named, TARGET), "real"))["model"] == "models/real"
    spliced = json.loads(DIALECT.splice(DIALECT.sniff(foreign, TARGET), "real"))
    assert spliced["contents"][0]["parts"][0]["thoughtSignature"] == SKIP_BASE64


def test_state_of_another_vendor_travels_through_a_client() -> None:
    """Pitfall 83: it is known again, also after an SDK wrote it in the URL-safe alphabet, and a damaged one is nothing."""
    seal = Seal("anthropic", raw({"signature": "?>~ÿ" * 9}))
    signature = pack(seal)
    for told in (signature, signature.translate(str.maketrans("+/", "-_"))):
        body = {
            "contents": [
                {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": told}]}
            ]
        }
        [call] = decode(body).turns[0].parts
        assert isinstance(call, ToolCall)
        assert call.seal == seal
    [cut] = (
        decode(
            {
                "contents": [
                    {"role": "model", "parts": [{"text": "t", "thought": True, "thoughtSignature": signature[:-8]}]}
                ]
            }
        )
        .turns[0]
        .parts
    )
    assert cut == Thinking("t")


# --- from other formats -------------------------------------------------------------------------------------------------


def test_system_text() -> None:
    """At the head it is the instruction, one part a turn; in mid-conversation it stays where it is, as the user's (pitfall 54)."""
    turns = (
        Turn("system", (Text("a"),)),
        Turn("developer", (Text("b"),)),
        user(),
        Turn("system", (Text("c"),)),
        model(Text("ok")),
    )
    body, lost = encode(asked(*turns))

    assert body["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "hi"}, {"text": "c"}]},
        {"role": "model", "parts": [{"text": "ok"}]},
    ]
    assert lost == [("approximated", "$.turns[3]")]


def test_the_user_begins() -> None:
    """Pitfall 37: a conversation that a model begins, or nobody, gets a short word of the user's."""
    assert contents(model(Text("hello")))[0] == {"role": "user", "parts": [{"text": "."}]}
    assert contents(Turn("system", (Text("s"),))) == [{"role": "user", "parts": [{"text": "."}]}]


def test_empty_texts_are_left_out() -> None:
    """Pitfall 51: an empty text beside calls, and a turn of nothing."""
    call = ToolCall("c", "f", "{}")
    written = contents(
        user(), model(Text(""), call), results(result("c")), user(Text("")), user(Text("go on")), model=MIDDLE
    )

    assert written == [
        HI,
        {"role": "model", "parts": [{"functionCall": {"id": "c", "name": "f", "args": {}}}]},
        {
            "role": "user",
            "parts": [{"functionResponse": {"id": "c", "name": "f", "response": {"output": "ok"}}}, {"text": "go on"}],
        },
    ]


def test_results_stand_in_the_order_of_the_calls() -> None:
    """Pitfalls 35, 36 and 37: all results of a step in one content, before what the user says, each with its function's name."""
    turns = (
        user(),
        model(ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", "")),
        results(result("b", "second")),
        user(Text("by the way")),
        results(result("a", "first", name="wrong")),
        model(Text("done")),
    )
    body, lost = encode(asked(*turns, model=MIDDLE))

    assert [content["role"] for content in body["contents"]] == ["user", "model", "user", "model"]
    assert body["contents"][2]["parts"] == [
        {"functionResponse": {"id": "a", "name": "f", "response": {"output": "first"}}},
        {"functionResponse": {"id": "b", "name": "g", "response": {"output": "second"}}},
        {"text": "by the way"},
    ]
    assert lost == []


def test_missing_and_orphaned_results() -> None:
    """Pitfall 37: a call without a result gets one that says so, a result without a call becomes words."""
    body, lost = encode(
        asked(
            user(),
            model(ToolCall("a", "f", "{}")),
            user(Text("never mind")),
            results(result("z", "lost")),
            model=MIDDLE,
        )
    )

    assert body["contents"][2]["parts"] == [
        {"functionResponse": {"id": "a", "name": "f", "response": {"error": "[no result]"}}},
        {"text": "never mind"},
        {"text": "Result of a tool: lost"},
    ]
    assert lost == [("approximated", "$.turns[1]"), ("approximated", "$.turns[3]")]


def test_a_call_at_the_very_end_is_answered() -> None:
    written = contents(user(), model(ToolCall("a", "f", "{}")), model=MIDDLE)

    assert written[-1]["parts"] == [
        {"functionResponse": {"id": "a", "name": "f", "response": {"error": "[no result]"}}}
    ]


def test_ids_that_repeat_from_turn_to_turn() -> None:
    """Pitfall 41: a vendor that starts at `call_0` in each turn still has its results at the right calls."""
    turns = (
        user(),
        model(ToolCall("call_0", "f", "{}")),
        results(result("call_0", "1")),
        model(ToolCall("call_0", "g", "{}")),
        results(result("call_0", "2")),
    )
    written = contents(*turns, model=MIDDLE)

    assert [content["parts"][0]["functionResponse"]["name"] for content in written[2::2]] == ["f", "g"]


@pytest.mark.parametrize(
    ("arguments", "written", "lost"),
    [
        ('{"a": 1}', {"a": 1}, False),
        ("", {}, False),
        (" null ", {}, False),
        ("[1,2]", {"value": [1, 2]}, True),
        ('"x"', {"value": "x"}, True),
        ('{"a": 1', {"_raw": '{"a": 1'}, True),
        ('{"a": NaN}', {"_raw": '{"a": NaN}'}, True),
    ],
)
def test_arguments_are_an_object(arguments: str, written: Any, lost: bool) -> None:
    """Pitfalls 33 and 34: whatever a model wrote, or was cut off in writing."""
    body, losses = encode(asked(user(), model(ToolCall("a", "f", arguments)), results(result("a")), model=MIDDLE))

    assert body["contents"][1]["parts"][0]["functionCall"]["args"] == written
    assert bool(losses) == lost


@pytest.mark.parametrize(
    ("text", "is_error", "response"),
    [
        ("sunny", False, {"output": "sunny"}),
        ('{"sky": "blue"}', False, {"sky": "blue"}),
        ("[1]", False, {"output": "[1]"}),
        ("", False, {"output": ""}),
        ("no such city", True, {"error": "no such city"}),
        ('{"code": 1}', True, {"error": {"code": 1}}),
    ],
)
def test_a_result_is_an_object(text: str, is_error: bool, response: Any) -> None:
    """A text is its `output`; what is a JSON object already stays one."""
    written = contents(user(), model(ToolCall("a", "f", "{}")), results(result("a", text, is_error=is_error)))

    assert written[2]["parts"][0]["functionResponse"]["response"] == response


def test_pictures_of_a_tool() -> None:
    """Pitfall 55: inside of the result where the model takes them, else behind it as the user's."""
    shown = ToolResult("a", (Text("see"), Media("image", Inline("AAAA", "image/png"))))
    turns = (user(), model(ToolCall("a", "f", "{}")), results(shown))
    new, lost = encode(asked(*turns, model=NEW))
    old, lifted = encode(asked(*turns, model=MIDDLE))
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}

    assert new["contents"][2]["parts"][0]["functionResponse"]["parts"] == [picture]
    assert lost == []
    assert old["contents"][2]["parts"][1] == picture
    assert lifted == [("approximated", "$.turns[2]")]


def test_lost_signatures() -> None:
    """Pitfall 27: 3.x models get the documented stand-in on the first call of a step, and a real signature stays where it was."""
    seal = Seal("gemini", raw("cmVhbA=="))
    turns = (
        user(),
        model(ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}")),
        results(result("a"), result("b")),
        model(Text("so"), ToolCall("c", "f", "{}", seal=seal)),
        results(result("c")),
    )
    signatures = [
        [part.get("thoughtSignature") for part in content["parts"]]
        for content in contents(*turns)
        if content["role"] == "model"
    ]

    assert signatures == [[SKIP_BASE64, None], [None, "cmVhbA=="]]
    assert SKIP_BASE64 not in json.dumps(contents(*turns, model=MIDDLE))


def test_state_of_others_is_not_sent() -> None:
    """Pitfall 83: a signature of another vendor never stands in `thoughtSignature`; thoughts of another model are left out."""
    foreign = Seal("anthropic", raw({"signature": "s"}))
    body, lost = encode(
        asked(
            user(),
            model(Thinking("hm", foreign), Text("so"), ToolCall("a", "f", "{}", seal=foreign)),
            results(result("a")),
            model=MIDDLE,
        )
    )

    assert body["contents"][1]["parts"] == [{"text": "so"}, {"functionCall": {"id": "a", "name": "f", "args": {}}}]
    assert [kind for kind, _ in lost] == ["dropped", "dropped", "dropped"]


def test_thoughts_of_google_come_back() -> None:
    """Through a client of another format, who kept them."""
    seal = Seal("gemini", raw("c2ln"))
    written = contents(user(), model(Thinking("hm", seal), Text("so"), Thinking("", seal)), user())

    assert written[1]["parts"] == [
        {"text": "hm", "thoughtSignature": "c2ln", "thought": True},
        {"text": "so"},
        {"text": "", "thoughtSignature": "c2ln"},
    ]


@pytest.mark.parametrize(
    ("medium", "written"),
    [
        (Media("image", Inline("iVBORw0KGgoAAA")), {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgoAAA"}}),
        (
            Media("image", Inline("/9j/4AAQ", "image/jpeg")),
            {"inlineData": {"mimeType": "image/jpeg", "data": "/9j/4AAQ"}},
        ),
        (Media("audio", Inline("AAAA", "audio/wav")), {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}),
        (
            Media("file", Inline("JVBERi0x"), name="a.pdf"),
            {"inlineData": {"displayName": "a.pdf", "mimeType": "application/pdf", "data": "JVBERi0x"}},
        ),
        (
            Media("image", Url("https://a.example/x.webp?y")),
            {"fileData": {"mimeType": "image/webp", "fileUri": "https://a.example/x.webp?y"}},
        ),
        (
            Media("video", Url("https://a.example/x")),
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://a.example/x"}},
        ),
    ],
)
def test_media(medium: Media, written: Any) -> None:
    """Pitfall 57: nothing is dropped, and what came without a type gets the right one, because Google refuses none."""
    assert contents(user(medium))[0]["parts"] == [written]


def test_files_of_other_vendors() -> None:
    """They are refused: without the file the answer would be about nothing."""
    with pytest.raises(WouldLose) as caught:
        encode(asked(user(Text("see"), Media("file", FileRef("file-1")))))

    assert caught.value.param == "$.turns[0]"


def test_all_functions_stand_in_one_tool() -> None:
    schema = raw(
        {
            "type": "object",
            "properties": {"a": {"type": ["string", "null"]}},
            "$schema": "x",
            "additionalProperties": False,
        }
    )
    tools: tuple[Tool, ...] = (Function("f", "one", schema, strict=True), Function("g"))
    body, lost = encode(asked(user(), tools=tools))

    assert body["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "f",
                    "description": "one",
                    "parametersJsonSchema": {
                        "type": "object",
                        "properties": {"a": {"type": ["string", "null"]}},
                        "additionalProperties": False,
                    },
                },
                {"name": "g"},
            ]
        }
    ]
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert lost == []


def test_hosted_tools() -> None:
    """Pitfall 49: what Google has as well is asked of Google; other tools of other vendors are declared lost."""
    tools: tuple[Tool, ...] = (
        Hosted("anthropic", "web_search", raw({"type": "web_search_20250305", "name": "web_search"})),
        Hosted("openai_responses", "code_execution", raw({"type": "code_interpreter"})),
        Hosted("openai_responses", "image_generation", raw({"type": "image_generation"})),
    )
    body, lost = encode(asked(user(), tools=tools))
    mixed, refused = encode(asked(user(), tools=(Function("f"), tools[0]), model=MIDDLE))

    assert body["tools"] == [{"googleSearch": {}}, {"codeExecution": {}}]
    assert lost == [("approximated", "$.tools[0]"), ("approximated", "$.tools[1]"), ("dropped", "$.tools[2]")]
    assert mixed["tools"] == [{"functionDeclarations": [{"name": "f"}]}]
    assert refused == [("approximated", "$.tools[1]"), ("dropped", "$.tools[1]")]


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (None, None),
        (Auto(), {"mode": "AUTO"}),
        (NoTool(), {"mode": "NONE"}),
        (AnyTool(), {"mode": "ANY"}),
        (Only(("f",)), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (Only(("f", "g"), required=False, is_list=True), {"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]}),
    ],
)
def test_tool_choice(choice: ToolChoice | None, config: Any) -> None:
    """Pitfalls 43 and 44: none stays none, one function is one function; without tools there is no choice."""
    tools = (Function("f"), Function("g"))

    assert encode(asked(user(), tools=tools, tool_choice=choice))[0].get("toolConfig") == (
        config and {"functionCallingConfig": config}
    )
    assert "toolConfig" not in encode(asked(user(), tool_choice=choice))[0]


def test_one_call_at_a_time_cannot_be_said() -> None:
    """Pitfall 43: the first of several is taken, which is told, and it never becomes a forced call."""
    body, lost = encode(asked(user(), tools=(Function("f"),), parallel_tools=False))

    assert "toolConfig" not in body
    assert lost == [("approximated", "$.parallel_tool_calls")]


def test_names_that_google_refuses() -> None:
    """Pitfall 48: long and odd names get a short one that is always the same, wherever they stand, and are told apart."""
    long, odd = "mcp__server__" + "x" * 60, "1 wörd"
    turns = (user(), model(ToolCall("a", long, "{}")), results(result("a", name=long)))
    body, lost = encode(
        asked(
            *turns, tools=(Function(long), Function(long + "y"), Function(odd)), tool_choice=Only((long,)), model=MIDDLE
        )
    )
    names = [one["name"] for one in body["tools"][0]["functionDeclarations"]]

    assert all(len(name) <= 64 and name[0].isascii() and not name[0].isdigit() for name in names)
    assert len(set(names)) == 3
    assert body["contents"][1]["parts"][0]["functionCall"]["name"] == names[0]
    assert body["contents"][2]["parts"][0]["functionResponse"]["name"] == names[0]
    assert body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == [names[0]]
    assert [kind for kind, _ in lost] == ["renamed"] * 3


def test_free_text_tools() -> None:
    """A tool that takes free text is a function with one argument."""
    call = ToolCall("a", "patch", "*** Begin", is_custom=True)
    body, lost = encode(
        asked(user(), model(call), results(result("a")), tools=(Function("patch", is_custom=True),), model=MIDDLE)
    )

    assert body["contents"][1]["parts"][0]["functionCall"]["args"] == {"input": "*** Begin"}
    assert body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"]["required"] == ["input"]
    assert lost == [("approximated", "$.tools[0]")]


@pytest.mark.parametrize(
    ("name", "wish", "thinking"),
    [
        (NEW, Reasoning(effort="none"), {"thinkingLevel": "MINIMAL"}),
        (NEW, Reasoning(effort="minimal"), {"includeThoughts": True, "thinkingLevel": "MINIMAL"}),
        (NEW, Reasoning(effort="medium"), {"includeThoughts": True, "thinkingLevel": "MEDIUM"}),
        (NEW, Reasoning(effort="xhigh"), {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        (NEW, Reasoning(effort="max", show=False), {"thinkingLevel": "HIGH"}),
        (NEW, Reasoning(budget_tokens=5000, show=True), {"includeThoughts": True, "thinkingLevel": "MEDIUM"}),
        ("gemini-3-pro-preview", Reasoning(effort="minimal"), {"includeThoughts": True, "thinkingLevel": "LOW"}),
        ("gemini-3-pro-preview", Reasoning(effort="medium"), {"includeThoughts": True, "thinkingLevel": "LOW"}),
        (MIDDLE, Reasoning(effort="none"), {"thinkingBudget": 0}),
        (MIDDLE, Reasoning(effort="low"), {"includeThoughts": True, "thinkingBudget": 1024}),
        (MIDDLE, Reasoning(effort="medium"), {"includeThoughts": True, "thinkingBudget": 8192}),
        (MIDDLE, Reasoning(effort="high"), {"includeThoughts": True, "thinkingBudget": 24576}),
        (MIDDLE, Reasoning(budget_tokens=99999, show=True), {"includeThoughts": True, "thinkingBudget": 24576}),
        (MIDDLE, Reasoning(show=True), {"includeThoughts": True}),
        ("gemini-2.5-pro", Reasoning(effort="none"), {"thinkingBudget": 128}),
        ("gemini-2.5-pro", Reasoning(effort="max"), {"includeThoughts": True, "thinkingBudget": 32768}),
        ("gemini-2.5-flash-lite", Reasoning(budget_tokens=100), {"includeThoughts": True, "thinkingBudget": 512}),
        (OLD, Reasoning(effort="high"), None),
        ("gemini-2.5-flash-image", Reasoning(effort="high"), None),
        (NEW, Reasoning(), None),
        ("gemini-flash-latest", Reasoning(effort="low"), {"includeThoughts": True, "thinkingBudget": 1024}),
    ],
)
def test_effort(name: str, wish: Reasoning, thinking: Any) -> None:
    """A level for 3.x, a budget for 2.5, nothing for models that do not think; never both."""
    config = encode(asked(user(), model=name, reasoning=wish))[0].get("generationConfig", {})

    assert config.get("thinkingConfig") == thinking


def test_sampling() -> None:
    """What this format takes is carried; what it does not is declared."""
    sampling = Sampling(
        temperature=1.5, top_p=0.5, top_k=3, seed=1, presence_penalty=1, frequency_penalty=-1, stop=tuple("abcdefg"),
        logprobs=True, top_logprobs=2, logit_bias={"1": 1.0},
    )  # fmt: skip
    body, lost = encode(
        asked(
            user(), sampling=sampling, limits=Limits(max_output_tokens=9, choices=2), modalities=("text", "audio"),
            user="u", metadata={"a": "b"}, cache_key="k", verbosity="low", safety_id="s", service_tier="default",
        )
    )  # fmt: skip

    assert body["generationConfig"] == {
        "temperature": 1.5, "topP": 0.5, "topK": 3, "candidateCount": 2, "maxOutputTokens": 9,
        "stopSequences": list("abcde"), "seed": 1, "presencePenalty": 1, "frequencyPenalty": -1,
        "responseLogprobs": True, "logprobs": 2, "responseModalities": ["TEXT", "AUDIO"],
    }  # fmt: skip
    assert body["serviceTier"] == "standard"
    assert lost == [
        ("approximated", "$.stop"), ("dropped", "$.logit_bias"), ("dropped", "$.user"), ("dropped", "$.metadata"),
        ("dropped", "$.verbosity"), ("dropped", "$.safety_id"),
    ]  # fmt: skip


def test_structured_output() -> None:
    """Pitfall 47: as a schema where the model takes one, and in words where it refuses one beside functions."""
    wanted = JsonSchema("city", raw({"type": "object", "properties": {"n": {"type": "integer"}}}), strict=True)
    new = encode(asked(user(), output=wanted, tools=(Function("f"),)))[0]
    old = encode(asked(user(), output=wanted, model=OLD))[0]
    beside, lost = encode(asked(user(), output=wanted, tools=(Function("f"),), model=MIDDLE))

    assert new["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": json.loads(bytes(wanted.schema or b"")),
    }
    assert old["generationConfig"]["responseSchema"] == {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}
    assert "generationConfig" not in beside
    assert '"integer"' in beside["systemInstruction"]["parts"][0]["text"]
    assert lost == [("approximated", "$.response_format")]


def test_other_parts_in_a_request() -> None:
    """A refusal is what the model said; what only another vendor understands is declared lost."""
    body, lost = encode(asked(user(), model(Refusal("no")), user(Text("x"), Opaque("anthropic", raw({})))))

    assert body["contents"][1] == {"role": "model", "parts": [{"text": "no"}]}
    assert lost == [("dropped", "$.turns[2]")]


def test_from_openai_chat() -> None:
    """A whole conversation with tools, as the OpenAI SDK writes it."""
    body = {
        "model": "g",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Weather?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Köln"}'},
                    },
                    {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": ""}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
            {"role": "tool", "tool_call_id": "call_1", "content": '{"t":21}'},
            {"role": "user", "content": "So?"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        "tool_choice": "required",
        "reasoning_effort": "low",
        "max_completion_tokens": 50,
        "seed": 5,
    }
    request = OPENAI.decode_request(json.dumps(body).encode())
    written, lost = encode(msgspec.structs.replace(request, model=NEW))

    assert written == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "Weather?"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
            },
            {
                "role": "model",
                "parts": [
                    {
                        "functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Köln"}},
                        "thoughtSignature": SKIP_BASE64,
                    },
                    {"functionCall": {"id": "call_2", "name": "time", "args": {}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "call_1", "name": "weather", "response": {"t": 21}}},
                    {"functionResponse": {"id": "call_2", "name": "time", "response": {"output": "noon"}}},
                    {"text": "So?"},
                ],
            },
        ],
        "tools": [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": {"type": "object"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {
            "maxOutputTokens": 50,
            "seed": 5,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
        },
    }
    assert lost == []


def test_to_openai_chat() -> None:
    """The other way: calls and results without ids find each other, and every part has its place."""
    body = {
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "go"}]},
            {
                "role": "model",
                "parts": [
                    {"functionCall": {"name": "f", "args": {"a": 1}}},
                    {"functionCall": {"name": "f", "args": {"a": 2}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "f", "response": {"output": "1"}}},
                    {"functionResponse": {"name": "f", "response": {"error": "2"}}},
                    {"text": "and?"},
                ],
            },
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "NONE"}},
    }
    losses: list[Loss] = []
    written = json.loads(OPENAI.encode_request(decode(body), losses))
    _, _, answer, first, second, last = written["messages"]
    one, two = (call["id"] for call in answer["tool_calls"])

    assert [message["role"] for message in written["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
    ]
    assert one != two
    assert (first["tool_call_id"], first["content"]) == (one, "1")
    assert (second["tool_call_id"], second["content"]) == (two, "Error: 2")
    assert last["content"] == "and?"
    assert "tool_choice" not in written  # there is no tool to choose


def test_a_call_in_the_mouth_of_the_user() -> None:
    """It is the model's all the same, so that every other format has a place for it; an instruction has none."""
    call = {"functionCall": {"id": "a", "name": "f", "args": {}}}
    request = decode({"contents": [{"role": "user", "parts": [{"text": "hi"}, call]}]})

    assert [(turn.role, turn.member) for turn in request.turns] == [("user", ""), ("assistant", "same")]
    assert json.loads(OPENAI.encode_request(request, []))["messages"][1]["tool_calls"][0]["id"] == "a"
    with pytest.raises(InvalidRequest):
        decode({"contents": [HI], "systemInstruction": {"parts": [call]}})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {}}, "required": 1.5},
        {"type": "object", "properties": {"a": {}}, "required": [{}, "a"]},
        {"type": ["string", {}]},
        {"type": "object", "properties": 7, "anyOf": "x", "enum": 5},
        {"allOf": [{"properties": []}, {"required": "a"}, 7]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/a"}}}}},
        {"$ref": "#"},
        True,
    ],
)
def test_schemas_that_are_none_or_never_end(schema: Any) -> None:
    """Whatever a caller wrote there, it is no failure of ours."""
    body, _ = encode(asked(user(), tools=(Function("f", parameters=raw(schema)),), model=OLD))

    assert body["tools"][0]["functionDeclarations"][0]["name"] == "f"


def test_the_subset_of_older_models() -> None:
    """Pitfall 46: unions, constants, references and bounds in the words that they know; names of properties are no keywords."""
    schema = {
        "$schema": "x",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "title": {"type": ["string", "null"], "default": "x"},
            "kind": {"const": "a"},
            "size": {"enum": [1, 2]},
            "n": {"type": "integer", "exclusiveMinimum": 0, "format": "uint8"},
            "one": {"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
            "ref": {"$ref": "#/$defs/point"},
            "any": {"type": "object"},
            "list": {"type": "array"},
        },
        "required": ["title", "gone"],
        "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number"}}}},
    }
    body, _ = encode(asked(user(), tools=(Function("f", parameters=raw(schema)),), model=OLD))
    [function] = body["tools"][0]["functionDeclarations"]
    properties = function["parameters"]["properties"]

    assert function["parameters"]["required"] == ["title"]
    assert set(function["parameters"]) == {"type", "properties", "required"}
    assert properties["title"] == {"type": "STRING", "nullable": True}
    assert properties["kind"] == {"type": "STRING", "enum": ["a"]}
    assert properties["size"] == {"type": "STRING", "enum": ["1", "2"], "format": "enum"}
    assert properties["n"] == {"type": "INTEGER", "minimum": 0}
    assert properties["one"] == {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}], "nullable": True}
    assert properties["ref"] == {"type": "OBJECT", "properties": {"x": {"type": "NUMBER"}}}
    assert properties["any"]["properties"]
    assert properties["list"] == {"type": "ARRAY", "items": {"type": "STRING"}}


def test_nothing_between_two_of_a_side() -> None:
    """When nothing can be carried of what stood between two contents of the user, they are one; empty texts are none."""
    strange = Opaque(dialect="anthropic", data=raw({}))
    empty = Text(text="", extras={"x": raw(1)})

    assert contents(user(Text("a")), model(strange, empty), user(Text("b"))) == [
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}
    ]
