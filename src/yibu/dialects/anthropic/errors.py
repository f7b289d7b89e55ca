"""The error bodies of Anthropic's interfaces, for callers; and what is particular in those of its vendors.

Shapes: Anthropic, *Errors*, read 2026-11-22. `details.error_code` is the stable code, as Anthropic's own; `details.param`
is the path of the wrong member.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from yibu.dialects import _vendor_errors
from yibu.dialects.dialect import NOWHERE, Target
from yibu.hub.errors import Absent, Busy, Denied, HubError, NoChannel, Refused, UpstreamError

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_SPENT = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached"})
"""Waiting does not help: the operator's account has reached a limit of its own."""
_NO_MODEL = re.compile(r"^model: \S+$")


class AnthropicErrors:
    """The half of a dialect that all of Anthropic's interfaces share."""

    def error_status(self, error: HubError) -> int:
        """A vendor that is overloaded, rather than tired of us, is 529 here: clients wait and try again."""
        is_overload = isinstance(error, Busy) and error.upstream_status >= 500
        return _vendor_errors.OVERLOADED if is_overload or isinstance(error, NoChannel) else error.status

    def encode_error(self, error: HubError, request_id: str) -> bytes:
        status = self.error_status(error)
        code = error.code
        if isinstance(error, Refused) and error.upstream_code:
            code = error.upstream_code
        details: dict[str, Any] = {"error_code": code}
        if error.param:
            details["param"] = error.param
        kind = _TYPES.get(status) or _TYPES[400 if status < 500 else 500]
        about = {"type": kind, "message": error.message, "details": details}
        return msgspec.json.encode({"type": "error", "error": about, "request_id": request_id or None})

    def encode_stream_error(self, error: HubError, request_id: str, target: Target = NOWHERE) -> bytes:
        """The event after which a stream ends: the official SDKs raise on it."""
        return b"event: error\ndata: " + self.encode_error(error, request_id) + b"\n\n"


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """Sorts a vendor's error answer into the situation it means."""
    return _particular(_vendor_errors.decode_error(status, headers, body), body)


def error_in_body(value: Any) -> UpstreamError:
    """An error that came where an answer was expected: with status 200, or in the middle of a stream."""
    return _particular(_vendor_errors.error_in_body(value), msgspec.json.encode(value))


def _particular(error: UpstreamError, body: bytes) -> UpstreamError:
    """An unknown model is told by nothing but its name: `model: claude-y`; a spent limit by a code inside `details`."""
    try:
        said = msgspec.json.decode(body, type=_Said).error
    except (msgspec.DecodeError, ValueError, RecursionError):
        return error
    kind: type[UpstreamError] | None = None
    if said.type == "not_found_error" and _NO_MODEL.match(said.message):
        kind = Absent
    elif said.details is not None and said.details.error_code in _SPENT:
        kind = Denied
    if kind is None:
        return error
    return kind(
        retry_after_s=error.retry_after_s,
        upstream_status=error.upstream_status,
        upstream_code=error.upstream_code,
        upstream_words=error.upstream_words,
    )


class _Details(msgspec.Struct):
    error_code: str | None = None


class _Error(msgspec.Struct):
    type: str = ""
    message: str = ""
    details: _Details | None = None


class _Said(msgspec.Struct):
    error: _Error
