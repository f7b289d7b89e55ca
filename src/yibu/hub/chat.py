"""A request for an answer in a conversation."""

from typing import Literal

import msgspec

from yibu.hub.options import Limits, Modality, Output, Plain, Reasoning, Sampling, Streaming
from yibu.hub.parts import Extras, Part
from yibu.hub.tools import Tool, ToolChoice

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Turn(msgspec.Struct, frozen=True):
    """One turn. Turns of the role `tool` hold `ToolResult` parts only; `name` is the participant's.

    `is_list`: the caller wrote a list of parts where a single string would have done; `member`: as in `parts`, for
    system texts that stand outside the list of messages.
    """

    role: Role
    parts: tuple[Part, ...]
    name: str = ""
    is_list: bool = False
    member: str = ""
    extras: Extras = {}


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`tool_choice` and `parallel_tools` are None when the caller left them to the model.

    `user` and `safety_id`: whom the caller asks for, as a name and as a hash; `service_tier`: auto, default, flex, priority or a
    vendor's own; `cache_key`: calls with the same one share a prompt cache; `verbosity`: low, medium or high; empty when not given.

    `dialect`: the id of the dialect it was decoded from, whose all the extras in it are; empty when made here.
    `bound`: paths of what stands for something that only a vendor of that dialect has, and without which the answer would
    be wrong: such a request is refused rather than translated.
    """

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
    safety_id: str = ""
    service_tier: str = ""
    cache_key: str = ""
    verbosity: str = ""
    metadata: dict[str, str] = {}
    dialect: str = ""
    bound: tuple[str, ...] = ()
    extras: Extras = {}
