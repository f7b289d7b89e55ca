"""Vendors, one file each. A file with a subclass of `Provider` in it is all that a new vendor takes."""

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

from yibu.providers.provider import Provider


@cache
def discover() -> dict[str, Provider]:
    """Every provider by its id: from this folder and from the entry-point group `yibu.providers`.

    Raises `RuntimeError` when two claim the same id.
    """
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    modules += [import_module(entry.module) for entry in entry_points(group="yibu.providers")]
    providers: dict[str, Provider] = {}
    for kind in (kind for module in modules for kind in _kinds(module)):
        if kind.id in providers:
            raise RuntimeError(f"Two providers are called {kind.id}: {type(providers[kind.id])} and {kind}.")
        providers[kind.id] = kind()
    return providers


def _kinds(module: ModuleType) -> list[type[Provider]]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Provider)
        and value is not Provider
        and value.__module__ == module.__name__
    ]
