"""Whole legacy answers."""

from typing import Any

import msgspec

from yibu.dialects._answer import read_answer
from yibu.dialects._json import fields, present, rest
from yibu.dialects._scope import Scope
from yibu.dialects.openai_chat.finish import decode_finish, encode_finish
from yibu.dialects.openai_chat.usage import decode_usage, encode_usage
from yibu.dialects.openai_completions.logprobs import to_columns, to_tokens
from yibu.dialects.openai_completions.request import prompt_of
from yibu.dialects.openai_completions.wire import ANSWER, ID, TOP
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken
from yibu.hub.loss import Losses
from yibu.hub.parts import Extras, Part, Refusal, Text, Thinking
from yibu.hub.reply import ChatReply, Choice, Finish


def decode_reply(body: bytes) -> ChatReply:
    """Raises `Broken` when it is none, and the error that stands in it."""
    answer = read_answer(ANSWER, body)
    if answer.choices is None:
        raise Broken(upstream_words=body[:200].decode("utf-8", "replace"))
    choices = tuple(
        Choice(
            parts=(Text(choice.text),) if choice.text else (),
            finish=decode_finish(choice.finish_reason, has_calls=False),
            logprobs=to_tokens(present(choice.logprobs)),
        )
        for choice in sorted(answer.choices, key=lambda choice: choice.index)
    )
    return ChatReply(
        id=answer.id or "",
        model=answer.model or "",
        created=int(answer.created or 0),
        choices=choices,
        usage=decode_usage(answer.usage),
        dialect=ID,
        extras=rest(fields(body), TOP),
    )


def encode_reply(reply: ChatReply, losses: Losses, request: ChatRequest | None) -> bytes:
    scope = Scope(ID, reply.dialect, losses)
    prompt, echo = prompt_of(request)
    choices = [_choice(choice, at, scope, prompt, echo=echo) for at, choice in enumerate(reply.choices)]
    extras = scope.extras("$", reply.extras)
    members = head(reply.id, reply.created, reply.model, extras, is_ours=scope.is_ours)
    members["choices"] = choices
    if reply.usage is not None:
        members["usage"] = encode_usage(reply.usage)
    return msgspec.json.encode(members)


def head(id: str, created: int, model: str, extras: Extras, *, is_ours: bool) -> dict[str, Any]:
    """What a whole answer and each chunk begin with. Ids of this format begin with `cmpl-`; vendors who speak it may have others."""
    name = id if is_ours or id.startswith("cmpl-") else f"cmpl-{id.removeprefix('chatcmpl-')}"
    return {"id": name, "object": "text_completion", "created": created, "model": model, **extras}


def words(part: Part) -> str:
    """What a completion can show of a part."""
    return part.text if isinstance(part, Text | Refusal) else ""


def _choice(choice: Choice, index: int, scope: Scope, prompt: str, *, echo: bool) -> dict[str, Any]:
    for part in choice.parts:
        if isinstance(part, Thinking):
            scope.lose(f"$.choices[{index}].reasoning")
        elif not isinstance(part, Text | Refusal):
            scope.lose(f"$.choices[{index}]", "a completion is text only")
    text = "".join(map(words, choice.parts))
    return {
        "text": prompt + text if echo else text,
        "index": index,
        "logprobs": to_columns(choice.logprobs, len(prompt)),
        "finish_reason": finish_word(choice.finish, is_ours=scope.is_ours),
    }


def finish_word(finish: Finish, *, is_ours: bool) -> str:
    """`stop`, `length` or `content_filter`: there are no tools here."""
    word = encode_finish(finish, is_ours=is_ours)
    return "stop" if word == "tool_calls" else word
