"""Signatures of thoughts: Google's own, the documented stand-in for a lost one, and those of other vendors on their way
through a client.

Source: Google, *Thought signatures*, read 2026-11-22. A signature is base64 of bytes that nobody but their maker can read, and
clients hand it back where it stood. So what another vendor wants back travels in it too, behind a mark by which it
is known again; it must never reach Google, who refuses what it did not make.
"""

import base64
import binascii
import re

import msgspec

from yibu.dialects._json import text_of
from yibu.dialects.gemini.wire import ID
from yibu.hub.parts import Seal

SKIP = "skip_thought_signature_validator"
"""Google documents it for calls that come from another model: 3.x models refuse calls without any signature."""
SKIP_BASE64 = base64.b64encode(SKIP.encode()).decode()

_MARK = b"yibu.seal.1:"
_MARK_BASE64 = base64.b64encode(_MARK)
_MARK_TEXT = _MARK_BASE64.decode()
_PACKED = re.compile(rb'"' + re.escape(_MARK_BASE64) + rb'[\w+/=-]*"')


def decode_seal(signature: msgspec.Raw | None) -> Seal | None:
    """The state behind a `thoughtSignature`: another vendor's if we packed it up, else Google's own."""
    text = text_of(signature)
    if signature is None or not text:
        return None
    return _unpack(text) if text.startswith(_MARK_TEXT) else Seal(dialect=ID, data=signature)


def is_skip(signature: msgspec.Raw | None) -> bool:
    """It stands for a signature that was lost."""
    return text_of(signature) in (SKIP, SKIP_BASE64)


def pack(seal: Seal) -> str:
    """A `thoughtSignature` that carries another vendor's state through a client."""
    told = msgspec.json.encode([seal.dialect, bytes(seal.data).decode()])
    return base64.b64encode(_MARK + told).decode()


def _unpack(text: str) -> Seal | None:
    """None when the client did not keep it whole."""
    try:
        told = base64.b64decode(text.translate(_STANDARD), validate=True)[len(_MARK) :]
        dialect, data = msgspec.json.decode(told, type=tuple[str, str])
        msgspec.json.decode(data.encode(), type=msgspec.Raw)
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        return None
    return Seal(dialect=dialect, data=msgspec.Raw(data.encode()))


_STANDARD = str.maketrans("-_", "+/")
"""Google's SDKs write bytes in the URL-safe alphabet."""


def without_packed(body: bytes) -> bytes:
    """A request on its way to Google with the stand-in where another vendor's state is; the same object when there is none."""
    if _MARK_BASE64 not in body:
        return body
    return _PACKED.sub(b'"' + SKIP_BASE64.encode() + b'"', body)
