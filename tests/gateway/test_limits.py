"""The operator's limits on what a request may hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.house import open_house, settings_for

ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


@pytest.mark.parametrize(
    ("limits", "change", "words"),
    [
        ({"messages": 1}, {"messages": ASK["messages"] * 2}, "more than 1 messages"),
        ({"tools": 1}, {"tools": [TOOL, TOOL]}, "more than 1 tools"),
        ({"json_depth": 4}, {"metadata": {"a": {"b": {"c": {}}}}}, "4"),
    ],
)
async def test_settings_limit_a_request(
    tmp_path: Path, limits: dict[str, int], change: dict[str, Any], words: str
) -> None:
    """A request beyond a limit of the settings is refused as the caller's mistake; one within it is not."""
    async with open_house(settings_for(tmp_path, limits=limits)) as house:
        status, _, body = await house.post(ASK | change)
        _, _, within = await house.post(ASK)

    error = json.loads(body)["error"]
    assert (status, error["code"]) == (400, "invalid_request")
    assert words in error["message"]
    assert json.loads(within)["error"]["code"] == "model_not_found"
