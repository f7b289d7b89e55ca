"""The tables of people, wallets and API keys."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, false

from yibu.kit.tables import metadata, moment, number_key

wallet = Table(
    "wallet",
    metadata,
    # The number in the names of the ledger's accounts; several people may share a wallet.
    number_key(),
    Column("name", Text, nullable=False),
    moment("created_at"),
)

user = Table(
    "user",
    metadata,
    # `user_01k7…`
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, unique=True),
    Column("role", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("wallet_id", wallet.c.id.type, ForeignKey("wallet.id"), nullable=False),
    moment("created_at"),
    CheckConstraint("role IN ('owner', 'admin', 'operator', 'member')", name="role"),
    CheckConstraint("status IN ('active', 'blocked')", name="status"),
    Index("ix_user_wallet_id", "wallet_id"),
)

api_key = Table(
    "api_key",
    metadata,
    # `key_01k7…`; the secret itself is nowhere.
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("user.id"), nullable=False),
    Column("name", Text, nullable=False),
    # SHA-256 of the secret, 64 hexadecimal characters. Secrets have 160 random bits, so a slow hash would add nothing.
    Column("hash", Text, nullable=False, unique=True),
    # The last four characters of the secret, for people who compare.
    Column("hint", Text, nullable=False),
    # JSON array of public model names; null: all.
    Column("models", Text),
    # Requests a minute, requests at a time; null: as the house allows.
    Column("rpm", Integer),
    Column("concurrency", Integer),
    moment("created_at"),
    # From then on it is refused; null: never.
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    # Its calls are refused where a translation would lose something, rather than answered with a note of it.
    Column("refuses_loss", Boolean, nullable=False, server_default=false()),
    Index("ix_api_key_user_id", "user_id"),
)
