"""Requests in the format of OpenAI's Responses: every kind of item there and back, and what becomes of other formats."""

import json
from typing import Any

import msgspec
import pytest

from yibu.dialects import chat_dialects
from yibu.dialects.dialect import Bounds
from yibu.dialects.openai_responses.thoughts import pack
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidRequest, WouldLose
from yibu.hub.loss import Loss
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.options import JsonObject, JsonSchema, Limits, Reasoning, Sampling
from yibu.hub.parts import Media, Opaque, Refusal, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import AnyTool, Function, Hosted, NoTool, Only

RESPONSES = chat_dialects()["openai_responses"]
CHAT = chat_dialects()["openai_chat"]


def decode(**members: Any) -> ChatRequest:
    return RESPONSES.decode_request(json.dumps({"model": "m", **members}).encode())


def encode(request: ChatRequest, losses: list[Loss] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESPONSES.encode_request(request, [] if losses is None else losses))
    return found


def from_chat(**members: Any) -> tuple[dict[str, Any], list[Loss]]:
    """What a Chat request becomes, and what is lost."""
    losses: list[Loss] = []
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **members}
    return encode(CHAT.decode_request(json.dumps(asked).encode()), losses), losses


def to_chat(**members: Any) -> tuple[dict[str, Any], list[Loss]]:
    losses: list[Loss] = []
    return json.loads(CHAT.encode_request(decode(**members), losses)), losses


CONVERSATION: list[dict[str, Any]] = [
    {"role": "developer", "content": "be brief"},
    {"role": "user", "content": [{"type": "input_text", "text": "look"}]},
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
        "encrypted_content": "gAAA",
    },
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "phase": "commentary",
        "content": [
            {"type": "output_text", "text": "I look.", "annotations": []},
            {"type": "refusal", "refusal": "no"},
        ],
    },
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": "{}", "namespace": "n"},
    {"type": "custom_tool_call", "call_id": "call_2", "name": "patch", "input": "*** Begin"},
    {
        "type": "function_call_output",
        "call_id": "call_1",
        "output": [
            {"type": "input_text", "text": "seen"},
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        ],
    },
    {"type": "custom_tool_call_output", "call_id": "call_2", "output": "done"},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
    {"role": "assistant", "content": "there"},
    {"role": "assistant", "content": "and there"},
    {
        "role": "user",
        "content": [
            {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"},
            {"type": "input_file", "file_url": "https://example.com/b.pdf"},
            {"type": "input_file", "file_id": "file_1"},
            {"type": "input_image", "file_id": "file_2"},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "input_hologram", "data": 1},
        ],
    },
]


def test_every_item_there_and_back() -> None:
    """Items of every kind, with members that nobody knows, come back as they were and where they were."""
    assert encode(decode(input=CONVERSATION))["input"] == CONVERSATION


def test_every_member_there_and_back() -> None:
    """All that can be said beside the input comes back, known and unknown."""
    members = {
        "instructions": "be brief",
        "max_output_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_logprobs": 2,
        "include": ["message.output_text.logprobs"],
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True, "defer_loading": True},
            {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "lark", "definition": "start: A"}},
            {"type": "web_search", "search_context_size": "low"},
            {"type": "mcp", "server_label": "s", "server_url": "https://example.com"},
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        "parallel_tool_calls": False,
        "text": {
            "format": {"type": "json_schema", "name": "n", "schema": {"a": 1}, "strict": True},
            "verbosity": "low",
        },
        "reasoning": {"effort": "high", "summary": "detailed", "context": "all_turns"},
        "user": "u",
        "safety_identifier": "s",
        "metadata": {"a": "b"},
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "store": False,
        "background": False,
        "previous_response_id": "resp_1",
        "max_tool_calls": 3,
        "truncation": "auto",
        "stream": True,
        "stream_options": {"include_obfuscation": False},
        "moderation": {"model": "m"},
    }
    asked = decode(input=[{"role": "user", "content": "x"}], **members)

    assert encode(asked) == {"model": "m", "input": [{"role": "user", "content": "x"}], **members}
    assert asked.bound == ("$.previous_response_id",)


