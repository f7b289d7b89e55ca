"""What stands in the JSON of a Chat Completions request, as types.

Source: openai-python 3.54.0 type definitions and the OpenAPI description of August 2026, read 2026-11-22. Structs list
the members that the hub has a word for; the others are kept as JSON text beside them.
"""

from typing import Annotated, Literal

import msgspec

from yibu.dialects._json import NULL

ID = "openai_chat"

Model = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Tokens = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Choices = Annotated[int, msgspec.Meta(ge=1, le=128)]
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class ImageUrl(msgspec.Struct):
    url: str
    detail: str | None = None


class InputAudio(msgspec.Struct):
    data: str
    format: str | None = None


class File(msgspec.Struct):
    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


class VideoUrl(msgspec.Struct):
    """Qwen, Z.ai and OpenRouter take it."""

    url: str


class Part(msgspec.Struct):
    """Any part of a content array: `type` says which of the members counts."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: ImageUrl | str | None = None
    input_audio: InputAudio | None = None
    file: File | None = None
    video_url: VideoUrl | str | None = None


class FunctionCall(msgspec.Struct):
    name: str
    arguments: str | None = None


class CustomCall(msgspec.Struct):
    name: str
    input: str | None = None


class Call(msgspec.Struct):
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None
    custom: CustomCall | None = None


class AudioRef(msgspec.Struct):
    id: str


class Message(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    audio: AudioRef | None = None
    function_call: FunctionCall | None = None


class FunctionTool(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: msgspec.Raw = NULL
    strict: bool | None = None


class CustomTool(msgspec.Struct):
    name: str
    description: str | None = None


class Tool(msgspec.Struct):
    type: str | None = None
    function: FunctionTool | None = None
    custom: CustomTool | None = None


class SchemaFormat(msgspec.Struct):
    name: str
    schema: msgspec.Raw = NULL
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct):
    type: str
    json_schema: SchemaFormat | None = None


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class RequestBody(msgspec.Struct):
    model: Model
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: Tokens | None = None
    max_tokens: Tokens | None = None
    n: Choices | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: Integer | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: Integer | None = None
    stop: str | list[str] | None = None
    logprobs: bool | None = None
    top_logprobs: Integer | None = None
    logit_bias: dict[str, float] | None = None
    tools: list[Tool] | None = None
    functions: list[FunctionTool] | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None
    modalities: list[Literal["text", "audio", "image"]] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    verbosity: str | None = None
    metadata: dict[str, str] | None = None
