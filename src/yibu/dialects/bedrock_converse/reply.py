"""A whole answer of Converse."""

from hashlib import blake2b

import msgspec

from yibu.dialects._json import NULL, check_values, raw
from yibu.dialects._vendor_errors import error_in_body
from yibu.dialects.bedrock_converse.masks import masks_of
from yibu.dialects.bedrock_converse.wire import ID, ReasoningContent, decode_finish, decode_usage
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken, InvalidRequest
from yibu.hub.masks import unmask
from yibu.hub.parts import Opaque, Part, Seal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice


class _ToolUse(msgspec.Struct):
    toolUseId: str
    name: str
    input: msgspec.Raw = NULL


class _Cited(msgspec.Struct):
    content: list["_Block"] = []


class _Block(msgspec.Struct):
    text: str | None = None
    toolUse: _ToolUse | None = None
    reasoningContent: ReasoningContent | None = None
    citationsContent: _Cited | None = None


class _Message(msgspec.Struct):
    content: list[msgspec.Raw] = []


class _Output(msgspec.Struct):
    message: _Message | None = None


class _Body(msgspec.Struct):
    output: _Output
    stopReason: str = ""
    usage: msgspec.Raw = NULL


_BODY = msgspec.json.Decoder(_Body)
_BLOCK = msgspec.json.Decoder(_Block)


def decode_reply(body: bytes, asked: ChatRequest | None) -> ChatReply:
    """Raises `Broken` when the body is not such an answer."""
    try:
        check_values(body)
        wire = _BODY.decode(body)
        blocks = wire.output.message.content if wire.output.message else []
        parts = tuple(part for block in blocks for part in _parts(block))
        usage = decode_usage(wire.usage)
    except (msgspec.DecodeError, InvalidRequest, RecursionError, UnicodeDecodeError) as exc:
        raise _what_it_is(body) from exc
    finish = decode_finish(wire.stopReason, has_calls=any(isinstance(part, ToolCall) for part in parts))
    model = asked.model if asked is not None else ""
    reply = ChatReply(id=made_id(body), model=model, choices=(Choice(parts, finish),), usage=usage, dialect=ID)
    return unmask(reply, masks_of(asked))


def made_id(data: bytes) -> str:
    """Amazon gives answers no id: this one is made of the answer itself, which has times and random padding in it."""
    return blake2b(data, digest_size=12).hexdigest()


def _parts(block: msgspec.Raw) -> list[Part]:
    wire = _BLOCK.decode(block)
    if wire.text is not None:
        return [Text(wire.text)] if wire.text else []
    if wire.toolUse is not None:
        call = wire.toolUse
        arguments = bytes(call.input).decode() if bytes(call.input) != b"null" else "{}"
        return [ToolCall(id=call.toolUseId, name=call.name, arguments=arguments)]
    if wire.reasoningContent is not None:
        return [thought(wire.reasoningContent)]
    if wire.citationsContent is not None:
        return [Text(one.text) for one in wire.citationsContent.content if one.text]
    return [Opaque(ID, block)]


def thought(content: ReasoningContent) -> Thinking:
    """Its seal is what Amazon wants back beside the text."""
    if content.reasoningText is None:
        data = {"redactedContent": content.redactedContent}
        return Thinking("", seal=Seal(ID, raw(data)) if content.redactedContent else None)
    text = content.reasoningText
    return Thinking(text.text, seal=sealed(text.signature))


def sealed(signature: str | None) -> Seal | None:
    return Seal(ID, raw({"signature": signature})) if signature else None


def _what_it_is(body: bytes) -> Exception:
    """An error that came with status 200 is told as what it is."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        said = None
    if isinstance(said, dict) and isinstance(said.get("message"), str) and "output" not in said:
        return error_in_body(said)
    return Broken(upstream_words=body[:500].decode("utf-8", "replace"))
