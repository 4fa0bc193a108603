"""All that is known of a listing at one instant, as one frozen value. Checks are pure over it; orders keep a copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from kernel.canonical import jsonable
from refdata.domain.quality import Quality
from refdata.domain.sessions import Phase
from refdata.domain.tick_table import Band


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """The latest good price in the listing's price unit, where it came from, when, and whether it may be used.

    ``priced_at`` is when the figures were made, ``alive_at`` when the feed last vouched for them (None: never since);
    ``phase`` is the venue's own word. While ``quality`` is suspect the figures are the last good ones, ``suspicion``
    says why and ``doubted_last`` what the feed said. ``tick`` names the stored tick these figures are from.
    """

    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    previous_close: Decimal | None
    source: str
    priced_at: datetime
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    phase: str = ""
    quality: Quality = Quality.GOOD
    suspicion: str = ""
    doubted_last: Decimal | None = None
    tick: UUID | None = None
    alive_at: datetime | None = None

    def age_s(self, at: datetime) -> int:
        """Whole seconds since the feed last vouched for the price. It counts only while the market is open."""
        return max(int((at - (self.alive_at or self.priced_at)).total_seconds()), 0)


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """A listing with its instrument, market, price steps, session and price, as of ``at``.

    ``ord_types`` and ``times_in_force`` are the FIX codes (40, 59) its market takes. ``session_*`` are those of
    ``business_date``. Prices are in ``price_unit``; money = qty * price / ``price_divisor`` in ``currency``.
    """

    listing_id: UUID
    instrument_id: UUID
    isin: str
    name: str
    asset_class: str
    instrument_active: bool
    symbol: str
    mic: str
    market_name: str
    venue_symbol: str
    currency: str
    price_unit: str
    price_divisor: int
    lot_size: Decimal
    tick_table: str
    ticks: tuple[Band, ...]
    state: str
    average_daily_volume: Decimal | None
    version: int
    ord_types: frozenset[str]
    times_in_force: frozenset[str]
    always_open: bool
    phase: Phase
    business_date: date
    session_open_at: datetime | None
    session_close_at: datetime | None
    price: PriceFacts | None
    at: datetime


def listing_snapshot(facts: ListingFacts) -> dict[str, Any]:
    """The instrument data an order was checked with, as plain JSON (kept with the order for good)."""
    snapshot: dict[str, Any] = jsonable(
        {
            "listing_id": facts.listing_id,
            "listing_version": facts.version,
            "instrument_id": facts.instrument_id,
            "isin": facts.isin,
            "name": facts.name,
            "asset_class": facts.asset_class,
            "symbol": facts.symbol,
            "mic": facts.mic,
            "venue_symbol": facts.venue_symbol,
            "currency": facts.currency,
            "price_unit": facts.price_unit,
            "price_divisor": facts.price_divisor,
            "lot_size": facts.lot_size,
            "tick_table": facts.tick_table,
            "state": facts.state,
            "average_daily_volume": facts.average_daily_volume,
            "phase": facts.phase,
            "business_date": facts.business_date,
            "reference_price": facts.price.last if facts.price else None,
            "reference_price_source": facts.price.source if facts.price else "",
            "reference_priced_at": facts.price.priced_at if facts.price else None,
            "taken_at": facts.at,
        }
    )
    return snapshot
