"""What a translation cannot carry is declared, or refused where a model or a key is set to that."""

import json
from typing import Any

import openai
import pytest

from tests.house import House, open_house
from yibu.kit.settings import ModelSettings, Settings

MODEL = "sandbox/claude"
ASKED: Any = {"model": MODEL, "messages": [{"role": "user", "content": "count to 3"}], "seed": 7}


async def test_a_loss_is_declared(house: House) -> None:
    """The answer comes, and says in its header and in the log what it could not take into account."""
    answer = await house.openai.chat.completions.with_raw_response.create(**ASKED)

    assert answer.http_response.headers["x-yibu-loss"].startswith("dropped $.seed")
    assert answer.parse().choices[0].message.content == "1 2 3"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_key_may_refuse_losses(house: House, stream: bool) -> None:
    """Nothing is asked of the vendor, nothing is charged, and the member is named."""
    _, secret = await house.new_key(refuses_loss=True)
    strict = house.openai.with_options(api_key=secret)

    with pytest.raises(openai.BadRequestError) as refused:
        await strict.chat.completions.create(**ASKED, stream=stream)
    whole = await strict.chat.completions.create(**{**ASKED, "seed": None})

    assert (refused.value.code, refused.value.param) == ("translation_loss", "$.seed")
    assert whole.choices[0].message.content == "1 2 3"


async def test_a_model_may_refuse_losses(settings: Settings) -> None:
    model = ModelSettings(name=MODEL, on_loss="refuse")
    async with open_house(settings.model_copy(update={"models": (*settings.models, model)})) as house:
        with pytest.raises(openai.BadRequestError) as refused:
            await house.openai.chat.completions.create(**ASKED)

    assert refused.value.code == "translation_loss"


async def test_a_wish_that_cannot_be_met_is_refused_in_any_case(house: House) -> None:
    """Two answers at once are another thing than one: that is no mere loss."""
    status, _, body = await house.post({**ASKED, "n": 2})
    error = json.loads(body)["error"]

    assert (status, error["code"], error["param"]) == (400, "translation_loss", "$.n")
