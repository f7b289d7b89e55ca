"""The one `metadata` that all tables join, and the columns that mean the same everywhere.

Money is BIGINT nano-units of the currency (column `amount`, `balance`, `cost`); a time is BIGINT unix milliseconds in a
column that ends in `_at`; JSON is text, because no query looks into it.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Constraints have names that do not depend on the database, so that a migration can speak of them."""

NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits as a primary key. SQLite makes a column its row id only if it is called INTEGER, and that holds 64 bits."""


def number_key(name: str = "id") -> Column[int]:
    """A primary key of 64 bits; the database counts it up when no value is given."""
    return Column(name, NUMBER, primary_key=True)


def money(name: str, **options: Any) -> Column[int]:
    """Nano-units of the currency: 1 unit = 1,000,000,000. Never null. `options`: further arguments of `Column`."""
    return Column(name, BigInteger, nullable=False, **options)


def moment(name: str, **options: Any) -> Column[int]:
    """Unix milliseconds; `name` ends in `_at`. `options`: for `Column`; not null unless they say so."""
    if not name.endswith("_at"):
        raise ValueError(f"A column with a time is called …_at, not {name}")
    return Column(name, BigInteger, **{"nullable": False, **options})
