"""One official SDK as the matrix sees it, and what its checks work with."""

import traceback
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

import httpx2

from compat.matrix.feature import CHAT, Outcome, Table
from compat.stand import Stand, public

LOSS = "x-yibu-loss"
REFUSED = "translation_loss"
"""The code of an error that says what the other format has no word for."""


class Desk:
    """One gateway, one upstream. `losses`: what answers have declared since the last `forget`."""

    def __init__(self, stand: Stand, upstream: str) -> None:
        self.url = stand.url
        self.key = stand.key
        self.upstream = upstream
        self.losses: list[str] = []
        self.statuses: list[int] = []

    def model(self, name: str) -> str:
        """The sandbox's model, served over this desk's upstream."""
        return public(name, self.upstream)

    def forget(self) -> None:
        self.losses, self.statuses = [], []

    def listen(self, response: Any) -> None:
        """For the SDK's HTTP client, as a hook on responses."""
        self.statuses.append(response.status_code)
        if said := response.headers.get(LOSS):
            self.losses.append(unquote(said))

    @property
    def caches_unasked(self) -> bool:
        """Whether this upstream's vendor keeps long prompts by itself; Anthropic's keeps what is marked."""
        return self.upstream != "anthropic"

    @property
    def http(self) -> httpx2.Client:
        return httpx2.Client(event_hooks={"response": [self.listen]}, timeout=60)


Check = Callable[[Any], None]
"""Given what `Client.open` made; raises when the feature does not work."""


class Declared(Exception):
    """What a clear error says cannot be had; for SDKs that show no code of an error."""


class Client(NamedTuple):
    """`speaks`: its dialect; `run`: tries every feature of its `table` against one upstream of a stand."""

    title: str
    version: str
    speaks: str
    run: Callable[[Stand, str], dict[str, Outcome]]
    table: Table = CHAT


def run_checks(
    open: Callable[[Desk], Any], checks: Mapping[str, Check], table: Table = CHAT
) -> Callable[[Stand, str], dict[str, Outcome]]:
    """What tries every feature with a Python SDK; `open` makes it ready, `checks` are by the id of the feature."""

    def run(stand: Stand, upstream: str) -> dict[str, Outcome]:
        desk = Desk(stand, upstream)
        sdk = open(desk)
        return {feature.id: _try(checks.get(feature.id), sdk, desk) for feature in table.features}

    return run


def checks_of(module: Mapping[str, Any]) -> dict[str, Check]:
    """The functions of a module that are called `check_<feature>`."""
    return {name.removeprefix("check_"): check for name, check in module.items() if name.startswith("check_")}


def _try(check: Check | None, sdk: Any, desk: Desk) -> Outcome:
    if check is None:
        return Outcome("none")
    desk.forget()
    try:
        check(sdk)
    except Declared as told:
        return Outcome("declared", str(told))
    except Exception as error:  # whatever an SDK raises is what its user would see
        lost = "; ".join(dict.fromkeys(desk.losses))
        if lost:
            return Outcome("declared", lost)
        if REFUSED in f"{error} {getattr(error, 'body', '')}":
            return Outcome("declared", str(getattr(error, "message", error)))
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome("failed", f"{type(error).__name__}: {error} ({where.name}:{where.lineno})"[:300])
    return Outcome("ok", "; ".join(dict.fromkeys(desk.losses)))


def raises(kind: type[Exception], act: Callable[[], Any]) -> Any:
    """What `act` raises, which must be of this kind."""
    try:
        act()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")
