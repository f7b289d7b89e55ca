from typing import Any

import msgspec
import pytest
from aiohttp import web
from sqlalchemy import select

from tests.house import free_port
from tests.tasks.studio import SECOND, SHEET, WALLET, Studio, open_vendors
from tests.tasks.vendor import (
    FILM,
    THUMBNAIL,
    Answer,
    Vendor,
    after,
    cut_half_way,
    hang_up,
    says,
    sends,
    state,
)
from yibu.catalog.catalog import Catalog
from yibu.catalog.model import Models
from yibu.hub.errors import OutOfCredit
from yibu.ledger.tables import call
from yibu.tasks import films, store, tables
from yibu.tasks.task import State, Task


async def cost_in_log(studio: Studio, task_id: str) -> int:
    return await studio.db.read(
        lambda conn: conn.execute(select(call.c.cost).where(call.c.task_id == task_id)).scalar_one()
    )


async def assert_given_back(studio: Studio, task: Task, state: State, code: str) -> None:
    """The film ended badly, in words, and costs nothing."""
    assert (task.state, task.error_code) == (state, code)
    assert task.error_message
    assert task.cost == 0
    assert await studio.money() == (0, 0)
    assert await cost_in_log(studio, task.id) == 0


# How it goes well.


async def test_a_film_is_made_kept_and_paid_for(studio: Studio, vendor: Vendor) -> None:
    """One job at the vendor, film and thumbnail kept here, the price of its seconds, and nothing left to do."""
    vendor.polls = [state("queued"), state("in_progress", progress=40), state("in_progress", progress=80)]
    task = await studio.make(seconds=10)
    kept = await studio.files.of_task(task.id)

    assert task.state is State.DONE
    assert (task.progress, task.is_queued, task.cost, task.next_at) == (100, False, 10 * SECOND, None)
    assert task.final_at
    assert list(vendor.jobs.values()) == [task.id]
    assert vendor.orders == [
        {"path": "/v1/videos", "model": "sora-2", "prompt": "两只猫", "seconds": "10", "size": "720x1280"}
    ]
    assert await studio.files.read(kept["video"].id) == FILM
    assert await studio.files.read(kept["thumbnail"].id) == THUMBNAIL
    assert (kept["video"].mime, kept["video"].size, kept["video"].wallet) == ("video/mp4", len(FILM), WALLET)
    assert await studio.money() == (10 * SECOND, 0)
    assert await cost_in_log(studio, task.id) == 10 * SECOND


async def test_accepting_sets_the_price_aside(studio: Studio, vendor: Vendor) -> None:
    """Before anything is asked of the vendor."""
    await studio.order(seconds=15)

    assert await studio.money() == (0, 15 * SECOND)
    assert vendor.jobs == {}


async def test_a_film_that_cannot_be_paid_is_not_accepted(studio: Studio) -> None:
    """No row, no hold, no log."""
    with pytest.raises(OutOfCredit):
        await studio.order(seconds=10_000)

    assert await studio.db.read(lambda conn: conn.execute(select(tables.task)).all()) == []
    assert await studio.db.read(lambda conn: conn.execute(select(call)).all()) == []
    assert await studio.money() == (0, 0)


@pytest.mark.parametrize(
    ("reported", "paid"), [("4", 4), (None, 10), ("25", 10), ("-3", 10), ("junk", 10), ("inf", 10)]
)
async def test_what_was_made_is_paid_and_never_more_than_was_held(
    reported: str | None, paid: int, studio: Studio, vendor: Vendor
) -> None:
    """A shorter film is cheaper; a longer one costs what was agreed; nonsense is not believed."""
    vendor.seconds = reported
    task = await studio.make(seconds=10)

    assert (task.state, task.cost) == (State.DONE, paid * SECOND)
    assert await studio.money() == (paid * SECOND, 0)


