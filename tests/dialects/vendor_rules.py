"""What vendors refuse in a request, checked without any of the gateway's own code.

Sources: the error answers and pages of OpenAI, Anthropic and Google, read 2026-11-22. Each function yields what is wrong.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.dialects.google_rules import gemini

_OPENAI_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ANTHROPIC_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_ANTHROPIC_ID = re.compile(r"[a-zA-Z0-9_-]+")
_MOST_ID = 64

Found = Iterator[str]


def openai_chat(body: Any) -> Found:
    yield from _openai_tools([tool.get(tool["type"], {}) for tool in body.get("tools") or ()], body)
    open_calls: list[str] = []
    seen: set[str] = set()
    for number, message in enumerate(body["messages"]):
        where, role = f"messages[{number}]", message["role"]
        if role not in ("system", "developer", "user", "assistant", "tool"):
            yield f"{where}: role {role}"
        if role == "tool":
            if message["tool_call_id"] not in open_calls:
                yield f"{where}: a result without a call directly before it"
            else:
                open_calls.remove(message["tool_call_id"])
            if isinstance(message["content"], list) and any(part["type"] != "text" for part in message["content"]):
                yield f"{where}: a result that is not text"
            continue
        if open_calls:
            yield f"{where}: calls without results"
            open_calls = []
        content = message.get("content")
        if role == "assistant":
            calls = message.get("tool_calls") or []
            if not content and not calls and not message.get("refusal") and content != "" and not message.get("audio"):
                yield f"{where}: an assistant who says nothing"
            for call in calls:
                inner = call[call["type"]]
                yield from _call(where, call["id"], inner["name"], seen, _OPENAI_NAME)
                open_calls.append(call["id"])
                if call["type"] == "function":
                    yield from _arguments(where, inner["arguments"])
            if isinstance(content, list) and any(part["type"] not in ("text", "refusal") for part in content):
                yield f"{where}: an assistant who shows {[part['type'] for part in content]}"
        elif content is None:
            yield f"{where}: no content"
        if isinstance(content, list) and not content:
            yield f"{where}: an empty list"
        for part in content if isinstance(content, list) else ():
            if part["type"] not in ("text", "image_url", "input_audio", "file", "refusal", "video_url"):
                yield f"{where}: a part of type {part['type']}"
            if part["type"] == "input_audio" and part["input_audio"].get("format") not in ("wav", "mp3"):
                yield f"{where}: sound as {part['input_audio'].get('format')}"
            if part["type"] == "file" and not str(part["file"].get("file_data", "data:")).startswith("data:"):
                yield f"{where}: a file that is no data URL"
    if open_calls:
        yield "calls without results at the end"


def _openai_tools(functions: list[Any], body: Any) -> Found:
    names = [function.get("name") for function in functions]
    for name in names:
        if not _OPENAI_NAME.fullmatch(name or ""):
            yield f"tools: the name {name!r}"
    if len(set(names)) < len(names):
        yield "tools: a name twice"
    for function in functions:
        schema = function.get("parameters")
        if schema is not None and (not isinstance(schema, dict) or (schema and schema.get("type") != "object")):
            yield f"tools: parameters of {function['name']} are no object: {schema.get('type')}"
    if body.get("tool_choice") is not None and not body.get("tools"):
        yield "tool_choice without tools"
    if body.get("parallel_tool_calls") is not None and not body.get("tools"):
        yield "parallel_tool_calls without tools"
    for key, most in (("stop", 4), ("metadata", 16)):
        if len(body.get(key) or ()) > most and not isinstance(body[key], str):
            yield f"{key}: more than {most}"


def _call(where: str, id: str, name: str, seen: set[str], legal: re.Pattern[str]) -> Found:
    if not 0 < len(id) <= _MOST_ID:
        yield f"{where}: an id of {len(id)} characters"
    if id in seen:
        yield f"{where}: the id {id} twice"
    seen.add(id)
    if not legal.fullmatch(name):
        yield f"{where}: a call of {name!r}"


def _arguments(where: str, text: str) -> Found:
    try:
        if not isinstance(json.loads(text), dict):
            yield f"{where}: arguments that are no object"
    except ValueError:
        yield f"{where}: arguments {text!r}"


def openai_responses(body: Any) -> Found:
    functions = [tool for tool in body.get("tools") or () if tool["type"] in ("function", "custom")]
    yield from _openai_tools(functions, body)
    for tool in functions:
        if tool["type"] == "function" and not isinstance(tool.get("strict"), bool):
            yield f"tools: {tool['name']} without strict"
    items = body.get("input")
    if items in (None, []):
        yield "no input"
    calls: dict[str, str] = {}
    seen: set[str] = set()
    for number, item in enumerate(items or ()):
        where, kind = f"input[{number}]", item.get("type", "message")
        if kind == "message":
            yield from _message_item(where, item)
        elif kind in ("function_call", "custom_tool_call"):
            yield from _call(where, item["call_id"], item["name"], seen, _OPENAI_NAME)
            calls[item["call_id"]] = kind
            if kind == "function_call":
                yield from _arguments(where, item["arguments"])
            if not item.get("id", "fc_").startswith(("fc_", "ctc_")):
                yield f"{where}: the id {item['id']}"
        elif kind in ("function_call_output", "custom_tool_call_output"):
            made = calls.pop(item["call_id"], None)
            if made is None or not kind.startswith(made):
                yield f"{where}: {kind} for {made}"
            yield from _content_parts(where, item["output"], ("input_text", "input_image", "input_file"))
        elif kind == "reasoning":
            if "encrypted_content" not in item:
                yield f"{where}: thoughts that nobody can verify"
        else:
            yield f"{where}: an item of type {kind}"
    for id in calls:
        yield f"the call {id} has no result"
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema" and not _OPENAI_NAME.fullmatch(form.get("name", "")):
        yield f"text.format: the name {form.get('name')!r}"


def _message_item(where: str, item: Any) -> Found:
    role = item["role"]
    if role not in ("system", "developer", "user", "assistant"):
        yield f"{where}: role {role}"
    types = ("output_text", "refusal") if role == "assistant" else ("input_text", "input_image", "input_file")
    yield from _content_parts(where, item["content"], types)


def _content_parts(where: str, content: Any, types: tuple[str, ...]) -> Found:
    if isinstance(content, str):
        return
    if not content:
        yield f"{where}: an empty list"
    for part in content:
        if part["type"] not in types:
            yield f"{where}: a part of type {part['type']}"


def anthropic(body: Any) -> Found:
    if not body.get("max_tokens"):
        yield "no max_tokens"
    tools = body.get("tools") or []
    names = [tool["name"] for tool in tools]
    if len(set(names)) < len(names):
        yield "tools: a name twice"
    for tool in tools:
        if not _ANTHROPIC_NAME.fullmatch(tool["name"]):
            yield f"tools: the name {tool['name']!r}"
        if "input_schema" in tool:
            schema = tool["input_schema"]
            if schema.get("type") != "object" or schema.keys() & {"anyOf", "oneOf", "allOf"}:
                yield f"tools: the schema of {tool['name']}"
        elif "type" not in tool:
            yield f"tools: {tool['name']} without a schema"
    choice = body.get("tool_choice")
    if choice is not None and not tools:
        yield "tool_choice without tools"
    if choice and choice["type"] == "tool" and choice["name"] not in names:
        yield f"tool_choice: {choice['name']}"
    yield from _thinking(body)
    if body.get("temperature") is not None and body.get("top_p") is not None:
        yield "temperature and top_p"
    if not 0 <= (body.get("temperature") or 0) <= 1:
        yield "temperature"
    if any(not stop.strip() for stop in body.get("stop_sequences") or ()):
        yield "a blank stop"
    if body.get("system") is not None:
        yield from _blocks("system", body["system"], {"text"})
    yield from _anthropic_messages(body)
    if json.dumps(body).count('"cache_control"') > 4:
        yield "more than four cache marks"


def _thinking(body: Any) -> Found:
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "enabled":
        if not 1024 <= thinking["budget_tokens"] < body["max_tokens"]:
            yield f"budget {thinking['budget_tokens']} of {body['max_tokens']}"
        if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
            yield "a forced call while thinking"
        if body.get("temperature") not in (None, 1, 1.0):
            yield "a temperature while thinking"


def _anthropic_messages(body: Any) -> Found:
    messages = body["messages"]
    if not messages or messages[0]["role"] != "user":
        yield "messages do not begin with the user"
    waiting: list[str] = []
    seen: set[str] = set()
    before = ""
    for number, message in enumerate(messages):
        where, role, content = f"messages[{number}]", message["role"], message["content"]
        if role == before:
            yield f"{where}: {role} twice"
        before = role
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        takes = {"text", "image", "document", "tool_result"} if role == "user" else {"text", "thinking", "tool_use"}
        yield from _blocks(where, content, takes | {"redacted_thinking"} if role == "assistant" else takes)
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if sorted(results) != sorted(waiting):
            yield f"{where}: results {results} for calls {waiting}"
        kinds = [block["type"] == "tool_result" for block in blocks]
        if kinds != sorted(kinds, reverse=True):
            yield f"{where}: something before the results"
        waiting = []
        for block in blocks:
            if block["type"] == "tool_use":
                waiting.append(block["id"])
                yield from _call(where, block["id"], block["name"], seen, _ANTHROPIC_NAME)
                if not _ANTHROPIC_ID.fullmatch(block["id"]):
                    yield f"{where}: the id {block['id']!r}"
                if not isinstance(block["input"], dict):
                    yield f"{where}: an input that is no object"
    if waiting:
        yield "calls without results at the end"
    last = messages[-1]
    said = last["content"] if isinstance(last["content"], str) else last["content"][-1].get("text", "")
    if last["role"] == "assistant" and said != said.rstrip():
        yield "white space at the end of what the assistant begins with"


def _blocks(where: str, content: Any, takes: set[str]) -> Found:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not blocks:
        yield f"{where}: no blocks"
    for block in blocks:
        if block["type"] not in takes:
            yield f"{where}: a block of type {block['type']}"
        if block["type"] == "text" and not block["text"].strip():
            yield f"{where}: an empty text"
        if block["type"] == "thinking" and not block.get("signature"):
            yield f"{where}: thoughts without a signature"
        if block["type"] == "tool_result" and isinstance(block.get("content"), list):
            yield from _blocks(where, block["content"], {"text", "image", "document"})


RULES: dict[str, Callable[[Any], Found]] = {
    "openai_chat": openai_chat,
    "openai_responses": openai_responses,
    "anthropic": anthropic,
    "gemini": gemini,
}


def broken(id: str, body: Any) -> list[str]:
    """What the vendor of a format would refuse."""
    return list(RULES[id](body))
