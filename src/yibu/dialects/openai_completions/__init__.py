"""OpenAI's legacy completions: a text that the model goes on with.

Source: openai-python 3.54.0 and OpenAI's OpenAPI description of August 2026, read 2026-11-22. Servers of one's own (vLLM, llama.cpp,
Ollama) and DeepSeek speak it for models that fill in code. A model that only chats answers the prompt as a question of the user.
"""

from collections.abc import Mapping
from typing import ClassVar

from yibu.dialects._vendor_errors import decode_error
from yibu.dialects._whole import Seen, WholeTap
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.dialects.openai_chat import sniff as chat
from yibu.dialects.openai_chat.errors import OpenAIErrors
from yibu.dialects.openai_chat.tap import StreamTap
from yibu.dialects.openai_completions.reply import decode_reply, encode_reply
from yibu.dialects.openai_completions.request import decode_request, encode_request, sniff
from yibu.dialects.openai_completions.stream import Reader, Writer
from yibu.dialects.openai_completions.wire import ID
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import UpstreamError
from yibu.hub.estimate import TextMeter
from yibu.hub.loss import Losses
from yibu.hub.media import MediaKind
from yibu.hub.reply import ChatReply


class OpenAICompletions(OpenAIErrors):
    """`needs_ceiling`: without one a vendor stops after 16 tokens."""

    id: ClassVar[str] = ID
    title: ClassVar[str] = "OpenAI Completions (legacy)"
    operation: ClassVar[Operation] = Operation.CHAT
    needs_ceiling: ClassVar[bool] = True
    by_value: ClassVar[frozenset[MediaKind]] = frozenset()
    stream_accept: ClassVar[str] = "text/event-stream"
    ping: ClassVar[bytes] = b": ping\n\n"
    routes: ClassVar[tuple[Route, ...]] = (Route("POST", "/v1/completions", Operation.CHAT),)

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()

    def within(self, bounds: Bounds) -> "OpenAICompletions":
        return OpenAICompletions(bounds)

    def answer_type(self, intent: Intent) -> str:
        return "text/event-stream; charset=utf-8"

    def request_headers(self, target: Target) -> dict[str, str]:
        return {}

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        return sniff(body, self.bounds, target)

    def splice(self, intent: Intent, model: str) -> bytes:
        return chat.splice(intent, model)

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> ChatRequest:
        return decode_request(body, self.bounds)

    def encode_request(self, request: ChatRequest, losses: Losses) -> bytes:
        return encode_request(request, losses)

    def decode_reply(self, body: bytes, asked: ChatRequest | None = None) -> ChatReply:
        return decode_reply(body)

    def encode_reply(self, reply: ChatReply, losses: Losses, request: ChatRequest | None = None) -> bytes:
        return encode_reply(reply, losses, request)

    def reader(self, asked: ChatRequest | None = None) -> Reader:
        return Reader()

    def writer(self, request: ChatRequest, losses: Losses | None = None) -> Writer:
        return Writer(request, losses)

    def tap(self, intent: Intent) -> Tap:
        if intent.is_stream:
            return StreamTap(hides_usage=not intent.wants_usage, holds_words=b'"text"')
        return WholeTap(_look)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)


def _look(body: bytes) -> Seen:
    reply, meter = decode_reply(body), TextMeter()
    meter.feed_reply(reply)
    return Seen(body, reply.usage, meter.tokens)


DIALECT = OpenAICompletions()
