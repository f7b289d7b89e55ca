"""OpenAI Chat Completions, and what the vendors who speak it made of it.

Sources: openai-python 3.54.0, OpenAI's OpenAPI description of August 2026, the pages and recorded answers of Groq, Mistral,
DeepSeek, OpenRouter, Z.ai, Cerebras, Hugging Face, Snowflake, Crusoe, Ollama and Google; read 2026-11-22.
"""

from collections.abc import Mapping
from typing import ClassVar

from yibu.dialects._openai_names import masks_of
from yibu.dialects._vendor_errors import decode_error
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.dialects.openai_chat import sniff
from yibu.dialects.openai_chat.errors import OpenAIErrors
from yibu.dialects.openai_chat.newer import wrapped
from yibu.dialects.openai_chat.reader import Reader
from yibu.dialects.openai_chat.reply import decode_reply, encode_reply
from yibu.dialects.openai_chat.request import MOST_STOPS, decode_request, encode_request
from yibu.dialects.openai_chat.tap import make_tap
from yibu.dialects.openai_chat.wire import ID
from yibu.dialects.openai_chat.writer import Writer
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.masks import NO_MASKS, Masks, unmask
from yibu.hub.media import MediaKind
from yibu.hub.reply import ChatReply


class OpenAIChat(OpenAIErrors):
    """`bounds`: limits on what a request may hold."""

    id: ClassVar[str] = ID
    title: ClassVar[str] = "OpenAI Chat Completions"
    operation: ClassVar[Operation] = Operation.CHAT
    needs_ceiling: ClassVar[bool] = False
    by_value: ClassVar[frozenset[MediaKind]] = frozenset({"audio", "file"})
    stream_accept: ClassVar[str] = "text/event-stream"
    ping: ClassVar[bytes] = b": ping\n\n"
    routes: ClassVar[tuple[Route, ...]] = (Route("POST", "/v1/chat/completions", Operation.CHAT),)

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()

    def within(self, bounds: Bounds) -> "OpenAIChat":
        return OpenAIChat(bounds)

    def told_apart(self, body: bytes, target: Target) -> str:
        return sniff.format_of(body)

    def answer_type(self, intent: Intent) -> str:
        return "text/event-stream; charset=utf-8"

    def request_headers(self, target: Target) -> dict[str, str]:
        return {}

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        return sniff.sniff(body, self.bounds)

    def splice(self, intent: Intent, model: str) -> bytes:
        return sniff.splice(intent, model)

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> ChatRequest:
        return decode_request(body, self.bounds)

    def encode_request(self, request: ChatRequest, losses: Losses) -> bytes:
        return encode_request(request, losses)

    def decode_reply(self, body: bytes, asked: ChatRequest | None = None) -> ChatReply:
        return unmask(decode_reply(body), _masks_of(asked))

    def encode_reply(self, reply: ChatReply, losses: Losses, request: ChatRequest | None = None) -> bytes:
        return encode_reply(reply, losses)

    def reader(self, asked: ChatRequest | None = None) -> Reader:
        return Reader(_masks_of(asked))

    def writer(self, request: ChatRequest, losses: Losses | None = None) -> Writer:
        return Writer(request, losses)

    def tap(self, intent: Intent) -> Tap:
        return make_tap(intent)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)


def _masks_of(asked: ChatRequest | None) -> Masks:
    return NO_MASKS if asked is None or asked.dialect == ID else masks_of(asked, wrapped(asked), MOST_STOPS)


DIALECT = OpenAIChat()
