"""`POST /v1/chat/completions`: reads the body strictly into an `Ask`.

Strict on purpose: an unknown member is a 400 here as it is at OpenAI, so that a gateway that forwards too much is found.
Source: OpenAI, *Create chat completion*, read 2026-11-22.
"""

import re
from typing import Any

from yibu.sandbox.ask import Ask, Call, Choice, Media, Schema, Tool, Turn, fingerprint_of
from yibu.sandbox.members import Members
from yibu.sandbox.refusal import Refusal, missing, wrong_type, wrong_value

_MEMBERS = """
    model messages stream stream_options max_completion_tokens max_tokens temperature top_p n stop presence_penalty
    frequency_penalty logit_bias logprobs top_logprobs seed tools tool_choice parallel_tool_calls response_format
    reasoning_effort verbosity modalities audio prediction web_search_options store metadata service_tier
    prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier user moderation
"""
KNOWN = frozenset(_MEMBERS.split())
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read_ask(body: dict[str, Any]) -> Ask:
    """Read a chat request. Raises `Refusal` 400 naming the wrong member."""
    wire = Members(body)
    wire.only(KNOWN)
    model = wire.text("model")
    tools = tuple(_tool(item) for item in wire.objects("tools", most=128))
    choice, tools = _choice(wire, tools)
    if wire.has("parallel_tool_calls") and not wire.has("tools"):
        raise wrong_value("parallel_tool_calls", "'parallel_tool_calls' is only allowed when 'tools' are specified.")
    stream = wire.flag("stream", False)
    if wire.has("stream_options") and not stream:
        raise wrong_value("stream_options", "it is only allowed when 'stream' is true.")
    turns = _turns(wire)
    for name, least, most in (("presence_penalty", -2.0, 2.0), ("frequency_penalty", -2.0, 2.0)):
        wire.number(name, least, most)
    return Ask(
        model=model,
        turns=turns,
        tools=tools,
        choice=choice,
        parallel=wire.flag("parallel_tool_calls", True),
        format=_format(wire, turns),
        effort=wire.choice("reasoning_effort", EFFORTS) if wire.has("reasoning_effort") else None,
        limit=wire.integer("max_completion_tokens", 1, 1 << 30) or wire.integer("max_tokens", 1, 1 << 30),
        stops=_stops(body.get("stop")),
        temperature=wire.number("temperature", 0.0, 2.0),
        top_p=wire.number("top_p", 0.0, 1.0),
        seed=wire.integer("seed", -(1 << 63), (1 << 63) - 1),
        n=wire.integer("n", 1, 128) or 1,
        stream=stream,
        include_usage=wire.has("stream_options") and wire.object("stream_options").flag("include_usage", False),
        logprobs=_logprobs(wire),
        remembers=True,
        fingerprint=fingerprint_of(body),
    )


def _tool(wire: Members) -> Tool:
    kind = wire.choice("type", ("function", "custom"))
    inner = wire.object(kind)
    name = inner.text("name")
    if not _TOOL_NAME.fullmatch(name):
        raise wrong_value(inner.at("name"), f"'{name}' does not match '^[a-zA-Z0-9_-]{{1,64}}$'.")
    description = inner.text("description", "")
    if kind == "custom":
        return Tool(name, description, None)
    schema = inner.object("parameters").value if inner.has("parameters") else {"type": "object", "properties": {}}
    return Tool(name, description, schema)


def _choice(wire: Members, tools: tuple[Tool, ...]) -> tuple[Choice, tuple[Tool, ...]]:
    value = wire.value.get("tool_choice")
    if value is None:
        return ("auto" if tools else "none"), tools
    if not tools and value != "none":
        raise wrong_value("tool_choice", "'tool_choice' is only allowed when 'tools' are specified.")
    if isinstance(value, str):
        match wire.choice("tool_choice", ("none", "auto", "required")):
            case "none":
                return "none", tools
            case "required":
                return "required", tools
            case _:
                return "auto", tools
    choice = wire.object("tool_choice")
    kind = choice.choice("type", ("function", "custom", "allowed_tools"))
    inner = choice.object(kind)
    if kind != "allowed_tools":
        return "required", _named(inner, tools)
    allowed = tuple(
        tool for item in inner.objects("tools") for tool in _named(item.object(item.text("type", "function")), tools)
    )
    return ("required" if inner.choice("mode", ("auto", "required")) == "required" else "auto"), allowed


