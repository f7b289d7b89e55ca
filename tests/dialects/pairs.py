"""Recorded exchanges of one format in the words of another, as the gateway would send them."""

import base64
import re
from functools import cache

import msgspec

from tests.corpus import Recording, recordings
from yibu.dialects import chat_dialects
from yibu.dialects.dialect import ChatDialect, Target
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.media import Inline, MediaKind, Url
from yibu.hub.parts import Media, Part, ToolResult

MODELS = {
    "openai_chat": "gpt-5.1",
    "openai_responses": "gpt-5.1",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3-flash-preview",
}
"""A model that a vendor of each format serves."""
OLDER = {
    "openai_chat": "gpt-4.1",
    "openai_responses": "gpt-4.1",
    "anthropic": "claude-3-5-haiku-20241022",
    "gemini": "gemini-2.0-flash",
}
"""One that can do less."""
IDS = sorted(MODELS)
PAIRS = [(one, two) for one in IDS for two in IDS]
OTHERS = [(one, two) for one, two in PAIRS if one != two]

_PLACE = re.compile(r"models/(?P<model>[^:?]+):(?P<verb>\w+)(?:\?(?P<query>.*))?")
_PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()
_DOCUMENT = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
_SOUND = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt ").decode()
_STAND_INS = {
    "image": Inline(_PICTURE, "image/png"),
    "file": Inline(_DOCUMENT, "application/pdf"),
    "audio": Inline(_SOUND, "audio/wav"),
    "video": Inline(_SOUND, "video/mp4"),
}


def dialect_of(id: str) -> ChatDialect:
    return chat_dialects()[id]


def target_of(taken: Recording) -> Target:
    """What stands in the address; only Google's says anything."""
    found = _PLACE.search(taken.endpoint)
    if found is None:
        return Target()
    query = dict(pair.split("=", 1) for pair in (found["query"] or "").split("&") if "=" in pair)
    return Target(params={"model": found["model"], "verb": found["verb"]}, query=query)


@cache
def requests(id: str) -> tuple[tuple[Recording, ChatRequest], ...]:
    """What was asked and can be read; a few recordings show what a vendor refused."""
    read: list[tuple[Recording, ChatRequest]] = []
    for taken in recordings(id):
        if taken.request is None:
            continue
        try:
            read.append((taken, dialect_of(id).decode_request(taken.asked, target_of(taken))))
        except InvalidRequest:
            assert taken.status >= 400, taken.name
    return tuple(read)


def fitted(request: ChatRequest, into: str, model: str) -> ChatRequest:
    """As the relay hands it to the encoder."""
    dialect = dialect_of(into)
    request = msgspec.structs.replace(request, model=model)
    turns = tuple(_inlined(turn, dialect.by_value) for turn in request.turns)
    request = msgspec.structs.replace(request, turns=turns)
    if dialect.needs_ceiling and request.limits.max_output_tokens is None:
        limits = msgspec.structs.replace(request.limits, max_output_tokens=8192)
        request = msgspec.structs.replace(request, limits=limits)
    return msgspec.structs.replace(request, stream=msgspec.structs.replace(request.stream, usage=request.stream.on))


def _inlined(turn: Turn, kinds: frozenset[MediaKind]) -> Turn:
    return msgspec.structs.replace(turn, parts=tuple(_local(part, kinds) for part in turn.parts))


def _local(part: Part, kinds: frozenset[MediaKind]) -> Part:
    if isinstance(part, ToolResult):
        inner = [_local(one, kinds) for one in part.parts]
        return msgspec.structs.replace(part, parts=tuple(inner))
    if isinstance(part, Media) and isinstance(part.source, Url) and part.kind in kinds:
        return msgspec.structs.replace(part, source=_STAND_INS[part.kind])
    return part


class Translated(msgspec.Struct, frozen=True):
    """`asked`: what the encoder was given; `body`: what it wrote, or None when it refused with `error`."""

    asked: ChatRequest
    body: bytes | None
    losses: Losses
    error: InvalidRequest | None = None


def translate(request: ChatRequest, into: str, model: str) -> Translated:
    losses: Losses = []
    asked = fitted(request, into, model)
    try:
        return Translated(asked, dialect_of(into).encode_request(asked, losses), losses)
    except InvalidRequest as error:
        return Translated(asked, None, losses, error)
