"""Wishes of other formats, fitted to what a model of Anthropic's can do.

The numbers are those of the list of known mistakes of other gateways.
"""

import json
from typing import Any

import msgspec
import pytest

from yibu.dialects.anthropic import DIALECT
from yibu.dialects.anthropic.abilities import Abilities, abilities
from yibu.dialects.anthropic.schema import rooted, strict
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import WouldLose
from yibu.hub.loss import Losses
from yibu.hub.options import JsonObject, JsonSchema, Limits, Output, Reasoning, Sampling, Streaming
from yibu.hub.parts import Text, Thinking, ToolCall, ToolResult
from yibu.hub.reply import Finish
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only, Tool, ToolChoice

SONNET, OPUS, FABLE, OLD, HOST = (
    "claude-sonnet-4-5",
    "claude-opus-4-8",
    "claude-fable-5",
    "claude-3-5-haiku-20241022",
    "MiniMax-M2",
)
USER = Turn("user", (Text("x"),))
SCHEMA = msgspec.Raw(b'{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}')
F = Function("f", "what it does", SCHEMA)


def written(model: str = SONNET, losses: Losses | None = None, **members: Any) -> dict[str, Any]:
    request = ChatRequest(model=model, **{"turns": (USER,), **members})
    made: dict[str, Any] = json.loads(DIALECT.encode_request(request, [] if losses is None else losses))
    return made


def lost(model: str = SONNET, **members: Any) -> list[str]:
    losses: Losses = []
    written(model, losses, **members)
    return [loss.where for loss in losses]


@pytest.mark.parametrize(
    ("model", "thinking", "has_format", "has_sampling"),
    [
        ("claude-3-opus-20240229", "none", False, True),
        ("claude-3-5-sonnet-20241022", "none", False, True),
        ("claude-3-7-sonnet-20250219", "manual", False, True),
        ("claude-sonnet-4-20250514", "manual", False, True),
        ("claude-sonnet-4-0", "manual", False, True),
        ("claude-opus-4-1-20250805", "manual", True, True),
        ("claude-haiku-4-5", "manual", True, True),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "manual", True, True),
        ("anthropic/claude-opus-4.6", "both", True, True),
        ("claude-opus-4-7", "adaptive", True, False),
        ("claude-sonnet-5", "adaptive", True, False),
        ("claude-opus-5@20260301", "adaptive", True, False),
        ("claude-mythos-preview", "adaptive", True, False),
        ("claude-opus-9", "adaptive", True, False),
        ("deepseek-chat", "manual", False, True),
    ],
)
def test_models_by_their_names(model: str, thinking: str, has_format: bool, has_sampling: bool) -> None:
    """Dates, regions and hosts' prefixes make no difference; what is newer than the table is as the newest in it."""
    able = abilities(model)

    assert (able.thinking, able.has_format, able.has_sampling) == (thinking, has_format, has_sampling)


def test_unknown_names() -> None:
    """Other vendors' models get what all of them had from the start; of a name that tells nothing the less is expected."""
    assert abilities("kimi-k2") == Abilities(takes_both=True)
    assert abilities("our-best") == Abilities(takes_both=False)


def test_ceiling() -> None:
    """Pitfall 59: the caller's, else the model's own, never a small fixed one."""
    assert written(limits=Limits(77))["max_tokens"] == 77
    assert written()["max_tokens"] == 64_000
    assert written(OPUS)["max_tokens"] == 128_000
    assert DIALECT.needs_ceiling


