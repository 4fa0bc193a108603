"""What the venue reads from reference data at its start."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from refdata.models import Instrument, Listing, Market, MarketDay, ReferencePrice, TickBand, TickTable
from venues.simulator.listing import TradingDay
from venues.simulator.loader import load_listings, load_markets
from venues.simulator.units import SCALE, to_units

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
VOD = UUID(int=1)


@pytest.fixture
def vodafone() -> Listing:
    """VOD.L with two tick bands and a price of yesterday."""
    market = Market.objects.create(
        mic="XLON",
        name="London",
        country="GB",
        time_zone="Europe/London",
        currency="GBP",
        calendar_code="XLON",
        settlement_days=2,
    )
    opened = AT.replace(hour=8)
    MarketDay.objects.create(
        market=market, date=AT.date(), is_session=True, open_at=opened, close_at=opened + timedelta(hours=8)
    )
    MarketDay.objects.create(market=market, date=AT.date() + timedelta(1), is_session=False, name="Holiday")
    ticks = TickTable.objects.create(name="T")
    TickBand.objects.create(table=ticks, price_from=Decimal(0), tick=Decimal("0.01"))
    TickBand.objects.create(table=ticks, price_from=Decimal(50), tick=Decimal("0.02"))
    instrument = Instrument.objects.create(id=UUID(int=9), isin="GB00BH4HKS39", name="Vodafone")
    row = Listing.objects.create(
        id=VOD,
        instrument=instrument,
        market=market,
        symbol="VOD.L",
        venue_symbol="VOD",
        currency="GBP",
        price_unit="GBX",
        price_divisor=100,
        tick_table=ticks,
        lot_size=Decimal(1),
    )
    ReferencePrice.objects.create(
        listing=row, last=Decimal("90.5"), previous_close=Decimal(90), source="file", priced_at=AT - timedelta(days=1)
    )
    return row


def test_listings_come_with_ticks_lots_and_prices(vodafone: Listing) -> None:
    (spec,) = load_listings(["XLON", "XNYS"])
    assert (spec.symbol, spec.mic, spec.venue_symbol, spec.isin) == ("VOD.L", "XLON", "VOD", "GB00BH4HKS39")
    assert (spec.reference, spec.anchor, spec.lot) == (to_units(Decimal("90.5")), 90 * SCALE, SCALE)
    assert spec.price_unit == "GBX"
    assert spec.ticks == ((0, SCALE // 100), (50 * SCALE, SCALE // 50))


def test_suspended_listings_are_left_out(vodafone: Listing) -> None:
    Listing.objects.filter(id=VOD).update(state=Listing.State.SUSPENDED)
    assert load_listings(["XLON"]) == ()


def test_markets_come_with_their_sessions(vodafone: Listing) -> None:
    (market,) = load_markets(["XLON"], at=AT)
    assert (market.mic, market.time_zone, market.always_open) == ("XLON", "Europe/London", False)
    assert market.days == (TradingDay(date(2026, 11, 20), AT.replace(hour=8), AT.replace(hour=16)),)
