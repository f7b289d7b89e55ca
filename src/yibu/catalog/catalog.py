"""Models and price sheets together: what the router and the model lists ask."""

from collections.abc import Iterable
from decimal import Decimal

from yibu.catalog.model import Model, Models, shipped
from yibu.catalog.price import Sheet, sheet
from yibu.hub.usage import Meter
from yibu.kit.settings import ModelSettings, PriceSettings


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
    return Catalog(Models(shipped(), own), [_sheet(one) for one in prices])


def _sheet(settings: PriceSettings) -> Sheet:
    meters = settings.model_dump(exclude={"model", "free"}, exclude_none=True)
    prices: dict[Meter, Decimal] = {Meter(name): price for name, price in meters.items()}
    return sheet(settings.model, prices, is_free=settings.free)
