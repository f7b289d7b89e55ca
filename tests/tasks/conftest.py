from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.tasks.studio import Studio, open_studio, open_vendors
from tests.tasks.vendor import Vendor
from yibu.providers._openai_videos import OpenAIVideos
from yibu.tasks import engine, films


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait is there, and short."""
    monkeypatch.setattr(OpenAIVideos, "polls_s", (0.005,))
    monkeypatch.setattr(films, "WAITS_S", (0.005,))
    monkeypatch.setattr(engine, "TROUBLE_S", (0.005,))
    monkeypatch.setattr(engine, "IDLE_S", 0.02)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Tracebacks of accidents that a test arranges are not drawn: that takes longer than the test."""
    with capture_logs():
        yield


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    """An engine with its database and ledger; afterwards the book must be right."""
    async with open_studio(tmp_path) as opened:
        yield opened


@pytest.fixture
async def vendor(studio: Studio) -> AsyncIterator[Vendor]:
    """Behind the channel `a`."""
    async with open_vendors(studio, "a") as [one]:
        yield one
