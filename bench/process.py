"""Processes under measurement: started on a core of their own, watched through /proc, and stopped."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
FILES = 8192
"""Open files that a process may have: 1,000 streams are 2,000 sockets."""


class Process:
    """A child, on one core; its stderr is ours."""

    def __init__(self, command: Sequence[str], core: int, *, cwd: Path | None = None) -> None:
        def settle_down() -> None:
            os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard) if hard > 0 else FILES, hard))

        self._command = " ".join(command)
        self._child = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=cwd,
            preexec_fn=settle_down,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def read_line(self) -> str:
        """The next line of its stdout. Raises `RuntimeError` when it ended instead."""
        line = _pipe(self._child.stdout).readline()
        if not line:
            raise RuntimeError(f"{self._command} ended with {self._child.wait()}")
        return line.strip()

    def write_line(self, line: str = "") -> None:
        pipe = _pipe(self._child.stdin)
        pipe.write(line + "\n")
        pipe.flush()

    def cpu_s(self) -> float:
        """Seconds of CPU that all its threads have used, in user and in kernel mode."""
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND

    def rss_mb(self) -> float:
        """Memory that it occupies now."""
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def stop(self) -> None:
        """Asks it to end, and insists after ten seconds."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            _pipe(pipe).close()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
