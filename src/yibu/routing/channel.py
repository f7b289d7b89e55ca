"""A channel: one account at one vendor, with the models it serves."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from yibu.dialects import spoken_dialects
from yibu.dialects.dialect import Operation
from yibu.kit.settings import ChannelSettings
from yibu.providers import discover
from yibu.providers.provider import Provider, join


class Channel(msgspec.Struct, frozen=True):
    """`secrets`: a pool of credentials; `models`: public name to the upstream's; `inline_media`: the upstream cannot fetch
    pictures by URL, so they are fetched here and sent along; `speaks`: dialect to what is asked in it, the best to translate into
    first."""

    name: str
    provider: Provider
    base_url: str
    secrets: tuple[str, ...]
    models: dict[str, str]
    speaks: Mapping[str, Operation]
    tier: int = 1
    weight: int = 1
    inline_media: bool = False

    def spoken_for(self, model: str) -> Mapping[str, Operation]:
        """The part of `speaks` in which a model is asked; `model` is the public name."""
        upstream, understands = self.models[model], self.provider.understands
        if type(self.provider).understands is Provider.understands:
            return self.speaks
        return {id: operation for id, operation in self.speaks.items() if understands(id, upstream)}

    def url(self, path: str) -> str:
        """Of anything that is not a call in a dialect: films, the list of models."""
        return join(self.base_url, path, self.provider.known_paths)

    def url_of(self, dialect: str, model: str, *, is_stream: bool) -> str:
        """Of a call; `model` is the upstream's name."""
        return self.provider.url(self.base_url, dialect, model, is_stream=is_stream)


class WrongChannel(ValueError):
    """A channel of the configuration cannot be used; the message says why and what to do."""


def from_settings(settings: Iterable[ChannelSettings]) -> tuple[Channel, ...]:
    """Raises `WrongChannel` naming the channel."""
    channels = tuple(_channel(one) for one in settings)
    names = [channel.name for channel in channels]
    if twice := {name for name in names if names.count(name) > 1}:
        raise WrongChannel(f"Two channels are called {', '.join(sorted(twice))}. Give each its own name.")
    return channels


def _channel(settings: ChannelSettings) -> Channel:
    provider = discover().get(settings.provider)
    if provider is None:
        known = ", ".join(sorted(discover()))
        raise WrongChannel(f"Channel {settings.name}: there is no provider {settings.provider!r}. Known: {known}.")
    base_url = settings.base_url.strip() or provider.base_url
    secrets = tuple(_secret(settings.name, key) for key in settings.keys) or ("",)
    if strange := set(settings.speaks) - set(provider.speaks):
        raise WrongChannel(f"Channel {settings.name}: {provider.title} does not speak {', '.join(sorted(strange))}.")
    try:
        homes = {provider.home(base_url, secret) for secret in secrets}
    except ValueError as exc:
        raise WrongChannel(f"Channel {settings.name}: {exc}") from exc
    if not all(home.startswith(("http://", "https://")) for home in homes):
        raise WrongChannel(f"Channel {settings.name}: it needs a `base_url` that begins with http:// or https://.")
    if len(homes) > 1:
        raise WrongChannel(f"Channel {settings.name}: its keys belong to different addresses. Make a channel for each.")
    return Channel(
        name=settings.name,
        provider=provider,
        base_url=homes.pop(),
        secrets=secrets,
        models=settings.models,
        speaks=_operations(settings.speaks or provider.speaks),
        tier=settings.tier,
        weight=settings.weight,
        inline_media=settings.inline_media or provider.inline_media,
    )


def _operations(speaks: Iterable[str]) -> dict[str, Operation]:
    known = spoken_dialects()
    return {id: known[id].operation for id in speaks if id in known}


def _secret(channel: str, key: str) -> str:
    """`env:NAME` is taken from the environment, `file:PATH` from a file, so that no secret stands in a shared file."""
    if key.startswith("file:"):
        return _from_file(channel, key.removeprefix("file:"))
    if not key.startswith("env:"):
        return key
    name = key.removeprefix("env:")
    secret = os.environ.get(name, "").strip()  # a line break from a file would break the header
    if not secret:
        raise WrongChannel(f"Channel {channel}: the environment variable {name} is not set. Set it before you start.")
    return secret


def _from_file(channel: str, name: str) -> str:
    try:
        secret = Path(name).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not text"
        raise WrongChannel(f"Channel {channel}: the key file {name} cannot be read: {why}. Check the path.") from None
    if not secret:
        raise WrongChannel(f"Channel {channel}: the key file {name} is empty. Put the key into it.")
    return secret
