"""Reads of prices, their feeds and the stored ticks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection

from journal.bulk import raw_cursor
from kernel.ids import first_id_of
from refdata.domain.judging import Outcome
from refdata.domain.listing_facts import ListingFacts
from refdata.domain.ticks import PricedListing
from refdata.models import PriceSource
from refdata.selectors import clock_of, read_listings

MOST_LISTED: Final = 500
MOST_TICKS: Final = 200

_PRICED = """
SELECT l.id, l.symbol, l.price_unit, l.currency, l.market_id, m.version, m.always_open
  FROM refdata_listing l JOIN refdata_market m ON m.mic = l.market_id
"""
_TICK = """
SELECT t.id, l.symbol, l.price_unit, t.source, t.made_at, t.received_at, t.last, t.bid, t.ask, t.bid_size, t.ask_size,
       t.previous_close, t.phase, t.outcome, t.doubt
  FROM refdata_pricetick t JOIN refdata_listing l ON l.id = t.listing_id
"""


_BEFORE = """
SELECT n.place, t.last
  FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS n(listing_id, until, place)
 CROSS JOIN LATERAL (
       SELECT k.last FROM refdata_pricetick k
        WHERE k.listing_id = n.listing_id AND k.id < n.until AND k.last IS NOT NULL AND k.outcome = ANY(%s)
        ORDER BY k.id DESC LIMIT 1) t
"""
_BELIEVED = [
    one.value for one in (Outcome.APPLIED, Outcome.UNCHANGED, Outcome.PASSED_OVER, Outcome.CONFIRMED, Outcome.RETURNED)
]


@dataclass(frozen=True, slots=True)
class TickRow:
    """One stored tick, in the listing's price unit. ``outcome`` is what it did, ``doubt`` why it was not believed."""

    id: UUID
    symbol: str
    price_unit: str
    source: str
    made_at: datetime
    received_at: datetime
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None
    ask_size: Decimal | None
    previous_close: Decimal | None
    phase: str
    outcome: str
    doubt: str


def find_priced_listings(symbols: Iterable[str]) -> dict[str, PricedListing]:
    """By symbol, what must be known to take ticks of them: one statement. Unknown symbols are absent."""
    return {one.symbol: one for one in _priced(" WHERE l.symbol = ANY(%s)", sorted(set(symbols)))}


def find_priced_listings_by_id(listing_ids: Iterable[UUID]) -> dict[UUID, PricedListing]:
    """The same by id."""
    return {one.listing_id: one for one in _priced(" WHERE l.id = ANY(%s::uuid[])", sorted(set(listing_ids)))}


def _priced(condition: str, values: Sequence[object]) -> list[PricedListing]:
    with raw_cursor() as cursor:
        cursor.execute((_PRICED + condition).encode(), [values])
        return [
            PricedListing(listing_id, symbol, unit, currency, clock_of(mic, version).with_always_open(always_open))
            for listing_id, symbol, unit, currency, mic, version, always_open in cursor.fetchall()
        ]


def list_prices(*, at: datetime, query: str = "", mic: str = "") -> tuple[ListingFacts, ...]:
    """Active listings by symbol with their price, one statement: those whose symbol, ISIN or name contains ``query``.

    At most ``MOST_LISTED``.
    """
    text = query.strip().upper().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    where = (
        " WHERE i.active AND (%s = '' OR l.market_id = %s)"
        " AND (l.symbol LIKE %s OR i.isin LIKE %s OR upper(i.name) LIKE %s) ORDER BY l.symbol LIMIT %s"
    )
    like = f"%{text}%"
    return read_listings(where, [mic, mic, like, like, like, MOST_LISTED], at=at)


def list_sources() -> tuple[PriceSource, ...]:
    """Every feed that ever spoke, by code."""
    return tuple(PriceSource.objects.order_by("code"))


def find_tick(tick_id: UUID) -> TickRow | None:
    """The stored tick a decision names; None when it is beyond retention."""
    return next(iter(_ticks(" WHERE t.id = %s", [tick_id])), None)


def find_ticks(tick_ids: Iterable[UUID]) -> dict[UUID, TickRow]:
    """Many of them in one statement; those beyond retention are absent."""
    return {row.id: row for row in _ticks(" WHERE t.id = ANY(%s)", [sorted(set(tick_ids))])}


def list_ticks(listing_id: UUID, *, limit: int = 50) -> tuple[TickRow, ...]:
    """The newest ticks of a listing, newest first; at most ``MOST_TICKS``."""
    where = " WHERE t.listing_id = %s ORDER BY t.id DESC LIMIT %s"
    return tuple(_ticks(where, [listing_id, min(limit, MOST_TICKS)]))


def list_prices_before(wanted: Sequence[tuple[UUID, datetime]]) -> list[Decimal | None]:
    """For each listing and time the last price that was believed before it; None where no stored tick says. One statement."""
    found: list[Decimal | None] = [None] * len(wanted)
    if wanted:
        values = [[one[0] for one in wanted], [first_id_of(one[1]) for one in wanted], _BELIEVED]
        with raw_cursor() as cursor:
            cursor.execute(_BEFORE, values)
            for place, last in cursor.fetchall():
                found[place - 1] = last
    return found


def _ticks(where: str, parameters: Sequence[Any]) -> list[TickRow]:
    with connection.cursor() as cursor:
        cursor.execute(_TICK + where, parameters)
        return [TickRow(*row) for row in cursor.fetchall()]
