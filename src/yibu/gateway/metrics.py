"""Figures for the operator's dashboards, in Prometheus' format."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """One registry a house, so that several can live in one process (as in tests)."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        calls = Counter(
            "yibu_calls",
            "Calls by operation, channel and status.",
            ("operation", "channel", "status"),
            registry=self._registry,
        )
        cost = Counter("yibu_cost_units", "Charged, in units of currency.", ("channel",), registry=self._registry)
        # Found once for all: looking for a child takes longer than counting with it.
        self.calls = cache(calls.labels)
        self._cost = cache(cost.labels)
        self.first_byte = Histogram(
            "yibu_first_byte_seconds", "Until the first byte of the answer.", registry=self._registry, buckets=SECONDS
        )
        self.open = Gauge("yibu_open_calls", "Calls under way.", registry=self._registry)

    def charged(self, channel: str, nanos: int) -> None:
        """Of a call when it is answered, of a film when it is done."""
        if nanos:
            self._cost(channel).inc(nanos / 1e9)

    def render(self) -> bytes:
        return generate_latest(self._registry)
