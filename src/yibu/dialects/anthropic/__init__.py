"""Anthropic Messages, and what the hosts that speak it made of it.

Sources: anthropic-sdk-python 2.12.0, Anthropic's pages on Messages, streaming, tools, thinking, caching and errors, and
recorded exchanges; read 2026-11-22.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from yibu.dialects.anthropic import sniff
from yibu.dialects.anthropic.answers import masks_of
from yibu.dialects.anthropic.errors import AnthropicErrors, decode_error
from yibu.dialects.anthropic.headers import request_headers
from yibu.dialects.anthropic.reader import Reader
from yibu.dialects.anthropic.reply import decode_reply, encode_reply
from yibu.dialects.anthropic.request import decode_request, encode_request
from yibu.dialects.anthropic.splice import splice
from yibu.dialects.anthropic.tap import make_tap
from yibu.dialects.anthropic.wire import ID
from yibu.dialects.anthropic.writer import Writer
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.media import MediaKind
from yibu.hub.reply import ChatReply


class Anthropic(AnthropicErrors):
    """`bounds`: limits on what a request may hold."""

    id: ClassVar[str] = ID
    title: ClassVar[str] = "Anthropic Messages"
    operation: ClassVar[Operation] = Operation.CHAT
    needs_ceiling: ClassVar[bool] = True
    by_value: ClassVar[frozenset[MediaKind]] = frozenset()
    stream_accept: ClassVar[str] = "text/event-stream"
    ping: ClassVar[bytes] = b'event: ping\ndata: {"type":"ping"}\n\n'
    routes: ClassVar[tuple[Route, ...]] = (
        Route("POST", "/v1/messages", Operation.CHAT),
        Route("POST", "/v1/messages/count_tokens", Operation.COUNT_TOKENS),
    )

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()

    def within(self, bounds: Bounds) -> "Anthropic":
        return Anthropic(bounds)

    def answer_type(self, intent: Intent) -> str:
        return "text/event-stream; charset=utf-8"

    def request_headers(self, target: Target) -> dict[str, str]:
        return request_headers(target)

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        return sniff.sniff(body, self.bounds, target)

    def splice(self, intent: Intent, model: str) -> bytes:
        return splice(intent, model)

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> ChatRequest:
        return decode_request(body, self.bounds)

    def encode_request(self, request: ChatRequest, losses: Losses) -> bytes:
        return encode_request(request, losses)

    def decode_reply(self, body: bytes, asked: ChatRequest | None = None) -> ChatReply:
        return decode_reply(body, asked)

    def encode_reply(self, reply: ChatReply, losses: Losses, request: ChatRequest | None = None) -> bytes:
        return encode_reply(reply, losses, request)

    def reader(self, asked: ChatRequest | None = None) -> Reader:
        return Reader(masks_of(asked))

    def writer(self, request: ChatRequest, losses: Losses | None = None) -> Writer:
        return Writer(request, losses)

    def tap(self, intent: Intent) -> Tap:
        return make_tap(intent)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)

    def sniff_count(self, body: bytes, target: Target = NOWHERE) -> Intent:
        """A request whose tokens are to be counted: as one for an answer, without `max_tokens`."""
        return sniff.sniff_count(body, self.bounds, target)

    def splice_count(self, intent: Intent, model: str) -> bytes:
        return splice(intent, model)

    def decode_count(self, body: bytes, target: Target = NOWHERE) -> ChatRequest:
        return decode_request(body, self.bounds)

    def encode_count(self, tokens: int) -> bytes:
        return msgspec.json.encode({"input_tokens": tokens})


DIALECT = Anthropic()
