"""The video API as OpenAI's SDK sees it, and the films with ffmpeg's eyes."""

import base64
import io
import json
import re
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx  # the SDK's own HTTP client
import openai
import pytest
from PIL import Image, ImageChops, ImageStat

from yibu.sandbox.engines.film import find_encoder
from yibu.sandbox.engines.picture import paint

SIZE = "1280x720"
MEMBERS = {
    "id", "object", "model", "status", "progress", "created_at", "completed_at", "expires_at", "prompt", "size",
    "seconds", "remixed_from_video_id", "error",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _retired() -> Iterator[None]:
    """The SDK warns that OpenAI has retired the vendor behind this API; the wire form lives on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def finished(client: openai.OpenAI, video: Any, seen: list[tuple[str, int]] | None = None) -> Any:
    deadline = time.monotonic() + 30
    while video.status in ("queued", "in_progress") and time.monotonic() < deadline:
        time.sleep(0.05)
        video = client.videos.retrieve(video.id)
        if seen is not None:
            seen.append((video.status, video.progress))
    return video


def boxes(film: bytes) -> list[str]:
    """The names of an MP4's outer boxes, in order."""
    names: list[str] = []
    at = 0
    while at < len(film):
        names.append(film[at + 4 : at + 8].decode("ascii"))
        at += int.from_bytes(film[at : at + 4], "big")
    return names


def frame(film: bytes, folder: Path, at_s: float) -> Image.Image:
    file = folder / "film.mp4"
    file.write_bytes(film)
    command = [find_encoder(), "-loglevel", "error", "-ss", str(at_s), "-i", str(file), "-frames:v", "1"]
    done = subprocess.run([*command, "-f", "image2pipe", "-c:v", "png", "-"], capture_output=True, check=True)
    return Image.open(io.BytesIO(done.stdout)).convert("RGB")


def facts(folder: Path) -> str:
    """What ffmpeg tells about the film that `frame` has written."""
    command = [find_encoder(), "-hide_banner", "-i", str(folder / "film.mp4")]
    return subprocess.run(command, capture_output=True, check=False, text=True).stderr


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of the pixels, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


@pytest.fixture(scope="module")
def given() -> Image.Image:
    """A picture to begin with."""
    return paint("a house in the forest", 1280, 720)


@pytest.fixture(scope="module")
def made(client: openai.OpenAI, given: Image.Image) -> tuple[Any, list[tuple[str, int]]]:
    """A film of the picture with a bird, and the states seen while it was made."""
    seen: list[tuple[str, int]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        reference = ("first.png", png(given), "image/png")
        video = client.videos.create(
            model="sora-2", prompt="一只小鸟飞过", seconds="4", size=SIZE, input_reference=reference
        )
        assert set(video.model_dump()) >= MEMBERS
        assert (video.status, video.progress, video.completed_at) == ("queued", 0, None)
        return finished(client, video, seen), seen


def test_the_film_begins_with_the_given_picture(
    client: openai.OpenAI, given: Image.Image, made: Any, tmp_path: Path
) -> None:
    """H.264 and AAC with the index first, exactly as long and large as asked; the first frame is the picture."""
    film = client.videos.download_content(made[0].id).read()
    first = frame(film, tmp_path, 0)
    told = facts(tmp_path)

    assert boxes(film).index("moov") < boxes(film).index("mdat")
    assert b"avc1" in film
    assert "Duration: 00:00:04.00" in told
    assert re.search(r"h264 .*yuv420p.* 1280x720", told)
    assert "Audio: aac" in told
    assert difference(first, given) < 4


def test_the_bird_crosses_the_film(client: openai.OpenAI, made: Any, given: Image.Image, tmp_path: Path) -> None:
    """Something dark is in the sky later that was not there at first, and it moves to the right."""
    film = client.videos.download_content(made[0].id).read()
    places = []
    for at_s in (1.0, 2.9):
        sky = frame(film, tmp_path, at_s).convert("L").crop((0, 80, 1280, 330))
        box = sky.point([255 if value < 70 else 0 for value in range(256)]).getbbox()
        assert box is not None
        places.append(box)

    assert given.convert("L").crop((0, 80, 1280, 330)).getextrema()[0] > 70
    assert places[0][2] < places[1][0]


def test_progress_follows_the_encoder(made: Any) -> None:
    """Progress rises to 100 through values in between, and the object is complete."""
    video, seen = made
    numbers = [progress for _, progress in seen]

    assert numbers == sorted(numbers)
    assert any(0 < number < 100 for number in numbers)
    assert (video.status, video.progress, video.seconds, video.size) == ("completed", 100, "4", SIZE)
    assert video.expires_at == video.completed_at + 86_400


def test_the_thumbnail_is_a_small_webp(client: openai.OpenAI, made: Any) -> None:
    """At most 480 pixels of the first picture."""
    thumbnail = Image.open(io.BytesIO(client.videos.download_content(made[0].id, variant="thumbnail").read()))

    assert (thumbnail.format, thumbnail.size) == ("WEBP", (480, 270))


def test_a_remix_brings_snow(client: openai.OpenAI, made: Any, given: Image.Image, tmp_path: Path) -> None:
    """换成雪地 makes the same picture paler, and the new film knows its parent."""
    video = finished(client, client.videos.remix(made[0].id, prompt="换成雪地"))
    first = frame(client.videos.download_content(video.id).read(), tmp_path, 0)

    assert (video.remixed_from_video_id, video.prompt, video.status) == (made[0].id, "换成雪地", "completed")
    assert ImageStat.Stat(first.convert("L")).mean[0] > ImageStat.Stat(given.convert("L")).mean[0] + 25


def test_a_picture_of_another_size_is_refused(client: openai.OpenAI) -> None:
    """The picture must match the size exactly, as a file and as a data URL in JSON or in a form field."""
    small = png(Image.new("RGB", (64, 64)))
    link = {"image_url": f"data:image/png;base64,{base64.b64encode(small).decode()}"}
    for more in (
        {"files": {"input_reference": ("a.png", small, "image/png"), "size": (None, SIZE), "prompt": (None, "x")}},
        {"files": {"input_reference": (None, json.dumps(link)), "size": (None, SIZE), "prompt": (None, "x")}},
        {"json": {"input_reference": link, "size": SIZE, "prompt": "x"}},
    ):
        headers = {"authorization": f"Bearer {client.api_key}"}
        with httpx.Client() as http:
            reply = http.post(f"{client.base_url}videos", headers=headers, **more)  # type: ignore[arg-type]

        assert reply.status_code == 400
        assert reply.json()["error"]["message"] == "Inpaint image must match the requested width and height"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": "x", "seconds": "5"}, "seconds"),
        ({"prompt": "x", "size": "10x10"}, "size"),
        ({"prompt": "x", "size": "1792x1024"}, "size"),
        ({"prompt": "x", "model": "none"}, "model"),
        ({"prompt": "x", "colour": "red"}, "colour"),
        ({"prompt": "x", "input_reference": {"image_url": "https://example.com/a.png"}}, "input_reference.image_url"),
    ],
)
def test_wrong_input_names_the_member(client: openai.OpenAI, body: dict[str, Any], param: str) -> None:
    """A wrong member of a JSON body is a 400 that names it."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/videos", body=body, cast_to=object)

    assert caught.value.param == param


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Client-Request-Id"])
def test_the_same_key_is_the_same_job(client: openai.OpenAI, header: str) -> None:
    """A repeated create gives the first job, and the key finds it."""
    key = f"key-of-{header}"
    first, second = (
        client.videos.create(prompt="x", model="sandbox/fail-task", extra_headers={header: key})  # type: ignore[arg-type]
        for _ in range(2)
    )
    found = client.videos.list(extra_query={"client_request_id": key})

    assert first.id == second.id
    assert [video.id for video in found.data] == [first.id]


@pytest.mark.parametrize(
    ("model", "code"), [("sandbox/fail-task", "video_generation_failed"), ("sandbox/policy-task", "moderation_blocked")]
)
def test_a_job_can_fail(client: openai.OpenAI, model: Any, code: str) -> None:
    """A failed job says why and has no content."""
    video = finished(client, client.videos.create(prompt="x", model=model))

    assert (video.status, video.error.code) == ("failed", code)
    with pytest.raises(openai.NotFoundError):
        client.videos.download_content(video.id)


def test_jobs_are_listed_in_pages_and_deleted(client: openai.OpenAI) -> None:
    """The list is newest first and goes on after an id; a deleted job is gone, also while it runs."""
    jobs = [client.videos.create(prompt=f"page {number}", model="sandbox/slow-task") for number in range(3)]  # type: ignore[arg-type]
    page = client.videos.list(limit=2)
    rest = client.videos.list(limit=1, after=page.data[-1].id)

    assert [video.prompt for video in page.data] == ["page 2", "page 1"]
    assert page.has_more is True
    assert rest.data[0].id == jobs[0].id
    for job in jobs:
        assert client.videos.delete(job.id).deleted is True
    with pytest.raises(openai.NotFoundError):
        client.videos.retrieve(jobs[0].id)
