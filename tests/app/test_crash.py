"""A gateway that is killed while films are made and chats stream: nothing is lost, nothing is charged twice."""

import asyncio
import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.house import free_port

FILMS = 4
CHATS = 3
FILM_COST = 4 * 10_000_000
TASK = re.compile(r"task_[a-z0-9]{26}")


class Gateway:
    """`yibu serve --sandbox` as a process of its own."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._data_dir = data_dir
        self._command = [
            sys.executable,
            "-m",
            "yibu",
            "serve",
            "--sandbox",
            "--data-dir",
            str(data_dir),
            "--port",
            str(port),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self._process.stdout
        assert b"listens on" in self._process.stdout.readline()

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """By the signal of Ctrl-C; gives the exit code."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(20)

    @property
    def children(self) -> list[int]:
        assert self._process
        text = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def run(self, *words: str) -> dict[str, Any]:
        """A command on the same data, its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "yibu", *words, "--json", "--data-dir", str(self._data_dir)],
            capture_output=True,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """On free port and empty data; killed at the end whatever happened."""
    with Gateway(tmp_path / "data", free_port()) as served:
        yield served


def is_alive(pid: int) -> bool:
    """A zombie that nobody has waited for yet is not alive."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


async def ask(session: aiohttp.ClientSession, url: str, body: dict[str, Any], heard: bytearray) -> None:
    """Streams until the end, or until the connection breaks."""
    try:
        async with session.post(f"{url}/v1/chat/completions", json={**body, "stream": True}) as answer:
            async for piece in answer.content.iter_any():
                heard.extend(piece)
    except aiohttp.ClientError:
        return


async def test_kill_while_films_and_chats_are_under_way(gateway: Gateway, tmp_path: Path) -> None:
    """After `kill -9` and a restart every accepted film is finished, once; chats were not charged; the book is right."""
    key = gateway.run("keys", "create")["key"]
    gateway.run("credit", "10")
    gateway.start()
    sandbox = gateway.children[0]
    film = {"model": "sora-2", "messages": [{"role": "user", "content": "a bird over the sea, 4s"}]}
    chat = {"model": "sandbox/slow", "messages": [{"role": "user", "content": "take your time"}]}
    heard = [bytearray() for _ in range(FILMS + CHATS)]

    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as session:
        asked = [
            asyncio.create_task(ask(session, gateway.url, film if n < FILMS else chat, said))
            for n, said in enumerate(heard)
        ]
        async with asyncio.timeout(20):
            while not all(TASK.search(said.decode("utf-8", "ignore")) for said in heard[:FILMS]):
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)  # some are being submitted, some made, some collected
        gateway.kill()
        await asyncio.gather(*asked)
        async with asyncio.timeout(10):
            while is_alive(sandbox):
                await asyncio.sleep(0.05)

        gateway.start()
        tasks = [match[0] for said in heard[:FILMS] if (match := TASK.search(said.decode("utf-8", "ignore")))]
        states = [await final(session, gateway.url, task) for task in tasks]
        for state in states:
            async with session.get(state["video_url"]) as answer:
                assert (await answer.read())[4:8] == b"ftyp"
    children = gateway.children
    assert gateway.stop() == 0

    assert [state["status"] for state in states] == ["completed"] * FILMS
    assert gateway.run("ledger", "check") == {"ok": True, "problems": []}
    balance = gateway.run("credit")
    assert balance["held"] == "0"
    assert float(balance["spent"]) == FILMS * FILM_COST / 1e9
    assert jobs(tmp_path / "data" / "sandbox") == FILMS
    assert settlements(tmp_path / "data" / "yibu.db") == FILMS
    assert not any(is_alive(pid) for pid in children)


async def test_restart_keeps_everything(gateway: Gateway) -> None:
    """An orderly stop ends every process and frees the port; the next start has the same data."""
    key = gateway.run("keys", "create")["key"]
    gateway.run("credit", "1")
    hello = {"model": "sandbox/rules", "messages": [{"role": "user", "content": "hello"}]}
    for _ in range(2):
        gateway.start()
        async with (
            aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as session,
            session.post(f"{gateway.url}/v1/chat/completions", json=hello) as answer,
        ):
            assert answer.status == 200
        assert gateway.stop() == 0

    assert gateway.run("ledger", "check")["ok"]
    assert float(gateway.run("credit")["spent"]) > 0


def test_second_server_on_the_same_data(gateway: Gateway, tmp_path: Path) -> None:
    """Two servers on one data directory would be two writers: the second says so and ends."""
    gateway.start()
    second = subprocess.run(
        [sys.executable, "-m", "yibu", "serve", "--data-dir", str(tmp_path / "data"), "--port", "0"],
        capture_output=True,
    )
    gateway.stop()

    assert second.returncode == 1
    assert b"Another `yibu serve` runs" in second.stderr
    assert b"Traceback" not in second.stderr


async def final(session: aiohttp.ClientSession, url: str, task: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            async with session.get(f"{url}/v1/videos/{task}") as answer:
                state: dict[str, Any] = await answer.json()
            if state["status"] in ("completed", "failed"):
                return state
            await asyncio.sleep(0.2)


def jobs(sandbox_dir: Path) -> int:
    """How many films the vendor was asked for."""
    return len(list(sandbox_dir.rglob("video_*.json")))


def settlements(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        count: int = connection.execute("SELECT COUNT(*) FROM transfer WHERE kind = 'settle'").fetchone()[0]
        return count
    finally:
        connection.close()
