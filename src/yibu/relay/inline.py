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


async def inline_media(request: ChatRequest, fetcher: Fetcher) -> ChatRequest:
    """The same request with every picture in it. Raises `InvalidMedia` for one that cannot be had."""
    turns = [await _turn(turn, f"$.messages[{index}]", fetcher) for index, turn in enumerate(request.turns)]
    return msgspec.structs.replace(request, turns=tuple(turns))


async def fetch(url: str, where: str, fetcher: Fetcher) -> Fetched:
    """A file that a caller names by URL. Raises `InvalidMedia` with `where` as the path of the member."""
    try:
        return await fetcher.fetch(url)
    except (Forbidden, NotFetched) as exc:
        raise InvalidMedia(f"The picture could not be fetched: {exc}", param=where) from exc


async def _turn(turn: Turn, where: str, fetcher: Fetcher) -> Turn:
    parts = [_part(part, f"{where}.content[{index}]", fetcher) for index, part in enumerate(turn.parts)]
    return msgspec.structs.replace(turn, parts=tuple(await asyncio.gather(*parts)))


async def _part(part: Part, where: str, fetcher: Fetcher) -> Part:
    if not (isinstance(part, Media) and isinstance(part.source, Url)):
        return part
    fetched = await fetch(part.source.url, where, fetcher)
    source = Inline(base64.b64encode(fetched.bytes).decode(), fetched.mime)
    return msgspec.structs.replace(part, source=source)
