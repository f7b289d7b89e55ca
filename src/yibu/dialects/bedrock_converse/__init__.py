"""Amazon Bedrock's Converse and ConverseStream, towards Amazon alone: nobody calls us in this format.

Sources: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and …_ConverseStream.html, and recorded
exchanges with Claude, Nova, Qwen and gpt-oss; read 2026-11-22. What they show beside the pages: an answer has no id; text
blocks of a stream begin without a `contentBlockStart`; `inputTokens` leaves out what the cache read and wrote; thoughts
come with a signature only from Claude.
"""

from collections.abc import Mapping
from typing import ClassVar

from yibu.dialects import _vendor_errors
from yibu.dialects._eventstream import CONTENT_TYPE
from yibu.dialects.bedrock_converse.reader import Reader
from yibu.dialects.bedrock_converse.reply import decode_reply
from yibu.dialects.bedrock_converse.request import encode_request
from yibu.dialects.bedrock_converse.wire import ID
from yibu.dialects.dialect import Operation, Target
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.media import MediaKind
from yibu.hub.reply import ChatReply


class BedrockConverse:
    """Requests are written and answers are read."""

    id: ClassVar[str] = ID
    title: ClassVar[str] = "Amazon Bedrock Converse"
    operation: ClassVar[Operation] = Operation.CHAT
    needs_ceiling: ClassVar[bool] = False
    by_value: ClassVar[frozenset[MediaKind]] = frozenset({"image", "audio", "video", "file"})
    stream_accept: ClassVar[str] = CONTENT_TYPE

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


VENDOR_DIALECT = BedrockConverse()
