"""Loaders keep good rows, refuse bad ones, write nothing the second time, and keep history."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from stdnum import isin

from refdata.domain.import_rows import ImportCode, ImportIssue, LoadResult
from refdata.models import Instrument, Listing, Market, MarketDay, ReferencePrice, SettlementHoliday
from refdata.services.load_calendar import load_calendar
from refdata.services.load_instruments import load_instruments
from refdata.services.load_markets import load_markets
from refdata.services.load_settlement_holidays import load_settlement_holidays
from refdata.services.load_tick_tables import load_tick_tables
from tests.integration.refdata.conftest import ACTOR, AT, FIRST, LAST, MICS, rows_of

LATER = AT + timedelta(hours=1)


@pytest.mark.usefixtures("listings")
def test_the_real_files_load_without_an_issue() -> None:
    assert Counter(Listing.objects.values_list("market_id", flat=True)) == {
        "XLON": 30,
        "XNYS": 26,
        "XNAS": 18,
        "XETR": 21,
        "XPAR": 22,
        "XASX": 18,
    }
    assert all(isin.is_valid(value) for value in Instrument.objects.values_list("isin", flat=True))
    airbus = Instrument.objects.get(isin="NL0000235190")
    assert sorted(airbus.listings.values_list("symbol", flat=True)) == ["AIR.DE", "AIR.PA"]
    assert ReferencePrice.objects.count() == 135
    vodafone = Listing.objects.get(symbol="VOD.L")
    assert (vodafone.currency, vodafone.price_unit, vodafone.price_divisor) == ("GBP", "GBX", 100)


@pytest.mark.usefixtures("listings")
def test_a_second_load_writes_nothing() -> None:
    versions = dict(Market.objects.values_list("mic", "version"))
    history = Listing.history.count(), Instrument.history.count(), Market.history.count()
    cycles = rows_of("settlement_cycles.csv")
    assert load_markets(actor=ACTOR, at=LATER, rows=rows_of("markets.csv"), cycles=cycles) == LoadResult(0, 0, 6)
    assert load_tick_tables(actor=ACTOR, at=LATER, rows=rows_of("tick_tables.csv")) == LoadResult(0, 0, 8)
    assert load_calendar(actor=ACTOR, at=LATER, mics=MICS, first=FIRST, last=LAST) == LoadResult(0, 0, 1566)
    again = load_settlement_holidays(actor=ACTOR, at=LATER, first=FIRST, last=LAST)
    assert again == LoadResult(0, 0, SettlementHoliday.objects.count())
    assert load_instruments(actor=ACTOR, at=LATER, rows=rows_of("listings.csv")) == LoadResult(0, 0, 135)
    assert dict(Market.objects.values_list("mic", "version")) == versions
    assert (Listing.history.count(), Instrument.history.count(), Market.history.count()) == history


@pytest.mark.usefixtures("listings")
def test_a_changed_listing_gets_a_version_and_history() -> None:
    row = next(row for row in rows_of("listings.csv") if row["symbol"] == "VOD.L")
    result = load_instruments(
        actor=ACTOR, at=LATER, rows=[row | {"lot_size": "10", "name": "Vodafone", "reference_price": "80"}]
    )
    assert result == LoadResult(0, 1, 0)
    listing = Listing.objects.get(symbol="VOD.L")
    assert (listing.lot_size, listing.version) == (Decimal(10), 2)
    newest = listing.history.latest()
    assert (newest.history_type, newest.history_date, newest.history_change_reason) == (
        "~",
        LATER,
        "loaded by process:test",
    )
    assert list(listing.history.order_by("history_date").values_list("lot_size", flat=True)) == [1, 10]
    assert Instrument.objects.get(isin="GB00BH4HKS39").name == "Vodafone"
    assert ReferencePrice.objects.get(listing=listing).last == Decimal("72.34")


@pytest.mark.usefixtures("listings")
@pytest.mark.parametrize(
    ("change", "issue"),
    [
        (
            {"venue_symbol": "VODX"},
            ImportIssue(2, "symbol", ImportCode.SYMBOL_TAKEN, "VOD.L already names another listing."),
        ),
        (
            {"isin": "GB0005405286"},
            ImportIssue(2, "isin", ImportCode.SYMBOL_TAKEN, "VOD on XLON is GB00BH4HKS39, not GB0005405286."),
        ),
        (
            {"isin": "GB00BH4HKS30"},
            ImportIssue(2, "isin", ImportCode.ISIN_INVALID, "'GB00BH4HKS30' is no ISIN: check its last digit."),
        ),
    ],
)
def test_a_refused_row_changes_nothing(change: dict[str, str], issue: ImportIssue) -> None:
    row = next(row for row in rows_of("listings.csv") if row["symbol"] == "VOD.L")
    before = list(Listing.objects.order_by("symbol").values()), list(Instrument.objects.order_by("isin").values())
    assert load_instruments(actor=ACTOR, at=LATER, rows=[row | change]) == LoadResult(0, 0, 0, (issue,))
    assert (
        list(Listing.objects.order_by("symbol").values()),
        list(Instrument.objects.order_by("isin").values()),
    ) == before


@pytest.mark.usefixtures("listings")
def test_known_days_of_the_calendars() -> None:
    thanksgiving = MarketDay.objects.get(market_id="XNYS", date=date(2026, 11, 26))
    assert (thanksgiving.is_session, thanksgiving.name) == (False, "Thanksgiving")
    friday = MarketDay.objects.get(market_id="XNYS", date=date(2026, 11, 27))
    assert (friday.open_at, friday.close_at, friday.name) == (
        datetime(2026, 11, 27, 14, 30, tzinfo=UTC),
        datetime(2026, 11, 27, 18, 0, tzinfo=UTC),
        "Early close",
    )
    assert not MarketDay.objects.filter(date__week_day__in=[1, 7]).exists()
    banks = SettlementHoliday.objects.filter(calendar="US", date__gte=date(2026, 10, 1)).order_by("date")
    assert list(banks.values_list("date", "name")) == [
        (date(2026, 10, 12), "Columbus Day"),
        (date(2026, 11, 11), "Veterans Day"),
        (date(2026, 11, 26), "Thanksgiving"),
        (date(2026, 12, 25), "Christmas"),
    ]


@pytest.mark.usefixtures("listings")
def test_a_day_that_differs_is_mended_and_the_market_gets_a_version() -> None:
    MarketDay.objects.filter(market_id="XLON", date=date(2026, 12, 24)).update(name="")
    MarketDay.objects.filter(market_id="XLON", date=date(2026, 12, 25)).delete()
    version = Market.objects.get(mic="XLON").version
    result = load_calendar(actor=ACTOR, at=LATER, mics=["XLON"], first=FIRST, last=LAST)
    assert result == LoadResult(1, 1, 259)
    assert MarketDay.objects.get(market_id="XLON", date=date(2026, 12, 24)).name == "Early close"
    assert Market.objects.get(mic="XLON").version != version
