"""Listings, tick tables, calendars and prices from reference data, read once at the start. The only ORM reads here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from refdata.models import Listing, Market, MarketDay, ReferencePrice, TickBand
from venues.simulator.listing import ListingSpec, MarketSpec, TradingDay
from venues.simulator.units import to_units

DAYS_BACK = timedelta(days=5)
DAYS_AHEAD = timedelta(days=30)
_DEFAULT_PRICE = Decimal(100)


def load_listings(mics: Sequence[str]) -> tuple[ListingSpec, ...]:
    """Active listings of these markets, ordered by symbol. One without a price starts at 100."""
    bands: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for band in TickBand.objects.order_by("table_id", "price_from"):
        bands[band.table_id].append((to_units(band.price_from), to_units(band.tick)))
    prices = {price.listing_id: price for price in ReferencePrice.objects.filter(listing__market__in=mics)}
    rows = (
        Listing.objects.filter(market__in=mics, instrument__active=True)
        .exclude(state=Listing.State.SUSPENDED)
        .select_related("instrument")
        .order_by("symbol")
    )
    specs = []
    for row in rows:
        price = prices.get(row.id)
        last = price.last if price else _DEFAULT_PRICE
        anchor = price.previous_close if price and price.previous_close else last
        specs.append(
            ListingSpec(
                listing_id=str(row.id),
                symbol=row.symbol,
                mic=row.market_id,
                venue_symbol=row.venue_symbol,
                isin=row.instrument.isin,
                currency=row.currency,
                reference=to_units(last),
                anchor=to_units(anchor),
                ticks=tuple(bands[row.tick_table_id]) or ((0, to_units(Decimal("0.01"))),),
                lot=to_units(row.lot_size),
                volume=to_units(row.average_daily_volume or Decimal(0)),
                price_unit=row.price_unit,
            )
        )
    return tuple(specs)


def load_markets(mics: Sequence[str], *, at: datetime) -> tuple[MarketSpec, ...]:
    """These markets with their sessions from some days ago to a month ahead."""
    days: dict[str, list[TradingDay]] = defaultdict(list)
    known = MarketDay.objects.filter(
        market__in=mics, is_session=True, date__gte=(at - DAYS_BACK).date(), date__lte=(at + DAYS_AHEAD).date()
    )
    for day in known.order_by("market_id", "date"):
        if day.open_at is not None and day.close_at is not None:
            days[day.market_id].append(TradingDay(day.date, day.open_at, day.close_at))
    return tuple(
        MarketSpec(
            mic=market.mic,
            time_zone=market.time_zone,
            always_open=market.always_open,
            days=tuple(days[market.mic]),
        )
        for market in Market.objects.filter(mic__in=mics).order_by("mic")
    )
