"""Google's generateContent, as the Gemini API and Vertex AI speak it.

Sources: google-genai 3.4.0, Google's reference of the Gemini API, recorded answers of both services; read 2026-11-22. What the
recordings show beyond the reference stands where it is dealt with.
"""

from collections.abc import Mapping
from typing import ClassVar

from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.dialects.gemini import count, sniff
from yibu.dialects.gemini.errors import GoogleErrors, decode_error
from yibu.dialects.gemini.reader import Reader
from yibu.dialects.gemini.reply import decode_reply, encode_reply
from yibu.dialects.gemini.request import decode_request, encode_request
from yibu.dialects.gemini.tap import make_tap
from yibu.dialects.gemini.target import wants_array
from yibu.dialects.gemini.wire import ID
from yibu.dialects.gemini.writer import Writer
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.media import MediaKind
from yibu.hub.reply import ChatReply


def _routes() -> tuple[Route, ...]:
    """Each call under both versions of the API; tuned models are in one of them."""
    verbs = {
        "generateContent": Operation.CHAT,
        "streamGenerateContent": Operation.CHAT,
        "countTokens": Operation.COUNT_TOKENS,
    }
    places = (("/v1beta/models", ""), ("/v1/models", ""), ("/v1beta/tunedModels", "tunedModels/"))
    return tuple(
        Route("POST", f"{place}/{{model:path}}:{verb}", operation, {"verb": verb, "family": family})
        for place, family in places
        for verb, operation in verbs.items()
    )


class Gemini(GoogleErrors):
    """`bounds`: limits on what a request may hold."""

    id: ClassVar[str] = ID
    title: ClassVar[str] = "Gemini generateContent"
    operation: ClassVar[Operation] = Operation.CHAT
    routes: ClassVar[tuple[Route, ...]] = _routes()
    needs_ceiling: ClassVar[bool] = False
    by_value: ClassVar[frozenset[MediaKind]] = frozenset({"image", "audio", "video", "file"})
    stream_accept: ClassVar[str] = "text/event-stream"
    ping: ClassVar[bytes] = b""
    """google-genai takes a comment for a piece of JSON and fails on it."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()

    def within(self, bounds: Bounds) -> "Gemini":
        return Gemini(bounds)

    def answer_type(self, intent: Intent) -> str:
        return "application/json; charset=UTF-8" if wants_array(intent.target) else "text/event-stream"

    def request_headers(self, target: Target) -> dict[str, str]:
        return {}

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        return sniff.sniff(body, self.bounds, target)

    def splice(self, intent: Intent, model: str) -> bytes:
        return sniff.splice(intent, model)

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> ChatRequest:
        return decode_request(body, self.bounds, target)

    def encode_request(self, request: ChatRequest, losses: Losses) -> bytes:
        return encode_request(request, losses)

    def decode_reply(self, body: bytes, asked: ChatRequest | None = None) -> ChatReply:
        return decode_reply(body, asked)

    def encode_reply(self, reply: ChatReply, losses: Losses, request: ChatRequest | None = None) -> bytes:
        return encode_reply(reply, losses)

    def reader(self, asked: ChatRequest | None = None) -> Reader:
        return Reader(asked)

    def writer(self, request: ChatRequest, losses: Losses | None = None) -> Writer:
        return Writer(request, losses)

    def tap(self, intent: Intent) -> Tap:
        return make_tap(intent)

    def sniff_count(self, body: bytes, target: Target = NOWHERE) -> Intent:
        return count.sniff_count(body, self.bounds, target)

    def splice_count(self, intent: Intent, model: str) -> bytes:
        return count.splice_count(intent, model)

    def decode_count(self, body: bytes, target: Target = NOWHERE) -> ChatRequest:
        return count.decode_count(body, self.bounds, target)

    def encode_count(self, tokens: int) -> bytes:
        return count.encode_count(tokens)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)


DIALECT = Gemini()
