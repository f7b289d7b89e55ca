"""Reads input items into turns and checks how they fit together.

Source: OpenAI, *Responses*, *Function calling*, *Reasoning*, *Conversation state*, read 2026-11-22; errors as recorded.
"""

import re
from dataclasses import replace
from typing import Any

from yibu.sandbox.ask import Call, Media, Turn
from yibu.sandbox.members import Members
from yibu.sandbox.refusal import Refusal
from yibu.sandbox.responses.store import Item, Store
from yibu.sandbox.responses.words import wrong_input
from yibu.sandbox.seal import unseal

REASONING = "openai reasoning"
_HOSTED = re.compile(
    r"(?:\w+_call(?:_output)?|mcp_\w+|tool_search_\w+|additional_tools|compaction|configuration_update|program\w*)"
)
_OWN = frozenset(
    [
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "reasoning",
        "item_reference",
    ]
)
_PREFIXES = {"message": "msg", "function_call": "fc", "custom_tool_call": "ctc", "reasoning": "rs"}
_INPUT = ("input_text", "input_image", "input_file", "input_audio")
_OUTPUT = ("output_text", "refusal")


def read_items(wire: Members, store: Store) -> tuple[list[Item], list[Turn]]:
    """The member `input`, as items and as turns. Raises `Refusal`."""
    value = wire.value.get("input")
    if value is None:
        raise wire.words.missing("input")
    if isinstance(value, str):
        value = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": value}]}]
    found = [_resolve(item, store) for item in Members({"input": value}, wire.path, wire.words).objects("input")]
    turns: list[Turn] = []
    for item in found:
        _read(item, turns, store)
    _check_reasoning([item.value for item in found], store)
    return [item.value for item in found], turns


def turns_of(items: list[Item], words: Members, store: Store) -> list[Turn]:
    """The turns of items that are known to be good, such as those of an earlier response."""
    turns: list[Turn] = []
    for number, item in enumerate(items):
        _read(Members(item, f"previous[{number}]", words.words), turns, store)
    return turns


def check_pairs(items: list[Item]) -> None:
    """Each call has its output and each output its call, over the whole conversation. Raises `Refusal` 400."""
    calls = [item["call_id"] for item in items if item.get("type") in ("function_call", "custom_tool_call")]
    outputs = [
        item["call_id"] for item in items if item.get("type") in ("function_call_output", "custom_tool_call_output")
    ]
    for call_id in calls:
        if call_id not in outputs:
            raise wrong_input(f"No tool output found for function call {call_id}.")
    for call_id in outputs:
        if call_id not in calls:
            raise wrong_input(f"No tool call found for function call output with call_id {call_id}.")


def _resolve(item: Members, store: Store) -> Members:
    kind = item.text("type", "message")
    if kind not in _OWN and not _HOSTED.fullmatch(kind):
        raise item.words.wrong_choice(item.at("type"), kind, sorted(_OWN))
    if kind == "item_reference":
        stored = store.item(item.text("id"))
        if stored is None:
            raise _unknown_item(item.text("id"))
        return Members(stored, item.path, item.words)
    given, prefix = item.text("id", "", longest=64), _PREFIXES.get(kind)
    if given and prefix and not given.startswith(prefix):
        said = f"Invalid '{item.at('id')}': '{given}'. Expected an ID that begins with '{prefix}'."
        raise Refusal(400, said, code="invalid_value", param=item.at("id"))
    return item


def _read(item: Members, turns: list[Turn], store: Store) -> None:
    match item.text("type", "message"):
        case "message":
            turns.append(_message(item))
        case "function_call" | "custom_tool_call" as kind:
            given = item.text("arguments" if kind == "function_call" else "input", "")
            call = Call(item.text("call_id", longest=64), item.text("name"), given)
            _to_assistant(turns, calls=(call,))
        case "function_call_output" | "custom_tool_call_output":
            text, media = _content(item, "output", _INPUT)
            turns.append(Turn("tool", text, media, answers=item.text("call_id", longest=64)))
        case "reasoning":
            turns.append(Turn("assistant", "", thoughts=_thoughts(item, store)))


