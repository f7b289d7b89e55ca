"""OpenAI's embeddings, and what the vendors who took the format over made of it.

Sources: openai-python 3.54.0 and OpenAI's OpenAPI description of August 2026; Jina, *Embeddings API*; Voyage, *Text embeddings API*
and recorded answers; read 2026-11-22. The answers are the same everywhere: `data[].embedding` as numbers or as base64 of
little-endian float32, and `usage`, of which Voyage tells `total_tokens` only. OpenAI's SDKs ask for base64 when their user says nothing.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from yibu.dialects._json import check_depth, fields, raw
from yibu.dialects._vendor_errors import decode_error
from yibu.dialects._whole import WholeTap
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.dialects.openai_chat.errors import OpenAIErrors
from yibu.dialects.openai_embeddings import reply, request
from yibu.dialects.openai_embeddings.words import Words
from yibu.hub.embed import EmbedReply, EmbedRequest
from yibu.hub.errors import UpstreamError
from yibu.hub.loss import Losses


class OpenAIEmbeddings(OpenAIErrors):
    """`words`: what the members are called; a vendor of the family is a subclass with words of its own."""

    id: ClassVar[str] = "openai_embeddings"
    title: ClassVar[str] = "OpenAI Embeddings"
    operation: ClassVar[Operation] = Operation.EMBED
    routes: ClassVar[tuple[Route, ...]] = (
        Route("POST", "/v1/embeddings", Operation.EMBED),
        Route("POST", "/v1/engines/{model:path}/embeddings", Operation.EMBED),
    )
    words: ClassVar[Words] = Words(id=id)
    most_inputs: ClassVar[int] = 2048

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()

    def within(self, bounds: Bounds) -> "OpenAIEmbeddings":
        return type(self)(bounds)

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        """Raises `InvalidRequest`. The path of old Azure clients names the model, and then the body need not."""
        check_depth(body, self.bounds.depth)
        seen = request.decode_request(body, self.words, target)
        text_bytes, media = request.weigh(seen.inputs)
        return Intent(model=seen.model, body=body, text_bytes=text_bytes, media=media, target=target)

    def splice(self, intent: Intent, model: str) -> bytes:
        return msgspec.json.encode({**fields(intent.body), "model": raw(model)})

    def request_headers(self, target: Target) -> dict[str, str]:
        return {}

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> EmbedRequest:
        return request.decode_request(body, self.words, target)

    def encode_request(self, request_: EmbedRequest, losses: Losses) -> bytes:
        return request.encode_request(request_, self.words, losses)

    def decode_reply(self, body: bytes, asked: EmbedRequest | None = None) -> EmbedReply:
        return reply.decode_reply(body, self.id)

    def encode_reply(self, reply_: EmbedReply, losses: Losses) -> bytes:
        return reply.encode_reply(reply_, self.id, losses)

    def tap(self, intent: Intent) -> Tap:
        return WholeTap(lambda body: reply.put_right(body, intent, self.words))

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)


DIALECT = OpenAIEmbeddings()
