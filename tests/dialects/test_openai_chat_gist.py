import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import Recording, answers, name_of, needs_corpus
from yibu.dialects.openai_chat.gist import Gist, read_gist
from yibu.dialects.openai_chat.reply import decode_reply
from yibu.hub.errors import UpstreamError
from yibu.hub.estimate import TextMeter

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":"十"}'}}


def the_long_way(body: bytes) -> Gist | tuple[type, str]:
    """What a translation would know of it, or the error that it would raise."""
    try:
        reply = decode_reply(body)
    except UpstreamError as error:
        return type(error), error.upstream_words
    meter = TextMeter()
    meter.feed_reply(reply)
    return Gist(reply.usage, meter.tokens)


def the_short_way(body: bytes) -> Gist | tuple[type, str]:
    try:
        return read_gist(body)
    except UpstreamError as error:
        return type(error), error.upstream_words


@needs_corpus
@pytest.mark.parametrize("taken", answers("openai-chat"), ids=name_of)
def test_recorded_answers(taken: Recording) -> None:
    """Every recorded answer gives the same both ways."""
    assert the_short_way(taken.body) == the_long_way(taken.body)


MESSAGES: list[dict[str, Any]] = [
    {},
    {"content": None, "tool_calls": [CALL, CALL]},
    {"content": "", "tool_calls": [{**CALL, "id": None}]},
    {"tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]},
    {"tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": "words"}}]},
    {"tool_calls": [{**CALL, "custom": {"name": "f", "input": "words"}}]},
    {"tool_calls": [CALL, None]},
    {"tool_calls": {}},
    {"function_call": {"name": "f", "arguments": "{}"}},
    {"function_call": {"name": "", "arguments": ""}},
    {"content": [{"type": "text", "text": "some words"}, {"type": "thinking", "thinking": []}]},
    {"content": 7},
    {"content": "no", "refusal": "I would rather not"},
    {"content": "yes", "reasoning_content": "thought", "reasoning": "thought"},
    {"content": "yes", "reasoning_content": "one", "reasoning": "another"},
    {"content": "yes", "reasoning_content": 5},
    {"content": "yes", "reasoning_details": [{"type": "reasoning.text", "text": "aloud", "signature": "x"}]},
    {"content": None, "audio": {"id": "a", "data": "AAAA", "transcript": "what was said"}},
    {"content": "见图", "images": [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]},
    {"content": "cited", "annotations": [{"type": "url_citation", "url_citation": {"url": "https://x.example"}}]},
    {"content": "cited", "annotations": []},
]


@pytest.mark.parametrize("message", MESSAGES, ids=json.dumps)
def test_messages_of_all_kinds(message: dict[str, Any]) -> None:
    """Each way in which vendors write a message gives the same both ways, twice in one answer, too."""
    choices = [{"index": index, "message": {"role": "assistant", **message}} for index in (1, 0)]
    body = json.dumps({"choices": choices, "usage": {"prompt_tokens": 3, "completion_tokens": 4}}).encode()

    assert the_short_way(body) == the_long_way(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"choices":null}',
        b'{"choices":[]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"message":null}]}',
        b'{"choices":[{"message":{"content":"a"},"index":"0"}]}',
        b'{"choices":[{"message":{"content":"a"},"finish_reason":7}]}',
        b'{"choices":[{"message":{"content":"a"}}],"id":7}',
        b'{"choices":[{"message":{"content":"a"}}],"created":1e400}',
        b'{"choices":[{"message":{"content":"a"}}],"created":1.5,"usage":null}',
        b'{"choices":[{"message":{"content":"a"}}],"usage":"many"}',
        b'{"choices":[{"message":{"content":"\xff"}}]}',
        b'{"choices":[],"error":{"message":"The model is overloaded","code":503}}',
        b'{"choices":[' + b"[" * 5000 + b"]}",
    ],
)
def test_bodies_of_all_kinds(body: bytes) -> None:
    """What is wrong with an answer is told in the same words."""
    assert the_short_way(body) == the_long_way(body)


members = st.sampled_from(sorted({key for message in MESSAGES for key in message}))
values = st.sampled_from([None, "", "words", 0, True, [], {}, [None], ["x"], [CALL], [{}], {"arguments": "x"}, 1.5])


@given(st.dictionaries(members, values))
def test_mixtures(message: dict[str, Any]) -> None:
    """Any value in any member gives the same both ways."""
    body = json.dumps({"choices": [{"message": message}]}).encode()

    assert the_short_way(body) == the_long_way(body)
