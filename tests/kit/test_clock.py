from datetime import UTC, datetime

from yibu.kit.clock import FixedClock, clock


def test_the_units_agree() -> None:
    """Seconds, milliseconds and the datetime name the same instant."""
    fixed = FixedClock(at_ms=1_767_225_600_750)

    assert fixed.now_s() == 1_767_225_600
    assert fixed.now() == datetime(2026, 1, 1, 0, 0, 0, 750_000, tzinfo=UTC)


def test_a_fixed_clock_moves_only_when_told() -> None:
    """Both scales of a fixed clock move together, and only by `move`."""
    fixed = FixedClock()
    before_ms, before_s = fixed.now_ms(), fixed.monotonic_s()
    fixed.move(1500)

    assert fixed.now_ms() - before_ms == 1500
    assert fixed.monotonic_s() - before_s == 1.5


def test_the_real_clock_tells_today() -> None:
    """The process's clock counts milliseconds since 1970 in UTC."""
    assert abs(clock.now_ms() - datetime.now(UTC).timestamp() * 1000) < 5000
    assert clock.monotonic_s() <= clock.monotonic_s()
