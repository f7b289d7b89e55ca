"""Requests of the Messages format: what they say in the hub, and that they come out again as they came."""

import base64
import json
from typing import Any

import msgspec
import pytest

from tests.corpus import Recording, name_of, needs_corpus, recordings
from yibu.dialects import chat_dialects
from yibu.dialects.anthropic import DIALECT, parcel
from yibu.dialects.dialect import Bounds, Target
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.options import JsonSchema, Reasoning
from yibu.hub.parts import Citation, Media, Opaque, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only

HELLO = [{"role": "user", "content": "hello"}]


def body(**members: Any) -> bytes:
    return json.dumps({"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": HELLO, **members}).encode()


def decoded(**members: Any) -> ChatRequest:
    return DIALECT.decode_request(body(**members))


def again(request: ChatRequest) -> dict[str, Any]:
    """The request written anew; nothing may be lost on the way."""
    losses: Losses = []
    written: dict[str, Any] = json.loads(DIALECT.encode_request(request, losses))
    assert losses == []
    return written


def lean(value: Any) -> Any:
    """Without what says the default, which is left out on the way."""
    if isinstance(value, dict):
        default = {"is_error": False, "stream": False, "description": ""}
        return {key: lean(one) for key, one in value.items() if one is not None and default.get(key, key) != one}
    return [lean(one) for one in value] if isinstance(value, list) else value


TAKEN = [taken for taken in recordings("anthropic") if taken.request]


@needs_corpus
@pytest.mark.parametrize("taken", TAKEN, ids=name_of)
def test_recorded_requests_come_out_as_they_came(taken: Recording) -> None:
    """Law 2 for real requests, unknown members included."""
    assert lean(again(DIALECT.decode_request(taken.asked))) == lean(taken.request)


@needs_corpus
@pytest.mark.parametrize("taken", TAKEN, ids=name_of)
def test_recorded_requests_are_sniffed(taken: Recording) -> None:
    """Model, stream and ceiling are known without understanding the rest."""
    intent = DIALECT.sniff(taken.asked)
    assert taken.request

    assert (intent.model, intent.max_output_tokens) == (taken.request["model"], taken.request["max_tokens"])
    assert intent.is_stream == taken.request["stream"]


