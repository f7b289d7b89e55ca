"""One HTTP request, read whole from ASGI."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from yibu.sandbox.refusal import Refusal

BODY_LIMIT = 64 * 1024 * 1024  # bytes

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Request:
    """`headers`: names in lower case. `query`: the last value wins. `body`: as sent, at most `BODY_LIMIT` bytes."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `Refusal` 400 when it is anything else."""
        try:
            value = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise Refusal(400, f"We could not parse the JSON body of your request: {exc}.") from exc
        if not isinstance(value, dict):
            raise Refusal(400, "The JSON body of your request must be an object.")
        return value

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


async def read_request(scope: MutableMapping[str, Any], receive: Receive) -> Request:
    """Read the whole request. Raises `Refusal` 413 over the limit, `ClientGone` when the body never ends."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = bytes(message.get("body", b""))
        size += len(chunk)
        if size > BODY_LIMIT:
            raise Refusal(413, f"The request is larger than {BODY_LIMIT} bytes.")
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    return Request(
        method=scope["method"],
        path=unquote(scope["path"]),
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers=headers,
        body=b"".join(chunks),
    )
