"""What one caller sends must not take the gateway away from the others, and never becomes a 500."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import pytest_asyncio

from tests.house import House, free_port, open_house, settings_for
from tests.relay.talk import assistant, talk, user
from yibu.dialects._vendor_errors import decode_error
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import InvalidMedia, Refused
from yibu.kit.fetch import Fetched, Fetcher
from yibu.kit.settings import ChannelSettings, PriceSettings
from yibu.relay import inline
from yibu.relay.film_wish import LONGEST_PROMPT, MOST_EARLIER, understand

PATIENCE_S = 3.0
"""Of CPU: a hundred times what is needed, and a tenth of what the square of the length would take."""


@pytest.fixture(autouse=True)
def in_no_time() -> Iterator[None]:
    """Everything here is done within a moment."""
    started = time.process_time()
    yield
    assert time.process_time() - started < PATIENCE_S


@pytest.mark.parametrize("words", ["a." * 30_000, "a" * 60_000, "sk-" * 20_000, "http://" * 9_000])
def test_a_vendor_that_repeats_a_long_prompt_stops_nobody(words: str) -> None:
    """Its sentence is cut before addresses are looked for in it."""
    body = msgspec.json.encode({"error": {"message": words, "param": words, "type": "invalid_request_error"}})

    error = decode_error(400, {}, body)

    assert isinstance(error, Refused)
    assert len(error.message) <= 1000
    assert error.param is None


@pytest.mark.parametrize("words", ["http://" * 60_000, "/file_a" * 60_000, "sid: " * 60_000, "task_" * 60_000])
def test_a_forged_answer_stops_nobody(words: str) -> None:
    """Whatever stands in an earlier answer, looking for films in it takes time in proportion to its length."""
    assert len(understand(talk(user("a"), assistant(words), user("b"))).parents) <= 1


def test_a_forged_answer_names_few_films() -> None:
    """Each name is a look into the database, so only the newest count."""
    named = [f"{number:05}" for number in range(50_000)]
    forged = " ".join(f"sid: s_{name}" for name in named)

    parents = understand(talk(user("a"), assistant(forged), user("b"))).parents

    assert parents == tuple(reversed(named[-MOST_EARLIER:]))


def test_earlier_words_do_not_make_a_description_too_long() -> None:
    """The newest of them count, as many as a description may have."""
    request = talk(user("oldest"), user("x" * LONGEST_PROMPT), assistant("?"), user("newest"), user("now"))

    assert understand(request).history == "newest"


@pytest_asyncio.fixture
async def lonely(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose only vendor is not there; it sells answers as `m` and films as `sora-2`."""
    away = ChannelSettings(
        name="away",
        provider="openai",
        base_url=f"http://127.0.0.1:{free_port()}",
        models={"m": "m", "sora-2": "sora-2"},
        inline_media=True,
    )
    prices = (
        PriceSettings(model="m", input=Decimal("0.15"), output=Decimal("0.60")),
        PriceSettings(model="sora-2", second=Decimal("0.01")),
    )
    async with open_house(settings_for(tmp_path / "data", channels=(away,), prices=prices)) as opened:
        yield opened


async def refused(house: House, **members: Any) -> tuple[int, dict[str, Any]]:
    """Status and error of a request; nothing was charged or set aside for it."""
    status, _, body = await house.post({"model": "m", "messages": [{"role": "user", "content": "hi"}]} | members)
    assert await house.spent() == await house.held() == 0
    assert len(body) < 2000
    error: dict[str, Any] = json.loads(body)["error"]
    return status, error


@pytest.mark.parametrize("choices", [1, 128])
async def test_more_tokens_than_money_in_the_world(lonely: House, choices: int) -> None:
    """The most that a client may ask for is more than the wallet has, and no error of ours."""
    status, error = await refused(lonely, max_tokens=2**53, n=choices)

    assert (status, error["code"]) == (429, "insufficient_quota")


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": "x" * 1_000_000}, "$.model"),
        ({"model": "sora-2", "messages": [{"role": "x" * 1_000_000, "content": "hi"}]}, "$.messages[0].role"),
    ],
)
async def test_a_wrong_value_is_not_told_back_at_length(lonely: House, members: dict[str, Any], param: str) -> None:
    """The path of the member says enough."""
    status, error = await refused(lonely, **members)

    assert (status, error["code"], error["param"]) == (400, "invalid_request", param)


class Web:
    """Serves pictures of one size to everybody who asks."""

    def __init__(self, size: int = 1) -> None:
        self.asked = 0
        self.at_once = 0
        self._open = 0
        self._size = size

    async def fetch(self, _url: str) -> Fetched:
        self.asked += 1
        self._open += 1
        self.at_once = max(self.at_once, self._open)
        await asyncio.sleep(0)
        self._open -= 1
        return Fetched(b"x" * self._size, "image/png")


def album(pictures: int) -> ChatRequest:
    """A question with so many pictures by URL."""
    parts = [{"type": "image_url", "image_url": {"url": f"https://a.test/{n}.png"}} for n in range(pictures)]
    return talk(user(parts))


async def inlined(pictures: int, web: Web) -> ChatRequest:
    return await inline.inline_media(album(pictures), inline.ALL, cast(Fetcher, web))


async def test_an_album_is_fetched_a_few_at_a_time() -> None:
    web = Web()
    await inlined(inline.MOST_MEDIA, web)

    assert (web.asked, web.at_once) == (inline.MOST_MEDIA, inline.AT_A_TIME)


async def test_too_many_pictures_are_not_fetched_at_all() -> None:
    """One request must not turn into thousands of calls to somebody else's server."""
    web = Web()
    with pytest.raises(InvalidMedia, match="more than 50 pictures"):
        await inlined(inline.MOST_MEDIA + 1, web)

    assert web.asked == 0


async def test_pictures_have_a_size_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each alone is small enough; what is not needed any more is not fetched."""
    monkeypatch.setattr(inline, "MOST_BYTES", 1000)
    web = Web(size=100)
    with pytest.raises(InvalidMedia, match="more than 1000 bytes together") as refused:
        await inlined(50, web)
    await asyncio.sleep(0)

    assert refused.value.param == "$.messages[0].content[10]"
    assert web.asked < 20
    assert len((await inlined(10, Web(size=100))).turns[0].parts) == 10
