"""The adapters the house knows, by the name a venue row carries."""

from __future__ import annotations

from venues.adapters.base import Adapter
from venues.adapters.fix42 import Fix42
from venues.adapters.fix44 import Fix44, chained_dialect, leaves_dialect

ADAPTERS: dict[str, Adapter] = {
    "fix44": Fix44(),
    "fix44-leaves": leaves_dialect(),
    "fix44-chained": chained_dialect(),
    "fix42": Fix42(),
}


def adapter_named(name: str) -> Adapter:
    """KeyError for a name that is no adapter: a venue row that names one cannot be used."""
    return ADAPTERS[name]
