"""The figures of a run: taken, brought to medians, printed."""

import time
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypedDict, TypeVar, cast

from bench import stand
from bench.load import Result
from bench.stand import OTHER_PATH, PATH, Server, body, other_body

FEW, MANY = 10, 110
"""Frames of two streams whose difference is what frames cost; the call itself falls out of it."""
BURST = 2000


class Size(NamedTuple):
    """How much is done. `rounds`: servers take turns so often, and the median of the rounds counts."""

    rounds: int
    alone: int
    crowd: int
    streams: int
    held: int
    flat_s: float


WHOLE = Size(rounds=5, alone=1500, crowd=5000, streams=192, held=1000, flat_s=20.0)
QUICK = Size(rounds=1, alone=500, crowd=2000, streams=96, held=1000, flat_s=5.0)


class Load(TypedDict):
    """Of one server, in microseconds except `calls_a_second` and `reads_a_frame` (packets in which a frame came)."""

    cpu_1: float
    cpu_32: float
    calls_a_second: float
    p50_1: float
    p99_1: float
    p50_32: float
    p99_32: float
    frame: float
    reads_a_frame: float
    frame_in_burst: float


class Translated(TypedDict):
    """Of the gateway, in microseconds: the client speaks Anthropic Messages, the upstream OpenAI Chat."""

    cpu_32: float
    frame: float


class Memory(TypedDict):
    """In MB. `idle`: after the start and one call; `open`: with the streams open; `later`: some seconds later."""

    idle: float
    before: float
    open: float
    later: float
    after: float
    streams: int
    seconds: float


def take_load(server: Server, size: Size) -> Load:
    """One round."""
    alone, cpu_1 = _run(server, body(), 1, size.alone)
    crowd, cpu_32 = _run(server, body(), 32, size.crowd)
    few, cpu_few = _run(server, body("fixed-paced", frames=FEW), 32, size.streams * 2)
    many, cpu_many = _run(server, body("fixed-paced", frames=MANY), 32, size.streams)
    _, cpu_burst = _run(server, body(frames=BURST), 8, size.streams)
    return Load(
        cpu_1=cpu_1,
        cpu_32=cpu_32,
        calls_a_second=crowd["calls"] / crowd["seconds"],
        p50_1=alone["p50_us"],
        p99_1=alone["p99_us"],
        p50_32=crowd["p50_us"],
        p99_32=crowd["p99_us"],
        frame=(cpu_many - cpu_few) / (MANY - FEW),
        reads_a_frame=(many["reads"] + few["reads"]) / (many["frames"] + few["frames"]),
        frame_in_burst=cpu_burst / BURST,
    )


def take_translated(server: Server, size: Size) -> Translated:
    """One round of calls that are translated."""
    _, cpu_32 = _run(server, other_body(), 32, size.crowd, OTHER_PATH)
    _, cpu_few = _run(server, other_body("fixed-paced", frames=FEW), 32, size.streams * 2, OTHER_PATH)
    _, cpu_many = _run(server, other_body("fixed-paced", frames=MANY), 32, size.streams, OTHER_PATH)
    return Translated(cpu_32=cpu_32, frame=(cpu_many - cpu_few) / (MANY - FEW))


F = TypeVar("F", Load, Translated)


def in_the_middle(rounds: list[F]) -> F:
    """The median of every figure."""
    return cast(F, {name: median(cast(dict[str, float], one)[name] for one in rounds) for name in rounds[0]})


def take_memory(server: Server, size: Size, idle_mb: float) -> Memory:
    """Opens streams that get a frame a second, and looks twice."""
    before = server.process.rss_mb()
    load, _ = stand.hold_streams(server, size.held)
    with load:
        time.sleep(2)
        at_first = server.process.rss_mb()
        time.sleep(size.flat_s)
        later = server.process.rss_mb()
        load.write_line()
        load.read_line()
    time.sleep(1)
    return Memory(
        idle=idle_mb,
        before=before,
        open=at_first,
        later=later,
        after=server.process.rss_mb(),
        streams=size.held,
        seconds=size.flat_s,
    )


def _run(server: Server, request: str, connections: int, calls: int, path: str = PATH) -> tuple[Result, float]:
    return stand.run_load(server, request, connections=connections, calls=calls, seconds=30, path=path)


def memory_of(upstream: Server, folder: Path, size: Size) -> tuple[Memory, float]:
    """Of a gateway that has done nothing else; and how long it took to start."""
    gateway = stand.start_gateway(upstream, folder)
    with gateway.process:
        time.sleep(1)
        return take_memory(gateway, size, gateway.process.rss_mb()), gateway.took_s
