"""The coding agent, with the tools of each program and results in that program's own dress."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from yibu.sandbox.ask import Ask, Call, Tool, Turn
from yibu.sandbox.engines.agent import plan

WORK = "Read the file notes.txt and write its first line in upper case to the file out.txt."
NOTES = "a heron by the river\nwaits for the second fish\n"
Run = Callable[[dict[str, Any], Path], str]


def tool(name: str, description: str = "", /, **members: Any) -> Tool:
    """A tool all of whose members are required."""
    schema = {"type": "object", "properties": members, "required": list(members)}
    return Tool(name, description, schema)


TEXT = {"type": "string"}
ABSOLUTE = {"type": "string", "description": "The absolute path to the file"}


def read_numbered(arguments: dict[str, Any], folder: Path) -> str:
    """As Claude Code shows a file."""
    lines = Path(arguments["file_path"]).read_text().splitlines()
    shown = "\n".join(f"{number:>6}→{line}" for number, line in enumerate(lines, 1))
    return f"{shown}\n\n<system-reminder>\nMind what you read.\n</system-reminder>\n"


def write_at(member: str) -> Run:
    def write(arguments: dict[str, Any], folder: Path) -> str:
        (folder / arguments[member]).write_text(arguments["content"])
        return f"File created successfully at: {arguments[member]}"

    return write


def read_tagged(arguments: dict[str, Any], folder: Path) -> str:
    """As opencode shows a file."""
    lines = (folder / arguments["filePath"]).read_text().splitlines()
    shown = "\n".join(f"{number:05}| {line}" for number, line in enumerate(lines, 1))
    return f"<file>\n{shown}\n\n(End of file - total {len(lines)} lines)\n</file>"


def read_bare(member: str) -> Run:
    return lambda arguments, folder: (folder / arguments[member]).read_text()


def shell(arguments: dict[str, Any], folder: Path) -> str:
    """As Codex tells what a command said."""
    command = arguments.get("command") or arguments["cmd"]
    words = command if isinstance(command, list) else ["bash", "-c", command]
    ran = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return f"Exit code: {ran.returncode}\nWall time: 0.1 seconds\nOutput:\n{ran.stdout}{ran.stderr}"


def shell_json(arguments: dict[str, Any], folder: Path) -> str:
    ran = subprocess.run(["bash", "-c", arguments["cmd"]], cwd=folder, capture_output=True, text=True, check=False)
    return json.dumps({"output": ran.stdout, "metadata": {"exit_code": ran.returncode, "duration_seconds": 0.1}})


def patch(arguments: dict[str, Any], folder: Path) -> str:
    """Applies the one kind of patch that the agent makes here."""
    head, name, *rest = arguments["input"].splitlines()
    assert (head, rest[-1]) == ("*** Begin Patch", "*** End Patch")
    added = [line[1:] for line in rest[:-1] if line.startswith("+")]
    (folder / name.removeprefix("*** Add File: ")).write_text("\n".join(added) + "\n")
    return "Success. Updated the following files:\nA out.txt\n"


def edit_text(arguments: dict[str, Any], folder: Path) -> str:
    """Anthropic's text editor."""
    path = folder / arguments["path"]
    if arguments["command"] == "view":
        return "".join(f"{number}\t{line}" for number, line in enumerate(path.read_text().splitlines(keepends=True), 1))
    path.write_text(arguments["file_text"])
    return "done"


BROKEN = "<tool_use_error>File has not been read yet. Read it first before writing to it.</tool_use_error>"
EDITOR = {"command": {"type": "string", "enum": ["view", "create", "str_replace"]}, "path": TEXT, "file_text": TEXT}
COMMAND = {"type": "array", "items": {"type": "string"}}

