"""Amazon's binary event streams (`application/vnd.amazon.eventstream`), cut into messages as they arrive.

    total length (4) · length of headers (4) · CRC-32 of these eight (4) · headers · payload · CRC-32 of all before (4)

A header: length of its name (1), name, type (1), value. Numbers are big-endian. Source: smithy.io, *Event stream encoding*
(`amazon-eventstream-encoding`), and recorded streams of Bedrock; read 2026-11-22.
"""

import struct
from binascii import crc32
from collections.abc import Mapping
from typing import NamedTuple

from yibu.hub.errors import Broken

CONTENT_TYPE = "application/vnd.amazon.eventstream"
MAX_MESSAGE_BYTES = 24 * 1024 * 1024
"""Amazon's own limit is 16 MiB of payload and 128 KiB of headers."""
_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_LEAST = _PRELUDE.size + _CRC.size
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a value by its type: two booleans, four integers, a time, a UUID. Types 6 and 7, bytes and text, say their length."""
_TEXT = 7


class Message(NamedTuple):
    """`headers`: those whose values are text; no others are in use."""

    headers: dict[str, str]
    payload: bytes

    @property
    def event(self) -> str:
        """What happened; for an exception its name."""
        headers = self.headers
        return headers.get(":event-type") or headers.get(":exception-type") or headers.get(":error-code") or ""

    @property
    def is_error(self) -> bool:
        return self.headers.get(":message-type", "event") != "event"


class Messages:
    """Takes slices of a stream, gives whole messages. Raises `Broken` for what is no such stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def is_empty(self) -> bool:
        """Nothing of a message is waiting for its rest."""
        return not self._buffer

    def feed(self, chunk: bytes) -> list[Message]:
        self._buffer += chunk
        found: list[Message] = []
        while len(self._buffer) >= _PRELUDE.size:
            total, head, crc = _PRELUDE.unpack_from(self._buffer)
            if crc != crc32(self._buffer[:8]) or not _LEAST + head <= total <= MAX_MESSAGE_BYTES:
                raise Broken(upstream_words="no event stream, or a broken one: its prelude is wrong")
            if len(self._buffer) < total:
                break
            raw = bytes(self._buffer[:total])
            del self._buffer[:total]
            found.append(_read(raw, head))
        return found


def _read(raw: bytes, head: int) -> Message:
    body = len(raw) - _CRC.size
    if _CRC.unpack_from(raw, body)[0] != crc32(raw[:body]):
        raise Broken(upstream_words="a broken event stream: the checksum of a message is wrong")
    begin = _PRELUDE.size + head
    return Message(_headers(raw[_PRELUDE.size : begin]), raw[begin:body])


def _headers(raw: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(raw):
            name = raw[at + 1 : at + 1 + raw[at]].decode()
            at += 1 + raw[at]
            kind = raw[at]
            at += 1
            if kind in _FIXED:
                at += _FIXED[kind]
                continue
            (size,) = struct.unpack_from(">H", raw, at)
            if kind == _TEXT:
                found[name] = raw[at + 2 : at + 2 + size].decode()
            at += 2 + size
    except (IndexError, struct.error, UnicodeDecodeError) as exc:
        raise Broken(upstream_words="a broken event stream: the headers of a message are wrong") from exc
    if at != len(raw):
        raise Broken(upstream_words="a broken event stream: the headers of a message are cut")
    return found


def encode_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message, as a vendor writes it."""
    head = b"".join(
        bytes([len(name)]) + name.encode() + bytes([_TEXT]) + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    sizes = struct.pack(">II", _LEAST + len(head) + len(payload), len(head))
    raw = sizes + _CRC.pack(crc32(sizes)) + head + payload
    return raw + _CRC.pack(crc32(raw))
