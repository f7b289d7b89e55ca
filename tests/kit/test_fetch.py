import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import pytest

from yibu.kit.fetch import Fetched, Fetcher, NotFetched
from yibu.kit.guard import Forbidden, Guard

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


class Names:
    """A resolver whose answers are written down, and which counts the questions."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(turns) for name, turns in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self._answers:
            raise OSError("no such host")
        turns = self._answers[host]
        return turns.pop(0) if len(turns) > 1 else turns[0]


Start = Callable[..., Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Start]:
    """Starts servers that answer request after request with the given bytes; gives the port."""
    async with AsyncExitStack() as stack:

        async def start(*answers: bytes, stall: bool = False) -> int:
            turn = 0
            tasks: set[asyncio.Task[None]] = set()

            async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                nonlocal turn
                task = asyncio.current_task()
                assert task is not None
                tasks.add(task)
                try:
                    await reader.readuntil(b"\r\n\r\n")
                    writer.write(answers[min(turn, len(answers) - 1)])
                    turn += 1
                    await writer.drain()
                    if stall:
                        await asyncio.sleep(60)
                except ConnectionError:
                    pass
                finally:
                    writer.close()

            server = await asyncio.start_server(connected, "127.0.0.1", 0)

            async def stop() -> None:
                server.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            stack.push_async_callback(stop)
            port: int = server.sockets[0].getsockname()[1]
            return port

        yield start


def ok(body: bytes, *headers: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *headers, "", "")).encode() + body


def moved(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode()


async def fetch(
    url: str, *allow: str, resolve: Names | None = None, max_bytes: int = 1000, timeout_s: float = 5
) -> Fetched:
    fetcher = Fetcher(Guard(allow=allow), max_bytes, timeout_s, resolve=resolve or Names())
    try:
        return await fetcher.fetch(url)
    finally:
        await fetcher.close()


async def test_a_picture_is_fetched(serve: Start) -> None:
    """The bytes come with the mime type as the server says it, without parameters."""
    port = await serve(ok(PNG, "content-type: Image/PNG; q=1", f"content-length: {len(PNG)}"))

    assert await fetch(f"http://127.0.0.1:{port}/a", f"127.0.0.1:{port}") == Fetched(PNG, "image/png")


async def test_a_name_is_looked_up_once_and_pinned(serve: Start) -> None:
    """The address that was checked is the one connected to, also when the next answer would be another one."""
    port = await serve(ok(PNG, f"content-length: {len(PNG)}"))
    names = Names(pictures_lan=[["127.0.0.1"], ["10.0.0.1"]])

    assert (await fetch(f"http://pictures.lan:{port}/a", f"pictures.lan:{port}", resolve=names)).bytes == PNG
    assert names.asked == ["pictures.lan"]


async def test_a_name_that_turns_private_is_refused_the_second_time(serve: Start) -> None:
    """Rebinding: every fetch looks the name up again and checks again; no earlier answer or connection is used."""
    port = await serve(ok(PNG))
    names = Names(rebind_example=[["192.0.2.1", "127.0.0.1"], ["127.0.0.1"], ["::1"], ["8.8.8.8", "10.0.0.1"]])
    fetcher = Fetcher(Guard(), 1000, 5, resolve=names)
    for _ in range(4):
        with pytest.raises(Forbidden):
            await fetcher.fetch(f"http://rebind.example:{port}/a")
    await fetcher.close()

    assert len(names.asked) == 4


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://2130706433:{port}/", "http://[::1]:{port}/", "http://localhost:{port}/"]
)
async def test_our_own_network_is_forbidden(serve: Start, url: str) -> None:
    """A literal address is checked like a resolved one."""
    port = await serve(ok(PNG))

    with pytest.raises(Forbidden):
        await fetch(url.format(port=port))


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "//10.0.0.1/",
        "http://inside.example/",
        "file:///etc/passwd",
        "http://user@8.8.8.8/",
    ],
)
async def test_a_redirect_to_a_private_address_is_refused(serve: Start, location: str) -> None:
    """Each hop is checked like the first, by name and by what the name resolves to."""
    port = await serve(moved(location))
    names = Names(inside_example=[["10.0.0.1"]])

    with pytest.raises(Forbidden):
        await fetch(f"http://127.0.0.1:{port}/a", f"127.0.0.1:{port}", resolve=names)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(serve: Start, status: int) -> None:
    """Relative and absolute redirects lead to the picture, three of them at most."""
    port = await serve(moved("/b", status), moved("?c=1", status), moved("d", status), ok(PNG))

    assert (await fetch(f"http://127.0.0.1:{port}/a", f"127.0.0.1:{port}")).bytes == PNG


@pytest.mark.parametrize(
    ("location", "reason"), [("/a", "more than 3 times"), ("http://[", "not an address"), ("", "more than 3 times")]
)
async def test_redirects_that_lead_nowhere(serve: Start, location: str, reason: str) -> None:
    """A loop and a broken redirect end with a reason."""
    port = await serve(moved(location))

    with pytest.raises(NotFetched, match=reason):
        await fetch(f"http://127.0.0.1:{port}/a", f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    "headers", [[], ["content-length: 1001"], ["content-length: 99999999999"], ["transfer-encoding: chunked"]]
)
async def test_a_body_is_cut_off_at_the_limit(serve: Start, headers: list[str]) -> None:
    """Too large is found by the announced length or while reading, whatever was announced."""
    body = b"3e9\r\n" + bytes(1001) + b"\r\n0\r\n\r\n" if "chunked" in str(headers) else bytes(1001)
    port = await serve(ok(body, *headers))

    with pytest.raises(NotFetched, match="larger than 1000 bytes"):
        await fetch(f"http://127.0.0.1:{port}/a", f"127.0.0.1:{port}")


async def test_an_endless_body_is_cut_off(serve: Start) -> None:
    """A body without an end costs no more than its limit."""
    port = await serve(ok(bytes(5_000_000)), stall=True)

    with pytest.raises(NotFetched, match="larger than 1000 bytes"):
        await fetch(f"http://127.0.0.1:{port}/a", f"127.0.0.1:{port}")


async def test_exactly_the_limit_is_fine(serve: Start) -> None:
    """A body of as many bytes as allowed is accepted."""
    port = await serve(ok(bytes(1000), "content-length: 1000"))

    assert len((await fetch(f"http://127.0.0.1:{port}/a", f"127.0.0.1:{port}")).bytes) == 1000


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 206 Partial\r\ncontent-length: 1\r\n\r\nx", "status 206"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "status 304"),
        (ok(gzip.compress(bytes(1000), mtime=0), "content-encoding: gzip"), "compressed"),
        (ok(b"half", "content-length: 8"), "broke off"),
        (ok(b"8\r\nhalf", "transfer-encoding: chunked"), "broke off"),
        (b"220 smtp.example ESMTP\r\n", "could not be reached"),
        (b"", "could not be reached"),
    ],
)
async def test_what_is_not_a_whole_body_is_not_fetched(serve: Start, answer: bytes, reason: str) -> None:
    """Other statuses, compression, broken and foreign answers each have a reason that tells nothing of the answer."""
    port = await serve(answer)

    with pytest.raises(NotFetched, match=reason):
        await fetch(f"http://127.0.0.1:{port}/a", f"127.0.0.1:{port}")


@pytest.mark.parametrize("start", [b"", ok(b"abc", "content-length: 8")])
async def test_the_time_limit_covers_everything(serve: Start, start: bytes) -> None:
    """An answer that stalls before or within its body ends with the total time."""
    port = await serve(start, stall=True)

    with pytest.raises(NotFetched, match=r"within 0\.1 seconds"):
        await fetch(f"http://127.0.0.1:{port}/a", f"127.0.0.1:{port}", timeout_s=0.1)


async def test_a_slow_resolver_is_covered_as_well() -> None:
    """Looking the name up counts towards the total time."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    fetcher = Fetcher(Guard(), 1000, 0.05, resolve=resolve)
    with pytest.raises(NotFetched):
        await fetcher.fetch("http://slow.example/")
    await fetcher.close()


async def test_a_name_that_does_not_exist() -> None:
    """No such host is `NotFetched`: the address itself is acceptable."""
    with pytest.raises(NotFetched, match="could not be reached"):
        await fetch("http://nowhere.example/a.png")


async def test_a_zone_in_an_answer_is_refused() -> None:
    """Link-local answers with a zone, and nonsense from a resolver, are refused."""
    for answer in ("fe80::1%eth0", "not-an-address"):
        with pytest.raises(Forbidden):
            await fetch("http://odd.example/", resolve=Names(odd_example=[[answer]]))
