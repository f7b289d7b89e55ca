"""Sources that a text rests on: elements of the `citations` of a text block, both ways.

A citation with an address has a word in the hub; places in documents that the caller sent are understood by this format
only. Those that another vendor made carry our mark where Anthropic's index stands, so that they are not taken for its.
"""

from typing import Any

import msgspec

from yibu.dialects._json import fields, present, rest, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic import parcel
from yibu.dialects.anthropic.wire import ID
from yibu.hub.parts import Citation, Opaque, Part

_CITED = frozenset({"url", "title"})
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])


def decode_citations(value: msgspec.Raw | None) -> list[Part]:
    """Nothing for a value that is no array."""
    if value is None or present(value) is None:
        return []
    try:
        elements = _ELEMENTS.decode(value)
    except msgspec.ValidationError:
        return []
    return [decode_citation(element) for element in elements]


def decode_citation(text: msgspec.Raw) -> Part:
    """One element, or the `citation` of a delta."""
    members = fields(text) if bytes(text).lstrip().startswith(b"{") else {}
    url = text_of(members.get("url"))
    if text_of(members.get("type")) != "web_search_result_location" or url is None:
        return Opaque(dialect=ID, data=text, member="citations")
    title = text_of(members.get("title")) or ""
    if parcel.is_packed(text_of(members.get("encrypted_index")) or ""):
        return Citation(url=url, title=title)
    return Citation(url=url, title=title, extras=rest(members, _CITED))


def encode_citation(part: Citation | Opaque, scope: Scope, where: str, *, to_caller: bool) -> Any:
    """None for what this format has no place for."""
    if isinstance(part, Opaque):
        if part.dialect == ID:
            return part.data
        scope.lose(where, f"only {part.dialect} understands it")
        return None
    if scope.is_ours and part.extras:
        return {**part.extras, "url": part.url, "title": part.title or None}
    if not to_caller:
        scope.lose(where, "the vendor takes no citations but its own")
        return None
    scope.extras(where, part.extras)
    return {
        "type": "web_search_result_location",
        "cited_text": "",
        "encrypted_index": parcel.MARK,
        "title": part.title or None,
        "url": part.url,
    }
