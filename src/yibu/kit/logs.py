"""Logging: one structured line an event on stderr, with the request id, and never a secret.

`configure` once at the start, then `log = get_logger()` in a module and `log.info("what_happened", key=value)`.
`bind_request(id)` puts the id on every later line of the same task.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import msgspec
import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars
from structlog.typing import FilteringBoundLogger, Processor

Level = Literal["debug", "info", "warning", "error", "critical"]

HIDDEN = "[hidden]"

_SECRET_KEYS = frozenset(
    (
        "authorization",
        "proxy_authorization",
        "cookie",
        "set_cookie",
        "api_key",
        "apikey",
        "token",
        "secret",
        "password",
        "passphrase",
        "private_key",
    )
)
_SECRET_ENDINGS = ("_secret", "_password", "_api_key", "_token")
# `tokens` of a model are counts and end otherwise; so `token` and `…_token` may be hidden whatever they hold.
_SECRET_TEXT = re.compile(
    r"""(?xi)
      (?P<scheme> \b(?:bearer|basic) \s+ ) [A-Za-z0-9._~+/=-]{6,}
    | \b(?:sk|rk|pk|xai|gsk|hf|ghp|AIza)(?=[-_A-Z0-9])[A-Za-z0-9_-]{10,}
    | (?P<name> [?&;\s"'](?:key|api[_-]?key|access[_-]?token|token|secret|password|signature|sig)=) [^&\s"'\#]+
    | (?P<userinfo> \b[a-z][a-z0-9+.-]*:// [^/\s:@]* : ) [^/\s@]+ (?=@)
    """
)
# Looking for one of these first costs a tenth of the expression, and most values have none.
_HINTS = ("sk-", "sk_", "rk-", "pk-", "xai-", "gsk_", "hf_", "ghp_", "aiza", "bearer", "basic", "=", "@")
_MAX_DEPTH = 6


def configure(level: Level = "info", json: bool = True) -> None:
    """Sets up logging for the whole process, the standard library's included. `json`: for machines; else for people.

    Events below `level` cost less than a microsecond.
    """
    number = getattr(logging, level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if json:
        last: list[Processor] = [structlog.processors.format_exc_info, redact, _write_json]
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        last = [structlog.processors.format_exc_info, redact, renderer]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        context_class=dict,
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_record, *last])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # It tells what it is about to do, three lines at each start; `yibu migrate` says what came of it.
    logging.getLogger("alembic").setLevel(max(number, logging.WARNING))


def get_logger(**values: object) -> FilteringBoundLogger:
    """A logger that puts `values` on each of its lines."""
    logger: FilteringBoundLogger = structlog.get_logger(**values)
    return logger


def bind_request(request_id: str, **values: object) -> None:
    """From now on every line of this task, and of the tasks that it starts, carries these. Forgets earlier ones."""
    clear_contextvars()
    bind_contextvars(request_id=request_id, **values)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: hides what looks like a secret, by its key or by its value, at any depth.

    `event`: keys to any values, as structlog hands them on; it is not changed. What comes out can be written as JSON.
    """
    return {key: HIDDEN if _names_secret(key) and value else _hide(value, 0) for key, value in event.items()}


def hide_secrets(text: str) -> str:
    """`text` with keys, bearer tokens and passwords in URLs replaced by `[hidden]`."""
    folded = text.lower()
    if not any(hint in folded for hint in _HINTS):
        return text
    return _SECRET_TEXT.sub(_hide_match, text)


def _hide_match(match: re.Match[str]) -> str:
    kept = match["scheme"] or match["name"] or match["userinfo"] or ""
    return f"{kept}{HIDDEN}"


def _hide(value: object, depth: int) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return hide_secrets(value)
    if depth >= _MAX_DEPTH:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN if _names_secret(str(key)) and inner else _hide(inner, depth + 1)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_hide_item(item, depth + 1) for item in value]
    # Bytes, exceptions, URLs, structs: the line would carry their text, so that is what is looked at.
    return hide_secrets(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _hide_item(item: object, depth: int) -> object:
    # Headers often come as pairs.
    if isinstance(item, tuple | list) and len(item) == 2:
        name = item[0].decode("latin-1") if isinstance(item[0], bytes) else item[0]
        if isinstance(name, str) and _names_secret(name):
            return [name, HIDDEN]
    return _hide(item, depth)


def _names_secret(key: str) -> bool:
    name = key.lower().replace("-", "_")
    return name in _SECRET_KEYS or name.endswith(_SECRET_ENDINGS)


def _write_json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    try:
        return msgspec.json.encode(event).decode()
    except (UnicodeEncodeError, OverflowError):  # half a surrogate pair, an endless integer: rare, and slower
        return json.dumps(event)


def _drop_record(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event
