import re
import time

from hypothesis import given
from hypothesis import strategies as st

from yibu.kit.ids import ALPHABET, first_number_at, new_id, new_number, new_secret, now_ms
from yibu.kit.money import from_units, in_units


def test_ids_look_like_this() -> None:
    """A prefix and 26 characters of Crockford's base32 in lower case; the first ten are the time."""
    made = new_id("task")

    assert re.fullmatch(rf"task_[0-7][{ALPHABET}]{{25}}", made)
    milliseconds = 0
    for character in made[5:15]:
        milliseconds = milliseconds * 32 + ALPHABET.index(character)
    assert abs(milliseconds - time.time() * 1000) < 5_000


def test_ids_rise() -> None:
    """Ids of one process sort in the order they were made, and none comes twice."""
    made = [new_id("a") for _ in range(5_000)]

    assert made == sorted(set(made))


def test_numbers_rise() -> None:
    """Row numbers fit into 63 bits, rise, and stand above the border of their time."""
    border = first_number_at(now_ms())
    made = [new_number() for _ in range(5_000)]

    assert made == sorted(set(made))
    assert border <= made[0]
    assert made[-1] < first_number_at(now_ms() + 2_000) < 2**63


def test_secrets() -> None:
    """160 random bits in 32 characters, no sign but letters and digits among them."""
    made = {new_secret("sk-yb-") for _ in range(500)}

    assert len(made) == 500
    assert all(re.fullmatch(rf"sk-yb-[{ALPHABET}]{{32}}", secret) for secret in made)


@given(st.integers(-(2**63), 2**63))
def test_money_is_read_as_it_was_written(amount: int) -> None:
    """Units and nanos say the same amount, exactly."""
    assert from_units(in_units(amount)) == amount
