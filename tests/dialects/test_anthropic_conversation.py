"""Conversations of other formats, put into the order that Anthropic demands.

The numbers are those of the list of known mistakes of other gateways.
"""

import json
import re
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import Recording, name_of, needs_corpus, recordings
from yibu.dialects import chat_dialects
from yibu.dialects.anthropic import DIALECT
from yibu.hub.chat import ChatRequest, Role, Turn
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.media import FileRef, Inline, Url
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import Function

SONNET, OPUS = "claude-sonnet-4-5", "claude-opus-4-8"
CHAT = chat_dialects()["openai_chat"]
SIGNED = Seal("anthropic", msgspec.Raw(b'{"signature":"EqQB"}'))
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
PDF = "JVBERi0xLjQK"


def turn(role: Role, *parts: Part | str, **members: Any) -> Turn:
    return Turn(role, tuple(Text(part) if isinstance(part, str) else part for part in parts), **members)


def call(id: str = "call_1", name: str = "f", arguments: str = "{}") -> ToolCall:
    return ToolCall(id, name, arguments)


def result(id: str = "call_1", text: str = "18") -> Turn:
    return Turn("tool", (ToolResult(id, (Text(text),)),))


def written(*turns: Turn, model: str = SONNET, losses: Losses | None = None, **members: Any) -> dict[str, Any]:
    request = ChatRequest(model=model, turns=turns, **members)
    made: dict[str, Any] = json.loads(DIALECT.encode_request(request, [] if losses is None else losses))
    check(made)
    return made


def check(made: dict[str, Any]) -> None:
    """What Anthropic would answer 400 to."""
    messages = made["messages"]
    assert messages[0]["role"] == "user"
    assert all(one["role"] != two["role"] for one, two in pairwise(messages))
    seen: set[str] = set()
    waiting: list[str] = []
    for message in messages:
        content = message["content"]
        assert content
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        assert all(block["text"].strip() for block in blocks if block["type"] == "text")
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        assert results == waiting
        assert all(block["type"] == "tool_result" for block in blocks[: len(results)])
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", id) for id in waiting)
        assert not seen & set(waiting)
        assert len(set(waiting)) == len(waiting)
        assert all(isinstance(block["input"], dict) for block in blocks if block["type"] == "tool_use")
        assert message["role"] == "assistant" or not waiting
        seen |= set(waiting)
    assert not waiting
    if seen:
        assert made["tools"]
    for tool in made.get("tools", ()):
        if "input_schema" in tool:
            assert re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool["name"])
            assert tool["input_schema"]["type"] == "object"
            assert not {"anyOf", "oneOf", "allOf"} & set(tool["input_schema"])
    if "tool_choice" in made:
        assert made["tools"]
    thinking = made.get("thinking", {})
    if thinking.get("type") == "enabled":
        assert 1024 <= thinking["budget_tokens"] < made["max_tokens"]
        assert made.get("tool_choice", {}).get("type") not in ("any", "tool")
        assert "temperature" not in made
        assert "top_k" not in made
        assert messages[-1]["role"] == "user"
    assert not {"temperature", "top_p"} <= set(made) or "4-5" not in made["model"]
    assert all(stop.strip() for stop in made.get("stop_sequences", ()))


@needs_corpus
@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "gemini"])
@pytest.mark.parametrize("model", [SONNET, OPUS, "claude-3-5-haiku-20241022", "MiniMax-M2"])
def test_recorded_requests_of_other_formats_are_in_order(dialect: str, model: str) -> None:
    """Whatever was really asked of other vendors makes a request that Anthropic takes, or is refused with a reason."""
    codec = chat_dialects().get(dialect)
    for taken in recordings(dialect) if codec else ():
        if not taken.request or codec is None:
            continue
        try:
            request = codec.decode_request(taken.asked)
            made = DIALECT.encode_request(msgspec.structs.replace(request, model=model), [])
        except InvalidRequest:
            continue
        check(json.loads(made))


WORDS = st.sampled_from(["", " ", "a", "b\n"])
IDS = st.sampled_from(["call_0", "call_1", "", "ü id", "x" * 90])
PARTS = st.one_of(
    st.builds(Text, WORDS),
    st.builds(Refusal, WORDS),
    st.builds(Thinking, WORDS, st.none() | st.just(SIGNED)),
    st.builds(
        ToolCall, IDS, st.sampled_from(["f", "näme.with/odd", "y" * 200]), st.sampled_from(["", "{}", "[1]", "{cut"])
    ),
    st.builds(Citation, st.just("https://a.example")),
    st.just(Opaque("openai_chat", msgspec.Raw(b"{}"))),
)
RESULTS = st.builds(ToolResult, IDS, st.tuples(st.builds(Text, WORDS)) | st.just(()), is_error=st.booleans())
TURNS = st.one_of(
    st.builds(
        Turn, st.sampled_from(["system", "developer", "user"]), st.lists(st.builds(Text, WORDS), max_size=2).map(tuple)
    ),
    st.builds(Turn, st.just("assistant"), st.lists(PARTS, max_size=4).map(tuple)),
    st.builds(Turn, st.just("tool"), st.lists(RESULTS, max_size=3).map(tuple)),
)


