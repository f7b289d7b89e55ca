import base64
import json
from typing import Any

import msgspec
import pytest

from tests.corpus import FOLDER, needs_corpus
from yibu.dialects.cohere_chat import VENDOR_DIALECT as COHERE
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import Broken, Busy, InvalidRequest, Refused, UpstreamError
from yibu.hub.events import Event, Failed, Finished, Metered
from yibu.hub.fold import fold
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.options import JsonObject, JsonSchema, Limits, Reasoning, Sampling, Streaming
from yibu.hub.parts import Citation, Media, Opaque, Part, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import AnyTool, Auto, Function, Hosted, NoTool, Only
from yibu.hub.usage import Meter

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
SCHEMA = msgspec.Raw(b'{"type":"object"}')
STRICT = msgspec.Raw(b'{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}')
TOOL = Function("f", "what it does", SCHEMA)
THINKER = "command-a-reasoning-08-2025"


def write(*turns: Turn, **members: Any) -> tuple[dict[str, Any], list[str]]:
    """The request as it is sent, and where something was lost."""
    losses: Losses = []
    asked = ChatRequest(model=members.pop("model", "command-r7b-12-2024"), turns=turns, **members)
    return json.loads(COHERE.encode_request(asked, losses)), [loss.where for loss in losses]


def user(*parts: Part) -> Turn:
    return Turn("user", parts)


def said(*parts: Part) -> Turn:
    return Turn("assistant", parts)


HI = user(Text("Hi"))


def test_a_plain_question() -> None:
    """System text, words, and everything that Cohere can be told about sampling."""
    sampling = Sampling(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        stop=("END",),
        logprobs=True,
    )
    made, lost = write(
        Turn("system", (Text("Be kind."),)),
        HI,
        sampling=sampling,
        limits=Limits(max_output_tokens=9),
        stream=Streaming(on=True),
    )

    assert made == {
        "model": "command-r7b-12-2024",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "max_tokens": 9,
        "temperature": 0.5,
        "p": 0.9,
        "k": 40,
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "stop_sequences": ["END"],
        "logprobs": True,
    }
    assert lost == []


def test_numbers_beyond_the_bounds_are_moved_to_them() -> None:
    made, lost = write(
        HI, sampling=Sampling(temperature=1.5, top_p=1, top_k=900, frequency_penalty=-1, presence_penalty=2, seed=-1)
    )

    assert (made["temperature"], made["p"], made["k"], made["seed"]) == (1, 0.99, 500, 0)
    assert (made["frequency_penalty"], made["presence_penalty"]) == (0, 1)
    assert lost == ["$.temperature", "$.top_p", "$.top_k", "$.frequency_penalty", "$.presence_penalty", "$.seed"]


def test_what_cohere_has_no_word_for_is_lost() -> None:
    sampling = Sampling(logit_bias={"1": 1.0}, logprobs=True, top_logprobs=3)
    made, lost = write(HI, sampling=sampling, user="u", service_tier="flex", metadata={"a": "b"}, cache_key="k")

    assert set(made) == {"model", "messages", "stream", "logprobs"}
    assert lost == [
        "$.logit_bias",
        "$.top_logprobs",
        "$.user",
        "$.service_tier",
        "$.metadata",
        "$.cache_key",
    ]


def test_a_round_of_tools() -> None:
    """Words before calls are the plan for them; each call has its result right after, whatever the order of results was."""
    calls = (ToolCall("call_1", "f", ""), ToolCall("call 2!", "f", '{"a":1}'))
    results = (ToolResult("call 2!", (Text("two"),)), ToolResult("call_1", (Text("one"),), is_error=True))
    made, lost = write(HI, said(Text("Well")), said(*calls), Turn("tool", results), user(Text("And?")), tools=(TOOL,))
    _, asked, first, other, question = made["messages"]
    second = asked["tool_calls"][1]["id"]

    assert asked == {
        "role": "assistant",
        "tool_plan": "Well",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": second, "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        ],
    }
    assert first == {"role": "tool", "tool_call_id": "call_1", "content": "Error: one"}
    assert other == {"role": "tool", "tool_call_id": second, "content": "two"}
    assert question == {"role": "user", "content": "And?"}
    assert lost == ["$.turns[2]"]


