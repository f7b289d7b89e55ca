"""Which of the films that stand in a conversation is changed, and at whose price."""

import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from tests.house import House, free_port, open_house, settings_for
from yibu.kit.ids import new_id, now_ms
from yibu.kit.settings import ChannelSettings, PriceSettings
from yibu.tasks import store
from yibu.tasks.films import KIND, Order
from yibu.tasks.task import Place, State, Task

MODELS = {"sora-2": "sora-2", "sora-2-pro": "sora-2-pro"}


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Its vendor is away, so nothing is ever made; the better film costs more."""
    away = ChannelSettings(name="away", provider="openai", base_url=f"http://127.0.0.1:{free_port()}", models=MODELS)
    prices = (
        PriceSettings(model="sora-2", second=Decimal("0.01")),
        PriceSettings(model="sora-2-pro", second=Decimal("0.10")),
    )
    async with open_house(settings_for(tmp_path / "data", channels=(away,), prices=prices)) as opened:
        yield opened


async def film(house: House, state: State, *, model: str = "sora-2", channel: str = "away", wallet: int = 0) -> str:
    """The id of an earlier film."""
    row = Task(
        id=new_id("task"),
        kind=KIND,
        state=state,
        wallet=wallet or house.wallet,
        model=model,
        request=msgspec.json.encode(Order(prompt="p", seconds=25, size=(1280, 720))).decode(),
        places=msgspec.json.encode([Place(channel, 0, model)]).decode(),
        upstream_id="video_1",
        created_at=now_ms(),
    )
    await house.app.house.db.write(lambda conn: store.insert_task(conn, row))
    return row.id


def change(*earlier: str, model: str = "sora-2") -> dict[str, Any]:
    """A wish after answers that name these films, the newest last."""
    messages = [{"role": "user", "content": "两只猫跳舞"}]
    for number, task_id in enumerate(earlier):
        messages.append({"role": "assistant", "content": f"> ID: `{task_id}`"})
        messages.append({"role": "user", "content": f"change {number}"})
    return {"model": model, "messages": messages, "stream": True}


async def accepted(house: House, body: dict[str, Any]) -> dict[str, Any]:
    """What became of a wish: the film's state as its owner sees it."""
    url = f"{house.url}/v1/chat/completions"
    async with house.session.post(url, headers=house.bearer, json=body) as answer:
        assert answer.status == 200, await answer.read()
        heard = b""
        async for piece in answer.content.iter_any():
            heard += piece
            if task := re.search(rb"ID: `(task_\w+)`", heard):
                break
        answer.close()
    assert task
    about: dict[str, Any] = json.loads((await house.get(f"/v1/videos/{task[1].decode()}"))[2])
    return about


async def refused(house: House, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    status, _, raw = await house.post(body)
    assert await house.held() == 0
    error: dict[str, Any] = json.loads(raw)["error"]
    return status, error


async def test_a_film_is_changed_by_the_model_that_made_it(house: House) -> None:
    """Else a dear film could be had again at the price of a cheap one, or past the models that a key may use."""
    made = await film(house, State.DONE, model="sora-2-pro")

    status, error = await refused(house, change(made))

    assert (status, error["param"]) == (400, "$.model")
    assert "sora-2-pro" in error["message"]
    assert (await accepted(house, change(made, model="sora-2-pro")))["remixed_from_video_id"] == made
    assert await house.held() == 25 * 100_000_000


@pytest.mark.parametrize("state", [State.FAILED, State.EXPIRED])
async def test_a_film_that_failed_is_not_in_the_way(house: House, state: State) -> None:
    """The change failed, so it is tried again on the film before it."""
    made, failed = await film(house, State.DONE), await film(house, state)

    about = await accepted(house, change(made, failed))

    assert (about["remixed_from_video_id"], about["prompt"], about["seconds"]) == (made, "change 1", "25")


async def test_without_an_earlier_film_the_earlier_words_count(house: House) -> None:
    """Films that failed, of others, or that nobody knows are as good as none."""
    names = [await film(house, State.FAILED), await film(house, State.DONE, wallet=999), f"task_{'0' * 26}"]

    about = await accepted(house, change(*names))

    assert about["remixed_from_video_id"] is None
    assert about["prompt"] == "两只猫跳舞\nchange 0\nchange 1\nchange 2"


@pytest.mark.parametrize("state", [State.ACCEPTED, State.RUNNING, State.COLLECTING])
async def test_a_film_that_is_being_made_is_waited_for(house: House, state: State) -> None:
    status, error = await refused(house, change(await film(house, State.DONE), await film(house, state)))

    assert (status, error["code"]) == (400, "invalid_request")
    assert f"it is {state}" in error["message"]


async def test_a_film_whose_account_is_gone(house: House) -> None:
    status, error = await refused(house, change(await film(house, State.DONE, channel="closed")))

    assert (status, error["code"]) == (404, "not_found")
    assert "no longer there" in error["message"]
