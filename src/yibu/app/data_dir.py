"""The data directory: made for its owner alone, served by one process at a time."""

import fcntl
import os
import re
import stat
from pathlib import Path
from types import TracebackType

import structlog

log = structlog.get_logger(__name__)

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OURS = re.compile(r"yibu\.db.*|blobs|link-secret|serve\.lock|sandbox|[\w.-]+\.toml|lost\+found")
"""What a data directory may hold; an operator's configuration may lie beside it."""


class DataDirUnusable(RuntimeError):
    """The data directory cannot be made or written."""


def prepare(data_dir: Path) -> None:
    """Makes it, readable by its owner alone: it holds balances and secrets. Raises `DataDirUnusable`."""
    remedy = "Choose another with --data-dir, or as `data_dir` in the configuration."
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as exc:
        raise DataDirUnusable(f"The data directory {data_dir} cannot be made: {exc.strerror}. {remedy}") from exc
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise DataDirUnusable(f"The data directory {data_dir} is not writable for this user. {remedy}")


def tighten(data_dir: Path) -> None:
    """Takes away what others may do in a directory that was there before us; says so when that cannot be done.

    One that holds other things as well keeps its mode: it may be `/srv`, or a directory of the system.
    """
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if not mode & OTHERS:
        return
    about = {"data_dir": str(data_dir), "mode": f"{mode:04o}", "remedy": "keep others out yourself: chmod 700"}
    if strangers := sorted(entry.name for entry in data_dir.iterdir() if not OURS.fullmatch(entry.name)):
        log.warning("data_dir_open_to_others", why=f"it also holds {strangers[0]}", **about)
        return
    try:
        data_dir.chmod(mode & ~OTHERS)
    except OSError as exc:
        log.warning("data_dir_open_to_others", why=str(exc.strerror), **about)


class AlreadyServed(RuntimeError):
    """Another process serves this data directory."""


class DataLock:
    """Held while the process lives; the kernel gives it up whatever way the process ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "serve.lock"

    def __enter__(self) -> None:
        """Raises `AlreadyServed`."""
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            self._file.close()
            directory = self._path.parent
            raise AlreadyServed(
                f"Another `yibu serve` runs on {directory}. Stop it, or choose another --data-dir."
            ) from exc

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
