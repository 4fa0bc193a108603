"""The adapters the house knows, by the name a venue row carries."""

from __future__ import annotations

from venues.adapters import fix42, fix44
from venues.adapters.base import Adapter

ADAPTERS: dict[str, Adapter] = {
    "fix44": fix44.Fix44(),
    "fix44-leaves": fix44.leaves_dialect(),
    "fix44-chained": fix44.chained_dialect(),
    "fix44-unique": fix44.unique_dialect(),
    "fix44-drop-copy": fix44.drop_copy_dialect(),
    "fix44-no-expiry": fix44.no_expiry_dialect(),
    "fix42": fix42.Fix42(),
    "fix42-chained": fix42.chained_dialect(),
}


def adapter_named(name: str) -> Adapter:
    """KeyError for a name that is no adapter: a venue row that names one cannot be used."""
    return ADAPTERS[name]
