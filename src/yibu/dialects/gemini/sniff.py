"""Reads of a request what must be known before it is planned; everything else stays bytes."""

import re
from typing import Any

import msgspec

from yibu.dialects._json import NULL, check_depth, fields, present, raw, read
from yibu.dialects.dialect import Bounds, Intent, Target
from yibu.dialects.gemini.media import is_remote
from yibu.dialects.gemini.seal import without_packed
from yibu.dialects.gemini.target import is_stream, model_of
from yibu.dialects.gemini.wire import Members, wrong
from yibu.hub.errors import InvalidRequest

_LEAD_BYTES = 8192
"""Enough to tell conversations apart; Google's prompt caches start at 1,024 tokens."""
_DATA = re.compile(rb'"data"\s*:\s*"([^"]*)"')
_MODEL = b'"model"'


class _Part(msgspec.Struct):
    text: Any = None
    inlineData: msgspec.Raw = NULL
    inline_data: msgspec.Raw = NULL
    fileData: msgspec.Raw = NULL
    file_data: msgspec.Raw = NULL
    functionResponse: msgspec.Raw = NULL
    function_response: msgspec.Raw = NULL


class _Content(msgspec.Struct):
    parts: list[_Part] | _Part | None = None
    role: Any = None


class _Body(msgspec.Struct):
    contents: list[_Content] | _Content | None = None
    tools: list[msgspec.Raw] | dict[str, msgspec.Raw] | None = None
    generationConfig: msgspec.Raw = NULL
    generation_config: msgspec.Raw = NULL
    systemInstruction: msgspec.Raw = NULL
    system_instruction: msgspec.Raw = NULL
    cachedContent: Any = None
    cached_content: Any = None


_BODY = msgspec.json.Decoder(_Body)


def sniff(body: bytes, bounds: Bounds, target: Target) -> Intent:
    """Raises `InvalidRequest` with the path of the wrong member."""
    check_depth(body, bounds.depth)
    seen = read(_BODY, body)
    contents = [seen.contents] if isinstance(seen.contents, _Content) else seen.contents or []
    if not contents:
        raise wrong("$.contents", "a list of at least one content")
    if len(contents) > bounds.messages:
        raise InvalidRequest(f"There are more than {bounds.messages} contents.", param="$.contents")
    if _tools(seen) > bounds.tools:
        raise InvalidRequest(f"There are more than {bounds.tools} tools.", param="$.tools")
    config = present(seen.generationConfig) or present(seen.generation_config)
    ceiling = choices = None
    if config is not None:
        inner = Members(config, "$.generationConfig")
        ceiling, choices = inner.whole("maxOutputTokens", 1, 2**53), inner.whole("candidateCount", 1, 128)
    media, inline_bytes, has_remote = _media(contents)
    return Intent(
        model=model_of(target),
        body=body,
        is_stream=is_stream(target),
        wants_usage=is_stream(target),
        max_output_tokens=ceiling,
        choices=choices or 1,
        text_bytes=len(body) - inline_bytes,
        media=media,
        has_remote_media=has_remote,
        lead=_lead(seen, contents, target),
        target=target,
    )


def splice(intent: Intent, model: str) -> bytes:
    """The same request: the model stands in the path. A `model` that stands in the body, too, becomes that of the vendor, and
    state of other vendors the stand-in that Google documents for it."""
    body = without_packed(intent.body)
    if _MODEL not in body:
        return body
    members = fields(body)
    if "model" not in members:
        return body
    members["model"] = raw(f"models/{model}")
    return msgspec.json.encode(members)


def _tools(seen: _Body) -> int:
    count = 0
    tools = [raw(seen.tools)] if isinstance(seen.tools, dict) else seen.tools or []
    for number, tool in enumerate(tools):
        members = Members(tool, f"$.tools[{number}]")
        functions = len(members.elements("functionDeclarations"))
        count += functions + len(members.left)
    return count


def _media(contents: list[_Content]) -> tuple[int, int, bool]:
    """How many media there are, the bytes of base64 in them, and whether one has to be fetched."""
    count = inline_bytes = 0
    has_remote = False
    for content in contents:
        for part in _parts(content):
            inline = present(part.inlineData) or present(part.inline_data)
            address = present(part.fileData) or present(part.file_data)
            result = present(part.functionResponse) or present(part.function_response)
            if inline is not None:
                count += 1
                inline_bytes += sum(found.end(1) - found.start(1) for found in _DATA.finditer(bytes(inline)))
            elif address is not None:
                count += 1
                has_remote = has_remote or is_remote(Members(address, "$.contents[].parts[].fileData"))
            elif result is not None:
                found = [place.end(1) - place.start(1) for place in _DATA.finditer(bytes(result))]
                count += len(found)
                inline_bytes += sum(found)
    return count, inline_bytes, has_remote


def _parts(content: _Content) -> list[_Part]:
    return [content.parts] if isinstance(content.parts, _Part) else content.parts or []


def _lead(seen: _Body, contents: list[_Content], target: Target) -> bytes:
    """The cache that the caller names if there is one, else the instructions and the first content."""
    pieces = [model_of(target).encode()]
    cache = seen.cachedContent or seen.cached_content
    if cache:
        return b"\0".join([*pieces, str(cache).encode()[:_LEAD_BYTES]])
    system = present(seen.systemInstruction) or present(seen.system_instruction)
    if system is not None:
        pieces.append(bytes(system)[:_LEAD_BYTES])
    pieces += [str(part.text).encode("utf-8", "replace")[:_LEAD_BYTES] for part in _parts(contents[0]) if part.text]
    return b"\0".join(pieces)
