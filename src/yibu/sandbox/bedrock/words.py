"""AWS's errors: a message in the body, its type in a header. Source: AWS, *Converse*, *Errors*, read 2026-11-22; texts as recorded."""

import re
from collections.abc import Collection, Mapping

from yibu.sandbox.members import Words
from yibu.sandbox.refusal import Refusal
from yibu.sandbox.response import Whole, json_response

TYPES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/\d{8}/[\w-]+/bedrock/aws4_request,"
    r"\s*SignedHeaders=[\w;-]*host[\w;-]*,\s*Signature=[0-9a-f]{64}"
)


class BedrockWords(Words):
    def item(self, path: str, number: int) -> str:
        return f"{path}.{number}"

    def missing(self, path: str) -> Refusal:
        return wrong(
            f"1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must not be null"
        )

    def wrong_type(self, path: str, wanted: str, value: object) -> Refusal:
        return wrong(f"Unexpected value at '{path}': expected {wanted}.")

    def wrong_value(self, path: str, why: str) -> Refusal:
        return wrong(why)

    def wrong_choice(self, path: str, value: str, allowed: Collection[str]) -> Refusal:
        said = f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
        return wrong(f"{said}Member must satisfy enum value set: [{', '.join(allowed)}]")

    def unknown(self, path: str, name: str) -> Refusal:
        place = "/".join(["#", *filter(None, path.split("."))])
        return wrong(
            f"Malformed input request: {place}: extraneous key [{name}] is not permitted, please reformat your input and try again."
        )

    def too_low(self, path: str, value: float, least: float) -> Refusal:
        return self._range(path, value, f"greater than or equal to {least:g}")

    def too_high(self, path: str, value: float, most: float) -> Refusal:
        return self._range(path, value, f"less than or equal to {most:g}")

    def _range(self, path: str, value: float, limit: str) -> Refusal:
        said = f"1 validation error detected: Value '{value:g}' at '{path}' failed to satisfy constraint: "
        return wrong(f"{said}Member must have value {limit}")


def wrong(message: str) -> Refusal:
    """A 400 ValidationException."""
    return Refusal(400, message)


def key_of(headers: Mapping[str, str]) -> str:
    """The bearer token, or the access key id of a signature (version 4) that has all its parts; its sum is not checked."""
    given = headers.get("authorization", "")
    if given.startswith("Bearer "):
        return given[7:].strip()
    signed = _SIGNED.fullmatch(given)
    return signed[1] if signed and "x-amz-date" in headers else ""


def keyless() -> Refusal:
    """No credential, or a signature that is not whole."""
    return Refusal(403, "Missing Authentication Token", code="MissingAuthenticationTokenException")


def wrong_key() -> Refusal:
    """A credential that nobody has."""
    return Refusal(403, "The security token included in the request is invalid.", code="UnrecognizedClientException")


def type_of(refusal: Refusal) -> str:
    """The name of the exception."""
    named = refusal.code if (refusal.code or "").endswith("Exception") else None
    return named or TYPES.get(refusal.status, "ValidationException")


def shape(refusal: Refusal) -> Whole:
    """The refusal as AWS answers it; an unknown model is a wrong value."""
    if refusal.code == "model_not_found":
        refusal = wrong("The provided model identifier is invalid.")
    return json_response({"message": refusal.message}, refusal.status, {"x-amzn-errortype": type_of(refusal)})
