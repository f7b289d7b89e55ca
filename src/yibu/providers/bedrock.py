"""Amazon Bedrock. Docs: docs.aws.amazon.com/bedrock/latest/APIReference (Converse, InvokeModel) and
platform.claude.com/docs/en/api/claude-on-amazon-bedrock, read 2026-11-22."""

from base64 import b64decode
from binascii import Error as NotBase64

import msgspec

from yibu.dialects._eventstream import CONTENT_TYPE, Message, Messages
from yibu.hub.errors import Broken
from yibu.hub.loss import Losses
from yibu.providers._bedrock_auth import BedrockAuth, keys_of
from yibu.providers._quirk import Fields, put
from yibu.providers.provider import Provider, Unwrap

BETAS = frozenset(
    {
        "compact-2026-01-12",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
        "token-efficient-tools-2025-02-19",
        "tool-search-tool-2025-10-19",
    }
)
"""What Bedrock knows of Anthropic's betas; another one makes it refuse the whole call."""
KINDS = {
    "throttlingException": "rate_limit_error",
    "validationException": "invalid_request_error",
    "serviceUnavailableException": "overloaded_error",
    "modelNotReadyException": "overloaded_error",
    "accessDeniedException": "permission_error",
}
"""Exceptions in a stream, in Anthropic's words; the others are errors of the vendor's own."""


class _Chunk(msgspec.Struct):
    bytes: str


class _Kind(msgspec.Struct):
    type: str = ""


class _Said(msgspec.Struct):
    message: str = ""


def in_the_body(fields: Fields, losses: Losses) -> None:
    """Anthropic's version stands in the body here; the model, and whether to stream, in the address."""
    fields.pop("model", None)
    fields.pop("stream", None)
    put(fields, "anthropic_version", "bedrock-2023-05-31")


class ClaudeStream:
    """Takes Anthropic's events out of Amazon's messages, so that they are a stream as Anthropic's own."""

    def __init__(self) -> None:
        self._messages = Messages()
        self._is_over = False

    def feed(self, chunk: bytes) -> bytes:
        if self._is_over:
            return b""
        try:
            return b"".join(self._event(message) for message in self._messages.feed(chunk))
        except (Broken, msgspec.DecodeError, NotBase64):
            return self._error("api_error", "The vendor's answer could not be understood.")

    def _event(self, message: Message) -> bytes:
        if self._is_over:
            return b""
        if message.is_error:
            said = msgspec.json.decode(message.payload or b"{}", type=_Said)
            return self._error(KINDS.get(message.event, "api_error"), said.message)
        if message.event != "chunk":
            return b""
        data = b64decode(msgspec.json.decode(message.payload, type=_Chunk).bytes)
        kind = msgspec.json.decode(data, type=_Kind).type
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)

    def _error(self, kind: str, message: str) -> bytes:
        self._is_over = True
        body = msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}})
        return b"event: error\ndata: %b\n\n" % body


class Bedrock(Provider):
    """Claude in Anthropic's format, OpenAI's open models in theirs, all others by Converse.

    The region stands in the address: `https://bedrock-runtime.eu-central-1.amazonaws.com`.
    """

    id = "bedrock"
    title = "Amazon Bedrock"
    base_url = "https://bedrock-runtime.us-east-1.amazonaws.com"
    auth = BedrockAuth()
    speaks = {
        "anthropic": "/model/{model}/invoke",
        "openai_chat": "/openai/v1/chat/completions",
        "bedrock_converse": "/model/{model}/converse",
    }
    streams = {
        "anthropic": "/model/{model}/invoke-with-response-stream",
        "bedrock_converse": "/model/{model}/converse-stream",
    }
    stream_accepts = {"anthropic": CONTENT_TYPE}
    models_path = "/foundation-models"
    lists_all = False
    quirks = {"anthropic": (in_the_body,)}

    def understands(self, dialect: str, model: str) -> bool:
        """A model's id has its maker in it, perhaps behind a region; profiles of one's own hide it."""
        if "anthropic." in model:
            return dialect == "anthropic"
        return dialect == ("openai_chat" if model.startswith("openai.") else "bedrock_converse")

    def prepare_headers(self, dialect: str, headers: dict[str, str]) -> dict[str, str]:
        headers.pop("anthropic-version", None)
        if betas := headers.pop("anthropic-beta", ""):
            known = [beta for beta in (one.strip() for one in betas.split(",")) if beta in BETAS]
            if known:
                headers["anthropic-beta"] = ",".join(known)
        return headers

    def take_headers(self, dialect: str, headers: dict[str, str], fields: Fields) -> Fields:
        """Betas are a list in the body here; the header is not read."""
        if betas := headers.pop("anthropic-beta", ""):
            put(fields, "anthropic_beta", betas.split(","))
        return fields

    def unwrap(self, dialect: str) -> Unwrap | None:
        return ClaudeStream().feed if dialect == "anthropic" else None

    def models_url(self, base_url: str) -> str:
        """The list is kept at another host of the region."""
        if "bedrock-runtime." not in base_url:
            return ""
        host = "/".join(base_url.split("/")[:3]).replace("bedrock-runtime.", "bedrock.", 1)
        return f"{host}{self.models_path}"

    def home(self, base_url: str, secret: str) -> str:
        keys_of(secret)
        return base_url
