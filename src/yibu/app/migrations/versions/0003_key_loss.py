"""A key may refuse what a translation would lose."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("api_key", sa.Column("refuses_loss", sa.Boolean, nullable=False, server_default=sa.false()))
