"""An engine whose package cannot be had is named at the start, and something plain takes its place."""

import subprocess
import time
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.sandbox.conftest import TOKEN, running


@pytest.fixture
def without_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages of the same names that cannot be imported stand before the real ones."""
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in ("xllamacpp", "imageio_ffmpeg"):
        (folder / f"{name}.py").write_text(f"raise ImportError('{name} cannot be had')\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return tmp_path


def test_it_says_so_and_goes_on(without_engines: Path) -> None:
    """The language model falls back to rules; a film ends failed, with the reason."""
    with running(without_engines / "data", stderr=subprocess.PIPE) as (process, url):
        client: Any = openai.OpenAI(base_url=f"{url}/v1", api_key=TOKEN, max_retries=0)
        answer = client.chat.completions.create(
            model="smollm2-135m", messages=[{"role": "user", "content": "hello there"}]
        )
        video = client.videos.create(model="sora-2", prompt="a bird", seconds="4")
        deadline = time.monotonic() + 10
        while video.status not in ("completed", "failed") and time.monotonic() < deadline:
            time.sleep(0.05)
            video = client.videos.retrieve(video.id)
        process.terminate()
        assert process.stderr
        said = process.stderr.read()

    assert answer.choices[0].message.content
    assert video.status == "failed"
    assert "encoder" in video.error.message
    assert "rules only" in said
    assert "no film encoder installed" in said
