"""Media by URL are fetched for upstreams that have no word for a URL."""

from typing import cast

from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.media import Inline, Url
from yibu.hub.parts import Media, Part, Text, ToolResult
from yibu.kit.fetch import Fetched, Fetcher
from yibu.relay.inline import ALL, inline_media

PAGE = Url("https://files.test/page.pdf")
PICTURE = Url("https://files.test/heron.png")


class Web:
    """Serves every address with its own name."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        return Fetched(url.rpartition("/")[2].encode(), "application/pdf" if url.endswith("pdf") else "image/png")


def asked(*parts: Part) -> ChatRequest:
    return ChatRequest(model="m", turns=(Turn("user", parts),))


async def test_kinds_that_a_format_can_name_stay_addresses() -> None:
    """OpenAI Chat takes pictures by URL, and files by their bytes only."""
    web = Web()
    request = asked(Media("image", PICTURE), Media("file", PAGE), Text("What is this?"))

    inlined = await inline_media(request, frozenset({"file"}), cast(Fetcher, web))

    source = Inline("cGFnZS5wZGY=", "application/pdf")
    assert inlined.turns[0].parts == (Media("image", PICTURE), Media("file", source), Text("What is this?"))
    assert web.asked == [PAGE.url]


async def test_a_picture_in_a_result_is_fetched_too() -> None:
    """A screenshot that a tool names by URL comes to the vendor like any other."""
    web = Web()
    result = ToolResult("call_1", (Text("a screenshot"), Media("image", PICTURE)))

    inlined = await inline_media(asked(result), ALL, cast(Fetcher, web))

    (changed,) = inlined.turns[0].parts
    assert isinstance(changed, ToolResult)
    assert changed.parts == (Text("a screenshot"), Media("image", Inline("aGVyb24ucG5n", "image/png")))


async def test_nothing_remote_changes_nothing() -> None:
    web = Web()
    request = asked(Text("Hi"), Media("image", Inline("aGk=", "image/png")))

    assert await inline_media(request, ALL, cast(Fetcher, web)) is request
    assert not web.asked
