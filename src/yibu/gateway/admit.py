"""Step 1: whose call this is, and whether one more is welcome."""

import re
from collections.abc import Iterator

from yibu.gateway.house import House
from yibu.gateway.request import Request
from yibu.hub.errors import NoKey, TooFast
from yibu.identity.callers import Caller
from yibu.identity.keys import PREFIX
from yibu.kit.rates import Ticket, TooMany

_BEARER = re.compile(r"bearer\s+", re.IGNORECASE)
KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key", "mj-api-secret")
KEY_PARAMS = ("key", "api_key")
PLACEHOLDERS = frozenset({"", "bearer", "midjourney-proxy"})
"""What tools send where a key belongs when it is elsewhere."""
IN_PROTOCOL = "openai-insecure-api-key."
"""Of a WebSocket that a browser opens: it can set no headers, so OpenAI's tools name the key as a protocol."""


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
    """The key, from wherever tools put it; a missing or misspelt `Bearer` is forgiven. One of ours wins over others beside
    it: tools send a vendor's key along, too."""
    first = ""
    for key in _keys(request):
        if key.startswith(PREFIX):
            return key
        if not first and key.lower() not in PLACEHOLDERS:
            first = key
    if not first:
        raise NoKey
    return first


def _keys(request: Request) -> Iterator[str]:
    for name in KEY_HEADERS:
        yield _BEARER.sub("", request.headers.get(name, "").strip(), count=1).strip()
    for protocol in request.headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(IN_PROTOCOL):
            yield protocol.strip().removeprefix(IN_PROTOCOL)
    query = request.query
    for name in KEY_PARAMS:
        yield query.get(name, "").strip()
