"""All reads of reference data. A listing is one statement; calendars and price steps come from a process-level cache.

The cache hangs on version columns that travel with every read, so it is never stale: a change of a calendar, cycle or
price step writes a new version in the same transaction. States and prices are never cached.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from kernel.errors import NotFound
from refdata.as_at import current_symbols
from refdata.domain import tick_table
from refdata.domain.fx import FxQuote, FxRates
from refdata.domain.listing_facts import ListingFacts, PriceFacts, listing_snapshot
from refdata.domain.market_clock import MarketClock
from refdata.domain.quality import Quality
from refdata.domain.sessions import MarketCalendar, Phase, Session
from refdata.domain.settlement import Cycle
from refdata.domain.tick_table import Band
from refdata.models import FxRate, Market, MarketDay, SettlementCycle, SettlementHoliday, TickBand

__all__ = [
    "ListingRow",
    "business_date",
    "find_listing",
    "find_listing_by_symbol",
    "find_listings",
    "find_listings_by_symbol",
    "find_listings_of_instruments",
    "get_fx_rates",
    "get_listing",
    "get_listing_by_symbol",
    "get_market_clock",
    "get_static_version",
    "list_listings",
    "listing_snapshot",
    "market_phase",
    "settlement_date",
    "static_version",
    "tick_for",
]

MAX_SUGGESTIONS = 50
_CACHE_LIMIT: Final = 512
_EPOCH: Final = date(1970, 1, 1)

_clocks: dict[str, tuple[UUID, MarketClock]] = {}
_ticks: dict[int, tuple[UUID, tuple[Band, ...]]] = {}

FX_RATES: Final = "fx_rates"
_fx: list[FxRates] = [FxRates({})]

_LISTING_COLUMNS = """
SELECT l.id, l.instrument_id, i.isin, i.name, i.asset_class, i.active, l.symbol, l.market_id, m.name, l.venue_symbol,
       l.currency, l.price_unit, l.price_divisor, l.lot_size, l.tick_table_id, t.name, t.version, l.state,
       l.average_daily_volume, l.version, m.version, m.ord_types::text, m.times_in_force::text, m.always_open,
       p.last, p.bid, p.ask, p.previous_close, p.source, p.priced_at, p.bid_size, p.ask_size, p.phase, p.quality,
       p.suspicion, p.doubted_last, p.tick,
       CASE WHEN f.session = p.session THEN greatest(f.heartbeat_at, p.priced_at) ELSE p.priced_at END
  FROM refdata_listing l
  JOIN refdata_instrument i ON i.id = l.instrument_id
  JOIN refdata_market m ON m.mic = l.market_id
  JOIN refdata_ticktable t ON t.id = l.tick_table_id
  LEFT JOIN refdata_referenceprice p ON p.listing_id = l.id
  LEFT JOIN refdata_pricesource f ON f.code = p.source
"""

_SUGGESTIONS = """
SELECT l.id, l.symbol, i.name, i.isin, l.market_id, l.currency, l.price_unit, l.state,
       p.last, p.previous_close, p.priced_at
  FROM refdata_listing l
  JOIN refdata_instrument i ON i.id = l.instrument_id
  LEFT JOIN refdata_referenceprice p ON p.listing_id = l.id
 WHERE i.active AND (l.symbol LIKE %(prefix)s OR l.venue_symbol LIKE %(prefix)s OR i.isin LIKE %(prefix)s
                     OR upper(i.name) LIKE %(inside)s)
 ORDER BY CASE WHEN l.symbol = %(exact)s OR i.isin = %(exact)s THEN 0 WHEN l.venue_symbol = %(exact)s THEN 1
               WHEN l.symbol LIKE %(prefix)s THEN 2 WHEN upper(i.name) LIKE %(prefix)s THEN 3 ELSE 4 END, l.symbol
 LIMIT %(limit)s
