"""A `yibu.toml` with a real OpenAI-compatible upstream in place of the sandbox: llama.cpp's own server.

That server shares no line with the gateway or the sandbox, so it is a witness of its own for the wire format.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.house import free_port

pytest.importorskip("xllamacpp", reason="xllamacpp is not installed: it is the vendor of these tests")

SERVER = """
import sys, xllamacpp
from yibu.sandbox.engines.llama import find_weights
params = xllamacpp.CommonParams()
params.model.path = str(find_weights())
params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 2048, 1, 1
params.cpuparams_batch.n_threads, params.verbosity, params.warmup, params.ui = 1, 0, False, False
params.port, params.api_keys, params.model_alias = 0, ["llama-secret"], {"smol"}
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""

CONFIG = """
[server]
port = {port}

[[channels]]
name     = "llama"
provider = "openai"
base_url = "{url}/v1/"
keys     = ["env:LLAMA_KEY"]
models   = {{ "small" = "smol" }}

[[prices]]
model  = "small"
input  = "0.15"
output = "0.60"
"""


def serve_llama() -> Iterator[str]:
    """Gives the address of llama.cpp's server while it runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    address = process.stdout.readline().strip()
    yield address
    process.kill()
    process.wait()


@pytest.fixture
def upstream() -> Iterator[str]:
    yield from serve_llama()


def test_real_upstream_from_a_file(tmp_path: Path, upstream: str) -> None:
    """`yibu check` finds all well, and the SDK chats with the upstream, streamed and not; the cost is that of its usage."""
    config, port = tmp_path / "yibu.toml", free_port()
    config.write_text(CONFIG.format(port=port, url=upstream))
    environment = {**os.environ, "LLAMA_KEY": "llama-secret"}
    common = ["--config", str(config), "--data-dir", str(tmp_path / "data")]

    def yibu(*words: str) -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "yibu", *words, *common, "--json"], capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
        answer: dict[str, str] = json.loads(done.stdout)
        return answer

    assert yibu("check")["problems"] == []
    key = yibu("keys", "create")["key"]
    yibu("credit", "1")
    server = subprocess.Popen([sys.executable, "-m", "yibu", "serve", *common], stdout=subprocess.PIPE, env=environment)
    try:
        assert server.stdout
        server.stdout.readline()
        client = openai.OpenAI(api_key=key, base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)
        question = [{"role": "user", "content": "What is the capital of France?"}]
        whole = client.chat.completions.create(model="small", messages=question, max_tokens=16)  # type: ignore[arg-type]
        stream = client.chat.completions.create(
            model="small",
            messages=question,  # type: ignore[arg-type]
            max_tokens=16,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    finally:
        server.terminate()
        assert server.wait(20) == 0

    usages = [whole.usage, chunks[-1].usage]
    assert whole.choices[0].message.content
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    cached = [u.prompt_tokens_details.cached_tokens or 0 if u and u.prompt_tokens_details else 0 for u in usages]
    assert all(count >= 0 for count in cached)
    cost = sum(u.prompt_tokens * 150 + u.completion_tokens * 600 for u in usages if u)
    assert round(float(yibu("credit")["spent"]) * 1e9) == cost
