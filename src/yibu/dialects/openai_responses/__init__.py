"""OpenAI Responses, and what the vendors who speak it made of it.

Sources: openai-python 3.54.0, OpenAI's OpenAPI description of August 2026, recorded answers of OpenAI, Azure, DeepSeek,
OpenRouter and Bedrock; read 2026-11-22.
"""

from collections.abc import Mapping
from typing import ClassVar, cast

import msgspec

from yibu.dialects._json import NULL, fields, present
from yibu.dialects._openai_names import masks_of
from yibu.dialects._vendor_errors import decode_error
from yibu.dialects._whole import WholeTap, chat_look
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Operation, Route, Tap, Target
from yibu.dialects.openai_responses import sniff
from yibu.dialects.openai_responses.errors import ResponsesErrors, frame, told
from yibu.dialects.openai_responses.reader import Reader
from yibu.dialects.openai_responses.reply import decode_reply, encode_reply
from yibu.dialects.openai_responses.request import decode_request, encode_request
from yibu.dialects.openai_responses.response import Asked
from yibu.dialects.openai_responses.tap import Amending, StreamTap
from yibu.dialects.openai_responses.wire import ID
from yibu.dialects.openai_responses.writer import Writer
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import HubError, UpstreamError
from yibu.hub.loss import Losses
from yibu.hub.masks import NO_MASKS, Masks, unmask
from yibu.hub.media import MediaKind
from yibu.hub.reply import ChatReply

COUNTED = frozenset(
    {
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "text",
        "reasoning",
        "conversation",
        "previous_response_id",
        "truncation",
        "parallel_tool_calls",
        "personality",
    }
)
"""What the counting of tokens takes. Source: openai-python 3.54.0, `InputTokenCountParams`."""


class OpenAIResponses(ResponsesErrors):
    """`bounds`: limits on what a request may hold; `asked`: the one request that this object answers, None for any."""

    id: ClassVar[str] = ID
    title: ClassVar[str] = "OpenAI Responses"
    operation: ClassVar[Operation] = Operation.CHAT
    needs_ceiling: ClassVar[bool] = False
    by_value: ClassVar[frozenset[MediaKind]] = frozenset({"audio", "video"})
    stream_accept: ClassVar[str] = "text/event-stream"
    ping: ClassVar[bytes] = b": ping\n\n"
    routes: ClassVar[tuple[Route, ...]] = (
        Route("POST", "/v1/responses", Operation.CREATE_RESPONSE),
        Route("POST", "/v1/responses/input_tokens", Operation.COUNT_RESPONSE),
        Route("GET", "/v1/responses/{response}", Operation.SHOW_RESPONSE),
        Route("DELETE", "/v1/responses/{response}", Operation.DELETE_RESPONSE),
        Route("POST", "/v1/responses/{response}/cancel", Operation.CANCEL_RESPONSE),
        Route("GET", "/v1/responses/{response}/input_items", Operation.RESPONSE_ITEMS),
    )

    def __init__(self, bounds: Bounds | None = None, asked: Asked | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._asked = asked
        self._writer: Writer | None = None
        self._tap: StreamTap | None = None

    def within(self, bounds: Bounds) -> "OpenAIResponses":
        return OpenAIResponses(bounds)

    def answering(self, asked: Asked) -> "OpenAIResponses":
        """The same format for one request, whose answers repeat it, and whose errors come as a failed response."""
        return OpenAIResponses(self.bounds, asked)

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
        return encode_reply(reply, losses, self._asked or _asked_of(request))

    def reader(self, asked: ChatRequest | None = None) -> Reader:
        return Reader(_masks_of(asked))

    def writer(self, request: ChatRequest, losses: Losses | None = None) -> Writer:
        writer = Writer(request.model, self._asked or _asked_of(request), losses)
        if self._asked is not None:
            self._writer, self._tap = writer, None
        return writer

    def tap(self, intent: Intent) -> Tap:
        amended = {key: self._asked.members.get(key, NULL) for key in self._asked.amended} if self._asked else {}
        if not intent.is_stream:
            whole = WholeTap(chat_look(decode_reply))
            return cast(Tap, Amending(whole, amended)) if amended else whole
        tap = StreamTap()
        if self._asked is not None:
            self._tap, self._writer = tap, None
        return cast(Tap, Amending(tap, amended)) if amended else tap

    def encode_stream_error(self, error: HubError, request_id: str, target: Target = NOWHERE) -> bytes:
        """Of a response that was being told, its failure; else an `error` event."""
        if self._writer is not None:
            return self._writer.fail(error)
        if self._tap is not None and present(self._tap.response) is not None:
            about = {**fields(self._tap.response), "status": "failed", "error": told(error)}
            number = self._tap.number + 1
            return frame({"type": "response.failed", "response": about, "sequence_number": number})
        return super().encode_stream_error(error, request_id)

    def sniff_count(self, body: bytes, target: Target = NOWHERE) -> Intent:
        return sniff.sniff(body, self.bounds)

    def splice_count(self, intent: Intent, model: str) -> bytes:
        """OpenAI refuses members here that it takes for an answer."""
        members = {key: value for key, value in fields(sniff.splice(intent, model)).items() if key in COUNTED}
        return msgspec.json.encode(members)

    def decode_count(self, body: bytes, target: Target = NOWHERE) -> ChatRequest:
        return decode_request(body, self.bounds)

    def encode_count(self, tokens: int) -> bytes:
        return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": tokens})

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return decode_error(status, headers, body)


def _masks_of(asked: ChatRequest | None) -> Masks:
    return NO_MASKS if asked is None or asked.dialect == ID else masks_of(asked)


def _asked_of(request: ChatRequest | None) -> Asked:
    """What an answer repeats, as far as the hub knows of it."""
    try:
        return Asked() if request is None else Asked(members=fields(encode_request(request, [])))
    except HubError:  # of another dialect, and nothing that could be asked in this one
        return Asked()


DIALECT = OpenAIResponses()
