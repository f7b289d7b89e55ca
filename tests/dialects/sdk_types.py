"""Requests as the types of the vendors' own SDKs have them."""

from functools import cache
from typing import Any

import google.genai.types as genai
import openai.types.chat.completion_create_params as chat_params
import openai.types.responses.response_create_params as responses_params
from anthropic.types import message_create_params as message_params
from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

_REQUESTS: dict[str, tuple[Any, Any]] = {
    "openai_chat": (chat_params.CompletionCreateParamsNonStreaming, chat_params.CompletionCreateParamsStreaming),
    "openai_responses": (
        responses_params.ResponseCreateParamsNonStreaming,
        responses_params.ResponseCreateParamsStreaming,
    ),
    "anthropic": (message_params.MessageCreateParamsNonStreaming, message_params.MessageCreateParamsStreaming),
}


@cache
def _validator(id: str, is_stream: bool) -> SchemaValidator:
    schema = TypeAdapter(_REQUESTS[id][is_stream]).core_schema
    return SchemaValidator(_eager(schema))


def _eager(schema: Any) -> Any:
    """Lazy iterables become lists, so that what is in them is looked at."""
    if isinstance(schema, list | tuple):
        return type(schema)(_eager(one) for one in schema)
    if not isinstance(schema, dict):
        return schema
    made = {key: _eager(one) for key, one in schema.items()}
    if made.get("type") == "generator":
        made["type"] = "list"
    return made


def refused_by_types(id: str, body: dict[str, Any]) -> str:
    """What the SDK's types say against a request; empty when it is one of theirs."""
    try:
        if id == "gemini":
            _gemini(body)
        else:
            items = [_with_records(item) for item in body.get("input") or ()]
            whole = {**body, "input": items} if id == "openai_responses" else body
            _validator(id, bool(body.get("stream"))).validate_python(whole)
    except ValidationError as error:
        return str(error)
    return ""


def _with_records(item: dict[str, Any]) -> dict[str, Any]:
    """The types want what OpenAI itself puts into items and what it takes for granted; its API does not."""
    if isinstance(item.get("content"), list):
        item = {**item, "content": [_with_detail(part) for part in item["content"]]}
    if isinstance(item.get("output"), list):
        item = {**item, "output": [_with_detail(part) for part in item["output"]]}
    if item.get("role") == "assistant":
        return {"type": "message", "id": "msg_1", "status": "completed", **item}
    return {"id": "rs_1", **item} if item.get("type") == "reasoning" else item


def _with_detail(part: dict[str, Any]) -> dict[str, Any]:
    return {"detail": "auto", **part} if part["type"] == "input_image" else part


_GEMINI: dict[str, Any] = {
    "contents": list[genai.Content],
    "systemInstruction": genai.Content,
    "tools": list[genai.Tool],
    "toolConfig": genai.ToolConfig,
    "generationConfig": genai.GenerationConfig,
    "safetySettings": list[genai.SafetySetting],
    "cachedContent": str,
    "labels": dict[str, str],
    "serviceTier": str,
}


def _gemini(body: dict[str, Any]) -> None:
    for key, value in body.items():
        TypeAdapter(_GEMINI[key]).validate_python(value)
