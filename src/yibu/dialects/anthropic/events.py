"""One event of a stream as it stands on the wire. Members are typed loosely: hosts differ, and a stream is not refused for a
member that nobody needs."""

from typing import Any

import msgspec

from yibu.dialects._json import NULL


class Delta(msgspec.Struct):
    type: Any = None
    text: Any = None
    thinking: Any = None
    signature: Any = None
    partial_json: Any = None
    content: Any = None
    citation: msgspec.Raw = NULL
    stop_reason: Any = None
    stop_sequence: Any = None


class Message(msgspec.Struct):
    id: Any = None
    model: Any = None
    usage: msgspec.Raw = NULL


class StreamEvent(msgspec.Struct):
    """`type` says which of the members counts; it is the same as the name of the frame."""

    type: Any = None
    index: Any = None
    message: msgspec.Raw = NULL
    content_block: msgspec.Raw = NULL
    delta: Delta | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


EVENT = msgspec.json.Decoder(StreamEvent)
MESSAGE = msgspec.json.Decoder(Message)


def words(value: Any) -> str:
    """A text of a delta; empty for anything else."""
    return value if isinstance(value, str) else ""
