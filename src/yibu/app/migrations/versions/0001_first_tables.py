"""The first tables: money, calls, people and keys.

What the columns mean stands in each package's `tables.py`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables, package by package."""
    ledger()
    tasks()
    identity()


def ledger() -> None:
    op.create_table(
        "account",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("balance", sa.BigInteger, nullable=False),
        sa.CheckConstraint("kind <> 'held' OR balance >= 0", name="held_not_negative"),
    )
    op.create_table(
        "transfer",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("wallet", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_transfer_wallet_id", "transfer", ["wallet", "id"])
    op.create_table(
        "entry",
        sa.Column("transfer_id", NUMBER, sa.ForeignKey("transfer.id"), primary_key=True),
        sa.Column("account_id", NUMBER, sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "call",
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("wallet", sa.BigInteger, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("upstream_model", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("dialect", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("is_stream", sa.Boolean, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("error_code", sa.Text, nullable=False),
        sa.Column("units", sa.Text, nullable=False),
        sa.Column("is_estimated", sa.Boolean, nullable=False),
        sa.Column("cost", sa.BigInteger, nullable=False),
        sa.Column("first_byte_ms", sa.Integer),
        sa.Column("total_ms", sa.Integer, nullable=False),
        sa.Column("losses", sa.Text, nullable=False),
        sa.Column("task_id", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_call_wallet_started_at", "call", ["wallet", "started_at"])
    op.create_index("ix_call_started_at", "call", ["started_at"])


def tasks() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("wallet", sa.BigInteger, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("places", sa.Text, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("upstream_id", sa.Text, nullable=False),
        sa.Column("is_queued", sa.Boolean, nullable=False),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("error_code", sa.Text, nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        sa.Column("is_policy", sa.Boolean, nullable=False),
        sa.Column("hold_amount", sa.BigInteger, nullable=False),
        sa.Column("cost", sa.BigInteger, nullable=False),
        sa.Column("sheet", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("lease_until_at", sa.BigInteger),
        sa.Column("lease_token", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("deadline_at", sa.BigInteger),
        sa.Column("final_at", sa.BigInteger),
    )
    op.create_index("ix_task_next_at", "task", ["next_at"])
    op.create_index("ix_task_wallet_created_at", "task", ["wallet", "created_at"])
    op.create_table(
        "file",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("task_id", sa.Text, nullable=False),
        sa.Column("wallet", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("mime", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
    )
    op.create_index("ix_file_task_id", "file", ["task_id"])
    op.create_index("ix_file_expires_at", "file", ["expires_at"])


def identity() -> None:
    op.create_table(
        "wallet",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, unique=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("wallet_id", NUMBER, sa.ForeignKey("wallet.id"), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("role IN ('owner', 'admin', 'operator', 'member')", name="role"),
        sa.CheckConstraint("status IN ('active', 'blocked')", name="status"),
    )
    op.create_index("ix_user_wallet_id", "user", ["wallet_id"])
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("user.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("models", sa.Text),
        sa.Column("rpm", sa.Integer),
        sa.Column("concurrency", sa.Integer),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("last_used_at", sa.BigInteger),
    )
    op.create_index("ix_api_key_user_id", "api_key", ["user_id"])
