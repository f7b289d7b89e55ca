"""Cohere's Chat, version 2, towards Cohere alone: nobody calls us in this format.

Sources: docs.cohere.com/v2/reference/chat and …/chat-stream, the type definitions of cohere 7.3.1, and recorded exchanges with
Command R7B and Command A Reasoning; read 2026-11-22. What the recordings show beside the pages: `tokens` counts the
whole prompt with Cohere's own preamble and tool descriptions, of which `billed_units` leaves most out, and `cached_tokens`
is part of the former; thoughts need no signature, and those of another model are taken, too; a result of a tool
may be plain text.
"""

from collections.abc import Mapping
from typing import ClassVar

from yibu.dialects import _vendor_errors
from yibu.dialects.cohere_chat.reader import Reader
from yibu.dialects.cohere_chat.reply import decode_reply
from yibu.dialects.cohere_chat.request import encode_request
from yibu.dialects.cohere_chat.wire import ID
from yibu.dialects.dialect import Operation, Target
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.media import MediaKind
from yibu.hub.reply import ChatReply


class CohereChat:
    """Requests are written and answers are read."""

    id: ClassVar[str] = ID
    title: ClassVar[str] = "Cohere Chat v2"
    operation: ClassVar[Operation] = Operation.CHAT
    needs_ceiling: ClassVar[bool] = False
    by_value: ClassVar[frozenset[MediaKind]] = frozenset({"audio", "video", "file"})
    stream_accept: ClassVar[str] = "text/event-stream"

    def request_headers(self, target: Target) -> dict[str, str]:
        return {}

    def encode_request(self, request: ChatRequest, losses: Losses) -> bytes:
        return encode_request(request, losses)

    def decode_reply(self, body: bytes, asked: ChatRequest | None = None) -> ChatReply:
        return decode_reply(body, asked)

    def reader(self, asked: ChatRequest | None = None) -> Reader:
        return Reader(asked)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return _vendor_errors.decode_error(status, headers, body)


VENDOR_DIALECT = CohereChat()