async def test_a_new_price_does_not_change_a_running_film(studio: Studio, vendor: Vendor) -> None:
    """The sheet is the one that it was sold by."""
    task_id = await studio.order(seconds=10)
    dear = msgspec.structs.replace(SHEET, rates={meter: rate * 9 for meter, rate in SHEET.rates.items()})
    studio.directory = msgspec.structs.replace(studio.directory, catalog=Catalog(Models(), [dear]))
    studio.engine.start()

    assert (await studio.until(task_id)).cost == 10 * SECOND


async def test_progress_never_goes_back(studio: Studio, vendor: Vendor) -> None:
    """Nor does a film that was begun return to the queue, whatever the vendor says."""
    seen: list[tuple[int, bool]] = []

    async def watch(request: Any) -> Any:
        [task_id] = vendor.jobs.values()
        row = await studio.find(task_id)
        seen.append((row.progress, row.is_queued))
        return await state("finalizing", progress=10)(request)

    vendor.polls = [state("in_progress", progress=60), watch, watch, state("completed")]
    await studio.make()

    assert seen == [(60, False), (60, False)]


async def test_the_first_frame_goes_along_and_is_forgotten(studio: Studio, vendor: Vendor) -> None:
    """It is kept here only until the film is there."""
    picture = await studio.files.store(b"\xff\xd8frame", wallet=WALLET, kind="picture", mime="image/jpeg")
    await studio.files.publish(picture)
    task = await studio.make(picture=picture.id, picture_mime="image/jpeg")

    assert task.state is State.DONE
    assert vendor.orders[0]["input_reference"]["image_url"].startswith("data:image/jpeg;base64,/9hmcmFtZQ")
    assert not await studio.files.blobs.delete(picture.id)


async def test_a_change_is_sent_to_the_earlier_film(studio: Studio, vendor: Vendor) -> None:
    await studio.make(remix_of="video_77", parent="task_0")

    assert vendor.orders == [{"path": "/v1/videos/video_77/remix", "prompt": "两只猫"}]


# How it fails: the customer pays nothing.


async def test_a_failed_film_costs_nothing(studio: Studio, vendor: Vendor) -> None:
    """The vendor's words are kept for the customer."""
    vendor.polls = [state("in_progress", progress=60), state("failed", error={"code": "oom", "message": "no memory"})]
    task = await studio.make()

    await assert_given_back(studio, task, State.FAILED, "oom")
    assert (task.error_message, task.is_policy) == ("no memory", False)
    assert await studio.files.of_task(task.id) == {}


async def test_a_film_that_may_not_be_made_costs_nothing(studio: Studio, vendor: Vendor) -> None:
    """And says that this is why, whether the vendor says so at once or later."""
    vendor.polls = [state("failed", error={"code": "moderation_blocked", "message": "no such thing"})]
    later = await studio.make()

    await assert_given_back(studio, later, State.FAILED, "moderation_blocked")
    assert later.is_policy


async def test_a_refused_order_costs_nothing(studio: Studio, vendor: Vendor) -> None:
    """It is not tried again, there or elsewhere."""
    body = {"error": {"code": "invalid_value", "type": "invalid_request_error", "message": "seconds must be 4"}}
    vendor.submits = [says(400, body)]
    task = await studio.make()

    await assert_given_back(studio, task, State.FAILED, "invalid_value")
    assert task.error_message == "seconds must be 4"
    assert vendor.jobs == {}


async def test_a_film_without_an_end_expires(studio: Studio, vendor: Vendor) -> None:
    """An unknown state means to look again, until the deadline."""
    vendor.polls = [state("thinking about it")] * 1000
    task = await studio.make(deadline_s=0.2)

    await assert_given_back(studio, task, State.EXPIRED, "deadline_exceeded")


