import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.corpus import Recording, name_of, needs_corpus, recordings
from yibu.dialects import chat_dialects
from yibu.dialects.openai_chat import OpenAIChat
from yibu.dialects.openai_chat.sniff import Bounds
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Loss, Losses
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.options import JsonSchema, Limits, Reasoning, Streaming
from yibu.hub.parts import Media, Refusal, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import Function, Hosted, Only

CHAT = OpenAIChat()
HI = [{"role": "user", "content": "hi"}]
ASKED = [taken for taken in recordings("openai-chat") if taken.request]


def body(**members: Any) -> bytes:
    return json.dumps({"model": "m", "messages": HI, **members}).encode()


def decode(**members: Any) -> ChatRequest:
    return CHAT.decode_request(body(**members))


def turn(message: dict[str, Any]) -> Turn:
    return decode(messages=[message]).turns[0]


def again(request: ChatRequest, losses: Losses | None = None) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(CHAT.encode_request(request, [] if losses is None else losses))
    return told


def normal(value: Any) -> Any:
    """The documented normalisations: null, empty `tool_calls` and empty descriptions are no members."""
    if isinstance(value, list):
        return [normal(item) for item in value]
    if not isinstance(value, dict):
        return value
    gone = {("tool_calls", "[]"), ("description", '""'), ("tools", "[]")}
    return {k: normal(v) for k, v in value.items() if v is not None and (k, json.dumps(v)) not in gone}


def normal_request(request: dict[str, Any]) -> dict[str, Any]:
    """Also: what says the default is left out, `stop` is a list, a tool has its type."""
    found: dict[str, Any] = normal(request)
    if found.get("stream") is False:
        del found["stream"]
    if found.get("response_format") == {"type": "text"}:
        del found["response_format"]
    if isinstance(found.get("stop"), str):
        found["stop"] = [found["stop"]]
    for tool in found.get("tools", []):
        if "function" in tool:
            tool.setdefault("type", "function")
    return found


@needs_corpus
@pytest.mark.parametrize("taken", ASKED, ids=name_of)
def test_recorded_requests_come_back(taken: Recording) -> None:
    """Decoding and encoding a recorded request gives the same JSON, without a loss."""
    losses: Losses = []
    request = CHAT.decode_request(taken.asked)

    assert normal_request(again(request, losses)) == normal_request(taken.request or {})
    assert losses == []
    assert CHAT.decode_request(CHAT.encode_request(request, [])).turns == request.turns


@needs_corpus
@pytest.mark.parametrize("taken", ASKED, ids=name_of)
def test_recorded_requests_are_sniffed(taken: Recording) -> None:
    """The sniff sees what the full decoding sees."""
    intent = CHAT.sniff(taken.asked)
    request = CHAT.decode_request(taken.asked)
    media = [part for one in request.turns for part in one.parts if isinstance(part, Media)]

    assert (intent.model, intent.is_stream) == (request.model, request.stream.on)
    assert intent.max_output_tokens == request.limits.max_output_tokens
    assert intent.media >= len([part for part in media if not isinstance(part.source, FileRef)])
    assert intent.has_remote_media == any(part.kind == "image" and isinstance(part.source, Url) for part in media)
    inline = sum(len(part.source.base64) for part in media if isinstance(part.source, Inline))
    assert intent.text_bytes == len(taken.asked) - inline


