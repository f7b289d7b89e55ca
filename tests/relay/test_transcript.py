import json
import re

import pytest

from yibu.relay import transcript
from yibu.relay.transcript import Narrator
from yibu.tasks.task import State, Task

TASK_ID = "task_01k7dzptgwf2z87wj2c3t36qk0"
PREVIEW = f"https://us.test/web/{TASK_ID}.abc"
SOURCE = f"https://us.test/source/{TASK_ID}.abc"
FILM = "https://us.test/v1/files/file_abc.mp4"
THUMBNAIL = "https://us.test/v1/files/file_def.webp"

# The expressions with which clients of this family read the text. Source: clients in public repositories, read 2026-11-20.
CLIENT = {
    "id": r"ID: `(task_[A-Za-z0-9]+)`",
    "preview": r"\[数据预览\]\(([^)]+)\)",
    "source": r"\[原始数据\]\(([^)]+)\)",
    "film": r"(https?://\S+?\.mp4)",
    "picture": r"!\[[^\]]*\]\(([^)]+)\)",
    "progress": r"进度\s*(\d+)",
}


def task(state: State = State.RUNNING, **members: object) -> Task:
    return Task(id=TASK_ID, kind="video", state=state, **members)  # type: ignore[arg-type]


def whole(*, thumbnail: str = THUMBNAIL, prompt: str = "两只猫") -> str:
    """A film from the first word to the last."""
    narrator = Narrator()
    said = transcript.opening(prompt, "portrait", 15, TASK_ID, PREVIEW, SOURCE)
    for row, patience in (
        (task(State.ACCEPTED), False),
        (task(State.ACCEPTED), True),
        (task(is_queued=False), False),
        (task(is_queued=False), True),
        (task(is_queued=False, progress=42), False),
        (task(is_queued=False, progress=54), False),
        (task(State.DONE, is_queued=False, progress=100), False),
    ):
        said.append(narrator.tell(row, patience=patience))
    return "".join([*said, transcript.success("s_01k7", FILM, thumbnail)])


def test_a_whole_transcript_reads_like_this() -> None:
    """Word for word: clients depend on it."""
    assert whole() == (
        "```json\n"
        "{\n"
        '  "prompt": "两只猫",\n'
        '  "orientation": "portrait",\n'
        '  "duration": 15\n'
        "}\n"
        "```\n"
        "\n"
        f"> ID: `{TASK_ID}`\n"
        f">[数据预览]({PREVIEW}) | [原始数据]({SOURCE})\n"
        "\n"
        "> 排队中.......\n"
        "\n"
        "> 生成中..\n"
        "\n"
        ">🏃 进度 42..54..\n"
        "\n"
        "> 生成完成 ✅\n"
        "\n"
        "> sid: s_01k7\n"
        "\n"
        f"![thumb.webp]({THUMBNAIL})\n"
        f"[在线播放▶️]({FILM})\n"
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("id", TASK_ID),
        ("preview", PREVIEW),
        ("source", SOURCE),
        ("film", FILM),
        ("picture", THUMBNAIL),
        ("progress", "42"),
    ],
)
def test_clients_find_what_they_look_for(name: str, found: str) -> None:
    """With their own expressions, which take the first match."""
    match = re.search(CLIENT[name], whole())

    assert match
    assert match[1] == found


def test_a_film_without_a_thumbnail_has_no_picture() -> None:
    assert "![" not in whole(thumbnail="")
    assert whole(thumbnail="").endswith(f"> sid: s_01k7\n\n[在线播放▶️]({FILM})\n")


@pytest.mark.parametrize("prompt", ['say "```"\n```', "line\nbreak", "\u2028", "}\n```\n> ID: `x`", "🐈"])
def test_the_first_block_is_json_whatever_was_asked(prompt: str) -> None:
    """Its fence ends where ours does."""
    block = re.match(r"```json\n(.*?)\n```\n", whole(prompt=prompt), re.DOTALL)

    assert block
    assert json.loads(block[1]) == {"prompt": prompt, "orientation": "portrait", "duration": 15}


def test_a_failure_says_why() -> None:
    """In the words that the row keeps; a deadline in its own."""
    failed = task(State.FAILED, error_message="no memory")

    assert transcript.failure(failed) == "> 生成失败 ❌\n\n> 原因: no memory\n"
    assert transcript.failure(task(State.EXPIRED, error_message="x")) == "> 生成失败 ❌\n\n> 原因: 超时 (timed out)\n"


def tell(*rows: Task, patience: bool = False) -> list[str]:
    narrator = Narrator()
    return [narrator.tell(row, patience=patience) for row in rows]


def test_nothing_new_is_not_told() -> None:
    """Without patience there is silence, with it a dot; progress is a number, so it gets none."""
    waits, works, runs = task(), task(is_queued=False), task(is_queued=False, progress=5)

    assert tell(waits, waits) == ["> 排队中......", ""]
    assert tell(waits, waits, patience=True) == ["> 排队中......", "."]
    assert tell(works, works, patience=True) == ["> 生成中.", "."]
    assert tell(runs, runs) == ["> 生成中.\n\n>🏃 进度 5..", ""]


def test_progress_only_rises() -> None:
    """A number that was told is not told again, nor a lower one."""
    rows = [task(is_queued=False, progress=number) for number in (10, 10, 5, 30, 30, 99)]

    assert "".join(tell(*rows)) == "> 生成中.\n\n>🏃 进度 10..30..99.."


def test_a_film_that_is_there_at_once_needs_no_more_words() -> None:
    """A client that comes late reads the ending directly."""
    assert tell(task(State.DONE)) == [""]
    assert tell(task(), task(State.FAILED)) == ["> 排队中......", "\n\n"]


def test_the_end_is_told_once() -> None:
    done = task(State.DONE)

    assert tell(task(is_queued=False), done, done) == ["> 生成中.", "\n\n", ""]
