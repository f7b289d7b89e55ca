"""A whole answer of Cohere's."""

import msgspec

from yibu.dialects._answer import read_answer
from yibu.dialects._json import NULL
from yibu.dialects._vendor_errors import error_in_body
from yibu.dialects.cohere_chat.masks import masks_of
from yibu.dialects.cohere_chat.wire import (
    ID,
    LogprobItem,
    WireCall,
    decode_citation,
    decode_finish,
    decode_logprobs,
    decode_usage,
)
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken
from yibu.hub.masks import unmask
from yibu.hub.parts import Opaque, Part, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice


class _Block(msgspec.Struct):
    text: str | None = None
    thinking: str | None = None


class _Message(msgspec.Struct):
    content: list[msgspec.Raw] | None = None
    tool_plan: str | None = None
    tool_calls: list[WireCall] | None = None
    citations: list[msgspec.Raw] | None = None


class _Body(msgspec.Struct):
    id: str = ""
    finish_reason: str = ""
    message: _Message | str | None = None
    usage: msgspec.Raw = NULL
    logprobs: list[LogprobItem] | None = None


_BODY = msgspec.json.Decoder(_Body)
_BLOCK = msgspec.json.Decoder(_Block)


def decode_reply(body: bytes, asked: ChatRequest | None) -> ChatReply:
    """Raises `Broken` when the body is not such an answer, and the error that stands in it: Cohere's are `{"id", "message"}`."""
    wire = read_answer(_BODY, body)
    if isinstance(wire.message, str):
        raise error_in_body({"message": wire.message})
    if wire.message is None:
        raise Broken(upstream_words=body[:500].decode("utf-8", "replace"))
    try:
        parts = _parts(wire.message)
        usage = decode_usage(wire.usage)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as exc:
        raise Broken(upstream_words=f"{exc}: {body[:500].decode('utf-8', 'replace')}") from exc
    finish = decode_finish(wire.finish_reason, has_calls=any(isinstance(part, ToolCall) for part in parts))
    choice = Choice(tuple(parts), finish, logprobs=decode_logprobs(wire.logprobs))
    model = asked.model if asked is not None else ""
    reply = ChatReply(id=wire.id, model=model, choices=(choice,), usage=usage, dialect=ID)
    return unmask(reply, masks_of(asked))


def _parts(message: _Message) -> list[Part]:
    parts = [part for block in message.content or () if (part := _part(block)) is not None]
    parts += [cited for citation in message.citations or () for cited in decode_citation(citation)]
    if message.tool_plan:
        parts.append(Text(message.tool_plan))
    for call in message.tool_calls or ():
        parts.append(msgspec.structs.replace(call.head(), arguments=call.function.arguments or "{}"))
    return parts


def _part(block: msgspec.Raw) -> Part | None:
    wire = _BLOCK.decode(block)
    if wire.thinking is not None:
        return Thinking(wire.thinking) if wire.thinking else None
    if wire.text is not None:
        return Text(wire.text) if wire.text else None
    return Opaque(ID, block)
