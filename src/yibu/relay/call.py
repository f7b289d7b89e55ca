"""What a carrier is given, and what it gives back."""

from collections.abc import Callable

import msgspec

from yibu.catalog.cost import cost
from yibu.dialects.dialect import CallDialect, Intent, Operation
from yibu.hub.errors import HubError
from yibu.hub.estimate import estimate_prompt
from yibu.hub.loss import Loss
from yibu.hub.usage import Meter, Usage
from yibu.kit.fetch import Fetcher
from yibu.kit.http import Client
from yibu.kit.ids import now_ms
from yibu.kit.links import Signer
from yibu.kit.settings import Limits
from yibu.relay.seals import Seals
from yibu.routing.credentials import Credentials
from yibu.routing.health import Health
from yibu.routing.plan import Directory, Plan
from yibu.tasks.engine import Engine
from yibu.tasks.files import Files

SANE_UNITS = 50_000_000
"""A vendor that reports more units than this for one call is not believed; the call is estimated instead."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of one customer. `public_url`: how the customer reaches the gateway, without a slash at the end;
    `started_at`: unix milliseconds; `refuses_loss`: see `identity.callers.Caller`."""

    request_id: str
    key_id: str
    wallet: int
    dialect: CallDialect
    intent: Intent
    plan: Plan
    public_url: str
    started_at: int
    refuses_loss: bool = False

    def elapsed_ms(self) -> int:
        return max(now_ms() - self.started_at, 0)


class Outcome(msgspec.Struct, kw_only=True):
    """How a call went; the carrier fills it in while it works, so that it is right at whatever moment the call ends.

    `usage`: what is billed, None when nothing is; `error`: what broke after the answer had begun; `status`: as answered,
    499 when the customer had gone; `task_id`: the work that goes on by itself and settles itself.
    """

    channel: str = ""
    upstream_model: str = ""
    status: int = 0
    usage: Usage | None = None
    error: HubError | None = None
    losses: list[Loss] = []
    first_byte_ms: int | None = None
    task_id: str = ""


class Wires(msgspec.Struct, frozen=True, kw_only=True):
    """What carriers reach the world with. `directory` gives the current snapshot."""

    client: Client
    credentials: Credentials
    fetcher: Fetcher
    health: Health
    engine: Engine
    files: Files
    signer: Signer
    seals: Seals
    limits: Limits
    deadline_s: float
    directory: Callable[[], Directory]


def bill(usage: Usage | None, plan: Plan) -> int:
    """Nanos for what was used."""
    return 0 if usage is None else cost(usage, plan.sheet)


def metered(reported: Usage | None, call: Call, text_units: int, *, was_accepted: bool) -> Usage | None:
    """What to bill: the vendor's own count if it gave a sane one, else an estimate of what was read and delivered.

    `was_accepted`: the vendor had begun to answer; before that nothing is billed.
    """
    if reported is not None and all(0 <= units <= SANE_UNITS for units in reported.units.values()):
        return reported if call.dialect.operation is Operation.CHAT else _completed(reported, call.intent)
    if not was_accepted:
        return None
    prompt = estimate_prompt(call.intent.text_bytes, call.intent.media)
    if call.dialect.operation is not Operation.CHAT:
        return _completed(Usage({Meter.INPUT: prompt}, is_estimated=True), call.intent)
    return Usage({Meter.INPUT: prompt, Meter.OUTPUT: text_units}, is_estimated=True)


def _completed(usage: Usage, intent: Intent) -> Usage:
    """With what the sheet may sell and the vendor did not count: units of search, which follow from the request, and tokens, estimated."""
    units = dict(usage.units)
    if intent.searches:
        units.setdefault(Meter.SEARCH, intent.searches)
    if Meter.INPUT in units:
        return msgspec.structs.replace(usage, units=units)
    units[Meter.INPUT] = estimate_prompt(intent.text_bytes, intent.media)
    return msgspec.structs.replace(usage, units=units, is_estimated=True)
