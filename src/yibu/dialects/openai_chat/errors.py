"""The error bodies of OpenAI's interfaces, written for callers. Shapes: OpenAI, *Error codes*, read 2026-11-22."""

from typing import Any

import msgspec

from yibu.dialects.dialect import NOWHERE, Target
from yibu.hub.errors import HubError, OutOfCredit, Refused

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "request_forbidden",
    429: "rate_limit_error",
    500: "server_error",
    503: "service_unavailable_error",
}


class OpenAIErrors:
    """The half of a dialect that all of OpenAI's interfaces share.

    `message_zh` is an addition of this product family; OpenAI's SDKs leave unknown members of `error` in `body`.
    """

    def error_status(self, error: HubError) -> int:
        """An empty balance is 429 here, with a code by which clients tell it from haste."""
        return 429 if isinstance(error, OutOfCredit) else error.status

    def encode_error(self, error: HubError, request_id: str) -> bytes:
        return msgspec.json.encode({"error": self._about(error, request_id)})

    def encode_stream_error(self, error: HubError, request_id: str, target: Target = NOWHERE) -> bytes:
        """One frame, after which the stream ends without `[DONE]`: the official SDKs raise on it."""
        return b"data: " + self.encode_error(error, request_id) + b"\n\n"

    def _about(self, error: HubError, request_id: str) -> dict[str, Any]:
        status = self.error_status(error)
        kind = _TYPES.get(status) or _TYPES[400 if status < 500 else 500]
        code = error.code
        if isinstance(error, OutOfCredit):
            kind = code
        if isinstance(error, Refused) and error.upstream_code:
            code = error.upstream_code
        message, message_zh = error.message, error.message_zh
        if request_id:
            message = f"{message} (request id: {request_id})"
            message_zh = f"{message_zh}（请求编号：{request_id}）"
        return {"message": message, "type": kind, "param": error.param, "code": code, "message_zh": message_zh}
