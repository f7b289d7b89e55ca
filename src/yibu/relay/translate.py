"""The long way: the request is understood, written in the vendor's dialect, and the answer is written in the customer's."""

import msgspec

from yibu.dialects import chat_dialects
from yibu.dialects.dialect import ChatDialect
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken, HubError, InvalidRequest
from yibu.hub.estimate import TextMeter
from yibu.hub.events import Event, Failed, Metered
from yibu.hub.fold import error_of
from yibu.hub.usage import Usage
from yibu.kit.http import HttpFailed, Response
from yibu.relay import headers
from yibu.relay.call import Call, Outcome, Wires, bill, metered
from yibu.relay.inline import inline_media
from yibu.relay.reply import Reply
from yibu.relay.upstream import MOST_REPLY_BYTES, broken, send
from yibu.routing.plan import Attempt


async def translate(call: Call, attempt: Attempt, reply: Reply, wires: Wires, outcome: Outcome) -> None:
    """Raises `HubError` while nothing was sent to the customer; afterwards it is in `outcome.error`."""
    spoken = chat_dialects()[attempt.dialect]
    request = call.dialect.decode_request(call.intent.body)
    if request.bound and spoken.id != request.dialect:
        raise _unknown_there(request)
    if attempt.channel.inline_media:
        request = await inline_media(request, wires.fetcher)
    stream = msgspec.structs.replace(request.stream, usage=request.stream.on)
    asked = msgspec.structs.replace(request, model=attempt.model, stream=stream)
    body = spoken.encode_request(asked, outcome.losses)
    response = await send(call, attempt, spoken, body, outcome.losses, wires)
    try:
        if call.intent.is_stream:
            await _stream(call, attempt, spoken, request, response, reply, outcome)
        else:
            await _whole(call, attempt, spoken, response, reply, outcome)
    finally:
        await response.close()


async def _whole(
    call: Call, attempt: Attempt, spoken: ChatDialect, response: Response, reply: Reply, outcome: Outcome
) -> None:
    try:
        answer = spoken.decode_reply(await response.read(MOST_REPLY_BYTES))
    except HttpFailed as exc:
        raise broken(exc) from exc
    body = call.dialect.encode_reply(answer, outcome.losses)
    outcome.first_byte_ms = call.elapsed_ms()
    meter = TextMeter()
    meter.feed_reply(answer)
    outcome.usage = metered(answer.usage, call, meter.tokens, was_accepted=True)
    cost = headers.price(bill(outcome.usage, call.plan))
    head = [headers.JSON, headers.channel(attempt.channel.name), cost, *headers.losses(outcome.losses)]
    await reply.whole(200, head, body)


async def _stream(
    call: Call,
    attempt: Attempt,
    spoken: ChatDialect,
    request: ChatRequest,
    response: Response,
    reply: Reply,
    outcome: Outcome,
) -> None:
    reader, writer = spoken.reader(), call.dialect.writer(request)
    heard = _Heard()
    try:
        async for chunk in response.chunks():
            events = reader.feed(chunk)
            heard.listen(events)
            if not reply.has_started:
                if heard.failed:
                    raise heard.failed
                if not events:
                    continue
                outcome.first_byte_ms = call.elapsed_ms()
                await reply.start(200, headers.of_stream(attempt.channel.name, outcome.losses), is_stream=True)
            if ready := b"".join(map(writer.feed, events)):
                await reply.write(ready)
        events = reader.finish()
        heard.listen(events)
        if reply.has_started:
            await reply.write(b"".join(map(writer.feed, events)) + writer.finish())
            outcome.error = heard.failed
        else:
            outcome.error = heard.failed or Broken("The vendor's answer was empty.")
    except HttpFailed as exc:
        outcome.error = broken(exc)
        if reply.has_started:
            await reply.write(call.dialect.encode_stream_error(outcome.error, call.request_id))
    finally:
        was_accepted = reply.has_started and ((outcome.error or heard.failed) is None or heard.meter.tokens > 0)
        outcome.usage = metered(heard.usage, call, heard.meter.tokens, was_accepted=was_accepted)
    if outcome.error and not reply.has_started:
        error, outcome.error = outcome.error, None
        raise error
    await reply.end()


def _unknown_there(request: ChatRequest) -> InvalidRequest:
    path = request.bound[0]
    return InvalidRequest(
        f"`{path}` stands for something that only the vendor who made it has, and this model is served by another one. "
        "Send the content itself.",
        param=path,
    )


class _Heard:
    """What the tap of the pipe knows, learnt from events."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.failed: HubError | None = None
        self.meter = TextMeter()

    def listen(self, events: list[Event]) -> None:
        for event in events:
            self.meter.feed_event(event)
            if isinstance(event, Metered):
                self.usage = event.usage
            elif isinstance(event, Failed):
                self.failed = error_of(event)
