"""Writes a stream of answers out of events, as server-sent events or as the elements of an array.

Calls come whole, in one chunk; the last chunk has the finish reasons and the usage. Google, `streamGenerateContent`, read 2026-11-22.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import lean, merge
from yibu.dialects._scope import Scope
from yibu.dialects.gemini.errors import SSE_END, GoogleErrors
from yibu.dialects.gemini.finish import MALFORMED, encode_finish
from yibu.dialects.gemini.grounding import encode_grounding
from yibu.dialects.gemini.logprobs import encode_logprobs
from yibu.dialects.gemini.parts import EMPTY, encode_part, encode_seal
from yibu.dialects.gemini.reply import block_of, is_whole
from yibu.dialects.gemini.request import ARRAY
from yibu.dialects.gemini.usage import encode_usage
from yibu.dialects.gemini.wire import ID
from yibu.hub.chat import ChatRequest
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
from yibu.hub.fold import error_of, join_logprobs
from yibu.hub.loss import Losses
from yibu.hub.media import Inline
from yibu.hub.parts import Citation, Extras, Media, Opaque, Part, Refusal, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.usage import Usage

_ERRORS = GoogleErrors()


class _Choice:
    """What has been written of one candidate; `head` is the part that is open, `pieces` what waits for its end."""

    def __init__(self) -> None:
        self.head: Part | None = None
        self.pieces: list[str] = []
        self.texts: list[str] = []
        self.citations: list[Citation] = []
        self.logprobs: list[msgspec.Raw] = []
        self.malformed = ""
        self.end: Finished | None = None


class Writer:
    """One stream. The last chunk waits for `finish`, because usage comes after the finish reasons."""

    def __init__(self, request: ChatRequest, losses: Losses | None = None) -> None:
        self._model = request.model
        self._is_array = request.stream.member == ARRAY
        self._has_begun = self._has_failed = False
        self._scope = Scope(ID, "", [] if losses is None else losses)
        self._extras: Extras = {}
        self._tail = b"}"
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None

    def feed(self, event: Event) -> bytes:
        match event:
            case Opened():
                self._open(event)
                return b""
            case PartOpened():
                return self._open_part(event)
            case TextDelta():
                choice = self._choice(event.choice)
                choice.texts.append(event.text)
                if event.logprobs is not None:
                    choice.logprobs.append(event.logprobs)
                return self._chunk(event.choice, b'{"text":%b}' % msgspec.json.encode(event.text))
            case ThinkingDelta():
                self._choice(event.choice).pieces.append(event.text)
                return self._chunk(event.choice, b'{"text":%b,"thought":true}' % msgspec.json.encode(event.text))
            case ArgumentsDelta():
                self._choice(event.choice).pieces.append(event.text)
                return b""
            case MediaDelta():
                self._choice(event.choice).pieces.append(event.base64)
                return b""
            case PartClosed():
                return self._close_part(event)
            case Metered():
                self._usage = event.usage
                return b""
            case Finished():
                self._choice(event.choice).end = event
                return b""
            case Failed():
                self._has_failed = True
                return self._fail(event)
            case _:
                assert_never(event)

    def finish(self) -> bytes:
        if self._has_failed:
            return b""
        members: dict[str, Any] = {}
        if not (block_of(self._extras) and not any(choice.texts or choice.head for choice in self._choices.values())):
            members["candidates"] = [self._end(index, self._choices[index]) for index in sorted(self._choices)]
        else:
            members["promptFeedback"] = self._extras["promptFeedback"]
        if self._usage is not None:
            members["usageMetadata"] = encode_usage(self._usage)
        last = self._frame(msgspec.json.encode(members)[:-1] + self._tail)
        return last + b"\r\n]" if self._is_array else last

    def _open(self, opened: Opened) -> None:
        self._scope = Scope(ID, opened.dialect, self._scope.losses)
        self._extras = self._scope.extras("$", opened.extras)
        about = lean({"modelVersion": opened.model or self._model or None, "responseId": opened.id or None})
        extras = {key: value for key, value in self._extras.items() if key != "promptFeedback"}
        encoded = msgspec.json.encode(merge(about, extras))[1:]
        self._tail = b"," + encoded if len(encoded) > 1 else encoded

    def _choice(self, index: int) -> _Choice:
        return self._choices.setdefault(index, _Choice())

    def _chunk(self, index: int, part: bytes) -> bytes:
        content = b'{"candidates":[{"content":{"parts":[%b],"role":"model"},"index":%d}]%b' % (part, index, self._tail)
        return self._frame(content)

    def _frame(self, body: bytes) -> bytes:
        if not self._is_array:
            return b"data: " + body + SSE_END
        lead = b",\r\n" if self._has_begun else b"["
        self._has_begun = True
        return lead + body

    def _fail(self, failed: Failed) -> bytes:
        body = _ERRORS.encode_error(error_of(failed), "")
        return self._frame(body) + (b"\r\n]" if self._is_array else b"")

    def _open_part(self, event: PartOpened) -> bytes:
        choice = self._choice(event.choice)
        choice.head, choice.pieces = event.head, []
        match event.head:
            case Citation():
                choice.citations.append(event.head)
                return b""
            case Text() | Refusal():
                if event.head.text:
                    choice.texts.append(event.head.text)
                    return self._whole(event.choice, event.head)
                return b""
            case Thinking() | ToolCall() | Media(kind="audio", source=Inline()):
                return b""
            case Media() | Opaque() | ToolResult():
                return self._whole(event.choice, event.head)
            case _:
                assert_never(event.head)

    def _whole(self, index: int, part: Part) -> bytes:
        encoded = encode_part(part, self._scope, "$", to_caller=True)
        return b"" if encoded is None else self._chunk(index, msgspec.json.encode(encoded))

    def _close_part(self, event: PartClosed) -> bytes:
        choice = self._choice(event.choice)
        joined = "".join(choice.pieces)
        match choice.head:
            case Thinking() as head:
                return self._close_thought(event.choice, head, event.seal or head.seal)
            case ToolCall() as head:
                extras = {**head.extras, **event.extras}
                call = msgspec.structs.replace(
                    head, arguments=head.arguments + joined, seal=event.seal or head.seal, extras=extras
                )
                if not is_whole(call):
                    choice.malformed = choice.malformed or call.arguments or "nothing"
                    return b""
                return self._whole(event.choice, call)
            case Media(source=Inline(base64=base64, mime=mime)) as head if head.kind == "audio":
                sound = msgspec.structs.replace(head, source=Inline(base64=base64 + joined, mime=mime))
                return self._whole(event.choice, sound)
            case _:
                return b""

    def _close_thought(self, index: int, head: Thinking, seal: Seal | None) -> bytes:
        """The signature comes behind the words, on an empty text, as Google sends it."""
        if seal is None:
            return b""
        signature = encode_seal(seal, self._scope, "$", to_caller=True)
        members: dict[str, Any] = {"text": "", "thoughtSignature": signature}
        if head.text or head.member == EMPTY or self._choice(index).pieces:
            members["thought"] = True
        return self._chunk(index, msgspec.json.encode(members))

    def _end(self, index: int, choice: _Choice) -> dict[str, Any]:
        end = choice.end
        members: dict[str, Any] = {"content": {"parts": [{"text": ""}], "role": "model"}, "index": index}
        if end is None:
            return members
        members["finishReason"] = encode_finish(end.finish, is_ours=self._scope.is_ours)
        if choice.malformed and end.finish.kind != "length":
            members |= {"finishReason": MALFORMED, "finishMessage": f"Malformed function call: {choice.malformed}"}
        extras = self._scope.extras("$", end.extras)
        if "groundingMetadata" not in extras:
            members["groundingMetadata"] = encode_grounding(choice.citations, "".join(choice.texts))
        logprobs = [*choice.logprobs, *([end.logprobs] if end.logprobs is not None else [])]
        members["logprobsResult"] = encode_logprobs(join_logprobs(logprobs))
        return merge(lean(members), extras)