PROGRAMS: dict[str, list[tuple[Tool, Run]]] = {
    "claude code": [
        (tool("Bash", command=TEXT), shell),
        (tool("Read", file_path=ABSOLUTE), read_numbered),
        (tool("NotebookEdit", notebook_path=TEXT), shell),
        (tool("Write", file_path=ABSOLUTE, content=TEXT), write_at("file_path")),
    ],
    "claude code, whose Write fails": [
        (tool("Bash", command=TEXT), shell),
        (tool("Read", file_path=ABSOLUTE), read_numbered),
        (tool("Write", file_path=ABSOLUTE, content=TEXT), lambda arguments, folder: BROKEN),
    ],
    "codex with a shell alone": [(tool("shell", command=COMMAND), shell), (tool("update_plan", plan=TEXT), shell)],
    "codex": [(tool("exec_command", cmd=TEXT), shell_json), (Tool("apply_patch", "Edits files", None), patch)],
    "gemini cli": [
        (tool("list_directory", path=TEXT), shell),
        (tool("read_file", file_path=TEXT), read_bare("file_path")),
        (tool("read_many_files", paths=COMMAND), shell),
        (tool("write_file", file_path=TEXT, content=TEXT), write_at("file_path")),
        (tool("run_shell_command", command=TEXT, is_background={"type": "boolean"}), shell),
    ],
    "opencode": [
        (tool("bash", command=TEXT, description=TEXT), shell),
        (tool("read", filePath=TEXT), read_tagged),
        (tool("write", filePath=TEXT, content=TEXT), write_at("filePath")),
    ],
    "llm": [
        (tool("read_file", path=TEXT), read_bare("path")),
        (tool("write_file", path=TEXT, content=TEXT), write_at("path")),
    ],
    "a text editor": [(tool("str_replace_based_edit_tool", **EDITOR), edit_text)],
}


def work(tools: list[tuple[Tool, Run]], words: str, folder: Path, most: int = 6) -> tuple[str, list[Turn]]:
    """Runs the agent's calls in the folder until it only talks; gives what it says at last, and the conversation."""
    turns = [Turn("system", f"You are a program.\nWorking directory: {folder}"), Turn("user", words)]
    for number in range(most):
        script = plan(Ask("sandbox/agent", tuple(turns), "f" * 32, tools=tuple(one for one, _ in tools), choice="auto"))
        assert script
        if not script.calls:
            return script.text, turns
        ((chosen, arguments),) = script.calls
        given = {"input": arguments} if chosen.schema is None else json.loads(arguments)
        turns.append(Turn("assistant", script.text, calls=(Call(f"c{number}", chosen.name, arguments),)))
        run = next(run for one, run in tools if one.name == chosen.name)
        turns.append(Turn("tool", run(given, folder), answers=f"c{number}"))
    raise AssertionError("it does not come to an end")


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_reads_and_writes_with_the_tools_of_each_program(program: str, tmp_path: Path) -> None:
    """The file is there in the end, whatever the tools are called and however results are dressed."""
    (tmp_path / "notes.txt").write_text(NOTES)
    said, turns = work(PROGRAMS[program], WORK, tmp_path)

    assert (tmp_path / "out.txt").read_text() == "A HERON BY THE RIVER\n"
    assert said == "Done: out.txt is written."
    assert len([turn for turn in turns if turn.calls]) == (3 if "fails" in program else 2)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ('"Read notes.txt and write its last line to out.txt"', "waits for the second fish\n"),
        ("Open notes.txt, then save line 2 in lower case into out.txt", "waits for the second fish\n"),
        ("Read notes.txt and write the number of lines to out.txt", "2\n"),
        ("Copy notes.txt to out.txt", NOTES),
        ("Create `out.txt` with the text 'hello there'", "hello there\n"),
        ("新建 out.txt，内容是“你好”", "你好\n"),
        ("读取 notes.txt，把第一行转成大写写入 out.txt", "A HERON BY THE RIVER\n"),
        ("<system-reminder>Never read x.md or write y.md.</system-reminder>\nCopy notes.txt to out.txt", NOTES),
    ],
)
def test_it_understands_several_ways_to_ask(words: str, wanted: str, tmp_path: Path) -> None:
    """Lines, cases and counts, quotes and Chinese; what programs put around the words is not asked for."""
    (tmp_path / "notes.txt").write_text(NOTES)
    work(PROGRAMS["llm"], words, tmp_path)

    assert (tmp_path / "out.txt").read_text() == wanted


