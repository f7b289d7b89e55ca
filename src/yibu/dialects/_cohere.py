"""What Cohere's interfaces have in common: their errors, their paths' helpers, and what they count.

Source: cohere 7.3.1 type definitions and Cohere, *API reference v2*, read 2026-11-22. Errors are `{"id", "message"}`.
"""

from typing import Any

import msgspec

from yibu.dialects._answer import count_of
from yibu.dialects._json import present
from yibu.dialects.dialect import NOWHERE, Target
from yibu.hub.errors import HubError
from yibu.hub.usage import Meter, Usage


class CohereErrors:
    """The half of a dialect that all of Cohere's interfaces share."""

    def error_status(self, error: HubError) -> int:
        return error.status

    def encode_error(self, error: HubError, request_id: str) -> bytes:
        """The path of the wrong member stands in the sentence, because the body has no other place for it."""
        message = f"{error.message} ({error.param})" if error.param else error.message
        return msgspec.json.encode({"id": request_id, "message": message})

    def encode_stream_error(self, error: HubError, request_id: str, target: Target = NOWHERE) -> bytes:
        return self.encode_error(error, request_id)


def usage_of(meta: msgspec.Raw | None, dialect: str) -> Usage | None:
    """`meta.tokens` first, else `meta.billed_units`; None when neither counts anything."""
    if present(meta) is None or meta is None:
        return None
    said = msgspec.json.decode(meta)
    said = said if isinstance(said, dict) else {}
    tokens, billed = _object(said, "tokens"), _object(said, "billed_units")
    into = count_of(tokens.get("input_tokens"))
    into = count_of(billed.get("input_tokens")) if into is None else into
    found = (
        (Meter.INPUT, into),
        (Meter.IMAGE, count_of(billed.get("images")) or None),
        (Meter.SEARCH, count_of(billed.get("search_units")) or None),
    )
    units = {meter: count for meter, count in found if count is not None}
    return Usage(units, raw=meta, dialect=dialect) if units else None


def _object(said: dict[str, Any], key: str) -> dict[str, Any]:
    value = said.get(key)
    return value if isinstance(value, dict) else {}
