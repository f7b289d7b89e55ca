"""Reads the body of `POST /v1/responses` and `/v1/responses/input_tokens` as strictly as OpenAI does.

Source: OpenAI, *Create a model response*, *Structured outputs*, read 2026-11-22. `client_metadata` stands there in no page, but Codex
CLI 0.169 sends it.
"""

import re
from dataclasses import dataclass
from typing import Any

from yibu.sandbox.ask import Ask, Choice, Schema, Tool, Turn, fingerprint_of
from yibu.sandbox.completions_request import EFFORTS
from yibu.sandbox.members import Members
from yibu.sandbox.refusal import Refusal, wrong_value
from yibu.sandbox.responses.items import check_pairs, read_items, turns_of
from yibu.sandbox.responses.store import Item, Store
from yibu.sandbox.responses.words import ResponsesWords, check_strict, wrong_input

_COUNTED = """model input instructions tools tool_choice text reasoning conversation previous_response_id truncation
    parallel_tool_calls"""
_MEMBERS = f"""{_COUNTED} store background background_options stream stream_options include max_output_tokens max_tool_calls
    temperature top_p top_logprobs context_management metadata user safety_identifier service_tier prompt_cache_key
    prompt_cache_options prompt_cache_retention moderation prompt client_metadata"""
INCLUDES = (
    "web_search_call.action.sources",
    "web_search_call.results",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
)
_HOSTED = re.compile(
    r"web_search\w*|file_search|code_interpreter|image_generation|computer\w*|local_shell|shell|apply_patch|tool_search|mcp"
    r"|programmatic_tool_calling"
)
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`body`: as sent, for what is echoed. `input`: its items; `context`: those of earlier responses, and these."""

    ask: Ask
    body: dict[str, Any]
    input: list[Item]
    context: list[Item]
    stores: bool
    is_background: bool
    summarizes: bool
    encrypts: bool


def read_wanted(body: dict[str, Any], store: Store, *, counts_only: bool = False) -> Wanted:
    """Read a request. Raises `Refusal`."""
    wire = Members(body, words=ResponsesWords())
    wire.only((_COUNTED if counts_only else _MEMBERS).split())
    model = wire.text("model")
    if wire.has("conversation"):
        value = wire.value["conversation"]
        name = value if isinstance(value, str) else wire.object("conversation").text("id")
        raise Refusal(404, f"Conversation with id '{name}' not found.", param="conversation")
    items, turns = read_items(wire, store)
    before = _before(wire, store)
    if not items and not before:
        said = "One of 'input' or 'previous_response_id' or 'prompt' or 'conversation_id' must be provided."
        raise Refusal(400, said, code="missing_required_parameter", param="input")
    check_pairs([*before, *items])
    stores, is_background = wire.flag("store", True), wire.flag("background", False)
    if is_background and not stores:
        raise wrong_value("background", "Background mode requires 'store' to be true.")
    include = [_included(wire, number, name) for number, name in enumerate(wire.texts("include"))]
    tools = tuple(tool for item in wire.objects("tools", most=128) for tool in _tools(item))
    choice, narrowed = _choice(wire, tools)
    reasoning = wire.object("reasoning") if wire.has("reasoning") else Members({}, "reasoning", wire.words)
    reasoning.only(("effort", "summary", "generate_summary", "context", "mode"))
    summary = reasoning.choice("summary", ("auto", "concise", "detailed"), "") if reasoning.has("summary") else ""
    stream = wire.flag("stream", False)
    if wire.has("stream_options") and not stream:
        raise wrong_value("stream_options", "it is only allowed when 'stream' is true.")
    wire.choice("truncation", ("auto", "disabled"), "disabled")
    instructions = [Turn("system", wire.text("instructions"))] if wire.text("instructions", "") else []
    every = (*instructions, *turns_of(before, wire, store), *turns)
    ask = Ask(
        model=model,
        turns=every,
        fingerprint=fingerprint_of(body),
        tools=narrowed,
        choice=choice,
        parallel=wire.flag("parallel_tool_calls", True),
        format=_format(wire, every),
        effort=reasoning.choice("effort", EFFORTS) if reasoning.has("effort") else None,
        limit=wire.integer("max_output_tokens", 16, 1 << 30),
        temperature=wire.number("temperature", 0.0, 2.0),
        top_p=wire.number("top_p", 0.0, 1.0),
        stream=stream,
        logprobs=_logprobs(wire, include),
        remembers=True,
    )
    return Wanted(
        ask=ask,
        body=body,
        input=items,
        context=[*before, *items],
        stores=stores,
        is_background=is_background,
        summarizes=bool(summary),
        encrypts="reasoning.encrypted_content" in include,
    )


def _before(wire: Members, store: Store) -> list[Item]:
    if not wire.has("previous_response_id"):
        return []
    name = wire.text("previous_response_id")
    kept = store.get(name)
    if kept is None:
        said = f"Previous response with id '{name}' not found."
        raise Refusal(400, said, code="previous_response_not_found", param="previous_response_id")
    return [*kept.context, *kept.value["output"]]


def _included(wire: Members, number: int, name: str) -> str:
    if name not in INCLUDES:
        raise wire.words.wrong_choice(f"include[{number}]", name, INCLUDES)
    return name


def _tools(item: Members) -> list[Tool]:
    kind = item.text("type")
    if kind == "namespace":
        return [tool for one in item.objects("tools") for tool in _tools(one)]
    if _HOSTED.fullmatch(kind):
        return []
    item.choice("type", ("function", "custom"))
    name = item.text("name")
    if not _NAME.fullmatch(name):
        raise wrong_value(item.at("name"), "string does not match pattern. Expected '^[a-zA-Z0-9_-]+$'.")
    description = item.text("description", "")
    if kind == "custom":
        return [Tool(name, description, None)]
    if "parameters" not in item.value:
        raise item.words.missing(item.at("parameters"))
    schema = item.object("parameters").value if item.has("parameters") else {"type": "object", "properties": {}}
    if item.flag("strict", False):
        check_strict(f"function '{name}'", schema, item.at("parameters"))
    elif not item.has("strict"):
        schema = _made_strict(schema)
    return [Tool(name, description, schema)]


def _made_strict(schema: Schema) -> Schema:
    """Where `strict` is not set, the server tries strict mode, which demands all members: optional ones get filled too."""
    properties = schema.get("properties")
    return schema | {"required": list(properties)} if isinstance(properties, dict) else schema


def _choice(wire: Members, tools: tuple[Tool, ...]) -> tuple[Choice, tuple[Tool, ...]]:
    value = wire.value.get("tool_choice")
    if value is None or value == "auto":
        return ("auto" if tools else "none"), tools
    if value == "none":
        return "none", tools
    if isinstance(value, str):
        wire.choice("tool_choice", ("none", "auto", "required"))
        if not wire.has("tools"):
            raise wrong_value("tool_choice", "Tool choice 'required' must be specified with 'tools' parameter.")
        return ("required" if tools else "none"), tools
    choice = wire.object("tool_choice")
    kind = choice.text("type")
    if _HOSTED.fullmatch(kind):
        return "auto", tools
    choice.choice("type", ("function", "custom", "allowed_tools"))
    if kind != "allowed_tools":
        return "required", _named(choice, tools)
    allowed = tuple(tool for item in choice.objects("tools") if item.has("name") for tool in _named(item, tools))
    return ("required" if choice.choice("mode", ("auto", "required")) == "required" else "auto"), allowed


def _named(wire: Members, tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
    name = wire.text("name")
    found = tuple(tool for tool in tools if tool.name == name)
    if not found:
        raise Refusal(400, f"Tool choice 'function' not found in 'tools' parameter: {name}.", param="tool_choice")
    return found


def _format(wire: Members, turns: tuple[Turn, ...]) -> Schema | None:
    if not wire.has("text"):
        return None
    text = wire.object("text")
    text.only(("format", "verbosity"))
    text.choice("verbosity", ("low", "medium", "high"), "medium")
    if not text.has("format"):
        return None
    form = text.object("format")
    match form.choice("type", ("text", "json_object", "json_schema")):
        case "text":
            return None
        case "json_object":
            if not any("json" in turn.text.lower() for turn in turns):
                raise wrong_input(
                    "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
                    "'json_object'."
                )
            return {}
        case _:
            form.only(("type", "name", "schema", "strict", "description"))
            name = form.text("name")
            schema = form.object("schema").value
            if form.flag("strict", False):
                check_strict(f"response_format '{name}'", schema, form.at("schema"))
            return schema


def _logprobs(wire: Members, include: list[str]) -> int | None:
    most = wire.integer("top_logprobs", 0, 20) or 0
    return most if "message.output_text.logprobs" in include else None
