from pathlib import Path
from typing import Any

import msgspec
import pytest

from yibu.dialects.dialect import Operation
from yibu.kit.settings import ChannelSettings
from yibu.providers.provider import Provider, join
from yibu.routing.channel import Channel, WrongChannel, from_settings


def read(**members: Any) -> Channel:
    given = {"name": "main", "provider": "openai", "models": ["m"]} | members
    return from_settings([ChannelSettings.model_validate(given)])[0]


def test_a_channel_of_few_words_takes_the_rest_from_its_provider() -> None:
    """Address, dialects and an empty credential, as local servers want it."""
    made = read()

    assert made.base_url == "https://api.openai.com"
    assert made.speaks["openai_chat"] is Operation.CHAT
    assert made.secrets == ("",)
    assert made.models == {"m": "m"}
    assert made.provider.auth.headers(made.secrets[0]) == {}


def test_public_and_upstream_names_may_differ() -> None:
    assert read(models={"fast": "gpt-4o-mini"}).models == {"fast": "gpt-4o-mini"}


def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`env:NAME` stands for the variable's value; other keys stand for themselves. Space around a value is a slip."""
    monkeypatch.setenv("FIRST_KEY", "sk-one\n")

    assert read(keys=["env:FIRST_KEY", "sk-two"]).secrets == ("sk-one", "sk-two")


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_a_key_that_is_not_there_is_named(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel, the variable, and what to do; never a start without a key."""
    monkeypatch.delenv("FIRST_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("FIRST_KEY", value)

    with pytest.raises(
        WrongChannel, match=r"^Channel main: the environment variable FIRST_KEY is not set\. Set it before you start\.$"
    ):
        read(keys=["env:FIRST_KEY"])


def test_keys_come_from_files(tmp_path: Path) -> None:
    """For those that are a file to begin with."""
    (tmp_path / "key.json").write_text('{"a": 1}\n')

    assert read(keys=[f"file:{tmp_path}/key.json"]).secrets == ('{"a": 1}',)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read: No such file"), (b" \n", "is empty"), (b"\xff", "it is not text")]
)
def test_a_key_file_that_is_none_is_named(content: bytes | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)

    with pytest.raises(WrongChannel, match=rf"^Channel main: the key file .*/key .*{words}"):
        read(keys=[f"file:{tmp_path}/key"])


def test_a_vendor_may_ask_some_models_in_some_dialects_only() -> None:
    """So a call goes in one that the model understands."""

    class Split(Provider):
        def understands(self, dialect: str, model: str) -> bool:
            return (dialect == "a") == model.startswith("x")

    made = msgspec.structs.replace(
        read(), provider=Split(), speaks={"a": Operation.CHAT, "b": Operation.CHAT}, models={"one": "x-1", "two": "y-1"}
    )

    assert list(made.spoken_for("one")) == ["a"]
    assert list(made.spoken_for("two")) == ["b"]


def test_an_unknown_provider_is_named_with_the_known_ones() -> None:
    with pytest.raises(WrongChannel, match=r"^Channel main: there is no provider 'opnai'\. Known: .*openai"):
        read(provider="opnai")


def test_two_channels_need_two_names() -> None:
    one = ChannelSettings(name="same", provider="openai")

    with pytest.raises(WrongChannel, match=r"^Two channels are called same\. Give each its own name\.$"):
        from_settings([one, one])


def test_an_address_needs_its_scheme() -> None:
    with pytest.raises(
        WrongChannel, match=r"^Channel main: it needs a `base_url` that begins with http:// or https://\.$"
    ):
        read(base_url="api.vendor.test")


def test_a_dialect_that_the_vendor_does_not_speak_is_named() -> None:
    with pytest.raises(WrongChannel, match=r"^Channel main: OpenAI does not speak klingon\.$"):
        read(speaks=["openai_chat", "klingon"])


@pytest.mark.parametrize(
    "base_url",
    ["https://vendor.test", "https://vendor.test/", "https://vendor.test/v1", "https://vendor.test/v1/"],
)
def test_whatever_base_url_was_typed_leads_to_the_path(base_url: str) -> None:
    """With or without a slash at the end, with or without the version."""
    assert read(base_url=base_url).url("/v1/videos/x?y=z") == "https://vendor.test/v1/videos/x?y=z"


@pytest.mark.parametrize(
    ("base_url", "path", "joined"),
    [
        ("https://vendor.test/relay/v1/", "/v1/models", "https://vendor.test/relay/v1/models"),
        ("https://vendor.test/relay", "/v1/models", "https://vendor.test/relay/v1/models"),
        ("https://vendor.test/v1//", "/v1/models", "https://vendor.test/v1/models"),
        ("https://vendor.test/nov1", "/v1/models", "https://vendor.test/nov1/v1/models"),
        ("http://127.0.0.1:9100", "/v1/models", "http://127.0.0.1:9100/v1/models"),
    ],
)
def test_joining_forgives_slashes_and_doubled_versions(base_url: str, path: str, joined: str) -> None:
    """But only a version at the end, and only a whole segment."""
    assert join(base_url, path) == joined
