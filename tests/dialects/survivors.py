"""What a request says, told without any format, so that two requests in two formats can be compared."""

import base64
import hashlib
import json
import re
from collections import Counter
from typing import Any

from yibu.hub.chat import ChatRequest
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.options import JsonObject, JsonSchema
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only, ToolChoice

Fact = tuple[Any, ...]
Facts = Counter[Fact]


def facts(request: ChatRequest) -> Facts:
    """Everything of a request that changes what a model would answer."""
    found: Facts = Counter()
    calls: dict[str, tuple[str, str]] = {}
    for turn in request.turns:
        for part in turn.parts:
            if isinstance(part, ToolCall):
                calls[part.id] = (part.name, _value(part.arguments))
            for fact in _part_facts(part, turn.role, calls):
                found[fact] += 1
    for tool in request.tools:
        match tool:
            case Function():
                found["tool", tool.name, tool.description, _schema(tool.parameters)] += 1
            case Hosted():
                found["hosted", tool.kind] += 1
    if request.tool_choice is not None and not isinstance(request.tool_choice, Auto):
        found["choice", _choice(request.tool_choice)] += 1
    match request.output:
        case JsonObject():
            found["output", "object"] += 1
        case JsonSchema():
            found["output", _schema(request.output.schema)] += 1
        case _:
            pass
    if request.limits.max_output_tokens is not None:
        found["ceiling", request.limits.max_output_tokens] += 1
    if request.limits.choices not in (None, 1):
        found["choices", request.limits.choices] += 1
    if request.reasoning.effort or request.reasoning.budget_tokens:
        found["reasoning", request.reasoning.effort, request.reasoning.budget_tokens] += 1
    if request.parallel_tools is False:
        found["parallel", False] += 1
    for name in ("temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty", "seed", "logprobs"):
        if (value := getattr(request.sampling, name)) is not None:
            found[name, value] += 1
    for stop in request.sampling.stop:
        found["stop", stop] += 1
    if request.stream.on:
        found["stream", True] += 1
    return found


def _part_facts(part: Part, role: str, calls: dict[str, tuple[str, str]]) -> list[Fact]:
    match part:
        case Text():
            side = {"developer": "system", "assistant": "assistant"}.get(role, role)
            return [("text", side, part.text.strip())] if part.text.strip() else []
        case Refusal():
            return [("text", role, part.text)]
        case Media():
            return [("media", *_media(part))]
        case Thinking():
            return [("thinking", part.text)] if part.text else []
        case ToolCall():
            return [("call", part.name, _value(part.arguments))]
        case ToolResult():
            words = "".join(one.text for one in part.parts if isinstance(one, Text)).strip()
            shown: list[Fact] = [("media", *_media(one)) for one in part.parts if isinstance(one, Media)]
            opaque: list[Fact] = [("opaque", one.dialect) for one in part.parts if isinstance(one, Opaque)]
            return [("result", calls.get(part.call_id, ("?", ""))[0], _value(words)), *shown, *opaque]
        case Citation():
            return [("citation", part.url)]
        case Opaque():
            return [("opaque", part.dialect, part.member)]


def _media(part: Media) -> tuple[str, str]:
    match part.source:
        case Inline(base64=data):
            text = "".join(data.split()).replace("-", "+").replace("_", "/")
            content = base64.b64decode(text + "=" * (-len(text) % 4))
            return part.kind, hashlib.sha256(content).hexdigest()[:12]
        case Url(url=url):
            return part.kind, url
        case FileRef(id=id):
            return part.kind, id


def _value(text: str) -> str:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return text
    if isinstance(value, dict) and value.keys() in ({"output"}, {"result"}):
        inner = next(iter(value.values()))
        return inner.strip() if isinstance(inner, str) else json.dumps(inner, sort_keys=True)
    return json.dumps(value, sort_keys=True)


