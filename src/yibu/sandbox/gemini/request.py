"""Reads the body of `:generateContent`, `:streamGenerateContent` and `:countTokens` as strictly as Google does.

Source: Google, *generateContent*, *GenerationConfig*, *Thinking*, read 2026-11-22.
"""

import re
from dataclasses import dataclass
from typing import Any

from yibu.sandbox.ask import Ask, Choice, Schema, Tool, Turn, fingerprint_of
from yibu.sandbox.gemini.messages import each, inner, message
from yibu.sandbox.gemini.parts import read_parts
from yibu.sandbox.gemini.schemas import read_json_schema, read_schema
from yibu.sandbox.gemini.turns import read_turns
from yibu.sandbox.gemini.words import wrong
from yibu.sandbox.members import Members

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_MODES = ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
_LEVELS = {"MINIMAL": "minimal", "LOW": "low", "MEDIUM": "medium", "HIGH": "high", "XHIGH": "xhigh"}
_MIMES = ("text/plain", "application/json", "text/x.enum")
_HARMS = "HARASSMENT HATE_SPEECH SEXUALLY_EXPLICIT DANGEROUS_CONTENT CIVIC_INTEGRITY JAILBREAK UNSPECIFIED"
_CATEGORIES = tuple(f"HARM_CATEGORY_{name}" for name in _HARMS.split())
_THRESHOLDS = (
    "BLOCK_LOW_AND_ABOVE",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_NONE",
    "OFF",
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
)


@dataclass(frozen=True, slots=True)
class Generation:
    """`shows`: thoughts are told. `is_sealed`: calls carry ids and signatures, as Gemini 3's do."""

    ask: Ask
    shows: bool
    is_sealed: bool


def read_generation(body: dict[str, Any], model: str, *, stream: bool, is_sealed: bool) -> Generation:
    """Read a request. Raises `Refusal` 400 in Google's words."""
    wire = message(body, "GenerateContentRequest")
    turns = read_turns(wire, is_sealed=is_sealed)
    tools, hosted = _tools(wire)
    if tools and hosted and not is_sealed:
        raise wrong(f"Built-in tools ({{{hosted}}}) and Function Calling cannot be combined in the same request.")
    choice, tools = _choice(wire, tools)
    for setting in each(wire, "safetySettings", "SafetySetting"):
        setting.choice("category", _CATEGORIES)
        setting.choice("threshold", _THRESHOLDS)
    config = inner(wire, "generationConfig", "GenerationConfig")
    form = _format(config)
    if form is not None and tools and not is_sealed:
        raise wrong("Function calling with a response mime type: 'application/json' is unsupported")
    thinking = inner(config, "thinkingConfig", "ThinkingConfig")
    for name in ("presencePenalty", "frequencyPenalty"):
        config.number(name, -2.0, 2.0)
    config.number("topK", 1.0, 1000.0)
    ask = Ask(
        model=model,
        turns=(*_system(wire), *turns),
        fingerprint=fingerprint_of({"model": model} | body),
        tools=tools,
        choice=choice,
        format=form,
        effort=_effort(thinking, is_sealed=is_sealed),
        thinks=False if thinking.value.get("thinkingBudget") == 0 else None,
        limit=config.integer("maxOutputTokens", 1, 1 << 30),
        stops=config.texts("stopSequences", most=5),
        temperature=config.number("temperature", 0.0, 2.0),
        top_p=config.number("topP", 0.0, 1.0),
        seed=config.integer("seed", -(1 << 31), (1 << 31) - 1),
        n=config.integer("candidateCount", 1, 8) or 1,
        stream=stream,
        logprobs=_logprobs(config),
        remembers=True,
    )
    return Generation(ask, thinking.flag("includeThoughts", False), is_sealed)


def _system(wire: Members) -> tuple[Turn, ...]:
    if not wire.has("systemInstruction"):
        return ()
    parts = read_parts(inner(wire, "systemInstruction", "Content"))
    if parts.media or parts.calls or parts.responses:
        raise wrong("systemInstruction must have text parts only.")
    return (Turn("system", "\n".join(parts.texts)),)


