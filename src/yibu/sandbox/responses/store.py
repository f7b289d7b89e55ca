"""The responses that are kept: what went in, what came out, and the events of the way. In memory, the last thousand."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

MOST = 1000

Item = dict[str, Any]  # an input or output item; the wire truly carries many shapes


@dataclass(slots=True)
class Kept:
    """`input`: the items of this request alone; `context`: those of the responses before it, and this input.

    `work`: what still makes a background response.
    """

    value: dict[str, Any]
    input: list[Item]
    context: list[Item]
    events: list[dict[str, Any]] = field(default_factory=list)
    work: asyncio.Task[None] | None = None


class Store:
    """By the id of a response; items by their own ids."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def put(self, kept: Kept) -> None:
        """Keep it under its id, instead of an earlier one with the same."""
        self._kept[kept.value["id"]] = kept
        self._kept.move_to_end(kept.value["id"])
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def get(self, response_id: str) -> Kept | None:
        return self._kept.get(response_id)

    def drop(self, response_id: str) -> Kept | None:
        """Forget it; gives what was kept."""
        return self._kept.pop(response_id, None)

    def item(self, item_id: str) -> Item | None:
        """An output item of any response that is kept."""
        for kept in reversed(self._kept.values()):
            for item in kept.value.get("output", []):
                if item.get("id") == item_id:
                    return dict(item)
        return None

    def reasoning_before(self, item_id: str) -> str | None:
        """The id of the reasoning that led to an item, when the item and it are kept."""
        for kept in reversed(self._kept.values()):
            output = kept.value.get("output", [])
            if any(item.get("id") == item_id for item in output):
                return next((str(item["id"]) for item in output if item["type"] == "reasoning"), None)
        return None
