"""Everything that the handlers of routes reach for, built once by `app`."""

from collections.abc import Callable

import msgspec

from yibu.gateway.background import Runs
from yibu.gateway.closing import Closings
from yibu.gateway.metrics import Metrics
from yibu.identity.callers import Callers
from yibu.kit.db import Database
from yibu.kit.rates import Rates
from yibu.kit.settings import Settings
from yibu.ledger import Ledger
from yibu.relay import Wires
from yibu.responses.archive import Archive
from yibu.routing.plan import Directory


class House(msgspec.Struct, frozen=True, kw_only=True):
    """`directory` gives the current snapshot of channels, models and prices; `random` gives 0 ≤ x < 1."""

    settings: Settings
    db: Database
    callers: Callers
    rates: Rates
    ledger: Ledger
    wires: Wires
    closings: Closings
    archive: Archive
    runs: Runs
    metrics: Metrics
    directory: Callable[[], Directory]
    random: Callable[[], float]
