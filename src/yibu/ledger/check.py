"""The proof: recomputes what the book says about itself. `yibu ledger check` and the tests run it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from yibu.kit.money import in_units

Row = Any
"""A row of one of the queries below; each sentence stands next to its query."""


def check(conn: Connection) -> list[str]:
    """Gives a sentence for each thing that is wrong, saying where and by how much; an empty list when all is well.

    Reads every transfer and entry a few times: seconds for a million. Run it in `Database.read`.
    """
    return [sentence(row) for query, sentence in _CHECKS for row in conn.exec_driver_sql(query)]


_BALANCES = """
    SELECT account.name, account.balance, COALESCE(booked.amount, 0) AS booked
    FROM account
    LEFT JOIN (SELECT account_id, SUM(amount) AS amount FROM entry GROUP BY account_id) AS booked
        ON booked.account_id = account.id
    WHERE account.balance <> COALESCE(booked.amount, 0)
    ORDER BY account.name
"""

_SUMS = """
    SELECT transfer.key, SUM(entry.amount) AS amount
    FROM entry JOIN transfer ON transfer.id = entry.transfer_id
    GROUP BY transfer.key HAVING SUM(entry.amount) <> 0
    ORDER BY transfer.key
"""

# Also finds transfers whose entries are missing, or stand in another wallet's accounts.
_AMOUNTS = """
    SELECT key, kind, amount, booked FROM (
        SELECT transfer.id, transfer.key, transfer.kind, transfer.amount, COALESCE(SUM(
            CASE
                WHEN transfer.kind = 'hold' AND account.name = 'wallet:' || transfer.wallet || ':held'
                    THEN entry.amount
                WHEN transfer.kind = 'release' AND account.name = 'wallet:' || transfer.wallet || ':held'
                    THEN -entry.amount
                WHEN transfer.kind = 'settle' AND account.name = 'house:revenue:' || transfer.wallet
                    THEN entry.amount
                WHEN transfer.kind IN ('credit', 'refund', 'adjust')
                        AND account.name = 'wallet:' || transfer.wallet || ':available'
                    THEN entry.amount
                ELSE 0
            END
        ), 0) AS booked
        FROM transfer
        LEFT JOIN entry ON entry.transfer_id = transfer.id
        LEFT JOIN account ON account.id = entry.account_id
        GROUP BY transfer.id, transfer.key, transfer.kind, transfer.amount
    ) AS compared
    WHERE amount <> booked
    ORDER BY id
"""

_OVERDRAWN_HOLDS = "SELECT name, balance FROM account WHERE kind = 'held' AND balance < 0 ORDER BY name"

# ':hold' has five characters. What was taken out of leases is counted apart: many calls share one.
_OPEN_HOLDS = """
    SELECT account.name, account.balance, COALESCE(opened.amount, 0) AS opened
    FROM account
    LEFT JOIN (
        SELECT wallet, SUM(amount) AS amount FROM (
            SELECT hold.wallet, hold.amount
            FROM transfer AS hold
            LEFT JOIN transfer AS closing ON closing.key = SUBSTR(hold.key, 1, LENGTH(hold.key) - 5) || ':close'
            WHERE hold.kind = 'hold' AND (closing.id IS NULL OR hold.reason = 'lease')
            UNION ALL
            SELECT drawn.wallet, entry.amount
            FROM transfer AS drawn
            JOIN entry ON entry.transfer_id = drawn.id
            JOIN account ON account.id = entry.account_id AND account.kind = 'held'
            WHERE drawn.kind IN ('settle', 'release') AND drawn.reason <> ''
        ) AS held
        GROUP BY wallet
    ) AS opened ON account.name = 'wallet:' || opened.wallet || ':held'
    WHERE account.kind = 'held' AND account.balance <> COALESCE(opened.amount, 0)
    ORDER BY account.name
"""

_OVERDRAWN_LEASES = """
    SELECT hold.key, hold.amount, -SUM(entry.amount) AS drawn
    FROM transfer AS hold
    JOIN transfer AS drawing
        ON drawing.reason = SUBSTR(hold.key, 1, LENGTH(hold.key) - 5) AND drawing.kind IN ('settle', 'release')
    JOIN entry ON entry.transfer_id = drawing.id
    JOIN account ON account.id = entry.account_id AND account.kind = 'held'
    WHERE hold.kind = 'hold' AND hold.reason = 'lease'
    GROUP BY hold.key, hold.amount HAVING -SUM(entry.amount) > hold.amount
    ORDER BY hold.key
"""

# ':close' has six. The reason of a closing is the lease that its hold was a part of.
_CLOSED_NOTHING = """
    SELECT closing.key FROM transfer AS closing
    LEFT JOIN transfer AS hold
        ON hold.wallet = closing.wallet AND hold.key = CASE
            WHEN closing.reason = '' THEN SUBSTR(closing.key, 1, LENGTH(closing.key) - 6) || ':hold'
            ELSE closing.reason || ':hold'
        END
    WHERE closing.kind IN ('settle', 'release') AND hold.id IS NULL
    ORDER BY closing.id
"""

# ':refund' has seven.
_REFUNDED_TOO_MUCH = """
    SELECT refund.key, refund.amount, COALESCE(settled.amount, 0) AS settled FROM transfer AS refund
    LEFT JOIN transfer AS settled
        ON settled.key = SUBSTR(refund.key, 1, LENGTH(refund.key) - 7) || ':close' AND settled.kind = 'settle'
            AND settled.wallet = refund.wallet
    WHERE refund.kind = 'refund' AND refund.amount > COALESCE(settled.amount, 0)
    ORDER BY refund.id
"""

_ORPHANS = """
    SELECT entry.transfer_id, entry.account_id, entry.amount FROM entry
    LEFT JOIN transfer ON transfer.id = entry.transfer_id
    LEFT JOIN account ON account.id = entry.account_id
    WHERE transfer.id IS NULL OR account.id IS NULL
    ORDER BY entry.transfer_id
"""

_CHECKS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    (
        _BALANCES,
        lambda row: (
            f"Account {row.name} says {in_units(row.balance)}; its entries sum to {in_units(row.booked)}, "
            f"a difference of {in_units(row.balance - row.booked)}"
        ),
    ),
    (_SUMS, lambda row: f"The entries of transfer {row.key} sum to {in_units(row.amount)} instead of 0"),
    (
        _AMOUNTS,
        lambda row: (
            f"Transfer {row.key} says a {row.kind} of {in_units(row.amount)}; its entries say {in_units(row.booked)}"
        ),
    ),
    (_OVERDRAWN_HOLDS, lambda row: f"Account {row.name} is below zero by {in_units(-row.balance)}"),
    (
        _OPEN_HOLDS,
        lambda row: f"Account {row.name} says {in_units(row.balance)}; the open holds are {in_units(row.opened)}",
    ),
    (
        _OVERDRAWN_LEASES,
        lambda row: f"Lease {row.key} is of {in_units(row.amount)}; {in_units(row.drawn)} were taken out of it",
    ),
    (_CLOSED_NOTHING, lambda row: f"Transfer {row.key} closes a hold that is not there"),
    (
        _REFUNDED_TOO_MUCH,
        lambda row: f"Transfer {row.key} gives back {in_units(row.amount)} of {in_units(row.settled)} settled",
    ),
    (
        _ORPHANS,
        lambda row: (
            f"An entry of {in_units(row.amount)} belongs to transfer {row.transfer_id} and account {row.account_id}, "
            "one of which is not there"
        ),
    ),
)
