"""A whole answer, both ways.

Normalised on the way: empty members that stand for nothing (Snowflake's `function_call`, `audio`, `custom`), the position
`index` of a call, and calls without an id, which get one.
"""

from hashlib import sha256
from typing import Any, assert_never

import msgspec

from yibu.dialects._json import NULL, Fields, check_values, fields, lean, merge, present, raw, rest, split, text_of
from yibu.dialects._scope import Scope
from yibu.dialects._vendor_errors import error_in_body
from yibu.dialects.openai_chat.finish import decode_finish, encode_finish
from yibu.dialects.openai_chat.parts import decode_content, decode_part, encode_part
from yibu.dialects.openai_chat.reasoning import decode_thinking, encode_thinking
from yibu.dialects.openai_chat.tools import decode_call, encode_call
from yibu.dialects.openai_chat.usage import decode_usage, encode_usage
from yibu.dialects.openai_chat.wire import ID, Call, CustomCall, FunctionCall, Part
from yibu.hub import parts as hub
from yibu.hub.errors import Broken, InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.media import Inline, Url
from yibu.hub.reply import ChatReply, Choice

_TOP = frozenset({"id", "object", "created", "model", "choices", "usage"})
_CHOICE = frozenset({"index", "message", "finish_reason", "logprobs"})
_MESSAGE = frozenset({"role", "content", "refusal", "tool_calls", "audio", "images", "function_call", "annotations"})
_AUDIO = frozenset({"id", "data", "transcript"})
_CITED = frozenset({"url", "title", "start_index", "end_index"})


class _Choice(msgspec.Struct):
    message: Fields
    index: int = 0
    finish_reason: str | None = None
    logprobs: msgspec.Raw = NULL


class _Body(msgspec.Struct):
    choices: list[msgspec.Raw] | None = None
    id: str | None = None
    created: int | float | None = None
    model: str | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_BODY = msgspec.json.Decoder(_Body)
_CHOICES = msgspec.json.Decoder(_Choice)
_PART = msgspec.json.Decoder(Part)
_PARTS = msgspec.json.Decoder(list[Part])
_OBJECTS = msgspec.json.Decoder(list[Fields])


def decode_reply(body: bytes) -> ChatReply:
    """Raises `Broken` when the body is not an answer, and the vendor's error when it is one despite its status."""
    try:
        check_values(body)
        wire = _BODY.decode(body)
        if present(wire.error) is not None:
            raise error_in_body(msgspec.json.decode(body))
        if wire.choices is None:
            raise Broken(upstream_words="an answer without choices")
        choices = [(_CHOICES.decode(choice), fields(choice)) for choice in wire.choices]
        choices.sort(key=lambda choice: choice[0].index)
        reply_id = wire.id or ""
        return ChatReply(
            id=reply_id,
            model=wire.model or "",
            created=int(wire.created or 0),
            choices=tuple(_decode_choice(choice, members, reply_id) for choice, members in choices),
            usage=decode_usage(wire.usage),
            dialect=ID,
            extras=rest(fields(body), _TOP),
        )
    except (msgspec.DecodeError, InvalidRequest, ValueError, RecursionError, OverflowError) as error:
        raise Broken(upstream_words=f"not an answer of this format: {error}") from error


def _decode_choice(choice: _Choice, members: Fields, reply_id: str) -> Choice:
    message = choice.message
    thoughts, taken = decode_thinking(message, keep_empty=False)
    parts: list[hub.Part] = [*thoughts, *_decode_text(message)]
    if refusal := text_of(message.get("refusal")):
        parts.append(hub.Refusal(text=refusal))
    if (sound := decode_sound(message.get("audio"))) is not None:
        parts.append(sound)
    parts += decode_images(message.get("images"))
    parts += _decode_calls(message, choice.index, reply_id)
    has_calls = any(isinstance(part, hub.ToolCall) for part in parts)
    parts += decode_annotations(message.get("annotations"))
    return Choice(
        parts=tuple(parts),
        finish=decode_finish(choice.finish_reason, has_calls=has_calls),
        logprobs=decode_logprobs(choice.logprobs),
        extras=split(rest(members, _CHOICE), "message", rest(message, _MESSAGE | taken)),
    )


