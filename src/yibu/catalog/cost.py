"""The only place where money is computed from use. Integers in, integers out, rounded once, upwards."""

from yibu.catalog.price import PER_MILLION, Sheet
from yibu.hub.usage import Meter, Usage


def cost(usage: Usage, sheet: Sheet) -> int:
    """Nanos of currency for one call: `ceil(Σ units × rate / 10⁶)`. Negative counts are worth nothing.

    The price of a call is due once, unless the usage counts calls itself.
    """
    if sheet.is_free:
        return 0
    calls = 0 if Meter.CALL in usage.units else sheet.rate(Meter.CALL)
    total = sum(units * sheet.rate(meter) for meter, units in usage.units.items() if units > 0)
    return -(-(total + calls) // PER_MILLION)


def ceiling(input_tokens: int, output_tokens: int, sheet: Sheet, searches: int = 0) -> int:
    """The most that a call can cost: input at its dearest rate, output at its dearest rate."""
    if sheet.is_free:
        return 0
    into = max(
        sheet.rate(m)
        for m in (Meter.INPUT, Meter.INPUT_CACHED, Meter.CACHE_WRITE, Meter.CACHE_WRITE_1H, Meter.AUDIO_IN)
    )
    out = max(sheet.rate(m) for m in (Meter.OUTPUT, Meter.REASONING, Meter.AUDIO_OUT))
    found = searches * sheet.rate(Meter.SEARCH)
    return -(-(input_tokens * into + output_tokens * out + found + sheet.rate(Meter.CALL)) // PER_MILLION)
