"""Requests and answers of other formats in the words of OpenAI Chat."""

import json
from typing import Any

import msgspec
import pytest

from yibu.dialects.anthropic import DIALECT as ANTHROPIC
from yibu.dialects.openai_chat import DIALECT
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import WouldLose
from yibu.hub.events import Event, Finished, Opened, PartClosed, PartOpened
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef
from yibu.hub.parts import Citation, Media, Opaque, Part, Seal, Text, ToolCall, ToolResult
from yibu.hub.reply import ChatReply, Choice, Finish
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, Only, Tool, ToolChoice

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


def result(id: str, text: str = "r") -> ToolResult:
    return ToolResult(id, (Text(text),))


ASKED = Turn("user", (Text("hi"),))


def test_results_follow_their_calls() -> None:
    """Results stand right behind the calls, in their order, whatever was said or called in between."""
    body = written(
        ASKED,
        Turn("assistant", (ToolCall("a", "f", "{}"),)),
        Turn("assistant", (ToolCall("b", "g", "{}"),)),
        Turn("user", (Text("wait"),)),
        Turn("tool", (result("b"), result("a"))),
    )
    order = [(message["role"], message.get("tool_call_id", "")) for message in body["messages"]]

    assert order == [("user", ""), ("assistant", ""), ("tool", "a"), ("tool", "b"), ("user", "")]
    assert [call["id"] for call in body["messages"][1]["tool_calls"]] == ["a", "b"]


def test_calls_and_results_alone() -> None:
    """A call without a result is told to have none, and a result without a call becomes the user's words."""
    losses: Losses = []
    body = written(ASKED, Turn("assistant", (ToolCall("a", "f", "{}"),)), Turn("tool", (result("z"),)), losses=losses)

    assert body["messages"][2] == {"role": "tool", "tool_call_id": "a", "content": "[no result]"}
    assert body["messages"][3]["role"] == "user"
    assert [part["text"] for part in body["messages"][3]["content"]] == ["Result of the tool z:", "r"]
    assert [loss.where for loss in losses] == ["$.turns[1]", "$.turns[2]"]


def test_ids_that_come_again() -> None:
    """Each call has an id of its own, of at most 64 characters, and its result has the same."""
    long = "x" * 65
    turns = [Turn("assistant", (ToolCall(id, "f", "{}"),)) for id in ("call_0", "call_0", long)]
    body = written(ASKED, *(one for turn in turns for one in (turn, Turn("tool", (result(turn.parts[0].id),)))))  # type: ignore[union-attr]
    made = [message["tool_calls"][0]["id"] for message in body["messages"][1::2]]

    assert made == [message["tool_call_id"] for message in body["messages"][2::2]]
    assert len(set(made)) == 3
    assert max(map(len, made)) <= 64


@pytest.mark.parametrize(("said", "told"), [("", "{}"), ('{"a":', '{"_raw":"{\\"a\\":"}'), ("[1]", '{"_raw":"[1]"}')])
def test_broken_arguments(said: str, told: str) -> None:
    """The arguments of a call in a history are a JSON object, whatever the model wrote."""
    body = written(ASKED, Turn("assistant", (ToolCall("a", "f", said),)), Turn("tool", (result("a"),)))

    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == told


def test_names_that_openai_refuses() -> None:
    """A tool with a name that is too long or has other characters is called otherwise there, and comes back as it was."""
    name = "mcp.server/" + "tool" * 20
    asked = ChatRequest(model="m", turns=(ASKED,), tools=(Function(name),), tool_choice=Only((name,)), dialect="gemini")
    body = json.loads(DIALECT.encode_request(asked, []))
    legal = body["tools"][0]["function"]["name"]
    answer = ChatReply(id="1", model="m", choices=(Choice((ToolCall("a", legal, "{}"),), Finish("tool_calls")),))
    back = DIALECT.decode_reply(DIALECT.encode_reply(answer, []), asked)
    (call,) = back.choices[0].parts

    assert len(legal) == 64
    assert body["tool_choice"] == {"type": "function", "function": {"name": legal}}
    assert isinstance(call, ToolCall)
    assert call.name == name


def streamed(*parts: Part) -> list[dict[str, Any]]:
    writer = DIALECT.writer(ChatRequest(model="m", turns=()))
    events: list[Event] = [Opened(id="1", model="m", dialect="gemini")]
    for number, part in enumerate(parts):
        seal = part.seal if isinstance(part, ToolCall) else None
        events += [PartOpened(0, number, part), PartClosed(0, number, seal)]
    events.append(Finished(0, Finish("stop")))
    lines = b"".join(map(writer.feed, events)).decode().split("\n\n")
    return [json.loads(line[6:])["choices"][0]["delta"] for line in lines if line]


def test_signature_in_a_fragment() -> None:
    """The fragment that brings a call's signature has a `function`, too: the official SDK takes it for granted."""
    signed = ToolCall("a", "f", "", seal=Seal("gemini", RAW))
    (fragment,) = streamed(signed)[2]["tool_calls"]

    assert fragment["function"] == {"arguments": ""}
    assert "extra_content" in fragment


def test_citations() -> None:
    """Sources have numbers in any case, and in a stream an index, without which the official SDK cannot gather them."""
    sources = (Citation("https://a.test"), Citation("https://b.test", start=1, end=2))
    first, second = (delta["annotations"][0] for delta in streamed(*sources)[1:3])
    about = {"url": "https://a.test", "title": "", "start_index": 0, "end_index": 0}

    assert first == {"type": "url_citation", "url_citation": about, "index": 0}
    assert second["index"] == 1
    assert second["url_citation"]["end_index"] == 2


def test_documents_of_mistral() -> None:
    """A file that is shown in Mistral's own way comes back in it, and other formats show it in theirs."""
    shown = [
        {"type": "document_url", "document_url": "https://a.test/x.pdf", "document_name": "x"},
        {"type": "document_url", "document_url": "data:application/pdf;base64,JVBERi0="},
    ]
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": shown}]}).encode()
    asked = DIALECT.decode_request(body)
    blocks = json.loads(ANTHROPIC.encode_request(asked, []))["messages"][0]["content"]

    assert json.loads(DIALECT.encode_request(asked, []))["messages"][0]["content"] == shown
    assert [block["source"]["type"] for block in blocks] == ["url", "base64"]
    assert [block["type"] for block in blocks] == ["document", "document"]


def test_tools_that_were_found() -> None:
    """The result of a search for tools says which were found, in words where there is no block for it."""
    found = {"type": "tool_reference", "tool_name": "look"}
    said = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [found]}]},
    ]
    asked = ANTHROPIC.decode_request(json.dumps({"model": "m", "max_tokens": 9, "messages": said}).encode())
    told = json.loads(DIALECT.encode_request(asked, []))["messages"][2]["content"]

    assert told == [{"type": "text", "text": "Found the tool `look`."}]
    assert json.loads(ANTHROPIC.encode_request(asked, []))["messages"] == said


def test_results_have_no_names() -> None:
    """Google names the function in its result; here the id of the call says it."""
    call, named = ToolCall("a", "f", "{}"), ToolResult("a", (Text("r"),), name="f")

    assert written(ASKED, Turn("assistant", (call,)), Turn("tool", (named,)))["messages"][2] == {
        "role": "tool",
        "tool_call_id": "a",
        "content": "r",
    }