def _schema(schema: Any) -> str:
    """What it asks for; an object without members says as much as no schema."""
    value = None if schema is None else json.loads(bytes(schema))
    if isinstance(value, dict):
        value = {key: one for key, one in value.items() if key not in ("$schema", "$id")}
        if (
            value.get("type") == "object"
            and not value.get("properties")
            and not (value.keys() & {"anyOf", "additionalProperties"})
        ):
            value = None
    return json.dumps(value, sort_keys=True)


def _choice(choice: ToolChoice) -> str:
    match choice:
        case AnyTool():
            return "any"
        case NoTool():
            return "none"
        case Only():
            return f"{'must' if choice.required else 'may'} {sorted(choice.names)}"
        case _:
            return "auto"


_NAMED_BY = {
    "thinking": r"turns|messages",
    "opaque": r"turns|messages|system",
    "citation": r"turns|messages",
    **dict.fromkeys(("text", "call", "result", "media"), r"(?!)"),
    "hosted": r"tools",
    "tool": r"tools|tool_choice",
    "choice": r"tools|tool_choice",
    "parallel": r"parallel|tools",
    "output": r"response_format|text|output",
    "reasoning": r"reasoning|thinking",
}
"""What the path of a loss has in it that stands for a fact of each kind: the four that are the conversation itself may not
be lost; kinds that are not here have their own name in it."""


def vanished(asked: ChatRequest, told: ChatRequest, losses: Losses) -> list[Fact]:
    """What is neither in the translation nor among the losses."""
    before, after = facts(asked), facts(told)
    said = _bare(" ".join(str(value) for fact in after for value in fact if fact[0] in ("text", "result", "thinking")))
    paths = [loss.where for loss in losses]
    gone: list[Fact] = []
    for fact in before - after:
        if _is_there(fact, after, said, asked):
            continue
        if any(re.search(_NAMED_BY.get(fact[0], fact[0]), path) for path in paths):
            continue
        gone.append(fact)
    return gone


def _is_there(fact: Fact, after: Facts, said: str, asked: ChatRequest) -> bool:
    """In other words: what does no harm."""
    kind, value = fact[0], fact[-1]
    match kind:
        case "text" | "thinking" | "result":
            return value == "{}" or _bare(value) in said
        case "media":
            return any(other[0] == "media" and other[-1] == value for other in after)
        case "tool":
            others = [other for other in after if other[0] == "tool" and other[1:3] == fact[1:3]]
            return any(_outline(other[-1]) == _outline(value) for other in others)
        case "output":
            return any(other[0] == "output" and _outline(other[-1]) == _outline(value) for other in after)
        case "choice":
            everything = sorted(tool.name for tool in asked.tools if isinstance(tool, Function))
            return ("choice", "any") in after and value == f"must {everything}"
        case "reasoning":
            return fact[1:] == ("none", None) or any(other[0] == "reasoning" for other in after)
        case "ceiling":
            return any(other[0] == "ceiling" and other[1] >= value for other in after)
        case "temperature" | "top_p":
            return bool(value == 1)
        case "logprobs":
            return value is False
        case "stream":
            return asked.stream.on
        case _:
            return False


def _bare(text: str) -> str:
    """Without what writers of JSON and joiners of texts may change."""
    return re.sub(r'[\s\\"]', "", text)


def _outline(schema: str) -> Any:
    """The names in it and what has to be there."""
    whole = json.loads(schema) if schema != "object" else {}
    return _names(whole, whole, 0)


def _names(schema: Any, whole: Any, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > 6:
        return None
    found: Any = schema
    for step in schema.get("$ref", "#").split("/")[1:]:
        found = found.get(step, {}) if found is not schema else whole.get(step, {})
    properties = {name: _names(inner, whole, depth + 1) for name, inner in (found.get("properties") or {}).items()}
    items = _names(found.get("items"), whole, depth + 1)
    return (
        {"names": properties, "items": items, "required": sorted(found.get("required") or ())}
        if properties or items
        else None
    )
