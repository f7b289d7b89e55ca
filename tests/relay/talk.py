"""Conversations for tests, written as a client would write them."""

from typing import Any

import msgspec

from yibu.dialects import chat_dialects
from yibu.hub.chat import ChatRequest


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def talk(*messages: dict[str, Any], model: str = "sora-2") -> ChatRequest:
    body = msgspec.json.encode({"model": model, "messages": messages, "stream": True, "max_tokens": 1000})
    return chat_dialects()["openai_chat"].decode_request(body)
