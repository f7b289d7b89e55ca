"""The words in which a film's progress is told. They are a contract: clients match them with regular expressions.

Source: streams of relays that sell films through chat, read 2026-11-20. Pure: a film's state in, text out.
"""

import json

from yibu.hub.work import Orientation
from yibu.tasks.task import State, Task

QUEUED = "> 排队中"
WORKING = "> 生成中."
RUNNER = ">🏃 进度 "
DONE = "> 生成完成 ✅"
FAILED = "> 生成失败 ❌"
DOT = "."


def opening(prompt: str, orientation: Orientation, seconds: int, task_id: str, preview: str, source: str) -> list[str]:
    """What was understood, and under which id: a few pieces, as a model would send them."""
    understood = {"prompt": prompt, "orientation": orientation, "duration": seconds}
    lines = json.dumps(understood, ensure_ascii=False, indent=2).splitlines(keepends=True)
    return [
        "```json\n",
        *lines,
        "\n```\n\n",
        f"> ID: `{task_id}`\n",
        f">[数据预览]({preview}) | [原始数据]({source})\n\n",
    ]


class Narrator:
    """Tells each state of one film as it comes. `tell` gives the next piece, empty when there is nothing new to say."""

    def __init__(self) -> None:
        self._stage = ""
        self._progress = 0

    def tell(self, task: Task, *, patience: bool) -> str:
        """`patience`: some seconds went by without news, so a dot is due."""
        if task.state.is_final:
            return self._turn_to("end", "")
        if task.is_queued:
            return self._turn_to("queued", QUEUED + DOT * 6) or (DOT if patience else "")
        if task.progress == 0:
            return self._turn_to("working", WORKING) or (DOT if patience else "")
        said = self._turn_to("working", WORKING) if self._stage in ("", "queued") else ""
        said += self._turn_to("progress", RUNNER)
        if task.progress > self._progress:
            self._progress = task.progress
            said += f"{task.progress}.."
        return said

    def _turn_to(self, stage: str, words: str) -> str:
        if stage == self._stage:
            return ""
        is_first, self._stage = not self._stage, stage
        return words if is_first else "\n\n" + words


def success(sid: str, film: str, thumbnail: str) -> str:
    picture = f"![thumb.webp]({thumbnail})\n" if thumbnail else ""
    return f"{DONE}\n\n> sid: {sid}\n\n{picture}[在线播放▶️]({film})\n"


def expired(sid: str) -> str:
    """The film was made, and its link is over before it could be told."""
    why = "视频文件已过保存期限，链接已失效，请重新生成 (the file has expired; ask for the film again)"
    return f"{DONE}\n\n> sid: {sid}\n\n> {why}\n"


def failure(task: Task) -> str:
    reason = "超时 (timed out)" if task.state is State.EXPIRED else task.error_message
    return f"{FAILED}\n\n> 原因: {reason}\n"
