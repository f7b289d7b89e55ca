"""Pictures and files that callers name by URL: fetched behind the guard, never bigger or slower than allowed."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from yibu.kit.guard import Forbidden, Guard, IPAddress
from yibu.kit.http import Response

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks a host name up: (host, port) to IP addresses as text; raises `OSError` when there is no such name."""

_PIECE_BYTES = 64 * 1024
REDIRECTS = frozenset((301, 302, 303, 307, 308))
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "Mozilla/5.0 (compatible; yibu)"}


class NotFetched(Exception):
    """The address is acceptable, but nothing usable came from it. The message is fit for the caller."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Fetched(NamedTuple):
    """What was at the address."""

    bytes: bytes
    mime: str
    """As the server says, in lower case and without parameters; empty when it says nothing. Do not trust it."""


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """Asks the system's resolver (in a thread) for IPv4 and IPv6 addresses."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Fetcher:
    """Fetches what callers name. One for each process; close it at the end."""

    def __init__(
        self,
        guard: Guard,
        max_bytes: int,
        timeout_s: float,
        max_redirects: int = 3,
        *,
        resolve: Resolve = resolve_by_system,
    ) -> None:
        """`max_bytes`: of one body. `timeout_s`: for everything together, redirects included."""
        self._guard = guard
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._max_redirects = max_redirects
        self._resolve = resolve
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, url: str) -> Fetched:
        """What a GET of `url` gives, with redirects followed.

        Raises `Forbidden` when `url` or a redirect leads where callers have no business, `NotFetched` for every other
        failure: no such host, no answer in time, another status than 200, too many bytes, a body that breaks off.
        """
        with _told(self._timeout_s):
            async with asyncio.timeout(self._timeout_s):
                answer = await self._follow(url, self._max_redirects)
                try:
                    return await self._read(answer)
                finally:
                    answer.close()

    async def open(self, url: str, *, max_redirects: int, idle_timeout_s: float) -> Response:
        """A GET of `url` that is read as it comes, however long it is: for films. The caller closes it.

        Returns when the head of the answer is there, whatever its status; its body is limited by `idle_timeout_s` alone.
        Raises what `fetch` raises.
        """
        with _told(self._timeout_s):
            async with asyncio.timeout(self._timeout_s):
                answer = await self._follow(url, max_redirects)
                return Response(
                    answer.status, answer.headers, answer.content, answer.connection, answer.close, idle_timeout_s
                )

    async def close(self) -> None:
        """Closes the connections; fetches that are under way fail."""
        if self._session is not None:
            await self._session.close()

    async def _follow(self, url: str, max_redirects: int) -> aiohttp.ClientResponse:
        session = self._session or self._connect()
        for _ in range(max_redirects + 1):
            target = self._guard.check_url(url)
            # Escaped by the guard already: what it checked is what is called.
            asked = URL(target.url, encoded=True)
            answer = await session.get(asked, headers=_HEADERS, allow_redirects=False)
            if answer.status not in REDIRECTS:
                return answer
            answer.close()
            try:
                url = str(asked.join(URL(answer.headers.get("Location", ""))))
            except ValueError as exc:
                raise NotFetched("the address redirects to something that is not an address") from exc
        raise NotFetched(f"the address redirects more than {max_redirects} times")

    async def _read(self, answer: aiohttp.ClientResponse) -> Fetched:
        if answer.status != 200:
            raise NotFetched(f"the address answered with status {answer.status}")
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise NotFetched("the address sends a compressed body although none was asked for")
        if (answer.content_length or 0) > self._max_bytes:
            raise NotFetched(f"the body is larger than {self._max_bytes} bytes")
        body = bytearray()
        while piece := await answer.content.read(_PIECE_BYTES):
            body += piece
            if len(body) > self._max_bytes:
                raise NotFetched(f"the body is larger than {self._max_bytes} bytes")
        mime = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Fetched(bytes(body), mime)

    def _connect(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            # A name is resolved once for each connection, by our resolver, which checks; and no connection is kept,
            # so none is used for longer than its check.
            resolver=_CheckingResolver(self._guard, self._resolve),
            use_dns_cache=False,
            force_close=True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(),
        )
        return self._session


@contextlib.contextmanager
def _told(timeout_s: float) -> Iterator[None]:
    """What goes wrong on the way, in words that are fit for the caller."""
    try:
        yield
    except TimeoutError as exc:
        raise NotFetched(f"the address did not answer within {timeout_s:g} seconds") from exc
    except aiohttp.ClientPayloadError as exc:
        raise NotFetched("the answer of the address broke off") from exc
    except (aiohttp.ClientError, OSError) as exc:
        raise NotFetched("the address could not be reached") from exc


class _CheckingResolver(AbstractResolver):
    """Resolves, checks all answers, and hands the connector exactly what was checked: there is no second look-up."""

    def __init__(self, guard: Guard, resolve: Resolve) -> None:
        self._guard = guard
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses: list[IPAddress] = []
        for text in await self._resolve(host, port):
            try:
                addresses.append(ipaddress.ip_address(text))
            except ValueError as exc:  # an IPv6 address with a zone this Python cannot read, or nonsense
                raise Forbidden("the address does not lead to a public host") from exc
        self._guard.check_addresses(host, port, addresses)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing to close."""
