import base64
import json
from typing import Any

import msgspec
import pytest

from tests.corpus import FOLDER, needs_corpus
from yibu.dialects._eventstream import encode_message
from yibu.dialects.bedrock_converse import VENDOR_DIALECT as CONVERSE
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import Broken, HubError, InvalidRequest, UpstreamError
from yibu.hub.events import Event, Failed
from yibu.hub.fold import fold
from yibu.hub.loss import Losses
from yibu.hub.media import Inline, Url
from yibu.hub.options import JsonSchema, Limits, Reasoning, Sampling
from yibu.hub.parts import Media, Part, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import AnyTool, Function, Hosted, NoTool, Only
from yibu.hub.usage import Meter

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
SCHEMA = msgspec.Raw(b'{"type":"object"}')
TOOL = Function("f", "what it does", SCHEMA)


def write(*turns: Turn, **members: Any) -> tuple[dict[str, Any], list[str]]:
    """The request as it is sent, and where something was lost."""
    losses: Losses = []
    asked = ChatRequest(model=members.pop("model", "us.amazon.nova-lite-v1:0"), turns=turns, **members)
    return json.loads(CONVERSE.encode_request(asked, losses)), [loss.where for loss in losses]


def user(*parts: Part) -> Turn:
    return Turn("user", parts)


def said(*parts: Part) -> Turn:
    return Turn("assistant", parts)


HI = user(Text("Hi"))


def test_a_plain_question() -> None:
    """System text, words, and the sampling that Converse knows; the model stands in the address."""
    sampling = Sampling(temperature=0.5, top_p=0.9, stop=("END", "\n"))
    made, lost = write(Turn("system", (Text("Be kind."),)), HI, sampling=sampling, limits=Limits(max_output_tokens=9))

    assert made == {
        "system": [{"text": "Be kind."}],
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
    }
    assert lost == ["$.stop"]


def test_a_round_of_tools() -> None:
    """Both results stand in the message after the calls, before whatever the user says then."""
    calls = (ToolCall("call_1", "f", ""), ToolCall("call 2!", "f", '{"a":1}'))
    results = (ToolResult("call 2!", (Text("two"),)), ToolResult("call_1", (Text("one"),), is_error=True))
    made, lost = write(HI, said(Text("Well"), *calls), Turn("tool", results), user(Text("And?")), tools=(TOOL,))
    asked, answered = made["messages"][1:]
    second = asked["content"][2]["toolUse"]["toolUseId"]

    assert asked["content"] == [
        {"text": "Well"},
        {"toolUse": {"toolUseId": "call_1", "name": "f", "input": {}}},
        {"toolUse": {"toolUseId": second, "name": "f", "input": {"a": 1}}},
    ]
    assert answered == {
        "role": "user",
        "content": [
            {"toolResult": {"toolUseId": "call_1", "content": [{"text": "one"}], "status": "error"}},
            {"toolResult": {"toolUseId": second, "content": [{"text": "two"}], "status": "success"}},
            {"text": "And?"},
        ],
    }
    assert second.replace("_", "").isalnum()
    assert lost == []


def test_a_call_that_nobody_answered_gets_an_answer() -> None:
    """Amazon refuses the whole conversation otherwise."""
    made, lost = write(HI, said(ToolCall("call_1", "gone", "{}")), user(Text("Never mind.")))

    assert made["messages"][2]["content"][0]["toolResult"]["status"] == "error"
    assert made["toolConfig"]["tools"][0]["toolSpec"]["name"] == "gone"
    assert lost == ["$.turns[1]"]


def test_a_result_without_a_call_is_told_in_words() -> None:
    made, lost = write(HI, said(Text("Yes")), Turn("tool", (ToolResult("lost", (Text("42"),), name="f"),)))

    assert made["messages"][2]["content"] == [{"text": "Result of the tool f:"}, {"text": "42"}]
    assert lost == ["$.turns[2].parts[0]"]


