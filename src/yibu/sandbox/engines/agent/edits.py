"""Edits as text, for programs that offer no tools: aider's formats *whole*, *diff*, *diff-fenced*, *udiff* and *patch*.

Source: aider, *Edit formats*, read 2026-11-22.
"""

import re

from yibu.sandbox.ask import Ask
from yibu.sandbox.engines.agent.task import Task


def find_format(ask: Ask) -> str:
    """The format that the system text asks for, or ""."""
    text = "\n".join(turn.text for turn in ask.turns if turn.role == "system")
    if "SEARCH/REPLACE" in text:
        return "diff-fenced" if re.search(r"^`{3}\w*\n\S+\n<{5,9} SEARCH", text, re.MULTILINE) else "diff"
    if "*** Begin Patch" in text:
        return "patch"
    if re.search(r"diff -U0|unified diff", text):
        return "udiff"
    return "whole" if re.search(r"\*?file listing\*?", text) else ""


def find_file(ask: Ask, name: str) -> str | None:
    """What a message shows as the content of a file: its name on a line, then a fence; None when none does."""
    shown = re.compile(rf"^{re.escape(name)}\s*\n(`{{3,}})\S*\n(.*?)^\1", re.MULTILINE | re.DOTALL)
    for turn in reversed(ask.turns):
        if turn.role == "user" and (found := list(shown.finditer(turn.text))):
            return found[-1][2]
    return None


def edit(ask: Ask, task: Task, form: str) -> str:
    """The answer: the edit in the format, or the wish to see the file first."""
    name = task.target
    before = find_file(ask, name) or ""
    seen = find_file(ask, task.source) if task.source else ""
    if seen is None:
        return f"请把 {task.source} 加入对话。" if task.is_chinese else f"Please add {task.source} to the chat."
    match task.kind:
        case "copy":
            after = task.change(seen)
        case "replace":
            after = seen.replace(task.old, task.new)
        case "write":
            after = task.text
        case "run" | "read":
            return task.change(seen).rstrip("\n") if task.kind == "read" else task.text
    return _written(form, name, before, after)


def _written(form: str, name: str, before: str, after: str) -> str:
    block = f"<<<<<<< SEARCH\n{before}=======\n{after}>>>>>>> REPLACE\n"
    removed = "".join(f"-{line}\n" for line in before.splitlines())
    added = "".join(f"+{line}\n" for line in after.splitlines())
    match form:
        case "diff":
            return f"{name}\n```text\n{block}```\n"
        case "diff-fenced":
            return f"```text\n{name}\n{block}```\n"
        case "udiff":
            old = name if before else "/dev/null"
            return f"```diff\n--- {old}\n+++ {name}\n@@ ... @@\n{removed}{added}```\n"
        case "patch":
            head = f"*** Update File: {name}\n@@\n{removed}" if before else f"*** Add File: {name}\n"
            return f"*** Begin Patch\n{head}{added}*** End Patch\n"
        case _:
            return f"{name}\n```\n{after}```\n"