def test_thoughts_go_back_whoever_thought_them() -> None:
    """As recorded; those of which only a seal was shown cannot."""
    made, lost = write(HI, said(Thinking("Hm"), Thinking("", Seal("anthropic", SCHEMA)), Text("Yes")), HI)

    assert made["messages"][1]["content"] == [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Yes"}]
    assert lost == ["$.turns[1].parts[1]"]


def test_thoughts_stand_beside_calls() -> None:
    made, _ = write(HI, said(Thinking("Hm"), Text("I will."), ToolCall("c", "f", "{}")), tools=(TOOL,))

    assert made["messages"][1]["content"] == [{"type": "thinking", "thinking": "Hm"}]
    assert made["messages"][1]["tool_plan"] == "I will."


def test_a_call_that_nobody_answered_gets_an_answer() -> None:
    made, lost = write(HI, said(ToolCall("call_1", "f", "{}")), user(Text("Never mind.")))

    assert made["messages"][2] == {"role": "tool", "tool_call_id": "call_1", "content": "[no result]"}
    assert lost == ["$.turns[1]"]


def test_a_result_without_a_call_is_told_in_words() -> None:
    made, lost = write(HI, said(Text("Yes")), Turn("tool", (ToolResult("lost", (Text("42"),), name="f"),)))

    assert made["messages"][2]["content"] == [
        {"type": "text", "text": "Result of the tool f:"},
        {"type": "text", "text": "42"},
    ]
    assert lost == ["$.turns[2].parts[0]"]


def test_what_a_tool_showed_follows_as_the_users() -> None:
    """A text file is a document of the result."""
    file = Media("file", Inline(base64.b64encode("两".encode()).decode(), "text/plain"), name="a.txt")
    result = ToolResult("c", (Text("See"), file, Media("image", Inline(PNG, "image/png"))))
    made, lost = write(HI, said(ToolCall("c", "f", "{}")), Turn("tool", (result,)))

    assert made["messages"][2]["content"] == [
        {"type": "text", "text": "See"},
        {"type": "document", "document": {"data": {"title": "a.txt", "text": "两"}}},
    ]
    assert made["messages"][3] == {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}],
    }
    assert lost == ["$.turns[1]"]


@pytest.mark.parametrize(
    ("choice", "told", "names"),
    [
        (None, None, ["f", "g"]),
        (Auto(), None, ["f", "g"]),
        (AnyTool(), "REQUIRED", ["f", "g"]),
        (NoTool(), "NONE", ["f", "g"]),
        (Only(("g",)), "REQUIRED", ["g"]),
        (Only(("g",), required=False), None, ["g"]),
    ],
)
def test_choices_of_tools(choice: Any, told: Any, names: list[str]) -> None:
    """Of a list of allowed tools, the others are not told at all."""
    made, _ = write(HI, tools=(TOOL, Function("g")), tool_choice=choice)

    assert [tool["function"]["name"] for tool in made["tools"]] == names
    assert made.get("tool_choice") == told


def test_tools_always_have_parameters() -> None:
    made, lost = write(HI, tools=(TOOL, Function("g"), Function("h", is_custom=True)))

    assert [tool["function"] for tool in made["tools"]] == [
        {"name": "f", "description": "what it does", "parameters": {"type": "object"}},
        {"name": "g", "parameters": {"type": "object", "properties": {}}},
        {
            "name": "h",
            "parameters": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]},
        },
    ]
    assert lost == ["$.tools[2]"]


@pytest.mark.parametrize(
    ("tools", "strict", "lost"),
    [
        ((Function("f", "", STRICT, strict=True),), True, []),
        ((Function("f", "", STRICT, strict=True), TOOL), None, ["$.tools[*].strict"]),
        ((Function("f", "", SCHEMA, strict=True),), None, ["$.tools[*].strict"]),
        ((Function("f", "", STRICT, strict=False),), None, []),
    ],
)
def test_strictness_is_of_all_tools(tools: Any, strict: Any, lost: list[str]) -> None:
    """Cohere is strict with all or none, each with a required parameter."""
    made, where = write(HI, tools=tools)

    assert made.get("strict_tools") == strict
    assert where == lost


def test_one_call_at_a_time() -> None:
    """Cohere cannot be told: the first call is passed on, and the answer says so."""
    asked = ChatRequest(model="m", turns=(HI,), tools=(TOOL,), parallel_tools=False)
    losses: Losses = []
    COHERE.encode_request(asked, losses)
    reader = COHERE.reader(asked)
    reply = fold([*reader.feed(STREAM), *reader.finish()])

    assert [(loss.kind, loss.where) for loss in losses] == [("approximated", "$.parallel_tool_calls")]
    assert [part.id for part in reply.choices[0].parts if isinstance(part, ToolCall)] == ["t1"]


