"""A whole answer, both ways.

Normalised on the way: `index` and a `content` with its `role` are always written, names of members are camelCase. A
blocked prompt, which has no candidates, is one choice without parts that was filtered.
"""

from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from yibu.dialects._json import check_values, lean, merge, present, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.gemini.errors import error_in_body
from yibu.dialects.gemini.finish import MALFORMED, decode_finish, encode_finish
from yibu.dialects.gemini.grounding import decode_grounding, encode_grounding
from yibu.dialects.gemini.logprobs import decode_logprobs, encode_logprobs
from yibu.dialects.gemini.names import masks_of
from yibu.dialects.gemini.parts import decode_part, encode_parts, kind_of
from yibu.dialects.gemini.usage import decode_usage, encode_usage
from yibu.dialects.gemini.wire import ID, Members
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken, InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.masks import unmask
from yibu.hub.parts import Citation, Extras, Part, Text, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish


def decode_reply(body: bytes, asked: ChatRequest | None = None) -> ChatReply:
    """Raises `Broken` when the body is not an answer, and the vendor's error when it is one despite its status."""
    try:
        if body.lstrip().startswith(b"["):
            raise error_in_body(msgspec.json.decode(body))
        check_values(body)
        members = Members(body)
        if members.take("error") is not None:
            raise error_in_body(msgspec.json.decode(body))
        return unmask(_decode(members), masks_of(asked))
    except (msgspec.DecodeError, InvalidRequest, ValueError, RecursionError, OverflowError) as error:
        raise Broken(upstream_words=f"not an answer of this format: {error}") from error


def _decode(members: Members) -> ChatReply:
    id, model = members.text("responseId") or "", members.text("modelVersion") or ""
    usage = members.take("usageMetadata")
    candidates = members.each("candidates")
    blocked = block_of(members.left)
    if not candidates and not blocked and usage is None:
        raise Broken(upstream_words="an answer without candidates")
    found = sorted(
        (_decode_candidate(one, number, id) for number, one in enumerate(candidates)), key=lambda one: one[0]
    )
    choices = tuple(choice for _, choice, _ in found)
    if not choices:
        choices = (Choice(parts=(), finish=Finish("filtered", blocked) if blocked else Finish("error")),)
    extras = members.left
    return ChatReply(
        id=id,
        model=model,
        created=moment_of(extras),
        choices=choices,
        usage=decode_usage(usage, sum(searches for *_, searches in found), model),
        dialect=ID,
        extras=extras,
    )


def block_of(extras: Extras) -> str:
    """Why the prompt was blocked; empty when it was not."""
    feedback = present(extras.get("promptFeedback"))
    if feedback is None:
        return ""
    return text_of(Members(feedback, "$.promptFeedback").take("blockReason")) or ""


def moment_of(extras: Extras) -> int:
    """Unix seconds of `createTime`, 0 when it is not told."""
    told = text_of(extras.get("createTime"))
    try:
        return int(datetime.fromisoformat(told).timestamp()) if told else 0
    except ValueError:
        return 0


def _decode_candidate(candidate: Members, number: int, reply_id: str) -> tuple[int, Choice, int]:
    """Its index, what it is, and how many searches were made for it."""
    index = candidate.whole("index", 0, 1000)
    index = number if index is None else index
    names = Names(reply_id, index)
    parts: list[Part] = []
    content = candidate.inner("content")
    if content is not None:
        for value, path in content.elements("parts"):
            parts += decode_part(value, path, names.give)
    has_calls = any(isinstance(part, ToolCall) for part in parts)
    texts = [part.text for part in parts if isinstance(part, Text)]
    finish = decode_finish(candidate.text("finishReason") or "", has_calls=has_calls)
    left = candidate.left
    cited, searches = decode_grounding(left.get("groundingMetadata"), texts)
    choice = Choice(
        parts=(*parts, *cited), finish=finish, logprobs=decode_logprobs(left.get("logprobsResult")), extras=left
    )
    return index, choice, searches


class Names:
    """Ids for the calls of one candidate to which Google gave none: the same for the same call, else as good as unique."""

    def __init__(self, reply_id: str, index: int) -> None:
        self._reply_id = reply_id
        self._index = index
        self._count = 0

    def give(self, name: str) -> str:
        self._count += 1
        told = f"{self._reply_id}/{self._index}/{self._count}/{name}"
        return "call_" + sha256(told.encode("utf-8", "replace")).hexdigest()[:24]


def encode_reply(reply: ChatReply, losses: Losses) -> bytes:
    """The answer for a caller of this format."""
    scope = Scope(ID, reply.dialect, losses)
    extras = scope.extras("$", reply.extras)
    members: dict[str, Any] = {}
    if not (block_of(extras) and all(not choice.parts and not choice.extras for choice in reply.choices)):
        members["candidates"] = [_encode_choice(one, index, scope) for index, one in enumerate(reply.choices)]
    if reply.usage is not None:
        members["usageMetadata"] = encode_usage(reply.usage)
    members |= {"modelVersion": reply.model or None, "responseId": reply.id or None}
    return msgspec.json.encode(merge(lean(members), extras))


def _encode_choice(choice: Choice, index: int, scope: Scope) -> dict[str, Any]:
    where = f"$.choices[{index}]"
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]
    broken = [part for part in calls if not is_whole(part)]
    parts = [part for part in choice.parts if part not in broken]
    placed = [(f"{where}.parts[{number}]", part) for number, part in enumerate(parts)]
    written = encode_parts(placed, scope, to_caller=True)
    word = encode_finish(choice.finish, is_ours=scope.is_ours)
    members: dict[str, Any] = {"finishReason": word or None, "index": index}
    if broken and choice.finish.kind != "length":
        members |= {"finishReason": MALFORMED, "finishMessage": f"Malformed function call: {broken[0].arguments}"}
    if written:
        members["content"] = {"parts": written, "role": "model"}
    else:
        members["content"] = {"role": "model"} if scope.is_ours else {"parts": [{"text": ""}], "role": "model"}
    extras = scope.extras(where, choice.extras)
    if "groundingMetadata" not in extras:
        members["groundingMetadata"] = encode_grounding(
            [part for part in choice.parts if isinstance(part, Citation)],
            "".join(part.text for part in choice.parts if isinstance(part, Text)),
        )
    if "logprobsResult" not in extras:
        members["logprobsResult"] = encode_logprobs(choice.logprobs)
    return merge(lean(members), extras)


def is_whole(call: ToolCall) -> bool:
    """Its arguments are an object, or nothing."""
    return call.is_custom or not call.arguments.strip() or kind_of(call.arguments) in (dict, type(None))
