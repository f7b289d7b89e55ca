import asyncio
from typing import Any

import pytest

from yibu.relay import reply as replies
from yibu.relay.reply import PING, Gone, Message, Reply

ALWAYS = [(b"x-request-id", b"req_1")]


class Customer:
    """The server's side of ASGI: keeps what is sent; `hang_up` says that the connection is gone."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.hung_up = asyncio.Event()
        self.is_reading = asyncio.Event()
        self.is_reading.set()
        self.error: Exception | None = None

    async def send(self, message: Message) -> None:
        await self.is_reading.wait()
        if self.error:
            raise self.error
        self.sent.append(message)

    async def receive(self) -> Message:
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self) -> list[bytes]:
        return [message["body"] for message in self.sent[1:]]


@pytest.fixture
def customer() -> Customer:
    return Customer()


def open_reply(customer: Customer, **options: Any) -> Reply:
    return Reply(customer.send, customer.receive, ALWAYS, **options)


async def test_an_answer_in_one_piece(customer: Customer) -> None:
    """With its length, the headers of every answer, and an end."""
    await open_reply(customer).whole(200, [(b"content-type", b"text/plain")], b"hello")

    assert customer.sent == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5"), *ALWAYS],
        },
        {"type": "http.response.body", "body": b"hello", "more_body": False},
    ]


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_content_has_no_length(status: int, customer: Customer) -> None:
    """RFC 9110, section 8.6: of a 304 it would be the length of the whole, of a 204 it is forbidden."""
    await open_reply(customer).whole(status, [], b"")

    assert customer.sent[0]["headers"] == ALWAYS


async def test_an_answer_to_head_has_a_length_and_no_body(customer: Customer) -> None:
    await open_reply(customer, is_head=True).whole(200, [], b"hello")

    assert (b"content-length", b"5") in customer.sent[0]["headers"]
    assert customer.body == [b""]


async def test_a_stream_to_head_has_no_body(customer: Customer) -> None:
    reply = open_reply(customer, is_head=True)
    await reply.start(200, [])
    await reply.write(b"hello")
    await reply.end()

    assert b"".join(customer.body) == b""


async def test_a_stream_is_sent_as_it_comes(customer: Customer) -> None:
    """Each piece by itself; `before_end` is called when all but the end is out."""
    reply = open_reply(customer)
    before_end: list[int] = []
    reply.before_end = lambda: before_end.append(len(customer.sent))
    await reply.start(200, [], is_stream=True)
    await reply.write(b"data: 1\n\n")
    await reply.write(b"data: 2\n\n")
    await reply.end()

    assert customer.body == [b"data: 1\n\n", b"data: 2\n\n", b""]
    assert [message["more_body"] for message in customer.sent[1:]] == [True, True, False]
    assert before_end == [3]
    assert (reply.has_started, reply.status, reply.is_gone) == (True, 200, False)


@pytest.mark.parametrize("error", [OSError("broken pipe"), ConnectionResetError(), RuntimeError("transport closed")])
async def test_nothing_is_written_to_a_customer_who_has_gone(error: Exception, customer: Customer) -> None:
    """And nothing breaks: the call goes on to its books."""
    reply = open_reply(customer)
    await reply.start(200, [], is_stream=True)
    customer.error = error
    await reply.write(b"data: 1\n\n")
    customer.error = None
    await reply.write(b"data: 2\n\n")
    await reply.end()

    assert reply.is_gone
    assert len(customer.sent) == 1


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pings are due after no time at all."""
    monkeypatch.setattr(replies, "PING_S", 0.01)


