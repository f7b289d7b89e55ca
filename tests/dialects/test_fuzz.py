"""Damaged requests, answers and streams: codecs raise what is theirs to raise, and whatever they write can be read."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dialects.seeds import REPLIES, REQUESTS, damaged
from yibu.dialects import call_dialects, chat_dialects, spoken_dialects
from yibu.dialects.dialect import ChatDialect, Intent, Target
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import HubError, InvalidRequest, UpstreamError
from yibu.hub.events import (
    ArgumentsDelta,
    Event,
    Failed,
    Finished,
    MediaDelta,
    Metered,
    Opened,
    PartClosed,
    PartOpened,
    TextDelta,
    ThinkingDelta,
)
from yibu.hub.fold import fold, unfold
from yibu.hub.loss import Losses
from yibu.hub.options import Streaming
from yibu.hub.reply import ChatReply

CHAT = chat_dialects()
WRITERS = {id: dialect for id, dialect in spoken_dialects().items() if id in CHAT or hasattr(dialect, "reader")}
SOMEWHERE = Target({"model": "m"})
CALLER = ChatRequest(model="m", turns=(), stream=Streaming(on=True, usage=True))
STREAM = Intent(model="m", body=b"{}", is_stream=True, wants_usage=True)

every_format = pytest.mark.parametrize("id", sorted(REQUESTS))
bounded = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@every_format
@bounded
@given(data=st.data())
def test_damaged_request(id: str, data: st.DataObject) -> None:
    """Nothing but `InvalidRequest` comes of it; what is understood can be asked of a vendor of any format, in its words."""
    dialect, body = CHAT[id], data.draw(damaged(REQUESTS[id]))
    try:
        intent = dialect.sniff(body, SOMEWHERE)
        again = dialect.sniff(dialect.splice(intent, "other"), SOMEWHERE)
        assert id == "gemini" or again.model == "other"
    except InvalidRequest:
        pass
    try:
        request = dialect.decode_request(body, SOMEWHERE)
    except InvalidRequest:
        return
    for other in WRITERS:
        ask(other, request)


def ask(id: str, request: ChatRequest) -> None:
    """Writes the request for a vendor, and reads what was written."""
    dialect: Any = WRITERS[id]
    losses: Losses = []
    if getattr(dialect, "needs_ceiling", False) and request.limits.max_output_tokens is None:
        request = msgspec.structs.replace(
            request, limits=msgspec.structs.replace(request.limits, max_output_tokens=100)
        )
    try:
        written = dialect.encode_request(request, losses)
    except InvalidRequest:
        return
    assert isinstance(json.loads(written.decode()), dict)
    msgspec.json.encode(losses)
    if id in CHAT and id not in PLAIN:
        CHAT[id].decode_request(written, SOMEWHERE)


PLAIN = {"openai_completions"}
"""A text that goes on is not empty, which a damaged conversation may be."""


@every_format
@bounded
@given(data=st.data())
def test_damaged_answer(id: str, data: st.DataObject) -> None:
    """It is an `UpstreamError`, or an answer that can be told to a caller of any format; the tap of the pipe takes it too."""
    dialect, body = CHAT[id], data.draw(damaged(REPLIES[id]))
    tap = dialect.tap(Intent(model="m", body=b"{}"))
    tap.feed(body)
    tap.finish()
    assert tap.usage is None or all(units >= 0 for units in tap.usage.units.values())
    assert tap.text_units >= 0
    try:
        reply = dialect.decode_reply(body)
    except UpstreamError:
        return
    for other in CHAT.values() if reply.choices else ():
        tell(other, reply)


def tell(dialect: ChatDialect, reply: ChatReply) -> None:
    """Writes the answer whole and as a stream, and reads both."""
    try:
        written = dialect.encode_reply(reply, [])
    except HubError:
        return  # a chat has no place for it
    assert isinstance(json.loads(written.decode()), dict)
    dialect.decode_reply(written)
    writer = dialect.writer(CALLER)
    stream = b"".join(map(writer.feed, unfold(reply))) + writer.finish()
    stream.decode()
    reader = dialect.reader()
    fold(reader.feed(stream) + reader.finish())


@every_format
@bounded
@given(data=st.data())
def test_damaged_stream(id: str, data: st.DataObject) -> None:
    """Events stay in normal form whatever a vendor sends, and every writer takes them."""
    dialect = CHAT[id]
    writer = dialect.writer(CALLER)
    whole = dialect.decode_reply(json.dumps(REPLIES[id]).encode())
    frames = [frame for event in unfold(whole) for frame in writer.feed(event).split(b"\n\n") if frame]
    frames += [frame for frame in writer.finish().split(b"\n\n") if frame]
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(frames) - 1))
        name, _, text = frames[at].partition(b"data: ")
        match data.draw(st.sampled_from(["damage", "damage", "drop", "twice", "swap"])):
            case "damage" if text.startswith(b"{") and _is_whole(text):
                frames[at] = name + b"data: " + data.draw(damaged(json.loads(text)))
            case "drop" if len(frames) > 1:
                del frames[at]
            case "swap":
                frames[at], frames[0] = frames[0], frames[at]
            case _:
                frames.insert(at, frames[at])
    listen(dialect, b"\n\n".join(frames) + b"\n\n")


def _is_whole(text: bytes) -> bool:
    try:
        return bool(json.loads(text))
    except ValueError:
        return False


CRUMBS = (
    b"data:", b"data: ", b"event: error\n", b"\n\n", b"\r\n", b"\r", b"{}", b"[]", b"[DONE]", b"null", b"\xef\xbb\xbf", b'{"error":5}',
    b'{"type":"error"}', b'{"error":{}}', b'{"choices":[{}]}', b'{"candidates":[{}]}', b"[", b"]", b",", b":", b"\xff", b'"', b"7",
)  # fmt: skip


@pytest.mark.parametrize("id", sorted(CHAT))
@bounded
@given(body=st.binary(max_size=60) | st.lists(st.sampled_from(CRUMBS)).map(b"".join))
def test_arbitrary_bytes(id: str, body: bytes) -> None:
    """As a stream they give events in normal form, as an answer or an error an `UpstreamError`, as a request `InvalidRequest`."""
    dialect = CHAT[id]
    listen(dialect, body)
    for understand in (dialect.decode_request, dialect.sniff):
        with contextlib.suppress(InvalidRequest):
            understand(body)
    with contextlib.suppress(UpstreamError):
        dialect.decode_reply(body)
    for status in (400, 401, 404, 429, 500, 529):
        assert isinstance(dialect.decode_error(status, {"retry-after": body.decode("latin-1")}, body), UpstreamError)


def listen(dialect: ChatDialect, body: bytes) -> None:
    """Reads a stream whole and in pieces, taps it, and writes what was read in every format."""
    reader, cut = dialect.reader(), dialect.reader()
    events = reader.feed(body) + reader.finish()
    pieces = [event for at in range(0, len(body), 7) for event in cut.feed(body[at : at + 7])] + cut.finish()
    tap = dialect.tap(STREAM)
    tap.feed(body)
    tap.finish()
    assert tap.text_units >= 0
    assert tap.usage is None or all(units >= 0 for units in tap.usage.units.values())
    assert msgspec.json.encode(events) == msgspec.json.encode(pieces)
    in_normal_form(events)
    for other in CHAT.values():
        writer = other.writer(CALLER)
        try:
            stream = b"".join(map(writer.feed, events)) + writer.finish()
        except HubError:
            continue
        stream.decode()
        other.reader().feed(stream)
    with contextlib.suppress(UpstreamError):
        fold(events)


def in_normal_form(events: list[Event]) -> None:
    """As `hub/events.py` says."""
    assert events
    assert isinstance(events[0], Opened | Failed | Metered)
    open_part: dict[int, int | None] = {}
    parts: dict[int, int] = {}
    finished: set[int] = set()
    for number, event in enumerate(events):
        match event:
            case Opened():
                assert number == 0
            case PartOpened():
                assert open_part.get(event.choice) is None
                assert event.choice not in finished
                assert event.part == parts.get(event.choice, 0)
                open_part[event.choice], parts[event.choice] = event.part, event.part + 1
            case TextDelta() | ThinkingDelta() | ArgumentsDelta() | MediaDelta():
                assert open_part.get(event.choice) == event.part
            case PartClosed():
                assert open_part.get(event.choice) == event.part
                open_part[event.choice] = None
            case Finished():
                assert open_part.get(event.choice) is None
                assert event.choice not in finished
                finished.add(event.choice)
            case Failed():
                assert number == len(events) - 1
            case Metered():
                assert all(units >= 0 for units in event.usage.units.values())
    assert sum(isinstance(event, Metered) for event in events) <= 1


KEYWORDS = ("type", "properties", "required", "anyOf", "oneOf", "allOf", "items", "enum", "const", "format", "minItems", "description",
            "$ref", "$defs", "nullable", "additionalProperties", "prefixItems", "title", "not", "maxLength")  # fmt: skip
WORDS = st.sampled_from(["object", "string", "OBJECT", "#/$defs/x", "#", "date", "x", "", "type_unspecified", "null"])
SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | WORDS | st.just(1e300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS) | WORDS, inner, max_size=4),
    max_leaves=12,
)


@every_format
@settings(bounded, max_examples=100)
@given(schema=st.dictionaries(st.sampled_from(KEYWORDS), SCHEMAS, max_size=5))
def test_schema_of_any_shape(id: str, schema: dict[str, Any]) -> None:
    """Schemas are carried or refused, however wrong their keywords are."""
    wire = json.loads(json.dumps(REQUESTS[id]))
    match id:
        case "openai_chat":
            wire["tools"][0]["function"]["parameters"] = wire["response_format"]["json_schema"]["schema"] = schema
        case "openai_responses":
            wire["tools"][0]["parameters"] = wire["text"]["format"]["schema"] = schema
        case "anthropic":
            wire["tools"][0]["input_schema"] = wire["output_config"]["format"]["schema"] = schema
        case _:
            [declared, more] = wire["tools"][0]["functionDeclarations"]
            declared["parameters"] = more["parametersJsonSchema"] = wire["generationConfig"]["responseSchema"] = schema
    try:
        request = CHAT[id].decode_request(json.dumps(wire).encode(), SOMEWHERE)
    except InvalidRequest:
        return
    for other in WRITERS:
        ask(other, request)


OTHERS = sorted(set(call_dialects()) - set(CHAT))
INPUTS: dict[str, Any] = {
    "model": "m",
    "input": ["a", [1, 2], {"text": "a", "image": "x"}],
    "texts": ["a"],
    "query": "q",
    "documents": ["a", {"text": "b"}],
    "content": {"parts": [{"text": "a"}]},
    "requests": [{"model": "models/m", "content": {"parts": [{"text": "a"}]}}],
    "encoding_format": "base64",
    "embedding_types": ["float", "int8"],
    "input_type": "search_query",
    "dimensions": 2,
    "top_n": 1,
    "return_documents": True,
}
OUTPUTS: dict[str, Any] = {
    "id": "x",
    "model": "m",
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1]}, {"index": 1, "embedding": "AAAA"}],
    "results": [
        {"index": 0, "relevance_score": 0.5, "document": {"text": "a"}, "flagged": True, "categories": {"x": True}}
    ],
    "embeddings": {"float": [[0.5, 1]]},
    "meta": {"billed_units": {"input_tokens": 1, "search_units": 1}},
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
    "tokens": {"input_tokens": 1},
}


@pytest.mark.parametrize("id", OTHERS)
@bounded
@given(data=st.data())
def test_other_operations(id: str, data: st.DataObject) -> None:
    """Vectors, rankings and verdicts: the same for their requests and answers."""
    dialect = call_dialects()[id]
    body, answer = data.draw(damaged(INPUTS)), data.draw(damaged(OUTPUTS))
    same = [other for other in call_dialects().values() if other.operation is dialect.operation]
    intent = None
    try:
        intent = dialect.sniff(body)
        dialect.splice(intent, "other")
        request = dialect.decode_request(body)
        for other in same:
            try:
                json.loads(other.encode_request(request, []).decode())
            except InvalidRequest:
                continue
    except InvalidRequest:
        intent = intent or Intent(model="m", body=b'{"input":["a"]}')
    tap = dialect.tap(Intent(model="m", body=json.dumps(INPUTS).encode()))
    tap.feed(answer)
    tap.finish()
    assert tap.usage is None or all(units >= 0 for units in tap.usage.units.values())
    try:
        reply = dialect.decode_reply(answer)
    except UpstreamError:
        return
    for other in same:
        try:
            json.loads(other.encode_reply(reply, []).decode())
        except UpstreamError:
            continue  # a vector that only its own format can be told in
