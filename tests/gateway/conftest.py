import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.house import House, open_house, settings_for
from yibu.app.sandbox import SandboxChild
from yibu.kit.settings import PriceSettings, Settings

SLOW = "sandbox/slow-300ms-50ms"
"""First byte after 300 ms, then a piece each 50 ms."""


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxChild]:
    """Started once a worker."""
    data_dir = tmp_path_factory.mktemp("sandbox")
    child = SandboxChild(data_dir)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "yibu.sandbox",
            "--port",
            child.url.rpartition(":")[2],
            "--data-dir",
            str(data_dir),
            "--die-with-stdin",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child.environment,
    )
    assert process.stdout
    assert process.stdout.readline().startswith(b"ready ")
    yield child
    process.terminate()
    process.wait(10)


@pytest.fixture
def settings(tmp_path: Path, sandbox: SandboxChild) -> Settings:
    """The settings of a demo, with a slow model of handy slowness; tests change what they are about."""
    joined = sandbox.join(settings_for(tmp_path / "data"))
    channel, *others = joined.channels
    slow = channel.model_copy(update={"models": {**channel.models, SLOW: SLOW}})
    price = PriceSettings(model=SLOW, input=Decimal("0.15"), output=Decimal("0.60"))
    return joined.model_copy(update={"channels": (slow, *others), "prices": (*joined.prices, price)})


@pytest_asyncio.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings) as opened:
        yield opened


def change(settings: Settings, section: str, **members: Any) -> Settings:
    """The settings with some members of one section changed."""
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=members)})
