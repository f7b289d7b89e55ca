"""The client under which servers are measured: keeps N connections busy over a raw protocol on uvloop.

Run: `python -m bench.load`. It takes one job as a line of JSON on stdin, opens and warms its connections, prints
`ready`, waits for a line, works, and prints the result as a line of JSON.
"""

import asyncio
import json
import sys
import time
from collections import deque
from typing import NamedTuple, TypedDict, cast

import uvloop


class Job(TypedDict):
    """`calls`: over all connections; `seconds`: it stops then, done or not; `warm`: calls a connection beforehand.

    `is_held`: every connection sends one call, and stays open until another line comes on stdin.
    """

    port: int
    path: str
    key: str
    body: str
    connections: int
    calls: int
    seconds: float
    warm: int
    is_held: bool


class Result(TypedDict):
    """`latency_us`: of every call, sorted; `frames` and `reads`: server-sent events, and packets they came in."""

    calls: int
    failed: int
    seconds: float
    frames: int
    reads: int
    p50_us: float
    p99_us: float


class Answer(NamedTuple):
    status: bytes
    frames: int
    reads: int


class Connection(asyncio.Protocol):
    """Sends the same request again and again; `call` gives a future that ends with the answer's last byte."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._whole: asyncio.Future[Answer] | None = None
        self.began: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def call(self) -> "asyncio.Future[Answer]":
        loop = asyncio.get_running_loop()
        self._head = b""
        self._left = -1
        self._is_chunked = False
        self._frames = self._reads = 0
        self._tail = b""
        self._whole = loop.create_future()
        self.transport.write(self._request)
        return self._whole

    def data_received(self, data: bytes) -> None:
        if self._whole is None:
            return
        self._reads += 1
        if self._left < 0 and not self._is_chunked:
            self._head += data
            head, gap, data = self._head.partition(b"\r\n\r\n")
            if not gap:
                return
            self._read_head(head)
        if self._is_chunked:
            self._frames += data.count(b"\n\n")
            self._tail = (self._tail + data)[-5:]
            if self.began and not self.began.done() and self._frames:
                self.began.set_result(None)
            if self._tail == b"0\r\n\r\n":
                self._end()
        else:
            self._left -= len(data)
            if self._left <= 0:
                self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._whole and not self._whole.done():
            self._whole.set_exception(exc or ConnectionResetError("closed by the server"))

    def _read_head(self, head: bytes) -> None:
        lower = head.lower()
        self._status = head[9:12]
        self._is_chunked = b"transfer-encoding: chunked" in lower
        if not self._is_chunked:
            self._left = int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0])

    def _end(self) -> None:
        if self._whole and not self._whole.done():
            self._whole.set_result(Answer(self._status, self._frames, self._reads))


def _request(job: Job) -> bytes:
    body = job["body"].encode()
    head = (
        f"POST {job['path']} HTTP/1.1\r\nhost: 127.0.0.1:{job['port']}\r\nauthorization: Bearer {job['key']}\r\n"
        f"content-type: application/json\r\naccept: application/json\r\nuser-agent: OpenAI/Python 3.54.0\r\n"
        f"x-stainless-lang: python\r\nx-stainless-runtime: CPython\r\nx-stainless-retry-count: 0\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def work(job: Job) -> Result:
    connections = await _connect(job)
    await asyncio.gather(*(_repeat(one, job["warm"]) for one in connections))
    await _hear("ready")
    latency: list[float] = []
    answers = [0, 0, 0, 0]
    jobs = deque(range(job["calls"]))
    began = time.perf_counter()

    async def worker(connection: Connection) -> None:
        while jobs and time.perf_counter() - began < job["seconds"]:
            jobs.popleft()
            sent = time.perf_counter()
            answer = await connection.call()
            latency.append(time.perf_counter() - sent)
            answers[0] += 1
            answers[1] += answer.status != b"200"
            answers[2] += answer.frames
            answers[3] += answer.reads

    await asyncio.gather(*map(worker, connections))
    took = time.perf_counter() - began
    latency.sort()
    return Result(
        calls=answers[0],
        failed=answers[1],
        seconds=took,
        frames=answers[2],
        reads=answers[3],
        p50_us=latency[len(latency) // 2] * 1e6,
        p99_us=latency[len(latency) * 99 // 100] * 1e6,
    )


async def hold(job: Job) -> Result:
    """Opens one stream a connection, a few at a time, and keeps them."""
    connections = await _connect(job)
    began = time.perf_counter()
    calls: list[asyncio.Future[Answer]] = []
    for connection in connections:
        connection.began = asyncio.get_running_loop().create_future()
        calls.append(connection.call())
        await connection.began
    took = time.perf_counter() - began
    await _hear("ready")
    open_still = sum(not call.done() for call in calls)
    for connection, call in zip(connections, calls, strict=True):
        call.cancel()
        connection.transport.close()
    failed = len(calls) - open_still
    return Result(calls=len(calls), failed=failed, seconds=took, frames=0, reads=0, p50_us=0, p99_us=0)


async def _connect(job: Job) -> list[Connection]:
    loop = asyncio.get_running_loop()
    request = _request(job)
    return [
        (await loop.create_connection(lambda: Connection(request), "127.0.0.1", job["port"]))[1]
        for _ in range(job["connections"])
    ]


async def _repeat(connection: Connection, times: int) -> None:
    for _ in range(times):
        await connection.call()


async def _hear(say: str) -> None:
    print(say, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def main() -> None:
    job: Job = json.loads(sys.stdin.readline())
    print(json.dumps(await (hold if job["is_held"] else work)(job)), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
