import time
from types import SimpleNamespace
from typing import cast

import pytest

from yibu.dialects import discover
from yibu.dialects.dialect import Dialect, Operation, Route
from yibu.gateway.routes import Routes, likely, tidy
from yibu.hub.errors import NotFound, WrongMethod

ROUTES = Routes(discover().values())
CHAT = "/v1/chat/completions"


def operation(method: str, path: str) -> Operation:
    return ROUTES.find(method, path)[1].operation


@pytest.mark.parametrize(
    "path",
    [
        CHAT,
        "/chat/completions",
        "/v1/chat/completions/",
        "//v1//chat///completions",
        "/v1/v1/chat/completions",
        "/v1/v1/v1/chat/completions",
        "/v1/chat/completions/chat/completions",
        "/v1/chat/completions/v1/chat/completions",
        "/chat/completions/chat/completions",
        "/v1//v1/chat/completions/",
        "/v1beta/openai/chat/completions",
        "/v1beta/openai/v1/chat/completions",
        "/openai/v1/chat/completions",
        "/openai/chat/completions",
        "/api/v1/chat/completions",
        "/v1beta/chat/completions",
    ],
)
def test_whatever_base_url_was_typed_the_call_arrives(path: str) -> None:
    """Tools append their own path to an address which may have it already."""
    assert operation("POST", path) is Operation.CHAT


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/models", Operation.LIST_MODELS),
        ("/v1/models/", Operation.LIST_MODELS),
        ("/v1/v1/models", Operation.LIST_MODELS),
        ("/v1/dashboard/billing/usage", Operation.SPENDING),
        ("/dashboard/billing/subscription", Operation.SUBSCRIPTION),
        ("/v1/v1/dashboard/billing/subscription", Operation.SUBSCRIPTION),
        ("/v1beta/openai/models", Operation.LIST_MODELS),
        ("/openai/v1/models", Operation.LIST_MODELS),
        ("/videos/task_1", Operation.SHOW_VIDEO),
        ("/v1/videos/task_1/content", Operation.VIDEO_CONTENT),
    ],
)
def test_the_other_routes_forgive_as_much(path: str, found: Operation) -> None:
    assert operation("GET", path) is found


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1/models/gpt-4o-mini", "gpt-4o-mini"),
        ("/v1/models/sandbox/slow-task", "sandbox/slow-task"),
        ("/models/a/b/c", "a/b/c"),
        ("/v1/models/same/same", "same/same"),
        ("/v1/models/v1/v1", "v1/v1"),
        ("/v1/models/模型", "模型"),
    ],
)
def test_the_name_of_a_model_may_have_slashes(path: str, model: str) -> None:
    """It is taken as it stands; a repetition in it is part of the name."""
    _, route, params = ROUTES.find("GET", path)

    assert route.operation is Operation.SHOW_MODEL
    assert params == {"model": model}


@pytest.mark.parametrize(
    ("path", "headers", "dialect"),
    [
        ("/v1/nonesuch", {}, "openai_chat"),
        ("/v1beta/openai/nonesuch", {}, "openai_chat"),
        ("/v1/messages/nonesuch", {}, "anthropic"),
        ("/v1/models/x", {"anthropic-version": "2023-06-01"}, "anthropic"),
        ("/v1beta/models/x:nonesuch", {}, "gemini"),
        ("/v1/models/x:nonesuch", {}, "gemini"),
        ("/v1/nonesuch", {"x-goog-api-key": "k"}, "gemini"),
        ("/v1/responses/x/nonesuch", {}, "openai_responses"),
    ],
)
def test_errors_are_told_in_the_dialect_that_was_meant(path: str, headers: dict[str, str], dialect: str) -> None:
    """Also where there is no route that could say so."""
    assert likely(path, headers) == dialect


