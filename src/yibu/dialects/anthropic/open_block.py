"""One content block of a stream while it is being read."""

from typing import Any

import msgspec

from yibu.dialects._json import Fields, fields, present, raw, rest, text_of
from yibu.dialects.anthropic import parcel
from yibu.dialects.anthropic.blocks import decode_content, seal_of
from yibu.dialects.anthropic.calls import take_caller
from yibu.dialects.anthropic.citations import decode_citation, decode_citations
from yibu.dialects.anthropic.events import Delta, words
from yibu.dialects.anthropic.wire import ID
from yibu.hub.events import ArgumentsDelta, Event, PartClosed, PartOpened, TextDelta, ThinkingDelta
from yibu.hub.parts import Opaque, Part, Text, Thinking, ToolCall

_TEXT = frozenset({"type", "text", "citations"})
_THOUGHT = frozenset({"type", "thinking", "signature"})
_CALL = frozenset({"type", "id", "name", "input"})
_EMPTY = (b"", b"{}", b"null")


class OpenBlock:
    """`begin`, deltas, `end`. What has no deltas that the hub knows comes whole at the end.

    A call without arguments brings one empty fragment: it is `{}`. Some hosts put whole arguments into the start of the
    block and send no fragment. Citations stand in the middle of their text; they follow it as parts of their own.
    """

    def __init__(self, block: msgspec.Raw, part: int) -> None:
        """`part`: the number that its first part gets."""
        self._members: Fields = fields(block)
        self.kind = text_of(self._members.get("type")) or ""
        self._first = self._next = part
        self._signature = text_of(self._members.get("signature")) or ""
        self._cited: list[Part] = []
        self._json: list[str] = []
        self._content: list[str] = []
        self.is_call = self.kind == "tool_use"

    @property
    def next_part(self) -> int:
        """The number after its last part."""
        return self._next

    def begin(self, out: list[Event]) -> None:
        members = self._members
        match self.kind:
            case "text":
                self._cited += decode_citations(members.get("citations"))
                self._open(Text(text="", extras=rest(members, _TEXT)), out)
                self._say(TextDelta, text_of(members.get("text")) or "", out)
            case "thinking":
                self._think(text_of(members.get("thinking")) or "", out)
            case "tool_use":
                id, name = (text_of(members.get(key)) or "" for key in ("id", "name"))
                caller, extras = take_caller(rest(members, _CALL))
                self._open(ToolCall(id=id, name=name, arguments="", member=caller, extras=extras), out)
            case _:
                return

    def _think(self, text: str, out: list[Event]) -> None:
        """A thought begins with its first words, because one without words may be the parcel of a call."""
        if text and self._next == self._first:
            self._open(Thinking(text="", extras=rest(self._members, _THOUGHT)), out)
        self._say(ThinkingDelta, text, out)

    def _open(self, head: Part, out: list[Event]) -> None:
        out.append(PartOpened(choice=0, part=self._next, head=head))
        self._next += 1

    def _say(self, kind: Any, text: str, out: list[Event]) -> None:
        if text:
            out.append(kind(choice=0, part=self._first, text=text))

    def take(self, delta: Delta, out: list[Event]) -> None:
        """Kinds of delta that are not here yet are left out, as Anthropic asks clients to do."""
        match delta.type:
            case "text_delta" if self.kind == "text":
                self._say(TextDelta, words(delta.text), out)
            case "thinking_delta" if self.kind == "thinking":
                self._think(words(delta.thinking), out)
            case "signature_delta":
                self._signature = words(delta.signature) or self._signature
            case "citations_delta":
                if present(delta.citation) is not None:
                    self._cited.append(decode_citation(delta.citation))
            case "input_json_delta":
                self._json.append(words(delta.partial_json))
                if self.is_call:
                    self._say(ArgumentsDelta, words(delta.partial_json), out)
            case "compaction_delta":
                self._content.append(words(delta.content))
            case _:
                return

    def end(self, out: list[Event]) -> None:
        if self.kind == "thinking":
            self._end_thought(out)
            return
        if self.kind in ("text", "tool_use"):
            if self.is_call and not any(self._json):
                self._say(ArgumentsDelta, self._given(), out)
            out.append(PartClosed(choice=0, part=self._first))
            whole = self._cited
        else:
            whole = self._whole()
        for part in whole:
            self._open(part, out)
            out.append(PartClosed(choice=0, part=self._next - 1))

    def _end_thought(self, out: list[Event]) -> None:
        if self._next == self._first:
            if parcel.is_packed(self._signature) and parcel.unpack(self._signature).call:
                return
            self._open(Thinking(text="", extras=rest(self._members, _THOUGHT)), out)
        out.append(PartClosed(choice=0, part=self._first, seal=seal_of(self._signature)))

    def _given(self) -> str:
        value = bytes(self._members.get("input", b"")).strip()
        return "{}" if value in _EMPTY else value.decode()

    def _whole(self) -> list[Part]:
        """A block that is told as one part, with what its deltas brought put into it."""
        members = dict(self._members)
        text = "".join(self._json)
        if text.strip():
            msgspec.json.decode(text)
            members["input"] = msgspec.Raw(text.encode())
        if self._content:
            members["content"] = raw("".join(self._content))
        if self.kind == "redacted_thinking":
            return decode_content([raw(members)], "$.content_block")
        return [Opaque(dialect=ID, data=raw(members), member="content")]
