"""Working time: nights, weekends, holidays, half days and both days of daylight saving, by exact instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.domain.working_clock import WALL, ClockName, WorkingHours, business_clock, venue_clock
from refdata.domain.market_clock import MarketClock
from refdata.domain.sessions import MarketCalendar, Session

LONDON = ZoneInfo("Europe/London")
CHRISTMAS = frozenset({date(2026, 12, 25), date(2026, 12, 28)})
BUSINESS = business_clock(WorkingHours(LONDON, time(7), time(19), CHRISTMAS))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("start", "need", "due"),
    [
        ("2026-11-26T09:00", 60, "2026-11-26T10:00"),
        ("2026-11-26T18:00", 60, "2026-11-26T19:00"),  # at the mark: the last minute of the day counts
        ("2026-11-26T18:00", 61, "2026-11-27T07:01"),
        ("2026-11-27T18:30", 60, "2026-11-30T07:30"),  # over a weekend
        ("2026-11-28T12:00", 60, "2026-11-30T08:00"),  # begun on a Saturday
        ("2026-12-24T18:00", 120, "2026-12-29T08:00"),  # Friday and Monday are holidays
        ("2026-03-27T18:30", 60, "2026-03-30T06:30"),  # clocks went forward: seven in London is six in UTC
        ("2026-10-23T17:30", 60, "2026-10-26T07:30"),  # clocks went back
        ("2026-11-26T02:00", 0, "2026-11-26T07:00"),
    ],
)
def test_when_a_business_matter_is_due(start: str, need: int, due: str) -> None:
    assert BUSINESS.deadline(at(start), minutes(need)) == at(due)


@pytest.mark.parametrize(
    ("start", "until", "passed"),
    [
        ("2026-11-26T09:00", "2026-11-26T09:30", 30),
        ("2026-11-26T18:00", "2026-11-27T08:00", 120),
        ("2026-11-28T00:00", "2026-11-29T23:59", 0),
        ("2026-11-26T09:30", "2026-11-26T09:00", 0),  # a clock that stepped back
    ],
)
def test_how_much_time_has_passed(start: str, until: str, passed: int) -> None:
    assert BUSINESS.elapsed(at(start), at(until)) == minutes(passed)


def test_pauses_are_named() -> None:
    pauses = BUSINESS.pauses(at("2026-12-24T18:00"), at("2026-12-29T08:00"))
    assert [(pause.begin, pause.end, pause.why) for pause in pauses] == [
        (at("2026-12-24T19:00"), at("2026-12-29T07:00"), "outside business hours")
    ]
    assert WALL.pauses(at("2026-12-24T18:00"), at("2026-12-29T08:00")) == ()


def market(*, always_open: bool = False) -> MarketClock:
    sessions = (
        Session(date(2026, 11, 26), at("2026-11-26T08:00"), at("2026-11-26T16:30")),
        Session(date(2026, 11, 27), at("2026-11-27T08:00"), at("2026-11-27T12:30"), "half day"),
    )
    calendar = MarketCalendar(sessions, {}, minutes(10), minutes(5), always_open=always_open)
    return MarketClock("XLON", LONDON, calendar, (), frozenset())


@pytest.mark.parametrize(
    ("start", "need", "due"),
    [
        ("2026-11-26T07:00", 5, "2026-11-26T07:55"),  # the opening auction counts
        ("2026-11-26T16:33", 5, "2026-11-27T07:53"),  # two minutes of the closing auction, three of the next opening
        ("2026-11-27T12:30", 10, "2026-11-27T12:40"),  # the calendar ends: time runs on, no deadline is lost
    ],
)
def test_when_a_live_matter_is_due(start: str, need: int, due: str) -> None:
    clock = venue_clock(market())
    assert clock.name is ClockName.VENUE
    assert clock.deadline(at(start), minutes(need)) == at(due)


def test_a_market_that_never_closes_never_pauses() -> None:
    clock = venue_clock(market(always_open=True))
    assert clock.deadline(at("2026-11-28T03:00"), minutes(5)) == at("2026-11-28T03:05")


@given(start=st.integers(0, 525_600), first=st.integers(0, 6000), more=st.integers(0, 6000))
def test_a_deadline_is_where_the_time_has_passed_and_never_goes_back(start: int, first: int, more: int) -> None:
    begun = at("2026-01-01T00:00") + minutes(start)
    due, later = BUSINESS.deadline(begun, minutes(first)), BUSINESS.deadline(begun, minutes(first + more))
    assert later >= due >= begun
    assert BUSINESS.elapsed(begun, due) == minutes(first)
