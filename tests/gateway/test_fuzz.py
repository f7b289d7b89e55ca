"""Bytes on the wire that no honest client sends: each gets an answer of ours or the server's, and none a 500."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.house import House, open_house, settings_for

BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
CHAT = b"POST /v1/chat/completions HTTP/1.1"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """It sells nothing, and waits for a body for a moment only."""
    async with open_house(settings_for(tmp_path / "data", limits={"idle_s": 0.2})) as opened:
        yield opened


async def say(house: House, *lines: bytes, body: bytes = b"", key: bool = True) -> tuple[int, bytes]:
    """Status and body of what comes back; status 0 for a connection that is closed without an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(house.url.rpartition(":")[2]))
    more = [b"Authorization: Bearer " + house.key.encode()] if key else []
    writer.write(b"\r\n".join([*lines, *more, b"Connection: close", b"", b""]) + body)
    async with asyncio.timeout(10):
        head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]) if head else 0, answer


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/v1/models/%ff%fe", 404),
        (b"/v1/models/%ed%a0%80", 404),
        (b"/v1/models/%00%0d%0aX:y", 404),
        (b"/v1/models/%zz%f", 404),
        ("/v1/models/模型".encode(), 404),
        (b"/v1/files/..%2f..%2fyibu.db", 404),
        (b"/v1/files/%2e%2e", 404),
        (b"/v1/files/%00", 404),
        (b"/v1/videos/task_%00", 404),
        (b"/web/%ff.%ff", 404),
        (b"/source/%E4%BD%A0.%E5%A5%BD", 404),
        (b"/v1/models?key=%ff&key=%ed%a0%80&;&&=&a", 200),
        (b"/v1/models?" + b"a&" * 20_000, 200),
        (b"http://evil.test/v1/models", 200),
        (b"//evil.test/v1/models", 404),
        (b"*", 404),
        (b"/" + b"a/" * 20_000, 404),
        (b"/metrics", 404),
    ],
)
async def test_odd_targets(house: House, target: bytes, status: int) -> None:
    """A path is text by the time it is looked at, whatever its bytes were."""
    said, answer = await say(house, b"GET " + target + b" HTTP/1.1", b"Host: x")

    assert said == status
    json.loads(answer)


@pytest.mark.parametrize("method", [b"TRACE", b"BREW", b"PUT", b"PATCH", b"DELETE"])
async def test_odd_methods(house: House, method: bytes) -> None:
    status, answer = await say(house, method + b" /v1/models HTTP/1.1", b"Host: x")

    assert status == 405
    assert json.loads(answer)["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "lines",
    [
        (b"GET /v1/models HTTP/1.0",),
        (b"GET /v1/models HTTP/1.1",),
        (b"GET /v1/models HTTP/1.1", b'Host: \xff\xfe"><script>'),
        (b"GET /v1/models HTTP/1.1", b"Host: x", b"Authorization: Bearer no"),
        (b"GET /v1/models HTTP/1.1", b"Host: x", b"X-Odd: \xff\xfe"),
        (b"GET /v1/models HTTP/1.1", b"Host: x", b"Upgrade: websocket"),
        (b"GET /v1/models HTTP/1.1", b"Host: x", b"Range: bytes=9999999999999999999999-"),
    ],
)
async def test_odd_headers(house: House, lines: tuple[bytes, ...]) -> None:
    """Without a host, with two keys (the last counts), with bytes that are no text: the call is the same."""
    status, answer = await say(house, *lines)

    assert (status, json.loads(answer)["object"]) == (200, "list")


@pytest.mark.parametrize("secret", [b"\xff\xfe", b"sk-" + b"a" * 20_000, b"%00"])
async def test_odd_keys(house: House, secret: bytes) -> None:
    status, answer = await say(
        house, b"GET /v1/models HTTP/1.1", b"Host: x", b"Authorization: Bearer " + secret, key=False
    )

    assert (status, json.loads(answer)["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("lines", "body", "code"),
    [
        ((b"Transfer-Encoding: chunked",), b"%x;a=b\r\n%b\r\n0\r\nx: y\r\n\r\n" % (len(BODY), BODY), "model_not_found"),
        ((b"Transfer-Encoding: chunked",), b"zz\r\n", "invalid_request"),
        ((b"Content-Length: %d" % len(BODY), b"Expect: tea"), BODY, "model_not_found"),
        ((b"Content-Length: %d" % (len(BODY) + 3),), b"\xef\xbb\xbf" + BODY, "invalid_request"),
        ((b"Content-Length: 4", b"Content-Encoding: gzip"), b"\x1f\x8b\x08\x00", "invalid_request"),
        ((b"Content-Length: 9999999999",), BODY, "request_too_large"),
        ((), b"", "invalid_request"),
    ],
)
async def test_odd_bodies(house: House, lines: tuple[bytes, ...], body: bytes, code: str) -> None:
    _, answer = await say(house, CHAT, b"Host: x", *lines, body=body)

    assert json.loads(answer)["error"]["code"] == code


async def test_a_body_that_does_not_come(house: House) -> None:
    """Whoever announces more than he sends does not keep a place for ever."""
    status, answer = await say(house, CHAT, b"Host: x", b"Content-Length: 1000", body=BODY)

    assert status == 400
    assert "did not come within 0.2 seconds" in json.loads(answer)["error"]["message"]
    assert house.app.house.metrics.open._value.get() == 0


async def test_bytes_at_random(house: House) -> None:
    """A few hundred damaged requests; afterwards the gateway serves as before."""
    dice = random.Random(1)
    whole = b"\r\n".join(
        [CHAT, b"Host: x", b"Authorization: Bearer " + house.key.encode(), b"Content-Length: %d" % len(BODY)]
    )
    port = int(house.url.rpartition(":")[2])

    async def one(damaged: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(damaged)
        writer.write_eof()
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return answer

    requests = []
    for _ in range(300):
        data = bytearray(whole + b"\r\nConnection: close\r\n\r\n" + BODY)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        requests.append(bytes(data[: dice.randint(1, len(data))] if dice.random() < 0.3 else data))
    answers = [
        answer
        for start in range(0, 300, 50)
        for answer in await asyncio.gather(*map(one, requests[start : start + 50]))
    ]

    assert [answer for answer in answers if answer.startswith(b"HTTP/1.1 5")] == []
    assert (await house.get("/v1/models"))[0] == 200
