"""How OpenAI writes a response: the object, and the events on the way to it.

Source: OpenAI, *The response object*, *Streaming events*, read 2026-11-22.
"""

from typing import Any

import msgspec

from yibu.sandbox.behaviours import broken
from yibu.sandbox.completions import token_logprobs
from yibu.sandbox.draft import Draft
from yibu.sandbox.engines.piece import Argued, Counts, Declined, End, Opened, Piece, Text, Thought, Trouble
from yibu.sandbox.models import CREATED
from yibu.sandbox.responses.items import REASONING
from yibu.sandbox.responses.request import Wanted
from yibu.sandbox.responses.store import Item, Kept, Store
from yibu.sandbox.seal import seal

GARBAGE = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","del\n\n'


class ResponseStage:
    """Items open and close one after another; each has what has come of it in `text`."""

    content_type = "text/event-stream; charset=utf-8"

    def __init__(self, wanted: Wanted, store: Store) -> None:
        self.wanted = wanted
        self.ask = wanted.ask
        self.store = store
        self.output: list[Item] = []
        self.item: Item | None = None  # the open one
        self.text: list[str] = []
        self.events: list[dict[str, Any]] = []

    def whole(self, drafts: list[Draft]) -> dict[str, Any]:
        """The same items as streamed, by the same way."""
        (draft,) = drafts
        for thought in draft.thoughts:
            self.feed(0, Thought(thought))
        for text in draft.texts:
            self.feed(0, Text(text))
        for text in draft.refusal:
            self.feed(0, Declined(text))
        for opened, arguments in draft.calls:
            self.feed(0, opened)
            for text in arguments:
                self.feed(0, Argued(opened.index, text, opened.custom))
        self.feed(0, draft.end)
        value: dict[str, Any] = self.events[-1]["response"]
        return value

    def feed(self, choice: int, piece: Piece) -> bytes:
        frames = b"" if self.events else self.start()
        match piece:
            case Thought(text):
                return frames + self.begin("reasoning", self.reasoning) + self.think(text)
            case Text(text):
                return frames + self.begin("output_text", lambda: self.message("output_text")) + self.say(text)
            case Declined(text):
                return frames + self.begin("refusal", lambda: self.message("refusal")) + self.say(text)
            case Opened():
                return frames + self.finish() + self.add(self.call(piece))
            case Argued(_, text, custom):
                self.text.append(text)
                kind = "custom_tool_call_input" if custom else "function_call_arguments"
                return frames + self.event(f"response.{kind}.delta", self.place() | {"delta": text})
            case Trouble("garbage"):
                return frames + GARBAGE
            case Trouble():
                return frames + self.fail()
            case End():
                return frames + self.end(piece)

    def close(self) -> bytes:
        return b""

    def start(self) -> bytes:
        status = "queued" if self.wanted.is_background else "in_progress"
        frames = self.event("response.created", {"response": self.response(status)})
        if self.wanted.is_background:
            frames += self.event("response.queued", {"response": self.response(status)})
        return frames + self.event("response.in_progress", {"response": self.response("in_progress")})

    def begin(self, kind: str, make: Any) -> bytes:
        """Open an item unless one of this kind is open."""
        if self.item is not None and kind in (self.item["type"], self.part_type()):
            return b""
        frames = self.finish() + self.add(make())
        if kind == "reasoning":
            part = {"type": "summary_text", "text": ""}
            place = self.place() | {"summary_index": 0, "part": part}
            return frames + (
                self.event("response.reasoning_summary_part.added", place) if self.wanted.summarizes else b""
            )
        return frames + self.event("response.content_part.added", self.place(0) | {"part": self.part("")})

    def add(self, item: Item) -> bytes:
        self.item, self.text = item, []
        shown = {name: value for name, value in item.items() if name != "part"}
        return self.event("response.output_item.added", {"output_index": len(self.output), "item": shown})

    def think(self, text: str) -> bytes:
        self.text.append(text)
        if not self.wanted.summarizes:
            return b""
        return self.event("response.reasoning_summary_text.delta", self.place() | {"summary_index": 0, "delta": text})

    def say(self, text: str) -> bytes:
        self.text.append(text)
        kind = self.part_type()
        more = {"logprobs": self.logprobs([text])} if kind == "output_text" else {}
        return self.event(f"response.{kind}.delta", self.place(0) | {"delta": text} | more)

    def finish(self, status: str = "completed") -> bytes:
        """Close the open item with all the events that its kind ends with."""
        if self.item is None:
            return b""
        text = "".join(self.text)
        frames = b""
        item = self.item
        match item["type"]:
            case "reasoning":
                if self.wanted.summarizes:
                    part = {"type": "summary_text", "text": text}
                    place = self.place() | {"summary_index": 0}
                    frames = self.event("response.reasoning_summary_text.done", place | {"text": text})
                    frames += self.event("response.reasoning_summary_part.done", place | {"part": part})
                    item["summary"] = [part]
                item["encrypted_content"] = seal(REASONING, text) if self.wanted.encrypts else None
            case "message":
                kind = self.part_type()
                told = (
                    {"text": text, "logprobs": self.logprobs(self.text)} if kind == "output_text" else {"refusal": text}
                )
                frames = self.event(f"response.{kind}.done", self.place(0) | told)
                frames += self.event("response.content_part.done", self.place(0) | {"part": self.part(text)})
                item["content"] = [self.part(text)]
            case "function_call":
                frames = self.event("response.function_call_arguments.done", self.place() | {"arguments": text})
                item["arguments"] = text
            case _:
                frames = self.event("response.custom_tool_call_input.done", self.place() | {"input": text})
                item["input"] = text
        if item["type"] != "reasoning":
            item["status"] = status
        item.pop("part", None)
        frames += self.event("response.output_item.done", {"output_index": len(self.output), "item": item})
        self.output.append(item)
        self.item = None
        return frames

    def end(self, piece: End) -> bytes:
        reason = {"length": "max_output_tokens", "filtered": "content_filter"}.get(piece.reason)
        status = "incomplete" if reason else "completed"
        frames = self.finish(status)
        value = self.response(status) | {"incomplete_details": {"reason": reason} if reason else None}
        value["usage"] = usage(piece.counts) if piece.counts else None
        return frames + self.last(status, value)

    def fail(self) -> bytes:
        failure = broken()
        error = {"code": "server_error", "message": failure.message}
        frames = self.event("error", error | {"param": None})
        return frames + self.last("failed", self.response("failed") | {"error": error})

    def last(self, status: str, value: dict[str, Any]) -> bytes:
        frames = self.event(f"response.{status}", {"response": value})
        if self.wanted.stores:
            earlier = self.store.get(value["id"])
            work = earlier.work if earlier and self.wanted.is_background else None
            self.store.put(Kept(value, self.wanted.input, self.wanted.context, self.events, work))
        return frames

    def reasoning(self) -> Item:
        return {"id": self.id("rs"), "type": "reasoning", "summary": [], "encrypted_content": None}

    def message(self, kind: str) -> Item:
        head = {"id": self.id("msg"), "type": "message", "status": "in_progress", "role": "assistant"}
        return head | {"content": [], "part": kind}

    def call(self, opened: Opened) -> Item:
        call_id = f"call_{self.ask.fingerprint[:22]}{opened.index:02d}"
        head = {"status": "in_progress", "call_id": call_id, "name": opened.name}
        if opened.custom:
            return {"id": self.id("ctc"), "type": "custom_tool_call", **head, "input": ""}
        return {"id": self.id("fc"), "type": "function_call", **head, "arguments": ""}

    def id(self, prefix: str) -> str:
        return f"{prefix}_{self.ask.fingerprint}{len(self.output):02d}"

    def part_type(self) -> str:
        return str((self.item or {}).get("part", ""))

    def part(self, text: str) -> dict[str, Any]:
        if self.part_type() == "refusal":
            return {"type": "refusal", "refusal": text}
        told = self.logprobs(self.text) if text else []
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": told}

    def logprobs(self, texts: list[str]) -> list[dict[str, Any]]:
        return [token_logprobs(text, self.ask.logprobs) for text in texts] if self.ask.logprobs is not None else []

    def place(self, content_index: int | None = None) -> dict[str, Any]:
        assert self.item
        place = {"item_id": self.item["id"], "output_index": len(self.output)}
        return place if content_index is None else place | {"content_index": content_index}

    def event(self, kind: str, value: dict[str, Any]) -> bytes:
        made = {"type": kind, "sequence_number": len(self.events), **value}
        text = msgspec.json.encode(made)
        self.events.append(msgspec.json.decode(text))  # a copy: items grow on
        return b"event: " + kind.encode() + b"\ndata: " + text + b"\n\n"

    def response(self, status: str) -> dict[str, Any]:
        """The response as it stands, in the state `status`."""
        return describe(self.wanted, status) | {"output": list(self.output)}


