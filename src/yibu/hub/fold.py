"""Streamed and whole answers, bridged once for all dialects: `fold` gathers events, `unfold` scatters a reply."""

from collections.abc import Iterable
from typing import assert_never

import msgspec

from yibu.hub.errors import Broken, Busy, Refused, UpstreamError
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
from yibu.hub.media import Inline
from yibu.hub.parts import Citation, Extras, Media, Opaque, Part, Refusal, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.reply import ChatReply, Choice, Finish
from yibu.hub.usage import Usage


def error_of(failed: Failed) -> UpstreamError:
    """The failure of a stream as the error that the same answer would have been without one."""
    kind: type[UpstreamError] = Broken
    if failed.status in (429, 529):
        kind = Busy
    elif 400 <= failed.status < 500:
        kind = Refused
    return kind(failed.message, upstream_status=failed.status, upstream_code=failed.code)


def fold(events: Iterable[Event]) -> ChatReply:
    """The whole answer out of events in normal form.

    Raises `Busy`, `Refused` or `Broken` (by its status) for a `Failed` event, and `Broken` when there is no `Opened`.
    """
    opened: Opened | None = None
    usage: Usage | None = None
    choices: dict[int, _Choice] = {}
    for event in events:
        match event:
            case Opened():
                opened = event
            case Metered():
                usage = event.usage
            case Failed():
                raise error_of(event)
            case PartOpened():
                choices.setdefault(event.choice, _Choice()).open(event.head)
            case TextDelta():
                choices[event.choice].append(event.text, event.logprobs)
            case ThinkingDelta() | ArgumentsDelta():
                choices[event.choice].append(event.text)
            case MediaDelta():
                choices[event.choice].append(event.base64, transcript=event.transcript)
            case PartClosed():
                choices[event.choice].close(event.seal, event.extras)
            case Finished():
                choices.setdefault(event.choice, _Choice()).finish(event)
            case _:
                assert_never(event)
    if opened is None:
        raise Broken
    return ChatReply(
        id=opened.id,
        model=opened.model,
        created=opened.created,
        choices=tuple(choices[index].whole() for index in sorted(choices)),
        usage=usage,
        dialect=opened.dialect,
        extras=opened.extras,
    )


def unfold(reply: ChatReply) -> list[Event]:
    """The events of a whole answer: each part in one delta, the choices one after another."""
    events: list[Event] = [
        Opened(id=reply.id, model=reply.model, created=reply.created, dialect=reply.dialect, extras=reply.extras)
    ]
    for index, choice in enumerate(reply.choices):
        logprobs = choice.logprobs
        for number, part in enumerate(choice.parts):
            head, delta, closed = _scatter(index, number, part, logprobs)
            if isinstance(delta, TextDelta):
                logprobs = None
            events.append(PartOpened(choice=index, part=number, head=head))
            if delta is not None:
                events.append(delta)
            events.append(closed)
        events.append(Finished(choice=index, finish=choice.finish, logprobs=logprobs, extras=choice.extras))
    if reply.usage is not None:
        events.append(Metered(usage=reply.usage))
    return events


def _scatter(
    choice: int, number: int, part: Part, logprobs: msgspec.Raw | None
) -> tuple[Part, Event | None, PartClosed]:
    """A part as its head, its one delta if it has anything to say, and its end."""
    closed = PartClosed(choice=choice, part=number)
    match part:
        case Text() | Refusal():
            delta = TextDelta(choice=choice, part=number, text=part.text, logprobs=logprobs)
            return msgspec.structs.replace(part, text=""), delta if part.text else None, closed
        case Thinking():
            closed = PartClosed(choice=choice, part=number, seal=part.seal)
            thought = ThinkingDelta(choice=choice, part=number, text=part.text)
            return msgspec.structs.replace(part, text="", seal=None), thought if part.text else None, closed
        case ToolCall():
            closed = PartClosed(choice=choice, part=number, seal=part.seal)
            arguments = ArgumentsDelta(choice=choice, part=number, text=part.arguments)
            call = msgspec.structs.replace(part, arguments="", seal=None)
            return call, arguments if part.arguments else None, closed
        case Media(kind="audio", source=Inline(base64=base64, mime=mime)):
            sound = MediaDelta(choice=choice, part=number, base64=base64, transcript=part.transcript)
            source = Inline(base64="", mime=mime)
            head = msgspec.structs.replace(part, source=source, transcript="")
            return head, sound if base64 or part.transcript else None, closed
        case Media() | ToolResult() | Citation() | Opaque():
            return part, None, closed
        case _:
            assert_never(part)


class _Choice:
    """One choice while it is being gathered."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.head: Part | None = None
        self.pieces: list[str] = []
        self.transcript: list[str] = []
        self.logprobs: list[msgspec.Raw] = []
        self.end = Finish(kind="error")
        self.extras: Extras = {}

    def open(self, head: Part) -> None:
        self.head, self.pieces, self.transcript = head, [], []

    def append(self, text: str, logprobs: msgspec.Raw | None = None, transcript: str = "") -> None:
        self.pieces.append(text)
        self.transcript.append(transcript)
        if logprobs is not None:
            self.logprobs.append(logprobs)

    def close(self, seal: Seal | None, extras: Extras) -> None:
        head = self.head
        if head is None:
            return
        self.head = None
        text = "".join(self.pieces)
        match head:
            case Text() | Refusal():
                head = msgspec.structs.replace(head, text=head.text + text)
            case Thinking():
                head = msgspec.structs.replace(head, text=head.text + text, seal=seal or head.seal)
            case ToolCall():
                head = msgspec.structs.replace(head, arguments=head.arguments + text, seal=seal or head.seal)
            case Media(source=Inline(base64=base64, mime=mime)):
                source = Inline(base64=base64 + text, mime=mime)
                spoken = head.transcript + "".join(self.transcript)
                head = msgspec.structs.replace(head, source=source, transcript=spoken)
            case Media() | ToolResult() | Citation() | Opaque():
                pass
            case _:
                assert_never(head)
        if extras and not isinstance(head, Opaque):
            head = msgspec.structs.replace(head, extras={**head.extras, **extras})
        self.parts.append(head)

    def finish(self, event: Finished) -> None:
        self.end, self.extras = event.finish, event.extras
        if event.logprobs is not None:
            self.logprobs.append(event.logprobs)

    def whole(self) -> Choice:
        return Choice(
            parts=tuple(self.parts), finish=self.end, logprobs=join_logprobs(self.logprobs), extras=self.extras
        )


def join_logprobs(pieces: list[msgspec.Raw]) -> msgspec.Raw | None:
    """Logprobs of consecutive pieces of text as one: arrays are joined, also those that are members of objects."""
    if len(pieces) < 2:
        return pieces[0] if pieces else None
    values = [msgspec.json.decode(piece) for piece in pieces]
    if all(isinstance(value, list) for value in values):
        return msgspec.Raw(msgspec.json.encode([item for value in values for item in value]))
    whole: dict[str, object] = {}
    for value in values:
        for key, items in value.items() if isinstance(value, dict) else ():
            known = whole.get(key)
            whole[key] = known + items if isinstance(known, list) and isinstance(items, list) else items or known
    return msgspec.Raw(msgspec.json.encode(whole))