def _tools(wire: Members) -> tuple[tuple[Tool, ...], str]:
    """The functions, and the name of a tool that the vendor runs itself, if there is one."""
    tools: list[Tool] = []
    hosted = ""
    for item in each(wire, "tools", "Tool"):
        hosted = hosted or next((name for name in item.value if name != "functionDeclarations"), "")
        for one in each(item, "functionDeclarations", "FunctionDeclaration"):
            name = one.text("name")
            if not _NAME.fullmatch(name):
                raise one.wrong(
                    "name",
                    "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, "
                    "0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.",
                )
            if any(tool.name == name for tool in tools):
                raise wrong(f"Duplicate function declaration found: {name}")
            tools.append(Tool(name, one.text("description", ""), _parameters(one)))
    return tuple(tools), hosted


def _parameters(one: Members) -> Schema:
    if one.has("parameters") and one.has("parametersJsonSchema"):
        raise one.wrong("parameters", "parameters and parameters_json_schema are mutually exclusive.")
    if one.has("parametersJsonSchema"):
        return read_json_schema(one, "parametersJsonSchema")
    if one.has("parameters"):
        return read_schema(one.object("parameters"))
    return {"type": "object", "properties": {}}


def _choice(wire: Members, tools: tuple[Tool, ...]) -> tuple[Choice, tuple[Tool, ...]]:
    config = inner(inner(wire, "toolConfig", "ToolConfig"), "functionCallingConfig", "FunctionCallingConfig")
    mode = config.choice("mode", _MODES, "AUTO")
    names = config.texts("allowedFunctionNames")
    if names and mode not in ("ANY", "VALIDATED"):
        raise wrong("Allowed function names should only be set when function calling mode is ANY or VALIDATED.")
    if unknown := [name for name in names if all(tool.name != name for tool in tools)]:
        raise wrong(f"The allowed function name {unknown[0]} is not found in the function declarations.")
    narrowed = tuple(tool for tool in tools if tool.name in names) if names else tools
    if mode == "NONE" or not tools:
        return "none", tools
    return ("required" if mode == "ANY" else "auto"), narrowed


def _format(config: Members) -> Schema | None:
    mime = config.choice("responseMimeType", _MIMES, "text/plain")
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if config.has(name)]
    if len(schemas) > 1:
        raise wrong("Only one of response_schema and response_json_schema may be set.")
    if schemas and mime == "text/plain":
        raise config.wrong("responseSchema", "only allowed when response_mime_type is application/json or text/x.enum.")
    if extra := [name for name in config.texts("responseModalities") if name.upper() != "TEXT"]:
        raise wrong(f"Model does not support the requested response modalities: {extra[0].lower()}")
    if mime == "text/plain":
        return None
    if not schemas:
        return {}
    if schemas == ["responseSchema"]:
        return read_schema(config.object("responseSchema"))
    return read_json_schema(config, "responseJsonSchema")


def _effort(thinking: Members, *, is_sealed: bool) -> str | None:
    budget = thinking.integer("thinkingBudget", -1, 1 << 20)
    level = (
        thinking.choice("thinkingLevel", (*_LEVELS, "THINKING_LEVEL_UNSPECIFIED"), "")
        if thinking.has("thinkingLevel")
        else ""
    )
    if budget is not None and level:
        raise wrong("You can only set only one of thinking budget and thinking level.")
    if level and not is_sealed:
        raise wrong("Thinking level is not supported for this model.")
    if budget is not None:
        return "none" if budget == 0 else f"budget {budget}"
    if not level and thinking.flag("includeThoughts", False):
        return "dynamic"
    return _LEVELS.get(level)


def _logprobs(config: Members) -> int | None:
    most = config.integer("logprobs", 0, 20)
    if not config.flag("responseLogprobs", False):
        if most is not None:
            raise config.wrong("logprobs", "only allowed when response_logprobs is true.")
        return None
    return most or 0
