"""Reads the body of `/model/{id}/converse` and `/converse-stream`.

Source: AWS, *Converse*, *ContentBlock*, *ToolConfiguration*, read 2026-11-22; errors as AWS words them.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from yibu.sandbox.ask import Ask, Call, Choice, Media, Schema, Tool, Turn, fingerprint_of
from yibu.sandbox.bedrock.words import BedrockWords, wrong
from yibu.sandbox.members import Members
from yibu.sandbox.seal import unseal

SIGNED = "bedrock reasoning"
_MEMBERS = """messages system inferenceConfig toolConfig additionalModelRequestFields additionalModelResponseFieldPaths
    guardrailConfig performanceConfig promptVariables requestMetadata serviceTier outputConfig"""
_BLOCKS = "text image document video toolUse toolResult reasoningContent cachePoint guardContent citationsContent searchResult audio"
_KINDS: dict[str, Literal["picture", "document", "video", "audio"]] = {
    "image": "picture",
    "document": "document",
    "video": "video",
    "audio": "audio",
}
_FORMATS = {
    "image": ("png", "jpeg", "gif", "webp"),
    "document": ("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"),
    "video": ("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"),
    "audio": ("mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv"),
}
_MIMES = {"pdf": "application/pdf", "txt": "text/plain", "md": "text/plain", "csv": "text/csv", "html": "text/html"}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TITLE = re.compile(r"[A-Za-z0-9\-()\[\]]+(?: [A-Za-z0-9\-()\[\]]+)*")


@dataclass(slots=True)
class _Content:
    turns: list[Turn]
    texts: list[str]
    media: list[Media]
    calls: list[Call]
    thoughts: list[str]
    mark: str = ""


def read_converse(body: dict[str, Any], model: str, *, stream: bool) -> Ask:
    """The request. Raises `Refusal` 400."""
    wire = Members(body, words=BedrockWords())
    wire.only(_MEMBERS.split())
    config = _section(wire, "inferenceConfig")
    config.only(("maxTokens", "temperature", "topP", "stopSequences"))
    tools, choice = _tools(wire)
    turns = _turns(wire)
    if not wire.has("toolConfig") and any(turn.calls or turn.role == "tool" for turn in turns):
        raise wrong("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    more = _section(wire, "additionalModelRequestFields")
    thinks = more.has("thinking") and more.object("thinking").text("type") in ("enabled", "adaptive")
    return Ask(
        model=model,
        turns=(*_system(wire), *turns),
        fingerprint=fingerprint_of({"model": model} | body),
        tools=tools,
        choice=choice,
        format=_format(wire),
        thinks=thinks,
        limit=config.integer("maxTokens", 1, 1 << 30),
        stops=config.texts("stopSequences"),
        temperature=config.number("temperature", 0, 1),
        top_p=config.number("topP", 0, 1),
        stream=stream,
    )


def _section(wire: Members, name: str) -> Members:
    return wire.object(name) if wire.has(name) else Members({}, name, wire.words)


def _system(wire: Members) -> tuple[Turn, ...]:
    texts: list[str] = []
    mark = ""
    for block in wire.objects("system"):
        if block.has("cachePoint"):
            mark = _mark(block)
        else:
            texts.append(block.text("text"))
    return (Turn("system", "\n".join(texts), mark=mark),) if texts else ()


def _mark(block: Members) -> str:
    point = block.object("cachePoint")
    point.choice("type", ("default",))
    return point.choice("ttl", ("5m", "1h"), "5m")


def _tools(wire: Members) -> tuple[tuple[Tool, ...], Choice]:
    if not wire.has("toolConfig"):
        return (), "none"
    config = wire.object("toolConfig")
    tools: list[Tool] = []
    for item in config.objects("tools"):
        if item.has("cachePoint") and tools:
            last = tools[-1]
            tools[-1] = Tool(last.name, last.description, last.schema, _mark(item))
        elif item.has("toolSpec"):
            spec = item.object("toolSpec")
            name = spec.text("name")
            if not _NAME.fullmatch(name):
                raise wrong(
                    f"1 validation error detected: Value '{name}' at '{spec.at('name')}' failed to satisfy constraint: "
                    "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"
                )
            if spec.has("description") and not spec.text("description"):
                raise wrong(f"{spec.at('description')}: Member must have length greater than or equal to 1")
            tools.append(Tool(name, spec.text("description", ""), spec.object("inputSchema").object("json").value))
    if not tools and not any(item.has("systemTool") for item in config.objects("tools")):
        raise wrong("The provided request is not valid: toolConfig.tools must have at least one tool.")
    choice = _section(config, "toolChoice")
    if choice.has("any"):
        return tuple(tools), "required"
    if choice.has("tool"):
        name = choice.object("tool").text("name")
        named = tuple(tool for tool in tools if tool.name == name)
        if not named:
            raise wrong(f"The tool {name} in toolChoice is not one of toolConfig.tools.")
        return named, "required"
    return tuple(tools), "auto"


def _format(wire: Members) -> Schema | None:
    if not wire.has("outputConfig"):
        return None
    form = wire.object("outputConfig").object("textFormat")
    form.choice("type", ("json_schema",))
    inner = form.object("structure").object("jsonSchema")
    try:
        schema = msgspec.json.decode(inner.text("schema"))
    except msgspec.DecodeError as exc:
        raise wrong("outputConfig.textFormat.structure.jsonSchema.schema is not JSON.") from exc
    return schema if isinstance(schema, dict) else {}


def _turns(wire: Members) -> tuple[Turn, ...]:
    messages = list(wire.objects("messages"))
    if not messages:
        raise wire.words.missing("messages")
    turns: list[Turn] = []
    asked: list[str] = []
    before = ""
    for number, message in enumerate(messages):
        message.only(("role", "content"))
        role = message.choice("role", ("user", "assistant"))
        if number == 0 and role != "user":
            raise wrong(
                "A conversation must start with a user message. Try again with a conversation that starts with a user message."
            )
        if role == before:
            raise wrong(
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
                "between user and assistant roles and try again."
            )
        content = _content(message, role)
        answered = [turn.answers for turn in content.turns]
        if missed := [one for one in asked if one not in answered]:
            raise wrong(
                f"Expected toolResult blocks at messages.{number}.content for the following Ids: {', '.join(missed)}"
            )
        if len(answered) > len(asked) or set(answered) - set(asked):
            raise wrong(
                f"The number of toolResult blocks at messages.{number}.content exceeds the number of toolUse blocks of "
                "previous turn."
            )
        turns += _as_turns(role, content)
        asked, before = [call.id for call in content.calls], role
    if asked:
        raise wrong(
            f"Expected toolResult blocks at messages.{len(messages)}.content for the following Ids: {', '.join(asked)}"
        )
    return tuple(turns)


def _as_turns(role: str, content: _Content) -> list[Turn]:
    text = "\n".join(content.texts)
    if role == "assistant":
        thoughts = "\n".join(content.thoughts)
        return [Turn("assistant", text, calls=tuple(content.calls), thoughts=thoughts, mark=content.mark)]
    if text or content.media or not content.turns:
        return [*content.turns, Turn("user", text, tuple(content.media), mark=content.mark)]
    return content.turns


def _content(message: Members, role: str) -> _Content:
    content = _Content([], [], [], [], [])
    blocks = list(message.objects("content"))
    if not blocks:
        said = f"The content field in the Message object at {message.path} is empty."
        raise wrong(f"{said} Add a ContentBlock object to the content field and try again.")
    for block in blocks:
        block.only(_BLOCKS.split())
        if len(block.value) != 1:
            raise wrong(
                f"The ContentBlock object at {block.path} must set one of the following keys: {', '.join(_BLOCKS.split())}."
            )
        (kind,) = block.value
        match kind:
            case "text":
                text = block.text("text")
                if not text:
                    raise wrong(
                        f"The text field in the ContentBlock object at {block.path} is blank. Add text to the text field, and try again."
                    )
                content.texts.append(text)
            case "image" | "document" | "video" | "audio":
                content.media.append(_media(block.object(kind), kind))
            case "toolUse" if role == "assistant":
                use = block.object("toolUse")
                given = msgspec.json.encode(use.object("input").value).decode()
                content.calls.append(Call(use.text("toolUseId", longest=64), use.text("name"), given))
            case "toolResult" if role == "user":
                content.turns.append(_result(block.object("toolResult")))
            case "reasoningContent" if role == "assistant":
                content.thoughts.append(_thought(block))
            case "cachePoint":
                content.mark = _mark(block)
            case _:
                raise block.words.unknown(block.path, kind)
    return content


def _result(result: Members) -> Turn:
    result.only(("toolUseId", "content", "status", "type"))
    texts: list[str] = []
    media: list[Media] = []
    for part in result.objects("content"):
        part.only(("text", "json", "image", "document", "video", "searchResult"))
        for kind in part.value:
            if kind == "text":
                texts.append(part.text("text"))
            elif kind == "json":
                texts.append(msgspec.json.encode(part.value["json"]).decode())
            elif kind in _KINDS:
                media.append(_media(part.object(kind), kind))
    failed = result.choice("status", ("success", "error"), "success") == "error"
    return Turn("tool", "\n".join(texts), tuple(media), answers=result.text("toolUseId"), failed=failed)


def _thought(block: Members) -> str:
    inner = block.object("reasoningContent")
    if inner.has("redactedContent"):
        return ""
    reasoning = inner.object("reasoningText")
    told = unseal(SIGNED, reasoning.text("signature", ""))
    if told is None or told != reasoning.text("text"):
        raise wrong(f"The model returned the following errors: {block.path}: Invalid `signature` in `thinking` block")
    return told


def _media(wire: Members, kind: str) -> Media:
    form = wire.choice("format", _FORMATS[kind])
    name = wire.text("name") if kind == "document" else ""
    if name and not _TITLE.fullmatch(name):
        raise wrong(
            "The file name provided contains invalid characters. File names can contain only alphanumeric characters, "
            "single whitespace characters, hyphens, parentheses, and square brackets."
        )
    source = wire.object("source")
    if source.has("s3Location"):
        return Media(_KINDS[kind], source.object("s3Location").text("uri"), name)
    data = source.text("bytes")
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise wrong(f"{source.at('bytes')} is not base64.") from exc
    mime = _MIMES.get(form, f"{'application' if kind == 'document' else kind}/{form}")
    return Media(_KINDS[kind], f"data:{mime};base64,{data}", name)
