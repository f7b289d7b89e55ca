"""Who calls with this key: a small memory in front of the table of keys."""

import time
from collections.abc import Callable

import msgspec

from yibu.hub.errors import WrongKey
from yibu.identity.keys import Owned, find_by_hash, hash_of
from yibu.kit.db import Database
from yibu.kit.ids import now_ms
from yibu.kit.memory import Memory

LIFE_S = 2.0
SIZE = 10_000
"""Known keys in memory, about 1 KB each."""

UNKNOWN_LIFE_S = 0.5
UNKNOWN_SIZE = 1_000
"""Unknown keys have a memory of their own, so that somebody who tries keys cannot drive the real ones out."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a call is made for.

    `models` None: all; `rpm`, `concurrency` None: as the house allows; `expires_at`: unix milliseconds;
    `refuses_loss`: an error is better than an answer that could not be asked for in full.
    """

    key_id: str
    key_name: str
    user_id: str
    wallet: int
    models: tuple[str, ...] | None = None
    rpm: int | None = None
    concurrency: int | None = None
    refuses_loss: bool = False
    expires_at: int | None = None


class Callers:
    """Finds callers by the secret of their key. A revoked key works on for at most `life_s` seconds."""

    def __init__(
        self,
        db: Database,
        *,
        life_s: float = LIFE_S,
        size: int = SIZE,
        unknown_life_s: float = UNKNOWN_LIFE_S,
        unknown_size: int = UNKNOWN_SIZE,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = now_ms,
        on_use: Callable[[str], None] = lambda _key_id: None,
    ) -> None:
        """`clock`: monotonic seconds, for the life of what is remembered; `wall_ms`: unix ms, for expiry; `on_use`: told
        the id of a key that was accepted, once in its life in memory."""
        self._db = db
        self._known: Memory[Owned] = Memory(size, life_s, clock)
        self._unknown: Memory[bool] = Memory(unknown_size, min(unknown_life_s, life_s), clock)
        self._wall_ms = wall_ms
        self._on_use = on_use

    async def find(self, secret: str) -> Caller:
        """Gives the caller; raises `WrongKey` when the key is unknown, revoked, expired or its owner is blocked.

        `secret`: as the caller sent it, without `Bearer `. Raises `DatabaseAway`.
        """
        secret_hash = hash_of(secret)
        owned = self._known.get(secret_hash)
        if owned is not None:
            return self._caller(owned)
        if self._unknown.get(secret_hash):
            raise WrongKey()
        caller = self._caller(await self._look_up(secret_hash))
        self._on_use(caller.key_id)
        return caller

    def forget(self) -> None:
        """Looks everything up afresh: after a key was made, revoked or changed in this process."""
        self._known.clear()
        self._unknown.clear()

    async def _look_up(self, secret_hash: str) -> Owned:
        owned = await self._db.read(lambda conn: find_by_hash(conn, secret_hash))
        if owned is None:
            self._unknown.put(secret_hash, True)
            raise WrongKey()
        self._known.put(secret_hash, owned)
        return owned

    def _caller(self, owned: Owned) -> Caller:
        key = owned.key
        if key.revoked_at is not None:
            raise WrongKey(f"This API key (…{key.hint}) was revoked. Ask the operator for a new one.")
        if key.expires_at is not None and key.expires_at <= self._wall_ms():
            raise WrongKey(f"This API key (…{key.hint}) has expired. Ask the operator for a new one.")
        if owned.status != "active":
            raise WrongKey(f"The owner of this API key (…{key.hint}) is blocked. Ask the operator.")
        return Caller(
            key_id=key.id,
            key_name=key.name,
            user_id=key.user_id,
            wallet=owned.wallet_id,
            models=key.models,
            rpm=key.rpm,
            concurrency=key.concurrency,
            refuses_loss=key.refuses_loss,
            expires_at=key.expires_at,
        )
