"""Reads of a request what must be known before it is planned; everything else stays bytes."""

import re
from typing import Annotated

import msgspec

from yibu.dialects._json import NULL, Fields, check_depth, fields, raw, read
from yibu.dialects.dialect import Bounds, Intent
from yibu.dialects.openai_chat.wire import ID, Choices, Model, StreamOptions, Tokens
from yibu.hub.errors import InvalidRequest

_LEAD_BYTES = 8192
"""Enough to tell conversations apart; vendors' prompt caches start at 1,024 tokens."""

_WORDS = frozenset({"text", "refusal", "thinking"})
_HEADER_BYTES = 256
"""A data URL has its `;base64,` within these, or it is not one."""


class _Part(msgspec.Struct):
    type: str = ""
    image_url: msgspec.Raw = NULL
    video_url: msgspec.Raw = NULL
    input_audio: msgspec.Raw = NULL
    file: msgspec.Raw = NULL
    document_url: msgspec.Raw = NULL


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None


class _Body(msgspec.Struct):
    model: Model
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: Tokens | None = None
    max_tokens: Tokens | None = None
    n: Choices | None = None
    tools: list[msgspec.Raw] | None = None
    prompt_cache_key: msgspec.Raw = NULL


_BODY = msgspec.json.Decoder(_Body)


def sniff(body: bytes, bounds: Bounds) -> Intent:
    """Raises `InvalidRequest` with the path of the wrong member."""
    check_depth(body, bounds.depth)
    seen = read(_BODY, body)
    if len(seen.messages) > bounds.messages:
        raise InvalidRequest(f"There are more than {bounds.messages} messages.", param="$.messages")
    if seen.tools is not None and len(seen.tools) > bounds.tools:
        raise InvalidRequest(f"There are more than {bounds.tools} tools.", param="$.tools")
    media, inline_bytes, has_remote = _media(seen.messages)
    return Intent(
        model=seen.model,
        body=body,
        is_stream=bool(seen.stream),
        wants_usage=bool(seen.stream and seen.stream_options and seen.stream_options.include_usage),
        max_output_tokens=seen.max_completion_tokens or seen.max_tokens,
        choices=seen.n or 1,
        text_bytes=len(body) - inline_bytes,
        media=media,
        has_remote_media=has_remote,
        lead=_lead(seen),
    )


def format_of(body: bytes) -> str:
    """The id of the format that a request on the path of chat is in: with `input` for `messages` it is Cursor's agent."""
    if b'"input"' not in body:  # saves the look into nearly all of them
        return ID
    members = fields(body)
    has_messages = bytes(members.get("messages", NULL)).strip() not in (b"null", b"[]")
    return ID if has_messages or "input" not in members else "cursor_chat"


def splice(intent: Intent, model: str) -> bytes:
    """The same request for another model name; a stream is also asked for its usage, which billing needs."""
    asks_usage = intent.is_stream and not intent.wants_usage
    if model == intent.model and not asks_usage:
        return intent.body
    members = fields(intent.body)
    members["model"] = raw(model)
    if asks_usage:
        options: Fields = {}
        if bytes(members.get("stream_options", NULL)) != b"null":
            options = fields(members["stream_options"])
        options["include_usage"] = msgspec.Raw(b"true")
        members["stream_options"] = raw(options)
    return msgspec.json.encode(members)


def _media(messages: list[_Message]) -> tuple[int, int, bool]:
    """How many media there are, the bytes of base64 in them, and whether one has to be fetched."""
    count = inline_bytes = 0
    has_remote = False
    for message in messages:
        if not isinstance(message.content, list):
            continue
        for part in message.content:
            if part.type in _WORDS:
                continue
            count += 1
            for member in (part.image_url, part.video_url, part.input_audio, part.file, part.document_url):
                text = bytes(member)
                if text != b"null":
                    begin, end = _payload(text)
                    inline_bytes += end - begin
            has_remote = has_remote or (part.type == "image_url" and _is_remote(bytes(part.image_url)))
    return count, inline_bytes, has_remote


def _payload(text: bytes) -> tuple[int, int]:
    """Where base64 begins and ends in the JSON of one medium; an empty range when it has none."""
    place = _PLACE.search(text)
    if place is None:
        return 0, 0
    begin = place.end()
    end = text.find(b'"', begin)
    mark = text.find(b"base64,", begin, begin + _HEADER_BYTES)
    if 0 <= mark < end:
        return mark + 7, end
    if place["key"] and not text.startswith((b"http", b"data:"), begin):
        return begin, end
    return 0, 0


def _is_remote(text: bytes) -> bool:
    place = _PLACE.search(text)
    return place is not None and text[place.end() : place.end() + 4].lower() == b"http"


_PLACE = re.compile(rb'"(?:url|(?P<key>data|file_data))"\s*:\s*"|^\s*"')
"""The string in the JSON of a medium that brings it: `url` brings an address, `data` and `file_data` may be bare base64."""


def _lead(seen: _Body) -> bytes:
    """The caller's own cache key if there is one, else the turns up to the first of the user."""
    key = bytes(seen.prompt_cache_key)
    pieces = [seen.model.encode()]
    if key != b"null":
        pieces.append(key[:_LEAD_BYTES])
        return b"\0".join(pieces)
    for message in seen.messages:
        pieces.append(message.role.encode())
        if isinstance(message.content, str):
            pieces.append(message.content[:_LEAD_BYTES].encode())
        elif message.content:
            pieces.append(msgspec.json.encode(message.content[0])[:_LEAD_BYTES])
        if message.role == "user":
            break
    return b"\0".join(pieces)