@pytest.mark.parametrize(
    ("effort", "budget"),
    [
        ("minimal", 1024),
        ("low", 2048),
        ("medium", 8192),
        ("high", 16384),
        ("xhigh", 24576),
        ("max", 32768),
        ("odd", 8192),
    ],
)
def test_effort_as_a_budget(effort: str, budget: int) -> None:
    """Every level, for a model that takes a budget."""
    made = written(reasoning=Reasoning(effort=effort), limits=Limits(50_000))

    assert made["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert made["max_tokens"] == 50_000


@pytest.mark.parametrize(
    ("model", "effort", "told"),
    [
        (OPUS, "minimal", "low"),
        (OPUS, "low", "low"),
        (OPUS, "medium", "medium"),
        (OPUS, "high", "high"),
        (OPUS, "xhigh", "xhigh"),
        (OPUS, "max", "max"),
        (OPUS, "odd", "medium"),
        ("claude-opus-4-6", "xhigh", "high"),
        ("claude-opus-4-6", "max", "max"),
    ],
)
def test_effort_as_an_effort(model: str, effort: str, told: str) -> None:
    """Every level, for a model that takes an effort; one that it lacks is the next lower one, with a loss."""
    made = written(model, reasoning=Reasoning(effort=effort))

    assert made["thinking"]["type"] == "adaptive"
    assert made["output_config"] == {"effort": told}
    assert lost(model, reasoning=Reasoning(effort=effort)) == ([] if told == effort else ["$.reasoning.effort"])


def test_thoughts_to_be_read() -> None:
    """Newer models show them only when asked."""
    assert written(OPUS, reasoning=Reasoning(effort="low"))["thinking"]["display"] == "summarized"
    assert "display" not in written(OPUS, reasoning=Reasoning(effort="low", show=False))["thinking"]


@pytest.mark.parametrize(
    ("budget", "told"),
    [(1, "low"), (2047, "low"), (2048, "medium"), (11_999, "medium"), (12_000, "high"), (-1, "high")],
)
def test_budget_as_an_effort(budget: int, told: str) -> None:
    assert written(OPUS, reasoning=Reasoning(budget_tokens=budget))["output_config"] == {"effort": told}


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        (SONNET, {"type": "disabled"}),
        (OPUS, {"type": "disabled"}),
        (HOST, {"type": "disabled"}),
        (OLD, None),
        (FABLE, None),
    ],
)
@pytest.mark.parametrize("wish", [Reasoning(effort="none"), Reasoning(budget_tokens=0)])
def test_no_thinking(model: str, thinking: Any, wish: Reasoning) -> None:
    """It is switched off, or, where that is refused, asked for little."""
    made = written(model, reasoning=wish)

    assert made.get("thinking") == thinking
    assert made.get("output_config") == ({"effort": "low"} if model == FABLE else None)


def test_model_that_cannot_think() -> None:
    assert "thinking" not in written(OLD, reasoning=Reasoning(effort="high"))
    assert lost(OLD, reasoning=Reasoning(effort="high")) == ["$.reasoning"]


def test_nothing_said_of_thinking() -> None:
    for model in (SONNET, OPUS, HOST):
        made = written(model)
        assert "thinking" not in made
        assert "output_config" not in made


def test_ceiling_makes_room_for_the_budget() -> None:
    """Pitfall 30: the ceiling is raised, not the budget cut, up to what the model can write."""
    made = written(reasoning=Reasoning(effort="medium"), limits=Limits(1000))
    most = written(reasoning=Reasoning(budget_tokens=90_000), limits=Limits(5000))

    assert (made["thinking"]["budget_tokens"], made["max_tokens"]) == (8192, 9192)
    assert (most["thinking"]["budget_tokens"], most["max_tokens"]) == (64_000 - 1024, 64_000)
    assert lost(reasoning=Reasoning(effort="medium"), limits=Limits(1000)) == ["$.max_tokens"]


def test_least_budget() -> None:
    """Anthropic refuses less than 1,024."""
    assert written(reasoning=Reasoning(budget_tokens=5), limits=Limits(9000))["thinking"]["budget_tokens"] == 1024


@pytest.mark.parametrize("choice", [AnyTool(), Only(("f",)), Only(("f",), is_list=True)])
def test_forced_tool_while_thinking(choice: ToolChoice) -> None:
    """Pitfall 31: with a budget the model may call, and cannot be made to."""
    made = written(reasoning=Reasoning(effort="low"), tools=(F,), tool_choice=choice)
    newer = written(OPUS, reasoning=Reasoning(effort="low"), tools=(F,), tool_choice=AnyTool())
    never = written(FABLE, tools=(F,), tool_choice=choice)

    assert made["tool_choice"] == never["tool_choice"] == {"type": "auto"}
    assert newer["tool_choice"] == {"type": "any"}


