"""Calls to upstreams: the one place where the HTTP client library (aiohttp) is chosen.

Only for addresses that the operator configured; for those that a caller names there is `kit/fetch.py`.

    HttpFailed
    ├── ConnectFailed   nothing was sent: send the call again wherever you like
    ├── SendFailed      it broke before the answer began: the upstream may or may not have done the work
    ├── ReadFailed      it broke while the answer was being read, or the answer was not HTTP
    ├── TimedOut        `stage` says where, `is_ambiguous` whether the upstream may have done the work
    └── BodyTooLarge    the answer is longer than the caller of `read` wants
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from functools import lru_cache
from typing import Literal

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDictProxy
from yarl import URL

Stage = Literal["connect", "first_byte", "idle"]

BUFFER_BYTES = 64 * 1024
"""Of a body that nobody reads so many bytes are taken, then the upstream is held back."""

_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_OWN_HEADERS = frozenset(("host", "content-length", "accept-encoding", "connection", "transfer-encoding"))
# aiohttp undoes these (br and zstd when the libraries are there, else it reports an error).
_UNDONE_ENCODINGS = frozenset(("gzip", "deflate", "br", "zstd"))


class HttpFailed(Exception):
    """A call to an upstream came to nothing. The message may name the address: for the log, not for customers."""

    is_ambiguous: bool = True
    """True when the upstream may have done the work."""


class ConnectFailed(HttpFailed):
    """No connection could be made, or it was closed before anything was written to it: nothing was sent."""

    is_ambiguous = False


class SendFailed(HttpFailed):
    """The connection broke after something was sent and before the answer's headers were there."""


class ReadFailed(HttpFailed):
    """The answer broke off before its end, or it is not HTTP."""


class BodyTooLarge(HttpFailed):
    """The answer has more bytes than allowed; its connection is closed."""


class TimedOut(HttpFailed):
    """The upstream took too long."""

    def __init__(self, stage: Stage) -> None:
        """`stage`: `connect` (nothing was sent), `first_byte` (sent, no headers yet) or `idle` (between two chunks)."""
        self.stage: Stage = stage
        self.is_ambiguous = stage != "connect"
        super().__init__(f"timed out: {stage}")


class Response:
    """An answer whose headers are there. Call `close` in a `finally`, whatever happened."""

    __slots__ = ("_content", "_protocol", "_release", "headers", "status", "unwrap")

    def __init__(
        self,
        status: int,
        headers: CIMultiDictProxy[str],
        content: StreamReader,
        connection: Connection | None,
        release: Callable[[], object],
        idle_timeout_s: float,
    ) -> None:
        """`connection`: None when the whole body came along with the headers; `release`: gives it back to its pool."""
        self._content = content
        self._release = release
        self._protocol = None if connection is None else connection.protocol
        self.status = status
        self.unwrap: Callable[[bytes], bytes] | None = None
        """What `chunks` puts each piece through; a piece that gives nothing is left out."""
        self.headers: dict[str, str] = _read_headers(headers)
        """Names in lower case; a repeated header joined with `, `. Without content-encoding and content-length when
        the body is decompressed on the way."""
        if self._protocol is not None and not content.is_eof():
            self._protocol.read_timeout = idle_timeout_s
            if not self._protocol._reading_paused:  # paused: aiohttp starts the timer when it reads on
                self._protocol.start_timeout()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives: each item is what has come since the last one, never empty.

        Raises `TimedOut("idle")` when nothing comes for the idle timeout, `ReadFailed` when the body breaks off; what
        arrived together with the break may be lost. Waiting between two items holds the upstream back (64 KiB are
        buffered here, some more in the kernel) and does not count as idle time.
        """
        read = self._content.readany
        try:
            while chunk := await read():
                if self.unwrap is None or (chunk := self.unwrap(chunk)):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise _say_what_broke(exc) from exc
        self._end()

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises what `chunks` raises, and `BodyTooLarge` when it has more than `limit` bytes."""
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := await self._content.readany():
                size += len(piece)
                if size > limit:
                    self._release()
                    raise BodyTooLarge(f"the answer has more than {limit} bytes")
                pieces.append(piece)
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise _say_what_broke(exc) from exc
        self._end()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def close(self) -> None:
        """Ends the call. The connection is kept for the next one when the body was read to its end, else it is closed,
        which tells the upstream to stop. Harmless when repeated."""
        self._release()

    def _end(self) -> None:
        # A body without length or chunks ends with its connection, and aiohttp takes a reset for an end, too.
        if self._protocol is not None and isinstance(error := self._protocol.exception(), aiohttp.ClientOSError):
            raise ReadFailed(f"the connection was reset: {error}") from error
        self._release()


