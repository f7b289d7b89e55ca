"""What Cursor's agent sends to `/v1/chat/completions`: a request of OpenAI Responses, to be answered as OpenAI Chat.

With a base URL of one's own, Cursor asks for an answer of its agent with `input` instead of `messages`, with flat tools, and with
a free-text tool whose grammar is its patch format; it reads chunks of chat. Its ask mode sends requests of chat.
Sources: BerriAI/litellm#34029, icebear0828/codex-proxy#507 and #707, Soju06/codex-lb#833; read 2026-11-22.
"""

from typing import ClassVar

import msgspec

from yibu.dialects._json import NULL
from yibu.dialects.dialect import NOWHERE, Bounds, Intent, Route, Target
from yibu.dialects.openai_chat import OpenAIChat
from yibu.dialects.openai_responses import sniff
from yibu.dialects.openai_responses.request import decode_request, encode_request
from yibu.hub.chat import ChatRequest
from yibu.hub.loss import Losses
from yibu.hub.options import Streaming


class CursorChat(OpenAIChat):
    """No vendor speaks it, so it is always translated. It has no path of its own: `OpenAIChat.told_apart` finds it."""

    id: ClassVar[str] = "cursor_chat"
    title: ClassVar[str] = "Cursor's agent"
    routes: ClassVar[tuple[Route, ...]] = ()

    def within(self, bounds: Bounds) -> "CursorChat":
        return CursorChat(bounds)

    def sniff(self, body: bytes, target: Target = NOWHERE) -> Intent:
        return sniff.sniff(body, self.bounds)

    def splice(self, intent: Intent, model: str) -> bytes:
        return sniff.splice(intent, model)

    def decode_request(self, body: bytes, target: Target = NOWHERE) -> ChatRequest:
        """The empty `messages` beside `input`, and `include_usage`, are words of chat; streams of Responses always tell their usage."""
        asked = decode_request(body, self.bounds)
        options = dict(asked.stream.extras)
        usage = asked.stream.on and bytes(options.pop("include_usage", NULL)) == b"true"
        return msgspec.structs.replace(
            asked,
            stream=Streaming(on=asked.stream.on, usage=usage, extras=options),
            extras={name: value for name, value in asked.extras.items() if name != "messages"},
        )

    def encode_request(self, request: ChatRequest, losses: Losses) -> bytes:
        return encode_request(request, losses)


DIALECT = CursorChat()
