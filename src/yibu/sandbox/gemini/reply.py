"""How Google writes an answer: whole, as server-sent events, or as one array that grows.

Each chunk is a whole response with the new parts alone and the counts so far; a function call comes in one piece.
Source: Google, *GenerateContentResponse*, *UsageMetadata*, *Thought signatures*, read 2026-11-22.
"""

from typing import Any

import msgspec

from yibu.sandbox.behaviours import broken
from yibu.sandbox.draft import Draft, sum_counts
from yibu.sandbox.engines.bill import prompt_counts
from yibu.sandbox.engines.piece import (
    Argued,
    Counts,
    Declined,
    End,
    Opened,
    Piece,
    Text,
    Thought,
    Trouble,
    alternatives,
    logprob,
)
from yibu.sandbox.engines.rules import attend_all
from yibu.sandbox.gemini.parts import sign
from yibu.sandbox.gemini.request import Generation
from yibu.sandbox.gemini.words import error_value

FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "filtered": "SAFETY"}
_RATINGS = [
    {"category": f"HARM_CATEGORY_{name}", "probability": "NEGLIGIBLE"}
    for name in ("HATE_SPEECH", "DANGEROUS_CONTENT", "HARASSMENT", "SEXUALLY_EXPLICIT")
]


class GenerationStage:
    """`is_array`: a stream without `alt=sse`. `tells_usage`: counts stand in the chunks before the last too."""

    def __init__(self, generation: Generation, *, is_array: bool, tells_usage: bool) -> None:
        self.ask = generation.ask
        self.generation = generation
        self.is_array = is_array
        self.tells_usage = tells_usage
        self.content_type = "application/json; charset=UTF-8" if is_array else "text/event-stream"
        self.drafts = [Draft() for _ in range(self.ask.n)]
        self.ended: list[End] = []
        self.called: set[tuple[int, int]] = set()  # choice and index of the calls that were sent
        self.chunks = 0

    def whole(self, drafts: list[Draft]) -> dict[str, Any]:
        counts = sum_counts([draft.end for draft in drafts])
        if any(draft.end.reason == "blocked" for draft in drafts):
            return self.blocked(counts)
        return self.response([self.candidate(number, draft) for number, draft in enumerate(drafts)], counts)

    def feed(self, choice: int, piece: Piece) -> bytes:
        draft = self.drafts[choice]
        frames = b"" if isinstance(piece, Argued | Trouble) else self.flush(choice, draft)
        draft.add(piece)
        match piece:
            case Thought(text):
                parts = [{"text": text, "thought": True}] if self.generation.shows else []
                return frames + (self.chunk(choice, parts) if parts else b"")
            case Text(text) | Declined(text):
                return frames + self.chunk(choice, [{"text": text}], texts=[text])
            case Opened() | Argued():
                return frames
            case Trouble("garbage"):
                return b'data: {"candidates": [{"content": {"par\r\n\r\n' if not self.is_array else b'\r\n,\r\n{"candi'
            case Trouble():
                return self.frame(error_value(broken())) + (b"]" if self.is_array else b"")
            case End():
                self.ended.append(piece)
                return frames + self.end(choice, draft)

    def close(self) -> bytes:
        return b"]" if self.is_array else b""

    def flush(self, choice: int, draft: Draft) -> bytes:
        """The function call that has been collected, once something else begins."""
        if not draft.calls:
            return b""
        opened, arguments = draft.calls[-1]
        if (choice, opened.index) in self.called:
            return b""
        self.called.add((choice, opened.index))
        return self.chunk(choice, [self.call(choice, opened, "".join(arguments), draft.thought)])

    def end(self, choice: int, draft: Draft) -> bytes:
        counts = sum_counts(self.ended) if len(self.ended) == self.ask.n else None
        if draft.end.reason == "blocked":
            return self.frame(self.blocked(counts))
        part: dict[str, Any] = {"text": ""}
        if self.generation.is_sealed and not draft.calls:
            part["thoughtSignature"] = sign("text", None, draft.thought)
        content = {"content": {"parts": [part], "role": "model"}} if draft.texts or draft.calls or draft.refusal else {}
        last = content | {"finishReason": FINISH[draft.end.reason], "index": choice}
        return self.frame(self.response([last], counts))

    def candidate(self, number: int, draft: Draft) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        if draft.thoughts and self.generation.shows:
            parts.append({"text": draft.thought, "thought": True})
        if text := draft.text + "".join(draft.refusal):
            parts.append({"text": text})
            if self.generation.is_sealed and not draft.calls:
                parts[-1]["thoughtSignature"] = sign("text", None, draft.thought)
        parts += [self.call(number, opened, "".join(arguments), draft.thought) for opened, arguments in draft.calls]
        value: dict[str, Any] = {"content": {"parts": parts, "role": "model"}} if parts else {}
        value |= {"finishReason": FINISH[draft.end.reason], "index": number}
        if draft.end.reason == "filtered":
            value["safetyRatings"] = [_RATINGS[1] | {"probability": "HIGH", "blocked": True}]
        return value | self.logprobs(draft.texts)

    def call(self, choice: int, opened: Opened, arguments: str, thoughts: str) -> dict[str, Any]:
        args = _object(arguments)
        call: dict[str, Any] = {"name": opened.name, "args": args}
        part: dict[str, Any] = {"functionCall": call}
        if self.generation.is_sealed:
            call["id"] = f"{self.ask.fingerprint[:6]}{choice}{opened.index}"
        if opened.index == 0 and (self.generation.is_sealed or thoughts):
            part["thoughtSignature"] = sign("call", [opened.name, args], thoughts)
        return part

    def chunk(self, choice: int, parts: list[dict[str, Any]], texts: list[str] | None = None) -> bytes:
        candidate = {"content": {"parts": parts, "role": "model"}, "index": choice} | self.logprobs(texts or [])
        counts = prompt_counts(self.ask, attend_all(self.ask)) if self.tells_usage else None
        return self.frame(self.response([candidate], counts))

    def frame(self, value: dict[str, Any]) -> bytes:
        self.chunks += 1
        text = msgspec.json.encode(value)
        if not self.is_array:
            return b"data: " + text + b"\r\n\r\n"
        return (b"[" if self.chunks == 1 else b",\r\n") + text + b"\r\n"

    def response(self, candidates: list[dict[str, Any]], counts: Counts | None) -> dict[str, Any]:
        value: dict[str, Any] = {"candidates": candidates}
        if counts is not None:
            value["usageMetadata"] = usage(counts)
        return value | {"modelVersion": self.ask.model, "responseId": self.ask.fingerprint[:22]}

    def blocked(self, counts: Counts | None) -> dict[str, Any]:
        value = self.response([], counts)
        del value["candidates"]
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": _RATINGS}} | value

    def logprobs(self, texts: list[str]) -> dict[str, Any]:
        if self.ask.logprobs is None or not texts:
            return {}
        chosen = [_logprob(text, logprob(text)) for text in texts]
        top = [{"candidates": [_logprob(*one) for one in alternatives(text, self.ask.logprobs)]} for text in texts]
        average = round(sum(logprob(text) for text in texts) / len(texts), 6)
        return {"avgLogprobs": average, "logprobsResult": {"chosenCandidates": chosen, "topCandidates": top}}


def _logprob(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "tokenId": sum(token.encode()), "logProbability": value}


def usage(counts: Counts) -> dict[str, Any]:
    """Google's counts: the prompt holds what was cached, candidates do not hold thoughts; zeros are left out."""
    answered = counts.completion - counts.reasoning
    plain = [("TEXT", counts.prompt - counts.audio), ("AUDIO", counts.audio)]
    value = {
        "promptTokenCount": counts.prompt,
        "candidatesTokenCount": answered,
        "totalTokenCount": counts.prompt + counts.completion,
        "cachedContentTokenCount": counts.cached,
        "promptTokensDetails": [{"modality": kind, "tokenCount": number} for kind, number in plain if number],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": counts.cached}] if counts.cached else [],
        "thoughtsTokenCount": counts.reasoning,
    }
    return {name: item for name, item in value.items() if item}


def _object(arguments: str) -> Any:
    """The arguments of a call; what a limit cut is no JSON any more."""
    try:
        return msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        return {}
