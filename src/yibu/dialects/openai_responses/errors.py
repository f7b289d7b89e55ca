"""How errors are told inside a stream, and which words a response has for them.

Codex reads only `response.failed`, the official SDK both that and `error`. So a stream of which something was sent ends with
`response.failed`, which repeats what there was; `error` is for a stream of which nobody knows a response.
"""

from typing import Any

import msgspec

from yibu.dialects.dialect import NOWHERE, Target
from yibu.dialects.openai_chat.errors import OpenAIErrors
from yibu.hub.errors import Busy, HubError, InvalidMedia, InvalidRequest, Refused, TooFast

_CODES = frozenset(
    {
        "server_error",
        "rate_limit_exceeded",
        "invalid_prompt",
        "bio_policy",
        "vector_store_timeout",
        "invalid_image",
        "invalid_image_format",
        "invalid_base64_image",
        "invalid_image_url",
        "image_too_large",
        "image_too_small",
        "image_parse_error",
        "image_content_policy_violation",
        "invalid_image_mode",
        "image_file_too_large",
        "unsupported_image_media_type",
        "empty_image_file",
        "failed_to_download_image",
        "image_file_not_found",
    }
)
"""The codes that a failed response can have. Source: openai-python 3.54.0, `ResponseError`."""


def told(error: HubError) -> dict[str, Any]:
    """The member `error` of a failed response."""
    code = getattr(error, "upstream_code", "") or error.code
    if code not in _CODES:
        if isinstance(error, Busy | TooFast):
            code = "rate_limit_exceeded"
        elif isinstance(error, Refused | InvalidRequest | InvalidMedia):
            code = "invalid_prompt"
        else:
            code = "server_error"
    return {"code": code, "message": error.message}


class ResponsesErrors(OpenAIErrors):
    """Bodies are OpenAI's; frames have this format's events."""

    def encode_stream_error(self, error: HubError, request_id: str, target: Target = NOWHERE) -> bytes:
        about = self._about(error, request_id)
        event = {
            "type": "error",
            "code": about["code"],
            "message": about["message"],
            "param": about["param"],
            "sequence_number": 0,
        }
        return frame(event)


def frame(event: dict[str, Any]) -> bytes:
    """One event of a stream; official SDKs dispatch by the name in front of it."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event))