@pytest.mark.parametrize(
    "members",
    [
        {"system": "Be kind."},
        {"system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {"cache_control": {"type": "ephemeral"}},
        {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "stop_sequences": ["END"]},
        {"metadata": {"user_id": "u", "other": 1}},
        {"service_tier": "auto"},
        {"service_tier": "standard_only"},
        {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        {"thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"}},
        {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "max"}},
        {"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}},
        {"thinking": {"type": "between_tools"}},
        {"thinking": {"type": "of_tomorrow", "depth": 7}},
        {
            "output_config": {
                "format": {"type": "json_schema", "schema": {"type": "object"}},
                "task_budget": {"total": 9},
            }
        },
        {"output_config": {"format": {"type": "of_tomorrow"}}},
        {"container": "container_1", "speed": "fast", "inference_geo": "us", "context_management": {"edits": []}},
        {"mcp_servers": [{"type": "url", "url": "https://mcp.example", "name": "m"}]},
        {"max_tokens": 0},
        {"messages": [*HELLO, {"role": "system", "content": "Remember."}]},
        {"messages": [*HELLO, {"role": "user", "content": [{"type": "text", "text": "again"}]}]},
        {"messages": [*HELLO, {"role": "assistant", "content": []}]},
    ],
    ids=lambda members: json.dumps(members)[:60],
)
def test_options_come_out_as_they_came(members: dict[str, Any]) -> None:
    """Every option, known or not, is the same after the way through the hub."""
    assert again(decoded(**members)) == json.loads(body(**members))


BLOCKS: list[dict[str, Any]] = [
    {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral", "ttl": "5m"}},
    {"type": "text", "text": "hi", "citations": [{"type": "char_location", "document_index": 0, "cited_text": "x"}]},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
    {
        "type": "image",
        "source": {"type": "url", "url": "https://a.example/b.png"},
        "transformations": {"oversized_image": "error"},
    },
    {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}, "title": "T"},
    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Grüße, 世界"}, "context": "C"},
    {"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}, "citations": {"enabled": True}},
    {"type": "document", "source": {"type": "file", "file_id": "file_2"}, "cache_control": {"type": "ephemeral"}},
    {"type": "document", "source": {"type": "content", "content": "words"}, "title": "T"},
    {
        "type": "document",
        "source": {"type": "content", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    },
    {"type": "document", "source": {"type": "of_tomorrow", "id": 1}},
    {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]},
    {"type": "container_upload", "file_id": "file_3"},
    {"type": "of_tomorrow", "anything": [1, None]},
    {"type": "tool_result", "tool_use_id": "toolu_1"},
    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "18°", "is_error": True},
    {"type": "tool_result", "tool_use_id": "toolu_1", "content": [], "cache_control": {"type": "ephemeral"}},
    {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [
            {"type": "text", "text": "see"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j/"}},
            {"type": "tool_reference", "tool_name": "t"},
        ],
    },
]
SAID: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "hm", "signature": "EqQB=="},
    {"type": "thinking", "thinking": "", "signature": "EqQB=="},
    {"type": "thinking", "thinking": "unsigned", "signature": ""},
    {"type": "redacted_thinking", "data": "EpQC"},
    {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "f",
        "input": {"a": [1, {"b": None}]},
        "cache_control": {"type": "ephemeral"},
    },
    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, "caller": {"type": "direct"}},
    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, "caller": {"type": "code", "tool_id": "s"}},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
    {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [{"type": "web_search_result", "url": "u"}],
    },
    {"type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_1", "content": {"type": "web_fetch_result"}},
    {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {"stdout": ""}},
    {"type": "bash_code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {"stdout": ""}},
    {"type": "text_editor_code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {}},
    {"type": "tool_search_tool_result", "tool_use_id": "srvtoolu_1", "content": {}},
    {"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": "s", "input": {}},
    {"type": "mcp_tool_result", "tool_use_id": "m", "is_error": False, "content": []},
    {"type": "compaction", "content": "summary"},
    {
        "type": "text",
        "text": "it rains",
        "citations": [
            {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c", "encrypted_index": "E"},
            {"type": "page_location", "document_index": 1, "cited_text": "c"},
        ],
    },
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: json.dumps(block)[:70])
def test_blocks_of_a_user_come_out_as_they_came(block: dict[str, Any]) -> None:
    """Pitfalls 57, 64: every kind of block, with its cache mark and with what is not known of it."""
    messages = [{"role": "user", "content": [block]}]

    assert again(decoded(messages=messages))["messages"] == messages


@pytest.mark.parametrize("block", SAID, ids=lambda block: json.dumps(block)[:70])
def test_blocks_of_an_assistant_come_out_as_they_came(block: dict[str, Any]) -> None:
    """Pitfalls 23, 25: thoughts with their signatures, redacted ones, and traces of tools that the vendor ran."""
    messages = [*HELLO, {"role": "assistant", "content": [block]}, *HELLO]

    assert again(decoded(messages=messages))["messages"] == messages


def test_results_and_text_in_one_message() -> None:
    """Results of tools are turns of their own in the hub, and one message again afterwards."""
    content = [
        {"type": "tool_result", "tool_use_id": "a", "content": "1"},
        {"type": "tool_result", "tool_use_id": "b", "content": "2"},
        {"type": "text", "text": "go on"},
    ]
    messages = [{"role": "user", "content": content}, {"role": "user", "content": "and on"}]
    request = decoded(messages=messages)

    assert [(turn.role, len(turn.parts)) for turn in request.turns] == [("tool", 2), ("user", 1), ("user", 1)]
    assert again(request)["messages"] == messages


def test_what_a_request_says_in_the_hub() -> None:
    """The members have their meaning, for whichever vendor is asked."""
    request = decoded(
        system=[{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}],
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        stop_sequences=["END"],
        stream=True,
        metadata={"user_id": "u"},
        service_tier="standard_only",
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        thinking={"type": "adaptive"},
    )

    assert request.turns[0] == Turn("system", (Text("S", cache="ephemeral"),), is_list=True, member="system")
    assert (request.sampling.temperature, request.sampling.top_p, request.sampling.top_k) == (0.5, 0.9, 40)
    assert request.sampling.stop == ("END",)
    assert (request.stream.on, request.stream.usage) == (True, True)
    assert (request.user, request.service_tier) == ("u", "default")
    assert request.reasoning == Reasoning(effort="low", show=True, member="adaptive")
    assert isinstance(request.output, JsonSchema)
    assert request.limits.max_output_tokens == 100
    assert (request.dialect, request.bound) == ("anthropic", ())


@pytest.mark.parametrize(
    ("thinking", "wish"),
    [
        (None, Reasoning(show=False)),
        ({"type": "enabled", "budget_tokens": 4096}, Reasoning(budget_tokens=4096, show=True, member="enabled")),
        ({"type": "adaptive"}, Reasoning(show=True, member="adaptive")),
        ({"type": "adaptive", "display": "omitted"}, Reasoning(show=False, member="adaptive")),
        ({"type": "between_tools"}, Reasoning(show=True, member="between_tools")),
        ({"type": "disabled"}, Reasoning(effort="none", show=False, member="disabled")),
    ],
)
def test_kinds_of_thinking(thinking: Any, wish: Reasoning) -> None:
    """Each way to ask for thinking, and not asking."""
    assert decoded(thinking=thinking).reasoning == wish


@pytest.mark.parametrize(
    ("choice", "meant", "parallel"),
    [
        ({"type": "auto"}, Auto(), None),
        ({"type": "auto", "disable_parallel_tool_use": True}, Auto(), False),
        ({"type": "any", "disable_parallel_tool_use": False}, AnyTool(), True),
        ({"type": "tool", "name": "f"}, Only(("f",)), None),
        ({"type": "none"}, NoTool(), None),
        ({"type": "of_tomorrow", "x": 1}, None, None),
    ],
)
def test_choices_among_tools(choice: dict[str, Any], meant: Any, parallel: bool | None) -> None:
    """Pitfalls 43, 44: every kind of choice, with and without calls side by side."""
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    request = decoded(tools=tools, tool_choice=choice)

    assert (request.tool_choice, request.parallel_tools) == (meant, parallel)
    assert again(request)["tool_choice"] == choice


@pytest.mark.parametrize(
    "tool",
    [
        {"name": "f", "input_schema": {"type": "object"}},
        {"type": None, "name": "f", "input_schema": {"type": "object"}},
        {"type": "custom", "name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True},
        {"name": "f", "input_schema": {}, "cache_control": {"type": "ephemeral"}, "defer_loading": True},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
        {"type": "code_execution_20260120", "name": "code_execution"},
        {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
        {"type": "bash_20250124", "name": "bash"},
    ],
)
def test_kinds_of_tool(tool: dict[str, Any]) -> None:
    """Pitfall 50: a tool without a type, or with null, is the caller's own."""
    request = decoded(tools=[tool])
    is_own = tool.get("type") in (None, "custom")

    assert isinstance(request.tools[0], Function if is_own else Hosted)
    assert again(request)["tools"] == [lean(tool)]


def test_names_of_hosted_tools() -> None:
    """What several vendors can run has the hub's name, whatever its version."""
    tools = [{"type": "web_search_20260209", "name": "web_search"}, {"type": "code_execution_20250522", "name": "c"}]

    assert [tool.kind for tool in decoded(tools=tools).tools if isinstance(tool, Hosted)] == [
        "web_search",
        "code_execution",
    ]


def parts_of(*blocks: dict[str, Any], role: str = "user") -> tuple[Any, ...]:
    return decoded(messages=[{"role": role, "content": list(blocks)}]).turns[0].parts


def test_media_in_the_hub() -> None:
    """Pictures and documents of every source are what every vendor knows."""
    assert parts_of(BLOCKS[2]) == (Media("image", Inline("iVBO", "image/png")),)
    assert parts_of(BLOCKS[4]) == (Media("image", FileRef("file_1")),)
    [text] = parts_of(BLOCKS[6])
    assert isinstance(text.source, Inline)
    assert (text.kind, text.source.mime) == ("file", "text/plain")
    assert base64.b64decode(text.source.base64).decode() == "Grüße, 世界"
    assert parts_of(BLOCKS[7])[0].source == Url("https://a.example/b.pdf")
    assert isinstance(parts_of(BLOCKS[11])[0], Opaque)


def test_document_of_blocks() -> None:
    """Pitfall 57: pictures inside a document are told as pictures, so that no vendor misses them."""
    picture = {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}
    content = [{"type": "text", "text": "first"}, picture]
    parts = parts_of({"type": "document", "title": "T", "source": {"type": "content", "content": content}})

    assert parts == (Text("Document: T"), Text("first"), Media("image", Url("https://a.example/b.png")))


def test_citations_follow_their_text() -> None:
    """A citation with an address has the hub's word, others stay opaque."""
    parts = decoded(messages=[*HELLO, {"role": "assistant", "content": [SAID[-1]]}]).turns[1].parts

    assert [type(part) for part in parts] == [Text, Citation, Opaque]
    assert parts[1].url == "u"  # type: ignore[union-attr]


def test_uploaded_files_bind_a_request() -> None:
    """A file that only one vendor has cannot be translated: the request says so."""
    request = decoded(messages=[{"role": "user", "content": [BLOCKS[4]]}])

    assert request.bound == ("$.turns[0]",)


def test_parcels_come_back() -> None:
    """State of another vendor is unpacked for it, also of a call, and never written as Anthropic's."""
    seal = Seal("gemini", json_raw({"thoughtSignature": "x"}))
    content = [
        {"type": "thinking", "thinking": "hm", "signature": parcel.pack(seal)},
        {"type": "thinking", "thinking": "", "signature": parcel.pack(seal, "call_1")},
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {}},
    ]
    request = decoded(messages=[*HELLO, {"role": "assistant", "content": content}])
    parts = request.turns[1].parts

    assert parts == (Thinking("hm", seal, member="packed"), ToolCall("call_1", "f", "{}", seal=seal))
    losses: Losses = []
    written = json.loads(DIALECT.encode_request(request, losses))
    assert written["messages"][1]["content"] == [{"type": "tool_use", "id": "call_1", "name": "f", "input": {}}]
    assert len(losses) == 2


def json_raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


@pytest.mark.parametrize("signature", ["yibu1.", "yibu1.???", "yibu1.e30", "yibu1.W10", "yibu1.eyJkIjoxfQ"])
def test_broken_parcels(signature: str) -> None:
    """A parcel that a client did not keep whole holds nothing, and is no error."""
    assert parcel.unpack(signature).seal is None


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": ""}, "$.model"),
        ({"model": None}, "$.model"),
        ({"messages": []}, "$.messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "$.messages[0].role"),
        ({"messages": [{"role": "user"}]}, "$.messages[0].content"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "$.messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "$.messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "$.messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}, "$.messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "$.messages[0].content[0].source"),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [7]}]}]},
            "$.messages[0].content[0].content[0]",
        ),
        ({"tools": [{"input_schema": {}}]}, "$.tools[0].name"),
        ({"tools": ["f"]}, "$.tools[0]"),
        ({"tool_choice": "auto"}, "$.tool_choice"),
        ({"thinking": {"type": "enabled", "budget_tokens": "many"}}, "$.thinking.budget_tokens"),
        ({"output_config": {"format": {}}}, "$.output_config.format.type"),
        ({"metadata": 3}, "$.metadata"),
        ({"max_tokens": -1}, "$.max_tokens"),
        ({"temperature": "warm"}, "$.temperature"),
        ({"system": [{"type": "text"}]}, "$.system[0].text"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_wrong_members_are_told_by_their_path(members: dict[str, Any], param: str) -> None:
    """What is wrong is told by its path."""
    with pytest.raises(InvalidRequest) as raised:
        decoded(**members)

    assert raised.value.param == param


@pytest.mark.parametrize(
    ("role", "block"),
    [("user", SAID[0]), ("user", SAID[4]), ("assistant", BLOCKS[16]), ("system", SAID[4]), ("system", BLOCKS[16])],
)
def test_blocks_of_another_role(role: str, block: dict[str, Any]) -> None:
    """Calls and thoughts are the assistant's, results the user's."""
    with pytest.raises(InvalidRequest) as raised:
        decoded(messages=[{"role": role, "content": [block]}])

    assert raised.value.param == "$.messages[0].content"


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"\xff\xfe", b'{"model":"m","max_tokens":1,"messages":NaN}', b"[" * 200]
)
def test_no_json(text: bytes) -> None:
    """A body that is no request is the caller's mistake."""
    for read in (DIALECT.decode_request, DIALECT.sniff, DIALECT.sniff_count):
        with pytest.raises(InvalidRequest):
            read(text)