async def test_a_late_success_changes_nothing(studio: Studio, vendor: Vendor) -> None:
    """What was given back stays given back; nobody asks the vendor any more."""
    vendor.polls = [state("in_progress")] * 1000
    task = await studio.make(deadline_s=0.1)
    vendor.polls = []
    await studio.db.write(lambda conn: store.look_now(conn, task.id, 1))
    after_all = await studio.make()

    assert after_all.state is State.DONE
    assert await studio.find(task.id) == task
    assert await studio.files.of_task(task.id) == {}
    assert await studio.money() == (10 * SECOND, 0)


# Trouble on the way.


async def test_a_busy_vendor_is_asked_again(studio: Studio, vendor: Vendor) -> None:
    """It has not begun, so asking again makes one film."""
    vendor.submits = [says(429), says(429)]
    task = await studio.make()

    assert task.state is State.DONE
    assert vendor.jobs_of(task.id) == 1


async def test_a_vendor_that_wants_a_day_does_not_get_it(studio: Studio, vendor: Vendor) -> None:
    """The row is looked after again before the film's own deadline is over."""
    vendor.submits = [says(429, **{"retry-after": "86400"})] * 100
    task = await studio.make(deadline_s=0.2)

    await assert_given_back(studio, task, State.EXPIRED, "deadline_exceeded")


@pytest.mark.parametrize("trouble", [says(429), says(401), says(404, {"error": {"code": "model_not_found"}})])
async def test_a_vendor_that_will_not_is_passed_over(trouble: Answer, studio: Studio) -> None:
    """It has certainly not begun, so the next place makes the film."""
    async with open_vendors(studio, "a", "b") as [first, second]:
        first.submits = [trouble]
        task = await studio.make("a", "b")

        assert (task.state, task.where.channel) == (State.DONE, "b")
        assert first.jobs == {}
        assert second.jobs_of(task.id) == 1


async def test_the_next_place_is_tried_at_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting makes sense only when everybody was asked."""
    monkeypatch.setattr(films, "WAITS_S", (30,))
    async with open_vendors(studio, "a", "b") as [first, second]:
        first.submits = [says(429, **{"retry-after": "30"})]
        task = await studio.make("a", "b")

        assert task.state is State.DONE
        assert second.jobs_of(task.id) == 1


async def test_a_vendor_that_cannot_be_reached_is_passed_over(studio: Studio) -> None:
    """Nothing was sent."""
    studio.open_channel("a", f"http://127.0.0.1:{free_port()}")
    async with open_vendors(studio, "b") as [second]:
        task = await studio.make("a", "b")

        assert (task.state, task.where.channel) == (State.DONE, "b")
        assert second.jobs_of(task.id) == 1


async def test_when_nobody_can_be_reached_the_film_is_given_up(studio: Studio) -> None:
    """After as many tries as are worth it, without an address in the customer's words."""
    studio.open_channel("a", f"http://127.0.0.1:{free_port()}")
    task = await studio.make("a", "a")

    await assert_given_back(studio, task, State.FAILED, "upstream_unavailable")
    assert "127.0.0.1" not in task.error_message


AMBIGUOUS = [says(500), says(503), says(200, {"nonsense": 1}), says(302), hang_up]


@pytest.mark.parametrize("answer", AMBIGUOUS)
async def test_a_film_that_was_begun_is_found_and_not_begun_again(
    answer: Answer, studio: Studio, vendor: Vendor
) -> None:
    """Whatever the vendor said when it was sent; it is asked by our id."""
    vendor.submits = [after(vendor.begin, answer)]
    task = await studio.make()

    assert task.state is State.DONE
    assert (task.upstream_id, vendor.jobs) == ("video_1", {"video_1": task.id})
    assert await studio.money() == (10 * SECOND, 0)


@pytest.mark.parametrize("answer", AMBIGUOUS)
async def test_a_film_that_was_certainly_not_begun_is_sent_again(
    answer: Answer, studio: Studio, vendor: Vendor
) -> None:
    """The vendor's list of films with our id is empty."""
    vendor.submits = [answer]
    task = await studio.make()

    assert task.state is State.DONE
    assert vendor.jobs == {"video_1": task.id}


