"""What becomes of each feature in each format of a vendor: said natively, in other words, left out with a loss, or refused.

Architecture, "What is lost in translation", tells why. A request here comes from no format at all, so that nothing in it may pass as it is.
"""

import json
from typing import Any

import msgspec
import pytest

from yibu.dialects import chat_dialects
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import WouldLose
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.options import JsonSchema, Limits, Reasoning, Sampling
from yibu.hub.parts import Media, Refusal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.reply import ChatReply, Finish
from yibu.hub.tools import Function, Hosted, Only

C, R, M, G = "openai_chat", "openai_responses", "anthropic", "gemini"
MODELS = {C: "gpt-5.2", R: "gpt-5.2", M: "claude-sonnet-4-5", G: "gemini-3-pro-preview"}
COPY, OLD_CLAUDE, NEW_CLAUDE, OLD_GEMINI = (
    "some-model",
    "claude-sonnet-4-20250514",
    "claude-opus-4-8",
    "gemini-2.0-flash",
)


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def says(*parts: Any) -> dict[str, Any]:
    return {"turns": (Turn("user", parts),)}


def talk(*turns: Turn) -> dict[str, Any]:
    return {"turns": (USER, *turns)}


def returns(*parts: Any, **more: Any) -> dict[str, Any]:
    call, result = ToolCall("c1", "f", "{}"), ToolResult("c1", parts, **more)
    return {**talk(Turn("assistant", (call,)), Turn("tool", (result,))), "tools": (F,)}


USER = Turn("user", (Text("Hi"),))
OBJECT = raw({"type": "object", "properties": {}})
F, OTHER = Function("f", parameters=OBJECT), Function("g", parameters=OBJECT)
STRICT = Function("f", parameters=OBJECT, strict=True)
FREE = Function("c", is_custom=True, extras={"format": raw({"syntax": "lark"})})
IMAGE, PDF = Media("image", Inline("iVBORw0KGgo=", "image/png")), Media("file", Inline("JVBERi0x", "application/pdf"))
SOUND, FILM = Media("audio", Inline("AAAA", "audio/wav")), Media("video", Inline("AAAA", "video/mp4"))
SEARCH, CODE, MCP = (Hosted("x", kind, raw({})) for kind in ("web_search", "code_execution", "mcp"))

N, E, D, X = "native", "emulated", "dropped", "refused"

