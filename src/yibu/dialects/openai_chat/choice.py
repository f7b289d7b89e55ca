"""One choice of a stream while it is being read: which part is open, and what follows from a delta."""

from typing import Any, Literal

import msgspec

from yibu.dialects._json import present
from yibu.dialects.openai_chat.calls import Call, Calls, Fragment
from yibu.dialects.openai_chat.chunk import ChunkChoice, Delta, DeltaCall, thoughts, words
from yibu.dialects.openai_chat.finish import decode_finish
from yibu.dialects.openai_chat.reasoning import Details, is_packed, join_details, seal_of, spoken
from yibu.dialects.openai_chat.reply import call_id, decode_annotations, decode_images, decode_logprobs, decode_sound
from yibu.dialects.openai_chat.tools import take_seal
from yibu.hub.events import (
    ArgumentsDelta,
    Event,
    Finished,
    MediaDelta,
    PartClosed,
    PartOpened,
    TextDelta,
    ThinkingDelta,
)
from yibu.hub.fold import join_logprobs
from yibu.hub.media import Inline
from yibu.hub.parts import Extras, Media, Part, Refusal, Text, Thinking, ToolCall

Kind = Literal["", "text", "refusal", "thinking", "sound", "call", "whole"]
"""What is open: `whole` for a part that has no deltas, empty for nothing."""


