"""Reads of a request what must be known before it is planned; everything else stays bytes."""

import re

import msgspec

from yibu.dialects._json import NULL, check_depth, fields, present, raw, read
from yibu.dialects.dialect import Bounds, Intent
from yibu.dialects.openai_responses.wire import Model, Tokens
from yibu.hub.errors import InvalidRequest

_LEAD_BYTES = 8192
"""Enough to tell conversations apart; vendors' prompt caches start at 1,024 tokens."""
_HEADER_BYTES = 256
"""A data URL has its `;base64,` within these, or it is not one."""
_MEDIA = frozenset({"input_image", "input_file", "input_audio"})
_PLACE = re.compile(rb'"(?P<key>image_url|file_url|file_data|data)"\s*:\s*"')


class _Item(msgspec.Struct):
    role: str | None = None
    content: msgspec.Raw = NULL
    output: msgspec.Raw = NULL


class _Part(msgspec.Struct):
    type: str = ""


class _Body(msgspec.Struct):
    model: Model
    input: str | list[_Item] | None = None
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Tokens | None = None
    tools: list[msgspec.Raw] | None = None
    prompt_cache_key: msgspec.Raw = NULL


_BODY = msgspec.json.Decoder(_Body)
_PARTS = msgspec.json.Decoder(list[msgspec.Raw])
_PART = msgspec.json.Decoder(_Part)


def sniff(body: bytes, bounds: Bounds) -> Intent:
    """Raises `InvalidRequest` with the path of the wrong member."""
    check_depth(body, bounds.depth)
    seen = read(_BODY, body)
    items = seen.input if isinstance(seen.input, list) else []
    if len(items) > bounds.messages:
        raise InvalidRequest(f"There are more than {bounds.messages} items.", param="$.input")
    if seen.tools is not None and len(seen.tools) > bounds.tools:
        raise InvalidRequest(f"There are more than {bounds.tools} tools.", param="$.tools")
    media = inline_bytes = 0
    has_remote = False
    for item in items:
        for part in (*_parts(item.content), *_parts(item.output)):
            media += 1
            size, is_remote = _weigh(bytes(part))
            inline_bytes += size
            has_remote = has_remote or is_remote
    return Intent(
        model=seen.model,
        body=body,
        is_stream=bool(seen.stream),
        wants_usage=bool(seen.stream),
        max_output_tokens=seen.max_output_tokens,
        text_bytes=len(body) - inline_bytes,
        media=media,
        has_remote_media=has_remote,
        lead=_lead(seen, items),
    )


def splice(intent: Intent, model: str) -> bytes:
    """The same request for another model name; usage comes with every stream."""
    if model == intent.model:
        return intent.body
    members = fields(intent.body)
    members["model"] = raw(model)
    return msgspec.json.encode(members)


def _parts(content: msgspec.Raw) -> list[msgspec.Raw]:
    """The media in a content array."""
    text = bytes(content)
    if not text.startswith(b"[") or b"input_" not in text:
        return []
    found: list[msgspec.Raw] = []
    try:
        for part in _PARTS.decode(text):
            if _PART.decode(part).type in _MEDIA:
                found.append(part)
    except msgspec.ValidationError:
        return found
    return found


def _weigh(text: bytes) -> tuple[int, bool]:
    """The bytes of base64 in the JSON of one medium, and whether it has to be fetched."""
    place = _PLACE.search(text)
    if place is None:
        return 0, False
    begin = place.end()
    end = text.find(b'"', begin)
    if text.startswith(b"http", begin):
        return 0, place["key"] != b"file_url"
    mark = text.find(b"base64,", begin, begin + _HEADER_BYTES)
    return end - (mark + 7 if 0 <= mark < end else begin), False


def _lead(seen: _Body, items: list[_Item]) -> bytes:
    """The caller's own cache key if there is one, else the turns up to the first of the user."""
    pieces = [seen.model.encode()]
    key = present(seen.prompt_cache_key)
    if key is not None:
        pieces.append(bytes(key)[:_LEAD_BYTES])
        return b"\0".join(pieces)
    pieces.append((seen.instructions or "")[:_LEAD_BYTES].encode())
    if isinstance(seen.input, str):
        pieces += [b"user", seen.input[:_LEAD_BYTES].encode()]
    for item in items:
        pieces += [(item.role or "").encode(), bytes(item.content)[:_LEAD_BYTES]]
        if item.role == "user":
            break
    return b"\0".join(pieces)
