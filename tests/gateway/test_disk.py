"""A disk that is full, and files that are not on it any more."""

import base64
import errno
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp
import pytest
from PIL import Image

from tests.house import free_port, open_house, settings_for
from yibu.kit import blobs
from yibu.kit.settings import ChannelSettings, PriceSettings, Settings


def shop(data_dir: Path) -> Settings:
    """Sells films of a vendor that is away."""
    url = f"http://127.0.0.1:{free_port()}"
    channel = ChannelSettings(name="away", provider="openai", base_url=url, models={"sora-2": "sora-2"})
    price = PriceSettings.model_validate({"model": "sora-2", "second": "0.01"})
    return settings_for(data_dir / "data", channels=(channel,), prices=(price,))


def film_of_a_picture() -> dict[str, Any]:
    written = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(written, "PNG")
    url = "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()
    parts = [{"type": "text", "text": "a bird"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"model": "sora-2", "messages": [{"role": "user", "content": parts}]}


async def test_no_room_for_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The film is not accepted, nothing is held or charged, and the answer says whose trouble it is."""

    def write(_file: BinaryIO, _piece: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(blobs, "_write", write)
    async with open_house(shop(tmp_path)) as house:
        status, _, body = await house.post(film_of_a_picture())

        assert status == 503
        assert "no room for files" in json.loads(body)["error"]["message"]
        assert await house.held() == await house.spent() == 0


async def test_a_file_that_is_gone(tmp_path: Path) -> None:
    """It expired between two looks, or somebody cleared the disk: that is no error of ours."""
    async with open_house(shop(tmp_path)) as house:
        files = house.app.house.wires.files
        file = await files.publish(await files.store(b"x" * 1000, wallet=1, kind="video", mime="video/mp4"))
        await files.blobs.delete(file.id)
        status, _, body = await house.get(f"/v1/files/{file.name}")

    assert (status, json.loads(body)["error"]["code"]) == (404, "not_found")


async def test_a_file_that_breaks_off_is_not_filled_with_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its length was told already: a player must not take an error for a film."""

    async def read_range(_id: str, _start: int, _end: int | None) -> AsyncIterator[bytes]:
        yield b"x" * 10
        raise OSError(errno.EIO, "Input/output error")

    async with open_house(shop(tmp_path)) as house:
        files = house.app.house.wires.files
        file = await files.publish(await files.store(b"x" * 1000, wallet=1, kind="video", mime="video/mp4"))
        monkeypatch.setattr(files.blobs, "read_range", read_range)

        with pytest.raises(aiohttp.ClientPayloadError):
            await house.get(f"/v1/files/{file.name}")
