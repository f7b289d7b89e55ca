"""`yibu check`: read the configuration, try each channel, say what is wrong in a sentence with the remedy."""

import msgspec
import typer

from yibu.catalog import catalog
from yibu.cli.house import Config, DataDir, Json, fail, finish, say, settings_of
from yibu.kit.http import Client, HttpFailed
from yibu.kit.settings import Settings
from yibu.routing import channel
from yibu.routing.channel import Channel, WrongChannel
from yibu.routing.plan import Directory

ENOUGH_BYTES = 8 * 1024 * 1024


class WireName(msgspec.Struct):
    id: str


class WireNames(msgspec.Struct):
    data: list[WireName]


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(config: Config = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Try the configuration and every channel. 检查配置与渠道。"""
    settings = settings_of(config, data_dir)
    try:
        directory = _directory(settings)
    except (WrongChannel, ValueError) as exc:
        fail(str(exc))
    problems = [*_unpriced(directory), *finish(_try_all(directory.channels))]
    if not directory.channels:
        problems.append("There is no channel yet: add one to the configuration, or start with `yibu serve --sandbox`.")
    lines = [f"channel {one.name}: {len(one.models)} model{'s' * (len(one.models) != 1)}" for one in directory.channels]
    human = "\n".join(
        [*lines, *(f"✗ {problem}" for problem in problems)] if problems else [*lines, "All is well. 一切正常。"]
    )
    say({"ok": not problems, "problems": problems}, as_json=json, human=human)
    if problems:
        raise typer.Exit(1)


def _directory(settings: Settings) -> Directory:
    return Directory(channel.from_settings(settings.channels), catalog.from_settings(settings.models, settings.prices))


def _unpriced(directory: Directory) -> list[str]:
    names = sorted({name for one in directory.channels for name in one.models if not directory.catalog.price(name)})
    return [f"The model {name} has no price, so it is not for sale: add [[prices]] for it." for name in names]


async def _try_all(channels: tuple[Channel, ...]) -> list[str]:
    client = Client()
    try:
        tried = [await _try(one, index, client) for one in channels for index in range(len(one.secrets))]
    finally:
        await client.close()
    return [problem for problem in tried if problem]


async def _try(one: Channel, credential: int, client: Client) -> str | None:
    """Asks for the list of models, which costs nothing."""
    which = f"Channel {one.name}" + (f", key {credential + 1}" if len(one.secrets) > 1 else "")
    try:
        response = await client.request(
            "GET",
            one.url(one.provider.models_path),
            headers=one.provider.auth.headers(one.secrets[credential]),
            connect_timeout_s=10,
            first_byte_timeout_s=20,
            idle_timeout_s=20,
        )
        try:
            body = await response.read(ENOUGH_BYTES)
        finally:
            await response.close()
    except HttpFailed as exc:
        return f"{which}: {one.base_url} does not answer ({exc}). Check `base_url` and the network."
    if response.status in (401, 403):
        return f"{which}: the vendor does not accept the key. Check it, or make a new one there."
    if response.status != 200:
        return f"{which}: {one.base_url} answers {response.status} to a list of models. Check `base_url`."
    try:
        there = {model.id for model in msgspec.json.decode(body, type=WireNames).data}
    except msgspec.DecodeError:
        return f"{which}: {one.base_url} does not answer with a list of models. Check `base_url`."
    missing = sorted(upstream for upstream in one.models.values() if upstream not in there)
    if missing:
        return f"{which}: the vendor does not list {', '.join(missing)}. Check the names in `models`."
    return None
