"""aider, which speaks OpenAI Chat and edits by blocks in its text rather than by tools.

Docs: its pages *OpenAI compatible APIs* and *Options reference*, read 2026-11-22.
"""

from pathlib import Path

from compat.programs.program import PROMPT, TOOLS, Access, Program, Setup

_EXECUTABLE = (TOOLS / "aider" / "bin" / "aider").absolute()


def _prepare(home: Path, access: Access) -> Setup:
    quiet = [
        "--no-git",
        "--no-check-update",
        "--no-show-model-warnings",
        "--no-show-release-notes",
        "--analytics-disable",
    ]
    work = ["--yes-always", "--edit-format", "whole", "--message", PROMPT, "notes.txt", "out.txt"]
    command = [str(_EXECUTABLE), "--model", f"openai/{access.model}", *quiet, *work]
    return Setup(command, {"OPENAI_API_BASE": f"{access.url}/v1", "OPENAI_API_KEY": access.key})


PROGRAM = Program("aider", "aider-chat", "chat", _EXECUTABLE, _prepare)