"""


class _Row(NamedTuple):
    """The columns of one listing read, in the order of the statement."""

    listing_id: UUID
    instrument_id: UUID
    isin: str
    name: str
    asset_class: str
    active: bool
    symbol: str
    mic: str
    market_name: str
    venue_symbol: str
    currency: str
    price_unit: str
    price_divisor: int
    lot_size: Decimal
    tick_table_id: int
    tick_table: str
    tick_version: UUID
    state: str
    average_daily_volume: Decimal | None
    version: int
    market_version: UUID
    ord_types: str
    times_in_force: str
    always_open: bool
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    previous_close: Decimal | None
    source: str | None
    priced_at: datetime | None
    bid_size: Decimal | None
    ask_size: Decimal | None
    phase: str | None
    quality: str | None
    suspicion: str | None
    doubted_last: Decimal | None
    tick: UUID | None
    alive_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListingRow:
    """One suggestion of the ticket: enough to recognise the right line."""

    listing_id: UUID
    symbol: str
    name: str
    isin: str
    mic: str
    currency: str
    price_unit: str
    state: str
    last: Decimal | None
    previous_close: Decimal | None
    priced_at: datetime | None


def list_listings(query: str, *, limit: int = 12) -> tuple[ListingRow, ...]:
    """Listings of active instruments whose symbol, venue symbol or ISIN starts with, or whose name contains, ``query``.

    Exact hits first, then by symbol; nothing for an empty query. At most ``limit`` rows, never above 50.
    """
    text = query.strip().upper()
    if not text:
        return ()
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    parameters: dict[str, str | int] = {
        "exact": text,
        "prefix": f"{escaped}%",
        "inside": f"%{escaped}%",
        "limit": min(limit, MAX_SUGGESTIONS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUGGESTIONS, parameters)
        return tuple(ListingRow(*row) for row in cursor.fetchall())


def find_listing_by_symbol(symbol: str, *, at: datetime) -> ListingFacts | None:
    """The listing people call ``symbol`` (any case), as of ``at``; None when there is none."""
    return find_listings_by_symbol([symbol], at=at).get(symbol)


def find_listing_as_named(*, symbol: str, security_id: str, mic: str) -> UUID | None:
    """The one listing a venue means by its names: our symbol or the venue's, an ISIN, a MIC. None when not exactly one."""
    if not symbol and not security_id:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.id FROM refdata_listing l JOIN refdata_instrument i ON i.id = l.instrument_id "
            "WHERE (%(isin)s = '' OR i.isin = %(isin)s) AND (%(mic)s = '' OR l.market_id = %(mic)s) "
            "AND (%(symbol)s = '' OR l.symbol = %(symbol)s OR l.venue_symbol = %(symbol)s) LIMIT 2",
            {"isin": security_id, "mic": mic, "symbol": symbol},
        )
        found = cursor.fetchall()
    return found[0][0] if len(found) == 1 else None


def get_listing_by_symbol(symbol: str, *, at: datetime) -> ListingFacts:
    """As :func:`find_listing_by_symbol`; raises NotFound (SYMBOL_UNKNOWN)."""
    facts = find_listing_by_symbol(symbol, at=at)
    if facts is None:
        shown = symbol.strip()[:24]
        raise NotFound("SYMBOL_UNKNOWN", f"No listing is called {shown!r}.", {"symbol": shown})
    return facts


_CALLED: Final = (
    " WHERE l.symbol = ANY(%s) OR l.id IN (SELECT f.listing_id FROM refdata_formername f WHERE f.symbol = ANY(%s))"
)


def find_listings_by_symbol(symbols: Iterable[str], *, at: datetime) -> dict[str, ListingFacts]:
    """Many symbols in one statement, keyed by the symbol as it was given; unknown ones are absent.

    What nothing is called now may be an old name (``as_at``): it finds the listing that bore it last.
    """
    given = {symbol: symbol.strip().upper() for symbol in symbols}
    wanted = sorted(set(given.values()))
    rows = _read(_CALLED, [wanted, wanted])
    known = {row.symbol: facts for row, facts in _facts_of(rows, at=at)}
    if not known.keys() <= set(wanted):
        known |= {old: known[new] for old, new in current_symbols(wanted).items() if old not in known}
    return {symbol: known[normal] for symbol, normal in given.items() if normal in known}


def find_listing(listing_id: UUID, *, at: datetime) -> ListingFacts | None:
    """The listing with this id as of ``at``, or None."""
    return find_listings([listing_id], at=at).get(listing_id)


def get_listing(listing_id: UUID, *, at: datetime) -> ListingFacts:
    """As :func:`find_listing`; raises NotFound (LISTING_UNKNOWN)."""
    facts = find_listing(listing_id, at=at)
    if facts is None:
        raise NotFound("LISTING_UNKNOWN", "There is no such listing.", {"listing_id": str(listing_id)})
    return facts


