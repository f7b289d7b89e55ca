"""The response object: what it repeats of the request, in the order and with the nulls that OpenAI writes.

Strict clients (Codex, the official SDK) rely on `id`, `object`, `created_at`, `status`, `model`, `output`,
`parallel_tool_calls`, `tool_choice`, `tools` and `usage` being there, from `response.created` on. Order: recordings of
OpenAI of 2026, read 2026-11-22.
"""

from hashlib import sha256
from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, present, text_of

_ECHOED: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}
"""What stands there when the caller said nothing."""
_ALSO = ("conversation", "prompt", "context_management", "prompt_cache_options", "prompt_cache_retention")
"""Repeated only when the caller said it."""
ECHOED = (
    frozenset(_ECHOED)
    | frozenset(_ALSO)
    | {
        "object",
        "completed_at",
        "frequency_penalty",
        "presence_penalty",
        "billing",
        "tool_usage",
    }
)
"""Members of a response that tell nothing about the answer; what tools used is in the meters."""

PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "image_generation_call": "ig",
}


_TIERS = frozenset({"auto", "default", "flex", "scale", "priority"})


def fit_tier(tier: str) -> str | None:
    """OpenAI's word for a class of service; vendors have words of their own for the usual one (Groq says `on_demand`)."""
    return (tier if tier in _TIERS else "default") if tier else None


class Asked(msgspec.Struct, frozen=True):
    """What an answer repeats of its request. `response_id`: the id that the answer has to have, empty when any will do;
    `members`: of the caller's request, as JSON text; `amended`: of those what a vendor of this format was asked otherwise,
    because the conversation was written out for him."""

    response_id: str = ""
    members: Fields = {}
    amended: tuple[str, ...] = ()


def echo(asked: Asked) -> dict[str, Any]:
    """The members of a response that repeat the request."""
    said = {key: value for key in (*_ECHOED, *_ALSO) if (value := present(asked.members.get(key))) is not None}
    found: dict[str, Any] = {**_ECHOED, **said}
    for key in ("reasoning", "text"):
        if key in said:
            found[key] = {**_ECHOED[key], **_object(said[key])}
    if text_of(said.get("service_tier")) == "auto":
        found["service_tier"] = "default"
    if text_of(said.get("conversation")) is not None:
        found["conversation"] = {"id": said["conversation"]}
    return found


def _object(value: msgspec.Raw) -> Fields:
    return fields(value) if bytes(value).lstrip().startswith(b"{") else {}


def response_id(id: str, asked: Asked, *, is_ours: bool) -> str:
    """Ids of this format begin with `resp_`; vendors who speak it may have others."""
    if asked.response_id:
        return asked.response_id
    if is_ours or id.startswith("resp_"):
        return id
    return f"resp_{id}" if id else "resp_0"


def item_id(kind: str, reply: str, index: int) -> str:
    """The id of an item to which nobody gave one: always the same for the same item, else as good as unique."""
    prefix = PREFIXES.get(kind, "item")
    return f"{prefix}_" + sha256(f"{reply}/{index}/{kind}".encode()).hexdigest()[:32]


def build(about: dict[str, Any], repeated: dict[str, Any]) -> dict[str, Any]:
    """`about`: what only this answer has; the members come in OpenAI's order."""
    head: dict[str, Any] = {key: about[key] for key in ("id", "object", "created_at", "status") if key in about}
    return {**head, **repeated, **about}
