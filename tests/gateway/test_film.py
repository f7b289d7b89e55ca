"""The main job: a film asked for through chat, from the words to an MP4 that shows the picture."""

import asyncio
import base64
import io
import json
import re
import subprocess
from typing import Any

import imageio_ffmpeg
import pytest
from aiohttp import web
from PIL import Image, ImageDraw, ImageStat

from tests.gateway.conftest import change
from tests.gateway.test_bad_input import error_of, serving
from tests.gateway.test_chat import rows
from tests.house import House, free_port, open_house
from yibu.kit.money import Nanos
from yibu.kit.settings import Settings

SECOND = 10_000_000
"""Nanos a second of film costs in a demo."""

# What public clients match answers with.
TASK = re.compile(r"ID: `(task_[A-Za-z0-9]+)`")
PREVIEW = re.compile(r"\[数据预览\]\(([^)]+)\)")
SOURCE = re.compile(r"\[原始数据\]\(([^)]+)\)")
LINK = re.compile(r"https?://\S+?\.mp4")
THUMBNAIL = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
PROGRESS = re.compile(r"进度\s*(\d+)")


def drawing(size: tuple[int, int]) -> bytes:
    """Left half orange, right half blue, as PNG."""
    image = Image.new("RGB", size, (230, 120, 20))
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, size[0], size[1]), fill=(20, 60, 200))
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def ask(words: str, url: str = "", **members: Any) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"type": "text", "text": words}]
    if url:
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return {"model": "sora-2", "max_tokens": 1000, "messages": [{"role": "user", "content": parts}], **members}


async def stream(house: House, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The chunks of a streamed answer, which ends with [DONE]."""
    status, headers, raw = await house.post({**body, "stream": True})
    assert status == 200, raw
    assert headers["content-type"].startswith("text/event-stream")
    frames = [line.removeprefix("data: ") for line in raw.decode().split("\n\n") if line.startswith("data: ")]
    assert frames[-1] == "[DONE]"
    return [json.loads(frame) for frame in frames[:-1]]


def words_of(chunks: list[dict[str, Any]]) -> str:
    return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])


class Film:
    """What ffmpeg sees in an MP4."""

    def __init__(self, data: bytes, path: Any) -> None:
        path.write_bytes(data)
        ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
        about = subprocess.run([ffmpeg, "-hide_banner", "-i", str(path)], capture_output=True, text=True).stderr
        clock = re.search(r"Duration: (\d+):(\d+):([\d.]+)", about)
        stream = re.search(r"Video: (\w+).*? (\d{3,4})x(\d{3,4})", about)
        assert clock, about
        assert stream, about
        self.seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])
        self.codec, self.size = stream[1], (int(stream[2]), int(stream[3]))
        self.is_faststart = 0 < data.find(b"moov") < data.find(b"mdat")
        frame = subprocess.run(
            [ffmpeg, "-v", "error", "-i", str(path), "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"],
            capture_output=True,
            check=True,
        ).stdout
        self.first = Image.open(io.BytesIO(frame)).convert("RGB")

    def mean(self, box: tuple[float, float, float, float]) -> tuple[int, ...]:
        """Mean colour of a part of the first frame; `box` in fractions of its size."""
        w, h = self.first.size
        part = self.first.crop((int(box[0] * w), int(box[1] * h), int(box[2] * w), int(box[3] * h)))
        return tuple(round(value) for value in ImageStat.Stat(part).mean)


def assert_shows_drawing(film: Film) -> None:
    """Orange on the left, blue on the right."""
    left, right = film.mean((0.1, 0.4, 0.4, 0.6)), film.mean((0.6, 0.4, 0.9, 0.6))
    assert left[0] > 180
    assert left[2] < 90
    assert right[2] > 150
    assert right[0] < 90


async def test_film_of_a_picture(house: House, tmp_path: Any) -> None:
    """The request of the documentation page: role first, progress in the known words, a link that plays, stop, [DONE]."""
    body = ask("里面有一只小鸟在飞行,4秒", data_url(drawing((720, 1280))), stream_options={"include_usage": True})
    chunks = await stream(house, body)
    words = words_of(chunks)

    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert {chunk["model"] for chunk in chunks} == {"sora-2"}
    understood = json.loads(words.partition("```json\n")[2].partition("```")[0])
    assert understood == {"prompt": "里面有一只小鸟在飞行,4秒", "orientation": "portrait", "duration": 4}
    for sign in ("> ID: `task_", "> 排队中", "> 生成中.", ">🏃 进度 ", "> 生成完成 ✅", "> sid: s_", "[在线播放▶️]("):
        assert sign in words
    numbers = [int(n) for n in re.findall(r"(\d+)\.\.", words)]
    assert numbers == sorted(numbers)
    assert PROGRESS.search(words)
    finish = [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]]
    assert finish[-1] == "stop"
    assert set(finish[:-1]) == {None}
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0

    link = LINK.search(words)
    assert link
    status, headers, data = await house.get(link[0], authorization="")
    film = Film(data, tmp_path / "film.mp4")
    assert (status, headers["content-type"]) == (200, "video/mp4")
    assert film.codec == "h264"
    assert film.is_faststart
    assert film.size == (720, 1280)
    assert abs(film.seconds - 4) < 0.2
    assert_shows_drawing(film)

    thumbnail = THUMBNAIL.search(words)
    assert thumbnail
    status, headers, data = await house.get(thumbnail[1], authorization="")
    assert (status, headers["content-type"]) == (200, "image/webp")
    assert await house.spent() == 4 * SECOND
    assert await house.held() == 0
    assert b'yibu_cost_units_total{channel="sandbox"} 0.04\n' in house.app.house.metrics.render()


async def test_film_without_a_stream(house: House, tmp_path: Any) -> None:
    """In one piece the answer is the same transcript, and the picture's form decides when no words do."""
    status, headers, body = await house.post(ask("make it move for 4 seconds", data_url(drawing((640, 360)))))
    answer = json.loads(body)
    words = answer["choices"][0]["message"]["content"]

    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert float(headers["x-yibu-cost"]) == 0.04
    assert '"orientation": "landscape"' in words
    link = LINK.search(words)
    assert link
    film = Film((await house.get(link[0]))[2], tmp_path / "film.mp4")
    assert film.size == (1280, 720)
    assert_shows_drawing(film)


async def test_film_of_a_picture_on_the_web(settings: Settings, tmp_path: Any) -> None:
    """A picture may be named by URL."""

    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=drawing((1280, 720)), content_type="image/png")

    port = free_port()
    async with serving(port, show), open_house(change(settings, "fetch", allow=(f"127.0.0.1:{port}",))) as house:
        words = words_of(await stream(house, ask("横屏 4s", f"http://127.0.0.1:{port}/a.png")))
        link = LINK.search(words)
        assert link
        film = Film((await house.get(link[0]))[2], tmp_path / "film.mp4")

    assert film.size == (1280, 720)
    assert_shows_drawing(film)


