"""Set the latest prices of many listings in one statement. A price older than the one held never replaces it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

from authorisation.domain.principal import Principal
from kernel.numbers import ZERO
from refdata.domain.import_rows import ImportCode, ImportIssue

_UPSERT = """
INSERT INTO refdata_referenceprice AS held (listing_id, last, bid, ask, previous_close, source, priced_at)
SELECT u.listing_id, u.last, u.bid, u.ask, u.previous_close, %s, u.priced_at
  FROM unnest(%s::uuid[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::timestamptz[])
       AS u(listing_id, last, bid, ask, previous_close, priced_at)
  JOIN refdata_listing l ON l.id = u.listing_id
 ORDER BY u.listing_id
    ON CONFLICT (listing_id) DO UPDATE
   SET last = excluded.last, bid = excluded.bid, ask = excluded.ask, source = excluded.source,
       previous_close = coalesce(excluded.previous_close, held.previous_close), priced_at = excluded.priced_at
 WHERE held.priced_at <= excluded.priced_at
"""


@dataclass(frozen=True, slots=True)
class PriceUpdate:
    """A price in the listing's price unit and when it was made; None keeps the previous close."""

    listing_id: UUID
    last: Decimal
    priced_at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    previous_close: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PricesSet:
    """How many rows were written, and the updates that were refused (``row`` is the position in the batch, from 1)."""

    written: int
    issues: tuple[ImportIssue, ...]


def set_reference_prices(*, actor: Principal, at: datetime, source: str, prices: Sequence[PriceUpdate]) -> PricesSet:
    """Upsert by listing, the latest of a batch wins; unknown listings and older prices are skipped.

    Refused as issues: a price that is not above zero, a bid above the ask, a price made after ``at``.
    """
    issues: list[ImportIssue] = []
    latest: dict[UUID, PriceUpdate] = {}
    for number, update in enumerate(prices, start=1):
        issue = _fault(number, update, at)
        if issue is not None:
            issues.append(issue)
        elif update.listing_id not in latest or latest[update.listing_id].priced_at <= update.priced_at:
            latest[update.listing_id] = update
    if not latest:
        return PricesSet(0, tuple(issues))
    rows = list(latest.values())
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT,
            [
                source,
                [row.listing_id for row in rows],
                [row.last for row in rows],
                [row.bid for row in rows],
                [row.ask for row in rows],
                [row.previous_close for row in rows],
                [row.priced_at for row in rows],
            ],
        )
        return PricesSet(cursor.rowcount, tuple(issues))


def _fault(number: int, update: PriceUpdate, at: datetime) -> ImportIssue | None:
    for name in ("last", "bid", "ask", "previous_close"):
        value = getattr(update, name)
        if value is not None and (not value.is_finite() or value <= ZERO):
            return ImportIssue(number, name, ImportCode.NUMBER_INVALID, f"{name} is not a number above zero.")
    if update.bid is not None and update.ask is not None and update.bid > update.ask:
        return ImportIssue(number, "bid", ImportCode.PRICE_CROSSED, f"Bid {update.bid} is above ask {update.ask}.")
    if update.priced_at > at:
        return ImportIssue(
            number, "priced_at", ImportCode.PRICE_FROM_FUTURE, "The price was made after it was received."
        )
    return None
