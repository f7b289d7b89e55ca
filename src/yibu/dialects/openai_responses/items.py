"""Output items, decoded: what of an answer stands in one element of `output`."""

from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, present, raw, rest, text_of
from yibu.dialects.openai_responses.calls import CALLS
from yibu.dialects.openai_responses.thoughts import decode_thoughts
from yibu.dialects.openai_responses.wire import ID
from yibu.hub.media import Inline
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Text, ToolCall

_MESSAGE = frozenset({"type", "role", "content"})
_TEXT = frozenset({"type", "text", "annotations", "logprobs"})
_CITED = frozenset({"type", "url", "title", "start_index", "end_index"})
_IMAGE = frozenset({"type", "result", "id"})

_OBJECTS = msgspec.json.Decoder(list[Fields])


def objects(value: msgspec.Raw | None) -> list[Fields]:
    """The elements of an array of objects; nothing for any other value."""
    if value is None or not bytes(value).lstrip().startswith(b"["):
        return []
    try:
        return _OBJECTS.decode(value)
    except msgspec.ValidationError:
        return []


def decode_item(members: Fields) -> list[Part]:
    """The parts of one whole item; what the hub has no word for is `Opaque`."""
    kind = text_of(members.get("type")) or ""
    if kind == "message":
        return decode_message(members)
    if kind == "reasoning":
        return _thoughts(members)
    if kind in CALLS:
        return [decode_output_call(members)]
    if kind == "image_generation_call" and (picture := decode_picture(members)) is not None:
        return [picture]
    return [Opaque(dialect=ID, data=raw(members), member=kind)]


def _thoughts(members: Fields) -> list[Part]:
    """The item's id also rides on the first, because whoever writes a stream needs it before the seal."""
    first, *others = decode_thoughts(members)
    extras = {"id": members["id"]} if present(members.get("id")) is not None else {}
    return [msgspec.structs.replace(first, extras=extras), *others]


def decode_message(members: Fields) -> list[Part]:
    """What belongs to the message (`id`, `status`, `phase`) rides on its first text, and says that a message begins there."""
    parts: list[Part] = []
    head = head_of(members)
    for own in objects(members.get("content")):
        part = decode_said(own)
        if head and isinstance(part, Text | Refusal):
            part = msgspec.structs.replace(part, extras={**part.extras, **head})
            head = {}
        parts.append(part)
        parts += decode_annotations(own)
    return parts


def head_of(members: Fields) -> Fields:
    """What of a message is not its content."""
    return rest(members, _MESSAGE)


def decode_said(members: Fields) -> Part:
    """One element of a message's content, without its citations."""
    kind, text = text_of(members.get("type")), text_of(members.get("text"))
    if kind == "refusal":
        return Refusal(text=text_of(members.get("refusal")) or "", extras=rest(members, frozenset({"type", "refusal"})))
    if kind in ("output_text", "text") and text is not None:
        return Text(text=text, extras=rest(members, _TEXT))
    return Opaque(dialect=ID, data=raw(members), member="content")


def decode_annotations(members: Fields) -> list[Part]:
    return [decode_annotation(own) for own in objects(members.get("annotations"))]


def decode_annotation(members: Fields) -> Part:
    """A citation of an address; files that only the vendor has are cited opaquely."""
    url = text_of(members.get("url"))
    if text_of(members.get("type")) != "url_citation" or url is None:
        return Opaque(dialect=ID, data=raw(members), member="annotations")
    start, end = (_whole_number(members.get(key)) for key in ("start_index", "end_index"))
    title = text_of(members.get("title")) or ""
    return Citation(url=url, title=title, start=start, end=end, extras=rest(members, _CITED))


def decode_output_call(members: Fields) -> ToolCall:
    """Tolerant where a request would be refused: a call without a `call_id` has the id of its item."""
    kind = text_of(members.get("type")) or ""
    written = CALLS[kind]
    id = text_of(members.get("call_id")) or text_of(members.get("id")) or ""
    extras = rest(members, frozenset({"type", "call_id", "name", written}))
    name = text_of(members.get("name")) or ""
    return ToolCall(
        id=id,
        name=name,
        arguments=arguments_of(members.get(written)),
        is_custom=kind == "custom_tool_call",
        extras=extras,
    )


def arguments_of(value: msgspec.Raw | None) -> str:
    """Arguments as JSON text, also from hosts that send the object itself."""
    if present(value) is None or value is None:
        return ""
    text = text_of(value)
    return bytes(value).decode() if text is None else text


def decode_picture(members: Fields) -> Media | None:
    """A picture that the vendor's tool made; None while there is none."""
    data = text_of(members.get("result"))
    if not data:
        return None
    form = text_of(members.get("output_format")) or "png"
    source = Inline(base64=data, mime=f"image/{form}")
    return Media(kind="image", source=source, id=text_of(members.get("id")) or "", extras=rest(members, _IMAGE))


def logprobs_of(members: Fields) -> msgspec.Raw | None:
    """Those of one text, in the shape in which the hub has them: Chat's object around the same elements."""
    return wrap_logprobs(members.get("logprobs"))


def wrap_logprobs(value: msgspec.Raw | None) -> msgspec.Raw | None:
    if value is None or not objects(value):
        return None
    return raw({"content": value})


def unwrap_logprobs(value: msgspec.Raw | None) -> Any:
    """The elements, as this format has them beside each text."""
    if value is None or not bytes(value).startswith(b"{"):
        return []
    content = fields(value).get("content")
    return content if content is not None and bytes(content).startswith(b"[") else []


def _whole_number(value: msgspec.Raw | None) -> int | None:
    found = msgspec.json.decode(value) if value is not None else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None
