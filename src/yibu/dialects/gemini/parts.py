"""The parts of a content, both ways. A signature on a text or a medium becomes an empty thought behind it."""

import re
from collections.abc import Callable
from typing import Any, assert_never

import msgspec

from yibu.dialects._json import lean, merge, raw, split
from yibu.dialects._scope import Scope
from yibu.dialects.gemini.media import decode_medium, encode_medium
from yibu.dialects.gemini.results import encode_result
from yibu.dialects.gemini.seal import SKIP_BASE64, decode_seal, is_skip, pack
from yibu.dialects.gemini.wire import ID, Members
from yibu.hub import parts as hub
from yibu.hub.parts import Seal

NO_ID = "no_id"
"""Member of a call or a result that stood without an id; the hub's is ours."""
SKIPS = "skip"
"""Member of a call whose signature was the stand-in for a lost one."""
ON_PART = "on_part"
"""Member of a thought that is the signature of the part before it."""
BARE = "bare"
"""Member of a thought that was a signature and nothing else."""
EMPTY = "empty"
"""Member of a thought whose text was empty although it was marked as a thought."""

Name = Callable[[str], str]
"""Gives an id to a call of this function that came without one."""


def decode_part(value: msgspec.Raw, path: str, name: Name) -> list[hub.Part]:
    """One part, or two when it is signed; what the hub has no word for becomes `Opaque`. Raises `InvalidRequest`."""
    members = Members(value, path)
    signature = members.take("thoughtSignature")
    is_thought = members.flag("thought")
    text = members.text("text")
    if text is not None:
        return _decode_text(text, is_thought, decode_seal(signature), members)
    if is_thought is not None:
        members.put("thought", raw(is_thought))
    call = members.inner("functionCall")
    if call is not None:
        return [_decode_call(call, signature, members, name)]
    medium = decode_medium(members)
    seal = decode_seal(signature)
    if medium is not None:
        return [medium] if seal is None else [medium, hub.Thinking(text="", seal=seal, member=ON_PART)]
    if seal is not None and not members.left:
        return [hub.Thinking(text="", seal=seal, member=BARE)]
    return [hub.Opaque(dialect=ID, data=value)]


def _decode_text(text: str, is_thought: bool | None, seal: Seal | None, members: Members) -> list[hub.Part]:
    if is_thought:
        return [hub.Thinking(text=text, seal=seal, member="" if text else EMPTY, extras=members.left)]
    if seal is None:
        return [hub.Text(text=text, extras=members.left)]
    if not text and not members.left:
        return [hub.Thinking(text="", seal=seal)]
    return [hub.Text(text=text, extras=members.left), hub.Thinking(text="", seal=seal, member=ON_PART)]


def _decode_call(call: Members, signature: msgspec.Raw | None, members: Members, name: Name) -> hub.ToolCall:
    function = call.text("name") or ""
    id = call.text("id")
    arguments = call.take("args")
    if arguments is not None:
        Members(arguments, f"{call.path}.args")
    flags = ([] if id else [NO_ID]) + ([SKIPS] if is_skip(signature) else [])
    return hub.ToolCall(
        id=id or name(function),
        name=function,
        arguments="{}" if arguments is None else bytes(arguments).decode(),
        seal=None if SKIPS in flags else decode_seal(signature),
        member=" ".join(flags),
        extras=split(members.left, "functionCall", call.left),
    )


def encode_parts(parts: list[tuple[str, hub.Part]], scope: Scope, *, to_caller: bool) -> list[dict[str, Any]]:
    """The parts of one content, each given with its path. `to_caller`: other vendors' state may ride along."""
    written: list[dict[str, Any]] = []
    for where, part in parts:
        seal = part.seal if isinstance(part, hub.Thinking) and part.member == ON_PART else None
        if seal is not None and written and "thoughtSignature" not in written[-1]:
            signature = encode_seal(seal, scope, where, to_caller=to_caller)
            if signature is not None:
                written[-1]["thoughtSignature"] = signature
            continue
        encoded = encode_part(part, scope, where, to_caller=to_caller)
        if encoded is not None:
            written.append(encoded)
    return written


