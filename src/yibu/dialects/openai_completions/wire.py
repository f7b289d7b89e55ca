"""What stands in the JSON of legacy completions. Source: OpenAI's OpenAPI description of August 2026, read 2026-11-22."""

from typing import Annotated, Any

import msgspec

from yibu.dialects._json import NULL
from yibu.dialects.openai_chat.wire import Choices, Integer, Model, StreamOptions, Tokens

ID = "openai_completions"
USUAL_TOKENS = 16
"""The ceiling of a request that says none."""

Prompt = str | list[str | int | list[int]] | None


class Body(msgspec.Struct):
    model: Model
    prompt: Prompt = None
    max_tokens: Tokens | None = None
    n: Choices | None = None
    best_of: Choices | None = None
    echo: bool | None = None
    logprobs: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    suffix: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: Integer | None = None
    stop: str | list[str] | None = None
    logit_bias: dict[str, float] | None = None
    user: str | None = None


class Choice(msgspec.Struct):
    text: str | None = None
    index: int = 0
    logprobs: msgspec.Raw = NULL
    finish_reason: Any = None


class Answer(msgspec.Struct):
    """A whole answer, and each chunk of a stream."""

    choices: list[Choice] | None = None
    id: str | None = None
    model: str | None = None
    created: int | float | None = None
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL
    object: Any = None


TOP = frozenset(Answer.__struct_fields__)
ANSWER = msgspec.json.Decoder(Answer)
