"""A film asked for through chat: accepted as a task, told about while it is made, and given as a link in the end.

The task does not need the conversation: a customer who hangs up finds it again by its id.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import msgspec

from yibu.dialects.dialect import ChatDialect
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import InvalidMedia, InvalidRequest, NotFound
from yibu.hub.estimate import estimate_text
from yibu.hub.events import Event, Finished, Metered, Opened, PartClosed, PartOpened, TextDelta
from yibu.hub.fold import fold
from yibu.hub.loss import Loss
from yibu.hub.media import FileRef, Inline, Source, Url
from yibu.hub.options import Plain
from yibu.hub.parts import Text
from yibu.hub.reply import Finish
from yibu.hub.usage import Meter, Usage
from yibu.hub.work import Orientation
from yibu.kit.db import DatabaseAway
from yibu.kit.ids import new_id, now_ms
from yibu.kit.images import NotAPicture, Picture, fit, open_picture, parse_data_url
from yibu.ledger.calls import CallRow
from yibu.relay import headers, links, transcript
from yibu.relay.call import Call, Outcome, Wires
from yibu.relay.film_wish import DEFAULT_SECONDS, FilmWish, understand
from yibu.relay.inline import fetch
from yibu.relay.reply import Reply
from yibu.tasks.films import KIND, Order, price
from yibu.tasks.task import Place, State, Task

DOT_S = 3.0
"""How long the narrator is silent before it adds a dot."""
SIZES: dict[bool, dict[Orientation, tuple[int, int]]] = {
    False: {"portrait": (720, 1280), "landscape": (1280, 720)},
    True: {"portrait": (1024, 1792), "landscape": (1792, 1024)},
}
"""By `is_pro`. Source: OpenAI, *Video generation with Sora*, read 2026-11-20."""


async def as_chat(call: Call, reply: Reply, wires: Wires, outcome: Outcome) -> None:
    """Raises `HubError` while nothing was accepted; from then on the answer says how it ended."""
    dialect = cast(ChatDialect, call.dialect)
    request = dialect.decode_request(call.intent.body, call.intent.target)
    _note_losses(request, outcome)
    task, wish = await _accept(call, request, wires)
    outcome.task_id = task.id
    outcome.channel, outcome.upstream_model = task.where.channel, task.where.model
    events = _events(call, request, task, wish, wires)
    if request.stream.on:
        writer = dialect.writer(request)
        head = headers.of_stream(dialect.answer_type(call.intent), task.where.channel, outcome.losses)
        await reply.start(200, head, is_stream=True, ping=dialect.ping)
        async for event in events:
            if frame := writer.feed(event):
                await reply.write(frame)
        await reply.write(writer.finish())
        await reply.end()
    else:
        answer = fold([event async for event in events])
        final = await wires.engine.find(task.id)
        cost = headers.price(final.cost if final else 0)
        head = [headers.JSON, headers.channel(task.where.channel), cost, *headers.losses(outcome.losses)]
        await reply.whole(200, head, call.dialect.encode_reply(answer, outcome.losses))


async def _accept(call: Call, request: ChatRequest, wires: Wires) -> tuple[Task, Order]:
    wish = understand(request)
    parent = await _parent(wish, call, wires)
    # What a film costs does not depend on its picture: who cannot pay makes us fetch and cut nothing.
    await wires.engine.check_credit(call.wallet, price(_order(call, wish, parent, None), call.plan.sheet))
    picture = await _picture(wish, call, wires)
    order = _order(call, wish, parent, picture)
    if picture:
        order = await _keep_picture(order, picture, call, wires)
    places = [Place(a.channel.name, a.credential, a.model) for a in call.plan.attempts]
    if parent:
        places = [parent.where]
    now = now_ms()
    task = Task(
        id=new_id("task"),
        kind=KIND,
        wallet=call.wallet,
        key_id=call.key_id,
        request_id=call.request_id,
        model=call.intent.model,
        request=msgspec.json.encode(order).decode(),
        places=msgspec.json.encode(places).decode(),
        hold_amount=price(order, call.plan.sheet),
        sheet=msgspec.json.encode(call.plan.sheet).decode(),
        created_at=now,
        next_at=now,
        deadline_at=now + int(wires.deadline_s * 1000),
    )
    return await wires.engine.accept(task, _log_row(call, task)), order


def _order(call: Call, wish: FilmWish, parent: Task | None, picture: Picture | None) -> Order:
    is_pro = call.intent.model.startswith("sora-2-pro")
    if parent:
        was = msgspec.json.decode(parent.request, type=Order)
        return Order(
            prompt=wish.prompt, seconds=was.seconds, size=was.size, parent=parent.id, remix_of=parent.upstream_id
        )
    orientation = wish.orientation or (_orientation_of(picture) if picture else "portrait")
    # A change to a film that cannot be found any more, or was never made: the earlier words still count.
    prompt = f"{wish.history}\n{wish.prompt}" if wish.history else wish.prompt
    return Order(prompt=prompt, seconds=wish.seconds or DEFAULT_SECONDS, size=SIZES[is_pro][orientation])


def _orientation_of(picture: Picture) -> Orientation:
    return "landscape" if picture.width > picture.height else "portrait"


async def _parent(wish: FilmWish, call: Call, wires: Wires) -> Task | None:
    """The newest of the earlier films that is the customer's own; ids of others are as good as none, and of a film that
    failed there is nothing to change."""
    for name in wish.parents:
        file = await wires.files.find(name) if name.startswith("file_") else None
        task = await wires.engine.find(file.task_id if file else f"task_{name}")
        if task is None or task.wallet != call.wallet or task.kind != KIND:
            continue
        if task.state in (State.FAILED, State.EXPIRED):
            continue
        if task.state is not State.DONE:
            raise InvalidRequest(
                f"The film `{task.id}` cannot be changed, because it is {task.state}. Wait until it is done, or start afresh."
            )
        if task.model != call.intent.model:  # its vendor changes it with the model that made it, at that one's price
            raise InvalidRequest(
                f"The film `{task.id}` was made by `{task.model}`. Ask that model to change it, or start afresh without its id.",
                param="$.model",
            )
        if wires.directory().channel(task.where.channel) is None:
            raise NotFound(
                f"The account that made the film `{task.id}` is no longer there. Start afresh without its id."
            )
        return task
    return None


async def _picture(wish: FilmWish, call: Call, wires: Wires) -> Picture | None:
    """Raises `InvalidMedia`."""
    if wish.picture is None:
        return None
    data = await _bytes(wish.picture, wish.picture_at, call, wires)
    try:
        return await asyncio.to_thread(open_picture, data)
    except NotAPicture as exc:
        raise InvalidMedia(f"The picture could not be used: {exc}.", param=wish.picture_at) from exc


async def _bytes(source: Source, where: str, call: Call, wires: Wires) -> bytes:
    """A link of ours is its own proof here as it is in a browser, whoever's wallet the file belongs to: to name another
    `Host` than ours gains nothing without the 160 random bits of an id."""
    match source:
        case Url(url):
            ours = f"{call.public_url}/v1/files/"
            if url.startswith(ours):
                file = await wires.files.find(url.removeprefix(ours).partition(".")[0])
                if file is None:
                    raise InvalidMedia("The picture's link has expired, or it never was one of ours.", param=where)
                if not file.mime.startswith("image/"):
                    raise InvalidMedia("The link leads to a film, not to a picture.", param=where)
                return await wires.files.read(file.id)
            return (await fetch(url, where, wires.fetcher)).bytes
        case Inline(text, mime):
            try:
                return parse_data_url(f"data:{mime};base64,{text}")[1]
            except NotAPicture as exc:
                raise InvalidMedia(f"The picture could not be read: {exc}.", param=where) from exc
        case FileRef():
            raise InvalidMedia("Uploaded files cannot be filmed; send the picture as a URL or a data URL.", param=where)


async def _keep_picture(order: Order, picture: Picture, call: Call, wires: Wires) -> Order:
    """The first frame has to have the film's own size, or vendors refuse it."""
    data = await asyncio.to_thread(fit, picture, order.size, "jpeg")
    kept = await wires.files.store(data, wallet=call.wallet, kind="picture", mime="image/jpeg")
    await wires.files.publish(kept)
    return msgspec.structs.replace(order, picture=kept.id, picture_mime=kept.mime)


