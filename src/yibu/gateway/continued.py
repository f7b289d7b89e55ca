"""A request that stands on earlier responses, written out so that any vendor can answer it."""

from collections.abc import Iterable

import msgspec

from yibu.dialects._json import Fields, read, text_of
from yibu.dialects.openai_responses.history import as_items, output_of, replayed, with_input
from yibu.hub.errors import InvalidRequest, UnknownResponse
from yibu.responses.archive import Archive
from yibu.responses.record import Record

REFERENCE = b'"item_reference"'

_ID = msgspec.json.Decoder(str | None)


class Continued(msgspec.Struct, frozen=True):
    """`body`: the request for a vendor; `items`: what the caller himself sent with it; `previous_id`: as he said it."""

    body: bytes
    items: list[Fields]
    previous_id: str


async def written_out(body: bytes, members: Fields, wallet: int, archive: Archive) -> Continued:
    """The same request when it stands on nothing. Raises `UnknownResponse`, and `InvalidRequest` for unknown items."""
    said = members.get("previous_response_id")
    previous_id = read(_ID, said, "$.previous_response_id") if said is not None else None
    items = as_items(members.get("input"))
    refers = REFERENCE in body
    if not previous_id and not refers:
        return Continued(body, items, "")
    earlier: list[Record] = []
    if previous_id:
        earlier = await _earlier(previous_id, wallet, archive)
    if refers:
        items = await _looked_up(items, earlier, wallet, archive)
    past = [item for record in earlier for item in (*items_of(record), *replayed(output_of(record.body)))]
    return Continued(with_input(members, [*past, *items]), items, previous_id or "")


async def _earlier(previous_id: str, wallet: int, archive: Archive) -> list[Record]:
    found = await archive.chain(wallet, previous_id)
    if found is None:
        raise UnknownResponse(f"Previous response with id '{previous_id}' not found.", param="previous_response_id")
    if not found[-1].is_finished:
        raise InvalidRequest(
            f"The response '{previous_id}' is not finished yet. Wait for it, or cancel it.",
            param="previous_response_id",
        )
    return found


async def _looked_up(items: list[Fields], earlier: list[Record], wallet: int, archive: Archive) -> list[Fields]:
    """The items with what references stand for in their place."""
    wanted = {text_of(item.get("id")) or "" for item in items if _is_reference(item)}
    known = _by_id(earlier)
    holders = await archive.holders(wallet, sorted(wanted - known.keys()))
    known |= _by_id(holders.values())
    for id in sorted(wanted - known.keys()):
        raise InvalidRequest(f"Item with id '{id[:100]}' not found.", param="input")
    found: list[Fields] = []
    for item in items:
        found += replayed([known[text_of(item["id"]) or ""]]) if _is_reference(item) else [item]
    return found


def _is_reference(item: Fields) -> bool:
    return text_of(item.get("type")) == "item_reference"


def _by_id(records: Iterable[Record]) -> dict[str, Fields]:
    outputs = [item for record in records for item in output_of(record.body)]
    return {id: item for item in outputs if (id := text_of(item.get("id")))}


def items_of(record: Record) -> list[Fields]:
    """What the caller sent with that response."""
    return as_items(msgspec.Raw(record.input.encode()))