def _to_assistant(turns: list[Turn], *, calls: tuple[Call, ...]) -> None:
    """Calls that follow a text or each other are of one turn."""
    if turns and turns[-1].role == "assistant":
        turns[-1] = replace(turns[-1], calls=(*turns[-1].calls, *calls))
    else:
        turns.append(Turn("assistant", "", calls=calls))


def _message(item: Members) -> Turn:
    role = item.choice("role", ("user", "assistant", "system", "developer"))
    text, media = _content(item, "content", _OUTPUT if role == "assistant" else _INPUT)
    match role:
        case "user":
            return Turn("user", text, media)
        case "assistant":
            return Turn("assistant", text)
        case _:
            return Turn("system", text, media)


def _thoughts(item: Members, store: Store) -> str:
    item_id = item.text("id")
    if not isinstance(item.value.get("summary"), list):
        raise item.words.missing(item.at("summary"))
    if item.has("encrypted_content"):
        told = unseal(REASONING, item.text("encrypted_content"))
        if told is None:
            said = (
                f"The encrypted content for item {item_id} could not be verified. Reason: Encrypted content could not be "
                "decrypted or parsed."
            )
            raise Refusal(400, said, code="invalid_encrypted_content")
        return told
    if store.item(item_id) is None:
        raise _unknown_item(item_id)
    return "\n".join(part.text("text") for part in item.objects("summary"))


def _unknown_item(item_id: str) -> Refusal:
    return Refusal(
        404,
        f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. Try again with "
        "`store` set to true, or remove this item from your input.",
        param="input",
    )


def _check_reasoning(items: list[Item], store: Store) -> None:
    """Reasoning and what it led to stay together."""
    seen = {item.get("id") for item in items}
    for number, item in enumerate(items):
        follows = [one.get("type", "message") for one in items[number + 1 : number + 2]]
        if item.get("type") == "reasoning" and (
            not follows or follows[0].endswith("_output") or _is_input(items[number + 1])
        ):
            raise wrong_input(
                f"Item '{item['id']}' of type 'reasoning' was provided without its required following item."
            )
        needed = store.reasoning_before(item.get("id") or "")
        if item.get("type") != "reasoning" and needed and needed not in seen:
            kind = item.get("type", "message")
            raise wrong_input(
                f"Item '{item['id']}' of type '{kind}' was provided without its required 'reasoning' item: '{needed}'."
            )


def _is_input(item: Item) -> bool:
    return item.get("type", "message") == "message" and item.get("role") != "assistant"


def _content(wire: Members, name: str, kinds: tuple[str, ...]) -> tuple[str, tuple[Media, ...]]:
    value: Any = wire.value.get(name)
    if isinstance(value, str):
        return value, ()
    if value is None:
        raise wire.words.missing(wire.at(name))
    texts: list[str] = []
    media: list[Media] = []
    for part in wire.objects(name):
        match part.choice("type", kinds):
            case "input_text" | "output_text":
                texts.append(part.text("text"))
            case "refusal":
                texts.append(part.text("refusal"))
            case "input_image":
                part.choice("detail", ("auto", "low", "high", "original"), "auto")
                media.append(Media("picture", part.text("image_url" if not part.has("file_id") else "file_id")))
            case "input_audio":
                inner = part.object("input_audio")
                media.append(Media("audio", f"data:audio/{inner.text('format')};base64,{inner.text('data')}"))
            case _:
                media.append(_file(part))
    return "\n".join(texts), tuple(media)


def _file(part: Members) -> Media:
    for name in ("file_id", "file_url"):
        if part.has(name):
            return Media("document", part.text(name), part.text("filename", ""))
    data = part.text("file_data")
    kind = data[5:].partition(";")[0] if data.startswith("data:") else ""
    if kind not in ("application/pdf", "text/plain"):
        raise Refusal(
            400,
            f"Invalid file data: '{part.at('file_data')}'. Expected a base64-encoded data URL with a valid file MIME type "
            f"(e.g. 'data:text/plain;base64,SGVsbG8sIFdvcmxkIQ=='), but got unsupported MIME type '{kind}'.",
            code="invalid_value",
            param=part.at("file_data"),
        )
    return Media("document", data, part.text("filename"))
