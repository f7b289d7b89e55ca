"""The tables of kept responses and of the items in them."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from yibu.kit.tables import metadata, moment

response = Table(
    "response",
    metadata,
    # Whose it is. Ids may be a vendor's, so that they are the caller's own only within his wallet.
    Column("wallet", BigInteger, nullable=False),
    Column("id", Text, nullable=False),
    # The id of the response that this one continues; empty when it begins a conversation.
    Column("previous_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    # queued, in_progress, completed, incomplete, failed, cancelled
    Column("status", Text, nullable=False),
    # JSON: the items that the caller sent with this call, without those that came from earlier ones.
    Column("input", Text, nullable=False),
    # JSON: the response object as it was answered.
    Column("body", Text, nullable=False),
    # The events of a stream in the background, as they were sent; null for others.
    Column("events", LargeBinary, nullable=True),
    moment("created_at"),
    moment("expires_at"),
    PrimaryKeyConstraint("wallet", "id"),
    Index("ix_response_expires_at", "expires_at"),
    Index("ix_response_status", "status"),
)

response_item = Table(
    "response_item",
    metadata,
    Column("wallet", BigInteger, nullable=False),
    # The id of an element of `output`, by which a later call may refer to it.
    Column("id", Text, nullable=False),
    Column("response_id", Text, nullable=False),
    PrimaryKeyConstraint("wallet", "id"),
    Index("ix_response_item_wallet_response_id", "wallet", "response_id"),
)
