"""Pictures by URL, fetched here and put into the request, for upstreams that cannot reach the world themselves."""

import asyncio
import base64

import msgspec

from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidMedia
from yibu.hub.media import Inline, Url
from yibu.hub.parts import Media, Part
from yibu.kit.fetch import Fetched, Fetcher, NotFetched
from yibu.kit.guard import Forbidden

MOST_PICTURES = 50
"""By URL in one request: each is a call to somebody else's server."""
MOST_BYTES = 64 * 1024 * 1024
"""Of them together."""
AT_A_TIME = 4


async def inline_media(request: ChatRequest, fetcher: Fetcher) -> ChatRequest:
    """The same request with every picture in it. Raises `InvalidMedia` for one that cannot be had, and for too many."""
    if sum(_is_remote(part) for turn in request.turns for part in turn.parts) > MOST_PICTURES:
        raise InvalidMedia(f"There are more than {MOST_PICTURES} pictures by URL.", param="$.messages")
    basket = _Basket(fetcher)
    turns = [await _turn(turn, f"$.messages[{index}]", basket) for index, turn in enumerate(request.turns)]
    return msgspec.structs.replace(request, turns=tuple(turns))


async def fetch(url: str, where: str, fetcher: Fetcher) -> Fetched:
    """A file that a caller names by URL. Raises `InvalidMedia` with `where` as the path of the member."""
    try:
        return await fetcher.fetch(url)
    except (Forbidden, NotFetched) as exc:
        raise InvalidMedia(
            f"The picture could not be fetched: {exc}. Give a public address, or send it as a data URL.", param=where
        ) from exc


class _Basket:
    """The pictures of one request: a few are fetched at the same time, and there is a limit to them together."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._turnstile = asyncio.Semaphore(AT_A_TIME)
        self._room = MOST_BYTES

    async def put(self, picture: Media, url: str, where: str) -> Media:
        async with self._turnstile:
            fetched = await fetch(url, where, self._fetcher)
        self._room -= len(fetched.bytes)
        if self._room < 0:
            raise InvalidMedia(f"The pictures have more than {MOST_BYTES} bytes together.", param=where)
        source = Inline(base64.b64encode(fetched.bytes).decode(), fetched.mime)
        return msgspec.structs.replace(picture, source=source)


async def _turn(turn: Turn, where: str, basket: _Basket) -> Turn:
    work = {
        index: asyncio.ensure_future(basket.put(part, part.source.url, f"{where}.content[{index}]"))
        for index, part in enumerate(turn.parts)
        if isinstance(part, Media) and isinstance(part.source, Url)
    }
    try:
        await asyncio.gather(*work.values())
    finally:
        for one in work.values():  # when one cannot be had, the others are not needed
            one.cancel()
    parts = (work[index].result() if index in work else part for index, part in enumerate(turn.parts))
    return msgspec.structs.replace(turn, parts=tuple(parts))


def _is_remote(part: Part) -> bool:
    return isinstance(part, Media) and isinstance(part.source, Url)
