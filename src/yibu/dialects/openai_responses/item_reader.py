"""One message, call or reasoning item of a stream while it is being read: which part is open, and what was said of it."""

from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, present, text_of
from yibu.dialects.openai_responses.calls import CALLS
from yibu.dialects.openai_responses.event import WireEvent
from yibu.dialects.openai_responses.items import (
    arguments_of,
    decode_annotation,
    decode_annotations,
    decode_output_call,
    decode_said,
    head_of,
    logprobs_of,
    objects,
    wrap_logprobs,
)
from yibu.dialects.openai_responses.thoughts import RAW, seal_of
from yibu.hub.events import ArgumentsDelta, Event, PartClosed, PartOpened, TextDelta, ThinkingDelta
from yibu.hub.parts import Extras, Opaque, Part, Refusal, Seal, Text, Thinking


class ItemReader:
    """`take` its events. `parts`: how many parts of the answer there are so far."""

    def __init__(self, index: int, kind: str, parts: int) -> None:
        self.index = index
        self.kind = kind
        self.parts = parts
        self._key: tuple[str, Any] | None = None
        self._seen: set[tuple[str, Any]] = set()
        self._head: Extras = {}
        self._sent: list[str] = []
        self._held: list[Part] = []
        self._cited = 0

    def take(self, event: WireEvent, out: list[Event]) -> None:
        item = fields(event.item) if present(event.item) is not None else {}
        if event.type == "response.output_item.added":
            self._learn(item, out)
        elif event.type == "response.output_item.done":
            self._done(item, out)
        elif self.kind == "message":
            self._take_words(event, out)
        elif self.kind == "reasoning":
            self._take_thought(event, out)
        else:
            self._take_call(event, out)

    def put(self, part: Part, out: list[Event]) -> None:
        """A part without deltas."""
        self._open(("whole", self.parts), part, out)
        self.close(None, out)

    def close(self, seal: Seal | None, out: list[Event]) -> None:
        """Closes the part that is open, if one is, and gives the sources that belong to it."""
        if self._key is None:
            return
        out.append(PartClosed(choice=0, part=self.parts - 1, seal=seal))
        self._key, self._sent = None, []
        held, self._held, self._cited = self._held, [], 0
        for part in held:
            self.put(part, out)

    def _open(self, key: tuple[str, Any], head: Part, out: list[Event]) -> None:
        self.close(None, out)
        self._key = key
        self._seen.add(key)
        out.append(PartOpened(choice=0, part=self.parts, head=head))
        self.parts += 1

    def _learn(self, item: Fields, out: list[Event]) -> None:
        """What an item says of itself at its beginning."""
        if self.kind == "message":
            self._head = {key: value for key, value in head_of(item).items() if key != "status"}
        elif self.kind == "reasoning":
            self._head = {"id": item["id"]} if present(item.get("id")) is not None else {}
        else:
            call = decode_output_call(item)
            extras = {key: value for key, value in call.extras.items() if key != "status"}
            self._open(("call", 0), msgspec.structs.replace(call, arguments="", extras=extras), out)

    # Messages

    def _take_words(self, event: WireEvent, out: list[Event]) -> None:
        match event.type:
            case "response.output_text.delta":
                self._words("text", event.content_index, event.delta, wrap_logprobs(event.logprobs), out)
            case "response.refusal.delta":
                self._words("refusal", event.content_index, event.delta, None, out)
            case "response.output_text.done":
                self._rest("text", event.content_index, event.text, wrap_logprobs(event.logprobs), out)
            case "response.refusal.done":
                self._rest("refusal", event.content_index, event.refusal, None, out)
            case "response.output_text.annotation.added" if present(event.annotation) is not None:
                self._held.append(decode_annotation(fields(event.annotation)))
                self._cited += 1
            case "response.content_part.done" if present(event.part) is not None:
                self._said(event.content_index, fields(event.part), out)
                if self._key in (("text", event.content_index), ("refusal", event.content_index)):
                    self.close(None, out)

    def _words(
        self,
        kind: str,
        index: Any,
        text: Any,
        logprobs: msgspec.Raw | None,
        out: list[Event],
        extras: Extras | None = None,
    ) -> None:
        """Opens the part where that was not done."""
        if (kind, index) != self._key:
            if (kind, index) in self._seen:
                return
            own = {**(extras or {}), **self._head}
            self._head = {}
            head: Part = Text(text="", extras=own) if kind == "text" else Refusal(text="", extras=own)
            self._open((kind, index), head, out)
        if isinstance(text, str) and text:
            self._sent.append(text)
            out.append(TextDelta(choice=0, part=self.parts - 1, text=text, logprobs=logprobs))

    def _rest(
        self,
        kind: str,
        index: Any,
        whole: Any,
        logprobs: msgspec.Raw | None,
        out: list[Event],
        extras: Extras | None = None,
    ) -> None:
        """Of a text that is told whole what its deltas left out."""
        if not isinstance(whole, str) or ((kind, index) in self._seen and (kind, index) != self._key):
            return
        sent = "".join(self._sent) if (kind, index) == self._key else ""
        if not sent:
            self._words(kind, index, whole, logprobs, out, extras)
        elif whole.startswith(sent):
            self._words(kind, index, whole[len(sent) :], None, out)

    def _said(self, index: Any, members: Fields, out: list[Event]) -> None:
        """One element of the content, whole."""
        part = decode_said(members)
        if isinstance(part, Opaque):
            if ("whole", index) not in self._seen:
                self._open(("whole", index), part, out)
                self.close(None, out)
            return
        kind = "refusal" if isinstance(part, Refusal) else "text"
        is_new = (kind, index) not in self._seen
        self._rest(kind, index, getattr(part, "text", ""), logprobs_of(members), out, getattr(part, "extras", None))
        if (kind, index) == self._key or is_new:
            cited = decode_annotations(members)
            self._held += cited[self._cited :]
            self._cited = max(self._cited, len(cited))

    # Thoughts

    def _take_thought(self, event: WireEvent, out: list[Event]) -> None:
        """A part stays open until the next one or the end of the item, because the seal belongs to the last."""
        match event.type:
            case "response.reasoning_summary_text.delta":
                self._thought("", event.summary_index, event.delta, out)
            case "response.reasoning_text.delta":
                self._thought(RAW, event.content_index, event.delta, out)
            case "response.reasoning_summary_text.done":
                self._rest_of_thought("", event.summary_index, event.text, out)
            case "response.reasoning_text.done":
                self._rest_of_thought(RAW, event.content_index, event.text, out)

    def _thought(self, member: str, index: Any, text: Any, out: list[Event]) -> None:
        key = (member or "summary", index)
        if key != self._key:
            if key in self._seen or not isinstance(text, str) or not text:
                return
            self._open(key, Thinking(text="", member=member, extras=self._head), out)
            self._head = {}
        if isinstance(text, str) and text:
            self._sent.append(text)
            out.append(ThinkingDelta(choice=0, part=self.parts - 1, text=text))

    def _rest_of_thought(self, member: str, index: Any, whole: Any, out: list[Event]) -> None:
        key = (member or "summary", index)
        sent = "".join(self._sent) if key == self._key else ""
        if isinstance(whole, str) and (key == self._key or key not in self._seen) and whole.startswith(sent):
            self._thought(member, index, whole[len(sent) :], out)

    # Calls

    def _take_call(self, event: WireEvent, out: list[Event]) -> None:
        if event.type.endswith(".delta"):
            self._argue(event.delta, out)
        elif event.type.endswith(".done"):
            self._argue_rest(event.input if self.kind == "custom_tool_call" else arguments_of(event.arguments), out)

    def _argue(self, text: Any, out: list[Event]) -> None:
        if self._key is None:  # its beginning was not told, so nobody knows what is called: the end of the item says it
            return
        if isinstance(text, str) and text:
            self._sent.append(text)
            out.append(ArgumentsDelta(choice=0, part=self.parts - 1, text=text))

    def _argue_rest(self, whole: Any, out: list[Event]) -> None:
        sent = "".join(self._sent)
        if isinstance(whole, str) and whole.startswith(sent):
            self._argue(whole[len(sent) :], out)

    def _done(self, item: Fields, out: list[Event]) -> None:
        """The whole item: what was left out of it so far, and its seal."""
        if not item:
            self.close(None, out)
            return
        if self.kind == "message":
            if not self._seen:
                self._head = {key: value for key, value in head_of(item).items() if key != "status"}
            for index, own in enumerate(objects(item.get("content"))):
                self._said(index, own, out)
            self.close(None, out)
        elif self.kind == "reasoning":
            if not self._seen:
                self._learn(item, out)
            for member, key in ((RAW, "content"), ("", "summary")):
                for index, own in enumerate(objects(item.get(key))):
                    self._rest_of_thought(member, index, text_of(own.get("text")) or "", out)
            if self._key is None:
                self._open(("seal", 0), Thinking(text="", extras=self._head), out)
            self.close(seal_of(item), out)
        else:
            if self._key is None:
                self._learn(item, out)
            self._argue_rest(arguments_of(item.get(CALLS[self.kind])), out)
            self.close(None, out)
