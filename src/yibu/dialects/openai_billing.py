"""The balance of a key as most tools ask for it: two calls of OpenAI's old dashboard, as relays still answer them.

`subscription` tells all that was ever granted, `usage` all that was spent; tools subtract. As everywhere in this family
the dates of `usage` are ignored: a tool that asks for the last 100 days would otherwise show a wrong balance.
Source: the balance pages of this product family and OpenAI's dashboard, read 2026-11-20.
"""

from decimal import Decimal
from typing import ClassVar

import msgspec

from yibu.dialects.dialect import Operation, Route
from yibu.dialects.openai_chat.errors import OpenAIErrors


class WireSubscription(msgspec.Struct):
    """Units of currency, exact; `access_until`: unix seconds, 0 for never."""

    soft_limit_usd: Decimal
    hard_limit_usd: Decimal
    system_hard_limit_usd: Decimal
    access_until: int
    has_payment_method: bool = True
    object: str = "billing_subscription"


class WireSpending(msgspec.Struct):
    """Hundredths of the unit of currency, exact."""

    total_usage: Decimal
    object: str = "list"


_ENCODER = msgspec.json.Encoder(decimal_format="number")


class OpenAIBilling(OpenAIErrors):
    id: ClassVar[str] = "openai_billing"
    title: ClassVar[str] = "OpenAI dashboard billing"
    routes: ClassVar[tuple[Route, ...]] = (
        Route("GET", "/v1/dashboard/billing/subscription", Operation.SUBSCRIPTION),
        Route("GET", "/dashboard/billing/subscription", Operation.SUBSCRIPTION),
        Route("GET", "/v1/dashboard/billing/usage", Operation.SPENDING),
        Route("GET", "/dashboard/billing/usage", Operation.SPENDING),
    )

    def encode_subscription(self, granted: int, access_until: int) -> bytes:
        """`granted`: nanos."""
        units = _plain(Decimal(granted).scaleb(-9))
        return _ENCODER.encode(WireSubscription(units, units, units, access_until))

    def encode_spending(self, spent: int) -> bytes:
        """`spent`: nanos."""
        return _ENCODER.encode(WireSpending(_plain(Decimal(spent).scaleb(-7))))


def _plain(number: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent, which some clients do not read."""
    return Decimal(format(number.normalize(), "f"))


DIALECT = OpenAIBilling()
