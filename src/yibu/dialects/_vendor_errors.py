"""A vendor's error answer, in whatever shape it comes, sorted into the situation it means.

Shapes: the error answers of the vendors in `providers`, read 2026-11-22. Vendors' words reach a caller only after
addresses and keys were taken out of them.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import msgspec

from yibu.hub.errors import Absent, Broken, Busy, Denied, Refused, UpstreamError
from yibu.hub.events import Failed

_BILLING = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "billing_hard_limit_reached",
        "billing_not_active",
        "billing_error",
        "insufficient_balance",
        "account_deactivated",
        "access_terminated",
        "arrearage",
        "1113",
    }
)
"""Codes and types that mean the operator's account, not the moment (OpenAI, DeepSeek, DashScope `Arrearage`, Z.ai 1113)."""
_BILLING_WORDS = re.compile(r"insufficient balance|credit balance is too low|余额不足|欠费", re.IGNORECASE)
_POLICY = frozenset({"content_policy_violation", "content_filter", "moderation_blocked", "data_inspection_failed"})
_NO_MODEL = re.compile(
    r"model\b.{0,120}(not exist|not found|not supported)|unknown model|no such model|模型不存在", re.IGNORECASE
)
_STATUS_BY_WORD = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "rate_limit": 429,
    "too_many_requests": 429,
    "resource_exhausted": 429,
    "overloaded_error": 529,
    "invalid_request_error": 400,
    "invalid_argument": 400,
    "authentication_error": 401,
    "permission_denied": 403,
}

_KEY = re.compile(r"\b(?:sk|pk|rk|gsk|xai|key|org|proj|hf|r8|nvapi)[-_][\w*.-]{6,}|AIza[\w-]{10,}|(?i:bearer)\s+\S+")
_PLACE = re.compile(
    r"(?:https?|wss?)://[^\s\"'<>)\]]+|[\w.+-]+@[\w-]+\.[\w.]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"
    r"|\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|ai|cn|dev|cloud|app|co|local|internal|svc)\b(?::\d+)?(?:/[^\s\"']*)?"
    r"|\blocalhost(?::\d+)?",
    re.IGNORECASE,
)
OVERLOADED = 529
"""Not haste of ours: the vendor has too much to do."""
_CODE = re.compile(r"[\w.\-]{1,64}")
_MOST_WORDS = 2000
_MOST_TOLD = 1000
_MOST_WAIT_S = 86_400.0


class Told(msgspec.Struct):
    """What a vendor said, whatever the shape; `status` stands in the body of some, 0 when it does not."""

    message: str = ""
    kind: str = ""
    param: str | None = None
    code: str = ""
    status: int = 0


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """Sorts a vendor's error answer into the situation it means."""
    words = body[:_MOST_WORDS].decode("utf-8", "replace")
    is_page = words.lstrip()[:1] == "<"
    try:
        told = read_told(msgspec.json.decode(body))
    except (msgspec.DecodeError, ValueError, RecursionError):
        told = Told(message="" if is_page else words.strip()[:300])
    if is_page and status not in (401, 402, 429):
        return Broken(upstream_status=status, upstream_words=_KEY.sub("[key]", words), retry_after_s=_wait(headers))
    return sort_error(status, told, words, _wait(headers))


def error_in_body(value: Any) -> UpstreamError:
    """An error that came where an answer was expected: with status 200, or in the middle of a stream."""
    told = read_told(value)
    status = told.status
    if not status:
        hints = [_STATUS_BY_WORD[word] for word in (told.code.lower(), told.kind.lower()) if word in _STATUS_BY_WORD]
        status = hints[0] if hints else 500
    return sort_error(status, told, msgspec.json.encode(value).decode()[:_MOST_WORDS], None)


def failed_of(error: UpstreamError) -> Failed:
    """The same as an event of a stream."""
    is_overload = isinstance(error, Busy) and error.upstream_status == OVERLOADED
    status = OVERLOADED if is_overload else error.status
    return Failed(code=error.upstream_code or error.code, message=error.message, status=status)


