"""How many tokens a request has: `countTokens`. Google, reference of `models.countTokens`, read 2026-11-22.

The Gemini API takes bare contents or a whole request in `generateContentRequest`; Vertex AI takes the members of the
request themselves.
"""

import msgspec

from yibu.dialects._json import fields, present, raw
from yibu.dialects.dialect import Bounds, Intent, Target
from yibu.dialects.gemini.request import decode_request
from yibu.dialects.gemini.seal import without_packed
from yibu.dialects.gemini.sniff import sniff, splice
from yibu.dialects.gemini.wire import Members
from yibu.hub.chat import ChatRequest

_NAMES = ("generateContentRequest", "generate_content_request")


def sniff_count(body: bytes, bounds: Bounds, target: Target) -> Intent:
    """Raises `InvalidRequest`."""
    asked = sniff(_request_in(body), bounds, target)
    return msgspec.structs.replace(asked, body=body)


def splice_count(intent: Intent, model: str) -> bytes:
    """A whole request names the model again."""
    body = without_packed(intent.body)
    members = fields(body)
    for name in _NAMES:
        inner = present(members.get(name))
        if inner is not None:
            members[name] = raw({**fields(inner), "model": f"models/{model}"})
            return msgspec.json.encode(members)
    return splice(intent, model)


def decode_count(body: bytes, bounds: Bounds, target: Target) -> ChatRequest:
    """Raises `InvalidRequest`."""
    return decode_request(_request_in(body), bounds, target)


def encode_count(tokens: int) -> bytes:
    return msgspec.json.encode(
        {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}
    )


def _request_in(body: bytes) -> bytes:
    """The request that is to be counted, as a body of its own."""
    inner = Members(body).take(_NAMES[0])
    return body if inner is None else bytes(inner)
