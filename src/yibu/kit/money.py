"""Money: whole nano-units of the one currency that a house keeps its books in."""

from decimal import Decimal
from typing import NewType

Nanos = NewType("Nanos", int)
"""1 unit of currency (1 USD, 1 CNY) = 1,000,000,000."""

UNIT = 1_000_000_000


def in_units(amount: int) -> str:
    """Gives an amount as people read it: `-1.5`, `0.000008`; exact, without an exponent or trailing zeros."""
    text = format(Decimal(amount).scaleb(-9), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def from_units(text: str) -> Nanos:
    """Reads what a person wrote, such as `10` or `0.15`. Raises `ValueError` when it has more than nine decimals."""
    try:
        nanos = Decimal(text).scaleb(9)
        if not nanos.is_finite() or nanos != nanos.to_integral_value():
            raise ValueError
    except (ArithmeticError, ValueError):
        raise ValueError(f"Not an amount of money with at most nine decimals: {text!r}") from None
    return Nanos(int(nanos))