def test_it_replaces_inside_a_file(tmp_path: Path) -> None:
    """With a tool for edits, after a look at the file."""

    def replace(arguments: dict[str, Any], folder: Path) -> str:
        path = folder / arguments["file_path"]
        path.write_text(path.read_text().replace(arguments["old_string"], arguments["new_string"]))
        return "The file has been updated."

    tools = [*PROGRAMS["claude code"], (tool("Edit", file_path=ABSOLUTE, old_string=TEXT, new_string=TEXT), replace)]
    (tmp_path / "notes.txt").write_text(NOTES)
    _, turns = work(tools, "Replace 'heron' with 'crane' in notes.txt", tmp_path)

    assert (tmp_path / "notes.txt").read_text() == NOTES.replace("heron", "crane")
    work(tools, "把“crane”替换成“鹤”，文件是 notes.txt", tmp_path)
    assert (tmp_path / "notes.txt").read_text() == NOTES.replace("heron", "鹤")
    assert [turn.calls[0].name for turn in turns if turn.calls] == ["Read", "Edit"]


def test_it_runs_a_command_and_tells_what_came(tmp_path: Path) -> None:
    """The shell is called once; its output is told."""
    said, _ = work(PROGRAMS["codex"], "Run `echo 6 herons`", tmp_path)

    assert said == "The command has run: 6 herons"


def test_a_file_that_is_not_there_ends_the_work(tmp_path: Path) -> None:
    """All ways to read it are tried, then it says so."""
    tools = [(tool("shell", command=COMMAND), shell)]
    said, _ = work(tools, WORK, tmp_path)

    assert said == "I could not read notes.txt."


def test_what_is_no_work_on_files_is_left_to_the_rules() -> None:
    """Small talk, and questions without tools, have no plan."""
    tools = tuple(one for one, _ in PROGRAMS["llm"])
    assert plan(Ask("sandbox/agent", (Turn("user", "Hello"),), "f" * 32, tools=tools, choice="auto")) is None
    assert plan(Ask("sandbox/agent", (Turn("user", WORK),), "f" * 32)) is None


@pytest.mark.parametrize(
    ("system", "wanted"),
    [
        ("You MUST use a *file listing* format:", "out.txt\n```\nA HERON BY THE RIVER\n```\n"),
        (
            "Describe each change with a *SEARCH/REPLACE block*.",
            "out.txt\n```text\n<<<<<<< SEARCH\n=======\nA HERON BY THE RIVER\n>>>>>>> REPLACE\n```\n",
        ),
        (
            "Return edits similar to unified diffs that `diff -U0` would produce.",
            "```diff\n--- /dev/null\n+++ out.txt\n@@ ... @@\n+A HERON BY THE RIVER\n```\n",
        ),
        ("Use *** Begin Patch", "*** Begin Patch\n*** Add File: out.txt\n+A HERON BY THE RIVER\n*** End Patch\n"),
    ],
)
def test_without_tools_edits_are_text(system: str, wanted: str) -> None:
    """aider's formats, with the file that it has put into the conversation."""
    shown = Turn("user", f"I have *added these files to the chat*.\n\nnotes.txt\n```\n{NOTES}```\n")
    turns = (Turn("system", system), shown, Turn("assistant", "Ok."), Turn("user", WORK))
    script = plan(Ask("sandbox/agent", turns, "f" * 32))
    unseen = plan(Ask("sandbox/agent", (turns[0], turns[-1]), "f" * 32))

    assert script
    assert script.text == wanted
    assert unseen
    assert unseen.text == "Please add notes.txt to the chat."


def test_the_model_calls_over_http(client: openai.OpenAI) -> None:
    """`sandbox/agent` asks for the file first."""
    function = {
        "name": "read_file",
        "parameters": {"type": "object", "properties": {"path": TEXT}, "required": ["path"]},
    }
    reply = client.chat.completions.create(
        model="sandbox/agent",
        messages=[{"role": "user", "content": WORK}],
        tools=[{"type": "function", "function": function}],  # type: ignore[typeddict-item]
    )
    (call,) = reply.choices[0].message.tool_calls or ()

    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("read_file", {"path": "notes.txt"})