@given(turns=st.lists(TURNS, max_size=8).map(tuple), model=st.sampled_from([SONNET, OPUS]))
def test_any_conversation_is_put_in_order(turns: tuple[Turn, ...], model: str) -> None:
    """However turns, calls and results are mixed up, what goes out keeps every rule."""
    written(*turns, model=model)


def test_system_texts_at_the_head() -> None:
    """They are one text, or blocks where one of them has a cache mark."""
    plain = written(turn("system", "a"), turn("developer", "b"), turn("user", "x"))
    marked = written(turn("system", Text("a", cache="1h"), "b"), turn("user", "x"))

    assert plain["system"] == "a\n\nb"
    assert marked["system"] == [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "b"},
    ]


def test_system_text_in_the_middle_stays_there() -> None:
    """Pitfalls 53, 54: as such where the model takes it, else in the user's turn; never moved to the top."""
    turns = (turn("user", "x"), turn("assistant", "y"), turn("user", "z"), turn("system", "S"))
    losses: Losses = []
    new, old = written(*turns, model=OPUS), written(*turns, losses=losses)

    assert new["messages"][-1] == {"role": "system", "content": "S"}
    assert old["messages"][-1]["content"][1]["text"] == "<system-reminder>\nS\n</system-reminder>"
    assert "system" not in new
    assert "system" not in old
    assert [loss.kind for loss in losses] == ["approximated"]


def test_system_text_before_more_of_the_user() -> None:
    """Where it does not stand between user and assistant, every model gets it in the user's turn."""
    made = written(turn("user", "x"), turn("system", "S"), turn("user", "z"), model=OPUS)

    assert [message["role"] for message in made["messages"]] == ["user"]


def test_neighbours_of_one_role_are_one_message() -> None:
    made = written(
        turn("user", "a"), turn("user", "b"), turn("assistant", "c"), turn("assistant", "d"), turn("user", "e")
    )

    assert [len(message["content"]) for message in made["messages"]] == [2, 2, 1]


def test_empty_texts_are_left_out() -> None:
    """Pitfall 51: blank text beside calls, and turns of nothing."""
    made = written(
        turn("user", "a"), turn("assistant", "", call()), result(), turn("assistant", " \n"), turn("user", "b")
    )

    assert [block["type"] for block in made["messages"][1]["content"]] == ["tool_use"]
    assert len(made["messages"]) == 3


def test_first_turn_is_the_users() -> None:
    assert written(turn("assistant", "hi"), turn("user", "x"))["messages"][0] == {"role": "user", "content": "."}


def test_only_a_system_text() -> None:
    """A request without any turn is still one."""
    assert written(turn("system", "S"))["messages"] == [{"role": "user", "content": "."}]


def test_last_turn_of_the_assistant() -> None:
    """Pitfall 52: blanks at its end are refused, and newer models refuse it altogether."""
    losses: Losses = []
    old = written(turn("user", "x"), turn("assistant", "Once upon \n"))
    new = written(turn("user", "x"), turn("assistant", "Once upon"), model=OPUS, losses=losses)

    assert old["messages"][-1] == {"role": "assistant", "content": "Once upon"}
    assert new["messages"][-1]["role"] == "user"
    assert len(losses) == 1


def test_results_of_parallel_calls() -> None:
    """Pitfalls 35, 36: all in the one next message, in the order of the calls, before any text."""
    made = written(
        turn("user", "x"),
        turn("assistant", call("a"), call("b")),
        turn("user", "between"),
        result("b", "2"),
        result("a", "1"),
        turn("user", "after"),
    )
    answer = made["messages"][2]["content"]

    assert [block.get("tool_use_id", block.get("text")) for block in answer] == ["a", "b", "between", "after"]


def test_calls_over_several_turns_of_the_assistant() -> None:
    """Calls that another format tells one by one are one turn."""
    made = written(
        turn("user", "x"), turn("assistant", call("a")), turn("assistant", call("b")), result("a"), result("b")
    )

    assert [len(message["content"]) for message in made["messages"]] == [1, 2, 2]