class Client:
    """Sends calls to upstreams over kept connections. One for each process; close it at the end.

    It follows no redirects, keeps no cookies, reads no environment, and sends no headers of its own but `host`,
    `content-length`, `accept-encoding: identity` and, when the caller gives none, `user-agent`.

    Of aiohttp it takes the connections (names, TLS, pool) and the parser, and leaves out the session: what a session
    does for each call besides (cookies, redirects, its own forms of request, headers and body) cost 47 of the 82 µs CPU
    that a short call took here (measured 2026-11-22; pyreqwest took 45, and has a thread of its own).
    """

    def __init__(self, *, max_connections: int = 1000, keep_alive_s: float = 15.0, user_agent: str = "yibu") -> None:
        """`max_connections`: open at the same time, busy and idle, 0 for no limit; waiting for one counts as connecting.

        `keep_alive_s`: how long an idle connection is kept. Shorter than the upstreams' own limit is better, for a
        connection that the upstream closes while a call is on its way costs that call (`SendFailed`).
        """
        self._max_connections = max_connections
        self._keep_alive_s = keep_alive_s
        self._user_agent = user_agent
        self._connector: aiohttp.TCPConnector | None = None
        self._find = lru_cache(maxsize=512)(_Address)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        connect_timeout_s: float,
        first_byte_timeout_s: float,
        idle_timeout_s: float,
    ) -> Response:
        """Sends a call and returns when the answer's headers are there, whatever its status.

        `url`: absolute and already escaped. `first_byte_timeout_s` runs from the connection to the headers and includes
        sending the body. `idle_timeout_s`: the longest silence within the body.

        A kept connection may turn out to be closed. When nothing has been written to it yet, another one is taken; when
        something has, the call is sent once more only if its method is idempotent. A POST that was written is never
        repeated here: it raises `SendFailed`, and the caller decides.

        Raises the subclasses of `HttpFailed`, and `ValueError` when a header holds a line break.
        """
        address = self._address(url)
        head = _write_head(method, address, headers, self._user_agent, len(body))
        connection = await self._connect(address, connect_timeout_s)
        try:
            message, content = await _exchange(connection, method, head, body, first_byte_timeout_s)
        except SendFailed:
            connection.close()
            if method not in _IDEMPOTENT:
                raise
            connection = await self._connect(address, connect_timeout_s)
            try:
                message, content = await _exchange(connection, method, head, body, first_byte_timeout_s)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            connection.close()
            raise
        return Response(message.code, message.headers, content, connection, connection.release, idle_timeout_s)

    async def close(self) -> None:
        """Closes all connections; calls that are under way fail."""
        if self._connector is not None:
            await self._connector.close()

    def _address(self, url: str) -> "_Address":
        try:
            return self._find(url)
        except (ValueError, UnicodeError) as exc:  # InvalidURL is a ValueError, too
            raise ConnectFailed(f"not an address to call: {url}") from exc

    async def _connect(self, address: "_Address", timeout_s: float) -> Connection:
        connector = self._connector or self._open()
        try:
            return await connector.connect(address.request, traces=[], timeout=_make_timeout(timeout_s))
        except TimeoutError as exc:
            raise TimedOut("connect") from exc
        except UnicodeError as exc:  # a host name that cannot be looked up
            raise ConnectFailed(f"not an address to call: {address.request.url}") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise ConnectFailed(str(exc)) from exc

    def _open(self) -> aiohttp.TCPConnector:
        # Not in __init__: aiohttp wants a running event loop.
        self._connector = aiohttp.TCPConnector(limit=self._max_connections, keepalive_timeout=self._keep_alive_s)
        return self._connector