@pytest.mark.parametrize(
    ("choice", "made"),
    [
        (None, None),
        (AnyTool(), {"any": {}}),
        (Only(("f",)), {"tool": {"name": "f"}}),
        (Only(("f",), required=False), {"auto": {}}),
    ],
)
def test_choices_of_tools(choice: Any, made: Any) -> None:
    config = write(HI, tools=(TOOL,), tool_choice=choice)[0]["toolConfig"]
    spec = {"name": "f", "description": "what it does", "inputSchema": {"json": {"type": "object"}}}

    assert config["tools"] == [{"toolSpec": spec}]
    assert config.get("toolChoice") == made


def test_no_tool_means_no_tools() -> None:
    assert "toolConfig" not in write(HI, tools=(TOOL,), tool_choice=NoTool())[0]


def test_names_that_amazon_refuses_come_back_as_they_were() -> None:
    """In a whole answer and in a stream."""
    tool = Function("my.tool/" + "x" * 80, "", SCHEMA)
    asked = ChatRequest(model="m", turns=(HI,), tools=(tool,))
    body = json.loads(CONVERSE.encode_request(asked, []))
    name = body["toolConfig"]["tools"][0]["toolSpec"]["name"]
    use = {"toolUse": {"toolUseId": "t", "name": name, "input": {}}}
    answer = {"output": {"message": {"content": [use]}}, "stopReason": "tool_use"}
    reply = CONVERSE.decode_reply(json.dumps(answer).encode(), asked)

    assert len(name) <= 64
    assert reply.choices[0].parts == (ToolCall("t", tool.name, "{}"),)


def test_one_call_at_a_time() -> None:
    """Amazon cannot be told: the first call is passed on, and the answer says so."""
    asked = ChatRequest(model="m", turns=(HI,), tools=(TOOL,), parallel_tools=False)
    losses: Losses = []
    CONVERSE.encode_request(asked, losses)
    reader = CONVERSE.reader(asked)
    reply = fold([*reader.feed(STREAM), *reader.finish()])

    assert [(loss.kind, loss.where) for loss in losses] == [("approximated", "$.parallel_tool_calls")]
    assert [part.id for part in reply.choices[0].parts if isinstance(part, ToolCall)] == ["t1"]


def test_hosted_tools_are_a_loss() -> None:
    made, lost = write(HI, tools=(Hosted("openai_responses", "web_search", msgspec.Raw(b"{}")),))

    assert "toolConfig" not in made
    assert lost == ["$.tools[0]"]


def test_pictures_and_documents_are_bytes_with_a_format() -> None:
    """A document has a name of its own alphabet, and words beside it."""
    file = Media("file", Inline("JVBERi0xLjQ=", "application/pdf"), name="my_report (1).pdf")
    made, _ = write(user(Media("image", Inline(PNG, "image/png"))), said(Text("Nice.")), user(file))

    assert made["messages"][0]["content"] == [{"image": {"format": "png", "source": {"bytes": PNG}}}]
    assert made["messages"][2]["content"] == [
        {"text": "."},
        {"document": {"format": "pdf", "name": "my report (1) 1", "source": {"bytes": "JVBERi0xLjQ="}}},
    ]


@pytest.mark.parametrize(
    "medium",
    [
        Media("image", Url("https://example.com/a.png")),
        Media("audio", Inline("AAAA", "audio/wav")),
        Media("image", Inline("AAAA", "image/tiff")),
        Media("file", Inline("AAAA", "application/zip")),
    ],
)
def test_media_that_no_model_there_takes_are_refused(medium: Media) -> None:
    """With the place of it; the model would answer about something else."""
    with pytest.raises(InvalidRequest) as refused:
        write(user(medium))
    assert refused.value.param == "$.turns[0].parts[0]"


def test_thoughts_go_back_with_amazons_signature_only() -> None:
    own = Seal("bedrock_converse", msgspec.Raw(b'{"signature":"sig"}'))
    made, lost = write(HI, said(Thinking("Hm", own), Thinking("Foreign", Seal("anthropic", SCHEMA)), Text("Yes")), HI)

    assert made["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "sig"}}},
        {"text": "Yes"},
    ]
    assert lost == ["$.turns[1].parts[1]"]


