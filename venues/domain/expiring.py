"""When a day order must be over although its venue sends no expiry: after the official close of its day, and some grace.

Only then may its end be inferred, and only from the venue's own list of what is live. An order that is still listed, or a
venue that cannot list, is a person's matter.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from refdata.domain.market_clock import MarketClock

GRACE = timedelta(minutes=15)
LOOK_EVERY = timedelta(minutes=15)
DAY_FORCES = ("0", "2", "7")  # day, at the opening, at the close


def ends_at(clock: MarketClock, trade_date: date) -> datetime:
    """When the market's day of ``trade_date`` ends, in UTC: at its official close; round the clock, at midnight."""
    return clock.day_ends_at(trade_date)


def day_is_over(clock: MarketClock, trade_date: date, now: datetime) -> bool:
    """Whether the market's day of ``trade_date`` ended at least the grace ago."""
    return now >= ends_at(clock, trade_date) + GRACE