# Feature, what asks for it, and for each format: what becomes of it, and a piece of the body (or the path of loss or refusal).
FEATURES: list[tuple[str, dict[str, Any], dict[str, tuple[str, str]]]] = [
    ("several answers", {"limits": Limits(choices=2)},
     {C: (N, '"n":2'), R: (X, "$.n"), M: (X, "$.n"), G: (N, '"candidateCount":2')}),
    ("logprobs", {"sampling": Sampling(logprobs=True)},
     {C: (N, '"logprobs":true'), R: (N, "output_text.logprobs"), M: (X, "$.logprobs"), G: (N, '"responseLogprobs":true')}),
    ("bias", {"sampling": Sampling(logit_bias={"1": 1.0})},
     {C: (N, '"logit_bias":{"1":1.0}'), R: (D, "$.logit_bias"), M: (D, "$.logit_bias"), G: (D, "$.logit_bias")}),
    ("seed", {"sampling": Sampling(seed=7)}, {C: (N, '"seed":7'), R: (D, "$.seed"), M: (D, "$.seed"), G: (N, '"seed":7')}),
    ("penalties", {"sampling": Sampling(presence_penalty=1)},
     {C: (N, "presence_penalty"), R: (D, "$.presence_penalty"), M: (D, "$.presence_penalty"), G: (N, "presencePenalty")}),
    ("top_k", {"sampling": Sampling(top_k=5)},
     {C: (D, "$.top_k"), R: (D, "$.top_k"), M: (N, '"top_k":5'), G: (N, '"topK":5')}),
    ("stop", {"sampling": Sampling(stop=("END",))},
     {C: (N, '"stop":["END"]'), R: (E, ""), M: (N, '"stop_sequences":["END"]'), G: (N, '"stopSequences":["END"]')}),
    ("many stops", {"sampling": Sampling(stop=tuple("abcdefg"))},
     {C: (E, '["a","b","c","d"]'), R: (E, ""), M: (N, '"g"]'), G: (E, '["a","b","c","d","e"]')}),
    ("blank stop", {"sampling": Sampling(stop=("\n",))},
     {C: (N, r'["\n"]'), R: (E, ""), M: (E, ""), G: (N, r'["\n"]')}),
    ("schema", {"output": JsonSchema("n", OBJECT)},
     {C: (N, '"json_schema"'), R: (N, '"json_schema"'), M: (N, '"json_schema"'), G: (N, '"responseJsonSchema"')}),
    ("schema, old models", {"output": JsonSchema("n", OBJECT), "model": {M: OLD_CLAUDE, G: OLD_GEMINI}},
     {M: (E, '"tool_choice":{"type":"tool","name":"json_answer"'), G: (N, '"responseMimeType"')}),
    ("forced tool", {"tools": (F, OTHER), "tool_choice": Only(("f",))},
     {C: (N, '"tool_choice":{"type":"function"'), R: (N, '"tool_choice":{"type":"function"'),
      M: (N, '"tool_choice":{"type":"tool","name":"f"}'), G: (N, '"allowedFunctionNames":["f"]')}),
    ("forced tool while thinking",
     {"tools": (F,), "tool_choice": Only(("f",)), "reasoning": Reasoning(budget_tokens=2048)},
     {M: (E, '"tool_choice":{"type":"auto"}')}),
    ("allowed tools", {"tools": (F, OTHER), "tool_choice": Only(("f",), required=False, is_list=True)},
     {C: (N, '"allowed_tools"'), R: (N, '"allowed_tools"'), M: (E, '"tool_choice":{"type":"auto"}'),
      G: (N, '"mode":"VALIDATED","allowedFunctionNames":["f"]')}),
    ("allowed tools, copies",
     {"tools": (F, OTHER), "tool_choice": Only(("f",), is_list=True), "model": {C: COPY}},
     {C: (N, '"tool_choice":{"type":"function","function":{"name":"f"}}')}),
    ("one call at a time", {"tools": (F,), "parallel_tools": False},
     {C: (N, '"parallel_tool_calls":false'), R: (N, '"parallel_tool_calls":false'),
      M: (N, '"disable_parallel_tool_use":true'), G: (E, "")}),
    ("free text", {"tools": (Function("c", is_custom=True),)},
     {C: (N, '"type":"custom"'), R: (N, '"type":"custom"'), M: (E, '"required":["input"]'), G: (E, '"required":["input"]')}),
    ("free text with a grammar, copies", {"tools": (FREE,), "model": {C: COPY}},
     {C: (E, 'The input has this format: {\\"syntax\\": \\"lark\\"}'), M: (E, "lark"), G: (E, "lark")}),
    ("strict tools", {"tools": (STRICT,)},
     {C: (N, '"strict":true'), R: (N, '"strict":true'), M: (N, '"strict":true'), G: (N, '"mode":"VALIDATED"')}),
    ("strict tools, old models", {"tools": (STRICT,), "model": {M: OLD_CLAUDE}}, {M: (D, "$.tools[0].strict")}),
    ("search", {"tools": (SEARCH,)},
     {C: (D, "$.tools[0]"), R: (E, '{"type":"web_search"}'), M: (E, '"web_search_20250305"'), G: (E, '{"googleSearch":{}}')}),
    ("run code", {"tools": (CODE,)},
     {C: (D, "$.tools[0]"), R: (E, '"code_interpreter"'), M: (E, '"code_execution_20250825"'), G: (E, '{"codeExecution":{}}')}),
    ("remote tools", {"tools": (MCP,)},
     {C: (D, "$.tools[0]"), R: (D, "$.tools[0]"), M: (D, "$.tools[0]"), G: (D, "$.tools[0]")}),
    ("picture of a tool", returns(Text("a"), IMAGE),
     {C: (E, '"role":"user","content":[{"type":"image_url"'), R: (N, '"output":[{"type":"input_text","text":"a"},{"type":"input_image"'),
      M: (N, '"tool_use_id":"c1","content":[{"type":"text","text":"a"},{"type":"image"'), G: (N, '"parts":[{"inlineData"')}),
    ("PDF of a tool", returns(Text("a"), PDF),
     {C: (E, '"type":"file"'), R: (N, '"input_file"'), M: (N, '"type":"document"'), G: (N, '"mimeType":"application/pdf"')}),
    ("picture of a tool, old models", {**returns(Text("a"), IMAGE), "model": {G: OLD_GEMINI}}, {G: (E, '"inlineData"')}),
    ("error of a tool", returns(Text("a"), is_error=True),
     {C: (E, '"content":"Error: a"'), R: (E, '"output":"Error: a"'), M: (N, '"is_error":true'), G: (N, '"response":{"error":"a"}')}),
    ("system in the middle", talk(Turn("assistant", (Text("a"),)), Turn("system", (Text("b"),)), USER),
     {C: (N, '{"role":"system","content":"b"}'), R: (N, '{"role":"system","content":"b"}'),
      M: (E, "<system-reminder>"), G: (E, '{"role":"user","parts":[{"text":"b"}')}),
    ("beginning of an answer", talk(Turn("assistant", (Text("So"),))),
     {C: (N, '"content":"So"}]'), R: (E, '"content":"So"}]'), M: (N, '"content":"So"}]'), G: (N, '[{"text":"So"}]}]')}),
    ("picture by URL", says(Media("image", Url("https://a.example/x.png"))),
     {C: (N, '"url":"https://a'), R: (N, '"image_url":"https://a'), M: (N, '"url":"https://a'), G: (N, '"fileUri":"https://a')}),
    ("PDF", says(PDF), {C: (N, '"file_data"'), R: (N, '"file_data"'), M: (N, '"document"'), G: (N, '"inlineData"')}),
    ("sound", says(SOUND),
     {C: (N, '"input_audio"'), R: (X, "$.turns[0].content[0]"), M: (X, "$.messages[0].content[0]"), G: (N, '"audio/wav"')}),
    ("film", says(FILM),
     {C: (N, '"video_url"'), R: (X, "$.turns[0].content[0]"), M: (X, "$.messages[0].content[0]"), G: (N, '"video/mp4"')}),
    ("answer as sound", {"modalities": ("text", "audio")},
     {C: (N, '"modalities":["text","audio"]'), R: (X, "$.modalities"), M: (X, "$.modalities"), G: (N, '"AUDIO"')}),
    ("answer as a picture", {"modalities": ("text", "image")},
     {C: (N, '"modalities":["text","image"]'), R: (E, '{"type":"image_generation"}'), M: (X, "$.modalities"), G: (N, '"IMAGE"')}),
    ("uploaded file", says(Text("a"), Media("file", FileRef("f1"))),
     {C: (X, "$.turns[0][1]"), R: (X, "$.turns[0].content[1]"), M: (X, "$.messages[0].content[1]"), G: (X, "$.turns[0]")}),
    ("effort", {"reasoning": Reasoning(effort="high")},
     {C: (N, '"reasoning_effort":"high"'), R: (N, '"effort":"high"'), M: (N, '"budget_tokens":16384'), G: (N, '"thinkingLevel":"HIGH"')}),
    ("budget", {"reasoning": Reasoning(budget_tokens=4096)},
     {C: (E, '"reasoning_effort":"medium"'), R: (E, '"effort":"medium"'), M: (N, '"budget_tokens":4096'), G: (E, '"thinkingLevel"')}),
    ("thoughts of others", talk(Turn("assistant", (Thinking("hm"), Text("a"))), USER),
     {C: (N, '"reasoning_content":"hm"'), R: (D, "$.turns[1]"), M: (D, "$.turns[1].thinking"), G: (D, "$.turns[1]")}),
    ("refusal", talk(Turn("assistant", (Refusal("no"),)), USER),
     {C: (N, '"refusal":"no"'), R: (N, '"refusal":"no"'), M: (N, '"text":"no"'), G: (N, '"text":"no"')}),
    ("cache mark", says(Text("Hi", cache="ephemeral")),
     {C: (N, ""), R: (N, ""), M: (N, '"cache_control":{"type":"ephemeral"}'), G: (N, "")}),
    ("class of service", {"service_tier": "default"},
     {C: (N, '"default"'), R: (N, '"default"'), M: (N, '"standard_only"'), G: (N, '"standard"')}),
    ("end user", {"user": "u"}, {C: (N, '"user":"u"'), R: (N, '"user":"u"'), M: (N, '"user_id":"u"'), G: (D, "$.user")}),
    ("metadata", {"metadata": {"a": "b"}},
     {C: (N, '{"a":"b"}'), R: (N, '{"a":"b"}'), M: (D, "$.metadata"), G: (D, "$.metadata")}),
    ("settings of safety", {"extras": {"safetySettings": raw([1])}},
     {C: (D, "$.safetySettings"), R: (D, "$.safetySettings"), M: (D, "$.safetySettings"), G: (D, "$.safetySettings")}),
]  # fmt: skip
CELLS = [
    pytest.param(dialect, asked, *cell, id=f"{name}, {dialect}")
    for name, asked, cells in FEATURES
    for dialect, cell in cells.items()
]