async def test_film_that_cannot_be_paid(settings: Settings, tmp_path: Any) -> None:
    """It is refused before its picture is fetched, cut and kept."""
    asked = 0

    async def show(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(body=drawing((1280, 720)), content_type="image/png")

    port = free_port()
    allowed = change(settings, "fetch", allow=(f"127.0.0.1:{port}",))
    async with serving(port, show), open_house(allowed, credit=Nanos(4 * SECOND - 1)) as house:
        status, _, body = await house.post(ask("横屏 4s", f"http://127.0.0.1:{port}/a.png"))

    assert (status, error_of(body)["code"]) == (429, "insufficient_quota")
    assert "0.04" in error_of(body)["message"]
    assert asked == 0
    assert not (tmp_path / "data" / "blobs").exists()


async def test_film_of_words_then_changed(house: House, tmp_path: Any) -> None:
    """A film without a picture; then the earlier answer stands in the conversation and the film is changed."""
    first = words_of(await stream(house, ask("两只猫跳舞,横屏,4秒")))
    conversation = [
        {"role": "user", "content": "两只猫跳舞,横屏,4秒"},
        {"role": "assistant", "content": first},
        {"role": "user", "content": "换成雪地"},
    ]
    second = words_of(await stream(house, {"model": "sora-2", "messages": conversation}))
    links = [LINK.search(words) for words in (first, second)]
    ids = [TASK.search(words) for words in (first, second)]
    assert all(links)
    assert all(ids)
    films = [Film((await house.get(link[0]))[2], tmp_path / f"{n}.mp4") for n, link in enumerate(links) if link]
    about = json.loads((await house.get(f"/v1/videos/{ids[1][1]}"))[2])  # type: ignore[index]

    assert [film.size for film in films] == [(1280, 720)] * 2
    assert about["remixed_from_video_id"] == ids[0][1]  # type: ignore[index]
    assert about["prompt"] == "换成雪地"
    # Snow makes it lighter.
    assert sum(films[1].mean((0, 0, 1, 1))) > sum(films[0].mean((0, 0, 1, 1)))
    assert await house.spent() == 8 * SECOND


async def test_film_of_somebody_else_is_not_changed(house: House, settings: Settings, tmp_path: Any) -> None:
    """An id that is not the caller's own is as good as none: a fresh film is made."""
    foreign = "> ID: `task_01k7dzptgwf2z87wj2c3t36qk0`\n\n> 生成完成 ✅\n\n> sid: s_68ec8accd80c8191ae1f"
    conversation = [
        {"role": "user", "content": "两只猫跳舞"},
        {"role": "assistant", "content": foreign},
        {"role": "user", "content": "换成雪地 4s"},
    ]
    words = words_of(await stream(house, {"model": "sora-2", "messages": conversation}))
    task = TASK.search(words)
    assert task
    about = json.loads((await house.get(f"/v1/videos/{task[1]}"))[2])

    assert about["status"] == "completed"
    assert about["remixed_from_video_id"] is None


async def test_failed_film(house: House) -> None:
    """A film that fails says so in a well-formed stream, and nothing is charged."""
    words = words_of(await stream(house, {**ask("x 4s"), "model": "sandbox/fail-task"}))

    assert "> 生成失败 ❌" in words
    assert "> 原因: " in words
    assert await house.spent() == await house.held() == 0


async def test_forbidden_film(house: House) -> None:
    """A film that the vendor's policy forbids ends with content_filter, and nothing is charged."""
    chunks = await stream(house, {**ask("x 4s"), "model": "sandbox/policy-task"})

    assert [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]][-1] == "content_filter"
    assert await house.spent() == await house.held() == 0


