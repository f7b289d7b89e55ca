import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from yibu.kit.blobs import PIECE_BYTES, BlobAbsent, Blobs, BlobsFull, BlobTooLarge, WrongId

ID = "blob_01k7abcdefgh.png"


async def read(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_what_is_put_is_read_back(tmp_path: Path) -> None:
    """Content comes back as it was, its size is known, and it can be deleted once."""
    blobs = Blobs(tmp_path / "blobs")

    assert await blobs.put(ID, b"hello", max_bytes=5) == 5
    assert await read(blobs.open(ID)) == b"hello"
    assert await blobs.size(ID) == 5
    assert await blobs.delete(ID)
    assert not await blobs.delete(ID)


async def test_a_stream_is_kept_in_order(tmp_path: Path) -> None:
    """Pieces that arrive over time make one content, read in pieces of at most 256 KiB."""
    blobs = Blobs(tmp_path)
    data = os.urandom(700_000)

    assert await blobs.put(ID, stream(data[:1], data[1:600_000], b"", data[600_000:]), max_bytes=10**6) == 700_000
    pieces = [piece async for piece in blobs.open(ID)]
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) == PIECE_BYTES


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 4, b"0123"), (3, None, b"3456789"), (9, 100, b"9"), (5, 5, b""), (10, None, b""), (99, 100, b"")],
)
async def test_a_range_ends_before_its_end(tmp_path: Path, start: int, end: int | None, expected: bytes) -> None:
    """Ranges count from zero and leave their end out; what lies behind the content is nothing."""
    blobs = Blobs(tmp_path)
    await blobs.put(ID, b"0123456789", max_bytes=10)

    assert await read(blobs.read_range(ID, start, end)) == expected


@pytest.mark.parametrize(
    "id",
    [
        "",
        "abc",
        "../../../etc/passwd",
        "..",
        "a/../../b",
        "/etc/passwd",
        "abcd/efgh",
        "abcd\x00",
        "abcd\n",
        ".hidden",
        "a" * 200,
        "abcd..png",
        "ab\\cd",
        "文件文件",
        "-rf-",
        "abcd.a.b",
        "%2e%2e%2f",
    ],
)
async def test_an_id_is_not_a_path(tmp_path: Path, id: str) -> None:
    """Ids that could lead elsewhere, or name nothing, are refused by every method."""
    blobs = Blobs(tmp_path)
    with pytest.raises(WrongId):
        await blobs.put(id, b"", max_bytes=1)
    with pytest.raises(WrongId):
        await read(blobs.open(id))
    with pytest.raises(WrongId):
        await blobs.size(id)
    with pytest.raises(WrongId):
        await blobs.delete(id)


async def test_an_absent_blob(tmp_path: Path) -> None:
    """Reading and measuring what is not there is `BlobAbsent`."""
    with pytest.raises(BlobAbsent):
        await read(Blobs(tmp_path).open(ID))
    with pytest.raises(BlobAbsent):
        await Blobs(tmp_path).size(ID)


async def test_too_much_keeps_what_was_there(tmp_path: Path) -> None:
    """Content beyond the limit is refused, leaves no file behind, and does not touch the old content."""
    blobs = Blobs(tmp_path)
    await blobs.put(ID, b"old", max_bytes=3)
    with pytest.raises(BlobTooLarge):
        await blobs.put(ID, stream(b"ab", b"cd"), max_bytes=3)

    assert await read(blobs.open(ID)) == b"old"
    assert len(files(tmp_path)) == 1


async def test_a_source_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """When the source breaks or the task is cancelled, no part is kept."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"part"
        raise ConnectionResetError

    async def stalled() -> AsyncIterator[bytes]:
        yield b"part"
        await asyncio.sleep(60)

    blobs = Blobs(tmp_path)
    with pytest.raises(ConnectionResetError):
        await blobs.put(ID, broken(), max_bytes=10)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(blobs.put(ID, stalled(), max_bytes=10), 0.05)

    assert files(tmp_path) == []


async def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    """No room is `BlobsFull`, and nothing is left behind."""

    async def source() -> AsyncIterator[bytes]:
        yield b"part"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BlobsFull):
        await Blobs(tmp_path).put(ID, source(), max_bytes=10)

    assert files(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_really_full_device_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a device without room, as the kernel reports it, is understood."""
    monkeypatch.setattr("yibu.kit.blobs._create", lambda draft: open("/dev/full", "wb", buffering=0))  # noqa: SIM115

    with pytest.raises(BlobsFull):
        await Blobs(tmp_path).put(ID, b"data", max_bytes=10)


async def test_a_reader_keeps_what_it_opened(tmp_path: Path) -> None:
    """Replacing or deleting content does not disturb who is reading it."""
    blobs = Blobs(tmp_path)
    await blobs.put(ID, b"a" * 600_000, max_bytes=10**6)
    reading = blobs.open(ID)
    first = await anext(reading)
    await blobs.put(ID, b"b", max_bytes=1)
    await blobs.delete(ID)

    assert first + await read(reading) == b"a" * 600_000


async def test_content_is_private_and_spread(tmp_path: Path) -> None:
    """Files have mode 0600 and lie in a directory named by the last two characters of the id."""
    blobs = Blobs(tmp_path)
    await blobs.put(ID, b"x", max_bytes=1)
    (path,) = files(tmp_path)

    assert path.relative_to(tmp_path) == Path("gh") / ID
    assert path.stat().st_mode & 0o777 == 0o600
