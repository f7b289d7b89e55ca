"""Reads the parts of a content, each with exactly one payload.

Source: Google, *Part*, *Function calling*, *Thought signatures*, read 2026-11-22.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from yibu.sandbox.ask import Media
from yibu.sandbox.gemini.messages import each, inner
from yibu.sandbox.gemini.words import wrong
from yibu.sandbox.members import Members
from yibu.sandbox.seal import seal, unseal

SIGNED = "gemini thought signature"
DUMMIES = frozenset((b"skip_thought_signature_validator", b"context_engineering_is_the_way_to_go"))

_DATA = """text inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall
    toolResponse"""
_PAYLOADS = _DATA.split()
_KINDS: dict[str, Literal["picture", "audio", "document", "video"]] = {
    "image": "picture",
    "audio": "audio",
    "video": "video",
    "application": "document",
    "text": "document",
}


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`signature`: "none", "valid" or "dummy". `path`: where the part stands."""

    id: str
    name: str
    args: dict[str, Any]
    signature: str
    path: str


@dataclass(frozen=True, slots=True)
class FunctionResponse:
    """`text`: the response as text; `failed`: it holds `error`."""

    id: str
    name: str
    text: str
    media: tuple[Media, ...]
    failed: bool


@dataclass(slots=True)
class Parts:
    """What the parts of one content say."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    calls: list[FunctionCall] = field(default_factory=list)
    responses: list[FunctionResponse] = field(default_factory=list)

    def extend(self, more: "Parts") -> None:
        """What a neighbouring content of the same turn says."""
        self.texts += more.texts
        self.thoughts += more.thoughts
        self.media += more.media
        self.calls += more.calls
        self.responses += more.responses


def read_parts(wire: Members) -> Parts:
    """The field `parts`. Raises `Refusal` 400."""
    parts = Parts()
    found = each(wire, "parts", "Part")
    if not found:
        raise wire.wrong("parts", "contents.parts must not be empty.")
    for part in found:
        _read(part, parts)
    return parts


def sign(kind: str, payload: object, thoughts: str) -> str:
    """A signature that belongs to one part alone. `kind`: call or text; `payload`: what it must not lose."""
    return seal(SIGNED, msgspec.json.encode([kind, payload, thoughts], order="sorted").decode())


def _read(part: Members, parts: Parts) -> None:
    payloads = [name for name in _PAYLOADS if part.has(name)]
    if len(payloads) > 1:
        raise wrong(
            f"Invalid value at '{part.path}' (oneof), oneof field 'data' is already set. Cannot set '{payloads[1]}'"
        )
    if not payloads:
        raise part.wrong("data", "required oneof field 'data' must have one initialized field")
    kind = payloads[0]
    payload: object = None
    call: dict[str, Any] = {}
    if kind == "functionCall":
        wire = inner(part, "functionCall", "FunctionCall")
        call = wire.object("args").value if wire.has("args") else {}
        payload = [wire.text("name"), call]
    signature = _signature(part, "call" if kind == "functionCall" else "text", payload)
    match kind:
        case "text":
            text = part.text("text")
            (parts.thoughts if part.flag("thought", False) else parts.texts).append(text)
        case "inlineData":
            parts.media.append(_blob(inner(part, kind, "Blob")))
        case "fileData":
            wire = inner(part, kind, "FileData")
            family = wire.text("mimeType", "application/pdf").partition("/")[0]
            parts.media.append(Media(_KINDS.get(family, "document"), wire.text("fileUri")))
        case "functionCall":
            wire = inner(part, kind, "FunctionCall")
            parts.calls.append(FunctionCall(wire.text("id", ""), wire.text("name"), call, signature, part.path))
        case "functionResponse":
            parts.responses.append(_response(inner(part, kind, "FunctionResponse")))


def _signature(part: Members, kind: str, payload: object) -> str:
    if not part.has("thoughtSignature"):
        return "none"
    given = part.text("thoughtSignature")
    raw = _decode(given)
    if raw is None:
        shown = f'Base64 decoding failed for "{given}"'
        raise wrong(f"Invalid value at '{part.at('thoughtSignature')}' (TYPE_BYTES), {shown}")
    if raw in DUMMIES or given.encode() in DUMMIES:
        return "dummy"
    told = unseal(SIGNED, base64.b64encode(raw).decode())
    if told is None or msgspec.json.decode(told)[:2] != [kind, payload]:
        raise wrong("Corrupted thought signature.")
    return "valid"


def _decode(text: str) -> bytes | None:
    """Base64 in the standard or the URL-safe alphabet, padded or not; None when it is neither."""
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _blob(wire: Members) -> Media:
    kind = wire.text("mimeType")
    content = _decode(wire.text("data"))
    if content is None:
        raise wrong(f"Invalid value at '{wire.at('data')}' (TYPE_BYTES), Base64 decoding failed")
    family = _KINDS.get(kind.partition("/")[0])
    if family is None:
        raise wrong(f"Unsupported MIME type: {kind}")
    return Media(family, f"data:{kind};base64,{base64.b64encode(content).decode()}")


def _response(wire: Members) -> FunctionResponse:
    if not wire.has("name"):
        raise wire.wrong("name", "Name cannot be empty.")
    response = wire.object("response").value
    said = response.get("error", response.get("output", response.get("result", response)))
    text = said if isinstance(said, str) else msgspec.json.encode(said).decode()
    media = [_blob(inner(part, "inlineData", "Blob")) for part in each(wire, "parts", "FunctionResponsePart")]
    failed = "error" in response and "output" not in response
    return FunctionResponse(wire.text("id", ""), wire.text("name"), text, tuple(media), failed)
