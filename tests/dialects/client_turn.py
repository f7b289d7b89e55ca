"""What a client of each format sends after an answer: the answer as its SDK keeps it, and what its tools said."""

import json
from collections.abc import Callable
from typing import Any

from tests.dialects.sdk_answers import WHOLE

RESULT = "it is done"
Members = dict[str, Any]


def _chat(answer: Any) -> Members:
    message = answer.choices[0].message
    calls = message.tool_calls or []
    results = [{"role": "tool", "tool_call_id": call.id, "content": RESULT} for call in calls]
    history = [{"role": "user", "content": "go"}, message.model_dump(mode="json", exclude_none=True), *results]
    return {"model": "m", "messages": history}


def _responses(answer: Any) -> Members:
    items = [item.model_dump(mode="json", exclude_none=True) for item in answer.output]
    results = [
        {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": RESULT}
        for item in items
        if item["type"] in ("function_call", "custom_tool_call")
    ]
    return {"model": "m", "input": [{"role": "user", "content": "go"}, *items, *results]}


def _anthropic(answer: Any) -> Members:
    blocks = [block.model_dump(mode="json", exclude_none=True) for block in answer.content]
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": RESULT}
        for block in blocks
        if block["type"] == "tool_use"
    ]
    said = [{"role": "user", "content": "go"}, {"role": "assistant", "content": blocks}]
    return {"model": "m", "max_tokens": 8192, "messages": [*said, {"role": "user", "content": results or "on"}]}


def _gemini(answer: Any) -> Members:
    said = json.loads(answer.candidates[0].content.model_dump_json(by_alias=True, exclude_none=True))
    results = [
        {"functionResponse": {**about, "response": {"output": RESULT}}}
        for part in said["parts"]
        if (call := part.get("functionCall"))
        for about in ({key: call[key] for key in ("id", "name") if key in call},)
    ]
    first, last = {"role": "user", "parts": [{"text": "go"}]}, {"role": "user", "parts": results or [{"text": "on"}]}
    return {"contents": [first, said, last]}


_NEXT: dict[str, Callable[[Any], Members]] = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}


def next_request(id: str, body: bytes) -> bytes:
    """The request that follows the whole answer `body`."""
    return json.dumps(_NEXT[id](WHOLE[id](body))).encode()
