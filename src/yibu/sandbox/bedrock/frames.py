"""AWS's event stream: binary frames with two checksums. Source: AWS, *Event stream encoding*, read 2026-11-22."""

import struct
import zlib
from typing import Any

import msgspec

_STRING = 7  # the type of a header's value


def frame(kind: str, value: dict[str, Any]) -> bytes:
    """An event. `kind`: such as `contentBlockDelta`."""
    return _frame({":event-type": kind, ":content-type": "application/json", ":message-type": "event"}, value)


def exception(kind: str, message: str) -> bytes:
    """An error in the stream. `kind`: such as `internalServerException`."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return _frame(headers, {"message": message})


def broken_frame() -> bytes:
    """A frame whose checksum is wrong."""
    whole = frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "?"}})
    return whole[:-4] + b"\0\0\0\0"


def _frame(headers: dict[str, str], value: dict[str, Any]) -> bytes:
    payload = msgspec.json.encode(value)
    head = b"".join(
        bytes((len(name),)) + name.encode() + bytes((_STRING,)) + struct.pack(">H", len(text)) + text.encode()
        for name, text in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    whole = prelude + head + payload
    return whole + struct.pack(">I", zlib.crc32(whole))