def _named(wire: Members, tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
    name = wire.text("name")
    found = tuple(tool for tool in tools if tool.name == name)
    if not found:
        raise wrong_value("tool_choice", f"Tool choice '{name}' not found in 'tools' parameter.")
    return found


def _format(wire: Members, turns: tuple[Turn, ...]) -> Schema | None:
    if not wire.has("response_format"):
        return None
    form = wire.object("response_format")
    match form.choice("type", ("text", "json_object", "json_schema")):
        case "text":
            return None
        case "json_object":
            if not any("json" in turn.text.lower() for turn in turns):
                raise Refusal(
                    400,
                    "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
                    "'json_object'.",
                    param="messages",
                )
            return {}
        case _:
            inner = form.object("json_schema")
            inner.text("name")
            return inner.object("schema").value


def _stops(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise wrong_type("stop", "a string or an array of strings", value)
    if len(stops) > 4:
        raise wrong_value("stop", "at most 4 strings are allowed.")
    return tuple(stop for stop in stops if stop)


def _turns(wire: Members) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    waiting: set[str] = set()  # ids of calls that the next messages must answer
    if not wire.has("messages"):
        raise missing("messages")
    for item in wire.objects("messages"):
        turn = _turn(item)
        if turn.role == "tool":
            if turn.answers not in waiting:
                raise wrong_value(
                    item.at("role"),
                    "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
                )
            waiting.discard(turn.answers)
        elif waiting:
            raise wrong_value(
                item.path,
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                f"'tool_call_id'. The following ids had no response: {', '.join(sorted(waiting))}",
            )
        waiting |= {call.id for call in turn.calls}
        turns.append(turn)
    if not turns:
        raise wrong_value("messages", "empty array. Expected an array with minimum length 1.")
    if waiting:
        raise wrong_value("messages", f"no tool message answers the calls {', '.join(sorted(waiting))}.")
    return tuple(turns)


def _turn(wire: Members) -> Turn:
    role = wire.choice("role", ("system", "developer", "user", "assistant", "tool"))
    match role:
        case "user":
            text, media = _content(wire, ("text", "image_url", "input_audio", "file"))
            return Turn("user", text, media)
        case "assistant":
            calls = tuple(_call(item) for item in wire.objects("tool_calls"))
            if not calls and not wire.has("content") and not wire.has("refusal"):
                raise missing(wire.at("content"))
            text, _ = _content(wire, ("text", "refusal")) if wire.has("content") else ("", ())
            return Turn("assistant", text, calls=calls, thoughts=wire.text("reasoning_content", ""))
        case "tool":
            text, _ = _content(wire, ("text",))
            return Turn("tool", text, answers=wire.text("tool_call_id"))
        case _:
            text, _ = _content(wire, ("text",))
            return Turn("system", text)


def _call(wire: Members) -> Call:
    kind = wire.choice("type", ("function", "custom"))
    inner = wire.object(kind)
    return Call(wire.text("id"), inner.text("name"), inner.text("arguments" if kind == "function" else "input"))


def _content(wire: Members, kinds: tuple[str, ...]) -> tuple[str, tuple[Media, ...]]:
    value = wire.value.get("content")
    if isinstance(value, str):
        return value, ()
    if value is None:
        raise missing(wire.at("content"))
    if not isinstance(value, list):
        raise wrong_type(wire.at("content"), "a string or an array of objects", value)
    texts: list[str] = []
    media: list[Media] = []
    for part in wire.objects("content"):
        match part.choice("type", kinds):
            case "text":
                texts.append(part.text("text"))
            case "refusal":
                texts.append(part.text("refusal"))
            case "input_audio":
                inner = part.object("input_audio")
                form = inner.choice("format", ("wav", "mp3"))
                media.append(Media("audio", f"data:audio/{form};base64,{inner.text('data')}"))
            case "file":
                media.append(_file(part.object("file")))
            case _:
                inner = part.object("image_url")
                inner.choice("detail", ("auto", "low", "high", "original"), "auto")
                media.append(Media("picture", inner.text("url")))
    return "\n".join(texts), tuple(media)


def _file(wire: Members) -> Media:
    if wire.has("file_id"):
        return Media("document", wire.text("file_id"))
    data = wire.text("file_data")
    name = wire.text("filename")
    if not data.startswith("data:"):
        raise wrong_value(wire.at("file_data"), "Expected a base64-encoded data URL with an allowed MIME type.")
    return Media("document", data, name)


def _logprobs(wire: Members) -> int | None:
    wanted = wire.flag("logprobs", False)
    most = wire.integer("top_logprobs", 0, 20)
    if most is not None and not wanted:
        raise wrong_value("top_logprobs", "'logprobs' must be true to use it.")
    return (most or 0) if wanted else None