def test_bounds() -> None:
    """There are limits to messages and tools, before anything is planned."""
    small = DIALECT.within(Bounds(messages=1, tools=1))
    for members in ({"messages": HELLO * 2}, {"tools": [{"name": "f"}, {"name": "g"}]}):
        for read in (small.sniff, small.decode_request, small.sniff_count):
            with pytest.raises(InvalidRequest):
                read(body(**members))


def test_sniffing_media() -> None:
    """Pictures and documents are counted, also those that tools returned; base64 is no text."""
    data = "A" * 4000
    inline = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    remote = {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}
    result = {"type": "tool_result", "tool_use_id": "a", "content": [inline, {"type": "text", "text": "x"}]}
    intent = DIALECT.sniff(body(messages=[{"role": "user", "content": [inline, result]}]))
    other = DIALECT.sniff(body(messages=[{"role": "user", "content": [remote]}]))

    assert (intent.media, intent.has_remote_media) == (2, False)
    assert intent.text_bytes < 1000
    assert (other.media, other.has_remote_media) == (1, True)


def test_conversations_are_told_apart() -> None:
    """What leads a conversation stays the same from turn to turn, and differs between conversations."""
    one, later = DIALECT.sniff(body()), DIALECT.sniff(body(messages=[*HELLO, {"role": "assistant", "content": "hi"}]))
    other = DIALECT.sniff(body(system="S"))

    assert one.lead == later.lead != other.lead