def test_what_the_hub_sees() -> None:
    """The model's items between two turns of others are one turn; instructions are the system's."""
    asked = decode(input=CONVERSATION, instructions="sys")

    assert [turn.role for turn in asked.turns] == [
        *("system", "developer", "user", "assistant", "tool", "tool", "assistant", "assistant", "user")
    ]
    first, second, *_, call, patch = asked.turns[3].parts
    assert first == Thinking("a")
    assert isinstance(second, Thinking)
    assert second.seal == Seal("openai_responses", msgspec.Raw(b'{"id":"rs_1","encrypted_content":"gAAA"}'))
    assert asked.turns[3].parts[3] == Refusal("no")
    assert isinstance(call, ToolCall)
    assert (call.id, call.name, call.is_custom) == ("call_1", "look", False)
    assert isinstance(patch, ToolCall)
    assert (patch.arguments, patch.is_custom) == ("*** Begin", True)
    [result] = asked.turns[4].parts
    assert isinstance(result, ToolResult)
    assert result.parts[1] == Media("image", Inline("AAAA", "image/png"), detail="low")
    assert [type(part) for part in asked.turns[6].parts] == [Opaque, Text]
    pdf, link, *files = asked.turns[8].parts
    assert pdf == Media("file", Inline("AAAA", "application/pdf"), name="a.pdf")
    assert link == Media("file", Url("https://example.com/b.pdf"))
    assert [part.source for part in files[:2] if isinstance(part, Media)] == [FileRef("file_1"), FileRef("file_2")]


def test_string_is_a_message() -> None:
    """A string is the one message of a user."""
    assert decode(input="hi").turns == (Turn("user", (Text("hi"),)),)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({}, "$.input"),
        ({"input": 1}, "$.input"),
        ({"input": [1]}, "$.input[0]"),
        ({"input": [{}]}, "$.input[0].type"),
        ({"input": [{"role": "nobody", "content": ""}]}, "$.input[0].role"),
        ({"input": [{"role": "user"}]}, "$.input[0].content"),
        ({"input": [{"role": "user", "content": [{"text": "x"}]}]}, "$.input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": 1}]}]}, "$.input[0].content[0].text"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "$.input[0].name"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "$.input[0].output"),
        ({"input": "x", "tools": [{"type": "function"}]}, "$.tools[0].name"),
        ({"input": "x", "max_output_tokens": 0}, "$.max_output_tokens"),
        ({"input": "x", "metadata": {"a": 1}}, "$.metadata[...]"),
        ({"input": "x", "text": {"format": {}}}, "$.text.format.type"),
    ],
)
def test_path_of_what_is_wrong(members: dict[str, Any], param: str) -> None:
    """Wrong input is told with the path of the member."""
    with pytest.raises(InvalidRequest) as refused:
        decode(**members)

    assert refused.value.param == param


def test_bounds() -> None:
    """Items and tools have a limit, before and after planning."""
    tight = RESPONSES.within(Bounds(messages=1, tools=1))
    many = json.dumps({"model": "m", "input": [{"role": "user", "content": "x"}] * 2}).encode()
    for read in (tight.sniff, tight.decode_request):
        with pytest.raises(InvalidRequest, match="more than 1 items"):
            read(many)


def test_sniff() -> None:
    """What must be known before planning: ceilings, stream, media, what has to be fetched, where the conversation begins."""
    picture = {"type": "input_image", "image_url": "https://example.com/a.png"}
    inline = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 4000}
    asked = {
        "model": "m",
        "input": [
            {"role": "user", "content": [picture]},
            {"type": "function_call_output", "call_id": "c", "output": [inline]},
        ],
        "stream": True,
        "max_output_tokens": 7,
    }
    intent = RESPONSES.sniff(json.dumps(asked).encode())

    assert (intent.is_stream, intent.max_output_tokens, intent.media, intent.has_remote_media) == (True, 7, 2, True)
    assert intent.text_bytes == len(json.dumps(asked)) - 4000
    assert json.loads(RESPONSES.splice(intent, "other")) == {**asked, "model": "other"}
    assert RESPONSES.splice(intent, "m") is intent.body
    longer = {**asked, "input": [*asked["input"], {"role": "user", "content": "and"}]}  # type: ignore[misc]
    assert RESPONSES.sniff(json.dumps(longer).encode()).lead == intent.lead