def test_a_schema_is_enforced() -> None:
    made, lost = write(HI, output=JsonSchema("city", SCHEMA))
    form = {"name": "city", "schema": '{"type":"object"}'}

    assert made["outputConfig"] == {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": form}}}
    assert lost == []


@pytest.mark.parametrize(
    ("model", "effort", "own", "lost"),
    [
        (
            "us.amazon.nova-2-lite-v1:0",
            "xhigh",
            {"type": "enabled", "maxReasoningEffort": "high"},
            ["$.reasoning_effort"],
        ),
        ("us.amazon.nova-2-lite-v1:0", "none", {"type": "disabled"}, []),
        ("us.meta.llama4-v1:0", "low", None, ["$.reasoning_effort"]),
    ],
)
def test_efforts_are_told_in_the_makers_words(model: str, effort: str, own: Any, lost: list[str]) -> None:
    made, where = write(HI, model=model, reasoning=Reasoning(effort=effort))

    assert made.get("additionalModelRequestFields", {}).get("reasoningConfig") == own
    assert where == lost


def test_what_would_make_a_wrong_answer_is_refused() -> None:
    for members in ({"limits": Limits(choices=2)}, {"sampling": Sampling(logprobs=True)}, {"modalities": ("audio",)}):
        with pytest.raises(InvalidRequest):
            write(HI, **members)


def answered(**members: Any) -> bytes:
    return json.dumps({"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, **members}).encode()


def test_usage_does_not_overlap() -> None:
    """Pitfall 68: input leaves out what the cache read and wrote; what is kept an hour is told apart."""
    usage = {
        "inputTokens": 3,
        "outputTokens": 61,
        "cacheReadInputTokens": 2074,
        "cacheWriteInputTokens": 297,
        "cacheDetails": [{"inputTokens": 200, "ttl": "1h"}, {"inputTokens": 97, "ttl": "5m"}],
    }
    reply = CONVERSE.decode_reply(answered(stopReason="end_turn", usage=usage))

    assert reply.usage
    assert reply.usage.units == {
        Meter.INPUT: 3,
        Meter.OUTPUT: 61,
        Meter.INPUT_CACHED: 2074,
        Meter.CACHE_WRITE: 97,
        Meter.CACHE_WRITE_1H: 200,
    }


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("guardrail_intervened", "filtered"),
        ("content_filtered", "filtered"),
        ("malformed_tool_use", "error"),
        ("something_new", "stop"),
    ],
)
def test_ends(word: str, kind: str) -> None:
    assert CONVERSE.decode_reply(answered(stopReason=word)).choices[0].finish.kind == kind


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"<html>", b'{"output": 5}', b'{"message": "Too many", "output": 1}']
)
def test_what_is_no_answer_is_broken(body: bytes) -> None:
    with pytest.raises(Broken):
        CONVERSE.decode_reply(body)


def test_an_error_with_a_good_status_is_an_error() -> None:
    with pytest.raises(UpstreamError):
        CONVERSE.decode_reply(b'{"message": "The model is overloaded"}')


def event(name: str, **payload: Any) -> bytes:
    return encode_message({":event-type": name, ":message-type": "event"}, json.dumps(payload).encode())


def delta(index: int, **members: Any) -> bytes:
    return event("contentBlockDelta", contentBlockIndex=index, delta=members)


STREAM = b"".join(
    [
        event("messageStart", role="assistant", p="abc"),
        delta(0, reasoningContent={"text": "Hm"}),
        delta(0, reasoningContent={"signature": "sig"}),
        event("contentBlockStop", contentBlockIndex=0),
        delta(1, text="两"),
        delta(1, text="只猫"),
        event("contentBlockStop", contentBlockIndex=1),
        event("contentBlockStart", contentBlockIndex=2, start={"toolUse": {"toolUseId": "t1", "name": "f"}}),
        delta(2, toolUse={"input": '{"a"'}),
        delta(2, toolUse={"input": ":1}"}),
        event("contentBlockStop", contentBlockIndex=2),
        event("contentBlockStart", contentBlockIndex=3, start={"toolUse": {"toolUseId": "t2", "name": "g"}}),
        event("contentBlockStop", contentBlockIndex=3),
        event("messageStop", stopReason="tool_use"),
        event("metadata", usage={"inputTokens": 5, "outputTokens": 7}, metrics={}),
    ]
)