def test_missing_result() -> None:
    """Pitfall 35: an empty one stands in, marked as an error; the loss says so."""
    losses: Losses = []
    made = written(turn("user", "x"), turn("assistant", call("a")), turn("user", "never mind"), losses=losses)
    first = made["messages"][2]["content"][0]

    assert (first["tool_use_id"], first["is_error"]) == ("a", True)
    assert any("has no result" in loss.detail for loss in losses)


def test_result_without_a_call() -> None:
    """It is told as the user's words."""
    made = written(turn("user", "x"), result("nobody", "18"))

    assert [block["text"] for block in made["messages"][0]["content"]] == ["x", "Result of the tool nobody:", "18"]


def test_ids_that_begin_again() -> None:
    """Pitfall 41: a model that says `call_0` in every turn gets each result to its own call."""
    made = written(
        turn("user", "x"),
        turn("assistant", call("call_0")),
        result("call_0", "first"),
        turn("assistant", call("call_0")),
        result("call_0", "second"),
    )
    results = [made["messages"][number]["content"][0] for number in (2, 4)]

    assert [(one["tool_use_id"], one["content"]) for one in results] == [("call_0", "first"), ("call_0_2", "second")]


def test_ids_of_other_alphabets() -> None:
    """Call and result get the same legal id, the same every time."""
    turns = (turn("user", "x"), turn("assistant", call("id mit Ümlaut")), result("id mit Ümlaut"))
    one, two = written(*turns), written(*turns)

    assert one == two
    assert one["messages"][1]["content"][0]["id"] == one["messages"][2]["content"][0]["tool_use_id"]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ("", {}),
        ("  ", {}),
        ("null", {}),
        ('{"a": 1}', {"a": 1}),
        ("[1]", {"value": [1]}),
        ('"x"', {"value": "x"}),
        ('{"a": "cu', {"_raw": '{"a": "cu'}),
        ('{"a": NaN}', {"_raw": '{"a": NaN}'}),
    ],
)
def test_arguments_are_an_object(arguments: str, meant: Any) -> None:
    """Pitfalls 33, 34: whatever a model wrote."""
    made = written(turn("user", "x"), turn("assistant", call(arguments=arguments)), result())

    assert made["messages"][1]["content"][0]["input"] == meant


def test_pictures_that_a_tool_returned() -> None:
    """Pitfall 55: they stay inside the result."""
    shown = ToolResult("call_1", (Text("see"), Media("image", Inline(PNG, "image/png"))))
    made = written(turn("user", "x"), turn("assistant", call()), Turn("tool", (shown,)))

    assert [block["type"] for block in made["messages"][2]["content"][0]["content"]] == ["text", "image"]


def test_result_of_nothing() -> None:
    made = written(turn("user", "x"), turn("assistant", call()), Turn("tool", (ToolResult("call_1", ()),)))

    assert made["messages"][2]["content"][0]["content"] == ""


def test_calls_without_tools() -> None:
    """Messages with calls need their tools: they are told by name, and not to be called."""
    made = written(turn("user", "x"), turn("assistant", call()), result(), turn("assistant", "done"), turn("user", "y"))

    assert [tool["name"] for tool in made["tools"]] == ["f"]
    assert made["tool_choice"] == {"type": "none"}


def test_signed_thoughts_go_back() -> None:
    """Pitfall 23: Anthropic's own thoughts come back whole and first, whatever format they travelled through."""
    redacted = Seal("anthropic", msgspec.Raw(b'{"data":"EpQC"}'))
    made = written(
        turn("user", "x"), turn("assistant", Thinking("hm", SIGNED), Thinking("", redacted), call()), result()
    )

    assert made["messages"][1]["content"][:2] == [
        {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "EpQC"},
    ]


@pytest.mark.parametrize("seal", [None, Seal("gemini", msgspec.Raw(b'"x"')), Seal("anthropic", msgspec.Raw(b"[]"))])
def test_thoughts_that_anthropic_did_not_sign(seal: Seal | None) -> None:
    """Pitfall 83: they are left out with a loss, never sent with an invented signature."""
    losses: Losses = []
    made = written(turn("user", "x"), turn("assistant", Thinking("hm", seal), "y"), turn("user", "z"), losses=losses)

    assert made["messages"][1]["content"] == "y"
    assert [loss.kind for loss in losses] == ["dropped"]