async def _events(call: Call, request: ChatRequest, task: Task, order: Order, wires: Wires) -> AsyncIterator[Event]:
    """The answer in normal form, as it comes about."""
    said: list[str] = []

    def say(words: str) -> TextDelta:
        said.append(words)
        return TextDelta(0, 0, words)

    yield Opened(f"chatcmpl-{task.id}", call.intent.model, call.started_at // 1000)
    yield PartOpened(0, 0, Text(""))
    orientation: Orientation = "landscape" if order.size[0] > order.size[1] else "portrait"
    preview = links.of_preview(call.public_url, task.id, wires.signer)
    source = links.of_source(call.public_url, task.id, wires.signer)
    for words in transcript.opening(order.prompt, orientation, order.seconds, task.id, preview, source):
        yield say(words)
    narrator = transcript.Narrator()
    async for now, patience in _states(task, wires):
        task = now
        if words := narrator.tell(task, patience=patience):
            yield say(words)
    yield say(await _ending(call, task, wires))
    yield PartClosed(0, 0)
    yield Finished(0, Finish("filtered" if task.is_policy else "stop"))
    prompt_tokens = sum(estimate_text(p.text) for t in request.turns for p in t.parts if isinstance(p, Text))
    yield Metered(Usage({Meter.INPUT: prompt_tokens, Meter.OUTPUT: estimate_text("".join(said))}, is_estimated=True))


async def _states(task: Task, wires: Wires) -> AsyncIterator[tuple[Task, bool]]:
    """The task at each change, and every few seconds without one; ends with its final state."""
    yield task, False
    while not task.state.is_final:
        before = task
        await wires.engine.changed(task.id, DOT_S)
        try:
            task = await wires.engine.find(task.id) or task
        except DatabaseAway:
            continue
        yield task, (task.progress, task.state) == (before.progress, before.state)


async def _ending(call: Call, task: Task, wires: Wires) -> str:
    if task.state is not State.DONE:
        return transcript.failure(task)
    files = await wires.files.of_task(task.id)
    film, thumbnail = files.get("video"), files.get("thumbnail")
    sid = task.id.replace("task_", "s_", 1)
    if film is None:  # whoever reads slowly enough, or a house that keeps its films for minutes
        return transcript.expired(sid)
    return transcript.success(
        sid, links.of_file(call.public_url, film), links.of_file(call.public_url, thumbnail) if thumbnail else ""
    )


def _note_losses(request: ChatRequest, outcome: Outcome) -> None:
    """What a film has no use for."""
    if request.tools:
        outcome.losses.append(Loss("dropped", "$.tools", "a film calls no tools"))
    if (request.limits.choices or 1) > 1:
        outcome.losses.append(Loss("dropped", "$.n", "one film a call"))
    if not isinstance(request.output, Plain):
        outcome.losses.append(Loss("dropped", "$.response_format", "the answer is a link"))


def _log_row(call: Call, task: Task) -> CallRow:
    return CallRow(
        request_id=call.request_id,
        started_at=call.started_at,
        wallet=call.wallet,
        key_id=call.key_id,
        model=call.intent.model,
        upstream_model=task.where.model,
        channel=task.where.channel,
        dialect=call.dialect.id,
        operation="chat",
        is_stream=call.intent.is_stream,
        task_id=task.id,
    )
