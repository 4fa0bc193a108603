"""Reads: facts of a listing, suggestions, clocks, and that cached data is never stale."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kernel.errors import NotFound, Unavailable
from kernel.ids import new_id
from refdata import selectors
from refdata.domain.sessions import Phase
from refdata.models import Listing, Market, ReferencePrice
from refdata.services.load_markets import load_markets
from refdata.services.load_tick_tables import load_tick_tables
from tests.integration.refdata.conftest import ACTOR, AT, rows_of

pytestmark = pytest.mark.usefixtures("listings")


def test_facts_of_a_listing() -> None:
    facts = selectors.get_listing_by_symbol(" vod.l ", at=AT)
    assert (facts.symbol, facts.isin, facts.mic, facts.venue_symbol) == ("VOD.L", "GB00BH4HKS39", "XLON", "VOD")
    assert (facts.currency, facts.price_unit, facts.price_divisor) == ("GBP", "GBX", 100)
    assert facts.ord_types == {"1", "2", "3", "4"}
    assert facts.times_in_force == {"0", "1", "2", "3", "4", "6", "7"}
    assert (facts.phase, facts.business_date) == (Phase.CONTINUOUS, date(2026, 11, 20))
    assert facts.session_close_at == datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    assert facts.price is not None
    assert (facts.price.last, facts.price.source, facts.price.priced_at) == (Decimal("72.34"), "file", AT)
    assert selectors.tick_for(facts, Decimal("72.34")) == Decimal("0.01")
    assert selectors.tick_for(facts, Decimal(100)) == Decimal("0.02")
    assert selectors.get_listing(facts.listing_id, at=AT) == facts


def test_a_warm_read_is_one_statement_for_any_number() -> None:
    selectors.find_listings_by_symbol(["VOD.L", "MSFT"], at=AT)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = selectors.find_listings_by_symbol(["VOD.L", "msft", "VOD.L", "NOPE"], at=AT)
    assert len(queries) == 1
    assert {given: facts.symbol for given, facts in found.items()} == {"VOD.L": "VOD.L", "msft": "MSFT"}


def test_unknown_symbol_id_and_market() -> None:
    with pytest.raises(NotFound) as symbol:
        selectors.get_listing_by_symbol("NOPE", at=AT)
    assert (symbol.value.code, symbol.value.sentence) == ("SYMBOL_UNKNOWN", "No listing is called 'NOPE'.")
    with pytest.raises(NotFound) as listing:
        selectors.get_listing(new_id(), at=AT)
    assert listing.value.code == "LISTING_UNKNOWN"
    with pytest.raises(NotFound) as market:
        selectors.market_phase("XTKS", AT)
    assert (market.value.code, market.value.sentence) == ("MARKET_UNKNOWN", "No market has the MIC 'XTKS'.")
    assert selectors.find_listing_by_symbol("", at=AT) is None


def test_beyond_the_loaded_calendar_nothing_is_guessed() -> None:
    with pytest.raises(Unavailable) as caught:
        selectors.get_listing_by_symbol("VOD.L", at=datetime(2027, 6, 1, 10, tzinfo=UTC))
    assert caught.value.code == "CALENDAR_MISSING"


def test_the_snapshot_an_order_keeps() -> None:
    snapshot = selectors.listing_snapshot(selectors.get_listing_by_symbol("VOD.L", at=AT))
    json.dumps(snapshot)
    assert {key: snapshot[key] for key in ("isin", "price_unit", "price_divisor", "lot_size", "tick_table")} == {
        "isin": "GB00BH4HKS39",
        "price_unit": "GBX",
        "price_divisor": 100,
        "lot_size": "1",
        "tick_table": "RTS11-6",
    }
    assert (snapshot["reference_price"], snapshot["phase"], snapshot["business_date"]) == (
        "72.34",
        "continuous",
        "2026-11-20",
    )


def test_states_and_prices_are_never_cached() -> None:
    first = selectors.get_listing_by_symbol("VOD.L", at=AT)
    Listing.objects.filter(symbol="VOD.L").update(state=Listing.State.HALTED)
    ReferencePrice.objects.filter(listing_id=first.listing_id).delete()
    Market.objects.filter(mic="XLON").update(always_open=True)
    second = selectors.get_listing_by_symbol("VOD.L", at=datetime(2026, 11, 21, 3, tzinfo=UTC))
    assert (second.state, second.price, second.always_open) == ("halted", None, True)
    assert (second.phase, second.business_date) == (Phase.CONTINUOUS, date(2026, 11, 21))


def test_a_new_tick_table_or_cycle_is_seen_at_once() -> None:
    before = selectors.get_listing_by_symbol("MSFT", at=AT)
    assert selectors.tick_for(before, Decimal(400)) == Decimal("0.01")
    assert selectors.settlement_date("XNAS", date(2026, 11, 20)) == date(2026, 11, 23)
    load_tick_tables(actor=ACTOR, at=AT, rows=[{"table": "US-612", "price_from": "0", "tick": "0.05"}])
    cycles = [{"mic": "XNAS", "valid_from": "2020-01-01", "days": "3"}]
    load_markets(actor=ACTOR, at=AT, rows=rows_of("markets.csv"), cycles=cycles)
    after = selectors.get_listing_by_symbol("MSFT", at=AT)
    assert selectors.tick_for(after, Decimal(400)) == Decimal("0.05")
    assert selectors.settlement_date("XNAS", date(2026, 11, 20)) == date(2026, 11, 25)


@pytest.mark.parametrize("trade_date", [date(2026, 10, 9), date(2026, 10, 12)])
def test_two_new_york_trade_dates_settle_on_13_october(trade_date: date) -> None:
    assert selectors.settlement_date("XNYS", trade_date) == date(2026, 10, 13)


def test_business_date_and_phase_by_market() -> None:
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert selectors.business_date("XLON", saturday) == date(2026, 11, 23)
    assert selectors.market_phase("XLON", saturday) is Phase.CLOSED
    assert selectors.market_phase("XNYS", datetime(2026, 11, 26, 16, tzinfo=UTC)) is Phase.HOLIDAY
    assert selectors.business_date("XASX", datetime(2026, 11, 19, 20, tzinfo=UTC)) == date(2026, 11, 20)


def test_a_full_cache_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "_CACHE_LIMIT", 1)
    monkeypatch.setattr(selectors, "_clocks", {})
    for mic in ("XLON", "XNYS", "XLON"):
        assert selectors.get_market_clock(mic).mic == mic
    assert list(selectors._clocks) == ["XLON"]


def test_suggestions() -> None:
    assert [row.symbol for row in selectors.list_listings("rio")] == ["RIO.AX", "RIO.L"]
    assert [row.symbol for row in selectors.list_listings("GB0007188757")] == ["RIO.L"]
    assert [row.symbol for row in selectors.list_listings("rio tinto lim")] == ["RIO.AX"]
    assert [row.symbol for row in selectors.list_listings("merck")] == ["MRK", "MRK.DE"]
    assert selectors.list_listings("mrk")[0].symbol == "MRK"
    assert len(selectors.list_listings("a")) == 12
    assert len(selectors.list_listings("a", limit=500)) == 50
    first = selectors.list_listings("vod")[0]
    assert (first.name, first.mic, first.price_unit, first.last) == ("Vodafone Group", "XLON", "GBX", Decimal("72.34"))


@pytest.mark.parametrize("query", ["", "   ", "%", "_", "\\", "zzzz"])
def test_wildcards_and_nonsense_suggest_nothing(query: str) -> None:
    assert selectors.list_listings(query) == ()


def test_inactive_instruments_are_not_suggested() -> None:
    listing = Listing.objects.select_related("instrument").get(symbol="VOD.L")
    listing.instrument.active = False
    listing.instrument.save()
    assert selectors.list_listings("vod") == ()
    assert selectors.get_listing_by_symbol("VOD.L", at=AT + timedelta(0)).instrument_active is False
