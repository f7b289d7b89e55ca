"""Channels and directories for tests, in one line each."""

from collections.abc import Iterable
from decimal import Decimal

from yibu.catalog.catalog import Catalog
from yibu.catalog.model import Model, Models
from yibu.catalog.price import sheet
from yibu.dialects.dialect import Operation
from yibu.hub.usage import Meter
from yibu.kit.clock import FixedClock
from yibu.providers.openai import OpenAI
from yibu.providers.provider import Provider
from yibu.routing.channel import Channel
from yibu.routing.health import Health
from yibu.routing.plan import Directory


class OnlyTalk(Provider):
    """A vendor that makes no films. Docs: none, read never."""

    id = "only-talk"
    title = "Only talk"
    speaks = {"openai_chat": "/v1/chat/completions", "other_chat": "/other"}


def channel(
    name: str,
    *,
    provider: type[Provider] = OpenAI,
    models: Iterable[str] = ("m", "film"),
    secrets: Iterable[str] = ("one",),
    speaks: Iterable[str] = ("openai_chat",),
    tier: int = 1,
    weight: int = 1,
) -> Channel:
    return Channel(
        name=name,
        provider=provider(),
        base_url="https://vendor.test",
        secrets=tuple(secrets),
        models={model: f"upstream-{model}" for model in models},
        speaks=dict.fromkeys(speaks, Operation.CHAT),
        tier=tier,
        weight=weight,
    )


def directory(*channels: Channel) -> Directory:
    """`m` is a chat model, `film` is made by work; `unpriced` is served and has no sheet."""
    sheets = [sheet("m", {Meter.INPUT: Decimal(1)}), sheet("film", {Meter.SECOND: Decimal("0.1")})]
    return Directory(channels, Catalog(Models([Model("film", kind="video")]), sheets))


def health() -> tuple[Health, FixedClock]:
    clock = FixedClock()
    return Health(clock.monotonic_s), clock
