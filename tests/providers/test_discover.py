import inspect
import re
from contextlib import suppress
from typing import Any

import pytest
from msgspec import Raw, json

from tests.providers.test_openai_videos import REQUEST
from yibu import providers
from yibu.dialects import chat_dialects, spoken_dialects
from yibu.hub.errors import InvalidRequest
from yibu.hub.loss import Losses
from yibu.hub.work import Work
from yibu.providers import discover
from yibu.providers.provider import Provider

FOUND = pytest.mark.parametrize("provider", discover().values(), ids=discover().keys())


def test_a_vendor_is_found_because_its_file_is_there() -> None:
    """By its id; the base class and the drivers are no vendors."""
    assert discover()["openai"].title == "OpenAI"
    assert all(id == provider.id for id, provider in discover().items())


def test_two_vendors_of_one_name_stop_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than one of them being silently forgotten."""
    kind = type(discover()["openai"])
    monkeypatch.setattr(providers, "_kinds", lambda _module: [kind, kind])

    with pytest.raises(RuntimeError, match="Two providers are called openai"):
        discover.__wrapped__()


@FOUND
def test_a_vendor_says_who_it_is_and_where_that_is_written(provider: Provider) -> None:
    """Id, title, a sentence, and the documentation with the date on which it was read."""
    said = f"{inspect.getmodule(provider).__doc__} {type(provider).__doc__}"

    assert re.fullmatch(r"[a-z0-9_]+", provider.id)
    assert provider.title
    assert type(provider).__doc__ is not Provider.__doc__
    assert re.search(r"Docs: \S+.*read\s\d{4}-\d\d-\d\d", said, re.DOTALL)


@FOUND
def test_a_vendor_speaks_dialects_that_are_known(provider: Provider) -> None:
    """At paths that begin with a slash, below an address with a scheme or none."""
    assert set(provider.speaks) <= set(spoken_dialects())
    assert set(provider.streams) | set(provider.quirks) <= set(provider.speaks)
    assert all(path.startswith("/") for path in (*provider.speaks.values(), *provider.streams.values()))
    assert provider.models_path == "" or provider.models_path.startswith("/")
    assert re.match(r"(https://|http://127\.0\.0\.1:|$)", provider.base_url)


@FOUND
def test_the_base_urls_of_a_vendors_own_pages_work(provider: Provider) -> None:
    """The bare host, the address up to the version, as SDKs want it, and the whole path lead to the same call."""
    home = provider.base_url or "https://vendor.test"
    for dialect in provider.speaks:
        path = provider.path(dialect, "m", is_stream=False)
        whole = provider.url(home, dialect, "m", is_stream=False)
        versions = re.findall(r"^.*?/v\d\w*(?=/)", path)
        typed = [home, f"{home}/", home + path, *(home + version for version in versions)]

        assert {provider.url(one, dialect, "m", is_stream=False) for one in typed} == {whole}


CALL: dict[str, Any] = {
    "model": "some-model",
    "messages": [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {
            "role": "assistant",
            "reasoning_content": "Well",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "2"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}},
    "max_completion_tokens": 9,
    "reasoning_effort": "low",
    "temperature": 0.5,
    "x_unknown": {"a": [1, 2.50]},
}


@FOUND
def test_what_a_vendor_mends_stays_a_request_of_the_same_dialect(provider: Provider) -> None:
    """Mended twice is mended once; unknown members go along; the ceiling is kept under one of its two names."""
    if "openai_chat" not in provider.speaks:
        return
    losses: Losses = []
    once = provider.prepare("openai_chat", {name: Raw(json.encode(said)) for name, said in CALL.items()}, losses)
    told = {name: json.decode(said) for name, said in once.items()}
    again: Losses = []
    twice = {name: json.decode(said) for name, said in provider.prepare("openai_chat", dict(once), again).items()}

    assert twice == told
    assert again == []
    assert chat_dialects()["openai_chat"].decode_request(json.encode(once)).limits.max_output_tokens == 9
    assert told["x_unknown"] == CALL["x_unknown"]
    assert [one["role"] for one in told["messages"]][-3:] == ["user", "assistant", "tool"]
    assert told["messages"][-2]["tool_calls"][0]["id"] == told["messages"][-1]["tool_call_id"]


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"messages": 5, "model": 7},
        {"messages": [], "tools": {}, "tool_choice": [], "reasoning": [], "thinking": "x"},
        {"messages": [{"role": 1, "content": {}, "tool_calls": "x"}], "temperature": "hot", "response_format": []},
        {"messages": [{"tool_calls": [5, {"id": 9}], "tool_call_id": None}], "reasoning_effort": {}, "n": None},
        {"response_format": {"type": "json_schema", "json_schema": 5}, "messages": None, "stream": "yes"},
    ],
)
@FOUND
def test_quirks_survive_whatever_a_caller_sends(provider: Provider, members: dict[str, Any]) -> None:
    """The vendor will tell the caller what is wrong; ours is not to fall over it."""
    for dialect in provider.speaks:
        with suppress(InvalidRequest):
            provider.prepare(dialect, {name: Raw(json.encode(said)) for name, said in members.items()}, [])


@FOUND
def test_work_is_told_by_our_own_id(provider: Provider) -> None:
    """It is the same at every try, so that a vendor who hears it twice makes one film."""
    for driver in (driver for work, driver in provider.works.items() if work is Work.VIDEO):
        one, again = driver.submit(REQUEST, "task_1"), driver.submit(REQUEST, "task_1")

        assert one == again
        assert "task_1" in f"{one.headers} {one.body!r}"
        assert min(driver.polls_s) > 0
        assert driver.artefacts("x")[0].kind == "video"
