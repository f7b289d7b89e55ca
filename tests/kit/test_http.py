import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from yibu.kit.http import BodyTooLarge, Client, ConnectFailed, ReadFailed, Response, SendFailed, TimedOut

Answer = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number

    async def request(self) -> bytes:
        """Head and body of the next request; empty when the client has closed."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return b""
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        return head + await self.reader.readexactly(length)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Upstream:
    """A server on loopback that answers each connection by `answer`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.connections = 0
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Upstream"]:
        tasks: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            self.connections += 1
            try:
                await self._answer(Peer(reader, writer, self.connections))
            except ConnectionError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/chat?a=%2Fb"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(max_connections=8)
    yield client
    await client.close()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Answer], Awaitable[Upstream]]]:
    async with AsyncExitStack() as stack:

        async def start(answer: Answer) -> Upstream:
            return await stack.enter_async_context(Upstream(answer).running())

        yield start


Serve = Callable[[Answer], Awaitable[Upstream]]


async def ask(
    client: Client, url: str, method: str = "POST", body: bytes = b"{}", first_s: float = 5, idle_s: float = 5
) -> Response:
    return await client.request(
        method,
        url,
        headers={"authorization": "Bearer sk-1", "content-type": "application/json"},
        body=body,
        connect_timeout_s=2,
        first_byte_timeout_s=first_s,
        idle_timeout_s=idle_s,
    )


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def keep_answering(peer: Peer) -> None:
    while await peer.request():
        await peer.send(OK)


