"""Legacy completions: one prompt as a question, streams in their own shape, and what only such a model can do."""

import json
from itertools import groupby
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yibu.dialects.dialect import Intent
from yibu.dialects.openai_chat import OpenAIChat
from yibu.dialects.openai_completions import OpenAICompletions
from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import Broken, Busy, InvalidRequest
from yibu.hub.events import Event, Failed, Finished, Metered, Opened, PartClosed, PartOpened, TextDelta
from yibu.hub.fold import fold, unfold
from yibu.hub.loss import Loss
from yibu.hub.media import Url
from yibu.hub.options import JsonObject, Limits, Sampling, Streaming
from yibu.hub.parts import Media, Refusal, Text, Thinking
from yibu.hub.reply import ChatReply, Choice, Finish
from yibu.hub.tools import Function
from yibu.hub.usage import Meter, Usage

DIALECT = OpenAICompletions()
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def body(**members: Any) -> bytes:
    return json.dumps({"model": "m", "prompt": "Once", **members}).encode()


def frame(text: str, finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    choice = {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
    head = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "m"}
    return b"data: " + json.dumps({**head, "choices": [choice], **more}).encode() + b"\n\n"


LAST = b'data: {"id":"cmpl-1","object":"text_completion","created":7,"model":"m","choices":[],"usage":%b}\n\n' % (
    json.dumps(USAGE).encode()
)
STREAM = frame("Hel") + frame("lo 你") + frame("", "stop") + LAST + b"data: [DONE]\n\n"


def test_a_prompt_is_a_question() -> None:
    """One text, or a list of one, is what the user says; without a ceiling it is the 16 tokens of this format."""
    for prompt in ("Once", ["Once"]):
        request = DIALECT.decode_request(body(prompt=prompt))

        assert request.turns == (Turn("user", (Text("Once"),)),)
        assert request.limits.max_output_tokens == 16


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"prompt": [1, 2]}, "$.prompt"),
        ({"prompt": [[1], [2]]}, "$.prompt"),
        ({"prompt": ["a", "b"]}, "$.prompt"),
        ({"prompt": ""}, "$.prompt"),
        ({"prompt": None}, "$.prompt"),
        ({"suffix": "the end"}, "$.suffix"),
    ],
)
def test_what_a_chat_model_cannot_do(said: dict[str, Any], param: str) -> None:
    """Tokens, several prompts and suffixes pass to who understands them, and are refused where a conversation would answer."""
    asked = body(**said)

    assert json.loads(DIALECT.splice(DIALECT.sniff(asked), "up")) == {**json.loads(asked), "model": "up"}
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.decode_request(asked)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"prompt": []}, "$.prompt"),
        ({"prompt": 5}, "$.prompt"),
        ({"prompt": [{"text": "a"}]}, "$.prompt[0]"),
        ({"max_tokens": 0}, "$.max_tokens"),
        ({"n": 0}, "$.n"),
        ({"logprobs": True}, "$.logprobs"),
        ({"model": ""}, "$.model"),
    ],
)
def test_wrong_requests(said: dict[str, Any], param: str) -> None:
    """What is wrong is told with its path, before anything is paid for."""
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.sniff(body(**said))

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("said", "size", "choices"),
    [
        ({"prompt": "abcd"}, 4, 1),
        ({"prompt": ["ab", "cd"], "n": 3}, 4, 6),
        ({"prompt": [5, 6, 7]}, 12, 1),
        ({"prompt": [[5], [6, 7]], "best_of": 2}, 12, 4),
        ({"prompt": "ab", "suffix": "cd"}, 4, 1),
    ],
)
def test_weight(said: dict[str, Any], size: int, choices: int) -> None:
    """For the hold: text, tokens, and every answer that is made, also those of which only the best is shown."""
    intent = DIALECT.sniff(body(max_tokens=9, **said))

    assert (intent.text_bytes, intent.choices, intent.max_output_tokens) == (size, choices, 9)


def test_options() -> None:
    """Sampling, stops and probabilities mean what they mean in Chat; `best_of` is a loss there."""
    losses: list[Loss] = []
    said = body(max_tokens=5, n=2, best_of=3, logprobs=2, stop="x", seed=1, temperature=0.5, user="u", stream=True)
    request = DIALECT.decode_request(said)

    assert request.sampling == Sampling(temperature=0.5, seed=1, stop=("x",), logprobs=True, top_logprobs=2)
    assert (request.limits.choices, request.user, request.stream.on) == (2, "u", True)
    written = json.loads(OpenAIChat().encode_request(request, losses))
    assert written["messages"] == [{"role": "user", "content": "Once"}]
    assert (written["logprobs"], written["top_logprobs"], written["n"]) == (True, 2, 2)
    assert [loss.where for loss in losses] == ["$.best_of"]


