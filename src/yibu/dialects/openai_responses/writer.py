"""Writes a response out of events: as a stream, and, by gathering the same events, as a whole.

Life cycle of each item and order of members: OpenAI, *Streaming events* of Responses, and recordings, read 2026-11-22. An
item is closed before the next one begins. A message stays open until something else follows, because citations come after
the text that they belong to, and so does a reasoning item until it is sealed. The terminal event waits for `finish`, since
usage comes last.
"""

from typing import Any, assert_never

import msgspec

from yibu.dialects._json import fields, lean, merge, text_of
from yibu.dialects._scope import Scope
from yibu.dialects.openai_responses.calls import CALLS
from yibu.dialects.openai_responses.errors import ResponsesErrors, frame, told
from yibu.dialects.openai_responses.finish import encode_finish
from yibu.dialects.openai_responses.items import unwrap_logprobs
from yibu.dialects.openai_responses.response import Asked, build, echo, fit_tier, item_id, response_id
from yibu.dialects.openai_responses.thoughts import RAW, pack, state_of
from yibu.dialects.openai_responses.usage import encode_usage
from yibu.dialects.openai_responses.wire import ID
from yibu.hub.errors import HubError
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
from yibu.hub.media import Inline
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Seal, Text, Thinking, ToolCall, ToolResult
from yibu.hub.reply import Finish
from yibu.hub.usage import Usage

_ERRORS = ResponsesErrors()
_RECORD = frozenset({"id", "status"})


