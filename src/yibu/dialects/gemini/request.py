"""A whole request, both ways.

Normalised on the way: names of members are camelCase, a list of one is a list, a null is no member, integers are
numbers, bytes are base64 in the URL-safe alphabet as Google's SDKs write them, and `responseMimeType: text/plain`,
which says the default, is left out.
"""

from typing import Any

import msgspec

from yibu.dialects._json import check_depth, check_values, lean
from yibu.dialects._scope import Scope
from yibu.dialects.dialect import NOWHERE, Bounds, Target
from yibu.dialects.gemini.config import PATH, decode_config, encode_config, told_instead
from yibu.dialects.gemini.history import encode_history
from yibu.dialects.gemini.models import traits
from yibu.dialects.gemini.names import rename
from yibu.dialects.gemini.target import is_stream, model_of, wants_array
from yibu.dialects.gemini.tools import decode_choice, decode_tools, encode_choice, encode_tools
from yibu.dialects.gemini.turns import decode_turns, encode_own
from yibu.dialects.gemini.wire import ID, Members
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef
from yibu.hub.options import Streaming
from yibu.hub.parts import Extras, Media, ToolResult

ARRAY = "array"
"""Member of a stream that is a JSON array rather than events."""

_TIERS = {"auto": "", "default": "standard", "standard_only": "standard"}


def decode_request(body: bytes, bounds: Bounds, target: Target = NOWHERE) -> ChatRequest:
    """Raises `InvalidRequest` with the path of the wrong member."""
    check_depth(body, bounds.depth)
    check_values(body)
    members = Members(body)
    members.take("model")
    turns = decode_turns(members)
    if len(turns) > bounds.messages:
        raise InvalidRequest(f"There are more than {bounds.messages} contents.", param="$.contents")
    tools = decode_tools(members)
    if len(tools) > bounds.tools:
        raise InvalidRequest(f"There are more than {bounds.tools} tools.", param="$.tools")
    config = decode_config(members)
    choice, tool_config = decode_choice(members)
    on = is_stream(target)
    tier = members.text("serviceTier") or ""
    return ChatRequest(
        model=model_of(target),
        turns=tuple(turns),
        tools=tools,
        tool_choice=choice,
        sampling=config.sampling,
        reasoning=config.reasoning,
        output=config.output,
        modalities=config.modalities,
        limits=config.limits,
        stream=Streaming(on=on, usage=on, member=ARRAY if wants_array(target) else ""),
        service_tier=tier,
        dialect=ID,
        bound=_bound(turns, members),
        extras={**config.extras, **tool_config, **members.left},
    )


def _bound(turns: list[Turn], members: Members) -> tuple[str, ...]:
    """What only Google has: contents of its caches, files in its stores, films at YouTube."""
    paths = ["$.cachedContent"] if {"cachedContent", "cached_content"} & members.left.keys() else []
    for turn in turns:
        media: list[Any] = [*turn.parts]
        for part in turn.parts:
            media += part.parts if isinstance(part, ToolResult) else ()
        if any(isinstance(part, Media) and isinstance(part.source, FileRef) for part in media):
            paths.append("$.contents[].parts[].fileData")
            break
    return tuple(paths)


def encode_request(request: ChatRequest, losses: Losses) -> bytes:
    """The body for a vendor; the model and whether it streams stand in the path."""
    return msgspec.json.encode(encode_members(request, losses))


def encode_members(request: ChatRequest, losses: Losses) -> dict[str, Any]:
    """The members of the body."""
    scope = Scope(ID, request.dialect, losses)
    able = traits(request.model)
    if not scope.is_ours:
        request = rename(request, scope)
    turns = request.turns
    if (told := told_instead(request, able, scope)) is not None:
        turns = (Turn(role="system", parts=(told,)), *turns)
    members = encode_own(turns, scope) if scope.is_ours else encode_history(turns, able, scope)
    members["tools"] = encode_tools(request.tools, able, scope) or None
    calling = encode_choice(request.tool_choice, request.tools, able, scope)
    members["toolConfig"] = None if calling is None else {"functionCallingConfig": calling}
    members[PATH] = encode_config(request, able, scope) or None
    members["serviceTier"] = _tier(request, scope)
    if not scope.is_ours:
        _note(request, scope)
    return _with(lean(members), scope.extras("$", request.extras))


def _tier(request: ChatRequest, scope: Scope) -> str | None:
    tier = request.service_tier
    return (tier if scope.is_ours else _TIERS.get(tier, tier)) or None


def _note(request: ChatRequest, scope: Scope) -> None:
    """What other formats can say and this one cannot."""
    if request.parallel_tools is False:
        scope.lose("$.parallel_tool_calls", "of several calls at once the first is given", "approximated")
    for name in ("user", "metadata", "verbosity", "safety_id"):
        if getattr(request, name):
            scope.lose(f"$.{name}", "this format has no place for it")
    scope.extras("$.stream_options", request.stream.extras)


def _with(members: dict[str, Any], extras: Extras) -> dict[str, Any]:
    """The extras at their places; a key such as `generationConfig.thinkingConfig.x` is a path."""
    for key, value in extras.items():
        *steps, last = key.split(".") if key.startswith((f"{PATH}.", "toolConfig.")) else [key]
        place = members
        for step in steps:
            place = place.setdefault(step, {})
        place.setdefault(last, value)
    return members
