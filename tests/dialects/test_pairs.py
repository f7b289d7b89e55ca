"""Every recorded exchange of every format in the words of every other: requests, answers, streams, and the turn after.

A test takes what one vendor recorded and one other format; it fails with the list of all that went wrong.
"""

import json
from typing import Any

import msgspec
import pytest

from tests.corpus import Recording, answers, needs_corpus, streams
from tests.dialects.client_turn import RESULT, next_request
from tests.dialects.pairs import MODELS, OLDER, OTHERS, dialect_of, requests, translate
from tests.dialects.sdk_answers import STREAMED, WHOLE
from tests.dialects.sdk_types import refused_by_types
from tests.dialects.survivors import vanished
from tests.dialects.vendor_rules import broken
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import WouldLose
from yibu.hub.events import Event, Failed
from yibu.hub.fold import fold, unfold
from yibu.hub.options import Reasoning, Streaming
from yibu.hub.parts import Media, Refusal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply, Choice
from yibu.hub.usage import Meter, Usage

GROUPS = [
    pytest.param(one, other, provider, id=f"{one}-{provider}-{other}")
    for one, other in OTHERS
    for provider in sorted({taken.provider for taken in [*answers(one), *streams(one)]})
]
every_group = pytest.mark.parametrize(("one", "other", "provider"), GROUPS)
BOUNDED = [Meter.OUTPUT, Meter.REASONING, Meter.INPUT_CACHED]


@needs_corpus
@every_group
def test_requests(one: str, other: str, provider: str) -> None:
    """A vendor of the other format takes the request, and finds in it all that the caller said, or the loss is told."""
    wrong: list[Any] = []
    for taken, request in requests(one):
        if taken.provider != provider or request.bound:
            continue
        for model in (MODELS[other], OLDER[other]):
            told = translate(request, other, model)
            if told.body is None:
                assert isinstance(told.error, WouldLose), taken.name
                assert (told.error.param or "").startswith("$.")
                continue
            body = json.loads(told.body)
            back = dialect_of(other).decode_request(told.body)
            wrong += [(taken.name, model, found) for found in broken(other, body)]
            wrong += [(taken.name, model, "vanished", fact) for fact in vanished(told.asked, back, told.losses)]
            is_openai = '"video_url"' not in json.dumps(body)  # which other vendors of Chat take
            if model == MODELS[other] and is_openai and (error := refused_by_types(other, body)):
                wrong.append((taken.name, model, error[:500]))

    assert wrong == []


def asking(id: str, *, is_stream: bool) -> ChatRequest:
    """Somebody who wants to see everything there is."""
    wish = (
        Reasoning(budget_tokens=4096, show=True, member="enabled")
        if id == "anthropic"
        else Reasoning(effort="high", show=True)
    )
    return ChatRequest(model="m", turns=(), reasoning=wish, stream=Streaming(on=is_stream, usage=is_stream), dialect=id)


def told(id: str, taken: Recording) -> list[Event]:
    """The events of a recorded answer."""
    dialect = dialect_of(id)
    if not taken.is_stream:
        return unfold(dialect.decode_reply(taken.body))
    reader = dialect.reader()
    return reader.feed(taken.body) + reader.finish()


def recorded(id: str, provider: str) -> list[tuple[Recording, list[Event]]]:
    both = [*answers(id), *streams(id)]
    return [(taken, told(id, taken)) for taken in both if taken.provider == provider]


