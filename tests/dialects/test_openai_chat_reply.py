import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import Recording, answers, name_of, needs_corpus
from yibu.dialects.openai_chat import DIALECT as CHAT
from yibu.dialects.openai_chat.usage import decode_usage
from yibu.hub.errors import Broken, Busy, HubError
from yibu.hub.loss import Losses
from yibu.hub.parts import Citation, Media, Opaque, Refusal, Seal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice, Finish
from yibu.hub.usage import Meter, Usage

NAMES = {"model": "m", "id": "x", "created": 1, "object": "chat.completion"}


def answer(message: dict[str, Any], finish: str | None = "stop", **members: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return json.dumps({**NAMES, "choices": [choice], **members}).encode()


def parts(**message: Any) -> tuple[Any, ...]:
    return CHAT.decode_reply(answer(message)).choices[0].parts


def normal(value: Any) -> Any:
    """Null and empty members are no members."""
    if isinstance(value, dict):
        return {key: found for key, item in value.items() if (found := normal(item)) not in (None, [], "", {})}
    return [normal(item) for item in value] if isinstance(value, list) else value


def normal_reply(body: bytes) -> Any:
    """The documented normalisations of an answer."""
    reply = normal(json.loads(body))
    for choice in reply["choices"]:
        message = choice["message"]
        choice.setdefault("finish_reason", "")
        if message.get("audio") == {"expires_at": 0}:  # Snowflake
            del message["audio"]
        for call in message.get("tool_calls", []):
            call.pop("index", None)
            call.setdefault("type", "function")
            call.setdefault("id", "")
    return reply


@needs_corpus
@pytest.mark.parametrize("taken", answers("openai-chat"), ids=name_of)
def test_recorded_answers_come_back(taken: Recording) -> None:
    """Decoding and encoding a recorded answer gives the same JSON, but for ids and finish reasons that were missing."""
    losses: Losses = []
    reply = CHAT.decode_reply(taken.body)
    there, back = normal_reply(taken.body), normal_reply(CHAT.encode_reply(reply, losses))
    for old, new in zip(there["choices"], back["choices"], strict=True):
        old["finish_reason"] = old["finish_reason"] or new["finish_reason"]
        for one, other in zip(old["message"].get("tool_calls", []), new["message"].get("tool_calls", []), strict=True):
            one["id"] = one["id"] or other["id"]

    assert back == there
    assert losses == []


@needs_corpus
@pytest.mark.parametrize("taken", answers("openai-chat"), ids=name_of)
def test_recorded_usage_adds_up(taken: Recording) -> None:
    """The meters do not overlap: together they are what the vendor counted.

    Google through OpenRouter reads and writes the same tokens of a cache in one call, and charges for both.
    """
    said = json.loads(taken.body)["usage"]
    usage = CHAT.decode_reply(taken.body).usage
    assert usage is not None
    details = said.get("prompt_tokens_details") or {}
    twice = (
        details.get("cached_tokens", 0) if usage.units.get(Meter.CACHE_WRITE) and not usage.units[Meter.INPUT] else 0
    )
    excess = max(0, twice + details.get("cache_write_tokens", 0) - said["prompt_tokens"])

    assert sum(usage.units.values()) == said["prompt_tokens"] + said["completion_tokens"] + excess


def test_reasoning_members() -> None:
    """Thoughts are found in whatever member the vendor shows them."""
    array = [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, {"type": "text", "text": "a"}]

    assert parts(reasoning_content="t", content="a") == (Thinking("t"), Text("a"))
    assert parts(reasoning="t", content="a") == (Thinking("t", member="reasoning"), Text("a"))
    assert parts(content=array) == (Thinking("t", member="content"), Text("a"))
    assert parts(reasoning_content="", content="a") == (Text("a"),)


def test_reasoning_details_are_a_seal() -> None:
    """Signatures and encrypted traces are handed back as they came."""
    details = [{"type": "reasoning.text", "text": "t", "signature": "s", "index": 0}]
    seal = Seal("openai_chat", msgspec.Raw(json.dumps(details).encode()))
    reply = CHAT.decode_reply(answer({"content": "a", "reasoning_details": details}))

    assert reply.choices[0].parts == (Thinking("t", seal=seal, member="reasoning_details"), Text("a"))
    assert json.loads(CHAT.encode_reply(reply, []))["choices"][0]["message"]["reasoning_details"] == details


def test_foreign_seals_survive_the_client() -> None:
    """Another dialect's seals ride through a client of this one and are its own again in the next request."""
    seal = Seal("anthropic_messages", msgspec.Raw(b'{"signature": "s"}'))
    thoughts = (Thinking("a", seal=seal), Text("b"), Thinking("c", seal=seal), ToolCall("c1", "f", "{}", seal=seal))
    reply = ChatReply(
        id="1", model="m", choices=(Choice(thoughts, Finish("tool_calls")),), dialect="anthropic_messages"
    )
    message = json.loads(CHAT.encode_reply(reply, []))["choices"][0]["message"]
    request = CHAT.decode_request(json.dumps({"model": "m", "messages": [message]}).encode())

    assert message["reasoning_content"] == "a\n\nc"
    assert request.turns[0].parts == (thoughts[0], thoughts[2], Text("b"), thoughts[3])


def test_other_parts() -> None:
    """Refusals, sounds, pictures, citations and unknown annotations are parts."""
    cited = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 1, "end_index": 2}}
    found = parts(
        content=None,
        refusal="no",
        audio={"id": "a", "data": "AA", "transcript": "hi", "expires_at": 5},
        images=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}],
        annotations=[cited, {"type": "file", "file": {}}],
    )

    assert [type(part) for part in found] == [Refusal, Media, Media, Citation, Opaque]
    assert (found[1].id, found[1].transcript) == ("a", "hi")
    assert found[3] == Citation("u", "t", 1, 2)


