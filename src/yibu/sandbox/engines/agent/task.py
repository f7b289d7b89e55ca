"""What the user wants done to which file, out of his words in English or Chinese.

* "Read notes.txt and write its first line in upper case to out.txt": a copy, changed on the way
* "Write 'hello' to greeting.txt", "Create greeting.txt with the text 'hello'": a file with a given text
* "Replace 'old' with 'new' in notes.txt"
* "Run `ls -l`"
* "Read notes.txt", "What is in notes.txt?"
"""

import re
from dataclasses import dataclass
from typing import Literal

from yibu.sandbox.engines.hints import is_chinese

_FILE = re.compile(r"(?<![\w/])((?:[\w.~-]*/)*[\w-][\w.-]*\.[A-Za-z]\w{0,7})(?!\w)")
_WRITES = re.compile(r"\b(?:writ|sav|put|creat|copy|add|stor)|写|保存|存到|新建|创建|复制", re.IGNORECASE)
_READS = re.compile(r"\b(?:read|show|open|look|print|what|cat|tell|summari)|读|看|打开|显示|内容", re.IGNORECASE)
_QUOTE = r"(?:\"([^\"]*)\"|(?<!\w)'([^']*)'(?!\w)|`([^`]*)`|“([^”]*)”|「([^」]*)」)"
_QUOTED = re.compile(_QUOTE)
_REPLACE = re.compile(
    rf"(?:replace|change|把|将)\s*{_QUOTE}\s*(?:with|by|to|替换成|替换为|改成|改为|换成)\s*{_QUOTE}", re.IGNORECASE
)
_RUN = re.compile(rf"(?:\brun|\bexecute|运行|执行)[^\"'`“「]{{0,24}}{_QUOTE}", re.IGNORECASE)
_TAGGED = re.compile(r"<([A-Za-z][\w-]*)[^<>]*>.*?</\1>", re.DOTALL)
_NUMBERED = re.compile(r"\bline (?:number )?(\d+)|第\s*(\d+)\s*行", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Task:
    """`words`: the sentence that asked for it. `text`: what to write, or the command to run; `old`, `new`: of a replacement."""

    kind: Literal["copy", "write", "replace", "run", "read"]
    words: str
    source: str = ""
    target: str = ""
    text: str = ""
    old: str = ""
    new: str = ""

    @property
    def is_chinese(self) -> bool:
        return is_chinese(self.words)

    def change(self, content: str) -> str:
        """The source's content as it should stand in the target, with a newline at its end."""
        lines = content.splitlines()
        low = self.words.lower()
        if re.search(r"first line|第一行|首行", low):
            lines = lines[:1]
        elif re.search(r"last line|最后一行|末行", low):
            lines = lines[-1:]
        elif found := _NUMBERED.search(self.words):
            number = int(found[1] or found[2])
            lines = lines[number - 1 : number]
        if re.search(r"sort|排序", low):
            lines = sorted(lines)
        if re.search(r"revers|倒序", low):
            lines = lines[::-1] if len(lines) > 1 else [line[::-1] for line in lines]
        if re.search(r"number of lines|how many lines|count (?:the |its )?lines|行数|多少行", low):
            lines = [str(len(lines))]
        if re.search(r"number of words|how many words|count (?:the |its )?words|字数|词数", low):
            lines = [str(sum(len(line.split()) for line in lines))]
        if re.search(r"upper[ -]?case|capital letters|大写", low):
            lines = [line.upper() for line in lines]
        if re.search(r"lower[ -]?case|小写", low):
            lines = [line.lower() for line in lines]
        return "\n".join(lines) + "\n"


def find_task(text: str) -> Task | None:
    """The first line that asks for something; what programs wrap in tags around the user's words is left out."""
    plain = _TAGGED.sub("\n", text)
    for line in [*plain.splitlines(), plain]:
        if task := _read(_unquoted(line.strip())):
            return task
    return None


def _unquoted(line: str) -> str:
    """Some programs put the user's words into quotes as a whole."""
    return line[1:-1] if len(line) > 2 and line[0] == line[-1] == '"' and line.count('"') == 2 else line


def _read(line: str) -> Task | None:
    if run := _RUN.search(line):
        return Task("run", line, text=_first(run.groups()))
    files = list(dict.fromkeys(found[1] for found in _FILE.finditer(_QUOTED.sub(_bare, line))))
    if replace := _REPLACE.search(line):
        old, new = _first(replace.groups()[:5]), _first(replace.groups()[5:])
        files = [file for file in files if file not in (old, new)]
        return Task("replace", line, source=files[-1], target=files[-1], old=old, new=new) if files else None
    if len(files) > 1 and _WRITES.search(line):
        return Task("copy", line, source=files[0], target=files[-1])
    texts = [_first(found.groups()) for found in _QUOTED.finditer(line)]
    texts = [text for text in texts if text not in files]
    if len(files) == 1 and texts and _WRITES.search(line):
        return Task("write", line, target=files[0], text=f"{texts[0]}\n")
    if files and _READS.search(line):
        return Task("read", line, source=files[0])
    return None


def _bare(quoted: re.Match[str]) -> str:
    """A quoted file without its quotes; other quotes are texts and name no file."""
    inside = _first(quoted.groups())
    return f" {inside} " if _FILE.fullmatch(inside) else " "


def _first(groups: tuple[str | None, ...]) -> str:
    return next((group for group in groups if group is not None), "")
