import inspect
import re

import pytest

from tests.providers.test_openai_videos import REQUEST
from yibu import providers
from yibu.dialects import call_dialects
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

    assert re.fullmatch(r"[a-z0-9-]+", provider.id)
    assert provider.title
    assert type(provider).__doc__ is not Provider.__doc__
    assert re.search(r"Docs: \S+.*read \d{4}-\d\d-\d\d", said)


@FOUND
def test_a_vendor_speaks_dialects_that_are_there(provider: Provider) -> None:
    """At paths that begin with a slash, below an address with a scheme or none."""
    assert set(provider.speaks) <= set(call_dialects())
    assert all(path.startswith("/") for path in (*provider.speaks.values(), provider.models_path))
    assert provider.base_url == "" or provider.base_url.startswith("https://")


@FOUND
def test_work_is_told_by_our_own_id(provider: Provider) -> None:
    """It is the same at every try, so that a vendor who hears it twice makes one film."""
    for driver in (driver for work, driver in provider.works.items() if work is Work.VIDEO):
        one, again = driver.submit(REQUEST, "task_1"), driver.submit(REQUEST, "task_1")

        assert one == again
        assert "task_1" in f"{one.headers} {one.body!r}"
        assert min(driver.polls_s) > 0
        assert driver.artefacts("x")[0].kind == "video"
