"""What feeds say, in one shape, and the way from a feed's unit to a listing's. A unit is declared or the tick is refused.

A feed in pounds for a listing in pence is converted; a unit of another currency, or none, is never guessed at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from refdata.domain.market_clock import MarketClock
from refdata.domain.price_units import divisor_of


@dataclass(frozen=True, slots=True)
class FeedTick:
    """One word of a feed about one listing, in ``unit``. None is "not said"; a side without quote is None too.

    ``made_at`` is when the feed made these figures: a repeat of them carries the same time. ``phase`` is the venue's
    own word. ``withdrawn``: the feed no longer prices the listing.
    """

    symbol: str
    unit: str
    made_at: datetime
    last: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    previous_close: Decimal | None = None
    phase: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """The same about a listing of ours, in its price unit."""

    listing_id: UUID
    made_at: datetime
    last: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    previous_close: Decimal | None = None
    phase: str = ""
    withdrawn: bool = False

    @property
    def mid(self) -> Decimal | None:
        """Half way between bid and ask; None unless both are quoted."""
        return (self.bid + self.ask) / 2 if self.bid is not None and self.ask is not None else None


@dataclass(frozen=True, slots=True)
class PricedListing:
    """What must be known of a listing to take a tick of it."""

    listing_id: UUID
    symbol: str
    price_unit: str
    currency: str
    clock: MarketClock


class TickRefusal(StrEnum):
    """Why a feed's word is not even a tick."""

    SYMBOL_UNKNOWN = "SYMBOL_UNKNOWN"
    UNIT_MISSING = "UNIT_MISSING"
    UNIT_MISMATCH = "UNIT_MISMATCH"


def normalise(given: FeedTick, *, listing_id: UUID, price_unit: str, currency: str) -> Tick | TickRefusal:
    """The tick in the listing's price unit, or why it cannot be told."""
    if not given.unit:
        return TickRefusal.UNIT_MISSING
    theirs, ours = divisor_of(given.unit, currency), divisor_of(price_unit, currency)
    if theirs is None or ours is None:
        return TickRefusal.UNIT_MISMATCH

    def scaled(value: Decimal | None) -> Decimal | None:
        return value if value is None or theirs == ours else value * ours / theirs

    return Tick(
        listing_id=listing_id,
        made_at=given.made_at,
        last=scaled(given.last),
        bid=scaled(given.bid),
        ask=scaled(given.ask),
        bid_size=given.bid_size,
        ask_size=given.ask_size,
        previous_close=scaled(given.previous_close),
        phase=given.phase,
        withdrawn=given.withdrawn,
    )