def test_a_conversation_as_a_prompt() -> None:
    """One question is the prompt as it stands; a longer talk becomes a transcript, which is a loss."""
    one, losses = ChatRequest(model="m", turns=(Turn("user", (Text("Hi"),)),), limits=Limits(9)), list[Loss]()
    talk = ChatRequest(
        model="m",
        turns=(Turn("system", (Text("Be brief."),)), Turn("user", (Text("Hi"),)), Turn("assistant", (Text("Yes?"),))),
    )

    assert json.loads(DIALECT.encode_request(one, losses)) == {"model": "m", "prompt": "Hi", "max_tokens": 9}
    assert losses == []
    assert json.loads(DIALECT.encode_request(talk, losses))["prompt"] == (
        "System: Be brief.\n\nUser: Hi\n\nAssistant: Yes?\n\nAssistant:"
    )
    assert [(loss.kind, loss.where) for loss in losses] == [("approximated", "$.messages")]


@pytest.mark.parametrize(
    "members",
    [
        {"tools": (Function("f"),)},
        {"output": JsonObject()},
        {"modalities": ("audio",)},
        {"turns": (Turn("user", (Media("image", Url("https://x.example/a.png")),)),)},
    ],
)
def test_what_a_completion_cannot_do(members: dict[str, Any]) -> None:
    """Tools, forms of output and pictures are refused rather than left out."""
    whole: dict[str, Any] = {"model": "m", "turns": (Turn("user", (Text("Hi"),)),), **members}

    with pytest.raises(InvalidRequest):
        DIALECT.encode_request(ChatRequest(**whole), [])


def read(*chunks: bytes) -> list[Event]:
    reader = DIALECT.reader()
    return [event for chunk in chunks for event in reader.feed(chunk)] + reader.finish()


def test_a_stream() -> None:
    """Text, the reason of the end, and usage at last."""
    assert read(STREAM) == [
        Opened("cmpl-1", "m", 7, DIALECT.id),
        PartOpened(0, 0, Text("")),
        TextDelta(0, 0, "Hel"),
        TextDelta(0, 0, "lo 你"),
        PartClosed(0, 0),
        Finished(0, Finish("stop", "stop")),
        Metered(read(STREAM)[-1].usage),  # type: ignore[union-attr]
    ]


def test_any_cut() -> None:
    """Wherever a stream is cut into pieces, it says the same, to the reader and to the tap."""
    whole = read(STREAM)
    asked = DIALECT.sniff(body(stream=True))
    for cut in range(len(STREAM)):
        tap = DIALECT.tap(asked)
        passed = tap.feed(STREAM[:cut]) + tap.feed(STREAM[cut:]) + tap.finish()

        assert read(STREAM[:cut], STREAM[cut:]) == whole
        assert passed == STREAM.replace(LAST, b"")


def test_tap_and_reader_bill_alike() -> None:
    """Usage, words and end are the same on both ways; a caller who asked for usage sees it."""
    tap = DIALECT.tap(DIALECT.sniff(body(stream=True, stream_options={"include_usage": True})))
    passed = tap.feed(STREAM) + tap.finish()
    reply = fold(read(STREAM))

    assert passed == STREAM
    assert tap.usage == reply.usage
    assert (tap.is_finished, tap.failed, tap.text_units > 0) == (True, None, True)


def test_whole_answers_bill_alike() -> None:
    """The same for an answer in one piece, which passes as it is."""
    said = json.dumps(
        {"id": "cmpl-1", "choices": [{"text": "Hello", "finish_reason": "stop"}], "usage": USAGE}
    ).encode()
    tap = DIALECT.tap(DIALECT.sniff(body()))

    assert tap.feed(said) + tap.finish() == said
    assert tap.usage == DIALECT.decode_reply(said).usage
    assert tap.text_units == 2


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (frame("Hel"), Broken),
        (b"data: [DONE]\n\n", Broken),
        (b"", Broken),
        (frame("Hel") + b"data: {nonsense\n\n", Broken),
        (frame("Hel") + b'data: {"error":{"message":"slow down","code":"rate_limit_exceeded"}}\n\n', Busy),
    ],
)
def test_broken_streams(stream: bytes, kind: type) -> None:
    """A stream that breaks off, or breaks from inside, ends in a failure."""
    events = read(stream)

    assert isinstance(events[-1], Failed)
    with pytest.raises(kind):
        fold(events)


@pytest.mark.parametrize("said", [b"", b"{}", b"[]", b'{"choices":5}', b'{"error":{"message":"no"}}'])
def test_broken_answers(said: bytes) -> None:
    """What is no answer is told as such."""
    with pytest.raises(Broken):
        DIALECT.decode_reply(said)


ECHO = DIALECT.decode_request(body(echo=True, stream=True))
REPLY = ChatReply(
    id="chatcmpl-9",
    model="m",
    created=7,
    choices=(Choice((Thinking("hm"), Text(" upon"), Refusal(" a time")), Finish("tool_calls")),),
    usage=Usage({Meter.INPUT: 3, Meter.OUTPUT: 2}),
    dialect="openai_chat",
)


