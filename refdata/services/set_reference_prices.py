"""Set the latest prices of many listings from a file or a load, judged as a feed's are.

A price older than the one held never replaces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from authorisation.domain.principal import Principal
from journal.bulk import one_transaction
from kernel.numbers import ZERO
from refdata.domain.import_rows import ImportCode, ImportIssue
from refdata.domain.judging import Marks
from refdata.domain.ticks import Tick
from refdata.locks import lock_prices
from refdata.selectors.prices import find_priced_listings_by_id
from refdata.services._write_prices import write_prices

MARKS = Marks(Decimal("0.10"), 3)
"""A file is judged like a feed: a price far from the one held is suspect until a person says otherwise."""


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
    """How many prices changed, the updates that were refused (``row`` is the position in the batch, from 1), and the
    symbols whose price came into doubt."""

    written: int
    issues: tuple[ImportIssue, ...]
    doubted: tuple[str, ...] = ()


def set_reference_prices(*, actor: Principal, at: datetime, source: str, prices: Sequence[PriceUpdate]) -> PricesSet:
    """Take the latest price a listing of the batch; unknown listings and older prices are skipped.

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
    with one_transaction():
        listings = find_priced_listings_by_id(latest)
        held = lock_prices(listings)
        ticks = [
            _tick(update)
            for listing_id, update in latest.items()
            if listing_id in listings and not (listing_id in held and update.priced_at < held[listing_id].priced_at)
        ]
        if not ticks:
            return PricesSet(0, tuple(issues))
        written = write_prices(
            actor=actor.actor, at=at, source=source, session=None, marks=MARKS, ticks=ticks, listings=listings
        )
    return PricesSet(written.changed, tuple(issues), written.doubted)


def _tick(update: PriceUpdate) -> Tick:
    return Tick(
        listing_id=update.listing_id,
        made_at=update.priced_at,
        last=update.last,
        bid=update.bid,
        ask=update.ask,
        previous_close=update.previous_close,
    )


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