class Writer:
    """One response. `asked`: what it repeats of its request, which `model` is of."""

    def __init__(self, model: str, asked: Asked, losses: Losses | None = None) -> None:
        self._model = model
        self._asked = asked
        self._scope = Scope("", "", [] if losses is None else losses)
        self._about: dict[str, Any] = {}
        self._repeated: dict[str, Any] = {}
        self._number = 0
        self._output: list[dict[str, Any]] = []
        self._item: dict[str, Any] | None = None
        self._part: dict[str, Any] | None = None
        self._words: list[str] = []
        self._logprobs: list[Any] = []
        self._head: Part | None = None
        self._finish = Finish(kind="stop")
        self._usage: Usage | None = None
        self._has_failed = False

    def feed(self, event: Event) -> bytes:
        match event:
            case Opened():
                return self._open(event)
            case Metered():
                self._usage = event.usage
                return b""
            case Failed():
                return self.fail(error_of(event))
            case _ if event.choice:  # a response has one answer
                return b""
            case PartOpened():
                return self._begin(event.head)
            case TextDelta():
                return self._say(event)
            case ThinkingDelta():
                return self._think(event.text)
            case ArgumentsDelta():
                return self._argue(event.text)
            case MediaDelta():
                return b""
            case PartClosed():
                return self._end(event)
            case Finished():
                self._finish = event.finish
                return self._shut("incomplete" if event.finish.kind in ("length", "filtered") else "completed")
            case _:
                assert_never(event)

    def finish(self) -> bytes:
        if self._has_failed or not self._about:
            return b""
        response = self.response()
        kind = "incomplete" if response["status"] == "incomplete" else "completed"
        return self._emit(f"response.{kind}", response=response)

    def response(self) -> dict[str, Any]:
        """The whole response, when all was fed."""
        status, details = encode_finish(self._finish, is_ours=self._scope.is_ours)
        return self._snapshot(status, incomplete_details=details)

    def fail(self, error: HubError) -> bytes:
        """The event that tells a failure, with all that there was before it."""
        if not self._about:
            return _ERRORS.encode_stream_error(error, "")
        if self._has_failed:
            return b""
        self._has_failed = True
        number = self._number
        self._shut("incomplete")  # into the snapshot only
        self._number = number
        return self._emit("response.failed", response=self._snapshot("failed", error=told(error)))

    def _emit(self, kind: str, **members: Any) -> bytes:
        self._number += 1
        return frame({"type": kind, **members, "sequence_number": self._number - 1})

    def _open(self, opened: Opened) -> bytes:
        self._scope = Scope(ID, opened.dialect, self._scope.losses)
        repeated = echo(self._asked)
        extras = opened.extras
        if self._scope.is_ours:
            own = {key: value for key, value in extras.items() if key != "echo"}
            told_there = fields(extras["echo"]) if "echo" in extras else {}
            repeated = {**repeated, **told_there, **own}
        elif tier := text_of(extras.get("service_tier")):
            repeated["service_tier"] = fit_tier(tier)
        self._repeated = repeated
        self._about = {
            "id": response_id(opened.id, self._asked, is_ours=self._scope.is_ours),
            "object": "response",
            "created_at": opened.created,
            "model": opened.model or self._model,
        }
        snapshot = self._snapshot("in_progress")
        return self._emit("response.created", response=snapshot) + self._emit("response.in_progress", response=snapshot)

    def _snapshot(self, status: str, **members: Any) -> dict[str, Any]:
        is_over = status not in ("in_progress", "queued")
        about: dict[str, Any] = {**self._about, "status": status, "error": None, "incomplete_details": None, **members}
        about |= {"output": list(self._output), "usage": encode_usage(self._usage) if is_over else None}
        return build(about, self._repeated)

    # Items

    def _add(self, item: dict[str, Any], kind: str, id: str = "") -> bytes:
        """Begins an item; what was open before is closed."""
        shut = self._shut("completed")
        index = len(self._output)
        self._item = {"id": id or item_id(kind, self._about["id"], index), "type": kind, **item}
        return shut + self._emit("response.output_item.added", output_index=index, item=self._item)

    def _place(self) -> dict[str, Any]:
        item = self._item or {}
        return {"item_id": item.get("id"), "output_index": len(self._output)}

    def _shut(self, status: str) -> bytes:
        """Ends the item that is open, if one is."""
        item = self._item
        if item is None:
            return b""
        out = self._end_part(item)
        if "status" in item:
            item["status"] = status
        out += self._emit("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)
        self._item = None
        return out

    def _end_part(self, item: dict[str, Any]) -> bytes:
        """Ends what is open in an item; of a call that broke off the arguments stay as far as they came."""
        if item["type"] == "reasoning":
            return self._end_thought(None)
        if item["type"] in CALLS and not item[CALLS[item["type"]]]:
            item[CALLS[item["type"]]] = "".join(self._words)
        return self._end_words()

    def _whole(self, item: dict[str, Any], kind: str, id: str, *stages: str) -> bytes:
        """An item that comes in one piece."""
        began = {"status": "in_progress"} if "status" in item else {}
        out = self._add({**item, **began} if not stages else began, kind, id)
        for stage in stages:
            out += self._emit(f"response.{kind}.{stage}", **self._place())
        assert self._item is not None
        self._item.update(item)
        return out + self._shut("completed")

    def _begin(self, head: Part) -> bytes:
        self._head = head
        match head:
            case Text() | Refusal():
                return self._begin_words(head)
            case Thinking():
                if self._item is not None and self._item["type"] == "reasoning":
                    return b""
                id = text_of(head.extras.get("id")) if self._scope.is_ours else None
                return self._add({"summary": []}, "reasoning", id or "")
            case ToolCall():
                kind = "custom_tool_call" if head.is_custom else "function_call"
                extras = self._scope.extras("$", head.extras) if self._scope.is_ours else {}
                item = {"status": "in_progress", "call_id": head.id, "name": head.name, CALLS[kind]: ""}
                others = {key: value for key, value in extras.items() if key not in _RECORD}
                out = self._add(merge(item, others), kind, text_of(extras.get("id")) or "")
                self._words = []
                return out
            case Citation():
                return self._annotate(self._cite(head))
            case Media(kind="image", source=Inline() as source):
                return self._show(head, source)
            case Opaque() if head.dialect == ID:
                return self._pass(head)
            case Media() | Opaque() | ToolResult():
                self._scope.lose("$.output", "this format has no place for it in an answer")
                return b""
            case _:
                assert_never(head)

    # Messages

    def _begin_words(self, head: Text | Refusal) -> bytes:
        out = b""
        extras = self._scope.extras("$", head.extras) if self._scope.is_ours else {}
        is_message = self._item is not None and self._item["type"] == "message"
        if not is_message or "id" in extras:
            others = {key: value for key, value in extras.items() if key not in _RECORD}
            item = {"status": "in_progress", "role": "assistant", "content": [], **others}
            out = self._add(item, "message", text_of(extras.get("id")) or "")
        else:
            out = self._end_words()
        if isinstance(head, Text):
            self._part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        else:
            self._part = {"type": "refusal", "refusal": ""}
        self._words, self._logprobs = [], []
        return out + self._emit("response.content_part.added", **self._spot(), part=self._part)

    def _spot(self) -> dict[str, Any]:
        assert self._item is not None
        return {**self._place(), "content_index": len(self._item.get("content") or ())}

    def _say(self, event: TextDelta) -> bytes:
        self._words.append(event.text)
        if isinstance(self._head, Refusal):
            return self._emit("response.refusal.delta", **self._spot(), delta=event.text)
        logprobs = unwrap_logprobs(event.logprobs)
        if logprobs:
            self._logprobs += msgspec.json.decode(logprobs)
        return self._emit("response.output_text.delta", **self._spot(), delta=event.text, logprobs=logprobs)

    def _end_words(self) -> bytes:
        """Ends the text or the refusal that is open, if one is."""
        part, item = self._part, self._item
        if part is None or item is None:
            return b""
        text, spot = "".join(self._words), self._spot()
        if part["type"] == "refusal":
            part["refusal"] = text
            out = self._emit("response.refusal.done", **spot, refusal=text)
        elif part["type"] == "output_text":
            part["text"], part["logprobs"] = text, self._logprobs
            out = self._emit("response.output_text.done", **spot, text=text, logprobs=self._logprobs)
        else:
            out = b""
        out += self._emit("response.content_part.done", **spot, part=part)
        item["content"].append(part)
        self._part = None
        return out

    def _cite(self, head: Citation) -> dict[str, Any]:
        extras = self._scope.extras("$", head.extras) if self._scope.is_ours else {}
        about = {"url": head.url, "title": head.title, "start_index": head.start, "end_index": head.end}
        if not self._scope.is_ours:  # the official SDK takes numbers for granted
            about |= {"start_index": head.start or 0, "end_index": head.end or 0}
        return merge({"type": "url_citation", **lean(about)}, extras)

    def _annotate(self, annotation: Any) -> bytes:
        """A source belongs to the text before it, also when calls came between."""
        part = self._part
        if part is not None and part["type"] == "output_text" and isinstance(part["annotations"], list):
            part["annotations"].append(annotation)
            number = len(part["annotations"]) - 1
            about = {"annotation_index": number, "annotation": annotation}
            return self._emit("response.output_text.annotation.added", **self._spot(), **about)
        for item in reversed(self._output):
            for known in reversed(item.get("content") or []):
                if (
                    item["type"] == "message"
                    and known["type"] == "output_text"
                    and isinstance(known["annotations"], list)
                ):
                    known["annotations"].append(annotation)
                    return b""
        return b""

    # Thoughts

    def _think(self, text: str) -> bytes:
        is_raw = isinstance(self._head, Thinking) and self._head.member == RAW
        out = b""
        if self._part is None:
            self._part = {"type": RAW if is_raw else "summary_text", "text": ""}
            self._words = []
            assert self._item is not None
            if is_raw:
                self._item.setdefault("content", [])
            out = self._emit(f"response.{_PART[is_raw]}.added", **self._thought_spot(is_raw), part=self._part)
        self._words.append(text)
        return out + self._emit(f"response.{_TEXT[is_raw]}.delta", **self._thought_spot(is_raw), delta=text)

    def _thought_spot(self, is_raw: bool) -> dict[str, Any]:
        assert self._item is not None
        if is_raw:
            return {**self._place(), "content_index": len(self._item.get("content") or ())}
        return {**self._place(), "summary_index": len(self._item["summary"])}

    def _end_thought(self, seal: Seal | None) -> bytes:
        out = b""
        item, part = self._item, self._part
        assert item is not None
        if part is not None:
            is_raw = part["type"] == RAW
            part["text"] = "".join(self._words)
            spot = self._thought_spot(is_raw)
            out += self._emit(f"response.{_TEXT[is_raw]}.done", **spot, text=part["text"])
            out += self._emit(f"response.{_PART[is_raw]}.done", **spot, part=part)
            item["content" if is_raw else "summary"].append(part)
            self._part = None
        if seal is None:
            return out
        if seal.dialect == ID:
            item.update({key: value for key, value in state_of(seal).items() if key != "id"})
        else:
            item["encrypted_content"] = pack(seal)
        return out + self._shut("completed")

    # Calls and the rest

    def _argue(self, text: str) -> bytes:
        self._words.append(text)
        kind = "custom_tool_call_input" if self._is_custom() else "function_call_arguments"
        return self._emit(f"response.{kind}.delta", **self._place(), delta=text)

    def _is_custom(self) -> bool:
        return isinstance(self._head, ToolCall) and self._head.is_custom

    def _end_call(self, seal: Seal | None) -> bytes:
        """A call without arguments says `{}`. The seal of another dialect follows in a reasoning item of its own."""
        out = b"" if self._words or self._is_custom() else self._argue("{}")
        item = self._item
        assert item is not None
        text = "".join(self._words)
        if self._is_custom():
            item["input"] = text
            out += self._emit("response.custom_tool_call_input.done", **self._place(), input=text)
        else:
            item["arguments"] = text
            name = item["name"]
            out += self._emit("response.function_call_arguments.done", **self._place(), name=name, arguments=text)
        call_id = item["call_id"]
        out += self._shut("completed")
        if seal is not None:
            out += self._whole({"summary": [], "encrypted_content": pack(seal, call_id)}, "reasoning", "")
        return out

    def _show(self, picture: Media, source: Inline) -> bytes:
        form = source.mime.partition("/")[2] or "png"
        item: dict[str, Any] = {"status": "completed", "result": source.base64, "output_format": form}
        if self._scope.is_ours:
            item |= picture.extras
        id = picture.id if self._scope.is_ours else ""
        return self._whole(item, "image_generation_call", id, "in_progress", "generating", "completed")

    def _pass(self, part: Opaque) -> bytes:
        members: dict[str, Any] = dict(fields(part.data))
        if part.member == "annotations":
            return self._annotate(part.data)
        if part.member == "content":
            return self._pass_content(members)
        kind, id = text_of(members.pop("type", None)) or "item", text_of(members.pop("id", None)) or ""
        out = self._add(members, kind, id)
        item, self._item = self._item, None
        out += self._emit("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item or {})
        return out

    def _pass_content(self, members: dict[str, Any]) -> bytes:
        """A part of a message that the hub has no word for."""
        out = b""
        if self._item is None or self._item["type"] != "message":
            out = self._add({"status": "in_progress", "role": "assistant", "content": []}, "message")
        else:
            out = self._end_words()
        self._part = {**members, "type": text_of(members.get("type")) or ""}
        return out + self._emit("response.content_part.added", **self._spot(), part=self._part)

    def _end(self, event: PartClosed) -> bytes:
        head = self._head
        match head:
            case Thinking():
                return self._end_thought(event.seal or head.seal)
            case ToolCall():
                return self._end_call(event.seal or head.seal)
            case _:
                return b""


_PART = {True: "content_part", False: "reasoning_summary_part"}
_TEXT = {True: "reasoning_text", False: "reasoning_summary_text"}
