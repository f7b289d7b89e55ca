"""Requests and answers of other formats in the words of OpenAI Chat."""

import json
from typing import Any

import msgspec
import pytest

from yibu.dialects.openai_chat import DIALECT
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import WouldLose
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef
from yibu.hub.parts import Media, Opaque, Text, ToolCall, ToolResult
from yibu.hub.tools import AnyTool, Auto, Hosted, Tool, ToolChoice

RAW = msgspec.Raw(b"{}")
STRANGE = Opaque(dialect="anthropic", data=RAW)


def written(*turns: Turn, losses: Losses | None = None, **members: Any) -> dict[str, Any]:
    request = ChatRequest(model="m", turns=turns, dialect="anthropic", **members)
    found: dict[str, Any] = json.loads(DIALECT.encode_request(request, [] if losses is None else losses))
    return found


def test_lists_of_nothing() -> None:
    """Of a list from which nothing could be carried none is written: OpenAI refuses empty ones."""
    call, result = ToolCall("1", "f", "{}"), ToolResult("1", (STRANGE,), is_list=True)
    body = written(
        Turn("user", (Text("hi"),)),
        Turn("assistant", (call,), is_list=True),
        Turn("tool", (result,)),
        Turn("user", (STRANGE,), is_list=True),
    )

    assert [message["content"] for message in body["messages"][1:]] == [None, "", ""]


@pytest.mark.parametrize(("choice", "lost"), [(Auto(), []), (AnyTool(), ["$.tool_choice"])])
def test_choices_among_no_tools(choice: ToolChoice, lost: list[str]) -> None:
    """When no tool is left, there is no choice among them either: OpenAI refuses one."""
    losses: Losses = []
    tools: tuple[Tool, ...] = (Hosted(dialect="anthropic", kind="bash", data=RAW),)
    asked = Turn("user", (Text("hi"),))
    body = written(asked, losses=losses, tools=tools, tool_choice=choice, parallel_tools=False)

    assert body.keys() == {"model", "messages"}
    assert [loss.where for loss in losses] == ["$.tools[0]", *lost]


def test_uploaded_files() -> None:
    """A file that only another vendor has is no small loss: the request is refused."""
    shown = Media(kind="file", source=FileRef("file_1"))

    with pytest.raises(WouldLose, match="uploaded"):
        written(Turn("user", (shown,)))
