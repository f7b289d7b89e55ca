"""Which of the offered tools reads, writes, replaces or runs, by their names and schemas, and how each wants to be called.

Written after what the programs send: Claude Code (Read, Write, Edit, Bash), Codex CLI (shell, exec_command, apply_patch), Gemini CLI
(read_file, write_file, replace, run_shell_command), opencode (read, write, edit, bash), tools given to `llm`, and
Anthropic's text editor. Read 2026-11-22.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from yibu.sandbox.ask import Ask, Tool
from yibu.sandbox.engines.filler import WrongSchema, fill
from yibu.sandbox.engines.hints import Hints

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PATH = re.compile(r"(?:file_?path|absolute_?path|target_?file|path|file_?name|file)", re.IGNORECASE)
_CONTENT = re.compile(r"(?:content|contents|file_?text|text|data|body|code)", re.IGNORECASE)
_COMMAND = re.compile(r"(?:command|cmd|script)", re.IGNORECASE)
_OLD = re.compile(r"(?:old_?str(?:ing)?|old_?text|search|find)", re.IGNORECASE)
_NEW = re.compile(r"(?:new_?str(?:ing)?|new_?text|replacement|replace)", re.IGNORECASE)
_PATCH = re.compile(r"(?:input|patch)", re.IGNORECASE)
_NOT_FILES = frozenset(
    [
        "many",
        "image",
        "notebook",
        "resource",
        "directory",
        "dir",
        "list",
        "todo",
        "url",
        "web",
        "memory",
        "image",
        "output",
        "skill",
    ]
)
_PLACES = (
    re.compile(r"<cwd>\s*(/[^<\n]*?)\s*</cwd>"),
    re.compile(r"(?:working|current) (?:in the )?directory(?: is)?:?\s*[`\"']?(/[^\s`\"'<]+)", re.IGNORECASE),
    re.compile(r"Workspace Directories:\**\s*\n\s*-\s*(/\S+)", re.IGNORECASE),
)

Move = tuple[Tool, str]  # a tool with its arguments, as JSON or free text


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The moves that come into question for each purpose, the best first."""

    ask: Ask

    def read(self, path: str) -> list[Move]:
        """Ways to see a file."""
        moves = [
            self._call(tool, {_PATH: path}) for tool in self._with("read view open cat load", _PATH, without=_CONTENT)
        ]
        moves += [self._call(tool, {_PATH: path}, command="view") for tool in self._editors()]
        return moves + self._run(f"cat {shlex.quote(path)}")

    def write(self, path: str, content: str) -> list[Move]:
        """Ways to write a whole file."""
        named = self._with("write create save put", _PATH, _CONTENT)
        moves = [self._call(tool, {_PATH: path, _CONTENT: content}) for tool in named]
        moves += [self._call(tool, {_PATH: path, _CONTENT: content}, command="create") for tool in self._editors()]
        added = "".join(f"+{line}\n" for line in content.splitlines())
        moves += self._patch(f"*** Begin Patch\n*** Add File: {path}\n{added}*** End Patch\n")
        return moves + self._run(f"printf %s {shlex.quote(content)} > {shlex.quote(path)}")

    def replace(self, path: str, old: str, new: str, content: str) -> list[Move]:
        """Ways to change a text inside a file whose content has been seen."""
        named = self._with("edit replace", _PATH, _OLD, _NEW)
        moves = [self._call(tool, {_PATH: path, _OLD: old, _NEW: new}) for tool in named]
        lines = [line for line in content.splitlines() if old in line]
        if lines:
            changed = "".join(f"-{line}\n+{line.replace(old, new)}\n" for line in lines[:1])
            moves += self._patch(f"*** Begin Patch\n*** Update File: {path}\n@@\n{changed}*** End Patch\n")
        return moves + self.write(path, content.replace(old, new))

    def run(self, command: str) -> list[Move]:
        """Ways to run a command."""
        return self._run(command)

    def _run(self, command: str) -> list[Move]:
        moves = []
        for tool in self._with("bash shell exec run execute terminal command", _COMMAND):
            _, kind = _member(tool, _COMMAND)
            words: Any = ["bash", "-lc", command] if kind == "array" else command
            moves.append(self._call(tool, {_COMMAND: words}))
        return moves

    def _patch(self, text: str) -> list[Move]:
        for tool in self.ask.tools:
            if tool.name.endswith("apply_patch"):
                return [(tool, text)] if tool.schema is None else [self._call(tool, {_PATCH: text})]
        return []

    def _editors(self) -> Iterator[Tool]:
        """Anthropic's text editor: one tool with a member `command` of fixed words."""
        for tool in self.ask.tools:
            command = _properties(tool).get("command", {})
            if isinstance(command, dict) and {"view", "create"} <= set(command.get("enum") or ()):
                yield tool

    def _with(self, words: str, *members: re.Pattern[str], without: re.Pattern[str] | None = None) -> list[Tool]:
        """The tools whose name has one of the words and whose schema has the members, those with the shortest names first."""
        wanted = frozenset(words.split())
        found = []
        for tool in self.ask.tools:
            named = {word.lower() for word in _WORDS.findall(tool.name)}
            fits = all(_member(tool, member)[0] for member in members)
            if named & wanted and not named & _NOT_FILES and fits and not (without and _member(tool, without)[0]):
                found.append(tool)
        return sorted(found, key=lambda tool: len(tool.name))

    def _call(self, tool: Tool, values: dict[re.Pattern[str], Any], command: str = "") -> Move:
        """The call with our values, and with something harmless in whatever else the schema demands."""
        schema = tool.schema or {}
        properties = _properties(tool)
        required = schema.get("required", [])
        try:
            made = fill(
                {**schema, "properties": {key: properties[key] for key in required if key in properties}}, Hints("")
            )
        except WrongSchema:
            made = {}
        arguments = (
            {key: False if value is True else value for key, value in made.items()} if isinstance(made, dict) else {}
        )
        for pattern, value in values.items():
            name, _ = _member(tool, pattern)
            arguments[name] = self._placed(properties.get(name), name, value) if pattern is _PATH else value
        if command:
            arguments["command"] = command
        return tool, msgspec.json.encode(arguments).decode()

    def _placed(self, schema: Any, name: str, path: str) -> str:
        """The path as the tool wants it: absolute if it says so and the conversation tells where we are."""
        about = f"{name} {schema.get('description', '') if isinstance(schema, dict) else ''}".lower()
        if "absolute" not in about or path.startswith("/"):
            return path
        place = self.place()
        return posixpath.join(place, path) if place else path

    def place(self) -> str:
        """The working directory that the conversation names, or ""."""
        for pattern in _PLACES:
            for turn in self.ask.turns:
                if found := pattern.search(turn.text):
                    return found[1].rstrip(".,;")
        return ""


def _properties(tool: Tool) -> dict[str, Any]:
    properties = (tool.schema or {}).get("properties")
    return properties if isinstance(properties, dict) else {}


def _member(tool: Tool, pattern: re.Pattern[str]) -> tuple[str, str]:
    """Name and type of the first member that the pattern names, a required one before others; empty when there is none."""
    properties = _properties(tool)
    required = (tool.schema or {}).get("required") or []
    for name in sorted(properties, key=lambda name: name not in required):
        if pattern.fullmatch(name):
            kind = properties[name].get("type", "") if isinstance(properties[name], dict) else ""
            return name, str(kind if isinstance(kind, str) else next(iter(kind), ""))
    return "", ""
