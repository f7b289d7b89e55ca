"""A gateway with the sandbox behind it, once in each format that an upstream can speak, as real processes."""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

START_PATIENCE_S = 60.0

UPSTREAMS = {
    "chat": ("openai", "openai_chat"),
    "responses": ("openai", "openai_responses"),
    "anthropic": ("anthropic", "anthropic"),
    "gemini": ("gemini", "gemini"),
}
"""By the name of an upstream: the provider that reaches it, and the one dialect that it is spoken to in."""

OTHERS = {
    "cohere": ("cohere", ("cohere_rerank_v2", "cohere_rerank"), "rerank-v3.5"),
    "jina": ("jina", ("jina_rerank",), "jina-reranker-v2-base-multilingual"),
    "xinference": ("xinference", ("xinference_rerank",), "bge-reranker-v2-m3"),
    "siliconflow": ("siliconflow", ("siliconflow_rerank",), "BAAI/bge-reranker-v2-m3"),
    "openai": ("openai", ("openai_embeddings",), "multilingual-e5-small"),
}
"""Upstreams that do not chat: the provider, its dialects, and the sandbox's model of that vendor."""
BUSY = "sandbox/busy-429"

_CHANNEL = """
[[channels]]
name = "on-{name}"
provider = "{provider}"
base_url = "{url}"
keys = ["env:COMPAT_UPSTREAM_KEY"]
speaks = [{dialects}]
models = {{ {models} }}
inline_media = true
"""

_PRICE = """
[[prices]]
model = "{model}"
input = "0.15"
output = "0.60"
"""
_SEARCH = """
[[prices]]
model = "{model}"
search = "0.001"
"""


class Stand(NamedTuple):
    """`url`: of the gateway, without `/v1`; `key`: with credit; `log`: what gateway and sandbox said."""

    url: str
    key: str
    log: Path


@contextlib.contextmanager
def stand(folder: Path, models: tuple[str, ...], upstreams: tuple[str, ...] = tuple(UPSTREAMS)) -> Iterator[Stand]:
    """Serves each of the sandbox's `models` as `<model>-on-<upstream>`, and of `OTHERS` their own.

    Raises `RuntimeError` when it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(16)
    ports = free_port(), free_port()
    environment = {**os.environ, "COMPAT_UPSTREAM_KEY": token, "YIBU_SANDBOX_TOKEN": token}
    config = folder / "yibu.toml"
    config.write_text(_config(ports[0], models, upstreams), encoding="utf-8")
    where = ["--config", str(config), "--data-dir", str(folder / "data")]
    log = folder / "log.txt"
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("wb"))

        def start(*command: str) -> None:
            process = subprocess.Popen([sys.executable, "-m", *command], env=environment, stdout=out, stderr=out)
            stack.callback(_stop, process)

        start("yibu.sandbox", "--port", str(ports[0]), "--data-dir", str(folder / "sandbox"))
        _await(f"http://127.0.0.1:{ports[0]}/v1/models", token, log)
        made = _yibu(environment, "keys", "create", "--json", *where)
        key: str = json.loads(made)["key"]
        _yibu(environment, "credit", "1000", *where)
        start("yibu", "serve", "--port", str(ports[1]), *where)
        url = f"http://127.0.0.1:{ports[1]}"
        _await(f"{url}/v1/models", key, log)
        yield Stand(url, key, log)


def public(model: str, upstream: str) -> str:
    """The name under which the gateway sells the sandbox's `model` over one of the upstreams."""
    return f"{model.rpartition('/')[2]}-on-{upstream}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _config(port: int, models: tuple[str, ...], upstreams: tuple[str, ...]) -> str:
    text = ""
    for name in upstreams:
        if name in UPSTREAMS:
            provider, dialect = UPSTREAMS[name]
            text += _channel(name, provider, (dialect,), models, port)
            text += "".join(_PRICE.format(model=public(model, name)) for model in models)
        else:
            provider, dialects, model = OTHERS[name]
            text += _channel(name, provider, dialects, (model, BUSY), port)
            price = _PRICE if name == "openai" else _SEARCH
            text += price.format(model=public(model, name)) + _PRICE.format(model=public(BUSY, name))
    return text


def _channel(name: str, provider: str, dialects: tuple[str, ...], models: tuple[str, ...], port: int) -> str:
    served = ", ".join(f'"{public(model, name)}" = "{model}"' for model in models)
    spoken = ", ".join(f'"{dialect}"' for dialect in dialects)
    url = f"http://127.0.0.1:{port}"
    return _CHANNEL.format(name=name, provider=provider, dialects=spoken, url=url, models=served)


def _yibu(environment: dict[str, str], *arguments: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-m", "yibu", *arguments], check=True, stdout=subprocess.PIPE, env=environment
    ).stdout


def _await(url: str, key: str, log: Path) -> None:
    patience = time.monotonic() + START_PATIENCE_S
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {key}"})
    while time.monotonic() < patience:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer; what was said:\n{log.read_text(errors='replace')[-4000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
