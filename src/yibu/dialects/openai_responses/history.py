"""Earlier responses as what they are to later ones: items of their input, and what a list of them shows.

Items stay as their callers and vendors wrote them: only the first level of their members is looked at.
"""

import re
from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, present, raw, text_of
from yibu.dialects.openai_responses.items import objects
from yibu.dialects.openai_responses.response import Asked, build, echo, item_id

_MADE_HERE = re.compile(r"rs_[0-9a-f]{32}")
"""Ids of reasoning items that a translation wrote."""
_RECORD = frozenset({"id", "status"})


def as_items(value: msgspec.Raw | None) -> list[Fields]:
    """`input` as a list; a string is the message of a user."""
    if text_of(value) is not None:
        return [{"role": msgspec.Raw(b'"user"'), "content": value or msgspec.Raw(b'""')}]
    return objects(value)


def output_of(body: bytes | str) -> list[Fields]:
    """The items that a response gave."""
    return objects(fields(body.encode() if isinstance(body, str) else body).get("output"))


def replayed(output: list[Fields]) -> list[Fields]:
    """What was answered, as input for a vendor who keeps nothing of it (`store: false`).

    Such a vendor cannot look up ids: messages and calls go without. Of thoughts it takes what it encrypted; summaries
    without that would be refused, those that a translation wrote are for vendors of other formats.
    """
    items: list[Fields] = []
    for item in output:
        match text_of(item.get("type")):
            case "reasoning":
                if present(item.get("encrypted_content")) is not None or _is_readable(item):
                    items.append(_without(item, frozenset({"status"})))
            case "message":
                content = [_without(part, frozenset({"logprobs"})) for part in objects(item.get("content"))]
                items.append({**_without(item, _RECORD), "content": raw(content)})
            case "function_call" | "custom_tool_call":
                items.append(_without(item, _RECORD))
            case _:
                items.append(item)
    return items


def _is_readable(item: Fields) -> bool:
    id = text_of(item.get("id")) or ""
    return bool(_MADE_HERE.fullmatch(id)) and bool(objects(item.get("summary")) or objects(item.get("content")))


def _without(members: Fields, names: frozenset[str]) -> Fields:
    return {key: value for key, value in members.items() if key not in names}


def with_input(members: Fields, items: list[Fields]) -> bytes:
    """The request with all its conversation in it, for a vendor who need not keep any of it."""
    others = _without(members, frozenset({"previous_response_id"}))
    return msgspec.json.encode({**others, "input": items, "store": False})


def listed(items: list[Fields], response_id: str) -> list[dict[str, Any]]:
    """Input items as the list of them shows them: each with a type and an id, messages with their content in parts."""
    return [_listed(item, response_id, number) for number, item in enumerate(items)]


def _listed(item: Fields, response_id: str, number: int) -> dict[str, Any]:
    kind = text_of(item.get("type")) or "message"
    id = text_of(item.get("id")) or item_id(kind, f"{response_id}/input", number)
    shown: dict[str, Any] = {"status": "completed", **item, "id": id}
    if kind == "message":
        shown["type"] = kind
        text = text_of(item.get("content"))
        if text is not None:
            is_model = text_of(item.get("role")) == "assistant"
            part: dict[str, Any] = {"type": "output_text" if is_model else "input_text", "text": text}
            shown["content"] = [{**part, "annotations": []} if is_model else part]
    return shown


def queued(asked: Asked, model: str, created: int) -> dict[str, Any]:
    """The response before anything of it was made. `created`: unix seconds."""
    about: dict[str, Any] = {
        "id": asked.response_id,
        "object": "response",
        "created_at": created,
        "status": "queued",
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "usage": None,
    }
    return build(about, echo(asked))
