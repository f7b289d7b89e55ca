"""The short way and the long way give the same: every recorded answer goes through both, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from aiohttp import web

from tests.corpus import Recording, answers, name_of, needs_corpus, streams
from tests.house import free_port
from yibu.catalog.model import Model
from yibu.catalog.price import Sheet
from yibu.dialects import chat_dialects
from yibu.dialects.dialect import Operation
from yibu.hub.errors import HubError
from yibu.hub.events import Event, Failed
from yibu.hub.fold import fold
from yibu.hub.parts import Refusal, Text, Thinking, ToolCall
from yibu.hub.reply import ChatReply
from yibu.hub.usage import Meter
from yibu.kit.http import Client
from yibu.kit.settings import Limits
from yibu.providers.openai import OpenAI
from yibu.relay.call import Call, Outcome, Wires, bill
from yibu.relay.pipe import pipe
from yibu.relay.reply import Message, Reply
from yibu.relay.seals import Seals
from yibu.relay.translate import translate
from yibu.routing.channel import Channel
from yibu.routing.credentials import Credentials
from yibu.routing.plan import Attempt, Plan

CHAT = chat_dialects()["openai_chat"]
# A different price for each meter, so that no two mistakes even out.
SHEET = Sheet("m", {meter: 1_000_000 * prime for meter, prime in zip(Meter, (2, 3, 5, 7, 11, 13, 17), strict=False)})


class Vendor:
    """Answers every request with `recording`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.recording: Recording | None = None

    async def answer(self, _request: web.Request) -> web.Response:
        assert self.recording
        kind = "text/event-stream" if self.recording.is_stream else "application/json"
        return web.Response(body=self.recording.body, content_type=kind)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vendor() -> AsyncIterator[Vendor]:
    made = Vendor()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[Client]:
    made = Client()
    yield made
    await made.close()


async def carry(
    carrier: Any, taken: Recording, vendor: Vendor, client: Client
) -> tuple[Outcome, bytes, HubError | None]:
    """How it went, what the customer got, and the error if there was one before the first byte."""
    vendor.recording = taken
    channel = Channel(
        "c", OpenAI(), f"http://127.0.0.1:{vendor.port}", ("",), {"m": "m"}, {"openai_chat": Operation.CHAT}
    )
    attempt = Attempt(channel, 0, "m", "openai_chat")
    body = (
        b'{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":%s,"stream_options":{"include_usage":true}}'
        % (b"true" if taken.is_stream else b"false")
    )
    call = Call(
        request_id="req_1",
        key_id="key_1",
        wallet=1,
        dialect=CHAT,
        intent=CHAT.sniff(body),
        plan=Plan(Model("m"), SHEET, (attempt,)),
        public_url="http://127.0.0.1",
        started_at=0,
    )
    wires = cast(Wires, FewWires(client))
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    reply = Reply(send, asyncio.Event().wait, [])  # type: ignore[arg-type]
    outcome = Outcome()
    try:
        await carrier(call, attempt, reply, wires, outcome)
    except HubError as error:
        return outcome, b"".join(sent), error
    return outcome, b"".join(sent), None


class FewWires:
    """What these two carriers use of the wires."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.credentials = Credentials(client)
        self.limits = Limits()
        self.seals = Seals()
        self.fetcher = None


def understood(body: bytes, *, is_stream: bool) -> ChatReply | Failed:
    """What a client makes of it."""
    if not is_stream:
        return CHAT.decode_reply(body)
    reader = CHAT.reader()
    events: list[Event] = [*reader.feed(body), *reader.finish()]
    failures = [event for event in events if isinstance(event, Failed)]
    return failures[0] if failures else fold(events)


def words(reply: ChatReply) -> list[Any]:
    """Texts, thoughts, calls and ends of each choice."""
    return [
        (
            [
                part.text if isinstance(part, Text | Thinking | Refusal) else (part.name, part.arguments)
                for part in choice.parts
                if isinstance(part, Text | Thinking | Refusal | ToolCall)
            ],
            choice.finish.kind,
        )
        for choice in reply.choices
    ]


@needs_corpus
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("taken", [*answers("openai-chat"), *streams("openai-chat")], ids=name_of)
async def test_same_bill_words_and_end(taken: Recording, vendor: Vendor, client: Client) -> None:
    """Cost, text, tool calls and finish reasons agree; or both ways fail alike."""
    short, piped, short_error = await carry(pipe, taken, vendor, client)
    long, translated, long_error = await carry(translate, taken, vendor, client)

    assert type(short_error) is type(long_error)
    assert type(short.error) is type(long.error)
    plan = Plan(Model("m"), SHEET, ())
    assert bill(short.usage, plan) == bill(long.usage, plan)
    if short_error:
        return
    first, second = understood(piped, is_stream=taken.is_stream), understood(translated, is_stream=taken.is_stream)
    if isinstance(first, Failed):
        assert isinstance(second, Failed)
        return
    assert isinstance(second, ChatReply)
    assert words(first) == words(second)


@needs_corpus
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("taken", [*answers("openai-chat"), *streams("openai-chat")], ids=name_of)
async def test_pipe_changes_nothing(taken: Recording, vendor: Vendor, client: Client) -> None:
    """A customer who asked for usage gets the vendor's bytes as they are."""
    outcome, piped, error = await carry(pipe, taken, vendor, client)

    if error is None and outcome.error is None:
        assert piped == taken.body
