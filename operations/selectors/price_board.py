"""The board of prices: every listing with its price, how far it moved, its age and state, and the feeds behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from operations.domain.price_state import MEANING, SHOWN, AgeMarks, PriceState, state_of
from operations.domain.shown_status import ShownStatus
from refdata.domain.listing_facts import ListingFacts
from refdata.models import PriceSource
from refdata.selectors.prices import list_prices, list_sources
from risk.domain.checks.marks import tightest
from risk.domain.checks.prices import PRICE_AGE
from risk.selectors import get_marks


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One line of the board. ``change`` is the move since the previous close, in per cent to two places."""

    listing: ListingFacts
    state: PriceState
    age_s: int | None
    change: Decimal | None
    places: int

    @property
    def shown(self) -> ShownStatus:
        return SHOWN[self.state]

    @property
    def meaning(self) -> str:
        return MEANING[self.state]

    @property
    def alive_at(self) -> datetime | None:
        """When the feed last vouched for the price."""
        price = self.listing.price
        return None if price is None else price.alive_at or price.priced_at


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One feed: when it spoke last, whether it is silent, how many listings it prices and how many are in doubt."""

    source: PriceSource
    listings: int
    suspect: int


def age_marks(at: datetime) -> AgeMarks:
    """The firm's marks for the age of a price."""
    found = tightest(get_marks([("firm", "")], at=at).limits, PRICE_AGE)
    return AgeMarks(found.warn, found.hard) if found else AgeMarks(None, None)


def list_price_rows(*, at: datetime, marks: AgeMarks, query: str = "", mic: str = "") -> tuple[PriceRow, ...]:
    """The board by symbol; at most 500 lines."""
    return tuple(price_row(listing, marks, at) for listing in list_prices(at=at, query=query, mic=mic))


def list_feed_rows(rows: tuple[PriceRow, ...]) -> tuple[FeedRow, ...]:
    """The feeds, with counts over ``rows``."""
    return tuple(
        FeedRow(
            source,
            sum(1 for row in rows if row.listing.price and row.listing.price.source == source.code),
            sum(
                1
                for row in rows
                if row.state is PriceState.SUSPECT and row.listing.price and row.listing.price.source == source.code
            ),
        )
        for source in list_sources()
    )


def price_row(listing: ListingFacts, marks: AgeMarks, at: datetime) -> PriceRow:
    """One line."""
    price = listing.price
    change = None
    if price is not None and price.previous_close:
        change = round((price.last - price.previous_close) / price.previous_close * 100, 2)
    tick = max((band.tick for band in listing.ticks if price and band.price_from <= price.last), default=None)
    places = max(-int(tick.normalize().as_tuple().exponent), 0) if tick else 2
    return PriceRow(listing, state_of(listing, marks, at), price.age_s(at) if price else None, change, places)
