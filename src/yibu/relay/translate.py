"""The long way: the request is understood, written in the vendor's dialect, and the answer is written in the customer's."""

from typing import Any, cast

import msgspec

from yibu.dialects import spoken_dialects
from yibu.dialects.dialect import ChatDialect, Operation, VendorDialect
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken, HubError, InvalidRequest, WouldLose
from yibu.hub.estimate import TextMeter
from yibu.hub.events import Event, Failed, Metered, Opened
from yibu.hub.fold import error_of
from yibu.hub.loss import Losses
from yibu.hub.reply import ChatReply
from yibu.hub.usage import Usage
from yibu.kit.http import HttpFailed, Response
from yibu.relay import headers
from yibu.relay.batches import gather, split
from yibu.relay.call import Call, Outcome, Wires, bill, metered
from yibu.relay.fit import fit
from yibu.relay.inline import ALL, inline_media
from yibu.relay.reply import Reply
from yibu.relay.seals import Gatherer
from yibu.relay.stream import write
from yibu.relay.upstream import MOST_REPLY_BYTES, broken, send
from yibu.routing.plan import Attempt


async def translate(call: Call, attempt: Attempt, reply: Reply, wires: Wires, outcome: Outcome) -> None:
    """Raises `HubError` while nothing was sent to the customer; afterwards it is in `outcome.error`."""
    spoken = spoken_dialects()[attempt.dialect]
    request = call.dialect.decode_request(call.intent.body, call.intent.target)
    asked = msgspec.structs.replace(request, model=attempt.model)
    if call.dialect.operation is Operation.CHAT:
        asked = await _fit(asked, call, attempt, cast(ChatDialect, spoken), wires)
    parts = split(asked, spoken)
    body = spoken.encode_request(parts[0], outcome.losses)
    if call.refuses_loss or call.plan.model.on_loss == "refuse":
        _refuse(outcome.losses)
    if len(parts) > 1:
        answer = await gather(call, attempt, spoken, parts, outcome.losses, wires)
        await _answer(call, attempt, request, answer, reply, wires, outcome)
        return
    response = await send(call, attempt, spoken, body, outcome.losses, wires)
    try:
        if call.intent.is_stream:
            await _stream(call, attempt, cast(ChatDialect, spoken), request, asked, response, reply, wires, outcome)
        else:
            await _whole(call, attempt, spoken, request, asked, response, reply, wires, outcome)
    finally:
        await response.close()


async def _fit(request: ChatRequest, call: Call, attempt: Attempt, spoken: ChatDialect, wires: Wires) -> ChatRequest:
    """The request with what the vendor or its format cannot do without: usage, a ceiling, its own state, media inside."""
    if request.bound and spoken.id != request.dialect:
        raise _unknown_there(request)
    request = wires.seals.restore(call.wallet, request, spoken.id)
    request = await inline_media(request, ALL if attempt.channel.inline_media else spoken.by_value, wires.fetcher)
    if spoken.needs_ceiling and request.limits.max_output_tokens is None:
        ceiling = msgspec.structs.replace(request.limits, max_output_tokens=call.plan.model.max_output_tokens)
        request = msgspec.structs.replace(request, limits=ceiling)
    return msgspec.structs.replace(request, stream=msgspec.structs.replace(request.stream, usage=request.stream.on))


async def _whole(
    call: Call,
    attempt: Attempt,
    spoken: VendorDialect,
    request: Any,
    asked: Any,
    response: Response,
    reply: Reply,
    wires: Wires,
    outcome: Outcome,
) -> None:
    try:
        answer = spoken.decode_reply(await response.read(MOST_REPLY_BYTES), asked)
    except HttpFailed as exc:
        raise broken(exc) from exc
    await _answer(call, attempt, request, answer, reply, wires, outcome)