def sort_error(status: int, told: Told, words: str, retry_after_s: float | None) -> UpstreamError:
    """The table of situations: what routing does next depends on the class."""
    kind = _situation(status, told)
    code = told.code if _CODE.fullmatch(told.code) else ""
    message = harmless(told.message) if kind is Refused else ""
    param = told.param if kind is Refused and told.param and harmless(told.param) == told.param else None
    return kind(
        message,
        param=param,
        retry_after_s=retry_after_s,
        upstream_status=status,
        upstream_code=_KEY.sub("", code),
        upstream_words=_KEY.sub("[key]", words),
    )


def _situation(status: int, told: Told) -> type[UpstreamError]:
    names = {told.code.lower(), told.kind.lower()}
    if names & _BILLING or (status in (400, 402, 403, 429) and _BILLING_WORDS.search(told.message)):
        return Denied
    if status in (400, 403, 404) and ("model_not_found" in names or _NO_MODEL.search(told.message)):
        return Absent
    if names & _POLICY and status < 500:
        return Refused
    if status in (401, 402, 403):
        return Denied
    if status in (429, 529):
        return Busy
    if status == 404 and (not told.message or "unknown_url" in names):
        return Broken
    if status in (408, 409, 425) or not 400 <= status < 500:
        return Broken
    return Refused


def harmless(message: str) -> str:
    """A vendor's sentence without keys, addresses and hosts; cut at a length that no honest sentence needs.

    Cut first: looking for hosts takes the square of the length, and vendors repeat what a caller sent.
    """
    return _PLACE.sub("[address]", _KEY.sub("[key]", message[:_MOST_TOLD])).strip()[:_MOST_TOLD]


def read_told(value: Any) -> Told:
    """Finds the vendor's words in any of the known shapes.

    `{"error": {…}}`, `{"error": "…"}`, the same in a list of one (Google), `{"message", "type", "code"}` (Mistral, Cohere,
    Bedrock, DashScope), `{"detail": "…"}` and `{"detail": [{"loc", "msg"}]}` (FastAPI), `{"errors": […]}`.
    """
    if isinstance(value, list):
        value = value[0] if value else {}
    if isinstance(value, str):
        return Told(message=value)
    if not isinstance(value, dict):
        return Told()
    for key in ("error", "errors", "detail"):
        inner = value.get(key)
        if key == "detail" and isinstance(inner, list) and inner and isinstance(inner[0], dict) and "msg" in inner[0]:
            path = ".".join(str(step) for step in inner[0].get("loc") or () if step != "body")
            return Told(message=str(inner[0]["msg"]), kind=str(inner[0].get("type", "")), param=path or None)
        if inner:
            told = read_told(inner)
            return Told(
                told.message, told.kind, told.param, told.code, told.status or _number(value.get("status_code"))
            )
    code = value.get("code")
    message = value.get("message")
    kind = value.get("type") or value.get("status")
    told = Told(
        message=message if isinstance(message, str) else "",
        kind=kind if isinstance(kind, str) else "",
        param=value["param"] if isinstance(value.get("param"), str) else None,
        code=str(code) if isinstance(code, str) or (isinstance(code, int) and _number(code) == 0) else "",
        status=_number(value.get("status_code")) or _number(code),
    )
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("raw"), str):
        told.message = _raw_words(metadata["raw"]) or told.message
    return told


def _raw_words(raw: str) -> str:
    """OpenRouter says "Provider returned error" and puts the provider's own answer beside it."""
    if not raw.lstrip().startswith(("{", "[")):
        return raw
    try:
        return read_told(msgspec.json.decode(raw)).message
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ""


def _number(value: Any) -> int:
    """A value that is an HTTP status of an error, else 0."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599 else 0


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds after which the vendor wants to be asked again: `retry-after-ms`, else seconds or a date."""
    try:
        if text := headers.get("retry-after-ms", "").strip():
            return _sane(float(text) / 1000)
        text = headers.get("retry-after", "").strip()
        return _sane(float(text)) if text else None
    except ValueError:
        return _until(text, headers.get("date", ""))


def _until(text: str, sent: str) -> float | None:
    try:
        then = parsedate_to_datetime(text)
        now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
        return _sane((then - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _sane(seconds: float) -> float | None:
    return min(max(seconds, 0.0), _MOST_WAIT_S) if isfinite(seconds) else None
