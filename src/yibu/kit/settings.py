"""Every setting, its unit and its default. Read from one TOML file and from the environment, which wins.

The environment spells a path with two underscores: `YIBU_SERVER__PORT=9000`, `YIBU_FILES__TTL_HOURS=48`.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Server(Section):
    """`public_url`: how customers reach the gateway, for links in answers; empty: as the request's own `Host` says."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    public_url: str = ""
    metrics_token: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_json: bool = False

    @field_validator("public_url")
    @classmethod
    def without_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")


class DatabaseSettings(Section):
    """`url`: empty means SQLite in the data directory."""

    url: str = ""

    @field_validator("url")
    @classmethod
    def of_a_kind_we_know(cls, value: str) -> str:
        if value and not value.startswith("sqlite:///"):
            raise ValueError("Only sqlite:///<path> is supported yet.")
        return value


class Limits(Section):
    """What a caller may send, and how long a call may take."""

    body_bytes: Positive = 32 * 1024 * 1024
    messages: Positive = 2048
    tools: Positive = 512
    json_depth: Positive = 128
    url_length: Positive = 4096
    connect_s: Seconds = 10
    first_byte_s: Seconds = 300
    idle_s: Seconds = 120
    attempts: Positive = 3
    drain_s: Seconds = 30


class Fetch(Section):
    """Pictures that callers name by URL. `allow`: exact `host:port` pairs that are fetched although they are not public."""

    allow: tuple[str, ...] = ()
    max_bytes: Positive = 20 * 1024 * 1024
    timeout_s: Seconds = 20


class Files(Section):
    """Artefacts that the gateway keeps. `ttl_hours`: how long their links work."""

    ttl_hours: Annotated[float, Field(gt=0)] = 24
    max_bytes: Positive = 1024 * 1024 * 1024


class Responses(Section):
    """Answers that callers of OpenAI's Responses interface may come back to. `ttl_hours`: how long they are kept."""

    ttl_hours: Annotated[float, Field(gt=0)] = 720


class Tasks(Section):
    """Films and other long work. `workers`: how many are looked after at the same time; `deadline_s`: when one is given up."""

    workers: Positive = 8
    deadline_s: Seconds = 3600
    lease_s: Seconds = 180


class ChannelSettings(Section):
    """One account at one vendor. See `yibu check` for what is wrong with one."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    provider: str
    base_url: str = ""
    keys: tuple[str, ...] = ()
    models: dict[str, str] = {}
    speaks: tuple[str, ...] = ()
    tier: int = 1
    weight: Positive = 1
    inline_media: bool = False

    @field_validator("models", mode="before")
    @classmethod
    def as_map(cls, value: Any) -> Any:
        """`["a", "b"]` means that public and upstream names are the same."""
        return {name: name for name in value} if isinstance(value, list | tuple) else value


class PriceSettings(Section):
    """Units of currency per million units of a token meter; `second`, `image`, `character`, `search` and `call` per single unit."""

    model: str
    free: bool = False
    input: Decimal | None = None
    input_cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    audio_in: Decimal | None = None
    output: Decimal | None = None
    reasoning: Decimal | None = None
    audio_out: Decimal | None = None
    image: Decimal | None = None
    second: Decimal | None = None
    character: Decimal | None = None
    search: Decimal | None = None
    call: Decimal | None = None


class ModelSettings(Section):
    """What the catalogue says of a model. `on_disconnect`: `stop` closes the upstream when the client has gone, `drain` reads on;
    `on_loss`: `refuse` answers 400 where a translation could not carry everything that was asked for."""

    name: str
    kind: Literal["chat", "video", "embedding", "rerank", "moderation"] = "chat"
    owner: str = ""
    max_output_tokens: Positive = 8192
    on_disconnect: Literal["stop", "drain"] = "stop"
    on_loss: Literal["declare", "refuse"] = "declare"


class Settings(BaseSettings):
    """All of it. Raises pydantic's `ValidationError`, whose words name the member, on anything unknown or wrong."""

    model_config = SettingsConfigDict(env_prefix="YIBU_", env_nested_delimiter="__", extra="forbid", frozen=True)
    toml_file: ClassVar[Path | None] = None

    data_dir: Path = Path("yibu-data")
    server: Server = Server()
    database: DatabaseSettings = DatabaseSettings()
    limits: Limits = Limits()
    fetch: Fetch = Fetch()
    files: Files = Files()
    responses: Responses = Responses()
    tasks: Tasks = Tasks()
    channels: tuple[ChannelSettings, ...] = ()
    prices: tuple[PriceSettings, ...] = ()
    models: tuple[ModelSettings, ...] = ()

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{(self.data_dir / 'yibu.db').absolute()}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = TomlConfigSettingsSource(settings_cls, cls.toml_file) if cls.toml_file else None
        return (init_settings, env_settings, *([file] if file else []))


def load(file: Path | None = None, **overrides: Any) -> Settings:
    """Reads `file` and the environment; `overrides` (from the command line) win over both.

    Raises `FileNotFoundError`, `tomllib.TOMLDecodeError` or pydantic's `ValidationError`.
    """
    if file and not file.is_file():
        raise FileNotFoundError(f"There is no configuration file at {file}.")
    source = type("SettingsOfFile", (Settings,), {"toml_file": file})
    settings: Settings = source(**overrides)
    return settings