EVERY_MEMBER: dict[str, Any] = {
    "model": "gpt-x",
    "messages": [
        {
            "role": "developer",
            "content": [{"type": "text", "text": "be brief", "prompt_cache_breakpoint": {"mode": "explicit"}}],
        },
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "image_url", "image_url": {"url": "https://a.example/x.png", "detail": "high", "future": 1}},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,AAAA"},
                    "cache_control": {"type": "ephemeral"},
                },
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "video_url", "video_url": {"url": "https://a.example/x.mp4"}},
                {"type": "document_url", "document_url": "https://a.example/x.pdf"},
            ],
        },
        {
            "role": "assistant",
            "content": "calling",
            "refusal": "no",
            "reasoning_content": "hm",
            "prefix": True,
            "audio": {"id": "audio_1"},
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{bad"}, "index": 0},
                {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "select 1"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "1", "name": "f"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "2"}], "cache_control": {}},
        {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}]},
        {
            "role": "assistant",
            "content": "",
            "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "s"}],
        },
    ],
    "stream": True,
    "stream_options": {"include_usage": True, "include_obfuscation": False},
    "max_completion_tokens": 10,
    "max_tokens": 9,
    "temperature": 0.5,
    "top_p": 1,
    "n": 2,
    "stop": ["a", "b"],
    "presence_penalty": -1,
    "frequency_penalty": 2,
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "top_logprobs": 3,
    "seed": 7,
    "tools": [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True, "x": 1},
        },
        {"type": "custom", "custom": {"name": "g", "description": "d", "format": {"type": "text"}}},
        {"type": "openrouter:web_search", "parameters": {"max_uses": 1}},
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "auto",
            "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "g"}}],
        },
    },
    "parallel_tool_calls": False,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": True},
    },
    "reasoning_effort": "low",
    "verbosity": "low",
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "mp3"},
    "prediction": {"type": "content", "content": "x"},
    "web_search_options": {"search_context_size": "low"},
    "store": True,
    "metadata": {"a": "b"},
    "service_tier": "flex",
    "prompt_cache_key": "k",
    "safety_identifier": "u",
    "user": "u",
    "thinking": {"type": "enabled"},
}


def test_every_member_comes_back() -> None:
    """Every member of the reference, known to the hub or not, survives decoding and encoding."""
    assert again(CHAT.decode_request(json.dumps(EVERY_MEMBER).encode())) == EVERY_MEMBER


@pytest.mark.parametrize(
    "members",
    [
        {"functions": [{"name": "f", "description": "d", "parameters": {}, "y": 1}], "function_call": {"name": "f"}},
        {"functions": [{"name": "f"}], "function_call": "none"},
        {"tool_choice": "any", "tools": [{"type": "function", "function": {"name": "f"}}]},
        {"tool_choice": {"type": "web_search"}},
        {"max_tokens": 5},
        {"top_k": 3},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "grammar", "grammar": "x"}},
        {"reasoning": {"effort": "high", "exclude": True, "enabled": True}},
        {"reasoning": {"max_tokens": 100}, "reasoning_effort": "low"},
        {"reasoning": "odd"},
        {"messages": [{"role": "assistant", "content": "x", "reasoning": "a", "reasoning_content": "b"}]},
        {"messages": [{"role": "assistant", "content": "x", "reasoning": "a", "reasoning_content": "a"}]},
        {"messages": [{"role": "assistant", "content": "x", "reasoning_content": ""}]},
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}], "closed": True}],
                }
            ]
        },
        {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}]}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg/>"}}]}
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "input_audio", "input_audio": {"data": "https://a.example/a.wav"}}],
                }
            ]
        },
        {"messages": [{"role": "user", "content": []}]},
        {
            "messages": [
                {"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": "{}"}},
                {"role": "function", "name": "f", "content": "1"},
            ]
        },
    ],
    ids=lambda members: json.dumps(members)[:60],
)
def test_rare_forms_come_back(members: dict[str, Any]) -> None:
    """Legacy members, vendors' own words and odd forms survive as they were."""
    assert normal(again(decode(**members))) == {"model": "m", "messages": HI, **members}


def test_meaning_of_parts() -> None:
    """Media, thoughts, calls and results become the hub's."""
    turns = CHAT.decode_request(json.dumps(EVERY_MEMBER).encode()).turns

    assert turns[1].parts[1].source == Inline(base64="AAAA", mime="image/png")  # type: ignore[union-attr]
    assert [type(part) for part in turns[1].parts] == [Media] * 7
    assert [type(part) for part in turns[2].parts] == [Thinking, Text, Refusal, Media, ToolCall, ToolCall]
    assert turns[3].parts == (ToolResult(call_id="c1", parts=(Text("1"),), name="f"),)
    assert turns[5].is_list
    assert isinstance(turns[6].parts[0], Thinking)
    assert turns[6].parts[0].text == "t"


