"""What the venue knows of a listing and of its market's days: plain values, filled by ``loader``."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class ListingSpec:
    """A listing as the venue trades it. Prices and sizes in units of 1e-8; ``ticks`` are (from price, step), ascending.

    ``anchor`` is the price the reference walks around; ``volume`` the average daily volume in units, 0 when unknown.
    """

    listing_id: str
    symbol: str
    mic: str
    venue_symbol: str
    isin: str
    currency: str
    reference: int
    anchor: int
    ticks: tuple[tuple[int, int], ...]
    lot: int
    volume: int = 0
    price_unit: str = ""

    def tick_at(self, price: int) -> int:
        """The price step that holds at a price."""
        place = bisect_right(self.ticks, (price, 1 << 80))
        return self.ticks[max(place - 1, 0)][1]

    def on_tick(self, price: int) -> bool:
        """Whether a price is positive and a multiple of its step."""
        return price > 0 and price % self.tick_at(price) == 0

    def rounded(self, price: int) -> int:
        """The multiple of the step at or below a price, at least one step."""
        tick = self.tick_at(price)
        return max(price - price % tick, tick)


@dataclass(frozen=True, slots=True)
class TradingDay:
    """One session of a market: its trade date and the times continuous trading begins and ends (UTC)."""

    trade_date: date
    open_at: datetime
    close_at: datetime


@dataclass(frozen=True, slots=True)
class MarketSpec:
    """A market's calendar. ``always_open`` markets trade round the clock and change their date at local midnight."""

    mic: str
    time_zone: str
    always_open: bool
    days: tuple[TradingDay, ...] = ()
