"""The agent's next step: the call that is still missing, or the sentence that ends the work."""

import posixpath
from dataclasses import dataclass

import msgspec

from yibu.sandbox.ask import Ask
from yibu.sandbox.engines.agent.edits import edit, find_format
from yibu.sandbox.engines.agent.results import content_of, has_failed
from yibu.sandbox.engines.agent.task import Task, find_task
from yibu.sandbox.engines.agent.toolbox import Move, Toolbox
from yibu.sandbox.engines.rules import Script

MOST = 12  # calls after which it gives up, lest a program that writes our calls anew keeps it busy for ever


@dataclass(frozen=True, slots=True)
class Done:
    """A call of ours and what came back."""

    name: str
    arguments: str
    result: str
    failed: bool


def plan(ask: Ask) -> Script | None:
    """The next step of what the user asked for last, or None when that is no work on files."""
    at, task = _asked(ask)
    if task is None:
        return None
    if not ask.tools or ask.choice == "none":
        form = find_format(ask)
        return Script(edit(ask, task, form)) if form else None
    return _next(task, Toolbox(ask), _done(ask, at))


def _asked(ask: Ask) -> tuple[int, Task | None]:
    """The user's last message that asks for something, and what."""
    for at in range(len(ask.turns) - 1, -1, -1):
        if ask.turns[at].role == "user" and (task := find_task(ask.turns[at].text)):
            return at, task
    return 0, None


def _done(ask: Ask, start: int) -> list[Done]:
    """All calls after the user's words, with their results."""
    results = {turn.answers: turn for turn in ask.turns[start:] if turn.role == "tool"}
    return [
        Done(
            call.name,
            call.arguments,
            results[call.id].text,
            results[call.id].failed or has_failed(results[call.id].text),
        )
        for turn in ask.turns[start:]
        for call in turn.calls
        if call.id in results
    ]


def _next(task: Task, toolbox: Toolbox, done: list[Done]) -> Script:
    content = ""
    if task.source:
        seen = _step(toolbox.read(task.source), done)
        if isinstance(seen, Script):
            return seen
        if seen is None:
            return Script(_say(task, f"无法读取 {task.source}。", f"I could not read {task.source}."))
        content = content_of(seen.result)
    match task.kind:
        case "read":
            return Script(task.change(content).rstrip("\n"))
        case "run":
            ended = _step(toolbox.run(task.text), done)
        case "copy":
            ended = _step(toolbox.write(task.target, task.change(content)), done)
        case "write":
            ended = _step(toolbox.write(task.target, task.text), done)
        case "replace":
            ended = _step(toolbox.replace(task.target, task.old, task.new, content), done)
    if isinstance(ended, Script):
        return ended
    if task.kind == "run":
        said = content_of(ended.result).strip() if ended else ""
        return Script(_say(task, f"命令已运行：{said}", f"The command has run: {said}"))
    if ended is None:
        return Script(_say(task, f"无法写入 {task.target}。", f"I could not write {task.target}."))
    return Script(_say(task, f"完成：已写好 {task.target}。", f"Done: {posixpath.basename(task.target)} is written."))


def _step(moves: list[Move], done: list[Done]) -> Script | Done | None:
    """The first way that has worked; else the next that has not been tried; None when all have failed or there is none."""
    if len(done) > MOST:
        return None
    for tool, arguments in moves:
        tried = [one for one in done if one.name == tool.name and _same(one.arguments, arguments)]
        if not tried:
            return Script(f"I use {tool.name}.", ((tool, arguments),))
        if not tried[-1].failed:
            return tried[-1]
    return None


def _same(one: str, other: str) -> bool:
    """Whether two calls are the same; a program may have written the arguments anew."""
    return "".join(one.split()) == "".join(other.split()) or _value(one) == _value(other)


def _value(arguments: str) -> object:
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments


def _say(task: Task, chinese: str, english: str) -> str:
    return chinese if task.is_chinese else english