def test_hosted_tools_are_a_loss() -> None:
    made, lost = write(HI, tools=(Hosted("openai_responses", "web_search", msgspec.Raw(b"{}")),))

    assert "tools" not in made
    assert lost == ["$.tools[0]"]


def test_names_that_cohere_refuses_come_back_as_they_were() -> None:
    """In a whole answer and in a stream."""
    tool = Function("my.tool-" + "x" * 80, "", SCHEMA)
    asked = ChatRequest(model="m", turns=(HI,), tools=(tool,))
    name = json.loads(COHERE.encode_request(asked, []))["tools"][0]["function"]["name"]
    call = {"id": "t", "type": "function", "function": {"name": name, "arguments": ""}}
    reply = COHERE.decode_reply(json.dumps({"id": "1", "message": {"tool_calls": [call]}}).encode(), asked)
    reader = COHERE.reader(asked)
    stream = frame("tool-call-start", index=0, message={"tool_calls": call}) + frame("message-end", finish_reason="X")
    streamed = fold([*reader.feed(stream), *reader.finish()])

    assert len(name) <= 64
    assert name.replace("_", "").isalnum()
    assert reply.choices[0].parts == streamed.choices[0].parts == (ToolCall("t", tool.name, "{}"),)


def test_pictures_and_documents() -> None:
    """A text file is a document of the whole request, which answers may cite."""
    file = Media("file", Inline(base64.b64encode(b"words").decode(), "text/markdown"), name="a.md")
    made, lost = write(
        user(
            Text("Look"),
            Media("image", Url("https://example.com/a.png"), detail="high"),
            Media("image", Inline(PNG, "image/jpeg"), detail="original"),
            file,
        )
    )

    assert made["messages"][0]["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ]
    assert made["documents"] == [{"data": {"title": "a.md", "text": "words"}}]
    assert lost == ["$.turns[0].parts[2].detail"]


@pytest.mark.parametrize(
    "medium",
    [
        Media("image", FileRef("file-1")),
        Media("audio", Inline("AAAA", "audio/wav")),
        Media("video", Inline("AAAA", "video/mp4")),
        Media("file", Inline("AAAA", "application/pdf")),
        Media("file", Inline("A", "text/plain")),
    ],
)
def test_media_that_no_model_there_takes_are_refused(medium: Media) -> None:
    """With the place of it; the model would answer about something else."""
    with pytest.raises(InvalidRequest) as refused:
        write(user(medium))
    assert refused.value.param == "$.turns[0].parts[0]"


def test_a_schema_is_enforced() -> None:
    """And the word JSON stands in the conversation, without which the model may write blanks for ever."""
    made, lost = write(HI, output=JsonSchema("city", SCHEMA))

    assert made["response_format"] == {"type": "json_object", "json_schema": {"type": "object"}}
    assert [message["role"] for message in made["messages"]] == ["system", "user"]
    assert "JSON" in made["messages"][0]["content"]
    assert lost == []


def test_json_without_a_schema() -> None:
    made, _ = write(user(Text("As json, please.")), output=JsonObject())

    assert made["response_format"] == {"type": "json_object"}
    assert [message["role"] for message in made["messages"]] == ["user"]


def test_a_form_beside_tools_is_asked_for_in_words() -> None:
    """Cohere refuses both together; a code fence around the answer is taken away."""
    asked = ChatRequest(model="m", turns=(HI,), tools=(TOOL,), output=JsonSchema("city", SCHEMA))
    losses: Losses = []
    made = json.loads(COHERE.encode_request(asked, losses))
    reply = COHERE.decode_reply(answered([{"type": "text", "text": '```json\n{"a":1}\n```'}]), asked)

    assert "response_format" not in made
    assert made["messages"][0]["content"].endswith('{"type":"object"}')
    assert [(loss.kind, loss.where) for loss in losses] == [("approximated", "$.response_format")]
    assert reply.choices[0].parts == (Text('{"a":1}'),)


@pytest.mark.parametrize(
    ("model", "reasoning", "told", "lost"),
    [
        (THINKER, Reasoning(effort="none"), {"type": "disabled"}, []),
        (THINKER, Reasoning(budget_tokens=0), {"type": "disabled"}, []),
        (THINKER, Reasoning(budget_tokens=500), {"type": "enabled", "token_budget": 500}, []),
        (THINKER, Reasoning(effort="high"), {"type": "enabled"}, []),
        (THINKER, Reasoning(effort="low"), {"type": "enabled", "token_budget": 2048}, ["$.reasoning_effort"]),
        ("command-r7b-12-2024", Reasoning(effort="low"), None, ["$.reasoning_effort"]),
        ("command-r7b-12-2024", Reasoning(effort="none"), None, []),
        (THINKER, Reasoning(), None, []),
    ],
)
def test_thinking(model: str, reasoning: Reasoning, told: Any, lost: list[str]) -> None:
    """Only models that can are asked to."""
    made, where = write(HI, model=model, reasoning=reasoning)

    assert made.get("thinking") == told
    assert where == lost


def test_an_answer_ends_at_stop_strings_beyond_the_fifth() -> None:
    """Cohere takes five; the others are looked for here."""
    asked = ChatRequest(model="m", turns=(HI,), sampling=Sampling(stop=(*"ABCDE", "只")))
    losses: Losses = []
    made = json.loads(COHERE.encode_request(asked, losses))
    reply = COHERE.decode_reply(answered([{"type": "text", "text": "两只猫"}]), asked)

    assert made["stop_sequences"] == list("ABCDE")
    assert [(loss.kind, loss.where) for loss in losses] == [("approximated", "$.stop")]
    assert reply.choices[0].parts == (Text("两"),)


def test_what_would_make_a_wrong_answer_is_refused() -> None:
    for members in (
        {"limits": Limits(choices=2)},
        {"modalities": ("audio",)},
    ):
        with pytest.raises(InvalidRequest):
            write(HI, **members)


def answered(content: Any = None, **members: Any) -> bytes:
    message = {"role": "assistant", "content": content or [{"type": "text", "text": "Hi"}]}
    return json.dumps({"id": "1", "message": message, **members}).encode()


def test_tokens_are_counted_not_billed_units() -> None:
    """What the cache held is part of them."""
    usage = {
        "billed_units": {"input_tokens": 41.0, "output_tokens": 25.0},
        "cached_tokens": 144.0,
        "tokens": {"input_tokens": 1441.0, "output_tokens": 54.0},
    }
    reply = COHERE.decode_reply(answered(usage=usage))

    assert reply.usage
    assert reply.usage.units == {Meter.INPUT: 1297, Meter.INPUT_CACHED: 144, Meter.OUTPUT: 54}


def test_billed_units_stand_in_for_missing_tokens() -> None:
    usage = {"billed_units": {"input_tokens": 41, "output_tokens": 25, "search_units": 1}}
    reply = COHERE.decode_reply(answered(usage=usage))

    assert reply.usage
    assert reply.usage.units == {Meter.INPUT: 41, Meter.OUTPUT: 25, Meter.SEARCH: 1}
    assert COHERE.decode_reply(answered(usage={})).usage is None


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("ERROR_LIMIT", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("ERROR_TOXIC", "filtered"),
        ("ERROR", "error"),
        ("TIMEOUT", "error"),
        ("SOMETHING_NEW", "stop"),
    ],
)
def test_ends(word: str, kind: str) -> None:
    assert COHERE.decode_reply(answered(finish_reason=word)).choices[0].finish.kind == kind


