"""Tokens estimated without a tokenizer, for the cases in which a vendor does not say what it counted.

One ruler for all: pipe, translation and whole replies bill the same text alike.
"""

import re
from typing import assert_never

import msgspec

from yibu.hub.chat import ChatRequest
from yibu.hub.events import ArgumentsDelta, Event, MediaDelta, TextDelta, ThinkingDelta
from yibu.hub.media import Inline
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.reply import ChatReply

TOKENS_A_MEDIUM = 1000
"""About what vendors count for one picture of common size (OpenAI: 765 for 1024x1024 in high detail; Anthropic: up to 1,600)."""

_TOKENS_A_TURN = 4
"""About what marks a turn."""

_WIDE = re.compile("[\u2e80-\U0010ffff]+")
"""CJK, kana, hangul, full-width forms, emoji: about one token each."""


class TextMeter:
    """Counts the tokens of a text that comes in pieces; where it is cut makes no difference.

    In quarters of a token: a character of ASCII is one, another narrow one two, a wide one four.
    """

    __slots__ = ("_quarters",)

    def __init__(self) -> None:
        self._quarters = 0

    def feed(self, text: str) -> None:
        size = len(text)
        if text.isascii():
            self._quarters += size
            return
        narrow = _WIDE.sub("", text)
        ascii_only = narrow.encode("ascii", "ignore")
        self._quarters += 4 * (size - len(narrow)) + 2 * (len(narrow) - len(ascii_only)) + len(ascii_only)

    def feed_event(self, event: Event) -> None:
        """Counts what a model wrote or said: text, thoughts, arguments of calls, words of a sound."""
        match event:
            case TextDelta() | ThinkingDelta() | ArgumentsDelta():
                self.feed(event.text)
            case MediaDelta():
                self.feed(event.transcript)
            case _:
                pass

    def feed_reply(self, reply: ChatReply) -> None:
        """The same for a whole answer."""
        for choice in reply.choices:
            for part in choice.parts:
                match part:
                    case Text() | Thinking() | Refusal():
                        self.feed(part.text)
                    case ToolCall():
                        self.feed(part.arguments)
                    case Media():
                        self.feed(part.transcript)
                    case _:
                        pass

    @property
    def tokens(self) -> int:
        """Rounded up; 0 only for no text at all."""
        return -(-self._quarters // 4)


def estimate_text(text: str) -> int:
    """Tokens of one whole text."""
    meter = TextMeter()
    meter.feed(text)
    return meter.tokens


def estimate_prompt(text_bytes: int, media: int) -> int:
    """Tokens of a request: `text_bytes` of its body without inline media, `media` pictures, sounds and files in it."""
    return -(-text_bytes // 4) + media * TOKENS_A_MEDIUM


def estimate_request(request: ChatRequest) -> int:
    """Tokens of a conversation and its tools; at least 1, because some clients take 0 for "nobody counted"."""
    meter = TextMeter()
    media = 0
    for turn in request.turns:
        for part in turn.parts:
            media += _feed_part(meter, part)
    for tool in request.tools:
        meter.feed(bytes(msgspec.json.encode(tool)).decode())
    return max(1, meter.tokens + media * TOKENS_A_MEDIUM + _TOKENS_A_TURN * len(request.turns))


def _feed_part(meter: TextMeter, part: Part) -> int:
    """Returns how many media there are in it."""
    match part:
        case Text() | Thinking() | Refusal():
            meter.feed(part.text)
        case ToolCall():
            meter.feed(part.name)
            meter.feed(part.arguments)
        case ToolResult():
            return sum(_feed_part(meter, inner) for inner in part.parts)
        case Opaque():
            meter.feed(bytes(part.data).decode("utf-8", "replace"))
        case Media(kind="file", source=Inline(base64=data, mime=mime)) if mime.startswith("text/"):
            meter.feed(data[: len(data) * 3 // 4])  # as many characters as it has when decoded
        case Media():
            return 1
        case Citation():
            pass
        case _:
            assert_never(part)
    return 0