class _Address:
    """What is known of a URL once and for all: where to connect to, and the lines of the head that follow from it."""

    __slots__ = ("is_signed", "lines", "request", "target")

    def __init__(self, url: str) -> None:
        """Raises `ValueError` when that is no address of HTTP."""
        parsed = URL(url, encoded=True)
        if parsed.scheme not in ("http", "https"):
            raise ValueError(url)
        # The connector asks it for host, port and TLS; what it would send is not looked at.
        self.request = aiohttp.ClientRequest("GET", parsed, loop=asyncio.get_running_loop())
        self.target: str = parsed.raw_path_qs
        self.lines = f"Host: {self.request.headers['Host']}\r\nAccept-Encoding: identity\r\n"
        signature = self.request.headers.get("Authorization")  # from `user:password@` in the address
        self.is_signed = signature is not None
        if self.is_signed:
            self.lines += f"Authorization: {signature}\r\n"


def _write_head(method: str, address: _Address, headers: Mapping[str, str], user_agent: str, length: int) -> bytes:
    lines = [f"{method} {address.target} HTTP/1.1\r\n{address.lines}"]
    has_agent = False
    for name, value in headers.items():
        lower = name.lower()
        if lower in _OWN_HEADERS or (lower == "authorization" and address.is_signed):
            continue
        has_agent = has_agent or lower == "user-agent"
        if _breaks_line(name) or _breaks_line(value):
            raise ValueError(f"The header {name!r} holds a line break")
        lines.append(f"{name}: {value}\r\n")
    if not has_agent:
        lines.append(f"User-Agent: {user_agent}\r\n")
    if length or method in _WITH_BODY:
        lines.append(f"Content-Length: {length}\r\n")
    lines.append("\r\n")
    return "".join(lines).encode()


def _breaks_line(text: str) -> bool:
    return "\n" in text or "\r" in text or "\0" in text


async def _exchange(
    connection: Connection, method: str, head: bytes, body: bytes, timeout_s: float
) -> tuple[RawResponseMessage, StreamReader]:
    """Writes a call and waits for the head of its answer. Raises `HttpFailed`; the caller closes the connection."""
    protocol = _protocol(connection)
    # Nothing waits between here and the pool, so a kept connection is as the pool has just found it; a fresh one may
    # have ended in the same round of the loop in which it was made.
    transport = protocol.transport
    if transport is None or transport.is_closing():
        raise ConnectFailed("the connection was closed before the call was sent")
    protocol.set_response_params(skip_payload=method == "HEAD", read_until_eof=True, read_bufsize=BUFFER_BYTES)
    limit = asyncio.get_running_loop().call_later(timeout_s, _expire, protocol)
    try:
        if len(body) < BUFFER_BYTES:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        message, content = await protocol.read()
        while 100 <= message.code < 200 and message.code != 101:  # "still working on it"
            message, content = await protocol.read()
    except TimeoutError as exc:
        raise TimedOut("first_byte") from exc
    except (HttpProcessingError, aiohttp.ClientPayloadError) as exc:
        raise ReadFailed(f"the answer is not HTTP: {exc}") from exc
    except (aiohttp.ClientError, OSError) as exc:
        raise SendFailed(f"the connection broke before the answer: {exc!r}") from exc
    finally:
        limit.cancel()
    return message, content


def _expire(protocol: ResponseHandler) -> None:
    protocol.set_exception(TimeoutError())


def _protocol(connection: Connection) -> ResponseHandler:
    assert connection.protocol is not None
    return connection.protocol


@lru_cache(maxsize=64)
def _make_timeout(connect_timeout_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect_timeout_s)


def _read_headers(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    read: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        read[lower] = f"{read[lower]}, {value}" if lower in read else value
    if read.get("content-encoding", "").lower() in _UNDONE_ENCODINGS:
        del read["content-encoding"]
        read.pop("content-length", None)
    return read


def _say_what_broke(exc: Exception) -> HttpFailed:
    if isinstance(exc, TimeoutError):
        return TimedOut("idle")
    return ReadFailed(f"the answer broke off: {exc!r}")