def test_seals_of_others_travel_through_clients() -> None:
    """A signature of another vendor comes back out of `encrypted_content`, for a thought and for a call."""
    seal = Seal("anthropic", msgspec.Raw(b'{"signature":"abc"}'))
    asked = decode(
        input=[
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "hm"}],
                "encrypted_content": pack(seal),
            },
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": pack(seal, "c")},
        ]
    )

    thought, call = asked.turns[0].parts
    assert thought == Thinking("hm", seal)
    assert isinstance(call, ToolCall)
    assert call.seal == seal


def test_broken_seal_is_nobody_s() -> None:
    """What a client cut is kept as what it is: state that this vendor may know."""
    asked = decode(input=[{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "yibu1.AAA"}])
    [thought] = asked.turns[0].parts

    assert isinstance(thought, Thinking)
    assert thought.seal
    assert thought.seal.dialect == "openai_responses"


def test_pitfall_29_reasoning_of_another_vendor() -> None:
    """Pitfalls 29, 83: what another vendor thought and signed is never sent to this one; what this one encrypted is."""
    losses: list[Loss] = []
    own = Seal("openai_responses", msgspec.Raw(b'{"id":"rs_1","encrypted_content":"gAAA"}'))
    foreign = Seal("anthropic", msgspec.Raw(b'{"signature":"abc"}'))
    turns = (Turn("user", (Text("a"),)), Turn("assistant", (Thinking("x", foreign), Thinking("y", own), Text("z"))))
    turns = (*turns, Turn("user", (Text("b"),)))
    sent = encode(ChatRequest(model="m", turns=turns, dialect="openai_chat"), losses)

    assert sent["input"][1:-1] == [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "y"}],
            "id": "rs_1",
            "encrypted_content": "gAAA",
        },
        {"role": "assistant", "content": "z"},
    ]
    assert [loss.where for loss in losses] == ["$.turns[1]"]


def test_pitfall_33_call_without_arguments() -> None:
    """Pitfall 33: a call without arguments goes to the vendor as `{}`."""
    sent, _ = from_chat(
        messages=[
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "x"},
        ]
    )

    assert sent["input"][0]["arguments"] == "{}"


@pytest.mark.parametrize("written", ['{"a": ', "[1]", "NaN", '{"a": NaN}'])
def test_pitfall_34_cut_arguments(written: str) -> None:
    """Pitfall 34: arguments that are no JSON object are wrapped in one."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": written}}
    sent, losses = from_chat(messages=[{"role": "assistant", "tool_calls": [call]}])

    assert json.loads(sent["input"][0]["arguments"]) == {"_raw": written}
    assert losses[-1].kind == "approximated"


def test_pitfall_36_all_results() -> None:
    """Pitfall 36: each of several results is an item."""
    results = [{"role": "tool", "tool_call_id": f"c{n}", "content": str(n)} for n in range(3)]
    calls = [{"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": "{}"}} for n in range(3)]
    sent, _ = from_chat(messages=[{"role": "assistant", "tool_calls": calls}, *results])

    assert [item["type"] for item in sent["input"]] == ["function_call"] * 3 + ["function_call_output"] * 3


def test_pitfall_39_and_40_ids() -> None:
    """Pitfalls 39, 40: calls and results are joined by `call_id` alone, and no `id` is made up; pitfall 28: none is too long."""
    long = "toolu_" + "x" * 80
    call = {"id": long, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    sent, _ = from_chat(
        messages=[{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": long, "content": "x"}]
    )
    made, result = sent["input"]

    assert made["call_id"] == result["call_id"]
    assert len(made["call_id"]) <= 64
    assert "id" not in made
    assert "id" not in result


def test_pitfall_45_strict() -> None:
    """Pitfall 45: silence means no in Chat, and `strict: false` is written; the same for the schema of an answer."""
    sent, losses = from_chat(
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    )

    assert sent["tools"] == [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}]
    assert sent["text"]["format"]["strict"] is False
    assert losses == []


def test_pitfall_47_structured_output() -> None:
    """Pitfall 47: the form of an answer is `text.format` here and `response_format` there."""
    schema = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}
    there, _ = to_chat(input="x", text={"format": schema})
    loose, _ = to_chat(input="x", text={"format": {"type": "json_object"}})

    assert there["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
    }
    assert loose["response_format"] == {"type": "json_object"}
    assert isinstance(decode(input="x", text={"format": schema}).output, JsonSchema)
    assert decode(input="x", text={"format": {"type": "json_object"}}).output == JsonObject()


def test_pitfall_48_names() -> None:
    """Pitfall 48: a name that is too long or illegal gets an alias, the same everywhere, and the answer has the caller's name."""
    name = "mcp__server.tool:" + "x" * 60
    turns = (Turn("user", (Text("a"),)), Turn("assistant", (ToolCall("c", name, "{}"),)))
    asked = ChatRequest(model="m", turns=turns, tools=(Function(name),), tool_choice=Only((name,)), dialect="anthropic")
    sent = encode(asked)
    alias = sent["tools"][0]["name"]
    body = {"id": "r", "output": [{"type": "function_call", "call_id": "c", "name": alias, "arguments": "{}"}]}
    reply = RESPONSES.decode_reply(json.dumps(body).encode(), asked)

    assert len(alias) <= 64
    assert alias != name
    assert sent["tool_choice"]["name"] == alias == sent["input"][1]["name"]
    assert [part.name for part in reply.choices[0].parts if isinstance(part, ToolCall)] == [name]


