"""Names for things: sortable ids, sortable numbers for rows, and secrets.

An id is a prefix, `_`, and 26 characters: 48 bits of unix milliseconds and 80 random bits in Crockford's base32, lower
case (layout: github.com/ulid/spec, read 2026-07-01). Sorted as text, ids are sorted by time.
"""

import os
import secrets
import threading
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
NUMBER_EPOCH_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z. 41 bits of milliseconds after it last until 2094."""

_PAIRS = tuple(a + b for a in ALPHABET for b in ALPHABET)
_PAIR_SHIFTS = tuple(range(120, -1, -10))
_RANDOM_BITS = 80
_NUMBER_BITS = 22
_POOL_BYTES = 1000

_lock = threading.Lock()
_last_ulid = 0
_last_number = 0
_pool = b""


def new_id(prefix: str) -> str:
    """Gives `task_01k7…`; later ids of one process sort after earlier ones, also within a millisecond."""
    global _last_ulid
    with _lock:
        value = (now_ms() << _RANDOM_BITS) | _draw(_RANDOM_BITS)
        if value >> _RANDOM_BITS <= _last_ulid >> _RANDOM_BITS:
            value = _last_ulid + 1
        _last_ulid = value
    return f"{prefix}_{_base32(value)}"


def new_number() -> int:
    """Gives a number below 2⁶³ for a row: rising within a process, sorted by time among processes.

    41 bits of milliseconds and 22 bits that start at random in each of them: two processes may meet, rarely; the
    primary key then refuses the second, which has to try again.
    """
    global _last_number
    with _lock:
        value = first_number_at(now_ms()) | _draw(_NUMBER_BITS)
        if value >> _NUMBER_BITS <= _last_number >> _NUMBER_BITS:
            value = _last_number + 1
        _last_number = value
    return value


def first_number_at(at_ms: int) -> int:
    """Gives the lowest number that `new_number` makes at this time (unix milliseconds): a border for range queries."""
    return (at_ms - NUMBER_EPOCH_MS) << _NUMBER_BITS


def new_secret(prefix: str) -> str:
    """Gives the prefix and 160 random bits as 32 characters; no `-` among them."""
    return prefix + "".join(_PAIRS[secrets.randbits(10)] for _ in range(16))


def now_ms() -> int:
    """Gives the wall clock in unix milliseconds, the unit of every `…_at` column."""
    return time.time_ns() // 1_000_000


def _draw(bits: int) -> int:
    """Random bits out of a pool that the system fills: asking it each time lets go of the GIL, and then the database's
    thread runs before the call goes on (measured: 15 µs of a call's 425). Hold the lock."""
    global _pool
    size = (bits + 7) // 8
    if len(_pool) < size:
        _pool = os.urandom(_POOL_BYTES)
    drawn, _pool = _pool[:size], _pool[size:]
    return int.from_bytes(drawn, "big") & ((1 << bits) - 1)


def _empty_pool() -> None:
    global _pool
    _pool = b""


# A forked child would draw what its parent draws.
os.register_at_fork(after_in_child=_empty_pool)


def _base32(value: int) -> str:
    """`value`: below 2¹²⁸; gives 26 characters, the first of them between 0 and 7."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _PAIR_SHIFTS])
