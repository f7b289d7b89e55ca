"""One candidate of a stream while it is being read: which part is open, and what follows from a piece."""

import base64
import binascii
from typing import Literal

import msgspec

from yibu.dialects.gemini.finish import decode_finish
from yibu.dialects.gemini.grounding import decode_grounding
from yibu.dialects.gemini.logprobs import decode_logprobs
from yibu.dialects.gemini.partial import Arguments
from yibu.dialects.gemini.parts import EMPTY, decode_part
from yibu.dialects.gemini.reply import Names
from yibu.dialects.gemini.wire import Members
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
from yibu.hub.parts import Extras, Media, Part, Seal, Text, Thinking, ToolCall

Kind = Literal["", "text", "thinking", "sound"]
"""What is open and may go on."""


class ChoiceReader:
    """`take` candidates, then `close`."""

    def __init__(self, index: int, reply_id: str) -> None:
        self._index = index
        self._names = Names(reply_id, index)
        self._parts = 0
        self._kind: Kind = ""
        self._mime = ""
        self._rest = b""
        self._texts: list[str] = []
        self._extras: Extras = {}
        self._logprobs: list[msgspec.Raw] = []
        self._has_calls = False
        self._arguments: Arguments | None = None
        self.finish = ""

    def take(self, candidate: Members, out: list[Event]) -> None:
        """Older models say `STOP` in every chunk: the last word counts, at the end."""
        content = candidate.inner("content")
        self.finish = candidate.text("finishReason") or self.finish
        if content is not None:
            for value, path in content.elements("parts"):
                if not self._takes_partial(value, path, out):
                    for part in decode_part(value, path, self._names.give):
                        self._part(part, out)
        for key, value in candidate.left.items():
            if key == "logprobsResult":
                logprobs = decode_logprobs(value)
                self._logprobs += [logprobs] if logprobs is not None else []
            elif bytes(value) != b"{}" or key not in self._extras:
                self._extras[key] = value

    def block(self, why: str) -> None:
        """The prompt was refused: there is no candidate."""
        self.finish = why

    def _part(self, part: Part, out: list[Event]) -> None:
        match part:
            case Text(extras=extras) if not extras:
                self._text(part.text, out)
            case Thinking():
                self._thought(part, out)
            case ToolCall():
                self._call(part, out)
            case Media(kind="audio", source=Inline(base64=data, mime=mime)):
                self._sound(part, data, mime, out)
            case _:
                self._whole(part, out)
                if isinstance(part, Text):
                    self._texts.append(part.text)

    def _open(self, kind: Kind, head: Part, out: list[Event]) -> None:
        self._shut(out)
        self._kind = kind
        out.append(PartOpened(choice=self._index, part=self._parts, head=head))
        self._parts += 1

    def _shut(self, out: list[Event], seal: Seal | None = None) -> None:
        """Closes the part that is open, if one is."""
        if not self._kind:
            return
        if self._rest:
            out.append(
                MediaDelta(choice=self._index, part=self._parts - 1, base64=base64.b64encode(self._rest).decode())
            )
            self._rest = b""
        out.append(PartClosed(choice=self._index, part=self._parts - 1, seal=seal))
        self._kind = ""

    def _whole(self, part: Part, out: list[Event], seal: Seal | None = None) -> None:
        self._shut(out)
        out.append(PartOpened(choice=self._index, part=self._parts, head=part))
        out.append(PartClosed(choice=self._index, part=self._parts, seal=seal))
        self._parts += 1

    def _text(self, text: str, out: list[Event]) -> None:
        if not text:
            return
        if self._kind != "text":
            self._open("text", Text(text=""), out)
        self._texts.append(text)
        out.append(TextDelta(choice=self._index, part=self._parts - 1, text=text))

    def _thought(self, part: Thinking, out: list[Event]) -> None:
        """A signature without words is a part of its own, unless thoughts are open and it is marked as one."""
        if part.text:
            if self._kind != "thinking":
                self._open("thinking", Thinking(text=""), out)
            out.append(ThinkingDelta(choice=self._index, part=self._parts - 1, text=part.text))
        elif part.seal is not None and not (part.member == EMPTY and self._kind == "thinking"):
            self._whole(msgspec.structs.replace(part, seal=None), out, part.seal)
            return
        if part.seal is not None:
            self._shut(out, part.seal)

    def _call(self, part: ToolCall, out: list[Event]) -> None:
        self._shut(out)
        self._has_calls = True
        number = self._parts
        self._parts += 1
        head = msgspec.structs.replace(part, arguments="", seal=None)
        out.append(PartOpened(choice=self._index, part=number, head=head))
        out.append(ArgumentsDelta(choice=self._index, part=number, text=part.arguments))
        out.append(PartClosed(choice=self._index, part=number, seal=part.seal))

    def _takes_partial(self, value: msgspec.Raw, path: str, out: list[Event]) -> bool:
        """Whether it was a piece of a call whose arguments come one by one (Vertex AI)."""
        if self._arguments is None:
            if b"artial" not in bytes(value) and b"ill" not in bytes(value):
                return False
            self._arguments = Arguments.begin(value, path)
            if self._arguments is None:
                return False
        elif not self._arguments.add(value, path):
            self._end_partial(out)
            return False
        if not self._arguments.goes_on:
            self._end_partial(out)
        return True

    def _end_partial(self, out: list[Event]) -> None:
        arguments, self._arguments = self._arguments, None
        if arguments is not None:
            for part in decode_part(arguments.whole(), "$", self._names.give):
                self._part(part, out)

    def _sound(self, part: Media, data: str, mime: str, out: list[Event]) -> None:
        """Each piece is base64 by itself; joined they are base64 only where the pieces have full groups of three bytes."""
        if self._kind != "sound" or self._mime != mime:
            self._open("sound", msgspec.structs.replace(part, source=Inline(base64="", mime=mime)), out)
            self._mime = mime
        try:
            self._rest += base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            out.append(MediaDelta(choice=self._index, part=self._parts - 1, base64=data))
            return
        at = len(self._rest) // 3 * 3
        ready, self._rest = self._rest[:at], self._rest[at:]
        if ready:
            out.append(MediaDelta(choice=self._index, part=self._parts - 1, base64=base64.b64encode(ready).decode()))

    def close(self, out: list[Event]) -> int:
        """What waits, the sources, and why it ended. Returns how many searches were made."""
        self._end_partial(out)
        self._shut(out)
        cited, searches = decode_grounding(self._extras.get("groundingMetadata"), self._texts)
        for part in cited:
            self._whole(part, out)
        finish = decode_finish(self.finish, has_calls=self._has_calls)
        logprobs = join_logprobs(self._logprobs)
        out.append(Finished(choice=self._index, finish=finish, logprobs=logprobs, extras=self._extras))
        return searches
