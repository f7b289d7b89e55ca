"""What programs put around a tool's result, taken off again, so that the file's own text is left.

Seen: line numbers before each line (Claude Code, opencode), `<file>` and `<content>` around it (opencode), JSON with `output` (Codex CLI,
tools given to `llm`), a heading with exit code and time (Codex CLI), reminders behind it (Claude Code). Read 2026-11-22.
"""

import re

import msgspec

_REMINDER = re.compile(r"\n*<system-reminder>.*?</system-reminder>\n*", re.DOTALL)
_WRAPPED = re.compile(r"<(content|file|output)>\n?(.*?)\n?</\1>", re.DOTALL)
_HEADED = re.compile(r"\A.*?^(?:Output|Stdout):[ ]?\n?", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"\A(?:Exit code|Chunk ID|Command|Wall time|Process exited)", re.IGNORECASE)
_NUMBERED = re.compile(r"^\s*\d+(?:→|\t|\| ?|: )")
_ENDING = re.compile(r"^\s*\((?:End of file|File has more lines|total \d+ lines).*\)\s*$", re.IGNORECASE)
_COMPLAINT = r"(?:no such file|not found|does not exist|has not been read yet)"
_FAILED = re.compile(
    rf"\A\s*(?:<tool_use_error>|\[?error\b|failed\b|tool execution failed|.{{0,120}}{_COMPLAINT})"
    r"|^(?:Exit code|Process exited with code):? [1-9]"
    r'|"exit_code": ?[1-9]',
    re.IGNORECASE | re.MULTILINE,
)


def content_of(result: str) -> str:
    """The text of the file that a result shows."""
    text = _REMINDER.sub("", _inside_json(result))
    if wrapped := _WRAPPED.search(text):
        text = wrapped[2]
    if _HEADING.match(text) and (headed := _HEADED.match(text)):
        text = text[headed.end() :]
    lines = [line for line in text.splitlines() if not _ENDING.match(line)]
    shown = [line for line in lines if line.strip()]
    if shown and all(_NUMBERED.match(line) for line in shown):
        lines = [_NUMBERED.sub("", line) for line in lines]
    return "\n".join(lines)


def has_failed(result: str) -> bool:
    """Whether a result tells of a failure."""
    return _FAILED.search(_inside_json(result)) is not None or _FAILED.search(result) is not None


def _inside_json(result: str) -> str:
    """The text in `output`, `content`, `stdout` … of a result that is a JSON object, else the result."""
    try:
        value = msgspec.json.decode(result)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return result
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for name in ("output", "content", "stdout", "result", "text"):
            if isinstance(value.get(name), str):
                return str(value[name])
    return result
