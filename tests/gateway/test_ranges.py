"""Source: RFC 9110, sections 13 and 14."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from tests.tasks.studio import open_studio
from yibu.gateway.files import send_file, show_file
from yibu.gateway.request import Request
from yibu.hub.errors import NotFound
from yibu.kit.blobs import Blobs
from yibu.kit.ids import now_ms
from yibu.relay.reply import Message, Reply
from yibu.tasks.files import File

DATA = bytes(range(100))


class Answer:
    """What came back for a GET (or HEAD) of `file`."""

    def __init__(self, sent: list[Message]) -> None:
        self.status = sent[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path)


@pytest.fixture
async def file(blobs: Blobs) -> File:
    return await keep(blobs, DATA)


async def keep(blobs: Blobs, data: bytes) -> File:
    """A film that is kept for an hour."""
    await blobs.put("file_1", data, 1000)
    expires_at = now_ms() + 3_600_000
    return File(
        id="file_1", wallet=1, kind="video", mime="video/mp4", size=len(data), created_at=0, expires_at=expires_at
    )


async def ask(blobs: Blobs, file: File, method: str = "GET", **headers: str) -> Answer:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": method, "path": "/", "headers": raw, "query_string": b"", "scheme": "http"}
    request = Request(scope, _never, "req_1")
    house = cast(Any, SimpleNamespace(wires=SimpleNamespace(files=SimpleNamespace(blobs=blobs))))
    await send_file(file, request, Reply(send, _never, [], is_head=request.is_head), house)
    return Answer(sent)


async def _never() -> Message:
    return await asyncio.Future()


async def test_a_whole_file(blobs: Blobs, file: File) -> None:
    """With what players and caches want to know."""
    answer = await ask(blobs, file)

    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers["content-length"] == "100"
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == f'"{file.id}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert 3500 < int(answer.headers["cache-control"].removeprefix("private, max-age=")) <= 3600
    assert "content-range" not in answer.headers


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-", 0, 99),
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=99-", 99, 99),
        ("bytes=90-1000", 90, 99),
        ("bytes=-1", 99, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
        ("Bytes=0-1", 0, 1),
    ],
)
async def test_a_part_of_a_file(wanted: str, first: int, last: int, blobs: Blobs, file: File) -> None:
    """A range that reaches beyond the end stops there."""
    answer = await ask(blobs, file, range=wanted)

    assert (answer.status, answer.body) == (206, DATA[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/100"
    assert answer.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=1000-2000", "bytes=-0"])
async def test_a_part_that_is_not_there(wanted: str, blobs: Blobs, file: File) -> None:
    """The answer says how long the file is."""
    answer = await ask(blobs, file, range=wanted)

    assert (answer.status, answer.body) == (416, b"")
    assert answer.headers["content-range"] == "bytes */100"


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=-",
        "bytes=5-2",
        "bytes=a-b",
        "bytes 0-1",
        "items=0-1",
        "bytes=0-1,5-6",
        "0-1",
        "",
        "bytes=" + "9" * 5000 + "-",
        "bytes=0-" + "9" * 5000,
    ],
)
async def test_a_range_that_means_nothing_is_ignored(wanted: str, blobs: Blobs, file: File) -> None:
    """Then the whole file is meant."""
    answer = await ask(blobs, file, range=wanted)

    assert (answer.status, answer.body) == (200, DATA)
    assert "content-range" not in answer.headers


async def test_a_head_has_no_range(blobs: Blobs, file: File) -> None:
    """Ranges are defined for GET alone."""
    answer = await ask(blobs, file, "HEAD", range="bytes=0-9")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "100"


@pytest.mark.parametrize(
    ("known", "status"),
    [("{}", 304), ("W/{}", 304), ('"other", {}', 304), ("*", 304), ('"other"', 200), ("", 200)],
)
async def test_a_file_that_is_known_is_not_sent_again(known: str, status: int, blobs: Blobs, file: File) -> None:
    """Its content never changes, so its tag is all there is to compare."""
    answer = await ask(blobs, file, if_none_match=known.format(f'"{file.id}"'))

    assert answer.status == status
    assert answer.headers["etag"] == f'"{file.id}"'
    assert answer.body == (DATA if status == 200 else b"")
    assert ("content-length" in answer.headers) is (status == 200)


@pytest.mark.parametrize(
    ("condition", "status"),
    [("{}", 206), ('"other"', 200), ("W/{}", 200), ("Wed, 21 Oct 2026 07:28:00 GMT", 200)],
)
async def test_a_part_of_another_version_is_not_sent(condition: str, status: int, blobs: Blobs, file: File) -> None:
    """`If-Range` compares strongly; what does not match gets the whole."""
    answer = await ask(blobs, file, range="bytes=0-9", if_range=condition.format(f'"{file.id}"'))

    assert (answer.status, answer.body) == (status, DATA[:10] if status == 206 else DATA)


async def test_an_empty_file(blobs: Blobs) -> None:
    """It has no part that could be sent."""
    empty = await keep(blobs, b"")

    assert (await ask(blobs, empty)).headers["content-length"] == "0"
    assert (await ask(blobs, empty, range="bytes=0-")).status == 416
    assert (await ask(blobs, empty, range="bytes=-5")).status == 416


async def test_a_link_works_until_it_expires(tmp_path: Path, file: File) -> None:
    """Afterwards it leads nowhere, as one that never was."""
    async with open_studio(tmp_path) as studio:
        over = await studio.files.publish(msgspec.structs.replace(file, id="file_over", expires_at=now_ms() - 1))
        house = cast(Any, SimpleNamespace(wires=SimpleNamespace(files=studio.files)))

        for name in (over.name, "file_unknown.mp4", ""):
            request = cast(Any, SimpleNamespace(params={"file": name}))
            with pytest.raises(NotFound, match="has expired, or it never led to a file"):
                await show_file(request, cast(Any, None), house)
