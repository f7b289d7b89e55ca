"""Which handler a path belongs to. The paths themselves are declared by the dialects; here they are only collected.

Whatever base URL a person typed works: repeated and trailing slashes, a missing or doubled `/v1`, a path that a tool
appended to an address which already had it, the version of another family of tools, the folder of another vendor.
"""

import re
from collections.abc import Iterable, Mapping

from yibu.dialects.dialect import Dialect, Route
from yibu.hub.errors import NotFound, WrongMethod

_SLASHES = re.compile(r"/{2,}")
_REPEATED = re.compile(r"(/[a-z0-9_]+(?:/[a-z0-9_]+)*?)\1+(?=/|$)")
MOST_FORGIVEN = 300
"""Longer paths are taken as they stand: looking for repetitions in them takes time that anybody could ask for."""
FOLDERS = ("/v1beta/openai", "/openai/v1", "/api/v1", "/v1", "/v1beta", "/openai", "/anthropic", "/api")
"""What the base URLs of other vendors end with, and what tools put in front of their own paths."""
VERSIONS = ("/v1", "/v1beta")
_PARAM = re.compile(r"\\\{(\w+)(:path)?\\\}")

Found = tuple[Dialect, Route, dict[str, str]]


class Routes:
    """Exact paths by look-up, the others by pattern, most specific (longest) first."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        pairs = [(dialect, route) for dialect in dialects for route in dialect.routes]
        self._exact: dict[tuple[str, str], tuple[Dialect, Route]] = {
            (r.method, r.path): (d, r) for d, r in pairs if "{" not in r.path
        }
        patterns = sorted(((d, r) for d, r in pairs if "{" in r.path), key=lambda pair: -len(pair[1].path))
        self._patterns = [(_pattern(route.path), dialect, route) for dialect, route in patterns]

    def find(self, method: str, path: str) -> Found:
        """Raises `NotFound`, or `WrongMethod` when the path exists for other methods."""
        exact = self._exact.get((method, path))
        if exact:
            return exact[0], exact[1], dict(exact[1].params)
        candidates = _readings(path)
        for candidate in candidates:
            if found := self._match(method, candidate):
                return found
        allowed = sorted({m for m in ("GET", "POST", "DELETE") for c in candidates if self._match(m, c)})
        if allowed:
            raise WrongMethod(f"{path} takes {' and '.join(allowed)}, not {method}.")
        raise NotFound(
            f"There is nothing at {method} {path}. The base URL for OpenAI tools ends with /v1; if yours does, "
            "this gateway does not have that call. Chat is at /v1/chat/completions."
        )

    def _match(self, method: str, path: str) -> Found | None:
        exact = self._exact.get((method, path))
        if exact:
            return exact[0], exact[1], dict(exact[1].params)
        for pattern, dialect, route in self._patterns:
            if route.method == method and (match := pattern.fullmatch(path)):
                return dialect, route, {**route.params, **match.groupdict()}
        return None


def tidy(path: str) -> str:
    """Without repeated and trailing slashes."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


def likely(path: str, headers: Mapping[str, str]) -> str:
    """The dialect in which whoever calls a path that is not there expects to be told so."""
    if "anthropic-version" in headers or "/messages" in path:
        return "anthropic"
    if "x-goog-api-key" in headers or _GOOGLE.search(path):
        return "gemini"
    return "openai_responses" if "/responses" in path else "openai_chat"


_GOOGLE = re.compile(r"/v1beta(?!/openai)|/models/[^/]+:\w+$")


def _readings(path: str) -> list[str]:
    """What the path may have meant, the literal reading first."""
    plain = tidy(path)
    if len(plain) > MOST_FORGIVEN:
        return [plain]
    once = _REPEATED.sub(r"\1", plain)
    read = [plain, once, *(version + one for version in VERSIONS for one in (plain, once))]
    for folder in FOLDERS:
        if once.startswith(f"{folder}/"):
            rest = once[len(folder) :]
            read += [rest, *(version + rest for version in VERSIONS)]
    return list(dict.fromkeys(read))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PARAM.sub(lambda m: f"(?P<{m[1]}>{'.+' if m[2] else '[^/]+'})", re.escape(path)))
