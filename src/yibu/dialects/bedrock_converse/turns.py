"""The conversation, in the order that Converse demands: user and assistant by turns, the user first, no empty text, every
call answered in the next message, results before anything else."""

from collections.abc import Iterable
from typing import Any, assert_never

from yibu.dialects._json import fields
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.calls import arguments_of
from yibu.dialects.anthropic.pairing import Ids, Results
from yibu.dialects.bedrock_converse.masks import alias
from yibu.dialects.bedrock_converse.media import Names, encode_media
from yibu.dialects.bedrock_converse.tools import mark
from yibu.dialects.bedrock_converse.wire import ID
from yibu.hub.chat import Turn
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Text, Thinking, ToolCall, ToolResult

Block = dict[str, Any]
_SYSTEMS = ("system", "developer")
_START = "."


class Conversation:
    """`system` and `messages`, encoded."""

    def __init__(self, turns: tuple[Turn, ...], scope: Scope) -> None:
        self.system: list[Block] = []
        self.messages: list[Block] = []
        self._scope = scope
        self._names = Names()
        self._ids, self._results = Ids(), Results(turns)
        self._open: list[tuple[ToolCall, str]] = []
        """Calls that wait for their results, with the ids that they got here."""
        at = 0
        while at < len(turns) and turns[at].role in _SYSTEMS:
            self.system += self._texts(turns[at].parts, f"$.turns[{at}]")
            at += 1
        for number in range(at, len(turns)):
            self._turn(turns, number)
        if not self.messages or self.messages[0]["role"] != "user":
            self.messages.insert(0, {"role": "user", "content": [{"text": _START}]})

    def _turn(self, turns: tuple[Turn, ...], at: int) -> None:
        turn, where = turns[at], f"$.turns[{at}]"
        self._scope.extras(where, turn.extras)
        if turn.role == "assistant":
            self._add("assistant", self._said(turn.parts, where))
            if at + 1 == len(turns) or turns[at + 1].role != "assistant":
                self._add("user", self._answers(at, where))
        elif turn.role in _SYSTEMS:
            self._scope.lose(where, "told inside the user's turn as a system reminder", "approximated")
            texts = [part.text for part in turn.parts if isinstance(part, Text) and part.text.strip()]
            self._add("user", [{"text": f"<system-reminder>\n{text}\n</system-reminder>"} for text in texts])
        else:
            self._add("user", self._asked(turn.parts, at, where))

    def _add(self, role: str, blocks: list[Block]) -> None:
        if blocks and self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += blocks
        elif blocks:
            self.messages.append({"role": role, "content": blocks})

    def _texts(self, parts: Iterable[Part], where: str) -> list[Block]:
        """Of a system text; it holds words only."""
        blocks: list[Block] = []
        for part in parts:
            if not isinstance(part, Text):
                self._scope.lose(where, "a system text holds words only")
            elif part.text.strip():
                blocks += self._marked({"text": part.text}, part.cache)
        return blocks

    def _marked(self, block: Block, cache: str) -> list[Block]:
        return [block, mark(cache)] if cache else [block]

    def _said(self, parts: tuple[Part, ...], where: str) -> list[Block]:
        blocks: list[Block] = []
        for number, part in enumerate(parts):
            at = f"{where}.parts[{number}]"
            match part:
                case Text() | Refusal():
                    if part.text.strip():
                        blocks += self._marked({"text": part.text}, part.cache if isinstance(part, Text) else "")
                case Thinking():
                    blocks += self._thought(part, at)
                case ToolCall():
                    call = self._ids.of_call(part)
                    self._open.append((part, call.id))
                    blocks.append(self._call(call, at))
                case Opaque(dialect="bedrock_converse"):
                    blocks.append(dict(fields(part.data)))
                case Media() | Opaque() | Citation() | ToolResult():
                    self._scope.lose(at, "it has no place in what a model said")
                case _:
                    assert_never(part)
        return blocks

    def _thought(self, part: Thinking, where: str) -> list[Block]:
        """Thoughts go back with Amazon's own signature only."""
        if part.seal is None or part.seal.dialect != ID:
            self._scope.lose(where, "Amazon takes back only thoughts that it signed")
            return []
        seal = fields(part.seal.data)
        if "redactedContent" in seal:
            return [{"reasoningContent": dict(seal)}]
        return [{"reasoningContent": {"reasoningText": {"text": part.text, **seal}}}]

    def _call(self, call: ToolCall, where: str) -> Block:
        if call.seal is not None:
            self._scope.lose(f"{where}.seal", f"a seal of {call.seal.dialect} means nothing to this vendor")
        return {"toolUse": {"toolUseId": call.id, "name": alias(call.name), "input": arguments_of(call)}}

    def _answers(self, after: int, where: str) -> list[Block]:
        """One result for each call, in their order."""
        blocks: list[Block] = []
        for call, id in self._open:
            result = self._results.take(call.id, after)
            if result is None:
                self._scope.lose(where, f"the call `{call.name}` has no result: an empty one stands in", "approximated")
                result = ToolResult(call_id=call.id, parts=(Text(text="[no result]"),), is_error=True)
            blocks += self._marked(self._result(result, id, where), result.cache)
        self._open = []
        return blocks

    def _result(self, result: ToolResult, id: str, where: str) -> Block:
        content: list[Block] = []
        for part in result.parts:
            match part:
                case Text():
                    content.append({"text": part.text or "[empty]"})
                case Media():
                    content.append(encode_media(part, self._names, self._scope, where))
                case Opaque():
                    self._scope.lose(where, "a part of another format in a result")
                case _:
                    assert_never(part)
        status = "error" if result.is_error else "success"
        return {"toolResult": {"toolUseId": id, "content": content or [{"text": "[empty]"}], "status": status}}

    def _asked(self, parts: tuple[Part, ...], turn: int, where: str) -> list[Block]:
        blocks: list[Block] = []
        for number, part in enumerate(parts):
            at = f"{where}.parts[{number}]"
            match part:
                case Text() | Refusal():
                    if part.text.strip():
                        blocks += self._marked({"text": part.text}, part.cache if isinstance(part, Text) else "")
                case Media():
                    blocks += self._marked(encode_media(part, self._names, self._scope, at), part.cache)
                case ToolResult():
                    if not self._results.is_taken((turn, number)):
                        self._scope.lose(at, "a result without a call is told as the user's words", "approximated")
                        blocks.append({"text": f"Result of the tool {part.name or part.call_id}:"})
                        blocks += self._asked(part.parts, turn, at)
                case Opaque(dialect="bedrock_converse"):
                    blocks.append(dict(fields(part.data)))
                case Thinking() | ToolCall() | Citation() | Opaque():
                    self._scope.lose(at, "it has no place in what a user said")
                case _:
                    assert_never(part)
        if any("document" in block for block in blocks) and not any("text" in block for block in blocks):
            blocks.insert(0, {"text": _START})  # Converse wants words beside a document
        return blocks
