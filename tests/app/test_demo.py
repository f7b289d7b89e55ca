"""`yibu demo` as a newcomer meets it: what it prints works when it is pasted, and the next start has the same key."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.house import free_port


@contextmanager
def demo(data_dir: Path, port: int) -> Iterator[str]:
    """What it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "yibu", "demo", "--data-dir", str(data_dir), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        said = ""
        while "smollm2-135m" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield said
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_what_it_prints_can_be_pasted(tmp_path: Path) -> None:
    """The first command makes a film of the demo's own picture; the second start keeps key, picture and balance."""
    port = free_port()
    with demo(tmp_path / "data", port) as said:
        found = re.search(r"^curl -N (\S+)/v1/chat/completions.*?-d '(.*?)'\n", said, re.DOTALL | re.MULTILINE)
        key = re.search(r"sk-yb-\w+", said)
        assert found
        assert key
        asked = urllib.request.Request(
            f"{found[1]}/v1/chat/completions",
            data=found[2].encode(),
            headers={"authorization": f"Bearer {key[0]}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(asked) as answer:
            frames = [line[6:] for line in answer.read().decode().split("\n\n") if line.startswith("data: {")]
        words = "".join(json.loads(frame)["choices"][0]["delta"].get("content") or "" for frame in frames)
        link = re.search(r"https?://\S+?\.mp4", words)
        assert link
        with urllib.request.urlopen(link[0]) as film:
            assert film.read()[4:8] == b"ftyp"
    with demo(tmp_path / "data", port) as again:
        assert key[0] in again
        assert re.findall(r"file_\w+\.png", again) == re.findall(r"file_\w+\.png", said)
        balance = re.search(r"credit\s+([\d.]+)", again)

    assert found[1] == f"http://127.0.0.1:{port}"
    assert balance
    assert balance[1] == "19.9"