def test_thinking_in_a_loop_without_its_thoughts() -> None:
    """Pitfall 24: a model with a budget refuses to go on, so it does not think in this turn; newer ones do."""
    turns = (USER, Turn("assistant", (ToolCall("c", "f", "{}"),)), Turn("tool", (ToolResult("c", (Text("18"),)),)))
    wish = Reasoning(effort="low")

    assert written(turns=turns, tools=(F,), reasoning=wish)["thinking"] == {"type": "disabled"}
    assert written(OPUS, turns=turns, tools=(F,), reasoning=wish)["thinking"]["type"] == "adaptive"
    assert lost(turns=turns, tools=(F,), reasoning=wish) == ["$.reasoning"]


@pytest.mark.parametrize(
    ("model", "sampling", "told", "losses"),
    [
        (SONNET, Sampling(temperature=1.7), {"temperature": 1.0}, ["$.temperature"]),
        (SONNET, Sampling(temperature=0.5, top_p=0.9), {"temperature": 0.5}, ["$.top_p"]),
        (SONNET, Sampling(temperature=0.5, top_p=1.0), {"temperature": 0.5}, []),
        (SONNET, Sampling(top_p=0.9, top_k=5), {"top_p": 0.9, "top_k": 5}, []),
        ("claude-sonnet-4-0", Sampling(temperature=0.5, top_p=0.9), {"temperature": 0.5, "top_p": 0.9}, []),
        (HOST, Sampling(temperature=0.5, top_p=0.9), {"temperature": 0.5, "top_p": 0.9}, []),
        (OPUS, Sampling(temperature=0.5, top_p=0.9, top_k=5), {}, ["$.temperature", "$.top_k", "$.top_p"]),
        (OPUS, Sampling(temperature=1.0, top_p=1.0), {}, []),
        (SONNET, Sampling(stop=("a", "\n", "")), {"stop_sequences": ["a"]}, ["$.stop"]),
        (SONNET, Sampling(stop=(" ",)), {}, ["$.stop"]),
        (
            SONNET,
            Sampling(seed=1, presence_penalty=0.5, frequency_penalty=0.5, logit_bias={"1": 2}),
            {},
            ["$.presence_penalty", "$.frequency_penalty", "$.seed", "$.logit_bias"],
        ),
        (SONNET, Sampling(presence_penalty=0.0, logprobs=False), {}, []),
    ],
)
def test_sampling(model: str, sampling: Sampling, told: dict[str, Any], losses: list[str]) -> None:
    """Pitfalls 52, 60, 61: what a model takes of it, and the loss of the rest."""
    made = written(model, sampling=sampling)

    assert {key: made[key] for key in ("temperature", "top_p", "top_k", "stop_sequences") if key in made} == told
    assert lost(model, sampling=sampling) == losses


def test_sampling_while_thinking() -> None:
    """With a budget only a high `top_p` is taken."""
    wish = Reasoning(effort="low")
    made = written(reasoning=wish, sampling=Sampling(temperature=0.5, top_p=0.97, top_k=3))

    assert (made.get("temperature"), made["top_p"], made.get("top_k")) == (None, 0.97, None)
    assert "top_p" not in written(reasoning=wish, sampling=Sampling(top_p=0.5))


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"limits": Limits(choices=2)}, "$.n"),
        ({"sampling": Sampling(logprobs=True)}, "$.logprobs"),
        ({"sampling": Sampling(top_logprobs=3)}, "$.logprobs"),
        ({"modalities": ("text", "audio")}, "$.modalities"),
    ],
)
def test_wishes_that_are_refused(members: dict[str, Any], param: str) -> None:
    """What would make the answer another one than was asked for."""
    with pytest.raises(WouldLose) as raised:
        written(**members)

    assert raised.value.param == param


