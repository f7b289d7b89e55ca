"""The conversation, as Cohere has it: one message of the assistant a turn, what he says before his calls as `tool_plan`,
and a result for each call right after them."""

from typing import Any, assert_never

from yibu.dialects._json import fields
from yibu.dialects._scope import Scope
from yibu.dialects.anthropic.calls import arguments_of
from yibu.dialects.anthropic.pairing import Ids, Results
from yibu.dialects.cohere_chat.masks import alias
from yibu.dialects.cohere_chat.media import encode_document, encode_picture, is_document
from yibu.dialects.cohere_chat.wire import ID
from yibu.hub.chat import Turn
from yibu.hub.parts import Citation, Media, Opaque, Part, Refusal, Text, Thinking, ToolCall, ToolResult

Members = dict[str, Any]
_NOTHING = "[empty]"


class Conversation:
    """`messages` and `documents`, encoded. Raises `InvalidRequest` for media that no model of Cohere's takes."""

    def __init__(self, turns: tuple[Turn, ...], scope: Scope) -> None:
        self.messages: list[Members] = []
        self.documents: list[Members] = []
        self._scope = scope
        self._ids, self._results = Ids(), Results(turns)
        self._open: list[tuple[ToolCall, str]] = []
        """Calls that wait for their results, with the ids that they got here."""
        for number, turn in enumerate(turns):
            where = f"$.turns[{number}]"
            scope.extras(where, turn.extras)
            if turn.name:
                scope.lose(f"{where}.name", "Cohere knows no names of participants")
            match turn.role:
                case "system" | "developer":
                    self._instruct(turn.parts, where)
                case "assistant":
                    self._say(turn.parts, where)
                    if number + 1 == len(turns) or turns[number + 1].role != "assistant":
                        self._answer(number, where)
                case "user" | "tool":
                    self._ask(turn.parts, number, where)
                case _:
                    assert_never(turn.role)

    def instruct(self, text: str) -> None:
        """One more system text, before the conversation."""
        self.messages.insert(0, {"role": "system", "content": text})

    def _instruct(self, parts: tuple[Part, ...], where: str) -> None:
        texts = [part.text for part in parts if isinstance(part, Text) and part.text.strip()]
        if any(not isinstance(part, Text) for part in parts):
            self._scope.lose(where, "a system text holds words only")
        if texts:
            self.messages.append({"role": "system", "content": "\n\n".join(texts)})

    def _say(self, parts: tuple[Part, ...], where: str) -> None:
        content: list[Members] = []
        calls: list[Members] = []
        for number, part in enumerate(parts):
            at = f"{where}.parts[{number}]"
            match part:
                case Text() | Refusal():
                    if part.text.strip():
                        content.append({"type": "text", "text": part.text})
                case Thinking():
                    if part.text.strip():
                        content.append({"type": "thinking", "thinking": part.text})
                    elif part.seal is not None:
                        self._scope.lose(at, f"thoughts that only {part.seal.dialect} can read")
                case ToolCall():
                    call = self._ids.of_call(part)
                    self._open.append((part, call.id))
                    calls.append(self._call(call, at))
                case Media() | Opaque() | Citation() | ToolResult():
                    self._scope.lose(at, "it has no place in what a model said")
                case _:
                    assert_never(part)
        self._add(content, calls)

    def _add(self, content: list[Members], calls: list[Members]) -> None:
        """To the message of the same turn, if there is one. Words before calls are the plan for them."""
        if not content and not calls:
            return
        if not self.messages or self.messages[-1]["role"] != "assistant":
            self.messages.append({"role": "assistant"})
        message = self.messages[-1]
        content = [*message.get("content", ()), *content]
        calls = [*message.get("tool_calls", ()), *calls]
        texts = [part["text"] for part in content if part["type"] == "text"] if calls else []
        if texts:
            content = [part for part in content if part["type"] != "text"]
            message["tool_plan"] = "\n\n".join([*filter(None, [message.get("tool_plan")]), *texts])
        for key, value in (("content", content), ("tool_calls", calls)):
            message.pop(key, None)
            if value:
                message[key] = value

    def _call(self, call: ToolCall, where: str) -> Members:
        self._scope.extras(where, call.extras)
        if call.seal is not None:
            self._scope.lose(f"{where}.seal", f"a seal of {call.seal.dialect} means nothing to this vendor")
        function = {"name": alias(call.name), "arguments": bytes(arguments_of(call)).decode()}
        return {"id": call.id, "type": "function", "function": function}

    def _answer(self, after: int, where: str) -> None:
        """One result for each call, in their order; pictures among them follow in a message of the user."""
        shown: list[Members] = []
        for call, id in self._open:
            result = self._results.take(call.id, after)
            if result is None:
                self._scope.lose(where, f"the call `{call.name}` has no result: an empty one stands in", "approximated")
                result = ToolResult(call_id=call.id, parts=(Text(text="[no result]"),))
            content = self._result(result, where, shown)
            self.messages.append({"role": "tool", "tool_call_id": id, "content": content})
        self._open = []
        if shown:
            self._scope.lose(where, "a tool returns text only: what it showed follows as the user's", "approximated")
            self.messages.append({"role": "user", "content": shown})

    def _result(self, result: ToolResult, where: str, shown: list[Members]) -> Any:
        """Text alone is a string, as it stands in recordings; with documents it is a list."""
        self._scope.extras(where, result.extras)
        content: list[Members] = []
        for part in result.parts:
            match part:
                case Text():
                    content.append({"type": "text", "text": part.text})
                case Media():
                    if is_document(part):
                        data = encode_document(part, self._scope, where)
                        content.append({"type": "document", "document": {"data": data}})
                    else:
                        shown.append(encode_picture(part, self._scope, where))
                case Opaque():
                    self._scope.lose(where, "a part of another format in a result")
                case _:
                    assert_never(part)
        if result.is_error:
            self._scope.lose(where, "marked as an error by the words `Error: `", "approximated")
            content.insert(0, {"type": "text", "text": "Error: "})
        if all(part["type"] == "text" for part in content):
            return "".join(part["text"] for part in content) or _NOTHING
        return content

    def _ask(self, parts: tuple[Part, ...], turn: int, where: str) -> None:
        content = self._asked(parts, turn, where)
        if not content:
            return
        is_word = len(content) == 1 and content[0]["type"] == "text"
        self.messages.append({"role": "user", "content": content[0]["text"] if is_word else content})

    def _asked(self, parts: tuple[Part, ...], turn: int, where: str) -> list[Members]:
        content: list[Members] = []
        for number, part in enumerate(parts):
            at = f"{where}.parts[{number}]"
            match part:
                case Text() | Refusal():
                    if part.text:
                        content.append({"type": "text", "text": part.text})
                case Media():
                    if is_document(part):
                        self.documents.append({"data": encode_document(part, self._scope, at)})
                    else:
                        content.append(encode_picture(part, self._scope, at))
                case ToolResult():
                    if not self._results.is_taken((turn, number)):
                        self._scope.lose(at, "a result without a call is told as the user's words", "approximated")
                        content.append({"type": "text", "text": f"Result of the tool {part.name or part.call_id}:"})
                        content += self._asked(part.parts, turn, at)
                case Opaque() if part.dialect == ID:
                    content.append(dict(fields(part.data)))
                case Thinking() | ToolCall() | Citation() | Opaque():
                    self._scope.lose(at, "it has no place in what a user said")
                case _:
                    assert_never(part)
        return content
