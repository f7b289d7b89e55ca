import pytest

from yibu.kit.clock import FixedClock
from yibu.kit.rates import Rates, TooMany


def test_the_window_moves() -> None:
    """A call passes as soon as the oldest of the last minute's calls is sixty seconds old."""
    clock = FixedClock()
    rates = Rates(clock)
    rates.admit("a", 2, None)
    clock.move(20_000)
    rates.admit("a", 2, None)
    clock.move(30_000)
    with pytest.raises(TooMany) as refused:
        rates.admit("a", 2, None)

    assert refused.value.what == "rpm"
    assert refused.value.retry_after_s == pytest.approx(10)
    clock.move(10_000)
    rates.admit("a", 2, None)
    with pytest.raises(TooMany) as refused:
        rates.admit("a", 2, None)
    assert refused.value.retry_after_s == pytest.approx(20)


def test_keys_do_not_share_a_limit() -> None:
    """One key at its limit leaves the others alone."""
    rates = Rates(FixedClock())
    rates.admit("a", 1, 1)

    rates.admit("b", 1, 1)


def test_concurrency_counts_running_calls() -> None:
    """A lease is free again when its ticket is released, and only once."""
    rates = Rates(FixedClock())
    first = rates.admit("a", None, 2)
    rates.admit("a", None, 2)
    with pytest.raises(TooMany) as refused:
        rates.admit("a", None, 2)
    first.release()
    first.release()

    assert refused.value.what == "concurrency"
    assert rates.running("a") == 1
    rates.admit("a", None, 2)
    with pytest.raises(TooMany):
        rates.admit("a", None, 2)


def test_a_refused_call_counts_nowhere() -> None:
    """Too many calls at once do not use up the minute, nor a full minute the leases."""
    rates = Rates(FixedClock())
    running = rates.admit("a", 2, 1)
    for _ in range(5):
        with pytest.raises(TooMany, match="concurrency"):
            rates.admit("a", 2, 1)
    running.release()
    rates.admit("a", 2, 1).release()
    with pytest.raises(TooMany, match="rpm"):
        rates.admit("a", 2, 1)

    assert rates.running("a") == 0


def test_a_lowered_limit_waits_long_enough() -> None:
    """After the limit was lowered, the waiting time covers all calls that must leave the window first."""
    clock = FixedClock()
    rates = Rates(clock)
    for _ in range(3):
        rates.admit("a", 3, None)
        clock.move(10_000)
    with pytest.raises(TooMany) as refused:
        rates.admit("a", 1, None)
    clock.move(int(refused.value.retry_after_s * 1000))

    rates.admit("a", 1, None)


def test_a_limit_of_zero_admits_nobody() -> None:
    """Zero means none, in both limits."""
    with pytest.raises(TooMany):
        Rates(FixedClock()).admit("a", 0, None)
    with pytest.raises(TooMany):
        Rates(FixedClock()).admit("a", None, 0)


def test_no_limits_cost_nothing() -> None:
    """Without limits nothing is remembered, and the ticket may be released all the same."""
    rates = Rates(FixedClock())
    rates.admit("a", None, None).release()

    assert rates.running("a") == 0


def test_silent_keys_are_forgotten() -> None:
    """Keys that come once do not stay in memory."""
    clock = FixedClock()
    rates = Rates(clock)
    for number in range(10_000):
        rates.admit(f"once-{number}", 1, None)
    clock.move(61_000)
    for number in range(10_000):
        rates.admit(f"later-{number}", 1, None)

    assert len(rates._windows) <= 10_001
