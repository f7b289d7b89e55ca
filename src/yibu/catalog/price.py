"""A price sheet: nanos of currency per million units of each meter, whole numbers only."""

from decimal import Decimal

import msgspec

from yibu.hub.usage import Meter

NANOS_PER_UNIT = 1_000_000_000
PER_MILLION = 1_000_000

PER_PIECE = frozenset({Meter.IMAGE, Meter.SECOND, Meter.CHARACTER, Meter.SEARCH, Meter.CALL})
"""Meters whose price is written per single unit; all others are written per million tokens."""

FALLBACK = {
    Meter.INPUT_CACHED: Meter.INPUT,
    Meter.CACHE_WRITE: Meter.INPUT,
    Meter.CACHE_WRITE_1H: Meter.CACHE_WRITE,
    Meter.AUDIO_IN: Meter.INPUT,
    Meter.REASONING: Meter.OUTPUT,
    Meter.AUDIO_OUT: Meter.OUTPUT,
}
"""A meter without a price of its own costs what this one costs: never less than the vendor takes for plain tokens of that side."""


class Sheet(msgspec.Struct, frozen=True):
    """The sale prices of one model. `rates`: nanos per million units; `is_free`: nothing is charged, and that is meant."""

    model: str
    rates: dict[Meter, int]
    is_free: bool = False

    def rate(self, meter: Meter) -> int:
        """Nanos per million units; 0 for a meter that the sheet does not sell."""
        if meter in self.rates:
            return self.rates[meter]
        fallback = FALLBACK.get(meter)
        return self.rate(fallback) if fallback else 0


def sheet(model: str, prices: dict[Meter, Decimal], *, is_free: bool = False) -> Sheet:
    """`prices`: units of currency, per million tokens or per piece.

    Raises `ValueError` for a negative price, for one finer than a nano, and for a sheet that would give the model away by accident.
    """
    if not prices and not is_free:
        raise ValueError(f"The price of {model} names no meter. Give one, or write `free = true`.")
    rates: dict[Meter, int] = {}
    for meter, price in prices.items():
        nanos = price * NANOS_PER_UNIT * (PER_MILLION if meter in PER_PIECE else 1)
        if nanos < 0 or nanos != int(nanos):
            raise ValueError(f"The price {meter} = {price} of {model} is negative or finer than a billionth.")
        rates[meter] = int(nanos)
    return Sheet(model, {} if is_free else rates, is_free)
