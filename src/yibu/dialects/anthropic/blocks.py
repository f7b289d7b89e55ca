"""Content blocks, both ways.

What a vendor runs itself leaves traces in an answer (`server_tool_use`, results of searches and of code, `mcp_tool_use`,
`compaction`, …): they stay opaque and go back as they came. So does any kind of block that is not here yet.

Recordings of tools that search for tools answer with nothing but `tool_reference` blocks: other formats are told in words which
tool was found, since an empty result says that there is none.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import Fields, merge, raw, rest, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic import parcel
from yibu.dialects.anthropic.calls import decode_call, decode_result, encode_call
from yibu.dialects.anthropic.citations import decode_citations, encode_citation
from yibu.dialects.anthropic.marks import encode_mark, take_mark
from yibu.dialects.anthropic.media import decode_media, encode_media
from yibu.dialects.anthropic.wire import (
    ID,
    Content,
    RedactedThinking,
    SearchResult,
    TextBlock,
    ThinkingBlock,
    members_of,
    read_at,
)
from yibu.hub.errors import InvalidRequest
from yibu.hub.parts import (
    Citation,
    Media,
    Opaque,
    Part,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

_TEXT = msgspec.json.Decoder(TextBlock)
_THINKING = msgspec.json.Decoder(ThinkingBlock)
_REDACTED = msgspec.json.Decoder(RedactedThinking)
_SEARCH = msgspec.json.Decoder(SearchResult)
PACKED = "packed"
"""`member` of a thought that came back in a parcel: its vendor is another one, whether that signs or not."""
_THOUGHT = frozenset({"type", "thinking", "signature"})


_FOUND = "tool_reference"


def decode_content(content: Content | None, where: str) -> list[Part]:
    """A string is one text; an empty one is nothing to say."""
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(text=content)]
    parts: list[Part] = []
    carried: dict[str, Seal] = {}
    for number, text in enumerate(content):
        at = f"{where}[{number}]"
        members = members_of(text, at)
        kind = text_of(members.get("type"))
        if kind is None:
            raise InvalidRequest(f"Object missing required field `type` - at `{at}`.", param=f"{at}.type")
        parts += _decode_block(kind, text, members, at, carried)
    if carried:
        return [_sealed(part, carried) for part in parts]
    return parts


def _sealed(part: Part, carried: dict[str, Seal]) -> Part:
    if isinstance(part, ToolCall) and part.seal is None and part.id in carried:
        return msgspec.structs.replace(part, seal=carried[part.id])
    return part


def _decode_block(kind: str, text: msgspec.Raw, members: Fields, where: str, carried: dict[str, Seal]) -> list[Part]:
    """`carried` is filled with the seals of calls that travelled in thinking blocks."""
    cache, members = take_mark(members)
    match kind:
        case "text":
            wire = read_at(_TEXT, text, where)
            extras = rest(members, frozenset({"type", "text", "citations"}))
            return [Text(text=wire.text, cache=cache, extras=extras), *decode_citations(members.get("citations"))]
        case "image" | "document":
            return decode_media(kind, text, members, cache, where) or [_opaque(text)]
        case "search_result":
            found = read_at(_SEARCH, text, where)
            words = "\n".join([found.title, found.source, *(block.text for block in found.content)])
            return [Text(text=words, cache=cache, extras={"search_result": text})]
        case "tool_reference" if name := text_of(members.get("tool_name")):
            return [Text(text=f"Found the tool `{name}`.", cache=cache, extras={_FOUND: text})]
        case "tool_use":
            return [decode_call(text, members, cache, where)]
        case "tool_result":
            return [decode_result(text, members, cache, where, _inner)]
        case "thinking":
            return _decode_thinking(text, members, where, carried)
        case "redacted_thinking":
            data = read_at(_REDACTED, text, where).data
            extras = rest(members, frozenset({"type", "data"}))
            return [Thinking(text="", seal=Seal(ID, raw({"data": data})), member="redacted", extras=extras)]
        case _:
            return [_opaque(text)]


def _opaque(text: msgspec.Raw) -> Opaque:
    return Opaque(dialect=ID, data=text, member="content")


def _inner(content: Content | None, where: str) -> tuple[Text | Media | Opaque, ...]:
    """What a tool returned; no other kinds of block may stand there."""
    return tuple(part for part in decode_content(content, where) if isinstance(part, Text | Media | Opaque))


def _decode_thinking(text: msgspec.Raw, members: Fields, where: str, carried: dict[str, Seal]) -> list[Part]:
    wire = read_at(_THINKING, text, where)
    signature = wire.signature or ""
    extras = rest(members, _THOUGHT)
    if not parcel.is_packed(signature):
        return [Thinking(text=wire.thinking, seal=seal_of(signature), extras=extras)]
    unpacked = parcel.unpack(signature)
    if unpacked.call:
        if unpacked.seal is not None:
            carried[unpacked.call] = unpacked.seal
        return []
    return [Thinking(text=wire.thinking, seal=unpacked.seal, member=PACKED, extras=extras)]


def seal_of(signature: str) -> Seal | None:
    """Of a thinking block; hosts that speak this format may sign with nothing, or with what another gateway packed."""
    if parcel.is_packed(signature):
        return parcel.unpack(signature).seal
    return Seal(ID, raw({"signature": signature})) if signature else None


class _Signed(msgspec.Struct):
    signature: str = ""
    data: str = ""


def signature_of(part: Thinking) -> tuple[str, str]:
    """Anthropic's own signature and redacted data on a thought, empty where there is none."""
    if part.seal is None or part.seal.dialect != ID:
        return "", ""
    try:
        signed = msgspec.json.decode(part.seal.data, type=_Signed)
    except (msgspec.DecodeError, ValueError):
        return "", ""
    return signed.signature, signed.data


