"""`python -m yibu.sandbox --port N --data-dir D [--die-with-stdin]`.

Prints `ready http://HOST:PORT` on stdout when it serves, and a line per engine on stderr. The environment variable
`YIBU_SANDBOX_TOKEN` is the key that requests must carry; without it every request is served.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from yibu.sandbox.serve import serve

GRACE_S = 5.0  # after this long a stop that hangs becomes an exit


def main(words: list[str] | None = None) -> int:
    """Run until a signal, or until stdin ends with --die-with-stdin. Gives the exit code."""
    options = _options(words)
    try:
        asyncio.run(_run(options))
    except OSError as exc:
        print(f"sandbox: cannot listen on {options.host}:{options.port}: {exc}", file=sys.stderr)
        return 1
    return 0


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m yibu.sandbox", description="An AI vendor on loopback.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0 picks a free port")
    parser.add_argument("--data-dir", type=Path, default=Path("sandbox-data"), help="where film jobs are kept")
    parser.add_argument("--die-with-stdin", action="store_true", help="end when stdin ends")
    return parser.parse_args(words)


async def _run(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if options.die_with_stdin:
        threading.Thread(target=_watch_stdin, args=(lambda: loop.call_soon_threadsafe(ended.set),), daemon=True).start()
    token = os.environ.get("YIBU_SANDBOX_TOKEN") or None
    serving = asyncio.create_task(serve(options.host, options.port, token, options.data_dir, _say_ready))
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving  # shows why
    _exit_after(GRACE_S)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def _say_ready(address: str) -> None:
    print(f"ready {address}", flush=True)


def _watch_stdin(end: Callable[[], object]) -> None:
    while os.read(0, 4096):
        pass
    end()
    _exit_after(GRACE_S)


def _exit_after(seconds: float) -> None:
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    sys.exit(main())