def request_of(dialect: str, asked: dict[str, Any]) -> ChatRequest:
    model = asked.get("model", {}).get(dialect, MODELS[dialect])
    return ChatRequest(**{"turns": (USER,), **asked, "model": model})


@pytest.mark.parametrize(("dialect", "asked", "kind", "told"), CELLS)
def test_what_becomes_of_a_feature(dialect: str, asked: dict[str, Any], kind: str, told: str) -> None:
    """Native without a loss; in other words with an approximation; left out with a loss; refused with the path."""
    losses: Losses = []
    encode = chat_dialects()[dialect].encode_request
    if kind == X:
        with pytest.raises(WouldLose) as caught:
            encode(request_of(dialect, asked), losses)
        assert caught.value.param == told
        return
    body = encode(request_of(dialect, asked), losses).decode()

    kinds = {loss.kind for loss in losses}
    assert kinds == {N: set(), E: {"approximated"}, D: {"dropped"}}[kind]
    if kind == D:
        assert told in [loss.where for loss in losses]
    else:
        assert told in body


@pytest.mark.parametrize("dialect", [C, R, M, G])
def test_every_feature_has_its_cells(dialect: str) -> None:
    """Each of the four formats is asked for each feature, but for those that are about some models of some of them."""
    assert [
        name for name, asked, cells in FEATURES if "," not in name and "while" not in name and dialect not in cells
    ] == []


