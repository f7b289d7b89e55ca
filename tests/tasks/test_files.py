import msgspec
import pytest

from tests.tasks.studio import WALLET, Studio
from yibu.kit.blobs import BlobTooLarge
from yibu.kit.ids import now_ms
from yibu.tasks.files import File


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
