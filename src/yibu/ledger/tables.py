"""The tables of the book and the log of calls. Design: section 9 of the architecture.

A transfer moves money between accounts; its entries sum to zero. Nothing here is ever changed or deleted, except that
an account carries its balance so that nobody has to add up entries to know it (`check.py` does add them up).
"""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from yibu.kit.tables import NUMBER, metadata, moment, money, number_key

account = Table(
    "account",
    metadata,
    number_key(),
    # `wallet:42:available`, `house:revenue:42`, `rail:stripe`; see accounts.py.
    Column("name", Text, nullable=False, unique=True),
    # available, held, revenue, rail or house: what the name says, for queries.
    Column("kind", Text, nullable=False),
    # The sum of this account's entries, in nano-units.
    money("balance"),
    CheckConstraint("kind <> 'held' OR balance >= 0", name="held_not_negative"),
)

transfer = Table(
    "transfer",
    metadata,
    # Rises with time; made by `kit.ids.new_number`.
    number_key(),
    # What makes an operation happen once: `<key>:hold`, `<key>:close`, `<key>:refund`, `<rail>:<key>:credit`.
    # A hold is settled or released under the same key, so that "settled and released" cannot be written down.
    Column("key", Text, nullable=False, unique=True),
    # hold, settle, release, refund, credit or adjust.
    Column("kind", Text, nullable=False),
    Column("wallet", BigInteger, nullable=False),
    # What was held, charged, given back or credited, in nano-units; negative only when an adjustment takes.
    money("amount"),
    # Why, in words or as a tag: `call`, `task`, `lease`, the reason of a credit; of a settlement or release the key of
    # the lease that the money was set aside in, empty when it had a hold of its own.
    Column("reason", Text, nullable=False),
    moment("created_at"),
    Index("ix_transfer_wallet_id", "wallet", "id"),
)

entry = Table(
    "entry",
    metadata,
    Column("transfer_id", NUMBER, ForeignKey("transfer.id"), primary_key=True),
    Column("account_id", NUMBER, ForeignKey("account.id"), primary_key=True),
    # Nano-units; positive goes into the account.
    money("amount"),
    # No row ids: the entries of a transfer lie side by side, and there is one tree to write instead of two.
    sqlite_with_rowid=False,
)

call = Table(
    "call",
    metadata,
    Column("request_id", Text, primary_key=True),
    moment("started_at"),
    Column("wallet", BigInteger, nullable=False),
    # Empty when the call was refused before its key was known.
    Column("key_id", Text, nullable=False),
    # As the caller named it, and as it was called upstream; the latter is empty when nobody was asked.
    Column("model", Text, nullable=False),
    Column("upstream_model", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("is_stream", Boolean, nullable=False),
    # HTTP status as answered; `error_code` is empty when all went well.
    Column("status", Integer, nullable=False),
    Column("error_code", Text, nullable=False),
    # JSON object, meter to count.
    Column("units", Text, nullable=False),
    # Counted by us, because the vendor did not say.
    Column("is_estimated", Boolean, nullable=False),
    money("cost"),
    # Milliseconds after `started_at`; null when there was no byte.
    Column("first_byte_ms", Integer),
    Column("total_ms", Integer, nullable=False),
    # JSON array of what a translation could not carry.
    Column("losses", Text, nullable=False),
    # The task that goes on after the answer; empty for calls that end with it.
    Column("task_id", Text, nullable=False),
    Index("ix_call_wallet_started_at", "wallet", "started_at"),
    Index("ix_call_started_at", "started_at"),
    sqlite_with_rowid=False,
)
