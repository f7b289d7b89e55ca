"""The way to what a vendor has made: some hand it out themselves, some redirect to a store.

Only the vendor's own host is shown the credential. Whatever stands elsewhere is an address from outside: it is fetched
without, and through the guard that keeps it from leading into our own network.
"""

from collections.abc import Awaitable, Callable

from yarl import URL

from yibu.hub.errors import Broken
from yibu.kit.fetch import REDIRECTS, Fetcher, NotFetched
from yibu.kit.guard import Forbidden
from yibu.kit.http import Response

MOST_REDIRECTS = 5
IDLE_S = 60.0


async def follow(url: str, ask: Callable[[str], Awaitable[Response]], fetcher: Fetcher) -> Response:
    """The answer behind at most five redirects, whatever its status; the caller closes it.

    `url`: at the vendor; `ask`: a GET with the vendor's credential. Raises `Broken` when the redirects lead nowhere or
    where they must not, and what `ask` raises.
    """
    at = home = URL(url, encoded=True)
    for left in reversed(range(MOST_REDIRECTS + 1)):
        response = await ask(str(at))
        if response.status not in REDIRECTS:
            return response
        await response.close()
        try:
            at = at.join(URL(response.headers.get("location", "")))
            is_home = at.origin() == home.origin()
        except ValueError as exc:
            raise Broken(upstream_words="a redirect to something that is not an address") from exc
        if not is_home:
            try:
                return await fetcher.open(str(at), max_redirects=left - 1, idle_timeout_s=IDLE_S)
            except (Forbidden, NotFetched) as exc:
                raise Broken(upstream_words=f"a redirect elsewhere: {exc}") from exc
    raise Broken(upstream_words=f"more than {MOST_REDIRECTS} redirects")
