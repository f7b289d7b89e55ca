"""`yibu check`: read the configuration, try each channel, say what is wrong in a sentence with the remedy."""

import re
from typing import Annotated

import msgspec
import typer

from yibu.catalog import catalog
from yibu.cli.house import Config, DataDir, Json, fail, finish, say, settings_of
from yibu.hub.errors import Denied, UpstreamError
from yibu.kit.http import Client, HttpFailed
from yibu.kit.settings import Settings
from yibu.routing import channel
from yibu.routing.channel import Channel, WrongChannel
from yibu.routing.credentials import Credentials
from yibu.routing.plan import Directory

ShowModels = Annotated[bool, typer.Option("--models", help="List what each vendor has. 列出各渠道的模型。")]

ENOUGH_BYTES = 8 * 1024 * 1024


class WireName(msgspec.Struct):
    """`id` with most, `name` with Google (`models/…`) and Cohere, `modelId` with Amazon."""

    id: str = ""
    name: str = ""
    modelId: str = ""


class WireNames(msgspec.Struct):
    """Which member it is depends on the vendor; some answer with the bare list."""

    data: list[WireName] | None = None
    models: list[WireName] | None = None
    modelSummaries: list[WireName] | None = None


class Tried(msgspec.Struct, frozen=True):
    """`models`: as the vendor names them, None when it keeps no list."""

    problem: str = ""
    models: list[str] | None = None


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(config: Config = None, data_dir: DataDir = None, json: Json = False, models: ShowModels = False) -> None:
    """Try the configuration and every channel. 检查配置与渠道。"""
    settings = settings_of(config, data_dir)
    try:
        directory = _directory(settings)
    except (WrongChannel, ValueError) as exc:
        fail(str(exc))
    channels = directory.channels
    tried = finish(_try_all(channels))
    problems = [*_unpriced(directory), *(one.problem for each in tried for one in each if one.problem)]
    if not channels:
        problems.append("There is no channel yet: add one to the configuration, or start with `yibu serve --sandbox`.")
    lines = [f"channel {one.name}: {len(one.models)} model{'s' * (len(one.models) != 1)}" for one in channels]
    told: dict[str, object] = {"ok": not problems, "problems": problems}
    if models:
        listed = {one.name: _together(each) for one, each in zip(channels, tried, strict=True)}
        told["models"] = listed
        lines = [
            line for one, first in zip(channels, lines, strict=True) for line in (first, *_shown(listed[one.name]))
        ]
    lines += [f"✗ {problem}" for problem in problems] if problems else ["All is well. 一切正常。"]
    say(told, as_json=json, human="\n".join(lines))
    if problems:
        raise typer.Exit(1)


def _together(tried: list[Tried]) -> list[str] | None:
    """What the keys of one channel see; None when the vendor keeps no list, or told none."""
    lists = [one.models for one in tried if one.models is not None]
    return sorted({name for names in lists for name in names}) if lists else None


def _shown(names: list[str] | None) -> list[str]:
    return ["  (no list of models)"] if names is None else [f"  {name}" for name in names]


def _directory(settings: Settings) -> Directory:
    return Directory(channel.from_settings(settings.channels), catalog.from_settings(settings.models, settings.prices))


def _unpriced(directory: Directory) -> list[str]:
    names = sorted({name for one in directory.channels for name in one.models if not directory.catalog.price(name)})
    return [f"The model {name} has no price, so it is not for sale: add [[prices]] for it." for name in names]


async def _try_all(channels: tuple[Channel, ...]) -> list[list[Tried]]:
    """For each channel, each of its keys."""
    client = Client()
    try:
        credentials = Credentials(client)
        return [[await _try(one, index, client, credentials) for index in range(len(one.secrets))] for one in channels]
    finally:
        await client.close()


async def _try(one: Channel, credential: int, client: Client, credentials: Credentials) -> Tried:
    """Asks for the list of models, which costs nothing; where there is none, at least for a token."""
    which = f"Channel {one.name}" + (f", key {credential + 1}" if len(one.secrets) > 1 else "")
    provider, url = one.provider, one.provider.models_url(one.base_url)
    try:
        headers = await credentials.headers(
            provider.auth, one.secrets[credential], "GET", url or one.base_url, provider.models_headers, b""
        )
        if not url:
            return Tried()
        response = await client.request(
            "GET", url, headers=headers, connect_timeout_s=10, first_byte_timeout_s=20, idle_timeout_s=20
        )
        try:
            body = await response.read(ENOUGH_BYTES)
        finally:
            await response.close()
    except Denied:
        return Tried(f"{which}: the vendor does not accept the key. Check it, or make a new one there.")
    except UpstreamError as exc:
        return Tried(f"{which}: no token could be had ({exc.upstream_words}). Check the key and the network.")
    except HttpFailed as exc:
        return Tried(f"{which}: {one.base_url} does not answer ({exc}). Check `base_url` and the network.")
    if response.status in (401, 403):
        return Tried(f"{which}: the vendor does not accept the key. Check it, or make a new one there.")
    if response.status != 200:
        return Tried(f"{which}: {one.base_url} answers {response.status} to a list of models. Check `base_url`.")
    names = _names(body)
    if names is None:
        return Tried(f"{which}: {one.base_url} does not answer with a list of models. Check `base_url`.")
    missing = sorted(upstream for upstream in one.models.values() if not _is_listed(upstream, names))
    if missing and provider.lists_all:
        words = f"the vendor does not list {', '.join(missing)}. Check the names in `models`."
        return Tried(f"{which}: {words}", names)
    return Tried(models=names)


def _names(body: bytes) -> list[str] | None:
    """The models in whatever form a vendor lists them."""
    try:
        found = msgspec.json.decode(body, type=WireNames | list[WireName])
    except (msgspec.DecodeError, RecursionError):
        return None
    if isinstance(found, WireNames):
        lists = [one for one in (found.data, found.models, found.modelSummaries) if one is not None]
        if not lists:
            return None
        found = lists[0]
    names = [one.id or one.modelId or one.name.removeprefix("models/") for one in found]
    return sorted({name for name in names if name})


def _is_listed(name: str, names: list[str]) -> bool:
    """Itself, or as the newest of its kind: `claude-x` for `claude-x-20261101`, `llama` for `llama:latest`."""
    dated = re.compile(re.escape(name) + r"(-\d{6,8}|-latest|:latest)")
    return name in names or any(dated.fullmatch(one) for one in names)
