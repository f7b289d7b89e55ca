"""What stands in the JSON of a Responses request.

Source: openai-python 3.54.0 type definitions and OpenAI's OpenAPI description of August 2026, read 2026-11-22. Structs list
the members that the hub has a word for; the others are kept as JSON text beside them.
"""

from typing import Annotated, Any

import msgspec

from yibu.dialects._json import NULL

ID = "openai_responses"

Model = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Tokens = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Logprobs = Annotated[int, msgspec.Meta(ge=0, le=20)]


class Form(msgspec.Struct):
    """`text.format`: flat, unlike Chat's."""

    type: str
    name: str | None = None
    schema: msgspec.Raw = NULL
    description: str | None = None
    strict: bool | None = None


class TextOptions(msgspec.Struct):
    format: Form | None = None
    verbosity: str | None = None


class Thought(msgspec.Struct):
    effort: str | None = None
    summary: str | None = None


class RequestBody(msgspec.Struct):
    model: Model
    input: str | list[dict[str, msgspec.Raw]] | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: dict[str, msgspec.Raw] | None = None
    max_output_tokens: Tokens | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: Logprobs | None = None
    tools: list[dict[str, msgspec.Raw]] | None = None
    tool_choice: msgspec.Raw = NULL
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    reasoning: Thought | None = None
    include: list[str] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None
    previous_response_id: str | None = None
    conversation: msgspec.Raw = NULL
    prompt: msgspec.Raw = NULL
    background: bool | None = None
    store: bool | None = None


class Tool(msgspec.Struct):
    """`type` says which of the members counts."""

    type: str | None = None
    name: str | None = None
    description: str | None = None
    parameters: msgspec.Raw = NULL
    strict: bool | None = None
    format: msgspec.Raw = NULL


class Item(msgspec.Struct):
    """Any element of `input` or `output`: `type` says which of the members counts; it may be missing in a message."""

    type: str | None = None
    id: str | None = None
    role: str | None = None
    content: msgspec.Raw = NULL
    call_id: str | None = None
    name: str | None = None
    arguments: msgspec.Raw = NULL
    input: str | None = None
    output: msgspec.Raw = NULL
    summary: msgspec.Raw = NULL
    encrypted_content: str | None = None


class Part(msgspec.Struct):
    """Any element of a content array."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None
    detail: str | None = None
    input_audio: Any = None
    annotations: msgspec.Raw = NULL
    logprobs: msgspec.Raw = NULL
