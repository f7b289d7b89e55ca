"""Media by URL, fetched here and put into the request, for upstreams that cannot reach the world or have no word for a URL."""

import asyncio
import base64
from typing import TypeVar

import msgspec

from yibu.hub.chat import ChatRequest
from yibu.hub.errors import InvalidMedia
from yibu.hub.media import Inline, MediaKind, Url
from yibu.hub.parts import Media, Part, ToolResult
from yibu.kit.fetch import Fetched, Fetcher, NotFetched
from yibu.kit.guard import Forbidden

P = TypeVar("P", bound=Part)

MOST_MEDIA = 50
"""By URL in one request: each is a call to somebody else's server."""
MOST_BYTES = 64 * 1024 * 1024
"""Of them together."""
AT_A_TIME = 4


ALL: frozenset[MediaKind] = frozenset({"image", "audio", "video", "file"})


async def inline_media(request: ChatRequest, kinds: frozenset[MediaKind], fetcher: Fetcher) -> ChatRequest:
    """The same request with all media of these kinds in it, also those in results of tools.

    Raises `InvalidMedia` for one that cannot be had, and for too many.
    """
    remote = sum(_count(part, kinds) for turn in request.turns for part in turn.parts) if kinds else 0
    if not remote:
        return request
    if remote > MOST_MEDIA:
        raise InvalidMedia(f"There are more than {MOST_MEDIA} pictures and files by URL.", param="$.messages")
    basket = _Basket(kinds, fetcher)
    turns = [
        msgspec.structs.replace(turn, parts=await basket.fill(turn.parts, f"$.messages[{index}].content"))
        for index, turn in enumerate(request.turns)
    ]
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
    """The media of one request: a few are fetched at the same time, and there is a limit to them together."""

    def __init__(self, kinds: frozenset[MediaKind], fetcher: Fetcher) -> None:
        self._kinds = kinds
        self._fetcher = fetcher
        self._turnstile = asyncio.Semaphore(AT_A_TIME)
        self._room = MOST_BYTES

    async def fill(self, parts: tuple[P, ...], where: str) -> tuple[P, ...]:
        """The parts with what they name by URL in its place."""
        if not any(_count(part, self._kinds) for part in parts):
            return parts
        work = [asyncio.ensure_future(self._part(part, f"{where}[{index}]")) for index, part in enumerate(parts)]
        try:
            return tuple(await asyncio.gather(*work))
        finally:
            for one in work:  # when one cannot be had, the others are not needed
                one.cancel()

    async def _part(self, part: P, where: str) -> P:
        if isinstance(part, ToolResult):
            return msgspec.structs.replace(part, parts=await self.fill(part.parts, f"{where}.content"))
        if isinstance(part, Media) and isinstance(part.source, Url) and part.kind in self._kinds:
            return msgspec.structs.replace(part, source=await self._fetch(part.source.url, where))
        return part

    async def _fetch(self, url: str, where: str) -> Inline:
        async with self._turnstile:
            fetched = await fetch(url, where, self._fetcher)
        self._room -= len(fetched.bytes)
        if self._room < 0:
            raise InvalidMedia(f"The media have more than {MOST_BYTES} bytes together.", param=where)
        return Inline(base64.b64encode(fetched.bytes).decode(), fetched.mime)


def _count(part: Part, kinds: frozenset[MediaKind]) -> int:
    if isinstance(part, ToolResult):
        return sum(_count(inner, kinds) for inner in part.parts)
    return int(isinstance(part, Media) and isinstance(part.source, Url) and part.kind in kinds)
