"""Google's error bodies, and the words of its JSON parser: `Unknown name "x" at 'contents[0]': Cannot find field.`

Source: Google, *API errors*, *google.rpc.Status*, read 2026-11-22.
"""

import re
from collections.abc import Collection
from typing import Any

import msgspec

from yibu.sandbox.members import Words
from yibu.sandbox.refusal import Refusal
from yibu.sandbox.response import Whole, json_response

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
_TYPES = {
    "a string": "TYPE_STRING",
    "a boolean": "TYPE_BOOL",
    "an integer": "TYPE_INT32",
    "a decimal number": "TYPE_FLOAT",
}
_RPC = "type.googleapis.com/google.rpc."


class GeminiWords(Words):
    """Paths are told in snake_case, whatever the request was written in."""

    def at(self, path: str, name: str) -> str:
        return f"{path}.{snake(name)}" if path else snake(name)

    def missing(self, path: str) -> Refusal:
        return wrong(f"* GenerateContentRequest.{path}: {path.rpartition('.')[2]} is not specified")

    def wrong_type(self, path: str, wanted: str, value: object) -> Refusal:
        shown = msgspec.json.encode(value).decode()
        return wrong(f"Invalid value at '{path}' ({_TYPES.get(wanted, 'TYPE_MESSAGE')}), {shown}")

    def wrong_value(self, path: str, why: str) -> Refusal:
        return wrong(f"* GenerateContentRequest.{path}: {why}" if path else why)

    def wrong_choice(self, path: str, value: str, allowed: Collection[str]) -> Refusal:
        return wrong(f"Invalid value at '{path}' (TYPE_ENUM), \"{value}\"")

    def unknown(self, path: str, name: str) -> Refusal:
        place = f" at '{path}'" if path else ""
        return wrong(f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.')

    def too_low(self, path: str, value: float, least: float) -> Refusal:
        return self.wrong_value(path, f"must be at least {least:g}, but was {value:g}.")

    def too_high(self, path: str, value: float, most: float) -> Refusal:
        return self.wrong_value(path, f"must be at most {most:g}, but was {value:g}.")

    def too_long(self, path: str, kind: str, most: int) -> Refusal:
        return self.wrong_value(path, f"must have at most {most} entries.")


def wrong(message: str) -> Refusal:
    """A 400 INVALID_ARGUMENT."""
    return Refusal(400, message)


def snake(name: str) -> str:
    """`functionCall` → `function_call`."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def camel(name: str) -> str:
    """`function_call` → `functionCall`."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def error_value(refusal: Refusal) -> dict[str, Any]:
    """The body of an error, and of the frame that ends a stream."""
    message = refusal.message
    details: list[dict[str, Any]] = []
    if refusal.code == "model_not_found":
        message = (
            f"models/{refusal.about} is not found for API version v1beta, or is not supported for generateContent. "
            "Call ListModels to see the list of available models and their supported methods."
        )
    elif refusal.code == "invalid_api_key":
        message = "API key not valid. Please pass a valid API key."
        where = {"service": "generativelanguage.googleapis.com"}
        details = [
            {"@type": f"{_RPC}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com", "metadata": where}
        ]
    elif refusal.status == 429:
        message = "You exceeded your current quota, please check your plan and billing details."
        delay = f"{refusal.headers.get('retry-after', '1')}s"
        quota = {
            "quotaMetric": "generate_requests",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
            "quotaValue": "60",
        }
        details = [
            {"@type": f"{_RPC}QuotaFailure", "violations": [quota]},
            {"@type": f"{_RPC}RetryInfo", "retryDelay": delay},
        ]
    elif refusal.status == 503:
        message = "The model is overloaded. Please try again later."
    error = {"code": refusal.status, "message": message, "status": STATUSES.get(refusal.status, "UNKNOWN")}
    return {"error": error | ({"details": details} if details else {})}


def shape(refusal: Refusal) -> Whole:
    """The refusal as Google answers it; no header says when to come back."""
    return json_response(error_value(refusal), refusal.status)


def shape_in_array(refusal: Refusal) -> Whole:
    """The same where an array of answers was asked for."""
    return json_response([error_value(refusal)], refusal.status)
