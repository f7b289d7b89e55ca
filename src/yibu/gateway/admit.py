"""Step 1: whose call this is, and whether one more is welcome."""

import re

from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.hub.errors import NoKey, TooFast
from yibu.identity.callers import Caller
from yibu.kit.rates import Ticket, TooMany

_BEARER = re.compile(r"bearer\s+", re.IGNORECASE)
KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")


async def identify(request: Request, house: House) -> Caller:
    """Raises `NoKey`, `WrongKey`, `DatabaseAway`."""
    return await house.callers.find(key_of(request))


def welcome(caller: Caller, house: House) -> Ticket:
    """Raises `TooFast`. The ticket is released when the call has ended."""
    try:
        return house.rates.admit(caller.key_id, caller.rpm, caller.concurrency)
    except TooMany as exc:
        limit = "calls at the same time" if exc.what == "concurrency" else "calls a minute"
        message = (
            f"This key may not make more {limit}. Wait as `retry-after` says, or ask the operator for a higher limit."
        )
        raise TooFast(message, retry_after_s=exc.retry_after_s) from exc


def key_of(request: Request) -> str:
    """The key, from wherever tools put it; a missing or misspelt `Bearer` is forgiven."""
    for name in KEY_HEADERS:
        value = request.headers.get(name, "").strip()
        if key := _BEARER.sub("", value, count=1).strip():
            return key
    if key := request.query.get("key", "").strip():
        return key
    raise NoKey