@pytest.mark.parametrize(
    "sighting",
    [
        says(200, {"data": [{"id": "video_of_another"}]}),
        says(404, {"error": {"message": "Invalid URL (GET /v1/videos)", "type": "invalid_request_error"}}),
        says(405, {"error": {"message": "no such method"}}),
    ],
)
async def test_a_film_that_nobody_can_find_is_given_up(sighting: Answer, studio: Studio) -> None:
    """Sending it again, there or elsewhere, might make it twice; the customer gets the money back."""
    async with open_vendors(studio, "a", "b") as [first, second]:
        first.submits = [hang_up]
        first.finds = [sighting]
        task = await studio.make("a", "b")

        await assert_given_back(studio, task, State.FAILED, "outcome_unknown")
        assert (first.jobs, second.jobs) == ({}, {})
        assert first.finds == []


async def test_the_question_itself_is_repeated(studio: Studio, vendor: Vendor) -> None:
    """A vendor in trouble cannot tell yet."""
    vendor.submits = [after(vendor.begin, hang_up)]
    vendor.finds = [says(500), hang_up, says(429), says(200, {"nonsense": 1})]
    task = await studio.make()

    assert task.state is State.DONE
    assert vendor.jobs == {"video_1": task.id}


async def test_trouble_while_polling_is_no_failure(studio: Studio, vendor: Vendor) -> None:
    """The same film is asked for again; a film of another vendor is not begun."""
    lost = says(404, {"error": {"message": "Video not found", "type": "invalid_request_error"}})
    vendor.polls = [says(500), hang_up, says(429), says(200, {"nonsense": 1}), lost, state("completed")]
    task = await studio.make("a", "a")

    assert task.state is State.DONE
    assert vendor.jobs == {"video_1": task.id}


async def test_a_download_that_was_cut_is_repeated(studio: Studio, vendor: Vendor) -> None:
    """Half a film is never kept."""
    vendor.contents = [cut_half_way, says(500), hang_up]
    task = await studio.make()
    kept = await studio.files.of_task(task.id)

    assert task.state is State.DONE
    assert await studio.files.read(kept["video"].id) == FILM


@pytest.mark.parametrize(
    "answer",
    [
        sends(b"<html>", "text/html"),
        says(200, {"error": {"message": "not yet"}}),
        sends(b"", "video/mp4"),
    ],
)
async def test_what_is_no_film_is_not_sold_as_one(answer: Answer, studio: Studio, vendor: Vendor) -> None:
    """It is fetched again."""
    vendor.contents = [answer]
    task = await studio.make()
    kept = await studio.files.of_task(task.id)

    assert await studio.files.read(kept["video"].id) == FILM


async def test_a_film_of_no_particular_type_is_a_film(studio: Studio, vendor: Vendor) -> None:
    """Stores say `application/octet-stream` when nobody told them; here it is kept as what was bought."""
    vendor.contents = [sends(FILM, "application/octet-stream")] + [says(500)] * 20
    task = await studio.make()

    assert task.state is State.DONE
    assert (await studio.files.of_task(task.id))["video"].mime == "video/mp4"


@pytest.mark.parametrize(
    "answer", [says(404), says(500), hang_up, sends(b"<html>", "text/html"), sends(b"x" * 10**6 * 2, "image/webp")]
)
async def test_a_film_without_a_thumbnail_is_a_film(answer: Answer, studio: Studio, vendor: Vendor) -> None:
    """It is a courtesy, and not waited for."""
    vendor.thumbnails = [answer] * 2  # a GET whose connection was cut is repeated
    task = await studio.make()

    assert task.state is State.DONE
    assert set(await studio.files.of_task(task.id)) == {"video"}
    assert task.cost == 10 * SECOND


