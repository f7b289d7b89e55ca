"""Streams of generateContent: read, written and passed on, as events and as an array."""

import base64
import json
from typing import Any

import msgspec
import pytest

from tests.corpus import Recording, name_of, needs_corpus, streams
from yibu.dialects.dialect import Intent, Target
from yibu.dialects.gemini import DIALECT
from yibu.dialects.gemini.seal import decode_seal
from yibu.dialects.openai_chat import DIALECT as OPENAI
from yibu.hub.chat import ChatRequest
from yibu.hub.events import Event, Failed, Finished, Metered, Opened, PartOpened
from yibu.hub.fold import fold, unfold
from yibu.hub.media import Inline
from yibu.hub.options import Streaming
from yibu.hub.parts import Citation, Media, Seal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish
from yibu.hub.usage import Meter, Usage

SSE = Target({"model": "m", "verb": "streamGenerateContent"}, {"alt": "sse"})
ARRAY = Target({"model": "m", "verb": "streamGenerateContent"})


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def chunk(*parts: Any, finish: str = "", **members: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "g", "responseId": "r", **members}


def sse(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\r\n\r\n" for one in chunks)


def array(*chunks: Any) -> bytes:
    return b"[" + b"\n,\r\n".join(json.dumps(one, indent=2).encode() for one in chunks) + b"\n]\n"


def read(body: bytes) -> list[Event]:
    reader = DIALECT.reader()
    return reader.feed(body) + reader.finish()


def parts(*chunks: Any) -> tuple[Any, ...]:
    return fold(read(sse(*chunks))).choices[0].parts


def tap(body: bytes, target: Target = SSE) -> tuple[Any, bytes]:
    listening = DIALECT.tap(Intent(model="m", body=b"", is_stream=True, target=target))
    return listening, listening.feed(body) + listening.finish()


def write(reply: ChatReply, *, member: str = "") -> bytes:
    writer = DIALECT.writer(ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True, member=member)))
    return b"".join(map(writer.feed, unfold(reply))) + writer.finish()


def chunks(body: bytes) -> list[Any]:
    return [json.loads(frame.removeprefix(b"data: ")) for frame in body.split(b"\r\n\r\n") if frame]


END = chunk(
    {"text": ""}, finish="STOP", usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
)


@needs_corpus
@pytest.mark.parametrize("taken", streams("gemini"), ids=name_of)
def test_an_array_says_the_same(taken: Recording) -> None:
    """The two forms of a stream give the same events; the array made of events has their JSON untouched."""
    frames = [
        frame.removeprefix(b"data: ") for frame in taken.body.replace(b"\r\n", b"\n").split(b"\n\n") if frame.strip()
    ]
    events = read(taken.body)
    whole = read(b"[" + b"\n,\r\n".join(frames) + b"\n]")
    listening, passed = tap(taken.body, ARRAY)

    assert msgspec.json.encode(whole) == msgspec.json.encode(events)
    assert passed == b"[" + b",\r\n".join(frames) + b"\r\n]"
    assert msgspec.json.encode(read(passed)) == msgspec.json.encode(events)
    assert listening.is_finished


def test_array_byte_by_byte() -> None:
    """Law 1 for the other form."""
    body = array(chunk({"text": 'a "[{\\ ü'}), chunk({"functionCall": {"name": "f", "args": {"x": "}"}}}), END)
    reader = DIALECT.reader()
    events = [event for at in range(len(body)) for event in reader.feed(body[at : at + 1])] + reader.finish()

    assert msgspec.json.encode(events) == msgspec.json.encode(read(body))
    assert isinstance(events[-1], Metered)


