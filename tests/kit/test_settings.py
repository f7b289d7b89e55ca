import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from yibu.kit.settings import Settings, load


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests has no say."""
    for name in [name for name in os.environ if name.startswith("YIBU_")]:
        monkeypatch.delenv(name)


def write(folder: Path, text: str) -> Path:
    file = folder / "yibu.toml"
    file.write_text(text)
    return file


def test_nothing_has_to_be_set() -> None:
    """Then it listens on loopback, with SQLite in the data directory."""
    settings = load()

    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8000)
    assert settings.database_url.startswith("sqlite:////")
    assert settings.database_url.endswith("/yibu-data/yibu.db")
    assert settings.channels == ()


def test_a_file_is_read(tmp_path: Path) -> None:
    """The example of the documentation."""
    settings = load(
        write(
            tmp_path,
            """
            [server]
            port = 9000
            public_url = "https://api.example.com/"
            [[channels]]
            name = "openai-main"
            provider = "openai"
            keys = ["env:OPENAI_API_KEY"]
            models = { "fast" = "gpt-4o-mini" }
            [[channels]]
            name = "second"
            provider = "openai"
            models = ["a", "b"]
            [[prices]]
            model = "gpt-4o-mini"
            input = "0.15"
            [[models]]
            name = "film-*"
            kind = "video"
            """,
        )
    )

    assert settings.server.port == 9000
    assert settings.server.public_url == "https://api.example.com"
    assert [channel.models for channel in settings.channels] == [{"fast": "gpt-4o-mini"}, {"a": "a", "b": "b"}]
    assert settings.channels[0].keys == ("env:OPENAI_API_KEY",)
    assert settings.prices[0].input == Decimal("0.15")
    assert settings.prices[0].output is None
    assert settings.models[0].kind == "video"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Member by member; and the command line wins over both."""
    file = write(tmp_path, '[server]\nport = 9000\nhost = "0.0.0.0"\nlog_level = "debug"\n')
    monkeypatch.setenv("YIBU_SERVER__PORT", "9001")
    monkeypatch.setenv("YIBU_FILES__TTL_HOURS", "0.5")
    settings = load(file, server={"host": "::1"})

    assert (settings.server.host, settings.server.port, settings.server.log_level) == ("::1", 9001, "debug")
    assert settings.files.ttl_hours == 0.5


def test_lists_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As JSON."""
    monkeypatch.setenv("YIBU_CHANNELS", '[{"name": "a", "provider": "openai", "models": ["m"]}]')

    assert load().channels[0].models == {"m": "m"}


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("[server]\nprot = 1", "server.prot"),
        ("[serve]\nport = 1", "serve"),
        ("[server]\nport = 70000", "server.port"),
        ('[server]\nport = "many"', "server.port"),
        ("[limits]\nattempts = 0", "limits.attempts"),
        ("[limits]\nidle_s = -1", "limits.idle_s"),
        ('[[channels]]\nname = "a b"\nprovider = "openai"', "channels.0.name"),
        ('[[channels]]\nname = "a"', "channels.0.provider"),
        ('[[channels]]\nname = "a"\nprovider = "x"\nweight = 0', "channels.0.weight"),
        ('[[prices]]\nmodel = "a"\ninpt = "1"', "prices.0.inpt"),
        ('[[prices]]\nmodel = "a"\ninput = "cheap"', "prices.0.input"),
        ('[[prices]]\nmodel = "a"\ninput = "NaN"', "prices.0.input"),
        ('[[models]]\nname = "a"\nkind = "song"', "models.0.kind"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(text: str, member: str, tmp_path: Path) -> None:
    """A slip of the pen never turns into a default."""
    with pytest.raises(ValidationError) as wrong:
        load(write(tmp_path, text))
    assert [".".join(map(str, error["loc"])) for error in wrong.value.errors()] == [member]


def test_what_is_wrong_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a member that a section does not have."""
    monkeypatch.setenv("YIBU_SERVER__PROT", "1")

    with pytest.raises(ValidationError, match=r"server\.prot"):
        load()


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Rather than a start with defaults."""
    with pytest.raises(FileNotFoundError, match=r"There is no configuration file at .*nowhere\.toml\."):
        load(tmp_path / "nowhere.toml")


def test_one_file_does_not_leak_into_the_next(tmp_path: Path) -> None:
    """Each `load` knows its own file only."""
    load(write(tmp_path, "[server]\nport = 9000"))

    assert load().server.port == 8000
    assert Settings().server.port == 8000


@pytest.mark.parametrize("section", ["server", "limits", "files"])
def test_settings_do_not_change(section: str) -> None:
    part: Any = getattr(load(), section)

    with pytest.raises(ValidationError, match="frozen"):
        part.host = part.body_bytes = part.ttl_hours = 1


def test_the_database_may_be_elsewhere(tmp_path: Path) -> None:
    assert load(database={"url": "sqlite:////x/y.db"}).database_url == "sqlite:////x/y.db"
    assert load(data_dir=tmp_path).database_url == f"sqlite:///{tmp_path}/yibu.db"
