"""People and their wallets."""

from typing import Literal

import msgspec
from sqlalchemy import Connection, insert, select

from yibu.identity.tables import user, wallet
from yibu.kit.ids import new_id, now_ms

Role = Literal["owner", "admin", "operator", "member"]
Status = Literal["active", "blocked"]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account; members are the columns of `tables.user`."""

    id: str
    name: str
    email: str | None
    role: Role
    status: Status
    wallet_id: int
    created_at: int


def create_wallet(conn: Connection, name: str) -> int:
    """Makes an empty wallet and gives its number."""
    done = conn.execute(insert(wallet).values(name=name, created_at=now_ms()))
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def create(
    conn: Connection, *, name: str, role: Role = "member", email: str | None = None, wallet_id: int | None = None
) -> Person:
    """Makes a person, with a wallet of their own unless `wallet_id` is given.

    Raises SQLAlchemy's `IntegrityError` when the e-mail address is taken.
    """
    person = Person(
        id=new_id("user"),
        name=name,
        email=email,
        role=role,
        status="active",
        wallet_id=create_wallet(conn, name) if wallet_id is None else wallet_id,
        created_at=now_ms(),
    )
    conn.execute(insert(user).values(msgspec.structs.asdict(person)))
    return person


def ensure_owner(conn: Connection) -> Person:
    """Gives the owner of the house; makes one with a wallet when there is none yet. Run it in `Database.write`."""
    return find_owner(conn) or create(conn, name="owner", role="owner")


def find_owner(conn: Connection) -> Person | None:
    """Answers who is the owner; the oldest if there are several."""
    row = conn.execute(select(user).where(user.c.role == "owner").order_by(user.c.id).limit(1)).mappings().one_or_none()
    return None if row is None else Person(**row)


def find(conn: Connection, user_id: str) -> Person | None:
    """Answers who has this id."""
    row = conn.execute(select(user).where(user.c.id == user_id)).mappings().one_or_none()
    return None if row is None else Person(**row)


def list_people(conn: Connection) -> list[Person]:
    """Answers who there is, oldest first."""
    return [Person(**row) for row in conn.execute(select(user).order_by(user.c.id)).mappings()]
