import os
import time
from pathlib import Path

import msgspec
import pytest

from tests.tasks.studio import WALLET, Studio
from tests.tasks.vendor import FILM, Vendor
from yibu.kit.blobs import BlobTooLarge
from yibu.kit.ids import now_ms
from yibu.tasks.engine import End, Engine
from yibu.tasks.files import File
from yibu.tasks.task import Task


async def keep(studio: Studio, data: bytes = b"film", **members: object) -> File:
    """A published file; `members` change its row."""
    row = await studio.files.store(data, wallet=WALLET, kind="video", mime="video/mp4", task_id="task_1")
    return await studio.files.publish(msgspec.structs.replace(row, **members))


async def test_a_file_is_found_by_its_id(studio: Studio) -> None:
    """With its bytes, and a name that ends as clients expect it."""
    kept = await keep(studio)

    assert await studio.files.find(kept.id) == kept
    assert await studio.files.read(kept.id) == b"film"
    assert kept.name == f"{kept.id}.mp4"
    assert len(kept.id) == len("file_") + 32


@pytest.mark.parametrize(
    ("mime", "ending"), [("video/mp4", ".mp4"), ("image/webp", ".webp"), ("image/jpeg", ".jpg"), ("x/y", "")]
)
async def test_the_name_of_a_file_tells_its_type(mime: str, ending: str, studio: Studio) -> None:
    kept = await keep(studio, mime=mime)

    assert kept.name == kept.id + ending


async def test_a_file_is_unknown_until_it_is_published(studio: Studio) -> None:
    """Its row belongs into the transaction that makes it known."""
    row = await studio.files.store(b"film", wallet=WALLET, kind="video", mime="video/mp4")

    assert await studio.files.find(row.id) is None


async def test_a_file_too_large_is_not_kept(studio: Studio) -> None:
    with pytest.raises(BlobTooLarge):
        await keep(studio, b"x" * (10**6 + 1))


async def test_a_file_whose_time_is_over_is_gone(studio: Studio) -> None:
    """For its link and for its task alike, before anybody has cleaned up."""
    over = await keep(studio, expires_at=now_ms() - 1)

    assert await studio.files.find(over.id) is None
    assert await studio.files.of_task("task_1") == {}


async def test_cleaning_up_takes_bytes_and_rows(studio: Studio) -> None:
    """Of what is over, and of nothing else; once."""
    over = await keep(studio, expires_at=now_ms() - 1)
    valid = await keep(studio, expires_at=now_ms() + 60_000)
    forever = await keep(studio, expires_at=None)

    assert await studio.files.remove_expired() == 1
    assert await studio.files.remove_expired() == 0
    assert not await studio.files.blobs.delete(over.id)
    assert await studio.files.find(valid.id) == valid
    assert await studio.files.find(forever.id) == forever


def grow_old(path: Path, age_s: float) -> None:
    os.utime(path, (time.time() - age_s,) * 2)


async def test_bytes_that_nobody_refers_to_are_swept(studio: Studio, tmp_path: Path) -> None:
    """Of a film whose copying came to no good end, and of one that was cut off by a kill; the young are left alone."""
    kept = await keep(studio)
    orphan = await studio.files.store(b"film", wallet=WALLET, kind="video", mime="video/mp4")
    for path in (tmp_path / "blobs").glob("*/*"):
        grow_old(path, 7 * 3600)
    young = await studio.files.store(b"film", wallet=WALLET, kind="video", mime="video/mp4")
    draft, new_draft = (tmp_path / "blobs" / "xx" / f".{orphan.id}.{hint}" for hint in ("a" * 16, "b" * 16))
    draft.parent.mkdir()
    draft.write_bytes(b"half")
    new_draft.write_bytes(b"half")
    grow_old(draft, 7 * 3600)

    assert await studio.files.remove_orphans() == 2
    assert await studio.files.remove_orphans() == 0
    assert not await studio.files.blobs.delete(orphan.id)
    assert not draft.exists()
    assert new_draft.exists()
    assert await studio.files.read(kept.id) == b"film"
    assert await studio.files.read(young.id) == b"film"


async def test_sweeping_an_empty_house_does_nothing(studio: Studio) -> None:
    """The directory is made with the first blob."""
    assert await studio.files.remove_orphans() == 0


async def test_a_film_that_is_copied_twice_leaves_one_copy(
    studio: Studio, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died between the copy and the end; the sweep finds the first."""
    ends = 0
    end = Engine._end

    async def dies_once(self: Engine, row: Task, outcome: End) -> None:
        nonlocal ends
        ends += 1
        if ends == 1:
            raise ZeroDivisionError
        await end(self, row, outcome)

    monkeypatch.setattr(Engine, "_end", dies_once)
    task = await studio.make()
    copies = list((tmp_path / "blobs").glob("*/*"))
    for path in copies:
        grow_old(path, 7 * 3600)

    assert len(copies) == 4
    assert await studio.files.remove_orphans() == 2
    assert await studio.files.read((await studio.files.of_task(task.id))["video"].id) == FILM
