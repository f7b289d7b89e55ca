"""A whole answer, both ways.

What a response repeats of its request tells nothing about the answer: it is kept together in one extra, `echo`, and no other
dialect misses it.
"""

from typing import Any

import msgspec

from yibu.dialects._json import Fields, check_values, fields, raw, rest, text_of
from yibu.dialects._scope import Scope
from yibu.dialects._vendor_errors import error_in_body
from yibu.dialects.openai_responses.finish import decode_finish
from yibu.dialects.openai_responses.items import decode_item, logprobs_of, objects
from yibu.dialects.openai_responses.response import ECHOED, Asked
from yibu.dialects.openai_responses.usage import decode_usage
from yibu.dialects.openai_responses.wire import ID
from yibu.dialects.openai_responses.writer import Writer
from yibu.hub.errors import Broken, InvalidRequest
from yibu.hub.fold import join_logprobs, unfold
from yibu.hub.loss import Losses
from yibu.hub.parts import Extras, Part, ToolCall
from yibu.hub.reply import ChatReply, Choice

_TOP = frozenset(
    {"id", "created_at", "status", "model", "output", "output_text", "usage", "error", "incomplete_details"}
)


class _Body(msgspec.Struct):
    id: str | None = None
    created_at: int | float | None = None
    status: str | None = None
    model: str | None = None
    output: list[Fields] | None = None
    error: Any = None
    incomplete_details: dict[str, Any] | None = None


_BODY = msgspec.json.Decoder(_Body)


def decode_reply(body: bytes) -> ChatReply:
    """Raises `Broken` when the body is not an answer, and the vendor's error when it failed despite its status."""
    try:
        check_values(body)
        wire = _BODY.decode(body)
        if wire.error or wire.status == "failed":
            raise error_in_body({"error": wire.error or {"message": "The response failed."}})
        if wire.output is None:
            raise Broken(upstream_words="an answer without output")
        members = fields(body)
        parts: list[Part] = [part for item in wire.output for part in decode_item(item)]
        has_calls = any(isinstance(part, ToolCall) for part in parts)
        reason = (wire.incomplete_details or {}).get("reason")
        finish = decode_finish(wire.status or "completed", reason or "", has_calls=has_calls)
        return ChatReply(
            id=wire.id or "",
            model=wire.model or "",
            created=int(wire.created_at or 0),
            choices=(Choice(parts=tuple(parts), finish=finish, logprobs=_logprobs(wire.output)),),
            usage=decode_usage(members.get("usage"), members.get("tool_usage")),
            dialect=ID,
            extras=extras_of(members),
        )
    except (msgspec.DecodeError, InvalidRequest, ValueError, RecursionError, OverflowError) as error:
        raise Broken(upstream_words=f"not an answer of this format: {error}") from error


def _logprobs(output: list[Fields]) -> msgspec.Raw | None:
    texts = [own for item in output if text_of(item.get("type")) == "message" for own in objects(item.get("content"))]
    return join_logprobs([found for own in texts if (found := logprobs_of(own)) is not None])


def extras_of(members: Fields) -> Extras:
    """What of a response the hub has no word for; `echo`: what it repeats of its request, nulls included."""
    extras = rest(members, _TOP | ECHOED)
    echoed = {key: value for key, value in members.items() if key in ECHOED}
    return {**extras, "echo": raw(echoed)} if echoed else extras


def encode_reply(reply: ChatReply, losses: Losses, asked: Asked) -> bytes:
    """The answer for a caller of this format."""
    writer = Writer(reply.model, asked, losses)
    for event in unfold(reply):
        writer.feed(event)
    scope = Scope(ID, reply.dialect, losses)
    for number, choice in enumerate(reply.choices):
        if number:
            scope.lose(f"$.choices[{number}]", "a response has one answer")
        scope.extras(f"$.choices[{number}]", choice.extras)
    scope.extras("$", {key: value for key, value in reply.extras.items() if key != "service_tier"})
    return msgspec.json.encode(writer.response())