def test_meaning_of_options() -> None:
    """The newer name of the ceiling wins; a hosted tool and a list of allowed tools are told apart from functions."""
    request = CHAT.decode_request(json.dumps(EVERY_MEMBER).encode())

    assert request.limits == Limits(max_output_tokens=10, choices=2)
    assert request.tool_choice == Only(names=("f", "g"), required=False, is_list=True)
    assert [type(tool) for tool in request.tools] == [Function, Function, Hosted, Hosted]
    assert isinstance(request.output, JsonSchema)
    assert request.reasoning == Reasoning(effort="low")
    assert request.stream.on


def test_legacy_calls_have_ids() -> None:
    """A legacy call and its result get the same made-up id, which other dialects need."""
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    first, second = decode(messages=[call, {"role": "function", "name": "f", "content": "1"}]).turns

    assert first.parts[0].id == second.parts[0].call_id != ""  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "param"),
    [
        (b'{"model":"m","messages":[{"role":1}]}', "$.messages[0].role"),
        (b'{"model":"m","messages":[{"content":"x"}]}', "$.messages[0].role"),
        (b'{"model":"m","messages":[]}', "$.messages"),
        (b'{"model":"m","messages":{}}', "$.messages"),
        (b'{"model":"m","messages":[1]}', "$.messages[0]"),
        (b'{"model":"","messages":[{"role":"user","content":"x"}]}', "$.model"),
        (b'{"messages":[{"role":"user","content":"x"}]}', "$.model"),
        (b'{"model":"m","messages":[{"role":"user","content":5}]}', "$.messages[0].content"),
        (b'{"model":"m","messages":[{"role":"user","content":["x"]}]}', "$.messages[0].content[0]"),
        (b'{"model":"m","messages":[{"role":"user","content":"x"}],"stream":"yes"}', "$.stream"),
        (b'{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":0}', "$.max_tokens"),
        (b'{"model":"m","messages":[{"role":"user","content":"x"}],"n":129}', "$.n"),
        (
            b'{"model":"m","messages":[{"role":"user","content":"x"}],"stream_options":{"include_usage":1}}',
            "$.stream_options.include_usage",
        ),
        (b"[]", "$"),
        (b'"x"', "$"),
    ],
)
def test_wrong_member_is_named(text: bytes, param: str) -> None:
    """Wrong input is told with the path of the wrong member, by the sniff and by the full decoding alike."""
    for reading in (CHAT.sniff, CHAT.decode_request):
        with pytest.raises(InvalidRequest) as caught:
            reading(text)

        assert caught.value.param == param
        assert caught.value.code == "invalid_request"


def test_words_of_a_wrong_type() -> None:
    """The message has the decoder's own words."""
    with pytest.raises(InvalidRequest, match="Expected `str`, got `int`"):
        CHAT.sniff(b'{"model":"m","messages":[{"role":1}]}')


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"  ",
        b"not json",
        b"\xff\xfe",
        b'{"model":"\xff","messages":[]}',
        b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}',
        b'{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":NaN}',
        b'{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":' + b"9" * 5000 + b"}",
        b'{"model":"m","messages":[{"role":"user","content":"x"}],"x":' + b"[" * 10000 + b"]" * 10000 + b"}",
        b'{"x":' * 10000 + b"1" + b"}" * 10000,
        b"[" * 100000,
        b'{"model":"m","messages":[{"role":"tool","content":"x"}],"tools":[{"type":"function"}]}'[:-1],
    ],
    ids=lambda text: repr(text[:60]),
)
def test_nonsense_is_an_invalid_request(text: bytes) -> None:
    """Whatever is wrong with a body, it is the caller's mistake and never a fault here."""
    for reading in (CHAT.sniff, CHAT.decode_request):
        with pytest.raises(InvalidRequest):
            reading(text)


