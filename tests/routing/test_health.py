import pytest

from tests.routing.shop import health
from yibu.hub.errors import Absent, Broken, Busy, Denied, Late, Refused, UpstreamError
from yibu.kit.clock import FixedClock
from yibu.routing.health import Health


def test_a_busy_credential_rests_as_long_as_the_vendor_says() -> None:
    """For that model; the others of its channel do not, and nor does the same number at another channel."""
    seen, clock = health()
    seen.failed("a", 0, "m", Busy(retry_after_s=20))

    assert seen.is_resting("a", 0, "m")
    assert seen.rest_s("a", 0, "m") == 20
    assert not seen.is_resting("a", 0, "n")
    assert not seen.is_resting("a", 1, "m")
    assert not seen.is_resting("b", 0, "m")
    clock.move(20_000)
    assert not seen.is_resting("a", 0, "m")
    assert seen.rest_s("a", 0, "m") == 0


def test_a_busy_credential_rests_five_seconds_when_the_vendor_does_not_say() -> None:
    seen, clock = health()
    seen.failed("a", 0, "m", Busy())
    clock.move(4_999)

    assert seen.is_resting("a", 0, "m")
    clock.move(1)
    assert not seen.is_resting("a", 0, "m")


def test_a_credential_that_was_not_accepted_is_parked() -> None:
    """For five minutes; its channel goes on with the others and stays healthy."""
    seen, clock = health()
    seen.failed("a", 1, "m", Denied())
    clock.move(299_999)

    assert seen.is_resting("a", 1, "m")
    assert seen.is_resting("a", 1, "n")
    assert not seen.is_open("a")
    assert seen.score("a") == 1
    clock.move(1)
    assert not seen.is_resting("a", 1, "m")


def test_a_model_that_the_vendor_does_not_know_is_absent_for_a_while() -> None:
    """Only that model, only at that channel."""
    seen, clock = health()
    seen.failed("a", 0, "m", Absent())

    assert seen.is_absent("a", "m")
    assert not seen.is_absent("a", "n")
    assert not seen.is_absent("b", "m")
    assert not seen.is_resting("a", 0, "m")
    clock.move(300_000)
    assert not seen.is_absent("a", "m")


@pytest.mark.parametrize("error", [Broken(), Late()])
def test_five_failures_in_a_row_open_the_circuit(error: UpstreamError) -> None:
    """For fifteen seconds; then one more failure opens it again at once."""
    seen, clock = health()
    for _ in range(4):
        seen.failed("a", 0, "m", error)
    assert not seen.is_open("a")
    seen.failed("a", 0, "m", error)

    assert seen.is_open("a")
    assert not seen.is_open("b")
    clock.move(15_000)
    assert not seen.is_open("a")
    seen.failed("a", 0, "m", error)
    assert seen.is_open("a")


def resting() -> tuple[Health, FixedClock]:
    """A channel `a` whose rest is just over."""
    seen, clock = health()
    for _ in range(5):
        seen.failed("a", 0, "m", Broken())
    clock.move(15_000)
    return seen, clock


def test_after_its_rest_one_call_tries_a_channel() -> None:
    """The others keep away until that one is back; its answer lets them in, its failure sends the channel to rest again."""
    seen, clock = resting()

    assert seen.begin("a")
    assert seen.is_open("a")
    assert not seen.begin("a")
    seen.failed("a", 0, "m", Late())
    seen.leave("a")
    assert seen.is_open("a")
    clock.move(15_000)
    assert not seen.is_open("a")
    assert seen.begin("a")
    seen.served("a")
    assert not seen.is_open("a")
    assert not seen.begin("a")


def test_a_channel_that_rests_or_is_well_is_not_probed() -> None:
    seen, _ = health()
    assert not seen.begin("a")
    for _ in range(5):
        seen.failed("a", 0, "m", Broken())

    assert not seen.begin("a")


def test_a_call_that_never_asked_leaves_it_to_the_next() -> None:
    """Its customer could not pay, or was gone."""
    seen, _ = resting()
    seen.begin("a")
    seen.leave("a")

    assert not seen.is_open("a")
    assert seen.begin("a")


def test_a_probe_that_takes_long_is_joined_by_another() -> None:
    """A stream may run for an hour; the channel does not wait for its end."""
    seen, clock = resting()
    seen.begin("a")
    clock.move(15_000)

    assert not seen.is_open("a")
    assert seen.begin("a")


@pytest.mark.parametrize("answer", ["served", "refused"])
def test_an_answer_closes_the_circuit(answer: str) -> None:
    """A refusal of the request is an answer, too: the channel works."""
    seen, clock = health()
    for _ in range(5):
        seen.failed("a", 0, "m", Broken())
    clock.move(15_000)
    if answer == "served":
        seen.served("a")
    else:
        seen.failed("a", 0, "m", Refused())
    for _ in range(4):
        seen.failed("a", 0, "m", Broken())

    assert not seen.is_open("a")


def test_the_score_falls_with_failures_and_comes_back() -> None:
    """Between 0 and 1, and never quite at either after a failure."""
    seen, _ = health()
    scores = []
    for _ in range(50):
        seen.failed("a", 0, "m", Broken())
        scores.append(seen.score("a"))

    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(0.8)
    assert 0 <= scores[-1] < 0.01
    for _ in range(50):
        seen.served("a")
    assert 0.99 < seen.score("a") <= 1


def test_haste_and_accounts_are_not_failures() -> None:
    """They rest a credential and say nothing of the channel's health."""
    seen, _ = health()
    for error in (Busy(), Denied(), Absent(), Refused()) * 3:
        seen.failed("a", 0, "m", error)

    assert seen.score("a") == 1
    assert not seen.is_open("a")
