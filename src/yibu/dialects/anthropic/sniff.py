"""Reads of a request what must be known before it is planned; everything else stays bytes."""

from typing import Annotated

import msgspec

from yibu.dialects._json import NULL, check_depth, raw, read
from yibu.dialects.anthropic.wire import Model, Tokens
from yibu.dialects.dialect import Bounds, Intent, Target
from yibu.hub.errors import InvalidRequest

_LEAD_BYTES = 8192
"""Enough to tell conversations apart; prompt caches start at 1,024 tokens."""


class _Source(msgspec.Struct):
    type: str = ""
    data: str = ""


class _Block(msgspec.Struct):
    type: str = ""
    source: msgspec.Raw = NULL
    content: msgspec.Raw = NULL


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Block]


class _Counted(msgspec.Struct):
    model: Model
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    system: msgspec.Raw = NULL
    tools: list[msgspec.Raw] | None = None


class _Body(_Counted, kw_only=True):
    max_tokens: Tokens
    stream: bool | None = None


_BODY = msgspec.json.Decoder(_Body)
_COUNTED = msgspec.json.Decoder(_Counted)
_SOURCE = msgspec.json.Decoder(_Source)
_BLOCKS = msgspec.json.Decoder(list[_Block])


def sniff(body: bytes, bounds: Bounds, target: Target) -> Intent:
    """Raises `InvalidRequest` with the path of the wrong member."""
    check_depth(body, bounds.depth)
    seen = read(_BODY, body)
    intent = _intent(seen, body, bounds, target)
    return msgspec.structs.replace(
        intent, is_stream=bool(seen.stream), wants_usage=True, max_output_tokens=seen.max_tokens
    )


def sniff_count(body: bytes, bounds: Bounds, target: Target) -> Intent:
    """The same for a request whose tokens are only to be counted: it has no `max_tokens`."""
    check_depth(body, bounds.depth)
    return _intent(read(_COUNTED, body), body, bounds, target)


def _intent(seen: _Counted, body: bytes, bounds: Bounds, target: Target) -> Intent:
    if len(seen.messages) > bounds.messages:
        raise InvalidRequest(f"There are more than {bounds.messages} messages.", param="$.messages")
    if seen.tools is not None and len(seen.tools) > bounds.tools:
        raise InvalidRequest(f"There are more than {bounds.tools} tools.", param="$.tools")
    media, inline_bytes, has_remote = _media(seen.messages)
    return Intent(
        model=seen.model,
        body=body,
        text_bytes=len(body) - inline_bytes,
        media=media,
        has_remote_media=has_remote,
        lead=_lead(seen),
        target=target,
    )


def _media(messages: list[_Message]) -> tuple[int, int, bool]:
    """How many media there are, the bytes of base64 in them, and whether a picture has to be fetched."""
    count = inline_bytes = 0
    has_remote = False
    blocks = [block for message in messages if isinstance(message.content, list) for block in message.content]
    for block in blocks:
        if block.type == "tool_result" and b'"source"' in bytes(block.content):
            blocks += _inner(block.content)
        if block.type not in ("image", "document"):
            continue
        count += 1
        try:
            source = _SOURCE.decode(block.source)
        except msgspec.ValidationError:
            continue
        inline_bytes += len(source.data) if source.type == "base64" else 0
        has_remote = has_remote or (source.type == "url" and block.type == "image")
    return count, inline_bytes, has_remote


def _inner(content: msgspec.Raw) -> list[_Block]:
    try:
        return [block for block in _BLOCKS.decode(content) if block.type != "tool_result"]
    except msgspec.ValidationError:
        return []


def _lead(seen: _Counted) -> bytes:
    """What stays the same from turn to turn: the system text and the first message."""
    pieces = [seen.model.encode(), bytes(seen.system)[:_LEAD_BYTES]]
    first = seen.messages[0].content
    if isinstance(first, str):
        pieces.append(first[:_LEAD_BYTES].encode())
    elif first:
        pieces.append(bytes(raw(first[0]))[:_LEAD_BYTES])
    return b"\0".join(pieces)
