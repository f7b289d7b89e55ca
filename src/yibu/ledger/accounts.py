"""The names of accounts.

`rail:<name>` is where money comes from (a payment service, redemption codes, gifts) and goes negative by what it gave;
`wallet:<n>:available` and `wallet:<n>:held` are a customer's; `house:revenue:<n>` is what this customer has paid for.

Revenue is one account a wallet rather than one row for the house, because every call of every replica would wait for
that one row, and because its balance is at once what the wallet has spent.
"""

HOUSE_ADJUSTMENTS = "house:adjustments"


def available(wallet: int) -> str:
    """May be spent. Below zero when a call cost more than was held and more than was there."""
    return f"wallet:{wallet}:available"


def held(wallet: int) -> str:
    """Set aside for calls and tasks under way. Never below zero."""
    return f"wallet:{wallet}:held"


def revenue(wallet: int) -> str:
    """Earned from this wallet, refunds taken off."""
    return f"house:revenue:{wallet}"


def rail(name: str) -> str:
    """Where credits come from; minus its balance is what came over it."""
    return f"rail:{name}"


def kind_of(name: str) -> str:
    """Gives available, held, revenue, rail or house."""
    first, _, rest = name.partition(":")
    if first == "wallet":
        return rest.rpartition(":")[2]
    return "revenue" if rest.startswith("revenue:") else first
