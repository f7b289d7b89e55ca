"""Reads a stream of response events into events of the hub. What vendors do differently is told where it is dealt with.

Vendors give everything twice: in deltas, and whole in what ends a part, an item and the response. The deltas count, and of the
whole what they left out: some servers send no deltas at all. `Finished` and `Metered` come at the very end.

Items mostly come one after another. OpenRouter begins the message while the reasoning item is still open, OpenAI lists the
tools of several MCP servers at the same time and may never end some of these items; then `response.completed` has them. An
item that begins while a message or a call is open waits for it.
"""

from typing import Any

import msgspec

from yibu.dialects._frames import read_frames
from yibu.dialects._json import NULL, Fields, check_values, fields, present, raw, text_of
from yibu.dialects._sse import Frame, Frames
from yibu.dialects._vendor_errors import error_in_body, failed_of
from yibu.dialects.openai_responses.calls import CALLS
from yibu.dialects.openai_responses.event import EVENT, FAILED, OVER, WireEvent
from yibu.dialects.openai_responses.finish import decode_finish
from yibu.dialects.openai_responses.item_reader import ItemReader
from yibu.dialects.openai_responses.items import decode_item, objects
from yibu.dialects.openai_responses.reply import extras_of
from yibu.dialects.openai_responses.thoughts import seal_of, state_of
from yibu.dialects.openai_responses.usage import decode_usage
from yibu.dialects.openai_responses.wire import ID
from yibu.hub.errors import Broken, InvalidRequest, UpstreamError
from yibu.hub.events import Event, Finished, Metered, Opened, PartClosed, PartOpened
from yibu.hub.masks import NO_MASKS, Masks, Unmasking
from yibu.hub.parts import Thinking
from yibu.hub.usage import Usage

MALFORMED = (msgspec.DecodeError, InvalidRequest, ValueError, RecursionError, OverflowError)


