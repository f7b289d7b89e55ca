"""Bad days on demand, as a client sees them."""

import time
from typing import Any

import openai
import pytest

from yibu.sandbox.behaviours import Manner, manner_of


def ask(client: openai.OpenAI, model: str, **more: Any) -> Any:
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "count to 9"}], **more)


def collect(stream: Any, texts: list[str]) -> None:
    for chunk in stream:
        texts.append(chunk.choices[0].delta.content)


def test_slow_takes_its_time(client: openai.OpenAI) -> None:
    """The first byte waits, then each piece waits."""
    started = time.monotonic()
    stream = ask(client, "sandbox/slow-300ms-20ms", stream=True)
    next(iter(stream))
    first = time.monotonic() - started
    list(stream)

    assert 0.3 <= first < 3
    assert time.monotonic() - started >= 0.3 + 9 * 0.02


def test_slow_has_numbers_in_its_name() -> None:
    """Without the second number a piece waits a tenth of the first byte's time."""
    assert manner_of("sandbox/slow-500ms") == Manner(first_byte_s=0.5, piece_s=0.05)
    assert manner_of("sandbox/slow-xms") is None


def test_stall_falls_silent(client: openai.OpenAI) -> None:
    """A few pieces come, then nothing."""
    texts: list[str] = []
    with pytest.raises(openai.APITimeoutError):
        collect(ask(client.with_options(timeout=0.4), "sandbox/stall", stream=True), texts)

    assert "".join(texts) == "1 2 3"


def test_busy_says_when_to_come_back(client: openai.OpenAI) -> None:
    """429 with retry-after."""
    with pytest.raises(openai.RateLimitError) as caught:
        ask(client, "sandbox/busy-429")

    assert caught.value.response.headers["retry-after"] == "1"
    assert caught.value.code == "rate_limit_exceeded"


def test_error_500(client: openai.OpenAI) -> None:
    """A 500 in OpenAI's shape."""
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, "sandbox/error-500")

    assert (caught.value.type, caught.value.code) == ("server_error", "internal_error")


def test_html_is_a_gateways_error_page(client: openai.OpenAI) -> None:
    """A 502 that is not JSON."""
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, "sandbox/html", stream=True)

    assert caught.value.status_code == 502
    assert caught.value.response.headers["content-type"] == "text/html"


def test_cut_drops_the_stream(client: openai.OpenAI) -> None:
    """The connection breaks after three pieces, without [DONE]."""
    texts: list[str] = []
    with pytest.raises(openai.APIConnectionError):
        collect(ask(client, "sandbox/cut-mid-stream", stream=True), texts)

    assert "".join(texts) == "1 2 3"


def test_cut_drops_a_whole_answer(client: openai.OpenAI) -> None:
    """The body ends before its content-length."""
    with pytest.raises(openai.APIConnectionError):
        ask(client, "sandbox/cut-mid-stream")


@pytest.mark.parametrize("stream", [True, False])
def test_bad_json_is_not_json(client: openai.OpenAI, stream: bool) -> None:
    """A frame, or the body, cannot be parsed."""
    with pytest.raises(ValueError):
        list(ask(client, "sandbox/bad-json", stream=stream))


def test_no_usage_never_reports(client: openai.OpenAI) -> None:
    """Neither the body nor the stream that asks for it carries usage."""
    chunks = list(ask(client, "sandbox/no-usage", stream=True, stream_options={"include_usage": True}))

    assert ask(client, "sandbox/no-usage").usage is None
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


def test_wrong_length_reports_absurd_usage(client: openai.OpenAI) -> None:
    """The numbers are ones that no request can have."""
    usage = ask(client, "sandbox/wrong-length").usage

    assert (usage.prompt_tokens, usage.completion_tokens) == (999_999_999, -5)
