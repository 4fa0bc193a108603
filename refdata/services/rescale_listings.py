"""After a split: prices of the instrument's listings × old ÷ new, average daily volume × new ÷ old. Never ticks or lots.

Only prices made before ``priced_before`` are touched: one made later is in new shares already. What was changed is returned
to the last digit, so that :func:`restore_listings` gives it back where nothing newer has replaced it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.ids import new_id
from kernel.numbers import plain
from refdata.locks import lock_listings_of, lock_prices
from refdata.models import Listing
from refdata.services.rescale_prices import rescale_prices, write_prices

_PRICES = ("last", "bid", "ask", "previous_close")
Change = dict[str, Any]


def rescale_listings(
    *,
    actor: Principal,
    at: datetime,
    instrument_id: UUID,
    new: Decimal,
    old: Decimal,
    priced_before: datetime,
    reason: str,
) -> list[Change]:
    """Rescale inside the caller's transaction; one change a listing, with the figures before and after as text."""
    listings = lock_listings_of(instrument_id)
    held = lock_prices([listing.id for listing in listings])
    before = {key: price for key, price in held.items() if price.priced_at < priced_before}
    rescale_prices(at=at, listing_ids=before, factor=old / new)
    after = lock_prices(before)
    changes = []
    for listing in listings:
        change: Change = {"listing_id": str(listing.id), "before": {}, "after": {}}
        if listing.average_daily_volume is not None:
            volume = round(listing.average_daily_volume * new / old, 8)
            _note(change, "average_daily_volume", listing.average_daily_volume, volume)
            _save(listing, volume, actor=actor, at=at, reason=reason)
        for name in _PRICES if listing.id in before else ():
            value = getattr(before[listing.id], name)
            if value is not None:
                _note(change, name, value, getattr(after[listing.id], name))
        changes.append(change)
    return changes


def restore_listings(
    *, actor: Principal, at: datetime, instrument_id: UUID, changes: list[Mapping[str, Any]], reason: str
) -> None:
    """Give back what was changed and still stands as it was left; what is newer stays."""
    listings = {str(row.id): row for row in lock_listings_of(instrument_id)}
    held = lock_prices([listing.id for listing in listings.values()])
    restored = {}
    for change in changes:
        listing, before, after = listings[change["listing_id"]], change["before"], change["after"]
        volume = before.get("average_daily_volume")
        if volume is not None and listing.average_daily_volume == Decimal(after["average_daily_volume"]):
            _save(listing, Decimal(volume), actor=actor, at=at, reason=reason)
        price = held.get(listing.id)
        names = [name for name in _PRICES if name in before]
        if price is not None and names and all(getattr(price, name) == Decimal(after[name]) for name in names):
            figures: dict[str, Any] = {name: Decimal(before[name]) for name in names}
            restored[listing.id] = replace(price, **figures, tick=new_id(), priced_at=max(at, price.priced_at))
    write_prices(dict(sorted(restored.items())), at=at)


def _note(change: Change, name: str, before: Decimal, after: Decimal) -> None:
    change["before"][name], change["after"][name] = plain(before), plain(after)


def _save(listing: Listing, volume: Decimal, *, actor: Principal, at: datetime, reason: str) -> None:
    listing.average_daily_volume = volume
    listing.version += 1
    listing._history_date, listing._change_reason = at, f"{reason}, {actor.actor}"[:100]  # type: ignore[attr-defined]
    listing.save()
