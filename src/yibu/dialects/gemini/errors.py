"""Error bodies in Google's shape. Source: Google, *API design guide: errors*, and google-genai 3.4.0, read 2026-11-22.

The SDKs read `code`, `message` and `status`; our stable code is the `reason` of the first detail. Google itself says 400 for a key
that it does not know and for a region that it does not serve, and tells in a detail when to come again.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from yibu.dialects import _vendor_errors
from yibu.dialects.dialect import NOWHERE, Target
from yibu.dialects.gemini.target import wants_array
from yibu.hub.errors import Absent, Busy, Denied, HubError, OutOfCredit, Refused, UpstreamError, WrongKey

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TYPE = "type.googleapis.com/google.rpc."
SSE_END = b"\r\n\r\n"


class GoogleErrors:
    """The half of a dialect that all of Google's interfaces share."""

    def error_status(self, error: HubError) -> int:
        """Google has no 402: an empty balance is an exhausted resource."""
        return 429 if isinstance(error, OutOfCredit) else error.status

    def encode_error(self, error: HubError, request_id: str) -> bytes:
        return msgspec.json.encode({"error": self._about(error, request_id)})

    def encode_stream_error(self, error: HubError, request_id: str, target: Target = NOWHERE) -> bytes:
        """One more event, or the last element of the array, before which there is at least one."""
        body = self.encode_error(error, request_id)
        return b",\r\n" + body + b"\r\n]" if wants_array(target) else b"data: " + body + SSE_END

    def _about(self, error: HubError, request_id: str) -> dict[str, Any]:
        status = self.error_status(error)
        reason = "API_KEY_INVALID" if isinstance(error, WrongKey) else error.code
        if isinstance(error, Refused) and error.upstream_code:
            reason = error.upstream_code
        details: list[dict[str, Any]] = [
            {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "yibu", "metadata": {"requestId": request_id}}
        ]
        if error.param:
            violation = {"field": error.param.removeprefix("$").lstrip("."), "description": error.message}
            details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
        if error.retry_after_s:
            details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{max(round(error.retry_after_s), 1)}s"})
        message = f"{error.message} (request id: {request_id})" if request_id else error.message
        word = _STATUSES.get(status) or _STATUSES[400 if status < 500 else 500]
        return {"code": status, "message": message, "status": word, "details": details}


_KEY_REASONS = ("API_KEY_", "ACCESS_TOKEN_", "CONSUMER_", "SERVICE_DISABLED", "BILLING_DISABLED", "USER_PROJECT_DENIED")
_PLACE_WORDS = re.compile(
    r"user location is not supported|billing (?:to be enabled|is disabled)|free tier is not available", re.I
)
_NO_MODEL = re.compile(r"models?/\S+ is not found|is not supported for \w*generateContent", re.IGNORECASE)
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")
_A_DAY_S = 3600.0
"""How long a quota of the day is left alone; when it is filled again is not told."""


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """Sorts an error answer of Google's into the situation it means."""
    error = _vendor_errors.decode_error(status, headers, body)
    try:
        return _sorted(error, msgspec.json.decode(body))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return error


def error_in_body(value: Any) -> UpstreamError:
    """An error that came where an answer was expected."""
    return _sorted(_vendor_errors.error_in_body(value), value)


def _sorted(error: UpstreamError, value: Any) -> UpstreamError:
    """What the details add to the words."""
    if isinstance(value, list) and value:
        value = value[0]
    told = value.get("error") if isinstance(value, dict) else None
    if not isinstance(told, dict):
        return error
    details = [one for one in told.get("details") or () if isinstance(one, dict)]
    message = told.get("message") if isinstance(told.get("message"), str) else ""
    reasons = [one["reason"] for one in details if isinstance(one.get("reason"), str)]
    kind = type(error)
    if any(reason.startswith(_KEY_REASONS) for reason in reasons) or _PLACE_WORDS.search(message or ""):
        kind = Denied
    elif error.upstream_status == 404 and _NO_MODEL.search(message or ""):
        kind = Absent
    wait = _wait(details) if kind is Busy else None
    if kind is type(error) and wait is None:
        return error
    return kind(
        error.message if kind is type(error) else "",
        param=error.param,
        retry_after_s=error.retry_after_s or wait,
        upstream_status=error.upstream_status,
        upstream_code=error.upstream_code,
        upstream_words=error.upstream_words,
    )


def _wait(details: list[dict[str, Any]]) -> float | None:
    """Seconds until Google wants to be asked again."""
    wait: float | None = None
    for detail in details:
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and (found := _DELAY.fullmatch(delay)):
            wait = max(wait or 0.0, min(float(found[1]), 86_400.0))
        for violation in detail.get("violations") or ():
            if isinstance(violation, dict) and "PerDay" in str(violation.get("quotaId")):
                wait = max(wait or 0.0, _A_DAY_S)
    return wait
