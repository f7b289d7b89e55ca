"""Anthropic's way to name places and tell mistakes: `messages.0.content: Field required`; and its error bodies.

Source: Anthropic, *Errors*, read 2026-11-22; messages as the API's validator words them.
"""

from collections.abc import Collection

from yibu.sandbox.members import Words
from yibu.sandbox.refusal import Refusal
from yibu.sandbox.response import Whole, json_response

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    529: "overloaded_error",
}
REQUEST_ID = "req_sandbox"


class AnthropicWords(Words):
    def at(self, path: str, name: str) -> str:
        return f"{path}.{name}" if path else name

    def item(self, path: str, number: int) -> str:
        return f"{path}.{number}"

    def missing(self, path: str) -> Refusal:
        return wrong(f"{path}: Field required")

    def wrong_type(self, path: str, wanted: str, value: object) -> Refusal:
        return wrong(f"{path}: Input should be {wanted.replace('a ', 'a valid ', 1)}")

    def wrong_value(self, path: str, why: str) -> Refusal:
        return wrong(f"{path}: {why}" if path else why)

    def wrong_choice(self, path: str, value: str, allowed: Collection[str]) -> Refusal:
        *some, last = map(repr, allowed)
        return wrong(f"{path}: Input should be {', '.join(some)}{' or ' if some else ''}{last}")

    def unknown(self, path: str, name: str) -> Refusal:
        return wrong(f"{self.at(path, name)}: Extra inputs are not permitted")

    def too_low(self, path: str, value: float, least: float) -> Refusal:
        return wrong(f"{path}: Input should be greater than or equal to {least:g}")

    def too_high(self, path: str, value: float, most: float) -> Refusal:
        return wrong(f"{path}: Input should be less than or equal to {most:g}")

    def too_long(self, path: str, kind: str, most: int) -> Refusal:
        return wrong(f"{path}: {'String' if kind == 'string' else 'List'} should have at most {most} items")


def wrong(message: str) -> Refusal:
    """A 400."""
    return Refusal(400, message)


def status_of(refusal: Refusal) -> int:
    """Anthropic has a status of its own for too much to do."""
    return 529 if refusal.status == 503 else refusal.status


def error_value(refusal: Refusal) -> dict[str, object]:
    """The body of an error, and of the event `error` in a stream."""
    message = f"model: {refusal.about}" if refusal.code == "model_not_found" else refusal.message
    if status_of(refusal) == 529:
        message = "Overloaded"
    kind = KINDS.get(status_of(refusal), "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": REQUEST_ID}


def shape(refusal: Refusal) -> Whole:
    """The refusal as Anthropic answers it."""
    limits = {"anthropic-ratelimit-requests-remaining": "0"} if refusal.status == 429 else {}
    kept = {name: value for name, value in refusal.headers.items() if not name.startswith("x-ratelimit")}
    return json_response(error_value(refusal), status_of(refusal), {"request-id": REQUEST_ID} | kept | limits)