def test_normal_form() -> None:
    """Thoughts, text, calls and pictures: one part open at a time, in rising order, with the end behind everything."""
    said = parts(
        chunk({"text": "h", "thought": True}),
        chunk({"text": "m", "thought": True}),
        chunk({"text": "Hel"}, {"text": "lo"}),
        chunk({"functionCall": {"name": "f", "args": {"a": 1}, "id": "x"}, "thoughtSignature": "AA=="}),
        chunk({"functionCall": {"name": "g"}}),
        chunk({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        chunk({"text": "", "thoughtSignature": "BB=="}),
        END,
    )

    assert said[:3] == (Thinking("hm"), Text("Hello"), ToolCall("x", "f", '{"a": 1}', seal=Seal("gemini", raw("AA=="))))
    assert (said[3].name, said[3].arguments) == ("g", "{}")
    assert said[4] == Media("image", Inline("AAAA", "image/png"))
    assert said[5:] == (Thinking("", Seal("gemini", raw("BB=="))),)


def test_parallel_calls_stay_apart() -> None:
    """Pitfalls 1 and 2: two calls in one chunk, or in two, are two calls with ids of their own."""
    call = {"functionCall": {"name": "f", "args": {}}}
    one, two, three = (part for part in parts(chunk(call, call), chunk(call), END) if isinstance(part, ToolCall))

    assert len({one.id, two.id, three.id}) == 3


def test_stop_in_every_chunk() -> None:
    """Pitfall 12: older models say it all along; it counts once, at the end."""
    events = read(sse(chunk({"text": "a"}, finish="STOP"), chunk({"text": "b"}, finish="STOP"), END))

    assert sum(isinstance(event, Finished) for event in events) == 1
    assert fold(events).choices[0].parts == (Text("ab"),)


def test_call_and_reason_in_different_chunks() -> None:
    """Pitfall 13: the call of an earlier chunk decides what `STOP` means."""
    events = read(sse(chunk({"functionCall": {"name": "f"}}), END))

    assert fold(events).choices[0].finish == Finish("tool_calls", "STOP")


def test_the_last_usage_counts() -> None:
    """Pitfalls 71 and 73: counts are of the whole answer so far, and the last chunk may say less than the one before."""
    early = {"promptTokenCount": 169, "candidatesTokenCount": 90, "thoughtsTokenCount": 9, "totalTokenCount": 268}
    late = {"promptTokenCount": 79, "candidatesTokenCount": 4, "thoughtsTokenCount": 5, "totalTokenCount": 88}
    body = sse(chunk({"text": "a"}, usageMetadata=early), chunk({"text": ""}, finish="STOP", usageMetadata=late))
    units = {Meter.INPUT: 79, Meter.OUTPUT: 4, Meter.REASONING: 5}

    assert [event.usage.units for event in read(body) if isinstance(event, Metered)] == [units]
    assert tap(body)[0].usage.units == units


@pytest.mark.parametrize(
    "body", [b"", sse(chunk({"text": "half"})), b"[" + json.dumps(chunk({"text": "x"})).encode(), b"data: {cut"]
)
def test_a_stream_that_was_cut(body: bytes) -> None:
    """Pitfall 21: without a finish reason it has failed, and so hears the tap."""
    events = read(body)

    assert isinstance(events[-1], Failed)
    if not body.startswith(b"["):
        assert not tap(body)[0].is_finished


def test_errors_inside() -> None:
    """Pitfall 19: before and after content, alone and in a list of one; the caller is told by the vendor's own frame."""
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    for body in (
        sse(error),
        sse(chunk({"text": "a"}), error),
        array(error),
        array(chunk({"text": "a"}), error),
        sse([error]),
    ):
        assert isinstance(read(body)[-1], Failed)
    listening, passed = tap(sse(chunk({"text": "a"}), error))
    in_array, elements = tap(sse(chunk({"text": "a"}), error), ARRAY)

    assert (listening.is_told, passed) == (True, sse(chunk({"text": "a"}), error))
    assert in_array.is_told
    assert json.loads(elements)[1] == error


def test_a_frame_that_nobody_can_read_is_not_passed_on() -> None:
    good = sse(chunk({"text": "a"}))
    listening, passed = tap(good + b"data: {nonsense\r\n\r\n" + good)
    _, elements = tap(good + b"data: {nonsense\r\n\r\n", ARRAY)

    assert passed == good
    assert listening.failed is not None
    assert not listening.is_told
    assert json.loads(elements + DIALECT.encode_stream_error(listening.failed, "r", ARRAY))[1]["error"]["code"] == 502


def test_a_chunk_that_is_a_frame_passes_as_it_is() -> None:
    body = sse(chunk({"text": "a"}))
    listening = DIALECT.tap(Intent(model="m", body=b"", is_stream=True, target=SSE))

    assert listening.feed(body) is not None
    assert listening.text_units == 1


def test_a_blocked_prompt() -> None:
    """It ends the stream as a filtered answer, on both ways."""
    body = sse(
        {
            "promptFeedback": {"blockReason": "SAFETY"},
            "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3},
            "responseId": "r",
        }
    )
    reply = fold(read(body))
    listening, _ = tap(body)

    assert reply.choices == (Choice((), Finish("filtered", "SAFETY")),)
    assert (listening.is_finished, listening.failed) == (True, None)
    assert chunks(write(reply))[-1]["promptFeedback"] == {"blockReason": "SAFETY"}


def test_several_candidates() -> None:
    """Each with its own parts and its own end; without all ends the stream was cut."""
    one = {
        "candidates": [
            {"index": 1, "content": {"parts": [{"text": "b"}]}},
            {"content": {"parts": [{"text": "a"}]}, "index": 0},
        ]
    }
    ends = {"candidates": [{"index": 0, "finishReason": "STOP"}, {"index": 1, "finishReason": "MAX_TOKENS"}]}
    reply = fold(read(sse(one, ends)))

    assert [(choice.parts, choice.finish.kind) for choice in reply.choices] == [
        ((Text("a"),), "stop"),
        ((Text("b"),), "length"),
    ]
    assert isinstance(read(sse(one, {"candidates": [ends["candidates"][0]]}))[-1], Failed)
    assert not tap(sse(one, {"candidates": [ends["candidates"][0]]}))[0].is_finished


def test_sources_come_at_the_end() -> None:
    """Of the whole text, wherever it was cut, and empty ones before the last do not count."""
    grounded = {
        "groundingChunks": [{"web": {"uri": "https://a.example"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 7, "endIndex": 12, "text": "Rhein"}, "groundingChunkIndices": [0]}
        ],
        "webSearchQueries": ["q"],
    }
    last = chunk({"text": "ein."}, finish="STOP", usageMetadata={"totalTokenCount": 1})
    last["candidates"][0]["groundingMetadata"] = grounded
    first = chunk({"text": "Köln. Rh"})
    first["candidates"][0]["groundingMetadata"] = {}
    events = read(sse(first, last))
    reply = fold(events)

    assert reply.choices[0].parts == (Text("Köln. Rhein."), Citation("https://a.example", "", 6, 11))
    assert reply.usage is not None
    assert reply.usage.units[Meter.SEARCH] == 1
    assert tap(sse(first, last))[0].usage.units == reply.usage.units


def test_sound_in_pieces() -> None:
    """Each piece is base64 by itself; together they are one sound."""
    sound = bytes(range(50))
    pieces = [base64.b64encode(sound[at : at + 7]).decode() for at in range(0, 50, 7)]
    mime = "audio/L16;codec=pcm;rate=24000"
    [part] = parts(
        *(chunk({"inlineData": {"mimeType": mime, "data": piece}}) for piece in pieces), chunk(finish="STOP")
    )

    assert part == Media("audio", Inline(base64.b64encode(sound).decode(), mime))


def test_arguments_one_by_one() -> None:
    """Vertex AI can send a call in pieces: they become the call that it would have been."""
    bits: list[dict[str, Any]] = [
        {"jsonPath": "$.city", "stringValue": "Kö", "willContinue": True},
        {"jsonPath": "$.city", "stringValue": "ln"},
        {"jsonPath": "$.days[0].n", "numberValue": 3},
        {"jsonPath": "$.ok", "boolValue": True},
        {"jsonPath": "$.no", "nullValue": "NULL_VALUE"},
    ]
    first = {"functionCall": {"name": "f", "id": "x", "willContinue": True}, "thoughtSignature": "AA=="}
    pieces = [
        first,
        *({"functionCall": {"partialArgs": [bit], "willContinue": True}} for bit in bits),
        {"functionCall": {}},
    ]
    call, other = parts(*map(chunk, pieces), chunk({"functionCall": {"name": "g", "args": {}}}), END)

    assert (call.id, call.name, call.seal) == ("x", "f", Seal("gemini", raw("AA==")))
    assert json.loads(call.arguments) == {"city": "Köln", "days": [{"n": 3}], "ok": True, "no": None}
    assert other.name == "g"


@pytest.mark.parametrize("path", ["", "$", "$[0]", "$.a[99999999]", "$.a.b[5]", "$['a b'].c", "..", "$.a[0][0]"])
def test_paths_that_do_not_fit(path: str) -> None:
    """Whatever a vendor says there, it is no failure of ours."""
    bits = [{"jsonPath": path, "stringValue": "x"}, {"jsonPath": "$.a", "stringValue": "y"}]
    piece = {"functionCall": {"name": "f", "partialArgs": bits, "willContinue": True}}
    [call] = parts(chunk(piece), chunk(piece), END)[:1]

    assert isinstance(json.loads(call.arguments), dict)


# --- written --------------------------------------------------------------------------------------------------------------


def reply_of(*said: Any, finish: Finish | None = None, **members: Any) -> ChatReply:
    return ChatReply(id="id", model="m", choices=(Choice(said, finish or Finish("stop")),), **members)


def test_writer() -> None:
    """Text bit by bit, a call in one chunk, the end and the usage in the last; no `[DONE]` (pitfall 9)."""
    reply = reply_of(
        Thinking("hm", Seal("anthropic", raw("s"))), Text("so"), ToolCall("c", "f", '{"a":1}'), finish=Finish("tool_calls"),
        usage=Usage({Meter.INPUT: 3, Meter.OUTPUT: 2}),
    )  # fmt: skip
    body = write(reply)
    written = chunks(body)
    said = [one["candidates"][0]["content"]["parts"][0] for one in written]

    assert b"[DONE]" not in body
    assert said[0] == {"text": "hm", "thought": True}
    assert decode_seal(raw(said[1]["thoughtSignature"])) == Seal("anthropic", raw("s"))
    assert said[2] == {"text": "so"}
    assert said[3]["functionCall"] == {"id": "c", "name": "f", "args": {"a": 1}}
    assert said[4] == {"text": ""}
    assert [one["candidates"][0].get("finishReason") for one in written] == [None] * 4 + ["STOP"]
    assert written[-1]["usageMetadata"] == {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    assert all((one["responseId"], one["modelVersion"]) == ("id", "m") for one in written)


def test_writer_of_an_array() -> None:
    """The same chunks, as one JSON text that grows."""
    reply = reply_of(Text("a"), Text("b"), usage=Usage({Meter.INPUT: 1}))

    assert json.loads(write(reply, member="array")) == chunks(write(reply))
    assert json.loads(write(reply_of(), member="array"))[0]["candidates"][0]["finishReason"] == "STOP"


def test_writer_of_a_failure() -> None:
    """Pitfall 21: an error, and no end that nobody gave."""
    for member in ("", "array"):
        writer = DIALECT.writer(ChatRequest(model="m", turns=(), stream=Streaming(on=True, member=member)))
        events = [*unfold(reply_of(Text("a")))[:3], Failed("upstream_broken", "It broke.")]
        body = b"".join(map(writer.feed, events)) + writer.finish()
        written = json.loads(body) if member else chunks(body)

        assert written[-1]["error"]["status"] == "UNAVAILABLE"
        assert not any("finishReason" in one["candidates"][0] for one in written[:-1])


@pytest.mark.parametrize(("kind", "word"), [("tool_calls", "MALFORMED_FUNCTION_CALL"), ("length", "MAX_TOKENS")])
def test_writer_of_a_call_that_is_no_json(kind: Any, word: str) -> None:
    """Section 13.5: it is left out, and the reason tells."""
    last = chunks(write(reply_of(ToolCall("c", "f", '{"a":'), finish=Finish(kind))))[-1]["candidates"][0]

    assert last["finishReason"] == word
    assert "functionCall" not in json.dumps(last)


def test_writer_of_sources_and_sound() -> None:
    """Sources stand in the last chunk, a sound comes whole."""
    written = chunks(
        write(
            reply_of(
                Text("Köln."), Citation("https://a.example", "A", 0, 4), Media("audio", Inline("AAAA", "audio/wav"))
            )
        )
    )

    assert written[-1]["candidates"][0]["groundingMetadata"]["groundingSupports"][0]["segment"]["text"] == "Köln"
    assert written[1]["candidates"][0]["content"]["parts"] == [
        {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}
    ]


@needs_corpus
@pytest.mark.parametrize("taken", streams("gemini"), ids=name_of)
def test_recorded_streams_come_back(taken: Recording) -> None:
    """Law 4 with signatures and Google's own parts; a signature on a text comes behind it, as its words went out before."""
    reply = fold(read(taken.body))
    back = fold(read(write(reply)))

    def told(one: ChatReply) -> Any:
        said = json.loads(msgspec.json.encode(one.choices[0].parts))
        return [{key: value for key, value in part.items() if key != "member"} for part in said]

    assert told(back) == told(reply)
    assert back.choices[0].finish == reply.choices[0].finish
    assert (back.usage, back.id, back.model) == (reply.usage, reply.id, reply.model)


@needs_corpus
@pytest.mark.parametrize("taken", streams("gemini"), ids=name_of)
def test_recorded_streams_for_openai_clients(taken: Recording) -> None:
    """Every piece arrives: text, thoughts, calls with their ids and signatures, the end, usage."""
    events = read(taken.body)
    writer = OPENAI.writer(ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True)))
    reader = OPENAI.reader()
    back = fold(reader.feed(b"".join(map(writer.feed, events)) + writer.finish()) + reader.finish())
    reply = fold(events)

    def essence(one: ChatReply) -> Any:
        said = one.choices[0].parts
        calls = [(part.id, part.name, part.arguments, part.seal) for part in said if isinstance(part, ToolCall)]
        texts = ["".join(part.text for part in said if isinstance(part, kind)) for kind in (Text, Thinking)]
        return calls, texts, one.choices[0].finish.kind

    assert essence(back) == essence(reply)
    assert isinstance(events[0], Opened)
    assert all(event.choice == 0 for event in events if isinstance(event, PartOpened))
