"""Reasoning items, both ways.

An item has summaries (`summary`), the thoughts themselves (`content`, which open models and DeepSeek show), and
`encrypted_content`, which only its vendor can read. Each summary and each text is a `Thinking` of its own, so that their
borders survive; the last of an item carries the seal: the item without its texts. Sources: openai-python 3.54.0, recordings of
OpenAI, DeepSeek, OpenRouter and Bedrock, read 2026-11-22.

Seals of other dialects travel through clients of this format in `encrypted_content`, which every client hands back: behind
`yibu1.` stands whose it is and, when it rides on a call, on which. To a vendor such an item is never sent.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, present, raw, rest
from yibu.dialects._scope import Scope
from yibu.dialects.openai_responses.wire import ID
from yibu.hub.errors import InvalidRequest
from yibu.hub.parts import Seal, Thinking

RAW = "reasoning_text"
"""`Thinking.member` of the thoughts themselves; that of summaries is empty."""

_FOREIGN = "yibu1."
_TEXTS = frozenset({"type", "summary", "content"})


class _Words(msgspec.Struct):
    text: str = ""


class Packed(msgspec.Struct):
    """A seal of another dialect; `call`: the id of the call on which it rides, empty for a thought."""

    dialect: str
    data: str
    call: str = ""


_WORDS = msgspec.json.Decoder(list[_Words])
_PACKED = msgspec.json.Decoder(Packed)


def decode_thoughts(members: Fields) -> list[Thinking]:
    """The thoughts of one item; a single one without text when there is nothing to read in it."""
    thoughts = [Thinking(text=text, member=RAW) for text in _texts(members.get("content"))]
    thoughts += [Thinking(text=text) for text in _texts(members.get("summary"))]
    thoughts = thoughts or [Thinking(text="")]
    thoughts[-1] = msgspec.structs.replace(thoughts[-1], seal=seal_of(members))
    return thoughts


def _texts(value: msgspec.Raw | None) -> list[str]:
    if present(value) is None or value is None:
        return []
    try:
        return [words.text for words in _WORDS.decode(value)]
    except msgspec.ValidationError:
        return []


def seal_of(members: Fields) -> Seal | None:
    """What of a reasoning item is not to be read; the seal of another dialect if it carries one."""
    packed = unpack(members)
    if packed is not None:
        return Seal(dialect=packed.dialect, data=msgspec.Raw(packed.data.encode()))
    state = rest(members, _TEXTS)
    return Seal(dialect=ID, data=raw(state)) if state else None


def unpack(members: Fields) -> Packed | None:
    """What came back through a client; None when the item is a vendor's own, or was not kept whole."""
    value = bytes(members.get("encrypted_content") or b"")
    if not value.startswith(b'"' + _FOREIGN.encode()):
        return None
    try:
        text = msgspec.json.decode(value, type=str).removeprefix(_FOREIGN)
        packed = _PACKED.decode(urlsafe_b64decode(text.encode()))
        msgspec.json.decode(packed.data.encode(), type=msgspec.Raw)
    except (ValueError, msgspec.DecodeError, RecursionError):
        return None
    return packed


def pack(seal: Seal, call: str = "") -> str:
    """The `encrypted_content` that carries a seal through a client; the vendor's own stays as it is."""
    packed = Packed(dialect=seal.dialect, data=bytes(seal.data).decode(), call=call)
    return _FOREIGN + urlsafe_b64encode(msgspec.json.encode(packed)).decode()


def state_of(seal: Seal | None) -> Fields:
    """The members of an item that the seal of this dialect stands for."""
    if seal is None or seal.dialect != ID:
        return {}
    try:
        return fields(seal.data)
    except InvalidRequest:
        return {}


def encode_thoughts(thoughts: list[Thinking], scope: Scope, where: str) -> dict[str, Any] | None:
    """One item for a vendor; None for thoughts that are not of this dialect's vendors, or that they could not verify."""
    state = state_of(thoughts[-1].seal)
    if not scope.is_ours and "encrypted_content" not in state:
        scope.lose(where, "thoughts of another vendor mean nothing to this one")
        return None
    return {"type": "reasoning", **texts_of(thoughts), **state}


def texts_of(thoughts: list[Thinking]) -> dict[str, Any]:
    """`summary`, which is always there, and `content`, when there is any."""
    summary = [{"type": "summary_text", "text": one.text} for one in thoughts if one.member != RAW and one.text]
    content = [{"type": "reasoning_text", "text": one.text} for one in thoughts if one.member == RAW]
    return {"summary": summary, "content": content} if content else {"summary": summary}
