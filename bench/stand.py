"""What is measured: the upstream, the bare relay and the gateway, each a real process; and how calls are sent to them."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from bench.load import Job, Result
from bench.process import Process

SERVER_CORE, OTHER_CORE = 0, 1
PATH = "/v1/chat/completions"
OTHER_PATH = "/v1/messages"
"""In another dialect than the upstream's: such calls are translated."""
MODELS = ("fixed", "fixed-paced", "fixed-slow")
START_PATIENCE_S = 30.0
SETTLING_S = 0.3
"""The last calls of a load are booked after they were answered; their CPU counts too."""

_MESSAGES = [
    {"role": "system", "content": "You are a quiet observer of rivers. Answer in two sentences, without metaphors."},
    {"role": "user", "content": "What does the heron do in the morning, and what does it do when a fish comes by?"},
]

_CONFIG = """
[server]
log_level = "info"

[[channels]]
name = "fixed"
provider = "openai"
base_url = "http://127.0.0.1:{port}"
keys = ["sk-upstream-0000000000000000"]
models = {models}
"""

_PRICE = """
[[prices]]
model = "{model}"
input = "0.15"
output = "0.60"
"""


class Server:
    """A process that answers chat calls. `took_s`: from its start to its first answer."""

    def __init__(self, name: str, process: Process, port: int, key: str = "none", took_s: float = 0.0) -> None:
        self.name = name
        self.process = process
        self.port = port
        self.key = key
        self.took_s = took_s


def body(model: str = "fixed", *, frames: int | None = None) -> str:
    """A short chat request; `frames`: streamed, with so many."""
    request: dict[str, object] = {"model": model, "messages": _MESSAGES, "temperature": 0.7}
    request |= {"max_tokens": 256} if frames is None else {"max_tokens": frames, "stream": True}
    return json.dumps(request, separators=(",", ":"))


def other_body(model: str = "fixed", *, frames: int | None = None) -> str:
    """The same as `body`, as Anthropic Messages has it."""
    system, user = (message["content"] for message in _MESSAGES)
    request: dict[str, object] = {
        "model": model,
        "max_tokens": 256 if frames is None else frames,
        "system": system,
        "messages": [{"role": "user", "content": user}],
        "temperature": 0.7,
    }
    if frames is not None:
        request["stream"] = True
    return json.dumps(request, separators=(",", ":"))


def start_upstream() -> Server:
    process = Process(["-m", "bench.upstream"], OTHER_CORE)
    return Server("upstream", process, int(process.read_line()))


def start_bare(upstream: Server) -> Server:
    began = time.perf_counter()
    process = Process(["-m", "bench.bare", str(upstream.port)], SERVER_CORE)
    port = int(process.read_line())
    _await_answer(port, "none")
    return Server("bare", process, port, took_s=time.perf_counter() - began)


def start_gateway(upstream: Server, folder: Path) -> Server:
    """With a database on disk, a key with limits, and credit that lasts."""
    config = folder / "yibu.toml"
    prices = "".join(_PRICE.format(model=model) for model in MODELS)
    config.write_text(_CONFIG.format(port=upstream.port, models=json.dumps(MODELS)) + prices)
    where = ["--config", str(config), "--data-dir", str(folder / "data")]
    limits = ["--rpm", "100000000", "--concurrency", "100000"]
    key = json.loads(_yibu("keys", "create", "--json", *limits, *where))["key"]
    _yibu("credit", "1000000", *where)
    return _serve(where, key)


def _serve(where: list[str], key: str) -> Server:
    port = _free_port()
    began = time.perf_counter()
    process = Process(["-m", "yibu", "serve", "--port", str(port), *where], SERVER_CORE)
    _await_answer(port, key)
    return Server("gateway", process, port, key, time.perf_counter() - began)


def run_load(
    server: Server, request: str, *, connections: int, calls: int, seconds: float, path: str = PATH
) -> tuple[Result, float]:
    """Sends `calls` calls and gives what the client saw, and the server's CPU a call in microseconds.

    Raises `RuntimeError` when an answer was not 200.
    """
    warm = max(2, 64 // connections)
    with Process(["-m", "bench.load"], OTHER_CORE) as load:
        load.write_line(json.dumps(_job(server, request, connections, calls, seconds, warm, path=path)))
        load.read_line()
        time.sleep(SETTLING_S)
        before = server.process.cpu_s()
        load.write_line()
        result: Result = json.loads(load.read_line())
        time.sleep(SETTLING_S)
        spent = server.process.cpu_s() - before
    if result["failed"]:
        raise RuntimeError(f"{result['failed']} of {result['calls']} calls to {server.name} failed")
    return result, spent / result["calls"] * 1e6


def hold_streams(server: Server, streams: int) -> tuple["Process", float]:
    """Opens so many slow streams; gives the client that holds them, to be stopped, and the seconds it took."""
    began = time.perf_counter()
    load = Process(["-m", "bench.load"], OTHER_CORE)
    request = body("fixed-slow", frames=100_000)
    load.write_line(json.dumps(_job(server, request, streams, streams, 60.0, 0, is_held=True)))
    load.read_line()
    return load, time.perf_counter() - began


def _job(
    server: Server,
    request: str,
    connections: int,
    calls: int,
    seconds: float,
    warm: int,
    *,
    is_held: bool = False,
    path: str = PATH,
) -> Job:
    return Job(
        port=server.port,
        path=path,
        key=server.key,
        body=request,
        connections=connections,
        calls=calls,
        seconds=seconds,
        warm=warm,
        is_held=is_held,
    )


def _await_answer(port: int, key: str) -> None:
    """Until a chat call is answered with 200. Raises `TimeoutError`."""
    said = body().encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    request = f"{head}connection: close\r\ncontent-length: {len(said)}\r\n\r\n".encode() + said
    patience = time.perf_counter() + START_PATIENCE_S
    while time.perf_counter() < patience:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(request)
                answer = connection.recv(65536)
        except OSError:
            answer = b""
        if answer.startswith(b"HTTP/1.1 200"):
            return
        if answer:
            raise RuntimeError(answer.decode())
        time.sleep(0.005)
    raise TimeoutError(f"Nothing answered on port {port}")


def _yibu(*arguments: str) -> str:
    return subprocess.run([sys.executable, "-m", "yibu", *arguments], check=True, capture_output=True, text=True).stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
