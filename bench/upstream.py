"""A vendor with fixed answers that costs next to nothing: OpenAI's chat format over a raw protocol on uvloop.

The request says what it wants: `"stream": true` for a stream of `max_tokens` frames, else one JSON body. The model's
name says how frames come: `fixed-paced` sends one every few milliseconds, each in a packet of its own, `fixed-slow` one
a second; any other name sends them all at once. Run: `python -m bench.upstream`; prints its port.
"""

import asyncio
import json
import re
from typing import cast

import uvloop

PACE_S = 0.005
SLOW_S = 1.0

ANSWER = json.dumps(
    {
        "id": "chatcmpl-9fixed0000000000000000000000",
        "object": "chat.completion",
        "created": 1795305600,
        "model": "fixed",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "A heron stands in the shallow water and waits; the river goes by, and so does the morning. "
                    "When the fish comes it is quick, and afterwards the heron stands as before.",
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 61,
            "completion_tokens": 37,
            "total_tokens": 98,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "system_fingerprint": "fp_fixed",
    }
).encode()


def _event(**members: object) -> bytes:
    head = {"id": "chatcmpl-9fixed0000000000000000000000", "object": "chat.completion.chunk", "created": 1795305600}
    chunk = {**head, "model": "fixed", "system_fingerprint": "fp_fixed", **members}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _choice(delta: dict[str, str], finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}


_USAGE = {"prompt_tokens": 61, "completion_tokens": 37, "total_tokens": 98}
FIRST_EVENT = _event(**_choice({"role": "assistant", "content": ""}))
EVENT = _event(**_choice({"content": " river"}))
LAST_EVENTS = _event(**_choice({}, "stop")) + _event(choices=[], usage=_USAGE) + b"data: [DONE]\n\n"


def _chunk(data: bytes) -> bytes:
    """As HTTP/1.1 transfers a piece of a body of unknown length."""
    return b"%x\r\n%b\r\n" % (len(data), data)


_WHOLE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_fixed\r\ncontent-length: %d\r\n\r\n%b"
    % (len(ANSWER), ANSWER)
)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
_FIRST = _HEAD + _chunk(FIRST_EVENT)
_FRAME = _chunk(EVENT)
_LAST = _chunk(LAST_EVENTS) + b"0\r\n\r\n"

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_FRAMES = re.compile(rb'"max_(?:completion_)?tokens": ?(\d+)')


class Metronome:
    """Gives every stream that is enlisted one frame a beat, with one timer for all of them."""

    def __init__(self, beat_s: float) -> None:
        self._beat_s = beat_s
        self._streams: dict[asyncio.Transport, int] = {}

    def enlist(self, transport: asyncio.Transport, frames: int) -> None:
        if not self._streams:
            asyncio.get_running_loop().call_later(self._beat_s, self._beat)
        self._streams[transport] = frames

    def leave(self, transport: asyncio.Transport) -> None:
        self._streams.pop(transport, None)

    def _beat(self) -> None:
        for transport, left in list(self._streams.items()):
            if left:
                transport.write(_FRAME)
                self._streams[transport] = left - 1
            else:
                del self._streams[transport]
                transport.write(_LAST)
        if self._streams:
            asyncio.get_running_loop().call_later(self._beat_s, self._beat)


_PACED, _SLOW = Metronome(PACE_S), Metronome(SLOW_S)


class Vendor(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, gap, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not gap or (length and len(body) < int(length[1])):
            return
        self._buffer = b""
        self._answer(body)

    def connection_lost(self, exc: Exception | None) -> None:
        _PACED.leave(self._transport)
        _SLOW.leave(self._transport)

    def _answer(self, body: bytes) -> None:
        if b'"stream":true' not in body:
            self._transport.write(_WHOLE)
            return
        wanted = _FRAMES.search(body)
        frames = int(wanted[1]) if wanted else 1
        if b'"fixed-paced"' in body:
            self._transport.write(_FIRST)
            _PACED.enlist(self._transport, frames)
        elif b'"fixed-slow"' in body:
            self._transport.write(_FIRST)
            _SLOW.enlist(self._transport, frames)
        else:
            self._transport.write(_FIRST + _FRAME * frames + _LAST)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