def answer(dialect: str, text: str, *calls: str) -> bytes:
    """A vendor's answer with this text and these calls."""
    if dialect == C:
        made = [
            {"id": name, "type": "function", "function": {"name": name, "arguments": '{"input":"x"}'}} for name in calls
        ]
        message = {"role": "assistant", "content": text, "tool_calls": made or None}
        body: Any = {"id": "1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    elif dialect == R:
        said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
        body = {"id": "1", "status": "completed", "output": [said]}
    elif dialect == M:
        body = {"id": "1", "type": "message", "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}
    else:
        parts = [{"text": text}, *({"functionCall": {"name": name, "args": {}}} for name in calls)]
        body = {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}
    return json.dumps(body).encode()


def read(dialect: str, asked: dict[str, Any], text: str, *calls: str) -> ChatReply:
    return chat_dialects()[dialect].decode_reply(answer(dialect, text, *calls), request_of(dialect, asked))


@pytest.mark.parametrize(("dialect", "stops"), [(R, ("END",)), (M, ("\n",)), (G, tuple("vwxyzE")), (C, tuple("wxyzE"))])
def test_stops_that_the_vendor_was_not_told(dialect: str, stops: tuple[str, ...]) -> None:
    """Pitfall 52: the answer ends there all the same, and says at which."""
    [choice] = read(dialect, {"sampling": Sampling(stop=stops)}, f"one{stops[-1]}two").choices

    assert choice.parts == (Text("one"),)
    assert choice.finish == Finish("stop", stop_sequence=stops[-1])


def test_one_call_at_a_time_where_the_vendor_makes_several() -> None:
    """Pitfall 43: the first is given, and the end is that of a call."""
    asked = {"tools": (F, OTHER), "parallel_tools": False}
    [choice] = read(G, asked, "I look.", "f", "g").choices
    [both] = read(G, {**asked, "parallel_tools": True}, "I look.", "f", "g").choices

    assert [part.name for part in choice.parts if isinstance(part, ToolCall)] == ["f"]
    assert [part.name for part in both.parts if isinstance(part, ToolCall)] == ["f", "g"]
    assert choice.finish.kind == "tool_calls"


def test_free_text_comes_back_from_vendors_who_do_not_know_it() -> None:
    """What was told as one argument is free text again, in the answer as in the history."""
    turns = (
        USER,
        Turn("assistant", (ToolCall("1", "c", "*** Begin", is_custom=True),)),
        Turn("tool", (ToolResult("1", ()),)),
    )
    asked = {"tools": (FREE,), "turns": turns, "model": {C: COPY}}
    body = json.loads(chat_dialects()[C].encode_request(request_of(C, asked), []))
    [choice] = read(C, asked, "", "c").choices
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]

    assert [(call.name, call.arguments, call.is_custom) for call in calls] == [("c", "x", True)]
    assert body["messages"][1]["tool_calls"][0]["function"] == {"name": "c", "arguments": '{"input":"*** Begin"}'}
