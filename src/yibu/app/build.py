"""The object graph: every part of the gateway, made and connected in one readable function."""

import random
import time
from collections.abc import Awaitable

import msgspec

from yibu.catalog import catalog
from yibu.dialects import chat_dialects
from yibu.gateway.asgi import Gateway
from yibu.gateway.background import Runs
from yibu.gateway.closing import Closings
from yibu.gateway.house import House
from yibu.gateway.metrics import Metrics
from yibu.identity.callers import Callers
from yibu.identity.uses import Uses
from yibu.kit.blobs import Blobs
from yibu.kit.db import Database
from yibu.kit.fetch import Fetcher
from yibu.kit.guard import Guard
from yibu.kit.http import Client
from yibu.kit.ids import now_ms
from yibu.kit.links import Signer, load_secret
from yibu.kit.rates import Rates
from yibu.kit.settings import Settings
from yibu.ledger import Ledger
from yibu.ledger.stale import reclaim_leases, release_stale
from yibu.relay import Wires
from yibu.relay.seals import Seals
from yibu.responses.archive import Archive
from yibu.routing import channel
from yibu.routing.credentials import Credentials
from yibu.routing.health import Health
from yibu.routing.plan import Directory
from yibu.tasks import films
from yibu.tasks.chores import Chore
from yibu.tasks.engine import Engine, Handler
from yibu.tasks.files import Files
from yibu.tasks.store import free_leases

MOST_OPEN_CALLS = 10_000
"""At the same time in one process; more wait in the kernel's queue. A stream keeps a call open for as long as it runs."""

HOUR_S = 3600.0
HOUR_MS = 3_600_000


class App(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway that can be started once and stopped once. The database's tables are current."""

    gateway: Gateway
    house: House
    chores: tuple[Chore, ...]
    uses: Uses

    async def start(self) -> None:
        """Clears up after a predecessor that was killed, then begins to look after tasks.

        SQLite has one serving process (`data_dir.py`), so whatever is held for calls or leased now is nobody's.
        """
        house = self.house
        await house.ledger.start()
        await release_stale(house.db, house.ledger, older_than_ms=0)
        await reclaim_leases(house.db, house.ledger)
        await house.db.write(lambda conn: free_leases(conn, now_ms()))
        await house.archive.fail_unfinished()
        for chore in self.chores:
            await chore.enlist(house.db)
        house.wires.engine.start()
        self.uses.start()

    async def stop(self) -> None:
        """Waits until every answered call is booked; tasks go on at the next start."""
        house = self.house
        await house.wires.engine.stop()
        await house.runs.stop()
        await house.closings.drain()
        await house.ledger.stop()
        await self.uses.stop()
        await house.wires.client.close()
        await house.wires.fetcher.close()
        await house.db.close()


def build(settings: Settings) -> App:
    """Raises `WrongChannel` or `ValueError` with a sentence for the operator when the configuration makes no sense."""
    limits = settings.limits
    db = Database.open(settings.database_url)
    ledger = Ledger(db)
    client = Client(user_agent="yibu", max_connections=MOST_OPEN_CALLS)
    guard = Guard(settings.fetch.allow, limits.url_length)
    fetcher = Fetcher(guard, settings.fetch.max_bytes, settings.fetch.timeout_s)
    blobs = Blobs(settings.data_dir / "blobs")
    files = Files(db, blobs, ttl_ms=int(settings.files.ttl_hours * HOUR_MS), max_bytes=settings.files.max_bytes)

    archive = Archive(db, ttl_ms=int(settings.responses.ttl_hours * HOUR_MS))

    directory = Directory(
        channel.from_settings(settings.channels), catalog.from_settings(settings.models, settings.prices)
    )

    def current() -> Directory:
        return directory

    closings = Closings()
    longest_ms = int((limits.first_byte_s + limits.idle_s + HOUR_S) * 1000)

    def release() -> Awaitable[int]:
        return release_stale(db, ledger, older_than_ms=longest_ms, is_open=closings.holds)

    chores = (
        Chore("release_stale_holds", HOUR_S, release),
        Chore("remove_expired_files", HOUR_S / 6, files.remove_expired),
        Chore("remove_expired_responses", HOUR_S / 6, archive.remove_expired),
        Chore("remove_orphans", HOUR_S * 6, files.remove_orphans),
    )
    credentials = Credentials(client)
    health = Health(time.monotonic)
    decode_error = chat_dialects()["openai_chat"].decode_error
    film_maker = films.Films(current, client, credentials, files, decode_error, health, fetcher)
    handlers: dict[str, Handler] = {films.KIND: film_maker, **{chore.kind: chore for chore in chores}}
    metrics = Metrics()
    engine = Engine(
        db,
        ledger,
        handlers,
        workers=settings.tasks.workers,
        lease_s=settings.tasks.lease_s,
        on_charge=lambda task, nanos: metrics.charged(task.where.channel, nanos),
    )

    wires = Wires(
        client=client,
        credentials=credentials,
        fetcher=fetcher,
        health=health,
        engine=engine,
        files=files,
        seals=Seals(),
        signer=Signer(load_secret(settings.data_dir / "link-secret")),
        limits=limits,
        deadline_s=settings.tasks.deadline_s,
        directory=current,
    )
    uses = Uses(db)
    house = House(
        settings=settings,
        db=db,
        callers=Callers(db, on_use=uses.note),
        rates=Rates(),
        ledger=ledger,
        wires=wires,
        closings=closings,
        archive=archive,
        runs=Runs(),
        metrics=metrics,
        directory=current,
        random=random.random,
    )
    return App(gateway=Gateway(house), house=house, chores=chores, uses=uses)