@needs_corpus
@every_group
def test_answers(one: str, other: str, provider: str) -> None:
    """The other format's SDK reads the answer, whole and streamed alike, and nothing of it has changed."""
    wrong: list[Any] = []
    for taken, events in recorded(one, provider):
        if isinstance(events[-1], Failed):
            continue
        reply = fold(events)
        dialect, writer = dialect_of(other), dialect_of(other).writer(asking(other, is_stream=True))
        whole = dialect.encode_reply(reply, [], asking(other, is_stream=False))
        stream = b"".join(map(writer.feed, events)) + writer.finish()
        for read, body in ((WHOLE[other], whole), (STREAMED[other], stream)):
            try:
                read(body)
            except (AssertionError, ValueError, RuntimeError, TypeError) as error:
                wrong.append((taken.name, repr(error)[:500]))
        reader = dialect.reader()
        back = [dialect.decode_reply(whole), fold(reader.feed(stream) + reader.finish())]
        for form, found in zip(("whole", "streamed"), back, strict=True):
            wrong += [(taken.name, form, *change) for change in changed(reply, found, other)]

    assert wrong == []


def changed(reply: ChatReply, found: ChatReply, other: str) -> list[Any]:
    wrong: list[Any] = []
    for before, after in zip(reply.choices, found.choices, strict=True):
        first, second = said(before, other), said(after, other)
        if before.finish.kind == "error":
            del first["finish"]
        wrong += [(key, first[key], second[key]) for key in first if first[key] != second[key]]
    if reply.usage is not None and counted(reply.usage) != counted(found.usage):
        wrong.append(("usage", reply.usage, found.usage))
    return wrong


def said(choice: Choice, other: str) -> dict[str, Any]:
    """What every format can say. A call that the vendor broke off is a loss of the vendor's, however the format names it."""
    calls = [part for part in choice.parts if isinstance(part, ToolCall)]
    finish = "stop" if choice.finish.kind == "paused" else choice.finish.kind
    return {
        "text": "".join(part.text for part in choice.parts if isinstance(part, Text | Refusal)).strip(),
        "thoughts": "".join("".join(part.text for part in choice.parts if isinstance(part, Thinking)).split()),
        "calls": [(call.name, json.loads(call.arguments or "{}")) for call in calls],
        "pictures": [part.kind for part in choice.parts if isinstance(part, Media)] if other != "anthropic" else [],
        "finish": finish,
    }


def counted(usage: Usage | None) -> dict[str, int]:
    """Tokens in, all together, and the meters that every format has."""
    if usage is None:
        return {}
    into = (Meter.INPUT, Meter.INPUT_CACHED, Meter.CACHE_WRITE, Meter.CACHE_WRITE_1H, Meter.AUDIO_IN)
    found = {"in": sum(usage.units.get(meter, 0) for meter in into)}
    return found | {meter: usage.units[meter] for meter in BOUNDED if usage.units.get(meter)}


@needs_corpus
@every_group
def test_turn_after(one: str, other: str, provider: str) -> None:
    """A client of the other format answers the calls, and the vendor gets its own ids and signatures back with it."""
    wrong: list[Any] = []
    for taken in answers(one):
        if taken.provider != provider:
            continue
        reply = dialect_of(one).decode_reply(taken.body)
        parts = [part for choice in reply.choices[:1] for part in choice.parts]
        calls = [part for part in parts if isinstance(part, ToolCall)]
        if not calls:
            continue
        answer = dialect_of(other).encode_reply(reply, [], asking(other, is_stream=False))
        request = dialect_of(other).decode_request(next_request(other, answer))
        again = translate(request, one, MODELS[one])
        assert again.body is not None
        body = again.body.decode()
        wrong += [(taken.name, found) for found in broken(one, json.loads(body))]
        wrong += [(taken.name, "id", call.id) for call in calls if call.id not in body and one != "gemini"]
        if body.count(RESULT) != len(calls):
            wrong.append((taken.name, "results", body.count(RESULT)))
        sealed = [part.seal for part in parts if isinstance(part, ToolCall | Thinking) and part.seal]
        for seal in sealed if one != "openai_chat" else ():
            wrong += [
                (taken.name, "seal", mark[:40]) for mark in marks(msgspec.json.decode(seal.data)) if mark not in body
            ]

    assert wrong == []


def marks(value: Any) -> list[str]:
    """The long strings in vendor state: signatures and encrypted traces."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [mark for one in value for mark in marks(one)]
    return [value] if isinstance(value, str) and len(value) > 60 else []
