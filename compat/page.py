"""Writes what was found into docs/compatibility.md and its Chinese twin, between marks; the words around them are people's."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

DOCS = Path("docs")
PAGES = {"en": DOCS / "compatibility.md", "zh": DOCS / "compatibility.zh.md"}


def write(section: str, texts: Mapping[str, str]) -> None:
    """Puts a text for each language between `<!-- section -->` and `<!-- /section -->`. Raises `ValueError` without the marks."""
    for language, text in texts.items():
        page = PAGES[language]
        marks = re.compile(rf"(<!-- {section} -->\n).*?(<!-- /{section} -->)", re.DOTALL)
        said = page.read_text(encoding="utf-8")
        if (found := marks.search(said)) is None:
            raise ValueError(f"{page} has no marks for {section}")
        page.write_text(said[: found.end(1)] + text + said[found.start(2) :], encoding="utf-8")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"
