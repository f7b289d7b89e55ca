import base64
from typing import Any

import msgspec
import pytest

from yibu.hub.errors import Broken
from yibu.hub.work import Failure, Outlook, Progress, Ready, VideoRequest
from yibu.providers._openai_videos import OpenAIVideos

REQUEST = VideoRequest(model="sora-2", prompt="两只猫", seconds=10, size=(720, 1280))
DRIVER = OpenAIVideos()


def poll(**members: Any) -> Outlook:
    return DRIVER.read_poll(msgspec.json.encode({"id": "video_1", "object": "video"} | members))


def test_submitting_sends_what_the_specification_names() -> None:
    """Seconds are text and the size is width x height; our id goes along in two headers."""
    request = DRIVER.submit(REQUEST, "task_1")

    assert (request.method, request.path) == ("POST", "/v1/videos")
    assert msgspec.json.decode(request.body) == {
        "model": "sora-2",
        "prompt": "两只猫",
        "seconds": "10",
        "size": "720x1280",
    }
    assert request.headers == {
        "content-type": "application/json",
        "x-client-request-id": "task_1",
        "idempotency-key": "task_1",
    }


def test_a_first_frame_travels_as_a_data_url() -> None:
    request = DRIVER.submit(msgspec.structs.replace(REQUEST, picture=b"\xff\xd8", picture_mime="image/jpeg"), "t")
    inline = base64.b64encode(b"\xff\xd8").decode()

    assert msgspec.json.decode(request.body)["input_reference"] == {"image_url": f"data:image/jpeg;base64,{inline}"}


def test_a_change_names_the_earlier_film_in_its_path() -> None:
    """The vendor takes length and size from there; an id cannot leave its place in the path."""
    request = DRIVER.submit(msgspec.structs.replace(REQUEST, remix_of="../v?x", picture=b"p"), "t")

    assert request.path == "/v1/videos/..%2Fv%3Fx/remix"
    assert msgspec.json.decode(request.body) == {"prompt": "两只猫"}


def test_the_vendors_id_is_read_from_its_answer() -> None:
    assert DRIVER.read_submit(b'{"id": "video_68d", "object": "video", "status": "queued", "more": 1}') == "video_68d"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"{}", b'{"id": 5}', b'{"id": ""}', b'{"error": {"message": "x"}}', b"\xff"],
)
def test_an_answer_without_an_id_is_broken(body: bytes) -> None:
    """Nobody knows whether the film has begun; the vendor's words are kept for the log."""
    with pytest.raises(Broken) as broken:
        DRIVER.read_submit(body)
    assert broken.value.upstream_words == body.decode("utf-8", "replace")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"status": "queued"}', b'{"id": "x", "status": {}}'])
def test_a_state_that_cannot_be_read_is_broken(body: bytes) -> None:
    """Which is no failure of the film."""
    with pytest.raises(Broken):
        DRIVER.read_poll(body)


QUEUED = ("queued", "pending", "submitted", "not_start", "created")
WORKING = ("in_progress", "processing", "running", "generating")
DONE = ("completed", "succeeded", "success", "succeed", "done")
FAILED = ("failed", "failure", "error", "cancelled", "canceled", "expired", "timeout")


def cases(*words: str) -> list[str]:
    return [spelt for word in words for spelt in (word, word.upper(), word.title())]


@pytest.mark.parametrize("status", cases(*QUEUED))
def test_a_film_that_waits_is_queued(status: str) -> None:
    assert poll(status=status, progress=0) == Progress(0, is_queued=True)


@pytest.mark.parametrize("status", cases(*WORKING))
def test_a_film_that_is_being_made_has_progress(status: str) -> None:
    assert poll(status=status, progress=42) == Progress(42, is_queued=False)


@pytest.mark.parametrize("status", cases(*DONE))
def test_a_film_that_is_done_is_ready(status: str) -> None:
    assert poll(status=status, progress=100, seconds="10", share_id="s_1") == Ready(10, "s_1")


