"""A sandbox in a process of its own, as the gateway starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest

TOKEN = "sandbox-test-token"


@contextmanager
def running(data_dir: Path, *, stderr: int = subprocess.DEVNULL) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a sandbox on a free port; gives the process and its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "yibu.sandbox", "--port", "0", "--data-dir", str(data_dir), "--die-with-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=os.environ | {"YIBU_SANDBOX_TOKEN": TOKEN},
    ) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield process, process.stdout.readline().removeprefix("ready ").strip()
        finally:
            process.stdin.close()
            process.wait(10)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox shared by all tests."""
    with running(tmp_path_factory.mktemp("sandbox")) as (_, url):
        yield url


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own SDK, without retries."""
    with openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0, timeout=30) as sdk:
        yield sdk