def test_a_chat_answer_as_a_completion() -> None:
    """Words only, with the prompt before them for who wants to read it again; thoughts are a loss."""
    losses: list[Loss] = []
    written = json.loads(DIALECT.encode_reply(REPLY, losses, ECHO))

    assert written == {
        "id": "cmpl-9",
        "object": "text_completion",
        "created": 7,
        "model": "m",
        "choices": [{"text": "Once upon a time", "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    assert [loss.where for loss in losses] == ["$.choices[0].reasoning"]


def test_a_chat_stream_as_a_completion() -> None:
    """The same, streamed."""
    writer = DIALECT.writer(ECHO)
    stream = b"".join(map(writer.feed, unfold(REPLY))) + writer.finish()
    texts = [json.loads(line[6:])["choices"][0]["text"] for line in stream.split(b"\n\n")[:-2]]

    assert texts == ["Once", " upon", " a time", ""]
    assert stream.endswith(b"data: [DONE]\n\n")
    assert b"usage" not in stream


CONTENT = [
    {
        "token": " up",
        "logprob": -0.5,
        "bytes": [32],
        "top_logprobs": [{"token": " up", "logprob": -0.5, "bytes": None}],
    },
    {"token": "on", "logprob": -1.5, "bytes": [111], "top_logprobs": []},
]
COLUMNS = {
    "tokens": [" up", "on"],
    "token_logprobs": [-0.5, -1.5],
    "top_logprobs": [{" up": -0.5}, {"on": -1.5}],
    "text_offset": [4, 7],
}


def test_probabilities() -> None:
    """Chat tells them token by token, this format in columns; each becomes the other, streamed and whole."""
    logprobs = json.dumps({"content": CONTENT}).encode()
    said = json.dumps({"choices": [{"message": {"content": " upon"}, "logprobs": {"content": CONTENT}}]}).encode()
    reply = OpenAIChat().decode_reply(said)
    written = json.loads(DIALECT.encode_reply(reply, [], DIALECT.decode_request(body(logprobs=1))))
    back = DIALECT.decode_reply(json.dumps(written).encode()).choices[0].logprobs
    writer = DIALECT.writer(DIALECT.decode_request(body(logprobs=1, stream=True)))
    writer.feed(Opened("1", "m"))
    writer.feed(PartOpened(0, 0, Text("")))
    first = json.loads(writer.feed(TextDelta(0, 0, " upon", msgspec.Raw(logprobs)))[6:])

    assert written["choices"][0]["logprobs"] == COLUMNS
    assert first["choices"][0]["logprobs"] == COLUMNS
    assert back is not None
    assert [(one["token"], one["logprob"]) for one in json.loads(bytes(back))["content"]] == [
        (" up", -0.5),
        ("on", -1.5),
    ]


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(deadline=None)
@given(prompt=WORDS, ceiling=st.integers(1, 999), is_stream=st.booleans(), echo=st.booleans())
def test_requests_there_and_back(prompt: str, ceiling: int, is_stream: bool, echo: bool) -> None:
    """Law 2, for what this format can say."""
    asked = DIALECT.decode_request(body(prompt=prompt, max_tokens=ceiling, stream=is_stream, echo=echo, top_p=0.5))

    assert DIALECT.decode_request(DIALECT.encode_request(asked, [])) == asked


@st.composite
def replies(draw: st.DrawFn) -> ChatReply:
    said = [tuple(map(Text, draw(st.lists(WORDS, max_size=2)))) for _ in range(draw(st.integers(1, 2)))]
    choices = tuple(Choice(parts, Finish(draw(st.sampled_from(["stop", "length", "filtered"])))) for parts in said)
    usage = Usage({Meter.INPUT: draw(st.integers(0, 9)), Meter.OUTPUT: draw(st.integers(0, 9))})
    return ChatReply(id="cmpl-1", model="m", created=1, choices=choices, usage=usage)


def essence(reply: ChatReply) -> Any:
    texts = [
        ("".join(part.text for part in choice.parts if isinstance(part, Text)), choice.finish.kind)
        for choice in reply.choices
    ]
    units = reply.usage.units if reply.usage else {}
    return texts, units.get(Meter.INPUT), units.get(Meter.OUTPUT)


@settings(deadline=None)
@given(reply=replies())
def test_streamed_is_not_streamed(reply: ChatReply) -> None:
    """Laws 2, 3 and 4, for texts."""
    request = ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True))
    writer = DIALECT.writer(request)
    stream = b"".join(map(writer.feed, unfold(reply))) + writer.finish()
    tap = DIALECT.tap(Intent(model="m", body=b"", is_stream=True, wants_usage=True))
    tap.feed(stream)
    tap.finish()

    assert essence(fold(read(stream))) == essence(reply)
    assert essence(DIALECT.decode_reply(DIALECT.encode_reply(reply, []))) == essence(reply)
    assert tap.usage
    assert tap.usage.units == fold(read(stream)).usage.units  # type: ignore[union-attr]


def test_the_end_is_told_once_for_each_choice() -> None:
    """Several choices come mixed, and each has its own end."""
    stream = frame("a") + frame("x", index=1) + frame("b") + frame("", "stop") + frame("", "length", 1)
    events = read(stream)
    ends = [(event.choice, event.finish.kind) for event in events if isinstance(event, Finished)]

    assert ends == [(0, "stop"), (1, "length")]
    assert [key for key, _ in groupby(type(event) for event in events)].count(Opened) == 1
