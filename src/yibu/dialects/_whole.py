"""A tap for answers that come in one piece: they are understood at their end, and put right where that is needed."""

from collections.abc import Callable
from typing import NamedTuple

from yibu.hub.errors import HubError, UpstreamError
from yibu.hub.estimate import TextMeter
from yibu.hub.reply import ChatReply
from yibu.hub.usage import Usage


class Seen(NamedTuple):
    """What is forwarded of an answer, its usage, and the estimated tokens of the words in it."""

    body: bytes
    usage: Usage | None
    text_units: int = 0


Look = Callable[[bytes], Seen]
"""Raises `UpstreamError` when what came is no answer."""


def chat_look(decode: Callable[[bytes], ChatReply]) -> Look:
    """For an answer in a conversation, which goes on as it is. `decode`: raises `UpstreamError` when it is none."""

    def look(body: bytes) -> Seen:
        reply = decode(body)
        meter = TextMeter()
        meter.feed_reply(reply)
        return Seen(body, reply.usage, meter.tokens)

    return look


class WholeTap:
    """Holds the answer back until it is whole; whoever feeds it bounds its size."""

    def __init__(self, look: Look) -> None:
        self.usage: Usage | None = None
        self.is_finished = False
        self.failed: HubError | None = None
        self.is_told = False
        self.text_units = 0
        self._look = look
        self._body = b""

    def feed(self, chunk: bytes) -> bytes:
        self._body += chunk
        return b""

    def finish(self) -> bytes:
        """The whole answer; nothing of one that cannot be understood."""
        body, self._body = self._body, b""
        try:
            out, self.usage, self.text_units = self._look(body)
        except UpstreamError as error:
            self.failed = error
            return b""
        self.is_finished = True
        return out
