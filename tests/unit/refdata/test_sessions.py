"""Phases and business dates around the edges of a session, a holiday, a weekend and daylight saving."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kernel.errors import Unavailable
from refdata.domain.market_clock import MarketClock
from refdata.domain.sessions import MarketCalendar, Phase, Session
from refdata.domain.settlement import Cycle


def utc(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, second, tzinfo=UTC)


CALENDAR = MarketCalendar(
    sessions=(
        Session(date(2026, 12, 23), utc(23, 8), utc(23, 16, 30)),
        Session(date(2026, 12, 24), utc(24, 8), utc(24, 12, 30), "Early close"),
        Session(date(2026, 12, 29), utc(29, 8), utc(29, 16, 30)),
    ),
    holidays={date(2026, 12, 25): "Christmas", date(2026, 12, 28): "Boxing Day"},
    opening_auction=timedelta(minutes=10),
    closing_auction=timedelta(minutes=5),
)
LONDON = MarketClock(
    mic="XLON",
    zone=ZoneInfo("Europe/London"),
    calendar=CALENDAR,
    cycles=(Cycle(date(1970, 1, 1), 2),),
    settlement_holidays=frozenset({date(2026, 12, 25), date(2026, 12, 28)}),
)


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        (utc(23, 7, 49, 59), Phase.CLOSED),
        (utc(23, 7, 50), Phase.OPENING_AUCTION),
        (utc(23, 7, 59, 59), Phase.OPENING_AUCTION),
        (utc(23, 8), Phase.CONTINUOUS),
        (utc(23, 16, 29, 59), Phase.CONTINUOUS),
        (utc(23, 16, 30), Phase.CLOSING_AUCTION),
        (utc(23, 16, 35), Phase.CLOSED),
        (utc(24, 12, 30), Phase.CLOSING_AUCTION),
        (utc(24, 14), Phase.CLOSED),
        (utc(25, 10), Phase.HOLIDAY),
        (utc(26, 10), Phase.CLOSED),
    ],
)
def test_phase(at: datetime, phase: Phase) -> None:
    assert LONDON.phase(at) is phase


def test_open_phases_are_those_in_which_orders_can_trade() -> None:
    assert {phase for phase in Phase if phase.is_open} == {
        Phase.OPENING_AUCTION,
        Phase.CONTINUOUS,
        Phase.CLOSING_AUCTION,
    }


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (utc(23, 7), date(2026, 12, 23)),
        (utc(23, 17, 5), date(2026, 12, 23)),
        (utc(25, 10), date(2026, 12, 29)),
        (utc(26, 10), date(2026, 12, 29)),
        (utc(28, 10), date(2026, 12, 29)),
    ],
)
def test_business_date_is_the_session_or_the_next_one(at: datetime, day: date) -> None:
    assert LONDON.business_date(at) == day


def test_beyond_the_calendar_is_unavailable_not_a_guess() -> None:
    with pytest.raises(Unavailable) as caught:
        LONDON.business_date(utc(30, 10))
    assert caught.value.code == "CALENDAR_MISSING"
    assert caught.value.sentence == ("No session of XLON on or after 2026-12-30 is loaded. Load the calendar of XLON.")
    assert LONDON.session(utc(30, 10)) is None


def test_a_market_that_never_closes_is_always_continuous_and_dates_by_local_day() -> None:
    demo = LONDON.with_always_open(True)
    assert demo.phase(utc(25, 3)) is Phase.CONTINUOUS
    assert demo.business_date(utc(25, 3)) == date(2026, 12, 25)
    assert demo.session(utc(25, 3)) is None
    assert demo.session(utc(23, 3)) == CALENDAR.sessions[0]
    assert demo.business_date(utc(30, 10)) == date(2026, 12, 30)
    assert demo.with_always_open(False) == LONDON


def test_the_local_date_counts() -> None:
    sydney = MarketClock(
        mic="XASX",
        zone=ZoneInfo("Australia/Sydney"),
        calendar=MarketCalendar(sessions=(Session(date(2026, 12, 24), utc(23, 23), utc(24, 5)),)),
        cycles=(Cycle(date(1970, 1, 1), 2),),
        settlement_holidays=frozenset(),
    )
    assert sydney.business_date(utc(23, 13)) == date(2026, 12, 24)
    assert sydney.phase(utc(23, 23)) is Phase.CONTINUOUS


def test_settlement_skips_depository_holidays() -> None:
    assert LONDON.settlement_date(date(2026, 12, 23)) == date(2026, 12, 29)
