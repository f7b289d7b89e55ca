"""`/v1/responses…`: create, look up, replay, cancel, forget, and count.

Source: OpenAI, *Responses*, *Background mode*, read 2026-11-22.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from yibu.sandbox.completions import blocked
from yibu.sandbox.engines.language import Language
from yibu.sandbox.play import count, find_manner, play
from yibu.sandbox.refusal import Refusal, wrong_value
from yibu.sandbox.request import Request
from yibu.sandbox.response import Cut, Response, Stream, Whole, json_response
from yibu.sandbox.responses.reply import ResponseStage, describe
from yibu.sandbox.responses.request import Wanted, read_wanted
from yibu.sandbox.responses.store import Kept, Store
from yibu.sandbox.responses.words import not_found


async def create(request: Request, store: Store, language: Language) -> Response:
    """Answer a request, or begin to in the background. Raises `Refusal` for wrong input."""
    wanted = read_wanted(request.json(), store)
    try:
        manner = find_manner(wanted.ask.model)
    except Refusal as refusal:
        said = f"The requested model '{wanted.ask.model}' does not exist."
        raise Refusal(400, said, code="model_not_found", param="model") from refusal
    if manner.declines == "blocked":
        raise blocked()
    stage = ResponseStage(wanted, store)
    if wanted.is_background and not wanted.ask.stream:
        return _begin(wanted, store, language, stage)
    return await play(wanted.ask, language, stage)


async def get(request: Request, store: Store, response_id: str) -> Response:
    """A kept response; with `stream=true` its events from `starting_after` on."""
    kept = _kept(store, response_id)
    if request.query.get("stream") != "true":
        return json_response(kept.value)
    try:
        after = int(request.query.get("starting_after", "-1"))
    except ValueError as exc:
        raise wrong_value("starting_after", "it is the sequence number of an event.") from exc
    return Stream(_replay(kept, after))


async def delete(request: Request, store: Store, response_id: str) -> Response:
    """Forget a response."""
    kept = store.drop(response_id)
    if kept is None:
        raise not_found(response_id)
    if kept.work:
        kept.work.cancel()
    return json_response({"id": response_id, "object": "response", "deleted": True})


async def cancel(request: Request, store: Store, response_id: str) -> Response:
    """End a background response; one that has ended stays as it is."""
    kept = _kept(store, response_id)
    if not kept.value["background"]:
        raise Refusal(400, "Cannot cancel a synchronous response.")
    if kept.value["status"] in ("queued", "in_progress"):
        if kept.work:
            kept.work.cancel()
        kept.value["status"] = "cancelled"
    return json_response(kept.value)


async def input_items(request: Request, store: Store, response_id: str) -> Response:
    """A page of the items that went in, the last first unless asked otherwise."""
    kept = _kept(store, response_id)
    items: list[dict[str, Any]] = []
    for number, item in enumerate(kept.input):
        named = {"id": f"{_prefix(item)}_{response_id[5:29]}i{number:03d}"}
        items.append(named | {"type": "message"} | _spread(item))
    if request.query.get("order", "desc") == "desc":
        items.reverse()
    after = request.query.get("after")
    ids = [item["id"] for item in items]
    if after in ids:
        items = items[ids.index(after) + 1 :]
    try:
        limit = int(request.query.get("limit", "20"))
    except ValueError as exc:
        raise wrong_value("limit", "it is an integer between 1 and 100.") from exc
    if not 1 <= limit <= 100:
        raise wrong_value("limit", "it is an integer between 1 and 100.")
    page = items[:limit]
    ends = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
    return json_response({"object": "list", "data": page, **ends, "has_more": len(items) > len(page)})


async def input_tokens(request: Request, store: Store) -> Whole:
    """How many tokens a request would have."""
    total = count(read_wanted(request.json(), store, counts_only=True).ask)
    return json_response({"object": "response.input_tokens", "input_tokens": total})


def _begin(wanted: Wanted, store: Store, language: Language, stage: ResponseStage) -> Whole:
    kept = Kept(describe(wanted, "queued"), wanted.input, wanted.context)

    async def work() -> None:
        try:
            await play(wanted.ask, language, stage)  # keeps the response at its end
        except (Refusal, Cut) as exc:
            kept.value |= {"status": "failed", "error": {"code": "server_error", "message": str(exc)}}

    kept.work = asyncio.create_task(work())
    store.put(kept)
    return json_response(kept.value)


async def _replay(kept: Kept, after: int) -> AsyncIterator[bytes]:
    for event in kept.events:
        if event["sequence_number"] > after:
            yield b"event: " + event["type"].encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"


def _kept(store: Store, response_id: str) -> Kept:
    kept = store.get(response_id)
    if kept is None:
        raise not_found(response_id)
    return kept


def _prefix(item: dict[str, Any]) -> str:
    return {"function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}.get(item.get("type", ""), "msg")


def _spread(item: dict[str, Any]) -> dict[str, Any]:
    """A message's text as a part of its own, as OpenAI lists it."""
    if isinstance(item.get("content"), str):
        kind = "output_text" if item.get("role") == "assistant" else "input_text"
        return item | {"content": [{"type": kind, "text": item["content"]}]}
    return item