async def test_a_call_goes_out_as_given(client: Client, serve: Serve) -> None:
    """Path, headers and body arrive unchanged; the client adds no accept, no cookies, and asks for identity."""
    seen: list[bytes] = []

    async def answer(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(
            b"HTTP/1.1 201 Created\r\nX-One: 1\r\nx-one: 2\r\nSet-Cookie: a=b\r\ncontent-length: 2\r\n\r\nok"
        )
        seen.append(await peer.request())
        await peer.send(OK)

    upstream = await serve(answer)
    first = await ask(client, upstream.url, body=b'{"a":1}')
    assert (first.status, first.headers["x-one"], await first.read(10)) == (201, "1, 2", b"ok")
    await first.close()
    await (await ask(client, upstream.url)).close()

    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/chat?a=%2Fb HTTP/1.1"
    assert sorted(line.lower() for line in lines[1:]) == [
        "accept-encoding: identity",
        "authorization: bearer sk-1",
        "content-length: 7",
        "content-type: application/json",
        f"host: 127.0.0.1:{upstream.port}",
        "user-agent: yibu",
    ]
    assert body == b'{"a":1}'
    assert b"cookie" not in seen[1].lower()


async def test_a_get_has_no_body(client: Client, serve: Serve) -> None:
    """A GET carries no length, an empty POST carries a length of zero, and the answer to a HEAD ends with its head."""
    seen: list[bytes] = []

    async def answer(peer: Peer) -> None:
        for _ in range(3):
            seen.append(await peer.request())
            await peer.send(OK if not seen[-1].startswith(b"HEAD") else OK[:-2])

    upstream = await serve(answer)
    for method, said in (("GET", b"ok"), ("POST", b"ok"), ("HEAD", b"")):
        response = await ask(client, upstream.url, method, b"")
        assert await response.read(10) == said
        await response.close()

    assert [b"content-length" in head.lower() for head in seen] == [False, True, False]
    assert b"content-length: 0\r\n" in seen[1].lower()
    assert upstream.connections == 1


@pytest.mark.parametrize("header", [{"x-a": "1\r\nx-b: 2"}, {"x-a": "1\n"}, {"x\r\ny": "1"}])
async def test_a_header_stays_one_line(client: Client, serve: Serve, header: dict[str, str]) -> None:
    """A line break in a header is refused, and nothing is sent."""
    upstream = await serve(keep_answering)

    with pytest.raises(ValueError, match="line break"):
        await client.request(
            "POST", upstream.url, headers=header, connect_timeout_s=1, first_byte_timeout_s=1, idle_timeout_s=1
        )
    assert upstream.connections == 0


async def test_credentials_in_the_address(client: Client, serve: Serve) -> None:
    """`user:password@` in the address becomes a basic authorization, as it does everywhere."""
    seen: list[bytes] = []

    async def answer(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(OK)

    upstream = await serve(answer)
    await (await ask(client, upstream.url.replace("http://", "http://user:word@"))).close()

    assert seen[0].lower().count(b"authorization:") == 1
    assert b"authorization: basic dXNlcjp3b3Jk\r\n".lower() in seen[0].lower()
    assert f"host: 127.0.0.1:{upstream.port}\r\n".encode() in seen[0].lower()


async def test_a_certificate_that_nobody_vouches_for(client: Client) -> None:
    """TLS is verified: the call is not sent to a server that only says who it is."""
    calls: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "tls" / "self-signed.pem")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    with pytest.raises(ConnectFailed, match="certificate"):
        await ask(client, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    server.close()

    assert calls == []


async def test_connections_are_kept(client: Client, serve: Serve) -> None:
    """Calls one after the other share a connection, whether the body was read in pieces or at once."""
    upstream = await serve(keep_answering)
    for turn in range(6):
        response = await ask(client, upstream.url)
        if turn % 2:
            assert await response.read(100) == b"ok"
        else:
            assert [chunk async for chunk in response.chunks()] == [b"ok"]
        await response.close()
        await response.close()

    assert upstream.connections == 1


async def test_chunks_are_taken_out_of_their_wrapping(client: Client, serve: Serve) -> None:
    """A piece out of which nothing comes yet is no chunk."""
    received = asyncio.Semaphore(0)

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        for piece in (b"a", b"-", b"b"):
            await peer.send(b"1\r\n%b\r\n" % piece)
            await received.acquire()
        await peer.send(b"0\r\n\r\n")

    def unwrap(piece: bytes) -> bytes:
        received.release()
        return piece.upper() if piece.isalpha() else b""

    upstream = await serve(answer)
    response = await ask(client, upstream.url)
    response.unwrap = unwrap

    assert [chunk async for chunk in response.chunks()] == [b"A", b"B"]


async def test_chunks_come_as_they_arrive(client: Client, serve: Serve) -> None:
    """The next event is sent only when the one before was received: nothing waits in a buffer."""
    received = asyncio.Semaphore(0)

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        for number in range(5):
            await peer.send(b"8\r\ndata: %d\n\r\n" % number)
            await received.acquire()
        await peer.send(b"0\r\n\r\n")

    upstream = await serve(answer)
    response = await ask(client, upstream.url)
    chunks = []
    async for chunk in response.chunks():
        chunks.append(chunk)
        received.release()

    assert chunks == [b"data: %d\n" % number for number in range(5)]


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"64\r\nhel",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 40\r\n\r\n"
        + gzip.compress(b"a" * 99, mtime=0)[:20],
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_body_that_breaks_off_is_an_error(client: Client, serve: Serve, start: bytes, at_once: bool) -> None:
    """A body that ends before its length or its last chunk never looks complete."""

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(start)
        if not at_once:
            await asyncio.sleep(0.02)

    upstream = await serve(answer)
    with pytest.raises(ReadFailed):
        await (await ask(client, upstream.url)).read(1000)
    with pytest.raises(ReadFailed):
        async for _ in (await ask(client, upstream.url)).chunks():
            pass


async def test_a_reset_is_not_an_end(client: Client, serve: Serve) -> None:
    """A body that ends with its connection is complete after a close, and broken after a reset."""
    reset = False

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        await asyncio.sleep(0.02)
        if reset:
            peer.reset()

    upstream = await serve(answer)
    assert await (await ask(client, upstream.url)).read(1000) == b"hello"
    reset = True

    with pytest.raises(ReadFailed):
        await (await ask(client, upstream.url)).read(1000)


async def test_nobody_listens(client: Client) -> None:
    """A refused connection is `ConnectFailed`: nothing was sent, the call may go elsewhere."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectFailed) as failed:
            await ask(client, f"http://127.0.0.1:{unused.getsockname()[1]}/")

    assert not failed.value.is_ambiguous


@pytest.mark.parametrize("url", ["http://no-such-host.invalid/", "http:///x", "nonsense", f"http://{'a' * 70}.x/"])
async def test_an_address_that_leads_nowhere(client: Client, url: str) -> None:
    """A name that does not resolve and a text that is no address are `ConnectFailed`, too."""
    with pytest.raises(ConnectFailed):
        await ask(client, url)


async def test_connecting_takes_too_long(serve: Serve) -> None:
    """Waiting for a connection is bounded, and nothing was sent then."""
    gate = asyncio.Event()

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        await gate.wait()

    upstream = await serve(answer)
    client = Client(max_connections=1)
    running = await ask(client, upstream.url)
    with pytest.raises(TimedOut) as late:
        await client.request(
            "POST", upstream.url, headers={}, connect_timeout_s=0.05, first_byte_timeout_s=5, idle_timeout_s=5
        )
    await running.close()
    await client.close()

    assert (late.value.stage, late.value.is_ambiguous) == ("connect", False)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\ncontent-le", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_no_answer_in_time(client: Client, serve: Serve, start: bytes) -> None:
    """Headers that do not come in time are `first_byte`, also when some bytes did; the upstream sees the close."""
    closed = asyncio.Event()

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(start)
        await peer.reader.read()
        closed.set()

    upstream = await serve(answer)
    with pytest.raises(TimedOut) as late:
        await client.request(
            "POST", upstream.url, headers={}, connect_timeout_s=0.05, first_byte_timeout_s=0.05, idle_timeout_s=5
        )
    await asyncio.wait_for(closed.wait(), 2)

    assert (late.value.stage, late.value.is_ambiguous) == ("first_byte", True)


async def test_a_body_that_nobody_takes_is_bounded(client: Client, serve: Serve) -> None:
    """An upstream that does not read a large body runs into the same limit."""

    async def answer(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(60)

    upstream = await serve(answer)
    with pytest.raises(TimedOut, match="first_byte"):
        await client.request(
            "POST",
            upstream.url,
            headers={},
            body=bytes(20_000_000),
            connect_timeout_s=0.1,
            first_byte_timeout_s=0.1,
            idle_timeout_s=5,
        )


async def test_a_silent_body_times_out(client: Client, serve: Serve) -> None:
    """Silence within the body is `idle`; every byte starts the wait anew."""

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        for _ in range(4):
            await asyncio.sleep(0.1)
            await peer.send(b"2\r\nok\r\n")
        await asyncio.sleep(60)

    upstream = await serve(answer)
    response = await ask(client, upstream.url, idle_s=0.25)
    chunks = []
    with pytest.raises(TimedOut) as late:  # noqa: PT012
        async for chunk in response.chunks():
            chunks.append(chunk)
    await response.close()

    assert late.value.stage == "idle"
    assert chunks == [b"ok"] * 4


async def test_a_slow_reader_is_not_silence(client: Client, serve: Serve) -> None:
    """While we do not read, the upstream is held back, and that does not count as idle."""
    total = 30_000_000
    sent = 0

    async def answer(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        # Headers and a lot of body together: the client is full before the headers are looked at.
        sent = 1_000_000
        peer.writer.transport.set_write_buffer_limits(0)
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total + bytes(sent))
        while sent < total:
            await peer.send(bytes(100_000))
            sent += 100_000

    upstream = await serve(answer)
    response = await ask(client, upstream.url, idle_s=0.2)
    await asyncio.sleep(0.5)
    held = sent
    received = 0
    async for chunk in response.chunks():
        if not received:
            await asyncio.sleep(0.5)
        received += len(chunk)

    assert held < total
    assert received == total


async def test_closing_early_closes_the_connection(client: Client, serve: Serve) -> None:
    """An upstream that is still writing learns that nobody listens any more."""
    gone = asyncio.Event()

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + b"2\r\nok\r\n")
        await peer.reader.read()
        gone.set()

    upstream = await serve(answer)
    response = await ask(client, upstream.url)
    async for _ in response.chunks():
        break
    await response.close()

    await asyncio.wait_for(gone.wait(), 2)


@pytest.mark.parametrize("length", [b"content-length: 11\r\n\r\n", b"\r\n"])
async def test_a_body_may_not_pass_its_limit(client: Client, serve: Serve, length: bytes) -> None:
    """`read` stops at its limit, with and without an announced length, and exactly the limit is fine."""

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\n" + length + b"hello world")

    upstream = await serve(answer)
    assert await (await ask(client, upstream.url)).read(11) == b"hello world"

    with pytest.raises(BodyTooLarge):
        await (await ask(client, upstream.url)).read(10)


async def test_a_compressed_answer_is_unpacked(client: Client, serve: Serve) -> None:
    """Pitfall 17: an upstream that compresses although identity was asked for is understood; the headers fit the bytes."""
    packed = gzip.compress(b"hello", mtime=0)

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed
        )

    response = await ask(client, (await serve(answer)).url)

    assert await response.read(100) == b"hello"
    assert response.headers == {}


async def test_redirects_are_answers(client: Client, serve: Serve) -> None:
    """A redirect is handed over, never followed: it could carry the key elsewhere."""

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")

    response = await ask(client, (await serve(answer)).url)

    assert (response.status, response.headers["location"], await response.read(1)) == (307, "http://127.0.0.1:1/", b"")


@pytest.mark.parametrize("words", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n", b"\x16\x03\x01\x00\r\n\r\n"])
async def test_nonsense_is_not_an_answer(client: Client, serve: Serve, words: bytes) -> None:
    """What is not HTTP is `ReadFailed`."""

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(words)

    with pytest.raises(ReadFailed):
        await ask(client, (await serve(answer)).url)


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_no_answer_at_all_is_ambiguous(client: Client, serve: Serve, how: str) -> None:
    """A connection that ends after the call was read is `SendFailed`, and a POST is not repeated."""
    calls = 0

    async def answer(peer: Peer) -> None:
        nonlocal calls
        calls += bool(await peer.request())
        if how == "reset":
            peer.reset()

    upstream = await serve(answer)
    with pytest.raises(SendFailed) as failed:
        await ask(client, upstream.url)

    assert calls == 1
    assert failed.value.is_ambiguous


async def test_a_stale_connection_costs_a_get_nothing(client: Client, serve: Serve) -> None:
    """A kept connection that the upstream closes when the next GET arrives is replaced, once."""

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.request()
        if peer.number > 1:
            await peer.send(OK)

    upstream = await serve(answer)
    for _ in range(2):
        assert await (await ask(client, upstream.url, "GET", b"")).read(10) == b"ok"

    assert upstream.connections == 2


async def test_a_stale_connection_may_cost_a_post(client: Client, serve: Serve) -> None:
    """The same with a POST is `SendFailed`, for the upstream has had the call and may have done the work."""

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.request()

    upstream = await serve(answer)
    assert await (await ask(client, upstream.url)).read(10) == b"ok"

    with pytest.raises(SendFailed):
        await ask(client, upstream.url)
    assert upstream.connections == 1


async def test_a_connection_that_is_ending_is_not_written_to(client: Client, serve: Serve) -> None:
    """A kept connection that ends in the moment in which a POST needs one costs nothing: the POST takes another."""
    upstream = await serve(keep_answering)
    response = await ask(client, upstream.url)
    assert response._protocol is not None
    kept = response._protocol.transport
    assert kept is not None
    assert await response.read(10) == b"ok"
    kept.abort()

    assert await (await ask(client, upstream.url)).read(10) == b"ok"
    assert upstream.connections == 2


async def test_a_closed_kept_connection_is_not_used(client: Client, serve: Serve) -> None:
    """When the upstream closed an idle connection, the next POST simply takes another one."""

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)

    upstream = await serve(answer)
    for _ in range(3):
        assert await (await ask(client, upstream.url)).read(10) == b"ok"
        await asyncio.sleep(0.02)

    assert upstream.connections == 3


async def test_small_packets_are_not_delayed(client: Client, serve: Serve) -> None:
    """Nagle's algorithm is off."""

    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        await asyncio.sleep(60)

    response = await ask(client, (await serve(answer)).url)
    assert response._protocol is not None
    transport = response._protocol.transport
    assert transport is not None
    sock = transport.get_extra_info("socket")

    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    await response.close()


async def test_a_cancelled_call_leaves_nothing_behind(client: Client, serve: Serve) -> None:
    """When our caller goes away before the headers, the upstream sees the connection close."""
    got, gone = asyncio.Event(), asyncio.Event()

    async def answer(peer: Peer) -> None:
        await peer.request()
        got.set()
        await peer.reader.read()
        gone.set()

    call = asyncio.ensure_future(ask(client, (await serve(answer)).url))
    await got.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await asyncio.wait_for(gone.wait(), 2)
