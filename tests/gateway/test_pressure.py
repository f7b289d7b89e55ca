"""What one caller sends must not take the gateway away from the others, and never becomes a 500."""

import time
from collections.abc import Iterator

import msgspec
import pytest

from tests.relay.talk import assistant, talk, user
from yibu.dialects.openai_chat.errors import decode_error
from yibu.hub.errors import Refused
from yibu.relay.film_wish import LONGEST_PROMPT, MOST_EARLIER, understand

PATIENCE_S = 3.0
"""Of CPU: a hundred times what is needed, and a tenth of what the square of the length would take."""


@pytest.fixture(autouse=True)
def in_no_time() -> Iterator[None]:
    """Everything here is done within a moment."""
    started = time.process_time()
    yield
    assert time.process_time() - started < PATIENCE_S


@pytest.mark.parametrize("words", ["a." * 30_000, "a" * 60_000, "sk-" * 20_000, "http://" * 9_000])
def test_a_vendor_that_repeats_a_long_prompt_stops_nobody(words: str) -> None:
    """Its sentence is cut before addresses are looked for in it."""
    body = msgspec.json.encode({"error": {"message": words, "param": words, "type": "invalid_request_error"}})

    error = decode_error(400, {}, body)

    assert isinstance(error, Refused)
    assert len(error.message) <= 1000
    assert error.param is None


@pytest.mark.parametrize("words", ["http://" * 60_000, "/file_a" * 60_000, "sid: " * 60_000, "task_" * 60_000])
def test_a_forged_answer_stops_nobody(words: str) -> None:
    """Whatever stands in an earlier answer, looking for films in it takes time in proportion to its length."""
    assert len(understand(talk(user("a"), assistant(words), user("b"))).parents) <= 1


def test_a_forged_answer_names_few_films() -> None:
    """Each name is a look into the database, so only the newest count."""
    named = [f"{number:05}" for number in range(50_000)]
    forged = " ".join(f"sid: s_{name}" for name in named)

    parents = understand(talk(user("a"), assistant(forged), user("b"))).parents

    assert parents == tuple(reversed(named[-MOST_EARLIER:]))


def test_earlier_words_do_not_make_a_description_too_long() -> None:
    """The newest of them count, as many as a description may have."""
    request = talk(user("oldest"), user("x" * LONGEST_PROMPT), assistant("?"), user("newest"), user("now"))

    assert understand(request).history == "newest"
