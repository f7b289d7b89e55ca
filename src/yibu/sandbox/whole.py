"""Answers in one piece, in the manner that the model's name asks for."""

import asyncio
from typing import Any

import msgspec

from yibu.sandbox.behaviours import FOREVER_S, HTML_PAGE, Manner, broken, manner_of, refuse
from yibu.sandbox.refusal import unknown_model
from yibu.sandbox.response import Whole


async def manner_for(model: str, own: tuple[str, ...]) -> Manner:
    """The manner of a model: plain for those of `own`. Waits as the manner does.

    Raises `Refusal`: 404 for a name that is none, and on bad days.
    """
    manner = Manner() if model in own else manner_of(model)
    if manner is None:
        raise unknown_model(model)
    refuse(manner)
    if manner.error_after is not None:
        raise broken()
    await asyncio.sleep(FOREVER_S if manner.stall_after is not None else manner.first_byte_s)
    return manner


def deliver(value: Any, manner: Manner) -> Whole:
    """`value` as JSON, whole or spoilt."""
    if manner.status == "html":
        return Whole(HTML_PAGE, status=502, content_type="text/html")
    body = msgspec.json.encode(value)
    if manner.garbage_after is not None:
        return Whole(body[: len(body) // 2] + b"<<<")
    if manner.cut_after is not None:
        return Whole(body[: len(body) // 2], claimed_length=len(body))
    return Whole(body)


def count_in(manner: Manner, tokens: int) -> int | None:
    """What the vendor says it counted; None when it does not tell."""
    if manner.usage == "none":
        return None
    return 999_999_999 if manner.usage == "absurd" else tokens