DOCUMENT = {"type": "document", "id": "d", "document": {"url": "https://example.com/a", "title": "A"}}
OUTPUT = {"type": "tool", "id": "t:0", "tool_output": {"content": "Sunny"}}


def test_citations_with_an_address_are_citations() -> None:
    """Others rest on something that a caller gave and has himself: they stay what they are."""
    rest = {"start": 4, "end": 9, "text": "sunny", "type": "TEXT_CONTENT", "sources": [OUTPUT]}
    plan = {"start": 0, "end": 2, "text": "Hi", "type": "PLAN", "sources": [DOCUMENT]}
    message = {
        "content": [{"type": "text", "text": "It's sunny"}],
        "citations": [{"start": 0, "end": 4, "text": "It's", "sources": [DOCUMENT, OUTPUT]}, rest, plan],
    }
    reply = COHERE.decode_reply(json.dumps({"id": "1", "message": message}).encode())
    text, cited, *others = reply.choices[0].parts

    assert text == Text("It's sunny")
    assert cited == Citation("https://example.com/a", "A", 0, 4)
    assert [json.loads(bytes(part.data)) for part in others if isinstance(part, Opaque)] == [rest, plan]


def test_probabilities_are_told_in_the_form_of_the_hub() -> None:
    items = [{"text": "Hi", "token_ids": [5], "logprobs": [-0.5]}, {"text": "!", "token_ids": [1, 2]}]
    choice = COHERE.decode_reply(answered(logprobs=items)).choices[0]

    assert choice.logprobs is not None
    assert json.loads(bytes(choice.logprobs)) == {
        "content": [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}]
    }


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"<html>", b'{"message": 5}', b'{"message": {"content": [5]}}', b'{"id": "1"}']
)
def test_what_is_no_answer_is_broken(body: bytes) -> None:
    with pytest.raises(Broken):
        COHERE.decode_reply(body)


