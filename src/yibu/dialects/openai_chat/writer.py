"""Writes a stream of chunks out of events.

Order of chunks and members: OpenAI, *Streaming events* of Chat Completions, read 2026-11-22. Thoughts go into
`reasoning_content`, which most clients read, unless the vendor behind used another member of this format.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import NULL, merge
from yibu.dialects._scope import Scope
from yibu.dialects.openai_chat.errors import OpenAIErrors
from yibu.dialects.openai_chat.finish import encode_finish
from yibu.dialects.openai_chat.parts import encode_part
from yibu.dialects.openai_chat.reasoning import pack
from yibu.dialects.openai_chat.reply import encode_citation, encode_id
from yibu.dialects.openai_chat.tools import pack_seal
from yibu.dialects.openai_chat.usage import encode_usage
from yibu.dialects.openai_chat.wire import ID
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
from yibu.hub.fold import error_of
from yibu.hub.loss import Losses
from yibu.hub.media import Inline, Url
from yibu.hub.parts import Citation, Media, Opaque, Refusal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.tools import Function
from yibu.hub.usage import Usage

_ERRORS = OpenAIErrors()


class _Choice:
    """What has been written of one choice; `head` is the part that is open, `call` the number of the call.

    `has_thought`: one was told; `is_apart`: nothing has to stand between it and the next words of thought. In a whole answer
    a blank line separates the thoughts of other dialects, which come in several parts. `cited`: how many sources were
    told; the official SDK gathers a list only from elements that have an index.
    """

    __slots__ = ("call", "cited", "has_thought", "head", "is_apart", "thought")

    def __init__(self) -> None:
        self.call = -1
        self.cited = 0
        self.head: Any = None
        self.thought: list[str] = []
        self.has_thought = self.is_apart = False


class Writer:
    """One stream. The usage frame waits for `finish`, because it is the last of all."""

    def __init__(self, request: ChatRequest, losses: Losses | None = None) -> None:
        self._model = request.model
        self._is_legacy = any(isinstance(tool, Function) and tool.member == "functions" for tool in request.tools)
        self._wants_usage = request.stream.usage
        self._tail = b',"usage":null}\n\n' if self._wants_usage else b"}\n\n"
        self._scope = Scope(ID, "", [] if losses is None else losses)
        self._lead = b""
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None
        self._has_failed = False

    def feed(self, event: Event) -> bytes:
        match event:
            case Opened():
                self._open(event)
                return b""
            case PartOpened():
                return self._open_part(event)
            case TextDelta():
                key = "refusal" if isinstance(self._choice(event.choice).head, Refusal) else "content"
                return self._chunk(event.choice, {key: event.text}, event.logprobs)
            case ThinkingDelta():
                return self._chunk(event.choice, self._think(event))
            case ArgumentsDelta():
                return self._chunk(event.choice, self._argue(event))
            case MediaDelta():
                sound = {"data": event.base64, "transcript": event.transcript}
                return self._chunk(event.choice, {"audio": {key: value for key, value in sound.items() if value}})
            case PartClosed():
                return self._close_part(event)
            case Metered():
                self._usage = event.usage
                return b""
            case Finished():
                return self._finish(event)
            case Failed():
                self._has_failed = True
                return _ERRORS.encode_stream_error(error_of(event), "")
            case _:
                assert_never(event)

    def finish(self) -> bytes:
        if self._has_failed:
            return b""
        if not self._wants_usage or self._usage is None:
            return b"data: [DONE]\n\n"
        usage = msgspec.json.encode(encode_usage(self._usage))
        return b'%b[],"usage":%b}\n\ndata: [DONE]\n\n' % (self._lead, usage)

    def _open(self, opened: Opened) -> None:
        self._scope.is_ours = opened.dialect == ID
        members: dict[str, Any] = {
            "id": encode_id(opened.id, is_ours=self._scope.is_ours),
            "object": "chat.completion.chunk",
            "created": opened.created,
            "model": opened.model or self._model,
        }
        extras = self._scope.extras("$", opened.extras)
        self._lead = b"data: " + msgspec.json.encode(merge(members, extras))[:-1] + b',"choices":'

    def _choice(self, index: int) -> _Choice:
        return self._choices.setdefault(index, _Choice())

    def _chunk(
        self, choice: int, delta: dict[str, Any], logprobs: msgspec.Raw | None = None, finish: str | None = None
    ) -> bytes:
        return b'%b[{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}]%b' % (
            self._lead,
            choice,
            msgspec.json.encode(delta),
            bytes(logprobs or NULL),
            msgspec.json.encode(finish),
            self._tail,
        )

    def _begin(self, index: int) -> bytes:
        """The first chunk of a choice says who speaks."""
        if index in self._choices:
            return b""
        self._choices[index] = _Choice()
        return self._chunk(index, {"role": "assistant", "content": "", "refusal": None})

    def _open_part(self, event: PartOpened) -> bytes:
        begun = self._begin(event.choice)
        choice = self._choice(event.choice)
        choice.head, choice.thought = event.head, []
        choice.is_apart = not choice.has_thought
        match event.head:
            case Text() | Refusal() | Thinking():
                return begun
            case ToolCall():
                choice.call += 1
                return begun + self._chunk(event.choice, self._call(event.head, choice.call))
            case Media(kind="audio", source=Inline()):
                return begun + self._chunk(event.choice, {"audio": {"id": event.head.id}})
            case Media(kind="image", source=Inline() | Url()):
                return begun + self._chunk(event.choice, {"images": [encode_part(event.head, self._scope, "$")]})
            case Citation():
                cited = encode_citation(event.head, self._scope, "$")
                if not self._scope.is_ours:
                    cited["index"] = choice.cited
                    choice.cited += 1
                return begun + self._chunk(event.choice, {"annotations": [cited]})
            case Opaque(dialect="openai_chat", member=("annotations" | "images") as member):
                return begun + self._chunk(event.choice, {member: [event.head.data]})
            case Opaque() | Media() | ToolResult():
                self._scope.lose(f"$.choices[{event.choice}]", "this format has no place for it in an answer")
                return begun
            case _:
                assert_never(event.head)

    def _call(self, call: ToolCall, number: int) -> dict[str, Any]:
        if self._is_legacy or call.member == "function_call":
            return {"function_call": {"name": call.name, "arguments": ""}}
        about: dict[str, Any] = {"type": "function", "function": {"name": call.name, "arguments": ""}}
        if call.is_custom:
            about = {"type": "custom", "custom": {"name": call.name, "input": ""}}
        members = {"index": number, "id": call.id, **about}
        return {"tool_calls": [merge(members, self._scope.extras("$", call.extras), "function")]}

    def _think(self, event: ThinkingDelta) -> dict[str, Any]:
        choice = self._choice(event.choice)
        if not self._scope.is_ours:
            choice.thought.append(event.text)
            if not choice.is_apart:
                event = msgspec.structs.replace(event, text=f"\n\n{event.text}")
            choice.has_thought = choice.is_apart = True
        member = choice.head.member if isinstance(choice.head, Thinking) else ""
        match member:
            case "content":
                return {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": event.text}]}]}
            case "both":
                return {"reasoning_content": event.text, "reasoning": event.text}
            case "reasoning" | "reasoning_details":
                return {"reasoning": event.text}
            case _:
                return {"reasoning_content": event.text}

    def _argue(self, event: ArgumentsDelta) -> dict[str, Any]:
        choice = self._choice(event.choice)
        call = choice.head
        if isinstance(call, ToolCall) and (self._is_legacy or call.member == "function_call"):
            return {"function_call": {"arguments": event.text}}
        is_custom = isinstance(call, ToolCall) and call.is_custom
        about = {"custom": {"input": event.text}} if is_custom else {"function": {"arguments": event.text}}
        return {"tool_calls": [{"index": choice.call, **about}]}

    def _close_part(self, event: PartClosed) -> bytes:
        """What came to light at the end rides on a chunk of its own."""
        choice = self._choice(event.choice)
        head, seal = choice.head, event.seal
        extras: dict[str, Any] = dict(self._scope.extras("$", event.extras))
        match head:
            case Thinking() if seal is not None:
                if seal.dialect == ID:
                    return self._chunk(event.choice, {"reasoning_details": seal.data})
                thought = Thinking(text="".join(choice.thought), seal=seal)
                return self._chunk(event.choice, {"reasoning_details": [pack(thought, event.part)]})
            case ToolCall() if seal is not None or extras:
                if seal is not None:
                    extras["extra_content"] = pack_seal(seal)
                if not head.is_custom:  # the official SDK takes it for granted in every fragment
                    extras = {"function": {"arguments": ""}, **extras}
                return self._chunk(event.choice, {"tool_calls": [{"index": choice.call, **extras}]})
            case Media(kind="audio") if extras:
                return self._chunk(event.choice, {"audio": extras})
            case _:
                return b""

    def _finish(self, event: Finished) -> bytes:
        begun = self._begin(event.choice)
        word = encode_finish(event.finish, is_ours=self._scope.is_ours)
        if self._is_legacy and word == "tool_calls":
            word = "function_call"
        return begun + self._chunk(event.choice, {}, event.logprobs, word)
