"""What time it is, asked through one object so that a test can say what time it is."""

import time
from datetime import UTC, datetime


class Clock:
    """The machine's clock. `clock` below is the one to use; tests hand in a `FixedClock` instead."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 in UTC; may jump when the machine's time is set."""
        return time.time_ns() // 1_000_000

    def now_s(self) -> int:
        """Whole seconds since 1970 in UTC, rounded down, as most wire formats carry them."""
        return time.time_ns() // 1_000_000_000

    def now(self) -> datetime:
        """The same instant as an aware UTC datetime, to the millisecond."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def monotonic_s(self) -> float:
        """Seconds on a scale that never jumps; only differences mean something."""
        return time.monotonic()


class FixedClock(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self, at_ms: int = 1_767_225_600_000) -> None:
        """`at_ms`: milliseconds since 1970, by default the first instant of 2026 in UTC."""
        self._at_ms = at_ms
        self._monotonic_ms = 0

    def now_ms(self) -> int:
        return self._at_ms

    def now_s(self) -> int:
        return self._at_ms // 1000

    def monotonic_s(self) -> float:
        return self._monotonic_ms / 1000

    def move(self, by_ms: int) -> None:
        """Lets `by_ms` milliseconds pass on both scales."""
        self._at_ms += by_ms
        self._monotonic_ms += by_ms


clock = Clock()
