"""`python -m bench [--quick] [--json]`: what a call costs in the gateway, beside a bare relay on the same machine."""

import argparse
import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import carriers, stand
from bench.figures import QUICK, WHOLE, Load, Size, Translated, in_the_middle, memory_of, take_load, take_translated

BUDGETS = {
    "call": 300,
    "frame": 40,
    "call translated": 400,
    "frame translated": 60,
    "idle": 90,
    "streams": 40,
    "start": 2,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small round: about half a minute")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    wanted = parser.parse_args()
    figures = measure(QUICK if wanted.quick else WHOLE)
    print(json.dumps(figures, indent=2) if wanted.json else render(figures))


def measure(size: Size) -> dict[str, Any]:
    """All figures; microseconds of CPU and MB of memory, as the tables say."""
    # On a disk, not in memory: commits are part of what is measured.
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd())))
        for name in ("memory", "load"):
            (folder / name).mkdir()
        upstream = stand.start_upstream()
        stack.enter_context(upstream.process)
        _say("memory")
        memory, started_s = memory_of(upstream, folder / "memory", size)
        bare = stand.start_bare(upstream)
        stack.enter_context(bare.process)
        gateway = stand.start_gateway(upstream, folder / "load")
        stack.enter_context(gateway.process)
        servers = (upstream, bare, gateway)
        rounds: dict[str, list[Load]] = {server.name: [] for server in servers}
        translated: list[Translated] = []
        for number in range(size.rounds):
            _say(f"round {number + 1} of {size.rounds}")
            for server in servers:
                rounds[server.name].append(take_load(server, size))
            translated.append(take_translated(gateway, size))
    _say("carriers")
    return {
        "load": {name: in_the_middle(taken) for name, taken in rounds.items()},
        "translated": in_the_middle(translated),
        "rounds": rounds,
        "memory": memory,
        "start_s": {"gateway": started_s, "gateway again": gateway.took_s, "bare": bare.took_s},
        "carriers": carriers.measure(size.rounds),
    }


def render(figures: dict[str, Any]) -> str:
    """Tables for people."""
    direct, bare, ours = (figures["load"][name] for name in ("upstream", "bare", "gateway"))
    memory, carrier, other = figures["memory"], figures["carriers"], figures["translated"]
    call_more = carrier["translate"]["call_us"] - carrier["pipe"]["call_us"]
    frame_more = carrier["translate"]["frame_us"] - carrier["pipe"]["frame_us"]

    def cpu(what: str, member: str, budget: str = "") -> tuple[str, ...]:
        ratio = f"{ours[member] / bare[member]:.1f} ×"
        return what, f"{ours[member]:,.0f} µs", budget and f"{BUDGETS[budget]} µs", f"{bare[member]:,.0f} µs", ratio

    def added(what: str, member: str) -> tuple[str, ...]:
        mine, theirs = ours[member] - direct[member], bare[member] - direct[member]
        return what, f"{mine / 1000:,.2f} ms", "", f"{theirs / 1000:,.2f} ms", f"{mine / theirs:.1f} ×"

    rows = [
        ("", "gateway", "budget", "bare relay", "ratio"),
        cpu("CPU of a call, 32 at once", "cpu_32", "call"),
        cpu("CPU of a call, one at a time", "cpu_1"),
        cpu("CPU of a streamed frame", "frame", "frame"),
        cpu("CPU of a streamed frame, in bursts", "frame_in_burst"),
        (
            "calls a second, 32 at once",
            f"{ours['calls_a_second']:,.0f}",
            "",
            f"{bare['calls_a_second']:,.0f}",
            f"{ours['calls_a_second'] / bare['calls_a_second']:.2f} ×",
        ),
        added("added wait, one at a time, median", "p50_1"),
        added("added wait, one at a time, 99 of 100", "p99_1"),
        added("added wait, 32 at once, median", "p50_32"),
        added("added wait, 32 at once, 99 of 100", "p99_32"),
        ("CPU of a translated call, 32 at once", *_beside(other["cpu_32"], "call translated", bare["cpu_32"])),
        ("CPU of a translated frame", *_beside(other["frame"], "frame translated", bare["frame"])),
        ("the long way adds to a call of the same dialect", f"{call_more:,.0f} µs", "", "", ""),
        ("… and to a frame of it", f"{frame_more:,.1f} µs", "", "", ""),
        ("memory, idle", f"{memory['idle']:,.0f} MB", "90 MB", "", ""),
        (
            f"memory of {memory['streams']:,} open streams",
            f"+{memory['open'] - memory['before']:,.0f} MB",
            "+40 MB",
            "",
            "",
        ),
        (
            f"… {memory['seconds']:.0f} seconds later",
            f"+{memory['later'] - memory['before']:,.0f} MB",
            "the same",
            "",
            "",
        ),
        (
            "start to first answer",
            f"{figures['start_s']['gateway']:.1f} s",
            "2 s",
            f"{figures['start_s']['bare']:.1f} s",
            "",
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def _beside(ours: float, budget: str, bare: float) -> tuple[str, ...]:
    return f"{ours:,.0f} µs", f"{BUDGETS[budget]} µs", f"{bare:,.0f} µs", f"{ours / bare:.1f} ×"


def _say(what: str) -> None:
    print(f"· {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
