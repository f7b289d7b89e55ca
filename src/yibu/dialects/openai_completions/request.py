"""Legacy requests: one prompt is a turn of the user; what only a model of this format can do is refused for others."""

from typing import Any

import msgspec

from yibu.dialects._json import check_depth, fields, lean, raw, read, rest
from yibu.dialects._scope import Scope
from yibu.dialects.dialect import Bounds, Intent, Target
from yibu.dialects.openai_completions.wire import ID, USUAL_TOKENS, Body, Prompt
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.options import Limits, Plain, Reasoning, Sampling, Streaming
from yibu.hub.parts import Text

_BODY = msgspec.json.Decoder(Body)
_KNOWN = frozenset(Body.__struct_fields__) - {"echo"}
_LEAD_BYTES = 8192


def sniff(body: bytes, bounds: Bounds, target: Target) -> Intent:
    """Raises `InvalidRequest` with the path of the wrong member."""
    check_depth(body, bounds.depth)
    said = read(_BODY, body)
    size, prompts = _weigh(said.prompt)
    ceiling = said.max_tokens
    return Intent(
        model=said.model,
        body=body,
        is_stream=bool(said.stream),
        wants_usage=bool(said.stream and said.stream_options and said.stream_options.include_usage),
        max_output_tokens=ceiling,
        choices=max(said.n or 1, said.best_of or 1) * prompts,
        text_bytes=size + len((said.suffix or "").encode("utf-8", "replace")),
        lead=said.model.encode() + b"\0" + body[:_LEAD_BYTES] if isinstance(said.prompt, str) else b"",
        target=target,
    )


def _weigh(prompt: Prompt) -> tuple[int, int]:
    """Bytes of text, a token being as long as the average one, and how many prompts there are."""
    if prompt is None or isinstance(prompt, str):
        return len((prompt or "").encode("utf-8", "replace")), 1
    if not prompt:
        raise InvalidRequest("There is no prompt.", param="$.prompt")
    size = 0
    for one in prompt:
        size += len(one.encode("utf-8", "replace")) if isinstance(one, str) else 4 * _length(one)
    return size, 1 if isinstance(prompt[0], int) else len(prompt)


def _length(tokens: int | list[int]) -> int:
    return 1 if isinstance(tokens, int) else len(tokens)


def decode_request(body: bytes, bounds: Bounds) -> ChatRequest:
    """Raises `InvalidRequest` for prompts of tokens, for several prompts, and for a suffix: a chat model knows none of them."""
    check_depth(body, bounds.depth)
    said, members = read(_BODY, body), fields(body)
    if said.suffix:
        raise InvalidRequest(
            "This model answers a conversation and cannot fill in a text before a suffix.", param="$.suffix"
        )
    extras = rest(members, _KNOWN)
    if said.best_of is not None and said.best_of > (said.n or 1):
        extras["best_of"] = raw(said.best_of)
    return ChatRequest(
        model=said.model,
        turns=(Turn("user", (Text(_prompt(said.prompt)),)),),
        sampling=Sampling(
            temperature=said.temperature,
            top_p=said.top_p,
            presence_penalty=said.presence_penalty,
            frequency_penalty=said.frequency_penalty,
            seed=said.seed,
            stop=(said.stop,) if isinstance(said.stop, str) else tuple(said.stop or ()),
            logprobs=None if said.logprobs is None else True,
            top_logprobs=said.logprobs,
            logit_bias=said.logit_bias,
        ),
        limits=Limits(max_output_tokens=said.max_tokens or USUAL_TOKENS, choices=said.n),
        stream=Streaming(
            on=bool(said.stream), usage=bool(said.stream and said.stream_options and said.stream_options.include_usage)
        ),
        user=said.user or "",
        dialect=ID,
        extras=extras,
    )


def _prompt(prompt: Prompt) -> str:
    if isinstance(prompt, list):
        if len(prompt) != 1 and all(isinstance(one, str) for one in prompt):
            raise InvalidRequest("This model answers one prompt at a time: send a call for each.", param="$.prompt")
        if isinstance(prompt[0], str):
            prompt = prompt[0]
        else:
            raise InvalidRequest("This model has another tokenizer: send the prompt as text.", param="$.prompt")
    if not prompt:
        raise InvalidRequest("The prompt must not be empty.", param="$.prompt")
    return prompt


def encode_request(request: ChatRequest, losses: Losses) -> bytes:
    """A conversation of one question is a prompt; a longer one becomes a transcript that the model goes on with.

    Raises `InvalidRequest` for tools, pictures, and forms of output, which no model of this format knows.
    """
    scope = Scope(ID, request.dialect, losses)
    _check(request)
    prompt = _transcript(request.turns)
    if len(request.turns) > 1:
        scope.lose("$.messages", "written as one text", "approximated")
    sampling, extras = request.sampling, dict(request.extras)
    if request.dialect == "openai_chat":
        scope.is_ours = False
    members: dict[str, Any] = {
        "model": request.model,
        "prompt": prompt,
        "max_tokens": request.limits.max_output_tokens,
        "n": request.limits.choices,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "seed": sampling.seed,
        "stop": sampling.stop or None,
        "logprobs": (sampling.top_logprobs or 0) if sampling.logprobs else None,
        "logit_bias": sampling.logit_bias,
        "user": request.user or None,
        "stream": request.stream.on or None,
        "stream_options": {"include_usage": True} if request.stream.on and request.stream.usage else None,
    }
    if sampling.top_k is not None:
        scope.lose("$.top_k")
    if request.reasoning != Reasoning():
        scope.lose("$.reasoning")
    return msgspec.json.encode({**scope.extras("$", extras), **lean(members)})


def _check(request: ChatRequest) -> None:
    for wrong, name in (
        (request.tools, "tools"),
        (not isinstance(request.output, Plain), "response_format"),
        (any(modality != "text" for modality in request.modalities), "modalities"),
    ):
        if wrong:
            raise InvalidRequest("This model only goes on with a text.", param=f"$.{name}")


def _transcript(turns: tuple[Turn, ...]) -> str:
    if len(turns) == 1:
        return _words(turns[0], 0)
    names = {"system": "System", "developer": "System", "user": "User", "assistant": "Assistant", "tool": "Tool"}
    said = [f"{names[turn.role]}: {_words(turn, at)}" for at, turn in enumerate(turns)]
    return "\n\n".join([*said, "Assistant:"])


def _words(turn: Turn, at: int) -> str:
    if not all(isinstance(part, Text) for part in turn.parts):
        raise InvalidRequest("This model only goes on with a text.", param=f"$.messages[{at}].content")
    return "".join(part.text for part in turn.parts if isinstance(part, Text))


def prompt_of(request: ChatRequest | None) -> tuple[str, bool]:
    """The prompt, and whether the caller wants to read it again before the answer."""
    if request is None or request.dialect != ID:
        return "", False
    echo = bytes(request.extras.get("echo", msgspec.Raw(b"false"))) == b"true"
    return _transcript(request.turns), echo
