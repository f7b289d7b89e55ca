"""Thoughts: the members in which vendors of this format show them.

`reasoning_content` (DeepSeek, Qwen, Z.ai, Moonshot, xAI), `reasoning` (Groq, Cerebras, Ollama, newer vLLM, OpenRouter),
`reasoning_details` (OpenRouter, Snowflake: text, summaries, signatures and encrypted traces), thinking parts inside
`content` (Mistral). Sources: the vendors' pages and recordings, read 2026-11-22.

A seal of another dialect travels through clients of this format as an element of `reasoning_details` whose `format` is
`yibu:<dialect>`; clients hand such elements back with the next turn, as they do for OpenRouter.
"""

from typing import Any

import msgspec

from yibu.dialects._json import Fields, raw, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.openai_chat.wire import ID
from yibu.hub.parts import Seal, Thinking

MEMBERS = frozenset({"reasoning_content", "reasoning", "reasoning_details"})
_FOREIGN = "yibu:"

Details = list[dict[str, Any]]
"""Elements of `reasoning_details`; what stands in them is the vendors' affair."""


def decode_thinking(members: Fields, *, keep_empty: bool) -> tuple[list[Thinking], set[str]]:
    """The thoughts of one message, and which members they were taken from.

    `keep_empty`: an empty text counts, as in a history, where DeepSeek demands the member whatever it holds.
    """
    found = {key: text_of(members.get(key)) for key in ("reasoning_content", "reasoning")}
    texts = {key: text for key, text in found.items() if text is not None}
    details = read_details(members.get("reasoning_details"))
    taken = set(texts) | ({"reasoning_details"} if details is not None else set())
    if details and all(is_packed(element) for element in details):
        return [_restore(element) for element in details], taken
    seal = Seal(dialect=ID, data=members["reasoning_details"]) if details else None
    if not keep_empty:
        texts = {key: text for key, text in texts.items() if text}
    if not texts:
        return ([Thinking(text=spoken(details or []), seal=seal, member="reasoning_details")] if seal else []), taken
    if len(texts) == 2 and texts["reasoning_content"] == texts["reasoning"]:
        return [Thinking(text=texts["reasoning"], seal=seal, member="both")], taken
    thoughts = [Thinking(text=text, member=_MEMBER[key]) for key, text in texts.items()]
    thoughts[0] = msgspec.structs.replace(thoughts[0], seal=seal)
    return thoughts, taken


def encode_thinking(thoughts: list[Thinking], scope: Scope, where: str, *, to_caller: bool) -> dict[str, Any]:
    """The members for the thoughts of one message.

    `to_caller`: foreign seals are packed up for the way through the client; towards a vendor they are a loss.
    """
    members: dict[str, Any] = {}
    for key in ("reasoning_content", "reasoning"):
        texts = [thought.text for thought in thoughts if _member(thought) in _CARRIERS[key]]
        if texts:
            members[key] = "\n\n".join(text for text in texts if text)
    sealed = [thought.seal for thought in thoughts if thought.seal is not None]
    if len(sealed) == 1 and sealed[0].dialect == ID:
        members["reasoning_details"] = sealed[0].data
        return members
    details: Details = []
    is_sealed = any(seal.dialect != ID for seal in sealed)
    for thought in thoughts:
        if thought.seal is not None and thought.seal.dialect == ID:
            details += read_details(thought.seal.data) or []
        elif to_caller and is_sealed:
            details.append(pack(thought, len(details)))
        elif thought.seal is not None:
            scope.lose(f"{where}.thinking", f"a seal of {thought.seal.dialect} means nothing to this vendor")
    if details:
        members["reasoning_details"] = details
    return members


def _member(thought: Thinking) -> str:
    """Where it stood; other dialects have members of their own."""
    return thought.member if thought.member in _KNOWN else ""


_KNOWN = frozenset({"", "both", "reasoning", "reasoning_details", "content"})
_MEMBER = {"reasoning_content": "", "reasoning": "reasoning"}
_CARRIERS = {"reasoning_content": ("", "both"), "reasoning": ("reasoning", "both")}


def read_details(value: msgspec.Raw | None) -> Details | None:
    """The elements of `reasoning_details`; None when that member is anything else than an array of objects."""
    if value is None:
        return None
    try:
        return msgspec.json.decode(value, type=Details)
    except msgspec.ValidationError:
        return None


def spoken(details: Details) -> str:
    """What can be read in them."""
    return "".join(_word(element) for element in details)


def _word(element: dict[str, Any]) -> str:
    for key in ("text", "summary"):
        if isinstance(element.get(key), str):
            text: str = element[key]
            return text
    return ""


def join_details(fragments: Details) -> Details:
    """The elements whose fragments a stream brought: those of equal type and index belong together."""
    whole: dict[tuple[Any, Any], dict[str, Any]] = {}
    for number, fragment in enumerate(fragments):
        index = fragment.get("index")
        key = (fragment.get("type"), number if index is None else index)
        known = whole.setdefault(key, {})
        for name, value in fragment.items():
            if name in ("text", "summary", "data") and isinstance(value, str) and isinstance(known.get(name), str):
                known[name] += value
            elif value not in (None, "") or name not in known:
                known[name] = value
    return list(whole.values())


def seal_of(details: Details) -> Seal | None:
    """The seal that the elements of one thought make."""
    if not details:
        return None
    if is_packed(details[0]):
        return _restore(details[0]).seal
    return Seal(dialect=ID, data=raw(details))


def pack(thought: Thinking, index: int) -> dict[str, Any]:
    """A thought of another dialect as an element that survives the way through a client."""
    seal = thought.seal
    element: dict[str, Any] = {"type": "reasoning.text", "text": thought.text, "index": index, "format": _FOREIGN}
    if seal is not None:
        element |= {"format": f"{_FOREIGN}{seal.dialect}", "data": bytes(seal.data).decode()}
    return element


def is_packed(element: dict[str, Any]) -> bool:
    return isinstance(element.get("format"), str) and element["format"].startswith(_FOREIGN)


def _restore(element: dict[str, Any]) -> Thinking:
    seal = unpack(element.get("format", "").removeprefix(_FOREIGN), element.get("data"))
    return Thinking(text=_word(element), seal=seal)


def unpack(dialect: Any, data: Any) -> Seal | None:
    """A seal that came back from a client; None when the client did not keep it whole."""
    if not isinstance(dialect, str) or not dialect or not isinstance(data, str):
        return None
    text = data.encode()
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return Seal(dialect=dialect, data=msgspec.Raw(text))
