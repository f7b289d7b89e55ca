"""A request for an answer in a conversation."""

from typing import Literal

import msgspec

from yibu.hub.options import Limits, Modality, Output, Plain, Reasoning, Sampling, Streaming
from yibu.hub.parts import Extras, Part
from yibu.hub.tools import Tool, ToolChoice

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Turn(msgspec.Struct, frozen=True):
    """One turn. Turns of the role `tool` hold `ToolResult` parts only; `name` is the participant's."""

    role: Role
    parts: tuple[Part, ...]
    name: str = ""
    extras: Extras = {}


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`tool_choice` and `parallel_tools` are None when the caller left them to the model."""

    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    sampling: Sampling = Sampling()
    reasoning: Reasoning = Reasoning()
    output: Output = Plain()
    modalities: tuple[Modality, ...] = ()
    limits: Limits = Limits()
    stream: Streaming = Streaming()
    user: str = ""
    metadata: dict[str, str] = {}
    extras: Extras = {}
