"""The sandbox as a child process: started with the gateway, reached by HTTP like any vendor, gone when the gateway goes."""

import asyncio
import contextlib
import os
import secrets
import socket
import sys
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import structlog

from yibu.catalog.model import Models, shipped
from yibu.kit.settings import ChannelSettings, PriceSettings, Settings

log = structlog.get_logger(__name__)

START_S = 30.0
STOP_S = 5.0
RESTART_S = 2.0


class SandboxFailed(RuntimeError):
    """The sandbox did not start."""


class SandboxChild:
    """Restarted on the same port when it dies; it exits by itself when this process is killed, because its input ends."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._port = free_port()
        self._token = secrets.token_hex(16)
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """Of the process: ours, and the key that its requests must carry."""
        return {**os.environ, "YIBU_SANDBOX_TOKEN": self._token}

    async def start(self) -> None:
        """Returns when it answers. Raises `SandboxFailed`."""
        await self._launch()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._keeper:
            self._keeper.cancel()
        if self._process and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_S)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def join(self, settings: Settings) -> Settings:
        """The settings with the sandbox as more channels: one for all, one for each format of chat, and one for each other vendor
        whose format it has. What the configuration says of a model wins."""
        about = _about()
        served: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
            "sandbox": ("openai", (), {name: name for name in about["models"]})
        }
        for form in about["formats"]:
            served[f"sandbox-{form['name']}"] = (
                form["provider"],
                (form["speaks"],),
                _in_format(form, about["manners"]),
            )
        for vendor, models in about["others"].items():
            served[f"sandbox-{vendor}"] = (vendor, (), {name: name for name in models})
        channels = [
            ChannelSettings(
                name=name,
                provider=provider,
                base_url=self.url,
                keys=(self._token,),
                models=models,
                speaks=speaks,
                tier=1_000_000,
                inline_media=True,
            )
            for name, (provider, speaks, models) in served.items()
        ]
        priced = {price.model for price in settings.prices}
        names = [model for channel in channels for model in channel.models]
        prices = tuple(price for price in _prices(names, about["prices"]) if price.model not in priced)
        return settings.model_copy(
            update={"channels": (*settings.channels, *channels), "prices": (*settings.prices, *prices)}
        )

    async def _launch(self) -> None:
        command = ("-m", "yibu.sandbox", "--port", str(self._port), "--data-dir", str(self._data_dir))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            "--die-with-stdin",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self.environment,
            start_new_session=True,  # a Ctrl-C reaches the gateway alone, which then stops us in order
        )
        assert self._process.stdout
        try:
            said = await asyncio.wait_for(self._process.stdout.readline(), START_S)
        except TimeoutError as exc:
            raise SandboxFailed(f"The sandbox did not start within {START_S:.0f} s.") from exc
        if not said.startswith(b"ready "):
            raise SandboxFailed("The sandbox ended while it was starting; its own words stand above.")

    async def _keep(self) -> None:
        while True:
            assert self._process
            code = await self._process.wait()
            log.warning("sandbox_ended", exit_code=code)
            await asyncio.sleep(RESTART_S)
            with contextlib.suppress(SandboxFailed):
                await self._launch()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _about() -> dict[str, Any]:
    text = resources.files("yibu.app").joinpath("data/sandbox.toml").read_text("utf-8")
    return tomllib.loads(text)


def _in_format(form: dict[str, str], manners: Sequence[str]) -> dict[str, str]:
    """Public name to the upstream's, of what is served in one format."""
    base, seal = f"sandbox/{form['name']}", form.get("seal", "")
    return {base: f"sandbox/rules{seal}"} | {f"{base}/{manner}": f"sandbox/{manner}{seal}" for manner in manners}


def _prices(models: Sequence[str], prices: dict[str, dict[str, Any]]) -> list[PriceSettings]:
    known = Models(shipped())
    kinds = {name: known.find(name).kind for name in models}
    return [PriceSettings.model_validate({"model": name, **prices[kind]}) for name, kind in kinds.items()]
