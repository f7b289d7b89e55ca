import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from yibu.kit.logs import bind_request, configure, get_logger, hide_secrets, redact


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The rest of the suite keeps its own logging."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_is_json_on_stderr_with_the_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    """Event, level, time, values and the request's id stand on one line."""
    configure("info", json=True)
    bind_request("req_1", route="/v1/chat")
    get_logger(part="relay").info("call_closed", status=200, name="模型")
    (line,) = lines(capsys)

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "call_closed",
        "level": "info",
        "request_id": "req_1",
        "route": "/v1/chat",
        "part": "relay",
        "status": 200,
        "name": "模型",
    }


def test_events_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    """The level holds for our lines and for those of libraries."""
    configure("warning", json=True)
    get_logger().info("quiet")
    logging.getLogger("lib").info("quiet")
    get_logger().warning("loud")
    logging.getLogger("lib").warning("loud %s", "too")

    assert [line["event"] for line in lines(capsys)] == ["loud", "loud too"]


def test_the_next_request_forgets_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    """Binding a request drops what an earlier one had bound."""
    configure("info", json=True)
    bind_request("req_1", channel="a")
    bind_request("req_2")
    get_logger().info("x")
    (line,) = lines(capsys)

    assert line["request_id"] == "req_2"
    assert "channel" not in line


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("key sk-yb-0123456789abcdef is wrong", "key [hidden] is wrong"),
        ("sk-proj-AbC_123-xyz9876", "[hidden]"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [hidden]"),
        ("bearer  eyJhbGciOi.eyJzdWIi.c2ln", "bearer  [hidden]"),
        ("Basic dXNlcjpwYXNz", "Basic [hidden]"),
        ("GET /v1beta/models?key=AIzaSyA123&alt=sse", "GET /v1beta/models?key=[hidden]&alt=sse"),
        ("https://x.test/?a=1&api_key=abc#f", "https://x.test/?a=1&api_key=[hidden]#f"),
        ("postgresql://yibu:hunter2@127.0.0.1/yibu", "postgresql://yibu:[hidden]@127.0.0.1/yibu"),
        ("AIzaSyA1234567890abcdef", "[hidden]"),
        ("password=hunter2 and more", "password=[hidden] and more"),
    ],
)
def test_secrets_in_texts_are_hidden(text: str, hidden: str) -> None:
    """Keys, bearer tokens and passwords go, the words around them stay."""
    assert hide_secrets(f" {text}") == f" {hidden}"


@pytest.mark.parametrize(
    "text",
    [
        "task-1234567890abc",
        "risk-assessment-report",
        "https://x.test/a?model=gpt&n=1",
        "a=b",
        "mail@example.com",
        "ask",
    ],
)
def test_ordinary_texts_stay(text: str) -> None:
    """Words that merely resemble a key are left alone."""
    assert hide_secrets(text) == text


def test_secrets_are_found_at_any_depth() -> None:
    """Keys of mappings, pairs of headers, texts in lists, bytes and exceptions are all looked at; counts stay."""
    event = {
        "event": "x",
        "Authorization": "anything",
        "headers": [("X-Api-Key", "abc"), (b"authorization", b"abc"), ("accept", "*/*")],
        "body": {"password": "p", "deep": [{"client_secret": "s"}, "sk-0123456789abc"]},
        "raw": b"Bearer abcdefgh",
        "error": ValueError("wrong key sk-0123456789abc"),
        "api_key": None,
        "completion_tokens": 12,
        "max_tokens": 5,
    }

    assert redact(None, "info", event) == {
        "event": "x",
        "Authorization": "[hidden]",
        "headers": [["X-Api-Key", "[hidden]"], ["authorization", "[hidden]"], ["accept", "*/*"]],
        "body": {"password": "[hidden]", "deep": [{"client_secret": "[hidden]"}, "[hidden]"]},
        "raw": "Bearer [hidden]",
        "error": "wrong key [hidden]",
        "api_key": None,
        "completion_tokens": 12,
        "max_tokens": 5,
    }


def test_a_traceback_hides_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """The text of an exception is written without the key that is in it."""
    configure("info", json=True)
    try:
        raise ValueError("upstream said: wrong key sk-0123456789abcdef")
    except ValueError:
        get_logger().exception("call_failed")
    logging.getLogger("lib").error("see %s", "Bearer abcdefghijk")
    ours, theirs = lines(capsys)

    assert "ValueError: upstream said: wrong key [hidden]" in ours["exception"]
    assert theirs["event"] == "see Bearer [hidden]"


def test_odd_values_do_not_break_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is logged becomes a line: numbers as keys, infinity, objects, broken text."""
    configure("info", json=True)
    get_logger().info("odd", a={1: float("inf"), None: object}, b=b"\xff", c="\ud800", d=2**70)
    (line,) = lines(capsys)

    assert line["event"] == "odd"


def test_a_value_that_contains_itself_ends() -> None:
    """Very deep values are cut instead of followed."""
    loop: list[Any] = []
    loop.append(loop)

    assert "[too deep]" in str(redact(None, "info", {"event": "x", "loop": loop}))


def test_people_get_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Without JSON the line is for reading, and as free of secrets."""
    configure("info", json=False)
    get_logger().info("started", token="abc", port=8000)
    text = capsys.readouterr().err

    assert "started" in text
    assert "port" in text
    assert "abc" not in text