def test_calls() -> None:
    """Calls without an id get one, which is always the same; arguments may be an object; legacy calls count."""
    calls = [{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}, "id": ""}]
    (call,) = parts(tool_calls=calls)

    assert call.arguments == '{"a": 1}'
    assert call.id.startswith("call_")
    assert parts(tool_calls=calls) == (call,)
    assert parts(function_call={"name": "f", "arguments": "{}"})[0].member == "function_call"
    assert parts(tool_calls=[{"type": "custom", "id": "1", "custom": {"name": "g", "input": "x"}}])[0].is_custom


def test_finish() -> None:
    """A call makes the kind `tool_calls` although the vendor says stop, or nothing."""
    call = {"tool_calls": [{"type": "function", "id": "1", "function": {"name": "f", "arguments": "{}"}}]}

    assert CHAT.decode_reply(answer(call, "stop")).choices[0].finish == Finish("tool_calls", "stop")
    assert CHAT.decode_reply(answer(call, None)).choices[0].finish == Finish("tool_calls", "")
    assert CHAT.decode_reply(answer({"content": "x"}, "model_length")).choices[0].finish == Finish(
        "length", "model_length"
    )


def test_blank_lines_before_the_body() -> None:
    """DeepSeek keeps a waiting connection alive with empty lines."""
    assert CHAT.decode_reply(b"\n\n" + answer({"content": "x"})).choices[0].parts == (Text("x"),)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"choices":null}', b'{"choices":[{}]}', b"[" * 9999, b"\xff"]
)
def test_what_is_no_answer(body: bytes) -> None:
    """A body that is no answer is the vendor's fault."""
    with pytest.raises(Broken):
        CHAT.decode_reply(body)


@given(st.binary(max_size=120))
def test_any_bytes(body: bytes) -> None:
    """Whatever a vendor sends, it is an answer or one of our errors."""
    try:
        CHAT.decode_reply(body)
    except HubError:
        return


def test_an_error_instead_of_an_answer() -> None:
    """An error object with status 200 is that error."""
    with pytest.raises(Busy):
        CHAT.decode_reply(b'{"error":{"message":"slow down","code":429}}')


