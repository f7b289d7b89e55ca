"""A program of somebody else, and the piece of work that it is given."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

TOOLS = Path(".compat")
"""Where `make test-clients` installs the programs; at the root of the repository."""
PATIENCE_S = 180
LINES = ["a heron by the river", "waits for the second fish"]
PROMPT = "Read the file notes.txt and write its first line in upper case to the file out.txt."
WANTED = LINES[0].upper()


class Access(NamedTuple):
    """What a customer of the gateway has: its address without `/v1`, a key, and the name of a model."""

    url: str
    key: str
    model: str


class Setup(NamedTuple):
    """`command` is run in the folder of the work, with `environment` beside the bare one."""

    command: list[str]
    environment: Mapping[str, str] = {}


class Program(NamedTuple):
    """`speaks`: the dialect of its calls, by its name in `stand.UPSTREAMS`; `prepare`: writes what it needs into a home folder."""

    title: str
    package: str
    speaks: str
    executable: Path
    prepare: Callable[[Path, Access], Setup]


class Verdict(NamedTuple):
    """`is_done`: the file is there and says what it should; `said`: the end of what the program printed; `took_s`: seconds."""

    is_done: bool
    said: str
    took_s: float


def work(program: Program, folder: Path, access: Access) -> Verdict:
    """Gives the program its work in a new folder and looks at what came of it."""
    home, place = folder / "home", folder / "work"
    for made in (home, place):
        made.mkdir(parents=True)
    (place / "notes.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    setup = program.prepare(home, access)
    began = time.monotonic()
    said = _run(setup, home, place, folder / "said.txt")
    out = place / "out.txt"
    is_done = out.is_file() and out.read_text(encoding="utf-8").strip() == WANTED
    return Verdict(is_done, said[-2000:], time.monotonic() - began)


def version_of(program: Program) -> str:
    """As it says itself; empty when it does not run."""
    said = subprocess.run([program.executable, "--version"], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"\d+(?:\.\d+)+", said.stdout)
    return found[0] if found else ""


def bin_of(name: str) -> Path:
    """A program that npm installed."""
    return (TOOLS / "node_modules" / ".bin" / name).absolute()


def _run(setup: Setup, home: Path, place: Path, log: Path) -> str:
    """With an environment of its own: nothing of ours is seen, and nothing but loopback is reached."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        **setup.environment,
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            setup.command,
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return log.read_text(encoding="utf-8", errors="replace")
