"""Answers with embeddings: read, written, and put right on their way through."""

from typing import Any

import msgspec

from yibu.dialects._answer import count_of, read_answer
from yibu.dialects._json import NULL, fields, present, raw, rest
from yibu.dialects._vectors import floats_of, packed_of
from yibu.dialects._whole import Seen
from yibu.dialects.dialect import Intent
from yibu.dialects.openai_embeddings.request import form_of
from yibu.dialects.openai_embeddings.words import FAMILY, Answer, Words
from yibu.hub.embed import EmbedReply, Floats, Packed, Vector, VectorForm
from yibu.hub.errors import Broken
from yibu.hub.estimate import estimate_prompt
from yibu.hub.loss import Losses
from yibu.hub.parts import Extras
from yibu.hub.usage import Meter, Usage


class _Many(msgspec.Struct):
    input: str | list[msgspec.Raw]


class _Seen(msgspec.Struct):
    data: list[dict[str, msgspec.Raw]]
    usage: msgspec.Raw = NULL


_ANSWER = msgspec.json.Decoder(Answer)
_MANY = msgspec.json.Decoder(_Many)
_SEEN = msgspec.json.Decoder(_Seen)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NUMBERS = msgspec.json.Decoder(tuple[float, ...])


def decode_reply(body: bytes, dialect: str) -> EmbedReply:
    """Raises `Broken` when it is none."""
    answer = read_answer(_ANSWER, body)
    items = answer.data
    if all(item.index is not None for item in items):
        items = sorted(items, key=lambda item: item.index or 0)
    vectors: tuple[Vector, ...] = tuple(
        Packed(item.embedding) if isinstance(item.embedding, str) else Floats(item.embedding) for item in items
    )
    extras = rest(_MEMBERS.decode(body), frozenset({"object", "data", "model", "usage"}))
    return EmbedReply(
        model=answer.model, vectors=vectors, usage=usage_of(answer.usage, dialect), dialect=dialect, extras=extras
    )


def encode_reply(reply: EmbedReply, dialect: str, losses: Losses) -> bytes:
    """Numbers unless the caller asked for base64. Raises `Broken` when a vector is none."""
    data = [
        {
            "object": "embedding",
            "index": at,
            "embedding": packed_of(vector) if reply.form == "base64" else floats_of(vector),
        }
        for at, vector in enumerate(reply.vectors)
    ]
    usage: Any = _counted(reply.usage or Usage({}))
    if reply.usage and reply.usage.dialect == dialect and b'"prompt_tokens"' in bytes(reply.usage.raw or b""):
        usage = reply.usage.raw
    extras: Extras = reply.extras if reply.dialect in FAMILY else {}
    return msgspec.json.encode({"object": "list", "data": data, "model": reply.model, "usage": usage, **extras})


def put_right(body: bytes, intent: Intent, words: Words) -> Seen:
    """A vendor's answer as the caller asked for it: the same bytes unless vectors came in the other form or uncounted.

    Raises `Broken` when there is not one vector for each input. mem0ai/mem0#4057, sgl-project/sglang#30434: tools that asked for base64
    meet vendors that never heard of it, and the reverse.
    """
    seen = read_answer(_SEEN, body)
    count = _count_inputs(intent.body)
    if len(seen.data) != count:
        raise Broken(upstream_words=f"{len(seen.data)} vectors for {count} inputs")
    wanted = form_of(fields(intent.body), words.form)
    data = [_as_wanted(item, wanted) for item in seen.data]
    usage = usage_of(seen.usage, words.id)
    is_counted = usage is not None and b'"prompt_tokens"' in bytes(seen.usage)
    if usage is None:
        usage = Usage({Meter.INPUT: estimate_prompt(intent.text_bytes, intent.media)}, is_estimated=True)
    if is_counted and all(new is old for new, old in zip(data, seen.data, strict=True)):
        return Seen(body, usage)
    members: dict[str, Any] = {**_MEMBERS.decode(body), "data": data}
    if not is_counted:
        known = present(seen.usage)
        members["usage"] = {**(fields(known) if usage.raw and known is not None else {}), **_counted(usage)}
    return Seen(msgspec.json.encode(members), usage)


def _count_inputs(body: bytes) -> int:
    said = _MANY.decode(body).input
    is_one = isinstance(said, str) or not bytes(said[0]).startswith((b'"', b"[", b"{"))
    return 1 if is_one else len(said)


def _as_wanted(item: dict[str, msgspec.Raw], wanted: VectorForm | None) -> dict[str, msgspec.Raw]:
    """The same object when it is so already."""
    embedding = bytes(item.get("embedding", NULL)).lstrip()
    is_packed = embedding.startswith(b'"')
    try:
        if not is_packed and not embedding.startswith(b"["):
            raise Broken(upstream_words=f"an embedding that is {embedding[:40].decode('utf-8', 'replace')}")
        if wanted == "base64" and not is_packed:
            return {**item, "embedding": raw(packed_of(Floats(_NUMBERS.decode(embedding))))}
        if wanted == "float" and is_packed:
            return {**item, "embedding": raw(floats_of(Packed(msgspec.json.decode(embedding))))}
    except msgspec.DecodeError as error:
        raise Broken(upstream_words=str(error)) from error
    return item


def usage_of(value: msgspec.Raw | None, dialect: str) -> Usage | None:
    """None when no tokens were counted."""
    if present(value) is None or value is None:
        return None
    said = msgspec.json.decode(value)
    if not isinstance(said, dict):
        return None
    count = count_of(said.get("prompt_tokens"))
    count = count_of(said.get("total_tokens")) if count is None else count
    return None if count is None else Usage({Meter.INPUT: count}, raw=value, dialect=dialect)


def _counted(usage: Usage) -> dict[str, int]:
    tokens = usage.units.get(Meter.INPUT, 0)
    return {"prompt_tokens": tokens, "total_tokens": tokens}