def _decode_text(message: Fields) -> list[hub.Part]:
    content = present(message.get("content"))
    if content is None:
        return []
    text = text_of(content)
    if text is not None:
        return [hub.Text(text=text)] if text else []
    return [part for part in decode_content(_PARTS.decode(content), content) if part != hub.Text(text="")]


def decode_sound(value: msgspec.Raw | None) -> hub.Media | None:
    """`audio` of a message or, in a stream, of a delta; None when it holds nothing."""
    members = _object(value)
    id, data, words = (text_of(members.get(key)) or "" for key in ("id", "data", "transcript"))
    if not (id or data or words):
        return None
    return hub.Media(kind="audio", source=Inline(base64=data), id=id, transcript=words, extras=rest(members, _AUDIO))


def decode_images(value: msgspec.Raw | None) -> list[hub.Part]:
    """Pictures that a model made (Google's through OpenRouter)."""
    images: list[hub.Part] = []
    for members in objects(value):
        part = decode_part(_PART.decode(raw(members)), members)
        is_opaque = isinstance(part, hub.Opaque)
        images.append(hub.Opaque(dialect=ID, data=raw(members), member="images") if is_opaque else part)
    return images


def decode_annotations(value: msgspec.Raw | None) -> list[hub.Part]:
    """Citations; what else vendors annotate (OpenRouter: parsed files) stays opaque."""
    found: list[hub.Part] = []
    for members in objects(value):
        cited = _object(members.get("url_citation"))
        url = text_of(cited.get("url"))
        if text_of(members.get("type")) != "url_citation" or url is None:
            found.append(hub.Opaque(dialect=ID, data=raw(members), member="annotations"))
            continue
        extras = split(rest(members, frozenset({"type", "url_citation", "index"})), "url_citation", rest(cited, _CITED))
        start, end = (_whole_number(cited.get(key)) for key in ("start_index", "end_index"))
        title = text_of(cited.get("title")) or ""
        found.append(hub.Citation(url=url, title=title, start=start, end=end, extras=extras))
    return found


def _decode_calls(message: Fields, choice: int, reply_id: str) -> list[hub.Part]:
    calls: list[hub.Part] = []
    legacy = _object(message.get("function_call"))
    if name := text_of(legacy.get("name")):
        id = call_id(reply_id, choice, 0, name)
        calls.append(hub.ToolCall(id=id, name=name, arguments=arguments_of(legacy), member="function_call"))
    for number, members in enumerate(objects(message.get("tool_calls"))):
        function, custom = _object(members.get("function")), _object(members.get("custom"))
        call = Call(type=text_of(members.get("type")))
        if function:
            call.function = FunctionCall(name=text_of(function.get("name")) or "", arguments=arguments_of(function))
        if custom:
            call.custom = CustomCall(name=text_of(custom.get("name")) or "", input=text_of(custom.get("input")) or "")
        name = (call.function.name if call.function else "") or (call.custom.name if call.custom else "")
        id = text_of(members.get("id")) or call_id(reply_id, choice, number, name)
        calls.append(decode_call(call, members, id=id))
    return calls


def arguments_of(function: Fields) -> str:
    """Arguments as JSON text, also from hosts that send the object itself."""
    value = present(function.get("arguments"))
    if value is None:
        return ""
    text = text_of(value)
    return bytes(value).decode() if text is None else text


def call_id(reply_id: str, choice: int, number: int, name: str) -> str:
    """An id for a call to which the vendor gave none: always the same for the same call, else as good as unique."""
    return "call_" + sha256(f"{reply_id}/{choice}/{number}/{name}".encode()).hexdigest()[:24]


def decode_logprobs(value: msgspec.Raw | None) -> msgspec.Raw | None:
    """None also for an object of nulls, which Snowflake sends with every choice."""
    members = _object(value)
    return value if any(bytes(member) not in (b"null", b"[]") for member in members.values()) else None


def objects(value: msgspec.Raw | None) -> list[Fields]:
    """The elements of an array of objects; nothing for any other value."""
    if value is None or not bytes(value).startswith(b"["):
        return []
    try:
        return _OBJECTS.decode(value)
    except msgspec.ValidationError:
        return []


def _object(value: msgspec.Raw | None) -> Fields:
    return fields(value) if value is not None and bytes(value).startswith(b"{") else {}