def encode_part(part: hub.Part, scope: Scope, where: str, *, to_caller: bool) -> dict[str, Any] | None:
    """None for what has no place here."""
    match part:
        case hub.Text():
            return merge({"text": part.text}, scope.extras(where, part.extras))
        case hub.Refusal():
            return {"text": part.text}
        case hub.Thinking():
            return _encode_thought(part, scope, where, to_caller=to_caller)
        case hub.ToolCall():
            return _encode_call(part, scope, where, to_caller=to_caller)
        case hub.ToolResult():
            return encode_result(part, part.name, scope, where, shows_media=True)
        case hub.Media():
            return encode_medium(part, scope, where, to_caller=to_caller)
        case hub.Opaque():
            if part.dialect == ID:
                whole: dict[str, Any] = msgspec.json.decode(part.data, type=dict[str, msgspec.Raw])
                return whole
            scope.lose(where, f"only {part.dialect} understands it")
            return None
        case hub.Citation():
            if not to_caller:
                scope.lose(where, "a citation has no place in a request")
            return None
        case _:
            assert_never(part)


def _encode_thought(part: hub.Thinking, scope: Scope, where: str, *, to_caller: bool) -> dict[str, Any] | None:
    signature = None if part.seal is None else encode_seal(part.seal, scope, where, to_caller=to_caller)
    if part.member == BARE and signature is not None:
        return {"thoughtSignature": signature}
    is_own = scope.is_ours or (part.seal is not None and part.seal.dialect == ID)
    if not (to_caller or is_own):
        if part.text:
            scope.lose(where, "thoughts of another model mean nothing to this one")
        return None
    if not part.text and signature is None and part.member != EMPTY:
        return None
    members: dict[str, Any] = {"text": part.text, "thoughtSignature": signature}
    if part.text or part.member == EMPTY:
        members["thought"] = True
    return merge(lean(members), scope.extras(where, part.extras))


def encode_seal(seal: Seal, scope: Scope, where: str, *, to_caller: bool) -> Any:
    """The signature, None where another vendor's state has no place."""
    if seal.dialect == ID:
        return seal.data
    if to_caller:
        return pack(seal)
    scope.lose(f"{where}.seal", f"a seal of {seal.dialect} means nothing to this vendor")
    return None


def _encode_call(call: hub.ToolCall, scope: Scope, where: str, *, to_caller: bool) -> dict[str, Any]:
    """A call of another vendor that has no signature gets the stand-in on its way to a caller, so that the conversation can
    go on with a model of Google's."""
    flags = call.member.split() if scope.is_ours else []
    arguments = {"input": call.arguments} if call.is_custom else arguments_of(call.arguments, scope, where)
    about = {"id": None if NO_ID in flags else call.id or None, "name": call.name, "args": arguments}
    members: dict[str, Any] = {"functionCall": lean(about)}
    signature = None
    if call.seal is not None:
        signature = encode_seal(call.seal, scope, where, to_caller=to_caller)
    elif SKIPS in flags or (to_caller and not scope.is_ours):
        signature = SKIP_BASE64
    if signature is not None:
        members["thoughtSignature"] = signature
    return merge(members, scope.extras(where, call.extras), "functionCall")


_NOTHING = re.compile(r"\s*(?:null)?\s*")


def arguments_of(text: str, scope: Scope, where: str) -> Any:
    """Arguments as the object that stands here, whatever a model wrote: no words are `{}`, another value goes into `value`,
    and text that is no JSON (cut off by a ceiling) into `_raw`."""
    if _NOTHING.fullmatch(text):
        return {}
    kind = kind_of(text)
    if kind is dict:
        return msgspec.Raw(text.encode())
    if kind is None:
        scope.lose(f"{where}.arguments", "they are no JSON: sent as the text `_raw`", "approximated")
        return {"_raw": text}
    scope.lose(f"{where}.arguments", "they are no object: sent as its member `value`", "approximated")
    return {"value": msgspec.Raw(text.encode())}


def kind_of(text: str) -> type | None:
    """What kind of value a JSON text is; None when it is none."""
    try:
        return type(msgspec.json.decode(text))
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError):
        return None
