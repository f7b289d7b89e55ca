"""Models and price sheets together: what the router and the model lists ask."""

from collections.abc import Iterable
from decimal import Decimal

from yibu.catalog.model import Kind, Model, Models, shipped
from yibu.catalog.price import Sheet, sheet
from yibu.hub.usage import Meter
from yibu.kit.settings import ModelSettings, PriceSettings

SOLD_BY: dict[Kind, tuple[tuple[Meter, ...], ...]] = {
    "chat": ((Meter.INPUT,), (Meter.OUTPUT,)),
    "video": ((Meter.SECOND,),),
    "embedding": ((Meter.INPUT,),),
    "rerank": ((Meter.INPUT, Meter.SEARCH),),
    "moderation": ((Meter.INPUT,),),
}
"""What a kind of model is counted in: without a price for one of each group, and for the call, the work would be given away."""


class Catalog:
    """`price` is None for a model without a sheet: such a model is refused, never free by accident."""

    def __init__(self, models: Models, sheets: Iterable[Sheet]) -> None:
        self._models = models
        self._sheets = {one.model: one for one in sheets}

    def model(self, name: str) -> Model:
        return self._models.find(name)

    def price(self, name: str) -> Sheet | None:
        return self._sheets.get(name)


def from_settings(models: Iterable[ModelSettings], prices: Iterable[PriceSettings]) -> Catalog:
    """Raises `ValueError` with a sentence when a price makes no sense."""
    own = (Model(**one.model_dump()) for one in models)
    known = Models(shipped(), own)
    return Catalog(known, [_sheet(one, known.find(one.model).kind) for one in prices])


def _sheet(settings: PriceSettings, kind: Kind) -> Sheet:
    meters = settings.model_dump(exclude={"model", "free"}, exclude_none=True)
    prices: dict[Meter, Decimal] = {Meter(name): price for name, price in meters.items()}
    sold = sheet(settings.model, prices, is_free=settings.free)
    missing = [group for group in SOLD_BY[kind] if not any(meter in prices for meter in group)]
    if missing and Meter.CALL not in prices and not sold.is_free:
        is_film = kind == "chat" and Meter.SECOND in prices
        hint = ' If it makes films, say so with [[models]] and `kind = "video"`.' if is_film else ""
        if kind == "chat" and missing == [(Meter.OUTPUT,)]:
            hint = ' If it makes vectors, say so with [[models]] and `kind = "embedding"`.'
        names = " and no ".join(f"`{meter}`" for meter in missing[0])
        raise ValueError(
            f"The price of {settings.model} has no {names}, by which a {kind} model is sold. "
            f'Give it (`{missing[0][0]} = "0"` gives it away), or a price for each `call`, or write `free = true`.{hint}'
        )
    return sold