def test_pitfall_49_hosted_tools() -> None:
    """Pitfall 49: tools that the vendor runs are its own kind, and are never written as a function without a name."""
    there, losses = to_chat(input="x", tools=[{"type": "image_generation"}, {"type": "function", "name": "f"}])

    assert [tool["function"]["name"] for tool in there["tools"]] == ["f"]
    assert [loss.where for loss in losses] == ["$.tools[0]"]
    kinds = [
        tool.kind
        for tool in decode(
            input="x", tools=[{"type": "web_search_preview"}, {"type": "code_interpreter", "container": "c"}]
        ).tools
        if isinstance(tool, Hosted)
    ]
    assert kinds == ["web_search", "code_execution"]


def test_pitfall_55_pictures_of_tools() -> None:
    """Pitfall 55: a picture that a tool returned goes to this format inside the result, and to Chat as the user's after it."""
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    there, _ = to_chat(
        input=[
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [picture]},
        ]
    )
    result = ToolResult("c", (Media("image", Inline("AAAA", "image/png")),), is_error=True)
    back = encode(ChatRequest(model="m", turns=(Turn("tool", (result,)),), dialect="anthropic"))

    assert [message["role"] for message in there["messages"]] == ["assistant", "tool", "user"]
    assert there["messages"][2]["content"] == [{"type": "image_url", "image_url": {"url": picture["image_url"]}}]
    assert back["input"][0]["output"] == [{"type": "input_text", "text": "Error: "}, picture]


def test_pitfall_62_members_of_one_format() -> None:
    """Pitfall 62: what this format does not know is left out with a note, never passed on blindly."""
    sent, losses = from_chat(
        stop=["x"],
        seed=1,
        logit_bias={"1": 1},
        frequency_penalty=1,
        stream_options={"include_usage": True},
        stream=True,
    )

    assert sent.keys() == {"model", "input", "stream", "store"}
    assert {loss.where for loss in losses} == {"$.stop", "$.seed", "$.logit_bias", "$.frequency_penalty"}


def test_refused_rather_than_wrong() -> None:
    """Several answers, sound and uploaded files cannot be had from a vendor of this format."""
    for members in ({"n": 2}, {"modalities": ["text", "audio"]}):
        with pytest.raises(WouldLose):
            from_chat(**members)
    with pytest.raises(WouldLose):
        from_chat(messages=[{"role": "user", "content": [{"type": "file", "file": {"file_id": "file_1"}}]}])


def test_interleaved_messages_and_calls() -> None:
    """Calls with a message between them are one message in Chat, whose results follow at once."""
    there, _ = to_chat(
        input=[
            {"role": "assistant", "content": "a"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"role": "assistant", "content": "b"},
            {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "1"},
            {"type": "function_call_output", "call_id": "c2", "output": "2"},
        ]
    )

    assert [message["role"] for message in there["messages"]] == ["assistant", "tool", "tool"]
    assert there["messages"][0]["content"] == "a\n\nb"
    assert [call["id"] for call in there["messages"][0]["tool_calls"]] == ["c1", "c2"]