def _whole_number(value: msgspec.Raw | None) -> int | None:
    found = msgspec.json.decode(value) if value is not None else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def encode_reply(reply: ChatReply, losses: Losses) -> bytes:
    """The answer for a caller of this format."""
    scope = Scope(ID, reply.dialect, losses)
    members: dict[str, Any] = {
        "id": encode_id(reply.id, is_ours=scope.is_ours),
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [_encode_choice(choice, index, scope) for index, choice in enumerate(reply.choices)],
    }
    if reply.usage is not None:
        members["usage"] = encode_usage(reply.usage)
    return msgspec.json.encode(merge(members, scope.extras("$", reply.extras)))


def encode_id(id: str, *, is_ours: bool) -> str:
    """Ids of this format begin with `chatcmpl-`; vendors who speak it may have others."""
    return id if is_ours or id.startswith("chatcmpl-") else f"chatcmpl-{id}"


def _encode_choice(choice: Choice, index: int, scope: Scope) -> dict[str, Any]:
    where = f"$.choices[{index}]"
    message = _encode_message(choice, scope, where)
    members: dict[str, Any] = {"index": index, "message": message, "logprobs": choice.logprobs}
    members["finish_reason"] = encode_finish(choice.finish, is_ours=scope.is_ours)
    return merge(members, scope.extras(where, choice.extras), "message")


def _encode_message(choice: Choice, scope: Scope, where: str) -> dict[str, Any]:
    content: list[hub.Part] = []
    thoughts: list[hub.Thinking] = []
    more: dict[str, Any] = {}
    refusal: str | None = None
    for part in choice.parts:
        match part:
            case hub.Text():
                content.append(part)
            case hub.Thinking():
                (content if part.member == "content" else thoughts).append(part)
            case hub.Refusal():
                refusal = (refusal or "") + part.text
            case hub.ToolCall():
                _encode_call(part, more, scope, where)
            case hub.Citation():
                more.setdefault("annotations", []).append(encode_citation(part, scope, where))
            case hub.Media(kind="image", source=Inline() | Url()):
                more.setdefault("images", []).append(encode_part(part, scope, where))
            case hub.Media(kind="audio", source=Inline()):
                more["audio"] = encode_sound(part, scope, where)
            case hub.Opaque() if part.dialect == ID and part.member in ("annotations", "tool_calls", "images"):
                more.setdefault(part.member, []).append(part.data)
            case hub.Opaque() if part.dialect == ID:
                content.append(part)
            case hub.Opaque() | hub.Media() | hub.ToolResult():
                scope.lose(where, "this format has no place for it in an answer")
            case _:
                assert_never(part)
    said = _encode_text(content, scope, where)
    message: dict[str, Any] = {"role": "assistant", "content": said, "refusal": refusal}
    message |= encode_thinking(thoughts, scope, where, to_caller=True)
    message |= more
    if said is None and refusal is None and not more:
        message["content"] = ""
    return message


def _encode_text(content: list[hub.Part], scope: Scope, where: str) -> Any:
    texts = [part for part in content if isinstance(part, hub.Text)]
    if len(texts) == len(content) and not any(text.extras and scope.is_ours for text in texts):
        return "".join(text.text for text in texts) or None
    return [encode_part(part, scope, where) for part in content]


def _encode_call(call: hub.ToolCall, more: dict[str, Any], scope: Scope, where: str) -> None:
    if call.member == "function_call":
        more["function_call"] = {"name": call.name, "arguments": call.arguments}
    else:
        more.setdefault("tool_calls", []).append(encode_call(call, scope, where, to_caller=True))


def encode_citation(part: hub.Citation, scope: Scope, where: str) -> dict[str, Any]:
    """One element of `annotations`. The official SDK takes the two numbers for granted."""
    cited = {"url": part.url, "title": part.title, "start_index": part.start, "end_index": part.end}
    if not scope.is_ours:
        cited |= {"start_index": part.start or 0, "end_index": part.end or 0}
    return merge(
        {"type": "url_citation", "url_citation": lean(cited)}, scope.extras(where, part.extras), "url_citation"
    )


def encode_sound(part: hub.Media, scope: Scope, where: str) -> dict[str, Any]:
    """`audio` of a message."""
    data = part.source.base64 if isinstance(part.source, Inline) else ""
    return merge({"id": part.id, "data": data, "transcript": part.transcript}, scope.extras(where, part.extras))
