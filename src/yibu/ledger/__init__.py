"""Money: a double-entry book in the same database as everything else, written by one batching writer a process.

`Ledger` is the whole of it for the callers of this package; `operation.py` says what each operation books.
"""

from yibu.kit.money import Nanos, in_units
from yibu.ledger.book import Also, Balance
from yibu.ledger.calls import CallRow
from yibu.ledger.check import check
from yibu.ledger.ledger import Ledger
from yibu.ledger.operation import LIMIT, Hold, HoldClosed, KeyTaken, LedgerRefusal, NoSuchHold, NotSettled, Transfer

__all__ = [
    "LIMIT",
    "Also",
    "Balance",
    "CallRow",
    "Hold",
    "HoldClosed",
    "KeyTaken",
    "Ledger",
    "LedgerRefusal",
    "Nanos",
    "NoSuchHold",
    "NotSettled",
    "Transfer",
    "check",
    "in_units",
]
