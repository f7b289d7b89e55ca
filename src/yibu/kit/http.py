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
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Literal

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy, istr
from yarl import URL

Stage = Literal["connect", "first_byte", "idle"]

_ACCEPT_ENCODING = istr("Accept-Encoding")
_USER_AGENT = istr("User-Agent")
_SKIPPED_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
# aiohttp undoes these (br and zstd when the libraries are there, else it reports an error).
_UNDONE_ENCODINGS = frozenset(("gzip", "deflate", "br", "zstd"))
_NOT_WRITTEN = "Cannot write to closing transport"


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

    __slots__ = ("_answer", "_protocol", "headers", "status")

    def __init__(self, answer: aiohttp.ClientResponse, idle_timeout_s: float) -> None:
        self._answer = answer
        self.status: int = answer.status
        self.headers: dict[str, str] = _read_headers(answer.headers)
        """Names in lower case; a repeated header joined with `, `. Without content-encoding and content-length when
        the body is decompressed on the way."""
        connection = answer.connection
        # No connection any more: the whole body came along with the headers.
        self._protocol = None if connection is None else connection.protocol
        if self._protocol is not None:
            self._protocol.read_timeout = idle_timeout_s
            if not self._protocol._reading_paused:  # paused: aiohttp starts the timer when it reads on
                self._protocol.start_timeout()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives: each item is what has come since the last one, never empty.

        Raises `TimedOut("idle")` when nothing comes for the idle timeout, `ReadFailed` when the body breaks off; what
        arrived together with the break may be lost. Waiting between two items holds the upstream back (64 KiB are
        buffered here, some more in the kernel) and does not count as idle time.
        """
        content = self._answer.content
        try:
            while chunk := await content.readany():
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise _say_what_broke(exc) from exc
        self._check_end()

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises what `chunks` raises, and `BodyTooLarge` when it has more than `limit` bytes."""
        content = self._answer.content
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := await content.readany():
                size += len(piece)
                if size > limit:
                    self._answer.close()
                    raise BodyTooLarge(f"the answer has more than {limit} bytes")
                pieces.append(piece)
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise _say_what_broke(exc) from exc
        self._check_end()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def close(self) -> None:
        """Ends the call. The connection is kept for the next one when the body was read to its end, else it is closed,
        which tells the upstream to stop. Harmless when repeated."""
        self._answer.close()

    def _check_end(self) -> None:
        # A body without length or chunks ends with its connection, and aiohttp takes a reset for an end, too.
        if self._protocol is not None and isinstance(error := self._protocol.exception(), aiohttp.ClientOSError):
            raise ReadFailed(f"the connection was reset: {error}") from error


class Client:
    """Sends calls to upstreams over kept connections. One for each process; close it at the end.

    It follows no redirects, keeps no cookies, reads no environment, and sends no headers of its own but `host`,
    `content-length`, `accept-encoding: identity` and, when the caller gives none, `user-agent`.
    """

    def __init__(self, *, max_connections: int = 1000, keep_alive_s: float = 15.0, user_agent: str = "yibu") -> None:
        """`max_connections`: open at the same time, busy and idle, 0 for no limit; waiting for one counts as connecting.

        `keep_alive_s`: how long an idle connection is kept. Shorter than the upstreams' own limit is better, for a
        connection that the upstream closes while a call is on its way costs that call (`SendFailed`).
        """
        self._max_connections = max_connections
        self._keep_alive_s = keep_alive_s
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

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

        A kept connection may turn out to be closed. The call is then sent once more on another connection if either
        nothing had been written to it or the method is idempotent and no answer had begun. A POST that was written is
        never repeated here: it raises `SendFailed`, and the caller decides.

        Raises the subclasses of `HttpFailed`, and `ValueError` when a header holds a line break.
        """
        session = self._session or self._open()
        sent_headers: CIMultiDict[str] = CIMultiDict(headers)
        sent_headers[_ACCEPT_ENCODING] = "identity"
        if _USER_AGENT not in sent_headers:
            sent_headers[_USER_AGENT] = self._user_agent
        target = _parse(url)
        timeout = _make_timeout(connect_timeout_s)
        attempts = 2
        try:
            async with asyncio.timeout(connect_timeout_s + first_byte_timeout_s):
                while True:
                    attempts -= 1
                    try:
                        answer = await session.request(
                            method,
                            target,
                            headers=sent_headers,
                            data=body or None,
                            allow_redirects=False,
                            timeout=timeout,
                        )
                    except (aiohttp.ClientOSError, aiohttp.ClientConnectionResetError) as exc:
                        if not _was_unsent(exc):
                            raise
                        if not attempts:
                            raise ConnectFailed("the connection was closed before the call was sent") from exc
                    else:
                        return Response(answer, idle_timeout_s)
        except aiohttp.ConnectionTimeoutError as exc:
            raise TimedOut("connect") from exc
        except TimeoutError as exc:
            raise TimedOut("first_byte") from exc
        except aiohttp.ClientConnectorError as exc:
            raise ConnectFailed(str(exc)) from exc
        except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as exc:
            raise ReadFailed(f"the answer is not HTTP: {exc}") from exc
        except (aiohttp.InvalidURL, UnicodeError) as exc:  # UnicodeError: a host name that cannot be looked up
            raise ConnectFailed(f"not an address to call: {url}") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise SendFailed(f"the connection broke before the answer: {exc!r}") from exc

    async def close(self) -> None:
        """Closes all connections; calls that are under way fail."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        # Not in __init__: aiohttp wants a running event loop.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._max_connections, keepalive_timeout=self._keep_alive_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_SKIPPED_HEADERS,
            requote_redirect_url=False,
            trust_env=False,
        )
        return self._session


@lru_cache(maxsize=512)
def _parse(url: str) -> URL:
    return URL(url, encoded=True)


@lru_cache(maxsize=64)
def _make_timeout(connect_timeout_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=connect_timeout_s)


def _read_headers(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    read: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        read[lower] = f"{read[lower]}, {value}" if lower in read else value
    if read.get("content-encoding", "").lower() in _UNDONE_ENCODINGS:
        del read["content-encoding"]
        read.pop("content-length", None)
    return read


def _was_unsent(exc: BaseException) -> bool:
    """True when aiohttp found the transport closed before it wrote the first byte; the headers wait for the body."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectionResetError):
            return cause.args == (_NOT_WRITTEN,)
        cause = cause.__cause__
    return False


def _say_what_broke(exc: Exception) -> HttpFailed:
    if isinstance(exc, TimeoutError):
        return TimedOut("idle")
    return ReadFailed(f"the answer broke off: {exc!r}")