@pytest.mark.usefixtures("_impatient")
async def test_a_silent_stream_is_kept_open(customer: Customer) -> None:
    """With a comment, also before its first frame."""
    reply = open_reply(customer)
    await reply.start(200, [], is_stream=True)
    await asyncio.sleep(0.05)
    await reply.write(b"data: 1\n\n")
    await reply.end()

    assert PING in customer.body
    assert customer.body[-2:] == [b"data: 1\n\n", b""]


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("ping", [b"", b"event: ping\n\n"])
async def test_a_format_says_what_keeps_its_streams_open(ping: bytes, customer: Customer) -> None:
    """It may be a frame of its own, or nothing where clients know no comments."""
    reply = open_reply(customer)
    await reply.start(200, [], is_stream=True, ping=ping)
    await asyncio.sleep(0.05)
    await reply.end()

    assert set(customer.body) == {ping, b""}


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    ("pieces", "is_pinged"),
    [
        ([b"data: 1\n\n"], True),
        ([b"data: 1\r\n\r\n"], True),
        ([b"data: 1\n", b"\n"], True),
        ([b"data: 1\n\n", b""], True),
        ([b"data: half"], False),
        ([b"data: 1\n\ndata: 2"], False),
        ([b"data: 1\n\n", b"data: 2\n"], False),
    ],
)
async def test_a_comment_stands_between_frames_only(pieces: list[bytes], is_pinged: bool, customer: Customer) -> None:
    """Never inside of one."""
    reply = open_reply(customer)
    await reply.start(200, [], is_stream=True)
    for piece in pieces:
        await reply.write(piece)
    before = len(customer.sent)
    await asyncio.sleep(0.05)
    await reply.end()

    assert (PING in customer.body[before - 1 :]) is is_pinged


@pytest.mark.usefixtures("_impatient")
async def test_a_comment_does_not_overtake_a_customer_who_reads_slowly(customer: Customer) -> None:
    """One message at a time, and the end comes after the last of them."""
    reply = open_reply(customer)
    await reply.start(200, [], is_stream=True)
    customer.is_reading.clear()
    await asyncio.sleep(0.05)
    ending = asyncio.create_task(reply.end())
    await asyncio.sleep(0.01)
    customer.is_reading.set()
    await ending
    await asyncio.sleep(0.03)

    assert customer.body == [PING, b""]


async def test_a_comment_never_comes_after_the_end(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when it was due at that very moment."""
    reply = open_reply(customer)
    await reply.start(200, [], is_stream=True)
    monkeypatch.setattr(replies, "PING_S", 0.0)
    reply._maybe_ping()
    await reply.end()
    await asyncio.sleep(0.01)

    assert customer.body == [PING, b""]


@pytest.mark.usefixtures("_impatient")
async def test_an_answer_that_is_no_stream_gets_no_comments(customer: Customer) -> None:
    reply = open_reply(customer)
    await reply.start(200, [])
    await asyncio.sleep(0.05)
    await reply.end()

    assert customer.body == [b""]


async def hang_up_and_work(customer: Customer, reply: Reply, *, grace_s: float) -> None:
    async with reply.watching(grace_s):
        customer.hung_up.set()
        await asyncio.sleep(10)


async def test_who_hangs_up_stops_the_call(customer: Customer) -> None:
    """`Gone` comes out, and whoever waited for the task sees no cancellation."""
    reply = open_reply(customer)
    with pytest.raises(Gone):
        await hang_up_and_work(customer, reply, grace_s=0.0)

    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0
    assert reply.is_gone
    await asyncio.sleep(0)


async def test_a_call_may_go_on_for_a_while(customer: Customer) -> None:
    """What is done within the grace is done; nothing is sent any more."""
    reply = open_reply(customer)
    async with reply.watching(5.0):
        await reply.start(200, [])
        customer.hung_up.set()
        await asyncio.sleep(0.01)
        await reply.write(b"lost")
        await reply.end()

    assert reply.is_gone
    assert len(customer.sent) == 1


async def test_the_grace_has_an_end(customer: Customer) -> None:
    started = asyncio.get_running_loop().time()
    with pytest.raises(Gone):
        await hang_up_and_work(customer, open_reply(customer), grace_s=0.05)

    assert 0.04 < asyncio.get_running_loop().time() - started < 2


async def test_a_cancellation_from_outside_stays_one(customer: Customer) -> None:
    """A server that shuts down is not a customer who went."""
    reply = open_reply(customer)

    async def work() -> None:
        async with reply.watching(0.0):
            await asyncio.sleep(10)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_call_comes_out(customer: Customer) -> None:
    watch = open_reply(customer).watching(0.0)

    with pytest.raises(ZeroDivisionError):
        async with watch:
            raise ZeroDivisionError
