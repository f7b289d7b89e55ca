"""Each value of a rich request replaced by odd ones, in every chat format: a refusal or an answer, never a failure."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from yibu.sandbox.anthropic.reply import MessageStage
from yibu.sandbox.anthropic.request import read_message
from yibu.sandbox.ask import Ask
from yibu.sandbox.bedrock.reply import ConverseStage
from yibu.sandbox.bedrock.request import read_converse
from yibu.sandbox.completions_request import read_ask
from yibu.sandbox.engines import rules
from yibu.sandbox.engines.agent import plan
from yibu.sandbox.gemini.reply import GenerationStage
from yibu.sandbox.gemini.request import read_generation
from yibu.sandbox.play import Stage
from yibu.sandbox.refusal import Refusal
from yibu.sandbox.request import Request
from yibu.sandbox.responses.reply import ResponseStage
from yibu.sandbox.responses.request import read_wanted
from yibu.sandbox.responses.store import Store

ODD = [None, 5, -1, 1.5, True, "", "x", [], ["x"], [5], [None], [{}], {}, {"a": 1}, 10**30]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED = SCHEMA | {"additionalProperties": False}
TEXT = "data:text/plain;base64,YQ=="

CHAT = {
    "model": "m",
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "file", "file": {"filename": "f", "file_data": TEXT}}],
        },
        {
            "role": "assistant",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "b"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
    "logprobs": True,
    "top_logprobs": 2,
}
RESPONSES = {
    "model": "m",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "a"},
                {"type": "input_file", "filename": "f", "file_data": TEXT},
            ],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "b"}]},
    ],
    "tools": [
        {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False},
        {"type": "namespace", "name": "n", "tools": [{"type": "custom", "name": "g"}]},
    ],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["message.output_text.logprobs"],
    "metadata": {"a": "b"},
}
ANTHROPIC = {
    "model": "m",
    "max_tokens": 2000,
    "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a"},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "q"}]}},
            ],
        },
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"a": 1}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "b"}]}],
        },
    ],
    "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}],
    "tool_choice": {"type": "auto"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": CLOSED}},
    "cache_control": {"type": "ephemeral"},
    "stop_sequences": ["x"],
}
GEMINI = {
    "contents": [
        {"role": "user", "parts": [{"text": "a"}, {"inlineData": {"mimeType": "text/plain", "data": "YQ=="}}]},
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"name": "f", "args": {"a": 1}, "id": "1"},
                    "thoughtSignature": "skip_thought_signature_validator",
                }
            ],
        },
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "id": "1", "response": {"output": "b"}}}]},
    ],
    "systemInstruction": {"parts": [{"text": "s"}]},
    "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "ARRAY", "items": {"type": "STRING"}}}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {"thinkingConfig": {"includeThoughts": True}, "stopSequences": ["x"], "temperature": 1},
}
BEDROCK = {
    "messages": [
        {
            "role": "user",
            "content": [{"text": "a"}, {"document": {"format": "txt", "name": "n", "source": {"bytes": "YQ=="}}}],
        },
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"json": {"a": 1}}]}}]},
    ],
    "system": [{"text": "s"}, {"cachePoint": {"type": "default"}}],
    "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}}}], "toolChoice": {"auto": {}}},
    "inferenceConfig": {"maxTokens": 5},
}


def message(body: dict[str, Any]) -> tuple[Ask, Stage]:
    headers = {"anthropic-version": "2023-06-01"}
    read = read_message(Request("POST", "/v1/messages", {}, headers, json.dumps(body).encode()))
    return read.ask, MessageStage(read, tells_usage=True)


def generation(body: dict[str, Any]) -> tuple[Ask, Stage]:
    read = read_generation(body, "m", stream=True, is_sealed=True)
    return read.ask, GenerationStage(read, is_array=False, tells_usage=True)


def response(body: dict[str, Any]) -> tuple[Ask, Stage]:
    store = Store()
    read = read_wanted(body, store)
    return read.ask, ResponseStage(read, store)


def converse(body: dict[str, Any]) -> tuple[Ask, Stage]:
    ask = read_converse(body, "m", stream=True)
    return ask, ConverseStage(ask)


def completion(body: dict[str, Any]) -> tuple[Ask, Stage | None]:
    return read_ask(body), None


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value but its root."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield (*path, key)
        yield from paths(item, (*path, key))


def changed(value: Any, path: tuple[Any, ...], *odd: Any) -> Any:
    """A copy with something odd at a place, or without the place."""
    made = copy.deepcopy(value)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    if odd:
        inner[path[-1]] = odd[0]
    else:
        del inner[path[-1]]
    return made


def answered(read: Callable[[dict[str, Any]], tuple[Ask, Stage | None]], body: dict[str, Any]) -> bool:
    """Whether it was answered; a refusal is as good."""
    try:
        ask, stage = read(body)
        for piece in rules.answer(ask, script=plan(ask)):
            if stage:
                stage.feed(0, piece)
    except Refusal:
        return False
    return True


@pytest.mark.parametrize(
    ("read", "body"),
    [(completion, CHAT), (response, RESPONSES), (message, ANTHROPIC), (generation, GEMINI), (converse, BEDROCK)],
)
def test_odd_values_are_refused_or_answered(
    read: Callable[[dict[str, Any]], tuple[Ask, Stage | None]], body: dict[str, Any]
) -> None:
    """Nothing that stands in a request makes the sandbox fail; what is odd is mostly refused."""
    bodies = [changed(body, path, *odd) for path in paths(body) for odd in [*([one] for one in ODD), []]]
    fine = sum(answered(read, one) for one in bodies)

    assert answered(read, body)
    assert 0 < fine < len(bodies) / 2
