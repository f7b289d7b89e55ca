"""A whole answer, both ways.

What comes to light only at the end of a stream (`container`, `stop_details`, `context_management`) is kept with the choice,
so that streamed and whole answers are the same thing.
"""

from typing import Any

import msgspec

from yibu.dialects._json import NULL, check_values, fields, merge, present, rest
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.answers import masks_of
from yibu.dialects.anthropic.blocks import decode_content, encode_blocks
from yibu.dialects.anthropic.errors import error_in_body
from yibu.dialects.anthropic.finish import decode_finish, encode_finish
from yibu.dialects.anthropic.thinking import SHOWING
from yibu.dialects.anthropic.usage import decode_usage, encode_usage
from yibu.dialects.anthropic.wire import ID
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken, InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.masks import unmask
from yibu.hub.parts import Part, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish

LATE = frozenset({"container", "stop_details", "context_management"})
TOP = frozenset({"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"}) | LATE
MALFORMED = (msgspec.DecodeError, InvalidRequest, ValueError, RecursionError, OverflowError)


class _Body(msgspec.Struct):
    content: list[msgspec.Raw] | str | None = None
    type: str | None = None
    id: str | None = None
    model: str | None = None
    stop_reason: Any = None
    stop_sequence: Any = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_BODY = msgspec.json.Decoder(_Body)


def decode_reply(body: bytes, asked: ChatRequest | None = None) -> ChatReply:
    """Raises `Broken` when the body is not an answer, and the vendor's error when it is one despite its status."""
    try:
        check_values(body)
        wire = _BODY.decode(body)
        if wire.type == "error" or present(wire.error) is not None:
            raise error_in_body(msgspec.json.decode(body))
        if wire.content is None:
            raise Broken(upstream_words="an answer without content")
        members = fields(body)
        parts = tuple(decode_content(wire.content, "$.content"))
    except MALFORMED as error:
        raise Broken(upstream_words=f"not an answer of this format: {error}") from error
    has_calls = any(isinstance(part, ToolCall) for part in parts)
    reply = ChatReply(
        id=wire.id or "",
        model=wire.model or "",
        choices=(
            Choice(
                parts,
                decode_finish(wire.stop_reason, wire.stop_sequence, has_calls=has_calls),
                extras=late_extras(members),
            ),
        ),
        usage=decode_usage(wire.usage),
        dialect=ID,
        extras=rest(members, TOP),
    )
    return unmask(reply, masks_of(asked))


def encode_reply(reply: ChatReply, losses: Losses, request: ChatRequest | None) -> bytes:
    """The answer for a caller of this format, who gets one choice and reads thoughts only if the request asked for them."""
    scope = Scope(ID, reply.dialect, losses)
    if len(reply.choices) > 1:
        scope.lose("$.choices", "one answer has a place here")
    choice = reply.choices[0] if reply.choices else Choice((), Finish("error"))
    parts = shown(choice.parts, request, is_ours=scope.is_ours)
    content = encode_blocks(parts, scope, "$.content", to_caller=True)
    members: dict[str, Any] = {
        "id": encode_id(reply.id, is_ours=scope.is_ours),
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content if content or scope.is_ours else [{"type": "text", "text": ""}],
        **encode_finish(choice.finish, is_ours=scope.is_ours),
        "usage": encode_usage(reply.usage),
    }
    members = merge(members, scope.extras("$", choice.extras))
    return msgspec.json.encode(merge(members, scope.extras("$", reply.extras)))


def encode_id(id: str, *, is_ours: bool) -> str:
    """Ids of this format begin with `msg_`; hosts that speak it may have others."""
    return id if is_ours or id.startswith("msg_") else f"msg_{id}"


def shows_thoughts(request: ChatRequest | None) -> bool:
    """A caller of this format who did not ask for thinking is not prepared for its blocks."""
    return request is None or request.dialect != ID or request.reasoning.member in SHOWING


def shown(parts: tuple[Part, ...], request: ChatRequest | None, *, is_ours: bool) -> list[Part]:
    """The parts without thoughts where they are not wanted; Anthropic's own are, because it wants them back."""
    if is_ours or shows_thoughts(request):
        return list(parts)
    return [
        msgspec.structs.replace(part, seal=None) if isinstance(part, ToolCall) else part
        for part in parts
        if not isinstance(part, Thinking)
    ]


def late_extras(members: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Those of them that come at the end and say something."""
    return {key: value for key, value in members.items() if key in LATE and bytes(value) != b"null"}