def read(*chunks: bytes) -> list[Event]:
    reader = CONVERSE.reader()
    return [one for chunk in chunks for one in reader.feed(chunk)] + reader.finish()


def test_a_stream_is_the_whole_answer() -> None:
    """Thoughts with their seal, words, calls with and without arguments, usage."""
    reply = fold(read(STREAM))

    assert reply.choices[0].parts == (
        Thinking("Hm", Seal("bedrock_converse", msgspec.Raw(b'{"signature":"sig"}'))),
        Text("两只猫"),
        ToolCall("t1", "f", '{"a":1}'),
        ToolCall("t2", "g", "{}"),
    )
    assert reply.choices[0].finish.kind == "tool_calls"
    assert reply.usage
    assert reply.usage.units == {Meter.INPUT: 5, Meter.OUTPUT: 7}


def test_where_a_stream_is_cut_makes_no_difference() -> None:
    whole = read(STREAM)

    assert [cut for cut in range(1, len(STREAM), 11) if read(STREAM[:cut], STREAM[cut:]) != whole] == []
    assert read(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == whole


@pytest.mark.parametrize("cut", [0, 10, len(STREAM) // 2])
def test_a_stream_that_breaks_off_failed(cut: int) -> None:
    assert isinstance(read(STREAM[:cut])[-1], Failed)


@pytest.mark.parametrize(
    ("name", "status"), [("throttlingException", 429), ("validationException", 400), ("internalServerException", 502)]
)
def test_an_exception_ends_a_stream(name: str, status: int) -> None:
    """As the same error answer would be; nothing after it is read."""
    headers = {":exception-type": name, ":message-type": "exception"}
    begun = event("messageStart", role="assistant", p="abc")
    events = read(begun, encode_message(headers, b"{}"), STREAM)

    assert isinstance(events[-1], Failed)
    assert events[-1].status == status
    assert sum(isinstance(one, Failed) for one in events) == 1


RECORDED = [json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("bedrock.bedrock-converse.*.json"))]


@needs_corpus
def test_recorded_answers_are_read() -> None:
    """Everything that Amazon counted is in the meters, and nothing that was said is left over."""
    whole = [told for told in RECORDED if told["status"] == 200 and not told["stream"]]
    for told in whole:
        answer = json.loads(told["response_body"])
        reply = CONVERSE.decode_reply(told["response_body"].encode())
        texts = [block["text"] for block in answer["output"]["message"]["content"] if block.get("text")]

        assert reply.usage
        assert sum(reply.usage.units.values()) == answer["usage"]["totalTokens"]
        assert [part.text for part in reply.choices[0].parts if isinstance(part, Text)] == texts
        assert (reply.choices[0].finish.kind == "tool_calls") == (answer["stopReason"] == "tool_use")
    assert len(whole) > 50


@needs_corpus
def test_recorded_streams_are_read() -> None:
    streams = [told for told in RECORDED if "response_body_base64" in told]
    for told in streams:
        body = base64.b64decode(told["response_body_base64"])
        lines = [json.loads(line)["payload"] for line in told["response_body"].splitlines()]
        words = "".join(line.get("delta", {}).get("text", "") for line in lines)
        reply = fold(read(body))

        assert "".join(part.text for part in reply.choices[0].parts if isinstance(part, Text)) == words
        assert reply.usage
        assert sum(reply.usage.units.values()) == lines[-1]["usage"]["totalTokens"]
        assert read(*(body[at : at + 1] for at in range(len(body)))) == read(body)
    assert streams


@needs_corpus
def test_recorded_errors_are_sorted() -> None:
    for told in (told for told in RECORDED if told["status"] >= 400):
        error: HubError = CONVERSE.decode_error(told["status"], {}, told["response_body"].encode())

        assert isinstance(error, UpstreamError)
