"""How an answer is to be made: sampling, reasoning, the form of the output."""

from typing import Literal

import msgspec

from yibu.hub.parts import Extras

Modality = Literal["text", "audio", "image"]


class Sampling(msgspec.Struct, frozen=True):
    """None means that the caller left it to the model."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, float] | None = None


class Reasoning(msgspec.Struct, frozen=True):
    """`effort`: none, minimal, low, medium, high, xhigh or max; `show`: whether the caller wants to read the thoughts;
    `member`: as in `parts`."""

    effort: str | None = None
    budget_tokens: int | None = None
    show: bool | None = None
    member: str = ""


class Plain(msgspec.Struct, frozen=True, tag="plain"):
    """Free text."""


class JsonObject(msgspec.Struct, frozen=True, tag="json_object"):
    """Any JSON object."""


class JsonSchema(msgspec.Struct, frozen=True, tag="json_schema"):
    """JSON that satisfies `schema` (JSON text). `member`: as in `parts`."""

    name: str
    schema: msgspec.Raw | None = None
    description: str = ""
    strict: bool | None = None
    member: str = ""


Output = Plain | JsonObject | JsonSchema


class Limits(msgspec.Struct, frozen=True):
    """Ceilings of the answer; `max_output_tokens` includes reasoning; `member`: as in `parts`."""

    max_output_tokens: int | None = None
    choices: int | None = None
    member: str = ""


class Streaming(msgspec.Struct, frozen=True):
    """`on`: as a stream; `usage`: the caller wants a final usage frame; `extras`: the dialect's other stream options;
    `member`: as in `parts`, when a dialect has several forms of a stream."""

    on: bool = False
    usage: bool = False
    member: str = ""
    extras: Extras = {}
