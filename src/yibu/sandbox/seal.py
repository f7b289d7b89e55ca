"""Opaque state that a vendor hands out and wants back unchanged: a text, sealed so that a changed one is noticed.

The key is no secret, because there is nothing to protect: it only has to differ from what other vendors use.
"""

import base64
import binascii
import hashlib
import hmac
import zlib

_KEY = b"the sandbox's seal"
_MAC = 16  # bytes


def seal(purpose: str, text: str) -> str:
    """Base64 of a mark, a MAC and the text. `purpose`: seals of another purpose are foreign."""
    content = zlib.compress(text.encode())
    return base64.b64encode(_mark(purpose) + _mac(purpose, content) + content).decode()


def unseal(purpose: str, sealed: str) -> str | None:
    """The text, or None when the seal is foreign or damaged."""
    try:
        raw = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        return None
    mark, mac, content = raw[:4], raw[4 : 4 + _MAC], raw[4 + _MAC :]
    if mark != _mark(purpose) or not hmac.compare_digest(mac, _mac(purpose, content)):
        return None
    return zlib.decompress(content).decode()


def _mark(purpose: str) -> bytes:
    return hashlib.sha256(purpose.encode()).digest()[:4]


def _mac(purpose: str, content: bytes) -> bytes:
    return hmac.digest(_KEY, purpose.encode() + b"\0" + content, "sha256")[:_MAC]
