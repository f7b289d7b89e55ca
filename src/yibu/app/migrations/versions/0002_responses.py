"""Responses that are kept for their callers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "response",
        sa.Column("wallet", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("previous_id", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("input", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("events", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("wallet", "id"),
    )
    op.create_index("ix_response_expires_at", "response", ["expires_at"])
    op.create_index("ix_response_status", "response", ["status"])
    op.create_table(
        "response_item",
        sa.Column("wallet", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("response_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("wallet", "id"),
    )
    op.create_index("ix_response_item_wallet_response_id", "response_item", ["wallet", "response_id"])
