"""Whose format a request is in, by its path and headers: where the key stands, and how errors look."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from yibu.sandbox.anthropic import words as anthropic
from yibu.sandbox.bedrock import routes as bedrock_routes
from yibu.sandbox.bedrock import words as bedrock
from yibu.sandbox.gemini import routes as gemini_routes
from yibu.sandbox.gemini import words as gemini
from yibu.sandbox.refusal import Refusal
from yibu.sandbox.response import Whole, json_response


@dataclass(frozen=True, slots=True)
class Vendor:
    """`key_of`: the key in the headers and the query, "" when there is none. `shape`: a refusal as a response."""

    key_of: Callable[[Mapping[str, str], Mapping[str, str]], str]
    keyless: Callable[[], Refusal]
    wrong_key: Callable[[], Refusal]
    shape: Callable[[Refusal], Whole]


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


OPENAI = Vendor(
    key_of=lambda headers, query: _bearer(headers) or headers.get("authorization", ""),
    keyless=lambda: Refusal(401, "You didn't provide an API key."),
    wrong_key=lambda: Refusal(401, "Incorrect API key provided.", code="invalid_api_key"),
    shape=lambda refusal: json_response(refusal.body(), refusal.status, refusal.headers),
)
ANTHROPIC = Vendor(
    key_of=lambda headers, query: headers.get("x-api-key", "") or _bearer(headers),
    keyless=lambda: Refusal(401, "x-api-key header is required"),
    wrong_key=lambda: Refusal(401, "invalid x-api-key"),
    shape=anthropic.shape,
)


GEMINI = Vendor(
    key_of=lambda headers, query: headers.get("x-goog-api-key", "") or query.get("key", "") or _bearer(headers),
    keyless=gemini_routes.keyless,
    wrong_key=lambda: Refusal(400, "", code="invalid_api_key"),
    shape=gemini.shape,
)
BEDROCK = Vendor(
    key_of=lambda headers, query: bedrock.key_of(headers),
    keyless=bedrock.keyless,
    wrong_key=bedrock.wrong_key,
    shape=bedrock.shape,
)
GEMINI_ARRAY = replace(GEMINI, shape=gemini.shape_in_array)


def vendor_of(path: str, headers: Mapping[str, str], query: Mapping[str, str]) -> Vendor:
    """The vendor whose format the request is in; OpenAI for all paths that no other vendor has."""
    if path.startswith("/v1/messages") or (path.startswith("/v1/models") and "anthropic-version" in headers):
        return ANTHROPIC
    if path.startswith("/v1beta/models") or gemini_routes.METHODS.fullmatch(path):
        is_array = path.endswith(":streamGenerateContent") and query.get("alt") != "sse"
        return GEMINI_ARRAY if is_array else GEMINI
    return BEDROCK if bedrock_routes.METHODS.fullmatch(path) else OPENAI
