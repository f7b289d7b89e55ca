"""The sandbox as a process: it starts fast, ends with its parent, and keeps its jobs."""

import signal
import time
import warnings
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.sandbox.conftest import TOKEN, running


def sdk(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=TOKEN, max_retries=0)


def test_it_ends_when_stdin_ends(tmp_path: Path) -> None:
    """A parent that dies closes the pipe, and the sandbox follows, although the language model runs."""
    with running(tmp_path) as (process, url):
        assert url.startswith("http://127.0.0.1:")
        assert process.stdin
        process.stdin.close()

        assert process.wait(5) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_it_streams(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it within the grace period, even in the middle of an answer."""
    with running(tmp_path) as (process, url):
        stream = sdk(url).chat.completions.create(
            model="sandbox/stall", messages=[{"role": "user", "content": "count to 9"}], stream=True
        )
        next(iter(stream))
        process.send_signal(number)

        assert process.wait(5) == 0


def test_an_unfinished_job_goes_on_after_a_restart(tmp_path: Path) -> None:
    """A job that was running when the sandbox was killed is completed by the next one."""
    warnings.simplefilter("ignore", DeprecationWarning)
    with running(tmp_path) as (process, url):
        job = sdk(url).videos.create(prompt="a bird over the sea", seconds="4", size="1280x720")
        time.sleep(0.3)
        process.kill()
        process.wait(5)
    with running(tmp_path) as (_, url):
        video: Any = sdk(url).videos.retrieve(job.id)
        assert video.status in ("queued", "in_progress")
        deadline = time.monotonic() + 20
        while video.status in ("queued", "in_progress") and time.monotonic() < deadline:
            time.sleep(0.1)
            video = sdk(url).videos.retrieve(job.id)

        assert (video.status, video.prompt) == ("completed", "a bird over the sea")


def test_nothing_listens_when_the_port_is_taken(tmp_path: Path) -> None:
    """A second sandbox on the same port ends at once with an error."""
    import subprocess
    import sys

    with running(tmp_path) as (_, url):
        port = url.rpartition(":")[2]
        command = [sys.executable, "-m", "yibu.sandbox", "--port", port, "--data-dir", str(tmp_path)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)

    assert second.returncode == 1
    assert "cannot listen" in second.stderr