async def test_a_film_that_is_too_large_is_given_up(studio: Studio, vendor: Vendor) -> None:
    """It will not get smaller by being fetched again."""
    vendor.contents = [sends(b"x" * 10**6 * 2, "video/mp4")] * 3
    task = await studio.make(deadline_s=2)

    await assert_given_back(studio, task, State.FAILED, "file_too_large")
    assert len(vendor.contents) == 2


async def test_a_film_whose_account_is_gone_is_given_up(studio: Studio, vendor: Vendor) -> None:
    """While it is being made there is nobody else who could go on with it."""
    vendor.polls = [state("in_progress")] * 1000
    studio.engine.start()
    task_id = await studio.order()
    await studio.until(task_id, State.RUNNING)
    studio.close_channel("a")
    task = await studio.until(task_id)

    await assert_given_back(studio, task, State.FAILED, "channel_gone")


async def test_a_film_that_has_not_begun_survives_its_account(studio: Studio, vendor: Vendor) -> None:
    """The next place makes it."""
    task = await studio.make("gone", "a")

    assert (task.state, task.where.channel) == (State.DONE, "a")


async def test_the_credential_of_the_plan_is_used(studio: Studio, vendor: Vendor) -> None:
    """From the first word to the download; a pool that has shrunk meanwhile still has one."""
    studio.open_channel("pool", vendor.url, "sk-one", "sk-two")
    task_id = await studio.order("pool")
    await studio.write(task_id, places='[["pool",1,"sora-2"]]')
    studio.engine.start()
    await studio.until(task_id)

    assert vendor.keys == ["Bearer sk-two"]


# What films tell of their vendors.


async def test_a_busy_vendor_cools_down(studio: Studio) -> None:
    """The credential, for as long as it said, so that calls and other films go elsewhere meanwhile."""
    async with open_vendors(studio, "a", "b") as [first, _]:
        first.submits = [says(429, **{"retry-after": "30"})]
        await studio.make("a", "b")

    assert 0 < studio.health.rest_s("a", 0, "sora-2") <= 30
    assert not studio.health.is_resting("b", 0, "sora-2")


async def test_a_vendor_that_does_not_accept_the_account_is_parked(studio: Studio) -> None:
    """As with calls: for every model."""
    async with open_vendors(studio, "a", "b") as [first, _]:
        first.submits = [says(401, {"error": {"message": "no", "code": "invalid_api_key"}})]
        await studio.make("a", "b")

    assert studio.health.is_resting("a", 0, "another")


async def test_a_model_that_is_absent_is_not_asked_for(studio: Studio) -> None:
    async with open_vendors(studio, "a", "b") as [first, _]:
        first.submits = [says(404, {"error": {"message": "no", "code": "model_not_found"}})]
        await studio.make("a", "b")

    assert studio.health.is_absent("a", "sora-2")


@pytest.mark.parametrize("trouble", [says(500), hang_up, says(200, {"nonsense": 1})])
async def test_trouble_while_polling_opens_the_circuit(trouble: Answer, studio: Studio, vendor: Vendor) -> None:
    """After five in a row, and the first good answer closes it."""
    was_open = []

    async def witness(request: web.Request) -> web.StreamResponse:
        was_open.append(studio.health.is_open("a"))
        return await state("in_progress")(request)

    vendor.polls = [trouble] * 10 + [witness]  # a GET whose connection was cut is repeated
    await studio.make()

    assert was_open == [True]
    assert not studio.health.is_open("a")
    assert studio.health.score("a") < 1


async def test_a_refused_film_says_nothing_of_its_vendor(studio: Studio, vendor: Vendor) -> None:
    """It is the customer's wish that was refused, or the film that is not seen yet."""
    vendor.submits = [says(400, {"error": {"message": "no"}})]
    await studio.make()
    vendor.polls = [says(404, {"error": {"message": "Video not found", "type": "invalid_request_error"}})] * 6
    await studio.make()

    assert studio.health.score("a") == 1
    assert not studio.health.is_open("a")
