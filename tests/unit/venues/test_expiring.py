"""A day is over some grace after its official close, or after midnight where the market never closes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from refdata.domain.market_clock import MarketClock
from refdata.domain.sessions import MarketCalendar, Session
from venues.domain.expiring import GRACE, day_is_over

DAY = date(2026, 11, 20)
CLOSE = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)


def clock(*, always_open: bool) -> MarketClock:
    session = Session(DAY, CLOSE - timedelta(hours=8), CLOSE)
    calendar = MarketCalendar(always_open=always_open, sessions=(session,))
    return MarketClock("XLON", ZoneInfo("Europe/London"), calendar, (), frozenset())


def test_a_day_ends_the_grace_after_its_close() -> None:
    market = clock(always_open=False)
    assert not day_is_over(market, DAY, CLOSE + GRACE - timedelta(seconds=1))
    assert day_is_over(market, DAY, CLOSE + GRACE)


def test_a_market_that_never_closes_ends_its_day_at_midnight() -> None:
    market = clock(always_open=True)
    midnight = datetime(2026, 11, 21, tzinfo=UTC)
    assert not day_is_over(market, DAY, midnight + GRACE - timedelta(seconds=1))
    assert day_is_over(market, DAY, midnight + GRACE)


def test_a_day_without_a_session_ends_at_midnight_too() -> None:
    market = clock(always_open=False)
    assert day_is_over(market, date(2026, 11, 14), datetime(2026, 11, 15, tzinfo=UTC) + GRACE)