def test_seal_of_a_call() -> None:
    """What another vendor put on a call is a loss."""
    losses: Losses = []
    sealed = ToolCall("call_1", "f", "{}", seal=Seal("gemini", msgspec.Raw(b'"x"')))
    written(turn("user", "x"), turn("assistant", sealed), result(), losses=losses, tools=(Function("f"),))

    assert [loss.where for loss in losses] == ["$.messages[1].content[0].seal"]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            Media("image", Url("https://a.example/b.png")),
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
        ),
        (
            Media("image", Inline(PNG, "image/jpeg")),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ),
        (
            Media("image", Inline(f"{PNG[:9]}\n{PNG[9:]}", "")),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        ),
        (
            Media("image", Inline("AAAA", "image/jpg")),
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"}},
        ),
        (
            Media("image", Inline("UklGRgAAAABXRUJQVlA4", "")),
            {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "UklGRgAAAABXRUJQVlA4"}},
        ),
        (
            Media("file", Inline(PDF, ""), name="a.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                "title": "a.pdf",
            },
        ),
        (
            Media("file", Inline("eyJhIjoxfQ==", "application/json")),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": '{"a":1}'}},
        ),
        (
            Media("file", Url("https://a.example/b.pdf")),
            {"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}},
        ),
    ],
)
def test_media_of_other_formats(part: Media, block: dict[str, Any]) -> None:
    """Pitfall 57: pictures and documents, with the type that their bytes have."""
    assert written(turn("user", part))["messages"][0]["content"] == [block]


@pytest.mark.parametrize(
    "part",
    [
        Media("audio", Inline("AAAA", "audio/wav")),
        Media("video", Url("https://a.example/b.mp4")),
        Media("image", Inline("Qk0=", "image/bmp")),
        Media("image", FileRef("file-1")),
        Media("file", FileRef("file-1")),
        Media("file", Inline("UEsDBA==", "application/zip")),
        Media("file", Inline("//79", "")),
    ],
)
def test_media_that_no_model_takes(part: Media) -> None:
    """What would make the answer wrong is refused with its place, never left out."""
    with pytest.raises(InvalidRequest) as raised:
        written(turn("user", "x", part))

    assert raised.value.param == "$.messages[0].content[1]"


def test_refusal_and_citation_in_the_history() -> None:
    """A refusal was said; a citation is a loss."""
    losses: Losses = []
    made = written(
        turn("user", "x"), turn("assistant", Refusal("no"), Citation("https://a")), turn("user", "y"), losses=losses
    )

    assert made["messages"][1]["content"] == [{"type": "text", "text": "no"}]
    assert len(losses) == 1


def test_names_of_participants() -> None:
    losses: Losses = []
    written(turn("user", "x", name="Ann"), losses=losses)

    assert [loss.where for loss in losses] == ["$.turns[0].name"]


def test_cache_marks_are_carried() -> None:
    """Pitfall 64: on every kind of part."""
    made = written(
        turn("user", Text("x", cache="5m"), Media("image", Inline(PNG), cache="ephemeral")),
        turn("assistant", ToolCall("call_1", "f", "{}", cache="1h")),
        Turn("tool", (ToolResult("call_1", (Text("18"),), cache="ephemeral"),)),
    )
    marks = [block.get("cache_control", {}).get("ttl", "-") for one in made["messages"] for block in one["content"]]

    assert marks == ["5m", "-", "1h", "-"]
    assert json.dumps(made).count("cache_control") == 4


def test_four_cache_marks_at_most() -> None:
    """Pitfall 63: whatever is beyond is taken away with a loss, from the end of the prompt."""
    losses: Losses = []
    tools = (Function("f", cache="ephemeral"),)
    made = written(
        turn("system", Text("S", cache="1h")), turn("user", *[Text("x", cache="5m")] * 4), tools=tools, losses=losses
    )

    assert json.dumps(made).count("cache_control") == 4
    assert "cache_control" in made["tools"][0]
    assert "cache_control" not in made["messages"][0]["content"][-1]
    assert [loss.where for loss in losses] == ["$.cache_control"]


def test_none_are_added() -> None:
    """Pitfall 63: a request without marks gets none."""
    assert "cache_control" not in json.dumps(written(turn("system", "S"), turn("user", "x")))


@needs_corpus
@pytest.mark.parametrize("taken", [one for one in recordings("openai-chat") if one.request][:40], ids=name_of)
def test_same_request_same_bytes(taken: Recording) -> None:
    """Caches need the same bytes every time."""
    request = msgspec.structs.replace(CHAT.decode_request(taken.asked), model=SONNET)
    try:
        first = DIALECT.encode_request(request, [])
    except InvalidRequest:
        return
    assert DIALECT.encode_request(request, []) == first
