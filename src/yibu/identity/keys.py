"""API keys: made, listed, revoked, found by their secret. The secret is shown once and kept nowhere."""

import hashlib
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, insert, or_, select, update

from yibu.identity.tables import api_key, user
from yibu.kit.ids import new_id, new_secret, now_ms

PREFIX = "sk-yb-"


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is stored; members are the columns of `tables.api_key`. `models` None: all."""

    id: str
    user_id: str
    name: str
    hash: str
    hint: str
    models: tuple[str, ...] | None
    rpm: int | None
    concurrency: int | None
    refuses_loss: bool
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None


class Owned(msgspec.Struct, frozen=True):
    """A key, and of the person it belongs to what a call needs to know."""

    key: KeyRow
    wallet_id: int
    status: str


def create(
    conn: Connection,
    *,
    user_id: str,
    name: str,
    models: tuple[str, ...] | None = None,
    rpm: int | None = None,
    concurrency: int | None = None,
    refuses_loss: bool = False,
    expires_at: int | None = None,
) -> tuple[KeyRow, str]:
    """Makes a key and gives it with its secret, which cannot be had again.

    `rpm`: requests a minute; `concurrency`: requests at a time; None: as the house allows. `expires_at`: unix
    milliseconds; `refuses_loss`: see `Caller`. Raises SQLAlchemy's `IntegrityError` for an unknown user.
    """
    secret = new_secret(PREFIX)
    row = KeyRow(
        id=new_id("key"),
        user_id=user_id,
        name=name,
        hash=hash_of(secret),
        hint=secret[-4:],
        models=models,
        rpm=rpm,
        concurrency=concurrency,
        refuses_loss=refuses_loss,
        created_at=now_ms(),
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
    )
    stored = msgspec.structs.asdict(row)
    stored["models"] = None if models is None else msgspec.json.encode(models).decode()
    conn.execute(insert(api_key).values(stored))
    return row, secret


def revoke(conn: Connection, key_id: str) -> bool:
    """Ends a key for good; gives False when there is no such key or it was revoked before."""
    ended = conn.execute(
        update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=now_ms())
    )
    return ended.rowcount == 1


def list_keys(conn: Connection, user_id: str | None = None) -> list[KeyRow]:
    """Answers which keys there are, of one user or of all, oldest first, revoked ones too."""
    query = select(api_key).order_by(api_key.c.id)
    if user_id is not None:
        query = query.where(api_key.c.user_id == user_id)
    return [_key(dict(row)) for row in conn.execute(query).mappings()]


def find_by_hash(conn: Connection, secret_hash: str) -> Owned | None:
    """Answers whose key this is, whatever its state. `secret_hash`: from `hash_of`."""
    row = conn.execute(_FIND, {"secret_hash": secret_hash}).mappings().one_or_none()
    if row is None:
        return None
    columns = dict(row)
    wallet_id, status = columns.pop("wallet_id"), columns.pop("status")
    return Owned(_key(columns), wallet_id, status)


def note_use(conn: Connection, used: dict[str, int]) -> None:
    """Remembers when keys were last used, never an earlier time than is there. `used`: key id to unix milliseconds."""
    if used:
        conn.execute(_NOTE_USE, [{"key_id": key_id, "at": at} for key_id, at in used.items()])


def hash_of(secret: str) -> str:
    """Gives what is stored of a secret; takes any text that a caller may send."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(columns: dict[str, Any]) -> KeyRow:
    models = columns["models"]
    if models is not None:
        columns["models"] = tuple(msgspec.json.decode(models, type=list[str]))
    return KeyRow(**columns)


_FIND = (
    select(api_key, user.c.wallet_id, user.c.status)
    .join(user, user.c.id == api_key.c.user_id)
    .where(api_key.c.hash == bindparam("secret_hash"))
)

_NOTE_USE = (
    update(api_key)
    .where(
        api_key.c.id == bindparam("key_id"),
        or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at < bindparam("at")),
    )
    .values(last_used_at=bindparam("at"))
)