async def _answer(
    call: Call, attempt: Attempt, request: Any, answer: Any, reply: Reply, wires: Wires, outcome: Outcome
) -> None:
    usage = metered(answer.usage, call, _length(answer), was_accepted=True)
    if isinstance(answer, ChatReply):
        wires.seals.remember_reply(call.wallet, answer)
        answer = msgspec.structs.replace(answer, created=answer.created or call.started_at // 1000)
        body = cast(ChatDialect, call.dialect).encode_reply(answer, outcome.losses, request)
    else:
        answer = fit(request, answer, usage, call.request_id)
        body = call.dialect.encode_reply(answer, outcome.losses)
    outcome.first_byte_ms = call.elapsed_ms()
    outcome.usage = usage
    cost = headers.price(bill(outcome.usage, call.plan))
    head = [headers.JSON, headers.channel(attempt.channel.name), cost, *headers.losses(outcome.losses)]
    await reply.whole(200, head, body)


def _length(answer: Any) -> int:
    """Estimated tokens of an answer in words; other answers are sold by what was asked."""
    meter = TextMeter()
    if isinstance(answer, ChatReply):
        meter.feed_reply(answer)
    return meter.tokens


async def _stream(
    call: Call,
    attempt: Attempt,
    spoken: ChatDialect,
    request: ChatRequest,
    asked: ChatRequest,
    response: Response,
    reply: Reply,
    wires: Wires,
    outcome: Outcome,
) -> None:
    caller = cast(ChatDialect, call.dialect)
    reader, writer = spoken.reader(asked), caller.writer(request, outcome.losses)
    heard = _Heard()
    try:
        async for chunk in response.chunks():
            events = _dated(reader.feed(chunk), call)
            heard.listen(events)
            if heard.failed and not reply.has_started:
                raise heard.failed
            if ready := b"".join(map(writer.feed, events)):
                await write(ready, call, attempt, reply, outcome)
            if heard.failed:
                break
        events = _dated(reader.finish(), call)
        heard.listen(events)
        if reply.has_started or (heard.is_opened and not heard.failed):
            await write(b"".join(map(writer.feed, events)) + writer.finish(), call, attempt, reply, outcome)
            outcome.error = heard.failed
            for parts in heard.sealed.choices:
                wires.seals.remember(call.wallet, parts)
        else:
            outcome.error = heard.failed or Broken("The vendor's answer was empty.")
    except HttpFailed as exc:
        outcome.error = broken(exc)
        if reply.has_started:
            await reply.write(call.dialect.encode_stream_error(outcome.error, call.request_id, call.intent.target))
    finally:
        was_accepted = reply.has_started and ((outcome.error or heard.failed) is None or heard.meter.tokens > 0)
        outcome.usage = metered(heard.usage, call, heard.meter.tokens, was_accepted=was_accepted)
    if outcome.error and not reply.has_started:
        error, outcome.error = outcome.error, None
        raise error
    await reply.end()


def _dated(events: list[Event], call: Call) -> list[Event]:
    """OpenAI's formats have to say when an answer was made; Anthropic's and Google's do not tell."""
    if events and isinstance(events[0], Opened) and not events[0].created:
        return [msgspec.structs.replace(events[0], created=call.started_at // 1000), *events[1:]]
    return events


def _refuse(losses: Losses) -> None:
    """A new name for the same thing is no loss."""
    lost = [loss for loss in losses if loss.kind != "renamed"]
    if lost:
        said = "; ".join(f"{loss.kind} `{loss.where}`" + (f" ({loss.detail})" if loss.detail else "") for loss in lost)
        raise WouldLose(
            f"The vendor of this model speaks another format, in which this would be lost: {said}. "
            "Leave it out, or choose a model whose vendor takes it.",
            param=lost[0].where,
        )


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
        self.is_opened = False
        self.failed: HubError | None = None
        self.meter = TextMeter()
        self.sealed = Gatherer()

    def listen(self, events: list[Event]) -> None:
        for event in events:
            self.meter.feed_event(event)
            self.sealed.listen(event)
            self.is_opened = True
            if isinstance(event, Metered):
                self.usage = event.usage
            elif isinstance(event, Failed):
                self.failed = error_of(event)
