from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.tasks.studio import SECOND, Studio
from tests.tasks.vendor import FILM, Answer, Vendor, leads_to, says, sends
from yibu.tasks.task import State


@pytest.fixture
async def store(studio: Studio) -> AsyncIterator[Vendor]:
    """Another host that keeps films, and that the operator allows."""
    async with Vendor().running() as opened:
        studio.allow(opened.url)
        yield opened


def watched(saw: list[str | None], then: Answer) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        saw.append(request.headers.get("authorization"))
        return await then(request)

    return answer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_film_is_fetched_from_where_its_vendor_keeps_it(
    status: int, studio: Studio, vendor: Vendor, store: Vendor
) -> None:
    """Another host never sees the vendor's credential."""
    saw: list[str | None] = []
    vendor.contents = [leads_to(f"{store.url}/v1/videos/video_1/content", status)]
    store.contents = [watched(saw, sends(FILM, "application/octet-stream"))]
    task = await studio.make(seconds=10)
    kept = await studio.files.of_task(task.id)

    assert task.state is State.DONE
    assert await studio.files.read(kept["video"].id) == FILM
    assert saw == [None]
    assert await studio.money() == (10 * SECOND, 0)


async def test_the_vendors_own_host_knows_its_credential(studio: Studio, vendor: Vendor) -> None:
    """A redirect from one of its paths to another needs no permission and keeps the key."""
    saw: list[str | None] = []
    vendor.contents = [leads_to("/v1/videos/elsewhere/content"), watched(saw, sends(FILM, "video/mp4"))]
    task = await studio.make()

    assert task.state is State.DONE
    assert saw == ["Bearer sk"]


async def test_a_way_back_is_walked_without_the_credential(studio: Studio, vendor: Vendor, store: Vendor) -> None:
    """Somebody else chose where it leads."""
    saw: list[str | None] = []
    studio.allow(store.url, vendor.url)
    vendor.contents = [leads_to(f"{store.url}/v1/videos/1/content"), watched(saw, sends(FILM, "video/mp4"))]
    store.contents = [leads_to(f"{vendor.url}/v1/videos/1/content")]
    task = await studio.make()

    assert task.state is State.DONE
    assert saw == [None]


@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/latest", "http://127.0.0.1:1/x", "file:///etc/passwd", "http://[", ""]
)
async def test_a_redirect_into_our_own_network_is_not_followed(where: str, studio: Studio, vendor: Vendor) -> None:
    """It is asked for again, until the film's time is over; the customer pays nothing."""
    vendor.contents = [leads_to(where) if where else says(302)] * 1000
    task = await studio.make(deadline_s=0.5)

    assert task.state is State.EXPIRED
    assert await studio.money() == (0, 0)


async def test_five_redirects_are_enough(studio: Studio, vendor: Vendor, store: Vendor) -> None:
    """At the vendor and elsewhere together."""
    here, there = "/v1/videos/1/content", f"{store.url}/v1/videos/1/content"
    saw: list[str | None] = []
    vendor.contents = [leads_to(here), leads_to(there)] * 2
    store.contents = [
        *[leads_to(here)] * 4,
        *[leads_to(here)] * 3,
        watched(saw, sends(FILM, "video/mp4")),
    ]
    task = await studio.make()

    assert task.state is State.DONE
    assert saw == [None]
    assert vendor.contents == store.contents == []
