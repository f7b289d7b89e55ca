"""What is refused, and how OpenAI tells it: `{"error": {"message", "type", "param", "code"}}`, all four always there.

Other vendors' formats make their own shapes of a `Refusal`.
Source: platform.openai.com/docs/guides/error-codes, read 2026-11.
"""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """The request is answered with this status and an error body. `about`: what it is about, such as a model's name."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
        about: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.headers = dict(headers or {})
        self.about = about

    def body(self) -> dict[str, Any]:
        """The JSON value of the error body."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def missing(param: str) -> Refusal:
    """A required member is absent."""
    return Refusal(400, f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param)


def wrong_type(param: str, wanted: str, value: object) -> Refusal:
    """A member has another JSON type than `wanted` (a phrase such as "a string")."""
    found = json_type(value)
    return Refusal(
        400,
        f"Invalid type for '{param}': expected {wanted}, but got {found} instead.",
        code="invalid_type",
        param=param,
    )


def wrong_value(param: str, why: str) -> Refusal:
    """A member has the right type and a value that is not allowed; `why` is a sentence."""
    return Refusal(400, f"Invalid value for '{param}': {why}", code="invalid_value", param=param)


def unknown_model(model: str) -> Refusal:
    """The model's name is not in the list of models."""
    return Refusal(
        404,
        f"The model `{model}` does not exist or you do not have access to it.",
        code="model_not_found",
        param="model",
        about=model,
    )


def json_type(value: object) -> str:
    """A JSON value's type in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
