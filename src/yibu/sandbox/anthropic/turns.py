"""Reads `messages` and checks how they follow each other: roles, calls and their results, what the last may be.

Neighbouring assistant messages are one turn, and instructions of the role system may stand behind the first message, as in
recorded requests that Anthropic took. Source: Anthropic, *Create a message* and *Tool use*, read 2026-11-22.
"""

from yibu.sandbox.anthropic.blocks import Content, read_content
from yibu.sandbox.anthropic.words import wrong
from yibu.sandbox.ask import Turn
from yibu.sandbox.members import Members

_SYSTEM_BETA = "mid-conversation-system"


def read_turns(wire: Members, version: str, betas: str) -> tuple[tuple[Turn, ...], list[str]]:
    """The turns, and the lives of all cache marks in them. Raises `Refusal` 400. `betas`: the header of that name."""
    if not wire.has("messages"):
        raise wire.words.missing("messages")
    messages = list(wire.objects("messages", most=100_000))
    if not messages:
        raise wrong("messages: at least one message is required")
    turns: list[Turn] = []
    marks: list[str] = []
    asked: list[str] = []  # ids of the calls that this message must answer
    ids: set[str] = set()
    for number, message in enumerate(messages):
        message.only(("role", "content", "id"))
        role = message.choice("role", ("user", "assistant", "system") if number else ("user", "assistant"))
        if number == 0 and role != "user":
            raise wrong('messages: first message must use the "user" role')
        content = read_content(message, role)
        _check_content(message, content, is_last=number == len(messages) - 1, version=version)
        if role == "user":
            _check_results(number, content, asked)
            asked = []
        elif asked and role == "system":
            raise _unanswered(number - 1, asked)
        for call in content.calls:
            if call.id in ids:
                raise wrong("messages: `tool_use` ids must be unique")
            ids.add(call.id)
        asked += [call.id for call in content.calls]
        turns += _turns(role, content)
        marks += content.marks
    if asked:
        raise _unanswered(len(messages) - 1, asked)
    return tuple(turns), marks


def _check_content(message: Members, content: Content, *, is_last: bool, version: str) -> None:
    role = message.value["role"]
    is_empty = not content.kinds or message.value["content"] == ""
    if is_empty and not (role == "assistant" and is_last):
        raise wrong(f"{message.path}: {role} messages must have non-empty content")
    if role == "assistant" and is_last and content.texts and content.texts[-1] != content.texts[-1].rstrip():
        raise wrong("messages: final assistant content cannot end with trailing whitespace")
    if role == "assistant" and "document" in content.kinds and version != "2023-06-01":
        raise wrong(f"{message.path}: documents are not allowed in assistant messages")


def _check_results(number: int, content: Content, asked: list[str]) -> None:
    answered = [result.answers for result in content.results]
    for position, answer in enumerate(answered):
        if answer not in asked or answer in answered[:position]:
            raise wrong(
                f"messages.{number}.content.{position}: unexpected `tool_use_id` found in `tool_result` blocks: {answer}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
    is_first = content.kinds[: len(answered)] == ["tool_result"] * len(answered)
    if missed := [one for one in asked if one not in answered or not is_first]:
        raise _unanswered(number - 1, missed)


def _unanswered(number: int, ids: list[str]) -> Exception:
    return wrong(
        f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(ids)}. "
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def _turns(role: str, content: Content) -> list[Turn]:
    mark = content.marks[-1] if content.marks else ""
    if role == "system":
        return [Turn("system", content.text, mark=mark)]
    if role == "system":
        return [Turn("system", content.text, mark=mark)]
    if role == "assistant":
        thoughts = "\n".join(content.thoughts)
        return [Turn("assistant", content.text, calls=tuple(content.calls), thoughts=thoughts, mark=mark)]
    turns = [
        Turn("tool", result.text, result.media, answers=result.answers, failed=result.failed)
        for result in content.results
    ]
    if content.texts or content.media or not turns:
        return [*turns, Turn("user", content.text, tuple(content.media), mark=mark)]
    last = content.results[-1]
    return [*turns[:-1], Turn("tool", last.text, last.media, answers=last.answers, failed=last.failed, mark=mark)]
