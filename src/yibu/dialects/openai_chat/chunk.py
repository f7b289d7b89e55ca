"""One chunk of a stream as it stands on the wire. Members are typed loosely: vendors differ, and a stream is not refused
for a member that nobody needs."""

from typing import Any

import msgspec

from yibu.dialects._json import NULL


class DeltaFunction(msgspec.Struct):
    name: Any = None
    arguments: Any = None


class DeltaCustom(msgspec.Struct):
    name: Any = None
    input: Any = None


class DeltaCall(msgspec.Struct):
    index: Any = None
    id: Any = None
    type: Any = None
    function: DeltaFunction | None = None
    custom: DeltaCustom | None = None
    extra_content: msgspec.Raw = NULL


class Delta(msgspec.Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    refusal: Any = None
    tool_calls: list[DeltaCall] | None = None
    function_call: DeltaFunction | None = None
    audio: msgspec.Raw = NULL
    images: msgspec.Raw = NULL
    annotations: msgspec.Raw = NULL


class ChunkChoice(msgspec.Struct):
    index: int = 0
    delta: Delta | None = None
    finish_reason: Any = None
    logprobs: msgspec.Raw = NULL


class GroqNote(msgspec.Struct):
    usage: msgspec.Raw = NULL


class Chunk(msgspec.Struct):
    choices: list[ChunkChoice] | None = None
    id: Any = None
    object: Any = None
    created: Any = None
    model: Any = None
    usage: msgspec.Raw = NULL
    x_groq: GroqNote | None = None
    error: msgspec.Raw = NULL


CHUNK = msgspec.json.Decoder(Chunk)

TOP = frozenset({"id", "object", "created", "model", "choices", "usage", "error", "obfuscation"})
"""Members of a chunk that are not extras of the answer; `obfuscation` is padding."""


def words(value: Any) -> str:
    """A text of a delta; empty for anything else."""
    return value if isinstance(value, str) else ""


def thoughts(value: Any) -> tuple[str, bool]:
    """The text of one element of a content array (Mistral), and whether it is a thought."""
    if not isinstance(value, dict):
        return "", False
    inner = value.get("thinking")
    if isinstance(inner, list):
        return "".join(words(element.get("text")) for element in inner if isinstance(element, dict)), True
    return (inner, True) if isinstance(inner, str) else (words(value.get("text")), False)