def test_an_error_with_a_good_status_is_an_error() -> None:
    with pytest.raises(UpstreamError):
        COHERE.decode_reply(b'{"id": "1", "message": "The model is overloaded"}')


@pytest.mark.parametrize(("status", "kind"), [(429, Busy), (400, Refused), (500, Broken)])
def test_errors_are_sorted(status: int, kind: type[UpstreamError]) -> None:
    assert isinstance(COHERE.decode_error(status, {}, b'{"id": "1", "message": "no"}'), kind)


def frame(kind: str, *, index: int | None = None, id: str | None = None, logprobs: Any = None, **delta: Any) -> bytes:
    said = {"type": kind, "index": index, "id": id, "delta": delta or None, "logprobs": logprobs}
    data = json.dumps({key: value for key, value in said.items() if value is not None}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()


def content(kind: str, index: int, **words: Any) -> bytes:
    return frame(kind, index=index, message={"content": words})


def call(kind: str, index: int, **members: Any) -> bytes:
    return frame(kind, index=index, message={"tool_calls": members})


BEGIN = frame(
    "message-start", id="a-1", message={"role": "assistant", "content": [], "tool_calls": [], "citations": []}
)
USAGE = {"billed_units": {"input_tokens": 1}, "tokens": {"input_tokens": 5, "output_tokens": 7}, "cached_tokens": 2}
STREAM = b"".join(
    [
        BEGIN,
        content("content-start", 0, type="thinking", thinking=""),
        content("content-delta", 0, thinking="Hm"),
        frame("content-end", index=0),
        content("content-start", 1, type="text", text=""),
        content("content-delta", 1, text="两"),
        content("content-delta", 1, text="只猫"),
        frame("citation-start", index=0, message={"citations": {"start": 0, "end": 1, "sources": [DOCUMENT]}}),
        frame("citation-end", index=0),
        content("content-delta", 1, text="。"),
        frame("content-end", index=1),
        frame("tool-plan-delta", message={"tool_plan": "I will"}),
        frame("tool-plan-delta", message={"tool_plan": " look."}),
        call("tool-call-start", 0, id="t1", type="function", function={"name": "f", "arguments": ""}),
        call("tool-call-delta", 0, function={"arguments": '{"a"'}),
        call("tool-call-delta", 0, function={"arguments": ":1}"}),
        frame("tool-call-end", index=0),
        call("tool-call-start", 1, id="t2", type="function", function={"name": "g"}),
        frame("tool-call-end", index=1),
        frame("debug", prompt="…"),
        frame("message-end", finish_reason="TOOL_CALL", usage=USAGE),
        b"data: [DONE]\n\n",
    ]
)


def read(*chunks: bytes) -> list[Event]:
    reader = COHERE.reader()
    return [one for chunk in chunks for one in reader.feed(chunk)] + reader.finish()


def test_a_stream_is_the_whole_answer() -> None:
    """Thoughts, words with what they rest on behind them, the plan, calls with and without arguments, usage."""
    reply = fold(read(STREAM))

    assert reply.id == "a-1"
    assert reply.choices[0].parts == (
        Thinking("Hm"),
        Text("两只猫。"),
        Citation("https://example.com/a", "A", 0, 1),
        Text("I will look."),
        ToolCall("t1", "f", '{"a":1}'),
        ToolCall("t2", "g", "{}"),
    )
    assert reply.choices[0].finish.kind == "tool_calls"
    assert reply.usage
    assert reply.usage.units == {Meter.INPUT: 3, Meter.INPUT_CACHED: 2, Meter.OUTPUT: 7}


def test_where_a_stream_is_cut_makes_no_difference() -> None:
    whole = read(STREAM)

    assert [cut for cut in range(1, len(STREAM), 11) if read(STREAM[:cut], STREAM[cut:]) != whole] == []
    assert read(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == whole


@pytest.mark.parametrize("cut", [0, 10, len(STREAM) // 2])
def test_a_stream_that_breaks_off_failed(cut: int) -> None:
    assert isinstance(read(STREAM[:cut])[-1], Failed)


def test_probabilities_ride_on_the_words() -> None:
    told = frame(
        "content-delta",
        index=0,
        message={"content": {"text": "Hi"}},
        logprobs={"text": "Hi", "token_ids": [5], "logprobs": [-0.5]},
    )
    reply = fold(read(BEGIN + told + frame("message-end", finish_reason="COMPLETE")))

    assert reply.choices[0].logprobs is not None
    assert json.loads(bytes(reply.choices[0].logprobs))["content"][0]["logprob"] == -0.5


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (frame("message-end", finish_reason="ERROR", error="it fell over", usage=USAGE), Metered),
        (b'data: {"message": "too many tokens"}\n\n', None),
        (b"data: {nonsense\n\n", None),
        (b'data: {"type": "content-delta", "delta": {"message": {"content": 5}}}\n\n', None),
    ],
)
def test_an_error_ends_a_stream(broken: bytes, kind: Any) -> None:
    """What was counted is told before; nothing after it is read."""
    events = read(BEGIN + broken + STREAM)

    assert isinstance(events[-1], Failed)
    assert sum(isinstance(one, Failed) for one in events) == 1
    assert not any(isinstance(one, Finished) for one in events)
    assert any(isinstance(one, Metered) for one in events) == (kind is Metered)


RECORDED = [json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("cohere.cohere-chat-v2.*.json"))]


@needs_corpus
def test_recorded_answers_are_read() -> None:
    """Everything that was counted is in the meters, and nothing that was said is left over."""
    for told in RECORDED:
        answer = json.loads(told["response_body"])
        message, tokens = answer["message"], answer["usage"]["tokens"]
        reply = COHERE.decode_reply(told["response_body"].encode())
        parts = reply.choices[0].parts
        said = [block.get("text") or block["thinking"] for block in message.get("content", [])]
        if "tool_plan" in message:
            said.append(message["tool_plan"])

        assert reply.usage
        assert sum(reply.usage.units.values()) == tokens["input_tokens"] + tokens["output_tokens"]
        assert [part.text for part in parts if isinstance(part, Text | Thinking)] == said
        assert len([part for part in parts if isinstance(part, ToolCall)]) == len(message.get("tool_calls", []))
        assert sum(isinstance(part, Opaque) for part in parts) == len(message.get("citations", []))
        assert (reply.choices[0].finish.kind == "tool_calls") == (answer["finish_reason"] == "TOOL_CALL")
    assert len(RECORDED) == 9


@needs_corpus
def test_recorded_conversations_are_written_as_they_were() -> None:
    """The turns of the matrix of tools and of thoughts, made by hand from the recordings, are what was really sent."""
    by_name = {told["source"].rpartition("/")[2]: told["request"] for told in RECORDED}
    schema = {
        "additionalProperties": False,
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "type": "object",
    }
    tool = Function("get_weather", "Get the current weather for a city.", msgspec.Raw(msgspec.json.encode(schema)))
    id = "get_weather_9gpb31r7h7mj"
    turns = (
        user(Text("What's the weather in Paris?")),
        said(ToolCall(id, "get_weather", '{"city":"Paris"}')),
        Turn("tool", (ToolResult(id, (Text("Sunny, 22C in Paris"),)),)),
    )

    assert write(*turns, tools=(tool,))[0] == by_name["test_tool_choice_matrix[auto-cohere].yaml#1"]
    thought = by_name["test_cohere_model_thinking_part.yaml#1"]
    question, answer, other = thought["messages"]
    parts = (Thinking(answer["content"][0]["thinking"]), Text(answer["content"][1]["text"]))
    made, _ = write(user(Text(question["content"])), said(*parts), user(Text(other["content"])), model=THINKER)
    assert made == thought
