from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ledger.books import open_ledger
from yibu.kit.db import Database
from yibu.ledger import Ledger


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[tuple[Database, Ledger]]:
    """A database and its ledger; afterwards `check` must find nothing."""
    async with open_ledger(tmp_path) as opened:
        yield opened


@pytest.fixture
def db(book: tuple[Database, Ledger]) -> Database:
    return book[0]


@pytest.fixture
def ledger(book: tuple[Database, Ledger]) -> Ledger:
    return book[1]