async def test_range_requests(house: House) -> None:
    """Players can seek: part of a film, its end, nothing beyond it; HEAD tells the length."""
    words = words_of(await stream(house, ask("a bird, 4s")))
    link = LINK.search(words)
    assert link
    url = link[0]
    _, _, whole = await house.get(url)
    part = await house.get(url, range="bytes=100-199")
    tail = await house.get(url, range="bytes=-50")
    beyond = await house.get(url, range=f"bytes={len(whole)}-")
    async with house.session.head(url) as head:
        length = int(head.headers["content-length"])

    assert (part[0], part[2]) == (206, whole[100:200])
    assert part[1]["content-range"] == f"bytes 100-199/{len(whole)}"
    assert (tail[0], tail[2]) == (206, whole[-50:])
    assert beyond[0] == 416
    assert length == len(whole)


async def test_link_expires(settings: Settings) -> None:
    """When its time is over a link leads nowhere, and the bytes are removed."""
    async with open_house(change(settings, "files", ttl_hours=2 / 3600)) as house:
        words = words_of(await stream(house, ask("a bird, 4s")))
        link = LINK.search(words)
        assert link
        await asyncio.sleep(2.2)
        status, _, body = await house.get(link[0])
        removed = await house.app.house.wires.files.remove_expired()

        assert status == 404
        assert "expired" in error_of(body)["message"]
        assert removed >= 2


async def test_hang_up_does_not_stop_the_film(house: House) -> None:
    """A client that hangs up finds its film again by id; it is charged once, when it is done."""
    async with house.session.post(
        f"{house.url}/v1/chat/completions", headers=house.bearer, json={**ask("a cat, 4s"), "stream": True}
    ) as answer:
        heard = b""
        async for piece in answer.content.iter_any():
            heard += piece
            if "原始数据" in heard.decode("utf-8", "ignore"):
                break
        answer.close()
    words = "".join(re.findall(r'"content":"(.*?)"', heard.decode("utf-8", "ignore")))
    task, source, preview = TASK.search(words), SOURCE.search(words), PREVIEW.search(words)
    assert task
    assert source
    assert preview
    about = {"status": "queued"}
    for _ in range(200):
        about = json.loads((await house.get(f"/v1/videos/{task[1]}"))[2])
        if about["status"] in ("completed", "failed"):
            break
        await asyncio.sleep(0.1)
    linked = json.loads((await house.get(source[1], authorization=""))[2])
    page = (await house.get(preview[1], authorization=""))[2].decode()
    content = await house.get(f"/v1/videos/{task[1]}/content")

    assert about["status"] == "completed"
    assert linked["video_url"] == about["video_url"]
    assert "<video" in page
    assert content[1]["content-type"] == "video/mp4"
    assert await house.spent() == 4 * SECOND
    [row] = await rows(house)
    assert row["cost"] == 4 * SECOND
    assert row["task_id"] == task[1]


async def test_film_of_another_customer(house: House) -> None:
    """An id is found by its owner only; without a key nothing is told."""
    words = words_of(await stream(house, ask("a cat, 4s")))
    task = TASK.search(words)
    assert task
    async with house.session.get(f"{house.url}/v1/videos/{task[1]}") as answer:
        assert answer.status == 401


@pytest.mark.parametrize("words", ["", "   "])
async def test_nothing_to_film(house: House, words: str) -> None:
    """A picture without words is refused with the path."""
    status, _, body = await house.post(ask(words, data_url(drawing((64, 64)))))

    assert status == 400
    assert error_of(body)["param"] == "$.messages[0].content"