class ChoiceReader:
    """`take` deltas, then `close`."""

    def __init__(self, index: int, reply_id: str) -> None:
        self._index = index
        self._reply_id = reply_id
        self._parts = 0
        self._kind: Kind = ""
        self._member = ""
        self._has_words = False
        self._details: Details = []
        self._calls = Calls()
        self._call: Call | None = None
        self._closing: Extras = {}
        self._held: list[Part] = []
        self._logprobs: list[msgspec.Raw] = []
        self._finish = ""

    @property
    def has_finish(self) -> bool:
        return bool(self._finish)

    def take(self, wire: ChunkChoice, out: list[Event]) -> None:
        """The first finish reason counts: OpenRouter repeats it in the chunk that brings usage."""
        logprobs = decode_logprobs(present(wire.logprobs))
        if wire.delta is not None:
            logprobs = self._delta(wire.delta, logprobs, out)
        if logprobs is not None:
            self._logprobs.append(logprobs)
        self._finish = self._finish or words(wire.finish_reason)

    def _delta(self, delta: Delta, logprobs: msgspec.Raw | None, out: list[Event]) -> msgspec.Raw | None:
        """Returns the logprobs if no text took them along."""
        before = len(out)
        self._think(delta, out)
        if isinstance(delta.content, list):
            for element in delta.content:
                text, is_thought = thoughts(element)
                if is_thought:
                    self._thought(text, "content", out)
                else:
                    self._text("text", text, None, out)
        elif delta.content:
            self._text("text", words(delta.content), logprobs, out)
        if delta.refusal:
            self._text("refusal", words(delta.refusal), logprobs, out)
        if present(delta.audio) is not None:
            self._sound(delta.audio, out)
        if present(delta.images) is not None:
            for image in decode_images(delta.images):
                self._open("whole", image, out)
                self._shut(out)
        if delta.function_call is not None:
            name, arguments = words(delta.function_call.name), _argument(delta.function_call.arguments)
            self._advance(Fragment(name=name, arguments=arguments, member="function_call"), out)
        for call in delta.tool_calls or ():
            self._advance(_fragment(call), out)
        if present(delta.annotations) is not None:
            self._held += decode_annotations(delta.annotations)
        took = any(isinstance(event, TextDelta) and event.logprobs is not None for event in out[before:])
        return None if took else logprobs

    def _open(self, kind: Kind, head: Part, out: list[Event]) -> None:
        self._shut(out)
        self._kind = kind
        out.append(PartOpened(choice=self._index, part=self._parts, head=head))
        self._parts += 1

    def _shut(self, out: list[Event]) -> None:
        """Closes the part that is open, if one is."""
        if not self._kind:
            return
        seal = None
        if self._kind == "thinking":
            seal = seal_of(join_details(self._details))
            self._details = []
        if self._call is not None:
            seal, self._closing = take_seal(self._call.extras)
            self._call.is_closed = True
            self._call = None
        closed = PartClosed(choice=self._index, part=self._parts - 1, seal=seal, extras=self._closing)
        out.append(closed)
        self._kind, self._closing = "", {}

    def _text(
        self, kind: Literal["text", "refusal"], text: str, logprobs: msgspec.Raw | None, out: list[Event]
    ) -> None:
        if not text:
            return
        if self._kind != kind:
            self._open(kind, Text(text="") if kind == "text" else Refusal(text=""), out)
        out.append(TextDelta(choice=self._index, part=self._parts - 1, text=text, logprobs=logprobs))

    def _think(self, delta: Delta, out: list[Event]) -> None:
        usual, other = words(delta.reasoning_content), words(delta.reasoning)
        if usual and usual == other:
            self._thought(usual, "both", out)
        else:
            self._thought(usual, "", out)
            self._thought(other, "reasoning", out)
        if isinstance(delta.reasoning_details, list) and delta.reasoning_details:
            self._detail([element for element in delta.reasoning_details if isinstance(element, dict)], out)

    def _thought(self, text: str, member: str, out: list[Event]) -> None:
        if not text:
            return
        if self._kind != "thinking" or self._member != member:
            self._open("thinking", Thinking(text="", member=member), out)
            self._member = member
        self._has_words = True
        out.append(ThinkingDelta(choice=self._index, part=self._parts - 1, text=text))

    def _detail(self, details: Details, out: list[Event]) -> None:
        """Their text counts only where no other member brings it; a fragment without any content says nothing."""
        is_full = any(element.get(key) for element in details for key in ("text", "summary", "data", "signature"))
        if self._kind != "thinking":
            if not is_full:
                return
            self._member = "" if is_packed(details[0]) else "reasoning_details"
            self._open("thinking", Thinking(text="", member=self._member), out)
            self._has_words = False
        self._details += details
        text = "" if self._has_words else spoken(details)
        if text:
            out.append(ThinkingDelta(choice=self._index, part=self._parts - 1, text=text))

    def _sound(self, value: msgspec.Raw, out: list[Event]) -> None:
        """The id comes first, `expires_at` last and alone."""
        sound = decode_sound(value)
        if sound is None:
            self._closing = {**self._closing, **_expiry(value)} if self._kind == "sound" else self._closing
            return
        data = sound.source.base64 if isinstance(sound.source, Inline) else ""
        if self._kind != "sound":
            self._open("sound", Media(kind="audio", source=Inline(base64=""), id=sound.id), out)
        self._closing = {**self._closing, **sound.extras}
        if data or sound.transcript:
            number = self._parts - 1
            out.append(MediaDelta(choice=self._index, part=number, base64=data, transcript=sound.transcript))

    def _advance(self, fragment: Fragment, out: list[Event]) -> None:
        """Gives a fragment to its call, and lets as many calls go ahead as can."""
        self._calls.add(fragment)
        self._let_go(out, is_end=False)

    def _let_go(self, out: list[Event], *, is_end: bool) -> None:
        for call in self._calls.all:
            if call.is_closed:
                continue
            if call is not self._call:
                if self._call is not None and not (is_end or self._call.is_complete):
                    return
                if not call.name and not is_end:
                    return
                self._begin(call, out)
            if text := call.take():
                out.append(ArgumentsDelta(choice=self._index, part=call.part, text=text))

    def _begin(self, call: Call, out: list[Event]) -> None:
        id = call.id or call_id(self._reply_id, self._index, call.number, call.name)
        head = ToolCall(id=id, name=call.name, arguments="", is_custom=call.is_custom, member=call.member)
        self._open("call", head, out)
        self._call = call
        call.part = self._parts - 1

    def close(self, out: list[Event]) -> None:
        """Everything that waits, the citations, and why it ended."""
        self._let_go(out, is_end=True)
        self._shut(out)
        for part in self._held:
            self._open("whole", part, out)
            self._shut(out)
        finish = decode_finish(self._finish, has_calls=bool(self._calls.all))
        out.append(Finished(choice=self._index, finish=finish, logprobs=join_logprobs(self._logprobs)))


def _argument(value: Any) -> str:
    """Arguments are text; some hosts send the object itself."""
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def _fragment(call: DeltaCall) -> Fragment:
    index = call.index if isinstance(call.index, int) else None
    content = present(call.extra_content)
    extras: Extras = {} if content is None else {"extra_content": content}
    if call.custom is not None and (call.type == "custom" or call.function is None):
        name, text = words(call.custom.name), words(call.custom.input)
        return Fragment(index=index, id=words(call.id), name=name, arguments=text, is_custom=True, extras=extras)
    name = words(call.function.name) if call.function is not None else ""
    text = _argument(call.function.arguments) if call.function is not None else ""
    return Fragment(index=index, id=words(call.id), name=name, arguments=text, extras=extras)


def _expiry(value: msgspec.Raw) -> Extras:
    members = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    return {"expires_at": members["expires_at"]} if "expires_at" in members else {}