def describe(wanted: Wanted, status: str) -> dict[str, Any]:
    """The response without output and usage: what was asked for is echoed, with OpenAI's defaults."""
    body = wanted.body
    reasoning, text = body.get("reasoning") or {}, body.get("text") or {}
    return {
        "id": f"resp_{wanted.ask.fingerprint}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": wanted.is_background,
        "completed_at": CREATED if status == "completed" else None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "model": wanted.ask.model,
        "output": [],
        "parallel_tool_calls": wanted.ask.parallel,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default",
        "store": wanted.stores,
        "temperature": 1.0 if wanted.ask.temperature is None else wanted.ask.temperature,
        "text": {"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity") or "medium"},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [_echoed(tool) for tool in body.get("tools") or []],
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": 1.0 if wanted.ask.top_p is None else wanted.ask.top_p,
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
        "user": body.get("user"),
        "metadata": body.get("metadata") or {},
    }


def _echoed(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        return tool
    return {"description": None} | tool | {"strict": tool["strict"] if tool.get("strict") is not None else True}


def usage(counts: Counts) -> dict[str, Any]:
    """The input holds what was cached and written, the output holds the reasoning."""
    return {
        "input_tokens": counts.prompt,
        "input_tokens_details": {
            "cached_tokens": counts.cached,
            "cache_write_tokens": counts.written + counts.written_long,
        },
        "output_tokens": counts.completion,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.prompt + counts.completion,
    }