def find_listings(listing_ids: Iterable[UUID], *, at: datetime) -> dict[UUID, ListingFacts]:
    """Many listings by id in one statement; unknown ones are absent."""
    rows = _read(" WHERE l.id = ANY(%s)", [sorted(set(listing_ids))])
    return {row.listing_id: facts for row, facts in _facts_of(rows, at=at)}


def find_listings_of_instruments(instrument_ids: Iterable[UUID], *, at: datetime) -> dict[UUID, list[ListingFacts]]:
    """Every listing of the instruments, by symbol, in one statement; unknown ones are absent."""
    found: dict[UUID, list[ListingFacts]] = {}
    rows = _read(" WHERE l.instrument_id = ANY(%s) ORDER BY l.symbol", [sorted(set(instrument_ids))])
    for row, facts in _facts_of(rows, at=at):
        found.setdefault(row.instrument_id, []).append(facts)
    return found


def get_market_clock(mic: str) -> MarketClock:
    """Calendar, zone and cycles of one market: hold it for the length of a batch. Raises NotFound (MARKET_UNKNOWN)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version, always_open FROM refdata_market WHERE mic = %s", [mic])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("MARKET_UNKNOWN", f"No market has the MIC {mic[:4]!r}.", {"mic": mic[:4]})
    return clock_of(mic, row[0]).with_always_open(row[1])


def market_phase(mic: str, at: datetime) -> Phase:
    """What the market does at ``at``."""
    return get_market_clock(mic).phase(at)


def business_date(mic: str, at: datetime) -> date:
    """The trade date of something that happens on the market at ``at`` (see MarketClock.business_date)."""
    return get_market_clock(mic).business_date(at)


def settlement_date(mic: str, trade_date: date) -> date:
    """The date a trade of ``trade_date`` on the market settles, by its dated cycle and its depository's calendar."""
    return get_market_clock(mic).settlement_date(trade_date)


def tick_for(facts: ListingFacts, price: Decimal) -> Decimal:
    """The tick of the listing at ``price``, both in its price unit."""
    return tick_table.tick_for(facts.ticks, price)


def static_version(name: str) -> str:
    """SQL of the version of a set of static data, for a statement that reads more; NULL while nothing was set."""
    return f"(SELECT v.version FROM refdata_staticversion v WHERE v.name = '{name}')"  # noqa: S608 a constant of ours


def get_static_version(name: str) -> UUID | None:
    """The version of a set of static data now; None while nothing was set."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM refdata_staticversion WHERE name = %s", [name])
        row = cursor.fetchone()
    return row[0] if row else None


def get_fx_rates(version: UUID | None = None) -> FxRates:
    """All FX rates, from the process's cache while they are of ``version``.

    Who has read ``static_version(FX_RATES)`` with the rest gives it, and pays nothing while rates stand still; without it
    the version is read here.
    """
    version = version or get_static_version(FX_RATES)
    if version is None:
        return FxRates({})
    if _fx[0].version != version:
        columns = ("base", "quote", "rate", "source", "quoted_at", "max_age_s")
        quotes = {
            (base, quote): FxQuote(base, quote, rate, source, quoted_at, timedelta(seconds=max_age_s))
            for base, quote, rate, source, quoted_at, max_age_s in FxRate.objects.values_list(*columns)
        }
        _fx[0] = FxRates(quotes, version)
    return _fx[0]


LISTING_WIDTH: Final = len(_Row._fields)


def listing_statement(condition: str) -> str:
    """The read of one listing, for a statement that reads more in one go; ``condition`` is its WHERE clause.

    Its ``LISTING_WIDTH`` columns have no unique names: give the subquery a column list. The second is the instrument,
    the eighth the MIC, the eleventh the currency.
    """
    return _LISTING_COLUMNS + condition


def listing_from_values(values: Sequence[Any], *, at: datetime) -> ListingFacts:
    """The facts of one row of :func:`listing_statement`."""
    row = _Row(*values)
    return _facts(row, clock_of(row.mic, row.market_version).with_always_open(row.always_open), at=at)


def read_listings(where: str, parameters: Sequence[Any], *, at: datetime) -> tuple[ListingFacts, ...]:
    """The listings of a WHERE clause over this room's tables, in the order it states: one statement."""
    return tuple(facts for _, facts in _facts_of(_read(where, parameters), at=at))


