"""Late, missing and here after all: told once each, by the feed's own calendar and wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from kernel.errors import Unavailable
from reconciliation.models import Feed
from reconciliation.selectors.feeds import feed_state, list_feed_states
from reconciliation.services.watch_arrivals import watch_arrivals
from refdata.models import SettlementHoliday
from tests.factories import make_market
from tests.factories.feeds import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    anomalies,
    bring,
    cash_file,
    make_calendar,
    make_feed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed() -> Feed:
    make_calendar(holidays=[MONDAY])
    return make_feed(watched_from=FRIDAY)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def word(moment: datetime) -> str:
    return list_feed_states(at=moment)[0].word.value


def test_late_then_missing_then_here(feed: Feed) -> None:
    for moment, told in (
        (at(FRIDAY, 6, 44), 0),
        (at(FRIDAY, 6, 45), 1),
        (at(FRIDAY, 8, 29), 0),
        (at(FRIDAY, 8, 30), 2),
    ):
        assert (watch_arrivals(at=moment), watch_arrivals(at=moment)) == (told, 0)
    assert anomalies() == [("FILE_LATE", "R"), ("FILE_LATE", "C"), ("FILE_MISSING", "R")]
    assert [word(at(FRIDAY, 6, 31)), word(at(FRIDAY, 6, 50)), word(at(FRIDAY, 9))] == ["waiting", "late", "missing"]
    bring(feed, cash_file(), at=at(FRIDAY, 9))
    assert (watch_arrivals(at=at(FRIDAY, 9, 1)), anomalies()[-1]) == (1, ("FILE_MISSING", "C"))
    state = feed_state(feed, at=at(FRIDAY, 9, 1))
    assert (state.word.value, state.due.about if state.due else None) == ("here", THURSDAY)
    assert state.file is not None


def test_in_time_is_silent(feed: Feed) -> None:
    bring(feed, cash_file(), at=at(FRIDAY, 5))
    assert (watch_arrivals(at=at(FRIDAY, 12)), anomalies()) == (0, [])


def test_a_refused_file_is_no_answer(feed: Feed) -> None:
    bring(feed, b"\x00", at=at(FRIDAY, 6, 40))
    assert word(at(FRIDAY, 6, 41)) == "refused"
    assert (watch_arrivals(at=at(FRIDAY, 6, 50)), anomalies()[-1]) == (1, ("FILE_LATE", "R"))


def test_on_a_holiday_nothing_is_owed(feed: Feed) -> None:
    bring(feed, cash_file(), at=at(FRIDAY, 6))
    assert (watch_arrivals(at=at(MONDAY, 12)), word(at(MONDAY, 12))) == (0, "here")
    assert watch_arrivals(at=at(TUESDAY, 9)) == 1
    assert anomalies() == [("FILE_MISSING", "R")]


def test_days_missed_while_the_house_was_down_are_each_told_and_a_later_state_answers_them(feed: Feed) -> None:
    wednesday = TUESDAY + timedelta(days=1)
    assert watch_arrivals(at=at(wednesday, 12)) == 3
    bring(feed, cash_file(TUESDAY), at=at(wednesday, 13))
    assert watch_arrivals(at=at(wednesday, 13)) == 3
    assert anomalies() == [("FILE_MISSING", "R")] * 3 + [("FILE_MISSING", "C")] * 3


def test_a_day_of_executions_is_answered_by_nothing_else(feed: Feed) -> None:
    Feed.objects.update(kind="executions", lag=0, due=time(18), watched_from=THURSDAY)
    assert watch_arrivals(at=at(FRIDAY, 21)) == 2
    rows = b"exec_id,last_qty,last_px\nE1,5,1\n"
    bring(Feed.objects.get(), b"#STATEMENT date=2026-11-20\n" + rows + b"#TRAILER rows=1\n", at=at(FRIDAY, 22))
    assert watch_arrivals(at=at(FRIDAY, 22)) == 1
    assert anomalies() == [("FILE_MISSING", "R"), ("FILE_MISSING", "R"), ("FILE_MISSING", "C")]


def test_a_feed_nobody_waits_for_is_never_missed(feed: Feed) -> None:
    Feed.objects.update(watched_from=None)
    assert (watch_arrivals(at=at(FRIDAY, 12)), word(at(FRIDAY, 12))) == (0, "missing")


def test_settlement_days_are_those_of_the_currency(feed: Feed) -> None:
    Feed.objects.update(market=None, settlement_calendar="UK")
    assert watch_arrivals(at=at(MONDAY, 12)) == 2  # London's market is shut, its banks are not
    SettlementHoliday.objects.create(calendar="UK", date=TUESDAY, name="closed")
    assert watch_arrivals(at=at(TUESDAY, 12)) == 0


def test_a_calendar_that_ends_is_said_and_holds_up_no_other(feed: Feed) -> None:
    make_market("XNYS", "USD")
    make_feed(code="A-FIRST", market_id="XNYS", folder="x", watched_from=FRIDAY)
    with pytest.raises(Unavailable, match="CALENDAR_MISSING"):
        watch_arrivals(at=at(FRIDAY, 7))
    assert anomalies() == [("FILE_LATE", "R")]