def test_huge_numbers_are_refused_or_carried() -> None:
    """A number too large for a member that is understood is refused; in one that is not it goes through untouched."""
    with pytest.raises(InvalidRequest):
        decode(seed=10**30)
    with pytest.raises(InvalidRequest):
        CHAT.decode_request(body(temperature=5).replace(b"5", b"1e999"))

    assert json.loads(CHAT.encode_request(decode(future=10**30), []))["future"] == 10**30


@given(st.binary(max_size=200))
@example(b'{"model":"m","messages":[{"role":"tool","content":"x"}]}')
def test_any_bytes(text: bytes) -> None:
    """Any bytes are a request or an InvalidRequest."""
    for reading in (CHAT.sniff, CHAT.decode_request):
        with suppress(InvalidRequest):
            reading(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(sorted({*EVERY_MEMBER, "functions", "function_call", "reasoning", "top_k"}))


@given(st.dictionaries(KEYS, JSON, max_size=5), st.dictionaries(KEYS, JSON, max_size=2))
def test_any_json(members: dict[str, Any], message: dict[str, Any]) -> None:
    """Members of any type are a request or an InvalidRequest; a request can always be written again."""
    text = json.dumps({"model": "m", "messages": [{"role": "assistant", **message}], **members}).encode()
    try:
        CHAT.sniff(text)
        request = CHAT.decode_request(text)
    except InvalidRequest:
        return
    CHAT.encode_request(request, [])


@given(st.integers(1, 60), st.integers(1, 60))
def test_depth_is_measured_exactly(depth: int, limit: int) -> None:
    """Brackets in strings do not count, and neither kind of bracket hides the other."""
    chat = OpenAIChat(Bounds(depth=limit))
    inner = '"}]\\\\\\"]}"'
    for level in range(depth - 1):
        inner = f"[[],{inner}]" if level % 2 else f'{{"a":{{}},"\\"{{":{inner}}}'
    text = f'{{"model":"m","messages":[{{"role":"user","content":"x"}}],"x":{inner}}}'.encode()
    nested = max(depth, depth + 1 if depth > 1 else 1, 2)
    if nested <= limit:
        assert chat.sniff(text).model == "m"
    else:
        with pytest.raises(InvalidRequest):
            chat.sniff(text)


def test_bounds() -> None:
    """Too many messages or tools are refused."""
    chat = OpenAIChat(Bounds(messages=2, tools=1))
    tool = {"type": "function", "function": {"name": "f"}}

    with pytest.raises(InvalidRequest, match="more than 2 messages"):
        chat.sniff(body(messages=HI * 3))
    with pytest.raises(InvalidRequest, match="more than 1 tools"):
        chat.decode_request(body(tools=[tool, tool]))


def test_what_the_sniff_tells() -> None:
    """Ceilings, wishes and the size without inline media are known before the plan is made."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1000}}
    sound = {"type": "input_audio", "input_audio": {"data": "B" * 500, "format": "wav"}}
    remote = {"type": "image_url", "image_url": {"url": "http://a.example/x.png"}}
    text = body(
        messages=[{"role": "user", "content": [picture, sound, remote, {"type": "text", "text": "x"}]}],
        stream=True,
        stream_options={"include_usage": True},
        max_tokens=5,
        max_completion_tokens=7,
        n=3,
    )
    intent = CHAT.sniff(text)

    assert (intent.model, intent.is_stream, intent.wants_usage) == ("m", True, True)
    assert (intent.max_output_tokens, intent.choices) == (7, 3)
    assert (intent.media, intent.has_remote_media) == (3, True)
    assert intent.text_bytes == len(text) - 1500
    assert intent.body is text


def test_lead_stays_the_same_in_a_conversation() -> None:
    """The lead does not change as turns are added, and differs between conversations."""
    later = [*HI, {"role": "assistant", "content": "hello"}, {"role": "user", "content": "and?"}]
    lead = CHAT.sniff(body()).lead

    assert CHAT.sniff(body(messages=later)).lead == lead
    assert CHAT.sniff(body(messages=[{"role": "user", "content": "other"}])).lead != lead
    assert CHAT.sniff(body(prompt_cache_key="k")).lead != lead


def test_splice() -> None:
    """Only the model and the wish for usage change; order and unknown members stay."""
    text = b'{"zz":1.10,"model":"m","messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"a":1}}'
    spliced = CHAT.splice(CHAT.sniff(text), "up")

    assert spliced == text.replace(b'"m"', b'"up"').replace(b'{"a":1}', b'{"a":1,"include_usage":true}')


def test_splice_without_a_change() -> None:
    """The very same bytes go on when there is nothing to change."""
    text = body()

    assert CHAT.splice(CHAT.sniff(text), "m") is text
    assert json.loads(CHAT.splice(CHAT.sniff(body(stream=True)), "m"))["stream_options"] == {"include_usage": True}


def test_what_comes_from_another_dialect() -> None:
    """Foreign extras, seals and hosted tools are losses; pictures of a tool follow in a message of the user."""
    seal = Seal(dialect="anthropic", data=msgspec.Raw(b'"sig"'))
    picture = Media(kind="image", source=Inline(base64="AA", mime="image/png"))
    request = ChatRequest(
        model="m",
        turns=(
            Turn("assistant", (Thinking("hm", seal=seal), ToolCall("c1", "f", "{}"), ToolCall("c2", "f", "{}"))),
            Turn("tool", (ToolResult("c1", (Text("see"), picture)), ToolResult("c2", (Text("bad"),), is_error=True))),
            Turn("user", (Text("go on"),)),
        ),
        tools=(Hosted(dialect="anthropic", kind="web_search", data=msgspec.Raw(b"{}")),),
        stream=Streaming(on=True),
        dialect="anthropic",
        extras={"container": msgspec.Raw(b'"x"')},
    )
    losses: Losses = []
    messages = again(request, losses)["messages"]

    assert [message["role"] for message in messages] == ["assistant", "tool", "tool", "user", "user"]
    assert messages[0]["reasoning_content"] == "hm"
    assert messages[2]["content"] == "Error: bad"
    assert messages[3]["content"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    assert Loss("dropped", "$.container") in losses
    assert {loss.kind for loss in losses} == {"dropped", "approximated"}
    assert len(losses) == 5


@pytest.mark.parametrize(
    ("dialect", "member", "tool"),
    [
        ("openai_responses", "tools", {"type": "web_search"}),
        ("anthropic", "tools", {"type": "web_search_20250305", "name": "web_search"}),
        ("gemini", "tools", {"googleSearch": {}}),
    ],
)
def test_a_search_of_the_web_is_a_tool_of_the_vendor_elsewhere(dialect: str, member: str, tool: Any) -> None:
    """`web_search_options` is answered by the vendor's own search, without the options, which is declared."""
    losses: Losses = []
    request = decode(web_search_options={"search_context_size": "low"})
    made = json.loads(chat_dialects()[dialect].encode_request(request, losses))

    assert made[member] == [tool]
    assert [(loss.kind, loss.where) for loss in losses if "tools" in loss.where] == [("approximated", "$.tools[0]")]


@pytest.mark.parametrize(
    ("model", "options", "kind"),
    [
        ("gpt-5-search-api", {}, "approximated"),
        ("gpt-4o-search-preview", {}, "approximated"),
        ("gpt-5", None, "dropped"),
    ],
)
def test_a_search_from_elsewhere(model: str, options: Any, kind: str) -> None:
    """Only models that search the web take the member; others would refuse the whole request."""
    tool = Hosted(dialect="anthropic", kind="web_search", data=msgspec.Raw(b'{"type":"web_search_20250305"}'))
    turns = (Turn("user", (Text("hi"),)),)
    losses: Losses = []
    made = again(ChatRequest(model=model, turns=turns, tools=(tool,), dialect="anthropic"), losses)

    assert made.get("web_search_options") == options
    assert "tools" not in made
    assert [(loss.kind, loss.where) for loss in losses] == [(kind, "$.tools[0]")]


def test_a_plain_turn_is_a_string() -> None:
    """One text is written as a string, which every vendor takes; a list stays a list."""
    assert again(decode())["messages"][0]["content"] == "hi"
    assert turn({"role": "user", "content": [{"type": "text", "text": "hi"}]}).is_list