class Reader:
    """One stream. After its end, or after a `Failed`, nothing more is read."""

    def __init__(self, masks: Masks = NO_MASKS) -> None:
        self._frames = Frames()
        self._unmasking = Unmasking(masks)
        self._is_opened = self._is_over = False
        self._id = ""
        self._parts = 0
        self._item: ItemReader | None = None
        self._waiting: list[WireEvent] = []
        self._done: set[int] = set()
        self._late: list[Thinking] = []
        self._has_calls = False
        self._usage: Usage | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """`chunk`: any slice of the stream."""
        if self._is_over:
            return []
        out = read_frames(lambda: self._frames.feed(chunk), self._read, self._fail)
        return self._unmasking.feed(out)

    def finish(self) -> list[Event]:
        """The stream is over. Without a terminal event it was cut."""
        out = read_frames(self._frames.finish, self._read, self._fail)
        if not self._is_over:
            self._fail(Broken(upstream_words="the stream ended in the middle"), out)
        return self._unmasking.feed(out)

    def _read(self, frame: Frame, out: list[Event]) -> None:
        """OpenRouter appends `[DONE]`, which says nothing after the terminal event."""
        if self._is_over or not frame.data.strip() or frame.data.startswith(b"[DONE]"):
            return
        try:
            check_values(frame.data)
            event = EVENT.decode(frame.data)
            event.type = event.type or frame.event
            if event.type in FAILED or (present(event.error) is not None and not event.type.startswith("response.")):
                self._usage = usage_of(event.response) or self._usage
                raise failure(event, frame.data)
            if present(event.response) is not None:
                self._live(event, out)
            elif isinstance(event.output_index, int):
                self._take(event, out)
        except MALFORMED as error:
            raise Broken(upstream_words=f"{error}: {frame.data[:500].decode('utf-8', 'replace')}") from error

    def _live(self, event: WireEvent, out: list[Event]) -> None:
        """A state of the whole response. A stream that is taken up again may begin with any of them."""
        members = fields(event.response)
        self._usage = usage_of(event.response) or self._usage
        if not self._is_opened:
            self._open(members, out)
        if event.type in OVER:
            self._end(members, out)

    def _open(self, members: Fields, out: list[Event]) -> None:
        self._is_opened = True
        self._id = text_of(members.get("id")) or ""
        created = msgspec.json.decode(members.get("created_at", NULL))
        out.append(
            Opened(
                id=self._id,
                model=text_of(members.get("model")) or "",
                created=int(created) if isinstance(created, int | float) else 0,
                dialect=ID,
                extras=extras_of(members),
            )
        )

    def _take(self, event: WireEvent, out: list[Event]) -> None:
        """An event of one item."""
        if not self._is_opened:
            self._open({}, out)
        index: int = event.output_index
        item = self._item
        if item is not None and item.index != index:
            if item.kind != "reasoning":
                self._waiting.append(event)
                return
            item.close(None, out)
            self._leave(item)
            item = None
        if index in self._done:
            self._come_late(event)
            return
        if item is None:
            item = self._begin(event)
            if item is None:
                self._whole(event, out)
                return
        item.take(event, out)
        if event.type == "response.output_item.done":
            self._leave(item)
            self._go_on(out)

    def _begin(self, event: WireEvent) -> ItemReader | None:
        """None for items that only come whole."""
        members = fields(event.item) if present(event.item) is not None else {}
        kind = text_of(members.get("type")) or _kind(event.type)
        if kind not in ("message", "reasoning", *CALLS):
            return None
        self._has_calls = self._has_calls or kind in CALLS
        self._item = ItemReader(event.output_index, kind, self._parts)
        return self._item

    def _leave(self, item: ItemReader) -> None:
        self._parts = item.parts
        self._done.add(item.index)
        self._item = None

    def _go_on(self, out: list[Event]) -> None:
        """What waited for the item that has just ended."""
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._take(event, out)

    def _whole(self, event: WireEvent, out: list[Event]) -> None:
        if event.type == "response.output_item.done" and present(event.item) is not None:
            self._done.add(event.output_index)
            self._append(fields(event.item), out)

    def _append(self, members: Fields, out: list[Event]) -> None:
        """An item in one piece."""
        item = ItemReader(-1, text_of(members.get("type")) or "", self._parts)
        if item.kind in ("message", "reasoning", *CALLS):
            self._has_calls = self._has_calls or item.kind in CALLS
            item.take(WireEvent(type="response.output_item.done", item=raw(members)), out)
        else:
            for part in decode_item(members):
                item.put(part, out)
        self._parts = item.parts

    def _come_late(self, event: WireEvent) -> None:
        """What a reasoning item brings after the message began: only its encrypted state is worth a part of its own."""
        if event.type != "response.output_item.done" or present(event.item) is None:
            return
        members = fields(event.item)
        if text_of(members.get("type")) == "reasoning" and "encrypted_content" in state_of(seal_of(members)):
            self._late.append(Thinking(text="", seal=seal_of(members)))

    def _end(self, members: Fields, out: list[Event]) -> None:
        if self._item is not None:
            item = self._item
            item.close(None, out)
            self._leave(item)
            self._go_on(out)
        for index, own in enumerate(objects(members.get("output"))):
            if index not in self._done:
                self._append(own, out)
        for thought in self._late:
            out.append(PartOpened(choice=0, part=self._parts, head=msgspec.structs.replace(thought, seal=None)))
            out.append(PartClosed(choice=0, part=self._parts, seal=thought.seal))
            self._parts += 1
        status = text_of(members.get("status")) or "completed"
        details = present(members.get("incomplete_details"))
        reason = text_of(fields(details).get("reason")) if details is not None else None
        self._is_over = True
        out.append(Finished(choice=0, finish=decode_finish(status, reason or "", has_calls=self._has_calls)))
        self._meter(out)

    def _meter(self, out: list[Event]) -> None:
        if self._usage is not None:
            out.append(Metered(usage=self._usage))

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        if not self._is_over:
            self._meter(out)
        self._is_over = True
        out.append(failed_of(error))


def usage_of(response: msgspec.Raw) -> Usage | None:
    """What a state of a response says was used; null until the end."""
    if present(response) is None:
        return None
    members = fields(response)
    return decode_usage(members.get("usage"), members.get("tool_usage"))


def failure(event: WireEvent, data: bytes) -> UpstreamError:
    """An `error` event, flat or nested, or the error of a failed response."""
    said: Any = msgspec.json.decode(data)
    if present(event.response) is not None:
        said = {"error": said["response"].get("error")}
    elif present(event.error) is None:
        said = {"error": {key: value for key, value in said.items() if key not in ("type", "sequence_number")}}
    return error_in_body(said)


def _kind(type: str) -> str:
    """What an item is whose beginning was not told."""
    if "reasoning" in type:
        return "reasoning"
    if "function_call" in type:
        return "function_call"
    if "custom_tool_call" in type:
        return "custom_tool_call"
    return "message" if "output_text" in type or "refusal" in type or "content_part" in type else ""
