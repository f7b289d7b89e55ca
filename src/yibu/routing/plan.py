"""From a caller's wish to an ordered list of attempts with their price. Pure: a snapshot in, a plan out."""

import hashlib
from collections.abc import Callable

import msgspec

from yibu.catalog.catalog import Catalog
from yibu.catalog.model import Model
from yibu.catalog.price import Sheet
from yibu.dialects.dialect import Operation
from yibu.hub.errors import Busy, NoChannel, NotAllowed, UnknownModel
from yibu.hub.work import Work
from yibu.routing.channel import Channel
from yibu.routing.health import Health

WORKS = {"video": Work.VIDEO}
"""Kinds of model that are served by work rather than by an answer."""


class Directory(msgspec.Struct, frozen=True):
    """An immutable snapshot of everything that is for sale; a new one replaces it as a whole."""

    channels: tuple[Channel, ...]
    catalog: Catalog

    def channel(self, name: str) -> Channel | None:
        return next((channel for channel in self.channels if channel.name == name), None)

    def models(self, allowed: tuple[str, ...] | None) -> list[Model]:
        """What a key may really call: served by some channel, priced, and on the key's list if it has one."""
        names = sorted({name for channel in self.channels for name in channel.models})
        return [
            self.catalog.model(name)
            for name in names
            if self.catalog.price(name) and (allowed is None or name in allowed)
        ]


class Attempt(msgspec.Struct, frozen=True):
    """One try: this channel with this credential, asked for `model` (the upstream's name of it).

    `dialect`: the wire format to speak to it, empty for work.
    """

    channel: Channel
    credential: int
    model: str
    dialect: str


class Plan(msgspec.Struct, frozen=True):
    """`attempts` in order, never empty; `sheet`: what the call is sold for, whoever serves it."""

    model: Model
    sheet: Sheet
    attempts: tuple[Attempt, ...]
    work: Work | None = None


class Wish(msgspec.Struct, frozen=True):
    """What planning needs to know of a call. `lead`: bytes that stay the same within one conversation; `pinned`: only this channel."""

    model: str
    dialect: str
    allowed: tuple[str, ...] | None = None
    lead: bytes = b""
    pinned: str = ""
    operation: Operation = Operation.CHAT


def plan(wish: Wish, directory: Directory, health: Health, random: Callable[[], float], most: int) -> Plan:
    """Raises `UnknownModel`, `NotAllowed`, `NoChannel`, or `Busy` when every credential is cooling down.

    `random` gives 0 ≤ x < 1; `most`: so many attempts at most.
    """
    serving = [channel for channel in directory.channels if wish.model in channel.models]
    sheet = directory.catalog.price(wish.model)
    if not serving:
        raise UnknownModel(f"The model `{wish.model}` does not exist here. `GET /v1/models` lists those that do.")
    if wish.allowed is not None and wish.model not in wish.allowed:
        raise NotAllowed(f"This API key may not use the model `{wish.model}`. `GET /v1/models` lists those it may.")
    if sheet is None:
        raise UnknownModel(f"The model `{wish.model}` has no price yet, so it is not for sale. Tell the operator.")
    model = directory.catalog.model(wish.model)
    work = WORKS.get(model.kind)
    able = [channel for channel in serving if _can(channel, wish, work)]
    fit = [channel for channel in able if not health.is_absent(channel.name, channel.models[wish.model])]
    attempts = tuple(
        Attempt(channel, credential, channel.models[wish.model], "" if work else _dialect(channel, wish))
        for channel in _order(fit, wish, health, random)
        for credential in _credentials(channel, wish.model, health)
    )
    if not (able or work):
        raise NotAllowed(f"The model `{wish.model}` cannot be called here: its vendor has no such interface for it.")
    if not attempts:
        raise _nobody(fit, wish.model, health)
    return Plan(model, sheet, attempts[:most], work)


def _can(channel: Channel, wish: Wish, work: Work | None) -> bool:
    if wish.pinned and channel.name != wish.pinned:
        return False
    if work:
        return work in channel.provider.works and wish.operation is Operation.CHAT
    return wish.operation in channel.spoken_for(wish.model).values()


def _dialect(channel: Channel, wish: Wish) -> str:
    """The caller's own dialect where the channel speaks it: that is the pipe. Else the first for the operation."""
    spoken = channel.spoken_for(wish.model)
    if wish.dialect in spoken:
        return wish.dialect
    return next(id for id, operation in spoken.items() if operation is wish.operation)


def _order(channels: list[Channel], wish: Wish, health: Health, random: Callable[[], float]) -> list[Channel]:
    """By tier; then resting channels last; then the caller's dialect first; then affinity or weighted chance."""

    def key(channel: Channel) -> tuple[int, bool, bool, float]:
        if wish.lead:  # a hiccup is no reason to leave a warm cache
            draw, weight = _affinity(channel, wish.lead), float(channel.weight)
        else:
            draw, weight = random(), channel.weight * max(health.score(channel.name), 0.01)
        rank = -(max(draw, 1e-12) ** (1 / weight))
        return channel.tier, health.is_open(channel.name), wish.dialect not in channel.spoken_for(wish.model), rank

    return sorted(channels, key=key) if len(channels) > 1 else channels


def _affinity(channel: Channel, lead: bytes) -> float:
    """Rendezvous hashing: a conversation stays where its prompt cache is, and moves only when that channel goes away."""
    digest = hashlib.blake2b(lead, key=channel.name.encode()[:64], digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _credentials(channel: Channel, model: str, health: Health) -> list[int]:
    upstream, pool = channel.models[model], range(len(channel.secrets))
    return [index for index in pool if not health.is_resting(channel.name, index, upstream)]


def _nobody(channels: list[Channel], model: str, health: Health) -> NoChannel | Busy:
    rests = [health.rest_s(one.name, i, one.models[model]) for one in channels for i in range(len(one.secrets))]
    if rests and min(rests) <= 60:
        return Busy(retry_after_s=max(min(rests), 1.0))
    return NoChannel()
