"""Reads the content blocks of a message, each as strictly as Anthropic does.

Source: Anthropic, *Messages*, *Vision*, *PDF support*, *Extended thinking*, read 2026-11-22.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field

import msgspec

from yibu.sandbox.anthropic.words import wrong
from yibu.sandbox.ask import Call, Media
from yibu.sandbox.members import Members
from yibu.sandbox.seal import unseal

THINKING, REDACTED = "anthropic thinking", "anthropic redacted thinking"

_ID = re.compile(r"[a-zA-Z0-9_-]+")
_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif", b"RIFF": "image/webp"}
_USER = frozenset(["text", "image", "document", "search_result", "tool_result", "container_upload"])
_ASSISTANT = frozenset(["text", "thinking", "redacted_thinking", "tool_use"])
_RESULT = frozenset(["text", "image", "document", "search_result", "tool_reference"])
_TRACES = re.compile(r"server_tool_use|mcp_tool_use|container_upload|compaction|\w+_tool_result")
_MEMBERS = {
    "text": "type text cache_control citations",
    "image": "type source cache_control transformations",
    "document": "type source title context citations cache_control",
    "search_result": "type source title content citations cache_control",
    "tool_use": "type id name input caller cache_control",
    "tool_result": "type tool_use_id content is_error cache_control",
    "thinking": "type thinking signature",
    "redacted_thinking": "type data",
}


@dataclass(slots=True)
class Result:
    """A `tool_result`."""

    answers: str
    text: str
    media: tuple[Media, ...]
    failed: bool


@dataclass(slots=True)
class Content:
    """What the blocks of one message say. `kinds`: their types in order; `marks`: the lives of the cache marks."""

    texts: list[str] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def read_content(wire: Members, role: str) -> Content:
    """The member `content`: a string or an array of blocks. `role`: user, assistant, system or, inside one, result."""
    content = Content()
    value = wire.value.get("content")
    if isinstance(value, str):
        content.texts.append(value)
        content.kinds.append("text")
        return content
    if value is None and role == "result":
        return content
    if value is None:
        raise wire.words.missing(wire.at("content"))
    for block in wire.objects("content"):
        _read(block, role, content)
    return content


def read_mark(wire: Members) -> str:
    """The life that `cache_control` asks for, or ""."""
    if not wire.has("cache_control"):
        return ""
    mark = wire.object("cache_control")
    mark.only(("type", "ttl", "scope"))
    mark.choice("type", ("ephemeral",))
    return mark.choice("ttl", ("5m", "1h"), "5m")


def _read(block: Members, role: str, content: Content) -> None:
    kind = block.text("type")
    allowed = {"user": _USER, "assistant": _ASSISTANT, "result": _RESULT}.get(role, frozenset({"text"}))
    if kind not in allowed and not (role != "system" and kind != "tool_result" and _TRACES.fullmatch(kind)):
        expected = ", ".join(repr(name) for name in sorted(allowed))
        raise block.wrong(
            "", f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        )
    if kind in _MEMBERS:
        block.only(_MEMBERS[kind].split())
    content.kinds.append(kind)
    if mark := read_mark(block):
        content.marks.append(mark)
    match kind:
        case "text":
            text = block.text("text")
            if not text:
                if mark:
                    raise block.wrong("", "cache_control cannot be set for empty text blocks")
                raise wrong("messages: text content blocks must be non-empty")
            content.texts.append(text)
        case "image":
            content.media.append(_image(block.object("source")))
        case "document":
            content.media.append(_document(block))
        case "search_result":
            content.texts += [part.text("text") for part in block.objects("content")]
        case "tool_use":
            _check_id(block, "id")
            given = msgspec.json.encode(block.object("input").value).decode()
            content.calls.append(Call(block.text("id"), block.text("name", longest=200), given))
        case "tool_result":
            _check_id(block, "tool_use_id")
            inner = read_content(block, "result")
            result = Result(block.text("tool_use_id"), inner.text, tuple(inner.media), block.flag("is_error", False))
            content.marks += inner.marks
            content.results.append(result)
        case "thinking":
            content.thoughts.append(_thought(block))
        case "redacted_thinking":
            if (told := unseal(REDACTED, block.text("data"))) is None:
                raise block.wrong("", "Invalid `data` in `redacted_thinking` block")
            content.thoughts.append(told)


def _check_id(block: Members, name: str) -> None:
    if not _ID.fullmatch(block.text(name)):
        raise block.wrong(name, "String should match pattern '^[a-zA-Z0-9_-]+$'")


def _thought(block: Members) -> str:
    """The thinking as it was given out; with `display: omitted` it comes back without its text."""
    text = block.value.get("thinking")
    if not isinstance(text, str):
        raise block.words.missing(block.at("thinking"))
    signature = block.text("signature")
    told = unseal(THINKING, signature)
    if told is None or text not in (told, ""):
        raise block.wrong("", "Invalid `signature` in `thinking` block")
    return told


def _image(source: Members) -> Media:
    match source.choice("type", ("base64", "url", "file")):
        case "url":
            return Media("picture", _https(source))
        case "file":
            return Media("picture", f"https://files.anthropic.invalid/{source.text('file_id')}")
        case _:
            kind = source.choice("media_type", ("image/jpeg", "image/png", "image/gif", "image/webp"))
            start = _decoded(source)[:4]
            real = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)
            if real is None:
                raise source.wrong("base64.data", "Could not process image")
            if real != kind:
                raise source.wrong(
                    "base64.data",
                    f"The image was specified using the {kind} media type, but the image appears to be a {real} image",
                )
            return Media("picture", f"data:{kind};base64,{source.text('data')}")


def _document(block: Members) -> Media:
    source = block.object("source")
    title = block.text("title", "")
    match source.choice("type", ("base64", "text", "url", "content", "file")):
        case "base64":
            source.choice("media_type", ("application/pdf",))
            if not _decoded(source).startswith(b"%PDF-"):
                raise source.wrong("base64.data", "The PDF specified was not valid.")
            return Media("document", f"data:application/pdf;base64,{source.text('data')}", title)
        case "text":
            source.choice("media_type", ("text/plain",))
            return _plain(source.text("data"), title)
        case "url":
            return Media("document", _https(source), title)
        case "file":
            return Media("document", f"https://files.anthropic.invalid/{source.text('file_id')}", title)
        case _:
            return _plain(read_content(source, "result").text, title)


def _plain(text: str, title: str) -> Media:
    return Media("document", f"data:text/plain;base64,{base64.b64encode(text.encode()).decode()}", title)


def _https(source: Members) -> str:
    url = source.text("url")
    if not url.startswith("https://"):
        raise source.wrong("url.url", "Only HTTPS URLs are supported.")
    return url


def _decoded(source: Members) -> bytes:
    try:
        return base64.b64decode(source.text("data"), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise source.wrong("base64.data", "Invalid base64 data") from exc