def _read(where: str, parameters: Sequence[Any]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(_LISTING_COLUMNS + where, parameters)
        return [_Row(*row) for row in cursor.fetchall()]


def _facts_of(rows: Sequence[_Row], *, at: datetime) -> Iterable[tuple[_Row, ListingFacts]]:
    for row in rows:
        clock = clock_of(row.mic, row.market_version).with_always_open(row.always_open)
        yield row, _facts(row, clock, at=at)


def _facts(row: _Row, clock: MarketClock, *, at: datetime) -> ListingFacts:
    session = clock.session(at)
    return ListingFacts(
        listing_id=row.listing_id,
        instrument_id=row.instrument_id,
        isin=row.isin,
        name=row.name,
        asset_class=row.asset_class,
        instrument_active=row.active,
        symbol=row.symbol,
        mic=row.mic,
        market_name=row.market_name,
        venue_symbol=row.venue_symbol,
        currency=row.currency,
        price_unit=row.price_unit,
        price_divisor=row.price_divisor,
        lot_size=row.lot_size,
        tick_table=row.tick_table,
        ticks=_bands(row.tick_table_id, row.tick_version),
        state=row.state,
        average_daily_volume=row.average_daily_volume,
        version=row.version,
        ord_types=_codes(row.ord_types),
        times_in_force=_codes(row.times_in_force),
        always_open=row.always_open,
        phase=clock.phase(at),
        business_date=clock.business_date(at),
        session_open_at=session.open_at if session else None,
        session_close_at=session.close_at if session else None,
        price=_price(row),
        at=at,
    )


def _price(row: _Row) -> PriceFacts | None:
    if row.last is None or row.priced_at is None:
        return None
    return PriceFacts(
        last=row.last,
        bid=row.bid,
        ask=row.ask,
        previous_close=row.previous_close,
        source=row.source or "",
        priced_at=row.priced_at,
        bid_size=row.bid_size,
        ask_size=row.ask_size,
        phase=row.phase or "",
        quality=Quality(row.quality or Quality.MISSING),
        suspicion=row.suspicion or "",
        doubted_last=row.doubted_last,
        tick=row.tick,
        alive_at=row.alive_at,
    )


@lru_cache(maxsize=64)
def _codes(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))


def _bands(table_id: int, version: UUID) -> tuple[Band, ...]:
    held = _ticks.get(table_id)
    if held is not None and held[0] == version:
        return held[1]
    rows = TickBand.objects.filter(table_id=table_id).order_by("price_from").values_list("price_from", "tick")
    bands = tuple(Band(price_from, tick) for price_from, tick in rows)
    _keep(_ticks, table_id, (version, bands))
    return bands


def clock_of(mic: str, version: UUID) -> MarketClock:
    """The cached clock of a market under the version that was read with something else."""
    held = _clocks.get(mic)
    if held is not None and held[0] == version:
        return held[1]
    clock = _load_clock(mic)
    _keep(_clocks, mic, (version, clock))
    return clock


def _load_clock(mic: str) -> MarketClock:
    market = Market.objects.get(mic=mic)
    sessions: list[Session] = []
    holidays: dict[date, str] = {}
    days = MarketDay.objects.filter(market_id=mic).order_by("date")
    for day, open_at, close_at, name in days.values_list("date", "open_at", "close_at", "name"):
        if open_at is not None and close_at is not None:
            sessions.append(Session(day, open_at, close_at, name))
        else:
            holidays[day] = name
    dated = SettlementCycle.objects.filter(market_id=mic).order_by("valid_from").values_list("valid_from", "days")
    closed = SettlementHoliday.objects.filter(calendar=market.settlement_calendar).values_list("date", flat=True)
    return MarketClock(
        mic=mic,
        zone=ZoneInfo(market.time_zone),
        calendar=MarketCalendar(
            sessions=tuple(sessions),
            holidays=holidays,
            opening_auction=timedelta(seconds=market.opening_auction_s),
            closing_auction=timedelta(seconds=market.closing_auction_s),
        ),
        cycles=(Cycle(_EPOCH, market.settlement_days), *(Cycle(valid_from, count) for valid_from, count in dated)),
        settlement_holidays=frozenset(closed),
    )


def _keep(cache: dict[Any, Any], key: Any, value: Any) -> None:
    """Put ``value`` in a bounded cache: a full one starts again, which costs a few reads."""
    if len(cache) >= _CACHE_LIMIT:
        cache.clear()
    cache[key] = value