def usage(**said: Any) -> dict[Meter, int] | None:
    found = decode_usage(msgspec.Raw(json.dumps(said).encode()))
    return found.units if found else None


def test_usage_is_disjoint() -> None:
    """Pitfall 66: cached, written and heard tokens are taken out of the input; thoughts and speech out of the output."""
    into = {"cached_tokens": 10, "cache_write_tokens": 20, "audio_tokens": 30}
    out = {"reasoning_tokens": 5, "audio_tokens": 6}
    found = usage(prompt_tokens=100, completion_tokens=50, prompt_tokens_details=into, completion_tokens_details=out)

    assert found == {
        Meter.INPUT: 40,
        Meter.INPUT_CACHED: 10,
        Meter.CACHE_WRITE: 20,
        Meter.AUDIO_IN: 30,
        Meter.OUTPUT: 39,
        Meter.REASONING: 5,
        Meter.AUDIO_OUT: 6,
    }


@pytest.mark.parametrize("member", ["prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens"])
def test_usage_of_caches(member: str) -> None:
    """DeepSeek, Together and Mistral report the cache beside the counts."""
    assert usage(prompt_tokens=9, completion_tokens=0, **{member: 4}) == {
        Meter.INPUT: 5,
        Meter.OUTPUT: 0,
        Meter.INPUT_CACHED: 4,
    }


def test_usage_of_xai() -> None:
    """Pitfall 84: where the total says so, thoughts are not inside the completion."""
    details = {"reasoning_tokens": 100}
    outside = usage(prompt_tokens=10, completion_tokens=5, total_tokens=115, completion_tokens_details=details)
    inside = usage(prompt_tokens=10, completion_tokens=105, total_tokens=115, completion_tokens_details=details)

    assert outside == inside == {Meter.INPUT: 10, Meter.OUTPUT: 5, Meter.REASONING: 100}


def test_usage_that_cannot_be() -> None:
    """Negative counts are not reported counts; zero is one; nonsense is no usage."""
    assert usage(prompt_tokens=-5, completion_tokens=3) == {Meter.OUTPUT: 3}
    assert usage(prompt_tokens=0, completion_tokens=0) == {Meter.INPUT: 0, Meter.OUTPUT: 0}
    assert usage(prompt_tokens=5, completion_tokens=1, prompt_tokens_details={"cached_tokens": 9}) == {
        Meter.INPUT: 0,
        Meter.OUTPUT: 1,
        Meter.INPUT_CACHED: 9,
    }
    assert usage(prompt_tokens="7") is None
    assert usage() is None


def test_usage_made_from_meters() -> None:
    """Usage of another dialect is written with sums and details, and read back as the same meters."""
    units = {Meter.INPUT: 1, Meter.INPUT_CACHED: 2, Meter.OUTPUT: 3, Meter.REASONING: 4}
    reply = ChatReply(id="1", model="m", choices=(), usage=Usage(units), dialect="other")
    body = CHAT.encode_reply(reply, [])

    assert json.loads(body)["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 7,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    back = CHAT.decode_reply(body).usage
    assert back is not None
    assert back.units == units


def test_a_foreign_answer() -> None:
    """An answer of another dialect gets an id of this format; its extras are losses."""
    extras = {"stop_details": msgspec.Raw(b"1")}
    choice = Choice((Text("a"), Text("b")), Finish("filtered", "refusal"))
    reply = ChatReply(id="msg_1", model="m", choices=(choice,), dialect="other", extras=extras)
    losses: Losses = []
    told = json.loads(CHAT.encode_reply(reply, losses))

    assert told["id"] == "chatcmpl-msg_1"
    assert told["choices"][0]["message"] == {"role": "assistant", "content": "ab", "refusal": None}
    assert told["choices"][0]["finish_reason"] == "content_filter"
    assert [loss.where for loss in losses] == ["$.stop_details"]
