"""Recorded exchanges with real vendors, which the tests replay.

They lie beside the repository, not in it: in `../shared/corpus`, or where the variable `YIBU_CORPUS` says.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FOLDER = Path(os.environ.get("YIBU_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")

needs_corpus = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the recordings are expected in {FOLDER}; set YIBU_CORPUS to look elsewhere"
)

NAMES = {"anthropic": "anthropic-messages"}
"""Where the recordings call a format otherwise than its dialect's id with hyphens."""


class Recording(NamedTuple):
    """`name`: the file's; `endpoint`: method and path; `request`: the JSON that was sent, None for a few; `body`: the
    answer, decompressed."""

    name: str
    provider: str
    request: dict[str, Any] | None
    status: int
    is_stream: bool
    body: bytes
    endpoint: str = ""

    @property
    def asked(self) -> bytes:
        return json.dumps(self.request).encode()


@cache
def recordings(dialect: str) -> tuple[Recording, ...]:
    """All of one wire format, by the dialect's id or by its name in the recordings; none when the folder is absent."""
    if not FOLDER.is_dir():
        return ()
    dialect = NAMES.get(dialect, dialect.replace("_", "-"))
    return tuple(_load(path) for path in sorted(FOLDER.glob(f"*.{dialect}.*.json")))


def _load(path: Path) -> Recording:
    told = json.loads(path.read_text(encoding="utf-8"))
    body = told["response_body"] or ""
    is_stream = bool(told["stream"]) and not body.lstrip().startswith("{")
    return Recording(
        path.stem, told["provider"], told["request"], told["status"], is_stream, body.encode(), told["endpoint"]
    )


def answers(dialect: str) -> list[Recording]:
    """Whole answers that succeeded."""
    return [taken for taken in recordings(dialect) if taken.status == 200 and not taken.is_stream]


def streams(dialect: str) -> list[Recording]:
    return [taken for taken in recordings(dialect) if taken.status == 200 and taken.is_stream]


def name_of(taken: Recording) -> str:
    """For the ids of parametrized tests."""
    return taken.name
