"""Streams of legacy completions: each chunk has the shape of a whole answer; the end is `[DONE]`."""

from typing import Any, assert_never

import msgspec

from yibu.dialects._frames import read_frames
from yibu.dialects._json import fields, present, rest
from yibu.dialects._scope import Scope
from yibu.dialects._sse import Frame, Frames
from yibu.dialects._vendor_errors import error_in_body, failed_of
from yibu.dialects.openai_chat.errors import OpenAIErrors
from yibu.dialects.openai_chat.finish import decode_finish
from yibu.dialects.openai_chat.reader import MALFORMED
from yibu.dialects.openai_chat.usage import decode_usage, encode_usage
from yibu.dialects.openai_completions.logprobs import to_columns, to_tokens
from yibu.dialects.openai_completions.reply import finish_word, head, words
from yibu.dialects.openai_completions.request import prompt_of
from yibu.dialects.openai_completions.wire import ANSWER, ID, TOP, Answer, Choice
from yibu.hub.chat import ChatRequest
from yibu.hub.errors import Broken, UpstreamError
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
from yibu.hub.fold import error_of
from yibu.hub.loss import Losses
from yibu.hub.parts import Part, Refusal, Text
from yibu.hub.usage import Usage

_ERRORS = OpenAIErrors()


class Reader:
    """One stream. `Finished` and `Metered` come at the very end, as a finish reason may be repeated and usage comes last."""

    def __init__(self) -> None:
        self._frames = Frames()
        self._open: dict[int, bool] = {}
        self._finish: dict[int, object] = {}
        self._usage: Usage | None = None
        self._is_opened = self._is_over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """`chunk`: any slice of the stream."""
        if self._is_over:
            return []
        return read_frames(lambda: self._frames.feed(chunk), self._read, self._fail)

    def finish(self) -> list[Event]:
        """The stream is over. A finish reason in every choice is as good as `[DONE]`; with neither it was cut."""
        out = read_frames(self._frames.finish, self._read, self._fail)
        if self._is_over:
            return out
        if self._open and self._open.keys() == self._finish.keys():
            self._end(out)
        else:
            self._fail(Broken(upstream_words="the stream ended in the middle"), out)
        return out

    def _read(self, frame: Frame, out: list[Event]) -> None:
        if self._is_over or not frame.data.strip():
            return
        if frame.data.startswith(b"[DONE]"):
            if self._is_opened:
                self._end(out)
            else:
                self._fail(Broken(upstream_words="a stream without a single chunk"), out)
            return
        try:
            chunk = ANSWER.decode(frame.data)
            if frame.event == "error" or present(chunk.error) is not None or chunk.object == "error":
                raise error_in_body(msgspec.json.decode(frame.data))
            self._take(chunk, frame.data, out)
        except MALFORMED as error:
            raise Broken(upstream_words=f"{error}: {frame.data[:500].decode('utf-8', 'replace')}") from error

    def _take(self, chunk: Answer, data: bytes, out: list[Event]) -> None:
        self._usage = decode_usage(present(chunk.usage)) or self._usage
        if not self._is_opened and chunk.choices:
            self._is_opened = True
            out.append(
                Opened(
                    id=chunk.id or "",
                    model=chunk.model or "",
                    created=int(chunk.created or 0),
                    dialect=ID,
                    extras=rest(fields(data), TOP),
                )
            )
        for choice in chunk.choices or ():
            self._choose(choice, out)

    def _choose(self, choice: Choice, out: list[Event]) -> None:
        at = choice.index
        self._open.setdefault(at, False)
        if choice.text:
            if not self._open[at]:
                self._open[at] = True
                out.append(PartOpened(at, 0, Text("")))
            out.append(TextDelta(at, 0, choice.text, to_tokens(present(choice.logprobs))))
        if isinstance(choice.finish_reason, str) and choice.finish_reason:
            self._finish[at] = choice.finish_reason

    def _end(self, out: list[Event]) -> None:
        self._is_over = True
        for at in sorted(self._open):
            if self._open[at]:
                out.append(PartClosed(at, 0))
            out.append(Finished(at, decode_finish(self._finish.get(at), has_calls=False)))
        if self._usage is not None:
            out.append(Metered(self._usage))

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        if not self._is_over and self._usage is not None:
            out.append(Metered(self._usage))
        self._is_over = True
        out.append(failed_of(error))


class Writer:
    """One stream. The usage frame waits for `finish`, because it is the last of all. Thoughts have no place here."""

    def __init__(self, request: ChatRequest, losses: Losses | None = None) -> None:
        self._model = request.model
        self._wants_usage = request.stream.usage
        self._prompt, self._echo = prompt_of(request)
        self._lead: dict[str, Any] = {}
        self._heads: dict[int, Part] = {}
        self._offsets: dict[int, int] = {}
        self._is_ours = self._has_failed = False
        self._usage: Usage | None = None
        self._scope = Scope(ID, "", [] if losses is None else losses)

    def feed(self, event: Event) -> bytes:
        match event:
            case Opened():
                self._is_ours = event.dialect == ID
                extras = event.extras if self._is_ours else {}
                model = event.model or self._model
                self._lead = head(event.id, event.created, model, extras, is_ours=self._is_ours)
                return b""
            case PartOpened():
                self._heads[event.choice] = event.head
                if not isinstance(event.head, Text | Refusal):
                    self._scope.lose(f"$.choices[{event.choice}]", "a completion is text only")
                return self._begin(event.choice) + (
                    self._chunk(event.choice, said) if (said := words(event.head)) else b""
                )
            case TextDelta():
                is_shown = isinstance(self._heads.get(event.choice), Text | Refusal)
                return self._chunk(event.choice, event.text, event.logprobs) if is_shown else b""
            case Metered():
                self._usage = event.usage
                return b""
            case Finished():
                word = finish_word(event.finish, is_ours=self._is_ours)
                return self._begin(event.choice) + self._chunk(event.choice, "", event.logprobs, word)
            case Failed():
                self._has_failed = True
                return _ERRORS.encode_stream_error(error_of(event), "")
            case ThinkingDelta() | ArgumentsDelta() | MediaDelta() | PartClosed():
                return b""
            case _:
                assert_never(event)

    def finish(self) -> bytes:
        if self._has_failed:
            return b""
        if not self._wants_usage or self._usage is None:
            return b"data: [DONE]\n\n"
        last = msgspec.json.encode({**self._lead, "choices": [], "usage": encode_usage(self._usage)})
        return b"data: %b\n\ndata: [DONE]\n\n" % last

    def _begin(self, choice: int) -> bytes:
        """The prompt, for who wants to read it again."""
        if choice in self._offsets:
            return b""
        self._offsets[choice] = len(self._prompt)
        return self._chunk(choice, self._prompt, counts=False) if self._echo else b""

    def _chunk(
        self,
        choice: int,
        text: str,
        logprobs: msgspec.Raw | None = None,
        finish: str | None = None,
        *,
        counts: bool = True,
    ) -> bytes:
        columns = to_columns(logprobs, self._offsets.get(choice, 0))
        if counts:
            self._offsets[choice] = self._offsets.get(choice, 0) + len(text)
        members = {"text": text, "index": choice, "logprobs": columns, "finish_reason": finish}
        whole = {**self._lead, "choices": [members], **({"usage": None} if self._wants_usage else {})}
        return b"data: " + msgspec.json.encode(whole) + b"\n\n"
