"""Quirks about the items of a Responses request."""

import json
from typing import Any

import msgspec

from yibu.hub.loss import Losses
from yibu.providers.xai import XAI

PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}


def sent(*items: Any) -> tuple[list[Any], list[str]]:
    """The items that xAI gets, and what was lost."""
    losses: Losses = []
    fields = msgspec.json.decode(json.dumps({"model": "grok-4", "input": items}), type=dict[str, msgspec.Raw])
    made = XAI().prepare("openai_responses", fields, losses)
    return json.loads(msgspec.json.encode(made))["input"], [loss.where for loss in losses]


def result(id: str, output: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id, "output": output}


def test_pictures_in_results_follow_as_the_users() -> None:
    """Pitfall 56: a host that reads results as text only is shown what was in them behind the last of them."""
    user = {"role": "user", "content": "And now?"}
    items, lost = sent(
        result("a", [{"type": "input_text", "text": "one"}, PICTURE]),
        result("b", [PICTURE]),
        result("c", "three"),
        user,
    )

    assert items == [
        result("a", "one"),
        result("b", "(see the next message)"),
        result("c", "three"),
        {"role": "user", "content": [PICTURE, PICTURE]},
        user,
    ]
    assert lost == ["$.input[0].output", "$.input[1].output"]


def test_texts_in_a_list_are_one_text() -> None:
    """That is no loss."""
    texts = [{"type": "input_text", "text": "one"}, {"type": "input_text", "text": "two"}]

    assert sent(result("a", texts)) == ([result("a", "one\ntwo")], [])


def test_whatever_else_stands_there_stays() -> None:
    """The vendor will tell what is wrong with it."""
    odd = [7, {"type": "function_call_output"}, {"role": "user", "content": "hi"}, result("a", None)]

    assert sent(*odd) == (odd, [])
