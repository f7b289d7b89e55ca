"""Anthropic's list of models, at the same address as OpenAI's: a caller with Anthropic's headers gets this one.

Source: Anthropic, *Models*, and anthropic-sdk-python 2.12.0, read 2026-11-22. Only the members that every client needs
are told: the others are the vendor's to know.
"""

from collections.abc import Mapping

import msgspec

from yibu.hub.errors import InvalidRequest

CREATED = "2025-01-01T00:00:00Z"
"""The vendors' dates are not known here; one fixed day is better than one that changes."""
MOST = 1000
USUAL = 20


class WireModel(msgspec.Struct):
    id: str
    display_name: str
    created_at: str = CREATED
    type: str = "model"


class WireModels(msgspec.Struct):
    data: list[WireModel]
    has_more: bool
    first_id: str | None
    last_id: str | None


def is_meant(headers: Mapping[str, str]) -> bool:
    """Whether the caller speaks to Anthropic. `headers` have lower-case names."""
    return "anthropic-version" in headers or "x-api-key" in headers


def encode_models(models: list[WireModel], query: Mapping[str, str]) -> bytes:
    """One page of `limit` models after `after_id` or before `before_id`. Raises `InvalidRequest` for a limit that is none."""
    limit = query.get("limit", str(USUAL))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= len(str(MOST)) and 1 <= int(limit) <= MOST):
        raise InvalidRequest(f"`limit` is a number from 1 to {MOST}.", param="limit")
    most = int(limit)
    ids = [model.id for model in models]
    if (before := query.get("before_id")) in ids:
        rest = models[: ids.index(before)]
        page, has_more = rest[-most:], len(rest) > most
    else:
        after = query.get("after_id")
        rest = models[ids.index(after) + 1 :] if after in ids else models
        page, has_more = rest[:most], len(rest) > most
    first, last = (page[0].id, page[-1].id) if page else (None, None)
    return msgspec.json.encode(WireModels(page, has_more, first, last))


def encode_model(model: WireModel) -> bytes:
    return msgspec.json.encode(model)
