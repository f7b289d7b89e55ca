"""Wire formats, one module or package each: bytes to hub and back, without any I/O.

A dialect is found because its file is there: whatever module in this package has a `DIALECT` takes part. One that only
vendors speak, and that nobody calls us in, is a `VENDOR_DIALECT`: it writes requests and reads answers, nothing else.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, cast

from yibu.dialects.dialect import CallDialect, ChatDialect, Dialect, VendorDialect


@cache
def discover() -> dict[str, Dialect]:
    """All dialects by their id, in the order of their files' names. Raises `ValueError` when two claim the same id."""
    return _found("DIALECT")


@cache
def spoken_dialects() -> dict[str, VendorDialect]:
    """Those in which vendors may be asked: of the others, whatever is asked of a model, and the vendors' own."""
    own: dict[str, VendorDialect] = _found("VENDOR_DIALECT")
    return {**call_dialects(), **own}


def _found(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        dialect = getattr(import_module(f"{__name__}.{module.name}"), name, None)
        if dialect is None:
            continue
        if dialect.id in found:
            raise ValueError(f"two dialects have the id {dialect.id!r}: the second is in {module.name}")
        found[dialect.id] = dialect
    return found


@cache
def call_dialects() -> dict[str, CallDialect]:
    """Those of them in which something is asked of a model."""
    return {id: cast(CallDialect, dialect) for id, dialect in discover().items() if hasattr(dialect, "operation")}


@cache
def chat_dialects() -> dict[str, ChatDialect]:
    """Those of them that are for conversations."""
    return {id: cast(ChatDialect, dialect) for id, dialect in discover().items() if hasattr(dialect, "reader")}