def test_a_parameter_is_one_segment() -> None:
    assert ROUTES.find("GET", "/v1/videos/task_1")[2] == {"video": "task_1"}

    with pytest.raises(NotFound):
        ROUTES.find("GET", "/v1/videos/task_1/else")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/index.html", "/v1/chat", "/v2/chat/completions", "/v1/chat/completionsx", ""]
)
def test_an_unknown_path_is_an_error_with_advice(path: str) -> None:
    """Never a page that a tool takes for an answer."""
    with pytest.raises(NotFound, match="The base URL for OpenAI tools ends with /v1"):
        ROUTES.find("POST", path)


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", CHAT, "/v1/chat/completions takes POST, not GET."),
        ("DELETE", "/chat/completions", "/chat/completions takes POST, not DELETE."),
        ("POST", "/v1/models", "/v1/models takes GET, not POST."),
        ("PUT", "/v1/models/x", "/v1/models/x takes GET, not PUT."),
    ],
)
def test_a_wrong_method_is_told_the_right_one(method: str, path: str, words: str) -> None:
    with pytest.raises(WrongMethod) as wrong:
        ROUTES.find(method, path)
    assert str(wrong.value) == words


@pytest.mark.parametrize(
    "path",
    [
        "/" + "/".join(f"a{number}" for number in range(20_000)),
        "/a" * 30_000,
        "/" * 60_000,
        "/" + "a" * 60_000,
        "/v1" * 20_000 + "/chat/completions",
    ],
    ids=["segments", "repeated", "slashes", "letters", "versions"],
)
def test_a_long_path_is_refused_quickly(path: str) -> None:
    """Looking for repetitions must not be a way to keep the gateway busy; nobody needs a key for it."""
    started = time.perf_counter()
    with pytest.raises(NotFound):
        ROUTES.find("GET", path)

    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    ("path", "plain"),
    [("/", "/"), ("", "/"), ("///", "/"), ("/a//b/", "/a/b"), ("/a/b", "/a/b"), ("//healthz", "/healthz")],
)
def test_tidying_takes_slashes_away(path: str, plain: str) -> None:
    assert tidy(path) == plain


CALLED = [route.path for dialect in discover().values() for route in dialect.routes if route.method == "POST"]


@pytest.mark.parametrize("path", CALLED)
def test_every_call_forgives_what_people_type(path: str) -> None:
    """Doubled and missing versions, slashes too many, the whole path appended to itself."""
    path = path.replace("{model:path}", "m").replace("{model}", "m").replace("{response}", "r1")
    version, tail = path[: path.index("/", 1)], path[path.index("/", 1) :]
    wanted = found("POST", path)
    variants = [f"{path}/", f"/{path}", path.replace("/", "//"), version + path, version + version + path, path + path]
    if version in ("/v1", "/v1beta"):
        variants.append(tail)

    assert {variant: found("POST", variant) for variant in variants} == dict.fromkeys(variants, wanted)


def found(method: str, path: str) -> tuple[str, Operation, str | None]:
    """What is called; Google has it under two versions."""
    dialect, route, params = ROUTES.find(method, path)
    return dialect.id, route.operation, params.get("verb")


def test_every_declared_route_is_found() -> None:
    """At its own path, with its own method."""
    for dialect in discover().values():
        for route in dialect.routes:
            path = route.path.replace("{model:path}", "a/b").replace("{video}", "task_1")

            assert ROUTES.find(route.method, path)[:2] == (dialect, route)


def test_a_route_may_say_more_than_stands_in_its_path() -> None:
    """One handler serves several paths, and the route tells it which it was."""
    route = Route("POST", "/v9/{model:path}:stream", Operation.CHAT, {"verb": "stream"})
    dialect = SimpleNamespace(routes=(route, Route("POST", "/v9/plain", Operation.CHAT, {"verb": "plain"})))
    routes = Routes([cast(Dialect, dialect)])

    assert routes.find("POST", "/v9/a:b/c:stream")[2] == {"model": "a:b/c", "verb": "stream"}
    assert routes.find("POST", "/v9/plain")[2] == {"verb": "plain"}