def test_a_tool_that_another_vendor_runs() -> None:
    """It is left out with a note: agents offer many, and go on without."""
    tools = (Hosted("openai_responses", "file_search", msgspec.Raw(b"{}")),)

    assert "tools" not in written(tools=tools)
    assert lost(tools=tools) == ["$.tools[0]"]


@pytest.mark.parametrize(
    ("choice", "parallel", "told"),
    [
        (None, None, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (Auto(), True, {"type": "auto", "disable_parallel_tool_use": False}),
        (NoTool(), False, {"type": "none"}),
        (AnyTool(), None, {"type": "any"}),
        (Only(("f",)), False, {"type": "tool", "name": "f", "disable_parallel_tool_use": True}),
        (Only(("f",), required=False, is_list=True), None, {"type": "auto"}),
        (Only(("f", "g"), is_list=True), None, {"type": "any"}),
    ],
)
def test_choice(choice: ToolChoice | None, parallel: bool | None, told: Any) -> None:
    """Pitfalls 43, 44: every choice, with and without calls side by side."""
    made = written(tools=(F, Function("g"), Function("h")), tool_choice=choice, parallel_tools=parallel)

    assert made.get("tool_choice") == told


def test_allowed_tools() -> None:
    """Only those are told."""
    choice = Only(("f", "g"), is_list=True)
    made = written(tools=(F, Function("g"), Function("h")), tool_choice=choice)

    assert [tool["name"] for tool in made["tools"]] == ["f", "g"]


def test_choice_without_tools() -> None:
    """It is refused there, so it is left out."""
    assert "tool_choice" not in written(tool_choice=Auto(), parallel_tools=False)


def test_tool_without_parameters() -> None:
    assert written(tools=(Function("f"),))["tools"] == [
        {"name": "f", "input_schema": {"type": "object", "properties": {}}}
    ]


def test_illegal_and_long_names() -> None:
    """Pitfall 48: the same legal alias in tools, calls and choice; the answer has the caller's name again."""
    long = "mcp." + "x" * 140
    call = Turn("assistant", (ToolCall("c", long, "{}"),))
    request = ChatRequest(
        model=SONNET,
        turns=(USER, call, Turn("tool", (ToolResult("c", (Text("1"),)),))),
        tools=(Function(long), Function(long + "y")),
        tool_choice=Only((long,)),
    )
    made = json.loads(DIALECT.encode_request(request, []))
    alias = made["tools"][0]["name"]
    content = [{"type": "tool_use", "id": "t", "name": alias, "input": {}}]

    assert len(alias) == 128
    assert alias != made["tools"][1]["name"]
    assert alias == made["tool_choice"]["name"] == made["messages"][1]["content"][0]["name"]
    [answered] = DIALECT.decode_reply(reply(content), request).choices[0].parts
    assert isinstance(answered, ToolCall)
    assert answered.name == long


def reply(content: list[dict[str, Any]], stop_reason: str = "tool_use") -> bytes:
    return json.dumps(
        {"id": "msg_1", "type": "message", "model": "m", "content": content, "stop_reason": stop_reason}
    ).encode()


def test_custom_tool() -> None:
    """Free text is wrapped into one argument, in tools and history, and unwrapped in the answer, streamed too."""
    form = msgspec.Raw(b'{"format":{"type":"grammar","syntax":"lark"}}')
    tool = Function("sql", "runs", is_custom=True, extras={"custom": form})
    turns = (
        USER,
        Turn("assistant", (ToolCall("c", "sql", "SELECT 1", is_custom=True),)),
        Turn("tool", (ToolResult("c", (Text("1"),)),)),
    )
    request = ChatRequest(model=SONNET, turns=turns, tools=(tool,))
    made = json.loads(DIALECT.encode_request(request, []))
    answer = DIALECT.decode_reply(
        reply([{"type": "tool_use", "id": "t", "name": "sql", "input": {"input": "SELECT 2"}}]), request
    )

    assert made["tools"][0]["input_schema"]["required"] == ["input"]
    assert "lark" in made["tools"][0]["description"]
    assert made["messages"][1]["content"][0]["input"] == {"input": "SELECT 1"}
    assert answer.choices[0].parts == (ToolCall("t", "sql", "SELECT 2", is_custom=True),)


def test_strict_tools() -> None:
    """Where a model guarantees the form; elsewhere it is a loss."""
    tool = msgspec.structs.replace(F, strict=True)
    made = written(tools=(tool,))["tools"][0]

    assert made["strict"] is True
    assert made["input_schema"]["additionalProperties"] is False
    assert "strict" not in written(HOST, tools=(tool,))["tools"][0]
    assert lost(HOST, tools=(tool,)) == ["$.tools[0].strict"]


@pytest.mark.parametrize(
    ("schema", "meant"),
    [
        (None, {"type": "object", "properties": {}}),
        (b"true", {"type": "object", "properties": {}}),
        (b"{}", {"type": "object"}),
        (b'{"properties":{"a":{}}}', {"type": "object", "properties": {"a": {}}}),
        (b'{"type":["object","null"]}', {"type": "object"}),
        (
            b'{"anyOf":[{"properties":{"a":{}},"required":["a","b"]},{"properties":{"b":{}},"required":["b"]}]}',
            {"type": "object", "properties": {"b": {}, "a": {}}, "required": ["b"]},
        ),
        (
            b'{"allOf":[{"properties":{"a":{}},"required":["a"]},{"required":["b"]}],"title":"T"}',
            {"title": "T", "type": "object", "properties": {"a": {}}, "required": ["a", "b"]},
        ),
        (b'{"oneOf":"nonsense"}', {"type": "object", "properties": {}}),
    ],
)
def test_root_of_a_schema(schema: bytes | None, meant: Any) -> None:
    """It is an object, whatever the caller wrote."""
    made, _ = rooted(None if schema is None else msgspec.Raw(schema))

    assert msgspec.json.decode(made) == meant


def test_sound_schema_stays_as_it_is() -> None:
    """Byte for byte, as caches need it."""
    assert rooted(SCHEMA) == (SCHEMA, False)


def test_keywords_of_strict_schemas() -> None:
    """What is refused is told in words; a property that is called like a keyword is no keyword."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 1, "description": "a number"},
            "format": {"type": "string", "format": "uuid", "pattern": "^a"},
            "list": {"type": "array", "items": {"oneOf": [{"type": "string", "maxLength": 3}]}, "minItems": 2},
        },
        "$defs": {"pattern": {"type": "object", "properties": {}}},
        "additionalProperties": True,
    }
    made, has_moved = strict(msgspec.Raw(json.dumps(schema).encode()))

    assert has_moved
    assert msgspec.json.decode(made) == {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "description": "a number\n\n{minimum: 1}"},
            "format": {"type": "string", "format": "uuid", "description": '{pattern: "^a"}'},
            "list": {
                "type": "array",
                "items": {"anyOf": [{"type": "string", "description": "{maxLength: 3}"}]},
                "description": "{minItems: 2}",
            },
        },
        "$defs": {"pattern": {"type": "object", "properties": {}, "additionalProperties": False}},
        "additionalProperties": False,
    }


def test_hosted_tools_that_several_vendors_have() -> None:
    """A search of the web and running code are the vendor's own, with a loss."""
    tools: tuple[Tool, ...] = (
        Hosted("openai_responses", "web_search", msgspec.Raw(b"{}")),
        Hosted("gemini", "code_execution", msgspec.Raw(b"{}")),
    )

    assert [tool["name"] for tool in written(tools=tools)["tools"]] == ["web_search", "code_execution"]
    assert lost(tools=tools) == ["$.tools[0]", "$.tools[1]"]


def schema_request(model: str, output: Output, **members: Any) -> tuple[ChatRequest, dict[str, Any]]:
    request = ChatRequest(model=model, turns=(USER,), output=output, **members)
    return request, json.loads(DIALECT.encode_request(request, []))


def test_schema_where_the_model_has_it() -> None:
    request, made = schema_request(SONNET, JsonSchema("person", SCHEMA))

    assert made["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert "tools" not in made
    answer = DIALECT.decode_reply(reply([{"type": "text", "text": '```\n{"a":1}\n```'}], "end_turn"), request)
    assert answer.choices[0].parts == (Text('```\n{"a":1}\n```'),)


def test_schema_as_a_tool() -> None:
    """Where the model has none, the arguments of a forced tool are the answer, whole and streamed."""
    request, made = schema_request(HOST, JsonSchema("person", SCHEMA))
    content = [{"type": "tool_use", "id": "t", "name": "json_answer", "input": {"a": 1}}]
    answer = DIALECT.decode_reply(reply(content), request).choices[0]

    assert made["tool_choice"] == {"type": "tool", "name": "json_answer", "disable_parallel_tool_use": True}
    assert made["tools"][0]["input_schema"] == msgspec.json.decode(SCHEMA)
    assert answer.parts == (Text('{"a": 1}'),)
    assert answer.finish == Finish("stop")


def test_schema_beside_the_callers_tools() -> None:
    """Some tool must be called; a name that the caller has is not taken twice."""
    request, made = schema_request(HOST, JsonSchema("p", SCHEMA), tools=(Function("json_answer"), F))

    assert [tool["name"] for tool in made["tools"]] == ["json_answer", "f", "json_answer_"]
    assert made["tool_choice"] == {"type": "any"}
    content = [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]
    assert DIALECT.decode_reply(reply(content), request).choices[0].finish.kind == "tool_calls"


def test_schema_while_thinking() -> None:
    """A tool cannot be forced then: the schema is told in words."""
    _, made = schema_request(HOST, JsonSchema("p", SCHEMA), reasoning=Reasoning(effort="low"), limits=Limits(9000))

    assert "tools" not in made
    assert bytes(SCHEMA).decode() in made["system"]


@pytest.mark.parametrize("system", [None, Turn("system", (Text("S"),)), Turn("system", (Text("S", cache="5m"),))])
def test_any_json_object(system: Turn | None) -> None:
    """It is asked for in words, after what the system says; a code fence is taken away."""
    turns = (system, USER) if system else (USER,)
    request = ChatRequest(model=SONNET, turns=turns, output=JsonObject())
    made = json.loads(DIALECT.encode_request(request, []))
    said = made["system"] if isinstance(made["system"], str) else "\n\n".join(block["text"] for block in made["system"])
    answer = DIALECT.decode_reply(reply([{"type": "text", "text": '```json\n{"a":1}\n```'}], "end_turn"), request)

    assert said.startswith("S\n\nAnswer" if system else "Answer")
    assert answer.choices[0].parts == (Text('{"a":1}'),)


@pytest.mark.parametrize(
    ("tier", "told"),
    [("", None), ("default", "standard_only"), ("auto", "auto"), ("flex", "auto"), ("priority", "auto")],
)
def test_service_tiers(tier: str, told: str | None) -> None:
    assert written(service_tier=tier).get("service_tier") == told


def test_who_asks() -> None:
    """The user, or the hash of him."""
    assert written(user="u", safety_id="s")["metadata"] == {"user_id": "u"}
    assert written(safety_id="s")["metadata"] == {"user_id": "s"}


def test_stream_and_its_options() -> None:
    """Pitfall 62: there are no options here; usage always comes."""
    made = written(stream=Streaming(on=True, usage=True), metadata={"a": "b"}, verbosity="low", cache_key="k")

    assert made.keys() == {"model", "max_tokens", "messages", "stream"}
    assert lost(verbosity="low", cache_key="k") == ["$.verbosity"]


def test_extras_of_another_format_are_losses() -> None:
    assert lost(dialect="openai_chat", extras={"prediction": msgspec.Raw(b'{"a":1}')}) == ["$.prediction"]


def test_prefill_while_thinking() -> None:
    """With a budget the last turn must be the user's."""
    turns = (USER, Turn("assistant", (Thinking("hm"), Text("So"))))
    made = written(turns=turns, reasoning=Reasoning(effort="low"))

    assert made["messages"][-1]["role"] == "user"
