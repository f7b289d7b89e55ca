"""One event of a stream as it stands on the wire. Members are typed loosely: a stream is not refused for a member that
nobody needs."""

from typing import Any

import msgspec

from yibu.dialects._json import NULL


class WireEvent(msgspec.Struct):
    type: str = ""
    response: msgspec.Raw = NULL
    item: msgspec.Raw = NULL
    part: msgspec.Raw = NULL
    annotation: msgspec.Raw = NULL
    logprobs: msgspec.Raw = NULL
    error: msgspec.Raw = NULL
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None
    text: Any = None
    refusal: Any = None
    arguments: msgspec.Raw = NULL
    input: Any = None


EVENT = msgspec.json.Decoder(WireEvent)

OVER = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done"}
)
"""Exactly one of the first three ends a stream of OpenAI's; the others are proxies' words."""
FAILED = frozenset({"response.failed", "error"})

SPOKEN = frozenset(
    {
        "response.output_text.delta",
        "response.refusal.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
    }
)
"""Events whose `delta` is what the model wrote."""