def encode_blocks(parts: list[Part], scope: Scope, where: str, *, to_caller: bool) -> list[Any]:
    """The content of a message. `to_caller`: foreign seals are packed for the way through the client; towards a vendor they
    are a loss. Citations are written into the text before them."""
    blocks: list[Any] = []
    for number, part in enumerate(parts):
        at = f"{where}[{number}]"
        if isinstance(part, Citation) or (isinstance(part, Opaque) and part.member == "citations"):
            _cite(part, blocks, scope, at, to_caller=to_caller)
        else:
            blocks += encode_block(part, scope, at, to_caller=to_caller)
    return blocks


def _cite(part: Citation | Opaque, blocks: list[Any], scope: Scope, where: str, *, to_caller: bool) -> None:
    last = blocks[-1] if blocks else None
    cited = encode_citation(part, scope, where, to_caller=to_caller)
    if cited is not None and isinstance(last, dict) and last["type"] == "text":
        last.setdefault("citations", []).append(cited)
    elif cited is not None:
        scope.lose(where, "there is no text before this citation")


def encode_block(part: Part, scope: Scope, where: str, *, to_caller: bool) -> list[Any]:
    """One block, or none where this format has no place for the part; a call may need another one before it."""
    match part:
        case Text():
            for own in ("search_result", _FOUND) if scope.is_ours else ():
                if own in part.extras:
                    return [part.extras[own]]
            text = merge({"type": "text", "text": part.text}, scope.extras(where, part.extras))
            return [encode_mark(text, part.cache)]
        case Refusal():
            return [{"type": "text", "text": part.text}]
        case Media():
            if to_caller:
                scope.lose(where, "an answer of this format holds words and calls only")
                return []
            return [encode_mark(encode_media(part, scope, where), part.cache)]
        case Thinking():
            return _encode_thinking(part, scope, where, to_caller=to_caller)
        case ToolCall():
            return encode_call(part, scope, where, to_caller=to_caller)
        case ToolResult():
            return [encode_result(part, scope, where)]
        case Opaque():
            if part.dialect == ID:
                return [part.data]
            scope.lose(where, f"only {part.dialect} understands it")
            return []
        case Citation():
            return []
        case _:
            assert_never(part)


def _encode_thinking(part: Thinking, scope: Scope, where: str, *, to_caller: bool) -> list[Any]:
    signature, data = signature_of(part)
    extras = scope.extras(where, part.extras)
    if data:
        return [merge({"type": "redacted_thinking", "data": data}, extras)]
    if signature or (scope.is_ours and not to_caller and part.seal is None and part.member != PACKED):
        return [merge({"type": "thinking", "thinking": part.text, "signature": signature}, extras)]
    if to_caller:
        return [{"type": "thinking", "thinking": part.text, "signature": parcel.pack(part.seal)}]
    scope.lose(where, "a thought without a signature of Anthropic's is refused there")
    return []


def encode_result(part: ToolResult, scope: Scope, where: str) -> dict[str, Any]:
    """A `tool_result` block. A string where that says it all, unless the caller wrote a list."""
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": part.call_id}
    only = part.parts[0] if len(part.parts) == 1 else None
    if isinstance(only, Text) and not part.is_list and not only.cache and not (scope.is_ours and only.extras):
        block["content"] = only.text
    elif part.parts or part.is_list:
        kept = [one for one in part.parts if scope.is_ours or not (isinstance(one, Text) and not one.text.strip())]
        blocks = encode_blocks(list(kept), scope, f"{where}.content", to_caller=False)
        block["content"] = blocks if blocks or scope.is_ours else ""
    elif not scope.is_ours:
        block["content"] = ""
    if part.is_error:
        block["is_error"] = True
    return encode_mark(merge(block, scope.extras(where, part.extras)), part.cache)