def test_counting_needs_no_ceiling() -> None:
    """The body of `count_tokens` has no `max_tokens`; that of a call must."""
    text = json.dumps({"model": "m", "messages": HELLO}).encode()

    assert DIALECT.sniff_count(text).model == "m"
    assert DIALECT.decode_count(text).limits.max_output_tokens is None
    assert json.loads(DIALECT.encode_count(7)) == {"input_tokens": 7}
    with pytest.raises(InvalidRequest) as raised:
        DIALECT.sniff(text)
    assert raised.value.param == "$.max_tokens"


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ({}, {"anthropic-version": "2023-06-01"}),
        ({"anthropic-version": "2026-10-21"}, {"anthropic-version": "2026-10-21"}),
        ({"anthropic-version": "x\r\ny"}, {"anthropic-version": "2023-06-01"}),
        (
            {"anthropic-beta": "a-2025-01-01, b.c,a-2025-01-01,,<script>," + "x" * 99},
            {"anthropic-version": "2023-06-01", "anthropic-beta": "a-2025-01-01,b.c"},
        ),
    ],
)
def test_headers_for_a_vendor(sent: dict[str, str], asked: dict[str, str]) -> None:
    """Pitfall 65: the caller's betas go along, as far as they look like ones."""
    assert DIALECT.request_headers(Target(headers=sent)) == asked


def test_betas_are_bounded() -> None:
    """However many a caller sends, a header stays small."""
    betas = DIALECT.request_headers(Target(headers={"anthropic-beta": ",".join(f"b{n}" for n in range(5000))}))

    assert len(betas["anthropic-beta"].split(",")) == 32


WITH_TOOLS = ("openai_chat", "openai_responses", "anthropic", "gemini", "bedrock_converse", "cohere_chat")


def test_every_chat_dialect_reads_the_request() -> None:
    """A request of this format can be told in every other one that knows tools."""
    request = decoded(
        messages=[
            {"role": "user", "content": "weather?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "18"}]},
        ],
        tools=[{"name": "f", "input_schema": {"type": "object"}}],
    )
    for dialect in (one for id, one in chat_dialects().items() if id in WITH_TOOLS):
        back = dialect.decode_request(dialect.encode_request(request, []), Target(params={"model": "m"}))
        parts = [part for turn in back.turns for part in turn.parts]
        assert any(isinstance(part, ToolCall) and part.name == "f" for part in parts)
        assert any(isinstance(part, ToolResult) for part in parts)
