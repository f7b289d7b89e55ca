"""What the pipe must know of a whole answer (its usage, how much text it has) without making an answer of the hub.

Answers of the usual shape are read with narrow structs, 6 µs instead of 16 (a short answer); whatever looks different in
any way goes the long way through `decode_reply`, which also says what is wrong with it. Both give the same: the tests
compare them over all recordings.
"""

from typing import Literal

import msgspec

from yibu.dialects._json import NULL, present
from yibu.dialects.openai_chat.reply import decode_reply
from yibu.dialects.openai_chat.usage import decode_usage
from yibu.hub.estimate import TextMeter
from yibu.hub.usage import Usage


class Gist(msgspec.Struct, frozen=True):
    """`text_units`: tokens of all that was said, by our own ruler."""

    usage: Usage | None
    text_units: int


class _Function(msgspec.Struct):
    name: str
    arguments: str


class _Call(msgspec.Struct):
    id: str
    type: Literal["function"]
    function: _Function
    custom: None = None
    extra_content: None = None  # may carry a seal


class _Message(msgspec.Struct):
    """Members that may be spelt in several ways are only known as absent; an empty list stands for absent, too."""

    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_Call] | None = None
    reasoning: None = None
    reasoning_details: None = None
    function_call: None = None
    audio: None = None
    images: None = None
    annotations: list[None] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    index: int = 0
    finish_reason: str | None = None


class _Body(msgspec.Struct):
    choices: list[_Choice]
    id: str | None = None
    created: int | None = None
    model: str | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_BODY = msgspec.json.Decoder(_Body)


def read_gist(body: bytes) -> Gist:
    """Raises what `decode_reply` raises."""
    try:
        wire = _BODY.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _the_long_way(body)
    if present(wire.error) is not None:
        return _the_long_way(body)
    meter = TextMeter()
    for choice in wire.choices:
        message = choice.message
        for text in (message.reasoning_content, message.content, message.refusal):
            if text:
                meter.feed(text)
        for call in message.tool_calls or ():
            meter.feed(call.function.arguments)
    return Gist(decode_usage(wire.usage), meter.tokens)


def _the_long_way(body: bytes) -> Gist:
    reply = decode_reply(body)
    meter = TextMeter()
    meter.feed_reply(reply)
    return Gist(reply.usage, meter.tokens)