def test_values_that_both_openai_formats_have() -> None:
    """Tier, cache key, verbosity, users and effort are carried both ways, not dropped."""
    asked = {
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "verbosity": "low",
        "safety_identifier": "s",
        "user": "u",
        "reasoning_effort": "high",
        "max_completion_tokens": 90,
        "parallel_tool_calls": False,
    }
    tools = [{"type": "function", "function": {"name": "f"}}]
    sent, losses = from_chat(**asked, tools=tools)
    back, lost = to_chat(**{key: value for key, value in sent.items() if key not in ("model", "include", "store")})

    assert losses == []
    assert sent["text"] == {"verbosity": "low"}
    assert sent["reasoning"] == {"effort": "high", "summary": "auto"}
    assert sent["include"] == ["reasoning.encrypted_content"]
    assert sent["store"] is False
    assert lost == []
    assert {key: back[key] for key in asked} == asked


def test_grammar_of_a_custom_tool() -> None:
    """Chat has the grammar one level deeper."""
    grammar = {"syntax": "lark", "definition": "start: A"}
    sent, losses = from_chat(
        tools=[{"type": "custom", "custom": {"name": "c", "format": {"type": "grammar", "grammar": grammar}}}],
        tool_choice={"type": "custom", "custom": {"name": "c"}},
    )

    assert sent["tools"] == [{"type": "custom", "name": "c", "format": {"type": "grammar", **grammar}}]
    assert sent["tool_choice"] == {"type": "custom", "name": "c"}
    assert losses == []


@pytest.mark.parametrize(
    ("said", "choice"), [("none", NoTool()), ("required", AnyTool()), ({"type": "function", "name": "f"}, Only(("f",)))]
)
def test_choices(said: Any, choice: Any) -> None:
    """Each choice of tools has its word in the hub."""
    assert decode(input="x", tool_choice=said).tool_choice == choice


def test_budget_becomes_an_effort() -> None:
    """A budget of thoughts is told as the effort at which vendors draw the line."""
    found = [
        encode(ChatRequest(model="m", turns=(), reasoning=Reasoning(budget_tokens=tokens)))["reasoning"]["effort"]
        for tokens in (1024, 8000, 20000)
    ]

    assert found == ["low", "medium", "high"]


def test_system_texts() -> None:
    """The system's text at the head becomes the instructions; later ones stay where they are."""
    turns = (Turn("system", (Text("a"), Text("b"))), Turn("user", (Text("c"),)), Turn("system", (Text("d"),)))
    sent = encode(ChatRequest(model="m", turns=turns, sampling=Sampling(), limits=Limits()))

    assert sent["instructions"] == "a\n\nb"
    assert [item["role"] for item in sent["input"]] == ["user", "system"]


def test_lists_of_nothing() -> None:
    """Of a list from which nothing could be carried none is written: OpenAI refuses empty ones."""
    strange = Opaque(dialect="anthropic", data=msgspec.Raw(b"{}"))
    turns = (
        Turn("user", (strange,), is_list=True),
        Turn("assistant", (ToolCall("a", "f", "{}"),)),
        Turn("tool", (ToolResult("a", (strange,), is_list=True),)),
    )
    items = encode(ChatRequest(model="m", turns=turns, dialect="anthropic"))["input"]

    assert items[0]["content"] == ""
    assert items[2]["output"] == ""


def test_instructions_alone_are_the_input() -> None:
    """OpenAI wants some input: a system text with nothing behind it is no `instructions`."""
    body, _ = from_chat(messages=[{"role": "system", "content": "Say hi."}])

    assert body["input"] == [{"role": "system", "content": "Say hi."}]
    assert "instructions" not in body


def test_sound_is_refused() -> None:
    """No model of this format takes sound."""
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}

    with pytest.raises(WouldLose, match="no audio"):
        from_chat(messages=[{"role": "user", "content": [sound]}])


@pytest.mark.parametrize(("said", "told"), [("on_demand", "default"), ("flex", "flex"), ("priority", "priority")])
def test_classes_of_service(said: str, told: str) -> None:
    """Another vendor's word for the usual class of service is OpenAI's, in requests and in answers."""
    body, _ = from_chat(service_tier=said)
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    answer = {"id": "1", "object": "chat.completion", "model": "m", "choices": [choice], "service_tier": said}
    reply = CHAT.decode_reply(json.dumps(answer).encode())

    assert body["service_tier"] == told
    assert json.loads(RESPONSES.encode_reply(reply, []))["service_tier"] == told