@pytest.mark.parametrize("status", cases(*FAILED))
def test_a_film_that_failed_says_why(status: str) -> None:
    """With the vendor's words if it has any, else with ours."""
    assert poll(status=status, error={"code": "oom", "message": "no memory"}) == Failure("oom", "no memory")
    assert poll(status=status) == Failure("video_generation_failed", "The vendor could not make this film.")
    assert poll(status=status, error=None) == poll(status=status)
    assert poll(status=status, error="no memory") == Failure("video_generation_failed", "no memory")


@pytest.mark.parametrize("status", ["", "finalizing", "已完成", None])
def test_an_unknown_status_means_to_look_again(status: str | None) -> None:
    """Neither done nor failed; the deadline of the film bounds it."""
    assert isinstance(poll(status=status), Progress)


@pytest.mark.parametrize("code", ["moderation_blocked", "sentinel_block", "content_policy_violation"])
def test_a_refusal_for_its_content_is_told_apart(code: str) -> None:
    outlook = poll(status="failed", error={"code": code, "message": "no"})

    assert isinstance(outlook, Failure)
    assert outlook.is_policy


@pytest.mark.parametrize(
    ("progress", "percent"),
    [(0, 0), (None, 0), (42.9, 42), (-5, 0), (99, 99), (100, 99), (10**9, 99), ("30%", 30), ("7", 7), ("soon", 0)],
)
def test_progress_stays_between_its_ends(progress: float | str | None, percent: int) -> None:
    """100 only when it is done; `30%` is what some relays write."""
    assert poll(status="in_progress", progress=progress) == Progress(percent, is_queued=False)


@pytest.mark.parametrize(
    ("seconds", "length"),
    [
        ("10", 10),
        (10, 10),
        (9.6, 10),
        ("12.0", 12),
        (None, None),
        ("", None),
        ("ten", None),
        (0, None),
        (-4, None),
        ("nan", None),
        ("inf", None),
        ("1e300", None),
        (10**7, None),
    ],
)
def test_a_length_that_makes_no_sense_was_not_reported(seconds: Any, length: int | None) -> None:
    """It is what the customer pays by."""
    assert poll(status="completed", seconds=seconds) == Ready(length)


def find(body: Any) -> tuple[str, bool]:
    sighting = DRIVER.read_find(msgspec.json.encode(body), "task_1")
    return sighting.upstream_id, sighting.is_certain


def test_finding_asks_by_our_id() -> None:
    request = DRIVER.find("task_1")

    assert request
    assert (request.method, request.path) == ("GET", "/v1/videos?client_request_id=task_1")


def test_a_film_under_our_id_is_found() -> None:
    """Among others, too."""
    mine = {"id": "video_2", "client_request_id": "task_1"}

    assert find({"data": [mine]}) == ("video_2", True)
    assert find({"data": [{"id": "video_1"}, mine]}) == ("video_2", True)


def test_an_empty_list_is_certain() -> None:
    """The vendor has no film of ours, so it may be asked for it again."""
    assert find({"data": [], "object": "list"}) == ("", True)


def test_films_of_others_prove_nothing() -> None:
    """A vendor that ignores the filter shows one page of all; ours may be on the next."""
    assert find({"data": [{"id": "video_1"}]}) == ("", False)
    assert find({"data": [{"id": "video_1", "client_request_id": "task_2"}]}) == ("", False)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": null}', b'{"data": [{}]}', b"<html>"])
def test_a_list_that_cannot_be_read_is_broken(body: bytes) -> None:
    with pytest.raises(Broken):
        DRIVER.read_find(body, "task_1")


def test_the_film_is_collected_first_and_its_picture_after() -> None:
    """The first is what was bought; the second is a courtesy."""
    film, picture = DRIVER.artefacts("video/1")

    assert (film.kind, film.path, film.mime) == ("video", "/v1/videos/video%2F1/content", "video/mp4")
    assert (picture.kind, picture.path) == ("thumbnail", "/v1/videos/video%2F1/content?variant=thumbnail")


def test_a_failure_tells_neither_addresses_nor_keys() -> None:
    """Customers read it; a code that is no code is left out."""
    told = "Cannot load https://internal.vendor.test/v1?key=1 with sk-abcdefghijkl at 10.0.0.7:8080"

    outlook = poll(status="failed", error={"code": "see http://10.0.0.7", "message": told})

    assert outlook == Failure("video_generation_failed", "Cannot load [address] with [key] at [address]")
