"""People, keys and callers, on a real file."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import IntegrityError

from tests.ledger.books import open_database
from yibu.hub.errors import WrongKey
from yibu.identity import Callers, keys, people
from yibu.identity.keys import KeyRow
from yibu.identity.tables import api_key, user
from yibu.identity.uses import Uses
from yibu.kit.db import Database, DatabaseAway


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path) as opened:
        yield opened


class Clock:
    """Seconds and unix milliseconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def wall_ms(self) -> int:
        return int(self.seconds * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def callers(db: Database, clock: Clock) -> Callers:
    return Callers(db, life_s=2.0, unknown_life_s=0.5, unknown_size=3, clock=clock, wall_ms=clock.wall_ms)


async def make_key(db: Database, **options: object) -> tuple[KeyRow, str]:
    def make(conn: Connection) -> tuple[KeyRow, str]:
        owner = people.ensure_owner(conn)
        return keys.create(conn, **{"user_id": owner.id, "name": "test", **options})  # type: ignore[arg-type]

    return await db.write(make)


async def test_one_owner(db: Database) -> None:
    """However often it is asked for, there is one owner with one wallet."""
    first = await db.write(people.ensure_owner)
    second = await db.write(people.ensure_owner)

    assert first == second
    assert first.role == "owner"
    assert await db.read(people.list_people) == [first]


async def test_people_have_wallets(db: Database) -> None:
    """Everybody gets a wallet of their own, or shares one that is named."""
    owner = await db.write(people.ensure_owner)
    other = await db.write(lambda conn: people.create(conn, name="小王", email="w@example.org"))
    guest = await db.write(lambda conn: people.create(conn, name="guest", wallet_id=owner.wallet_id))

    assert other.wallet_id != owner.wallet_id == guest.wallet_id
    assert await db.read(lambda conn: people.find(conn, other.id)) == other
    assert await db.read(lambda conn: people.find(conn, "user_0")) is None


async def test_an_address_belongs_to_one(db: Database) -> None:
    """A second account with the same e-mail address is refused; none at all may be had by many."""
    await db.write(lambda conn: people.create(conn, name="a", email="w@example.org"))
    await db.write(lambda conn: people.create(conn, name="b"))
    await db.write(lambda conn: people.create(conn, name="c"))

    with pytest.raises(IntegrityError):
        await db.write(lambda conn: people.create(conn, name="d", email="w@example.org"))


async def test_a_secret_is_nowhere_in_the_file(db: Database, tmp_path: Path) -> None:
    """Neither the secret nor its random part is in the database's bytes; its hash and its last characters are."""
    row, secret = await make_key(db)
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert secret.startswith("sk-yb-")
    assert secret.encode() not in files
    assert secret.removeprefix("sk-yb-").encode() not in files
    assert row.hash.encode() in files
    assert row.hint == secret[-4:]


async def test_keys_are_listed_as_made(db: Database) -> None:
    """All columns come back, models as a tuple."""
    row, _ = await make_key(db, models=("gpt-4o", "模型"), rpm=60, concurrency=4, expires_at=99)

    assert await db.read(keys.list_keys) == [row]
    assert await db.read(lambda conn: keys.list_keys(conn, row.user_id)) == [row]
    assert await db.read(lambda conn: keys.list_keys(conn, "user_0")) == []


async def test_a_caller(db: Database, callers: Callers) -> None:
    """A key's caller carries what a call needs."""
    row, secret = await make_key(db, models=("gpt-4o",), rpm=60, concurrency=4)
    caller = await callers.find(secret)

    assert (caller.key_id, caller.key_name, caller.user_id) == (row.id, "test", row.user_id)
    assert (caller.models, caller.rpm, caller.concurrency, caller.expires_at) == (("gpt-4o",), 60, 4, None)
    assert caller.wallet == (await db.write(people.ensure_owner)).wallet_id


@pytest.mark.parametrize("secret", ["", "sk-yb-", "sk-yb-" + "0" * 32, "Bearer x", "\ud800", "键", "a" * 100_000])
async def test_unknown_keys(callers: Callers, secret: str) -> None:
    """Whatever is sent as a key gets the same sentence."""
    with pytest.raises(WrongKey, match="not known here"):
        await callers.find(secret)


async def test_a_secret_with_a_letter_changed(db: Database, callers: Callers) -> None:
    """Upper case, blanks around it or a missing character make another key."""
    _, secret = await make_key(db)

    for wrong in (secret.upper(), f" {secret}", secret[:-1], f"Bearer {secret}"):
        with pytest.raises(WrongKey):
            await callers.find(wrong)


async def test_a_revoked_key_dies_with_the_memory(db: Database, callers: Callers, clock: Clock) -> None:
    """Revoked by another process it works on for two seconds at most; here it ends with `forget`."""
    row, secret = await make_key(db)
    await callers.find(secret)
    assert await db.write(lambda conn: keys.revoke(conn, row.id))
    assert not await db.write(lambda conn: keys.revoke(conn, row.id))

    clock.seconds += 1.9
    await callers.find(secret)
    clock.seconds += 0.2
    with pytest.raises(WrongKey, match=f"…{row.hint}.* was revoked"):
        await callers.find(secret)


async def test_forget(db: Database, callers: Callers) -> None:
    """After `forget` a revocation counts at once."""
    row, secret = await make_key(db)
    await callers.find(secret)
    await db.write(lambda conn: keys.revoke(conn, row.id))
    callers.forget()

    with pytest.raises(WrongKey, match="revoked"):
        await callers.find(secret)


async def test_expiry_is_exact(db: Database, callers: Callers, clock: Clock) -> None:
    """A key ends at its moment, also while it is remembered."""
    _, secret = await make_key(db, expires_at=clock.wall_ms() + 1_000)
    await callers.find(secret)

    clock.seconds += 1.0
    with pytest.raises(WrongKey, match="has expired"):
        await callers.find(secret)


async def test_a_blocked_owner(db: Database, callers: Callers) -> None:
    """The keys of somebody who was blocked are refused."""
    row, secret = await make_key(db)
    await db.write(lambda conn: conn.execute(update(user).where(user.c.id == row.user_id).values(status="blocked")))

    with pytest.raises(WrongKey, match="is blocked"):
        await callers.find(secret)


async def test_a_new_key_works_soon(db: Database, callers: Callers, clock: Clock) -> None:
    """A secret that was tried before it existed is unknown for half a second only."""
    row, secret = await make_key(db)
    await db.write(lambda conn: conn.execute(update(api_key).values(hash="other")))
    with pytest.raises(WrongKey):
        await callers.find(secret)
    await db.write(lambda conn: conn.execute(update(api_key).values(hash=row.hash)))

    with pytest.raises(WrongKey):
        await callers.find(secret)
    clock.seconds += 0.5
    assert (await callers.find(secret)).key_id == row.id


async def test_random_keys_do_not_fill_the_memory(db: Database, callers: Callers) -> None:
    """Unknown keys are remembered in a small place of their own; known ones stay."""
    _, secret = await make_key(db)
    await callers.find(secret)
    for number in range(20):
        with pytest.raises(WrongKey):
            await callers.find(f"sk-yb-{number}")
    await db.write(lambda conn: conn.execute(delete(api_key)))

    assert (await callers.find(secret)).key_name == "test"
    assert len(callers._unknown) == 3


async def last_uses(db: Database) -> list[int | None]:
    return [key.last_used_at for key in await db.read(keys.list_keys)]


async def test_use_is_noted(db: Database) -> None:
    """For many keys at once; an unknown one is passed over, and time does not go backwards."""
    row, _ = await make_key(db)
    other, _ = await make_key(db)
    await db.write(lambda conn: keys.note_use(conn, {row.id: 123, "key_0": 5, other.id: 7}))
    await db.write(lambda conn: keys.note_use(conn, {row.id: 122, other.id: 8}))

    assert await last_uses(db) == [123, 8]


async def test_using_a_key_is_written_later(db: Database, clock: Clock) -> None:
    """Not by the call, which would wait for it, but for all calls together, and only for keys that were accepted."""
    uses = Uses(db, wall_ms=clock.wall_ms)
    callers = Callers(db, clock=clock, wall_ms=clock.wall_ms, on_use=uses.note)
    _, secret = await make_key(db)
    revoked, revoked_secret = await make_key(db)
    await db.write(lambda conn: keys.revoke(conn, revoked.id))
    await callers.find(secret)
    clock.seconds += 3
    await callers.find(secret)
    with pytest.raises(WrongKey):
        await callers.find(revoked_secret)
    before = await last_uses(db)
    await uses.write()

    assert before == [None, None]
    assert await last_uses(db) == [1_003_000, None]


async def test_uses_are_written_now_and_then_and_in_the_end(db: Database, clock: Clock) -> None:
    row, _ = await make_key(db)
    uses = Uses(db, every_s=0.01, wall_ms=clock.wall_ms)
    uses.start()
    uses.note(row.id)
    async with asyncio.timeout(5):
        while await last_uses(db) != [1_000_000]:
            await asyncio.sleep(0.01)
    uses._every_s = 1000
    clock.seconds += 1
    await asyncio.sleep(0.03)
    uses.note(row.id)
    await uses.stop()

    assert await last_uses(db) == [1_001_000]


async def test_uses_wait_for_the_database(db: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written now is written the next time; a later use in between counts."""

    def away(*_: object, **__: object) -> None:
        raise DatabaseAway("away")

    row, _ = await make_key(db)
    other, _ = await make_key(db)
    uses = Uses(db, wall_ms=clock.wall_ms)
    uses.note(row.id)
    uses.note(other.id)
    with monkeypatch.context() as broken:
        broken.setattr(db, "submit_write", away)
        await uses.write()
    clock.seconds += 1
    uses.note(other.id)
    await uses.write()

    assert await last_uses(db) == [1_000_000, 1_001_000]
