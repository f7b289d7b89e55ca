from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from tests.tasks.studio import open_studio
from yibu.hub.errors import InvalidMedia
from yibu.hub.media import FileRef, Inline, Source, Url
from yibu.relay.as_chat import _bytes, _ending
from yibu.tasks.files import Files
from yibu.tasks.task import State, Task

CALL = cast(Any, SimpleNamespace(public_url="https://us.test"))


async def read(source: Source, files: Files | None = None) -> bytes:
    return await _bytes(source, "$.at", CALL, cast(Any, SimpleNamespace(files=files)))


async def test_a_picture_of_ours_is_read_and_not_fetched(tmp_path: Path) -> None:
    """By its link, with or without its ending; a film of ours is no picture, however short, and is never read whole."""
    async with open_studio(tmp_path) as studio:
        picture = await studio.files.publish(
            await studio.files.store(b"png", wallet=1, kind="picture", mime="image/png")
        )
        film = await studio.files.publish(await studio.files.store(b"mp4", wallet=1, kind="video", mime="video/mp4"))

        assert await read(Url(f"https://us.test/v1/files/{picture.name}"), studio.files) == b"png"
        assert await read(Url(f"https://us.test/v1/files/{picture.id}"), studio.files) == b"png"
        with pytest.raises(InvalidMedia, match="leads to a film"):
            await read(Url(f"https://us.test/v1/files/{film.name}"), studio.files)
        with pytest.raises(InvalidMedia, match="has expired") as expired:
            await read(Url("https://us.test/v1/files/file_unknown.png"), studio.files)
        assert expired.value.param == "$.at"


async def test_a_picture_may_come_along() -> None:
    assert await read(Inline("aGk=", "image/png")) == b"hi"

    with pytest.raises(InvalidMedia, match="could not be read"):
        await read(Inline("!", "image/png"))


async def test_a_file_of_another_vendor_is_no_picture() -> None:
    with pytest.raises(InvalidMedia, match="send the picture as a URL or a data URL"):
        await read(FileRef("file-1"))


async def test_a_film_whose_file_has_expired_is_told_about_in_words(tmp_path: Path) -> None:
    """With its id, by which it may still be changed, and what to do; there is no link that leads nowhere."""
    async with open_studio(tmp_path) as studio:
        over = await studio.files.store(b"mp4", wallet=1, kind="video", mime="video/mp4", task_id="task_1")
        await studio.files.publish(msgspec.structs.replace(over, expires_at=1))
        said = await _ending(
            CALL, Task(id="task_1", kind="video", state=State.DONE), cast(Any, SimpleNamespace(files=studio.files))
        )

    assert "> sid: s_1\n" in said
    assert "请重新生成 (the file has expired; ask for the film again)" in said
    assert "http" not in said
