"""The tables of long work and of the files that come out of it."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from yibu.kit.tables import metadata, moment, money

task = Table(
    "task",
    metadata,
    Column("id", Text, primary_key=True),
    # video, or chore:<name>
    Column("kind", Text, nullable=False),
    # accepted, submitting, running, collecting, done, failed, expired; a chore stays accepted.
    Column("state", Text, nullable=False),
    # Whose it is; 0 and empty for chores.
    Column("wallet", BigInteger, nullable=False),
    Column("key_id", Text, nullable=False),
    # The call that asked for it; its row in the log of calls gets the cost.
    Column("request_id", Text, nullable=False),
    # The public name, by which it was sold.
    Column("model", Text, nullable=False),
    # JSON: what was asked (`films.Order`), and where it may be made: [[channel, credential, upstream model], …] in order.
    Column("request", Text, nullable=False),
    Column("places", Text, nullable=False),
    # Which of the places is being tried or has taken it.
    Column("place", Integer, nullable=False),
    # The vendor's id, once it has told; empty before.
    Column("upstream_id", Text, nullable=False),
    Column("is_queued", Boolean, nullable=False),
    # 0 to 100.
    Column("progress", Integer, nullable=False),
    # Why it ended badly; empty otherwise.
    Column("error_code", Text, nullable=False),
    Column("error_message", Text, nullable=False),
    Column("is_policy", Boolean, nullable=False),
    # Held under the task's id at accept, charged at done; nanos.
    money("hold_amount"),
    money("cost"),
    # JSON: the price sheet as it was when the work was sold, so that a new price cannot change a running job.
    Column("sheet", Text, nullable=False),
    # How often the present state was tried without success.
    Column("attempt", Integer, nullable=False),
    # When to look after it again; null when it is final.
    moment("next_at", nullable=True),
    # Who looks after it, and until when; a late worker's token no longer matches, so it writes nothing.
    moment("lease_until_at", nullable=True),
    Column("lease_token", Text, nullable=True),
    moment("created_at"),
    moment("deadline_at", nullable=True),
    moment("final_at", nullable=True),
    Index("ix_task_next_at", "next_at"),
    Index("ix_task_wallet_created_at", "wallet", "created_at"),
)

file = Table(
    "file",
    metadata,
    # 160 random bits: whoever has the link has the file, until it expires.
    Column("id", Text, primary_key=True),
    # Empty for files that no task made.
    Column("task_id", Text, nullable=False),
    Column("wallet", BigInteger, nullable=False),
    # video, thumbnail or picture
    Column("kind", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    moment("created_at"),
    # Null: never.
    moment("expires_at", nullable=True),
    Index("ix_file_task_id", "task_id"),
    Index("ix_file_expires_at", "expires_at"),
)
