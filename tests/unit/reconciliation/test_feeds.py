"""Which file is expected when, across holidays and changes of clocks, and which one is not it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from reconciliation.domain.feeds import (
    Arrived,
    Before,
    FeedTerms,
    due_on,
    expected_day,
    faults_of,
    latest_due,
    matches,
    number_of,
)
from reconciliation.domain.file_faults import FaultCode, code_of_problem

TERMS = FeedTerms("BANK-CASH", "cash", "BANK", time(6, 30), ZoneInfo("Europe/London"))
NEW_YORK = replace(TERMS, zone=ZoneInfo("America/New_York"))
# Monday 23 November 2026 is taken for a holiday.
DAYS = [date(2026, 11, n) for n in (16, 17, 18, 19, 20, 24, 25, 26, 27)]
THURSDAY, FRIDAY, MONDAY, TUESDAY = (date(2026, 11, n) for n in (19, 20, 23, 24))


def at(day: date, hour: int = 7, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


NOW = at(FRIDAY)
NOTHING = Before()


def faults(arrived: Arrived, before: Before = NOTHING, *, terms: FeedTerms = TERMS) -> list[str]:
    return [fault.code.value for fault in faults_of(terms, arrived, before, DAYS, NOW)]


def test_what_is_due_on_a_day_is_about_the_day_of_business_before() -> None:
    due = due_on(TERMS, DAYS, TUESDAY)
    assert due is not None
    assert (due.about, due.due_at) == (FRIDAY, at(TUESDAY, 6, 30))
    assert (due.late_at, due.missing_at) == (at(TUESDAY, 6, 45), at(TUESDAY, 8, 30))
    assert due_on(replace(TERMS, lag=0), DAYS, TUESDAY).about == TUESDAY  # type: ignore[union-attr]


@pytest.mark.parametrize("day", [MONDAY, date(2026, 11, 21), date(2026, 11, 16), date(2027, 1, 4)])
def test_nothing_is_due_on_a_holiday_at_a_weekend_or_beyond_what_is_known(day: date) -> None:
    assert due_on(TERMS, DAYS, day) is None


def test_the_last_due_file_stays_fridays_over_a_long_weekend() -> None:
    assert latest_due(TERMS, DAYS, at(MONDAY, 12)).day == FRIDAY  # type: ignore[union-attr]
    assert latest_due(TERMS, DAYS, at(TUESDAY, 6, 29)).day == FRIDAY  # type: ignore[union-attr]
    assert latest_due(TERMS, DAYS, at(TUESDAY, 6, 30)).day == TUESDAY  # type: ignore[union-attr]
    assert latest_due(TERMS, DAYS, at(date(2026, 11, 15))) is None


@pytest.mark.parametrize(
    ("terms", "day", "due"),
    [
        # New York leaves summer time on 1 November 2026, Europe on 25 October, both return in March.
        (NEW_YORK, date(2026, 10, 30), datetime(2026, 10, 30, 10, 30, tzinfo=UTC)),
        (NEW_YORK, date(2026, 11, 2), datetime(2026, 11, 2, 11, 30, tzinfo=UTC)),
        (TERMS, date(2026, 10, 23), datetime(2026, 10, 23, 5, 30, tzinfo=UTC)),
        (TERMS, date(2026, 10, 26), datetime(2026, 10, 26, 6, 30, tzinfo=UTC)),
        # 01:30 happens twice on 25 October, and never on 28 March 2027.
        (replace(TERMS, due=time(1, 30)), date(2026, 10, 25), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (replace(TERMS, due=time(1, 30)), date(2027, 3, 28), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),
    ],
)
def test_the_wall_clock_of_the_zone_counts(terms: FeedTerms, day: date, due: datetime) -> None:
    found = due_on(terms, [day - timedelta(days=1), day], day)
    assert found is not None
    assert (found.due_at, found.missing_at - found.due_at) == (due, timedelta(hours=2))


@pytest.mark.parametrize(
    ("day", "before", "found"),
    [
        (THURSDAY, Before(), []),  # the expected one
        (FRIDAY, Before(), []),  # the same feed during the day
        (None, Before(), []),  # it does not say: taken for the expected one
        (date(2026, 11, 18), Before(), ["FILE_WRONG_DAY"]),
        (date(2026, 11, 18), Before(latest_day=date(2026, 11, 17)), []),  # a missed day comes after all
        (date(2026, 11, 17), Before(latest_day=date(2026, 11, 18)), ["FILE_OLDER"]),
        (TUESDAY, Before(), ["FILE_WRONG_DAY"]),  # still to come
        (date(2026, 11, 15), Before(latest_day=date(2026, 11, 13)), ["FILE_WRONG_DAY"]),  # a Sunday
        (THURSDAY, Before(latest_day=THURSDAY, of_day=True), []),  # the newest wins
        (THURSDAY, Before(latest_day=THURSDAY, of_day=True, applied_cut=at(FRIDAY, 5)), ["FILE_RESENT"]),
    ],
)
def test_a_file_must_be_about_a_day_that_can_be(day: date | None, before: Before, found: list[str]) -> None:
    assert faults(Arrived("cash.csv", day), before) == found


def test_the_same_day_again_is_taken_with_a_later_cut() -> None:
    before = Before(latest_day=FRIDAY, of_day=True, applied_cut=at(FRIDAY, 5))
    assert faults(Arrived("cash.csv", FRIDAY, at(FRIDAY, 6)), before) == []
    assert faults(Arrived("cash.csv", FRIDAY, at(FRIDAY, 5)), before) == ["FILE_RESENT"]


def test_a_second_file_of_a_day_is_refused_where_one_was_agreed() -> None:
    before = Before(latest_day=THURSDAY, of_day=True)
    assert faults(Arrived("cash.csv", THURSDAY), before, terms=replace(TERMS, resend="refuse")) == ["FILE_RESENT"]


@pytest.mark.parametrize(
    ("number", "found"),
    [("12", []), ("12/1", []), ("13", ["FILE_SEQUENCE_GAP"]), ("11", ["FILE_SEQUENCE_GAP"]), ("", []), ("x", [])],
)
def test_numbers_follow_each_other(number: str, found: list[str]) -> None:
    before = Before(latest_day=date(2026, 11, 18), sequence="11/3", sequence_day=date(2026, 11, 18))
    arrived = Arrived("cash.csv", THURSDAY, sequence=number)
    assert faults(arrived, before, terms=replace(TERMS, sequence="told")) == found
    assert faults(arrived, before) == []
    refusing = faults_of(replace(TERMS, sequence="refused"), arrived, before, DAYS, at(FRIDAY))
    assert [fault.refuses for fault in refusing] == [True] * len(found)


def test_numbers_begin_again_with_the_year() -> None:
    days = [date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 4), date(2027, 1, 5)]
    before = Before(latest_day=days[1], sequence="250", sequence_day=days[1])
    terms = replace(TERMS, sequence="told")
    assert faults_of(terms, Arrived("a", days[2], sequence="1"), before, days, at(days[3])) == []
    assert len(faults_of(terms, Arrived("a", days[2], sequence="2"), before, days, at(days[3]))) == 1


def test_what_opens_must_be_what_closed() -> None:
    closing = {"A1 GBP": Decimal("10.50"), "A1 USD": Decimal(7), "A2 GBP": Decimal(1)}
    before = Before(latest_day=date(2026, 11, 18), closing=closing)
    terms = replace(TERMS, sequence="told")
    same = Arrived("cash.csv", THURSDAY, opening={"A1 GBP": Decimal("10.5"), "A3 GBP": Decimal(4)})
    assert faults(same, before, terms=terms) == []
    other = replace(same, opening={"A1 GBP": Decimal("10.49"), "A1 USD": Decimal(8)})
    (fault,) = faults_of(terms, other, before, DAYS, at(FRIDAY))
    assert fault.code is FaultCode.SEQUENCE_GAP
    assert fault.sentence == (
        "cash.csv opens A1 GBP at 10.49, the one before closed it at 10.50, and 1 more. "
        "It was taken; ask for what lies between."
    )
    assert not fault.refuses


def test_before_the_day_has_begun_anywhere_else_nothing_is_expected_of_a_holiday() -> None:
    assert expected_day(TERMS, DAYS, at(FRIDAY, 0)) == THURSDAY
    assert expected_day(TERMS, DAYS, at(MONDAY)) == THURSDAY
    assert expected_day(TERMS, DAYS, at(TUESDAY, 0, 1)) == FRIDAY
    assert expected_day(NEW_YORK, DAYS, at(TUESDAY, 0, 1)) == THURSDAY  # there it is still Monday


def test_names_and_numbers() -> None:
    assert matches("*Cash*.xml", "bank_CASH_2026.XML")
    assert not matches("orders*", "open_orders.csv")
    assert [number_of(text) for text in ("45/2", "45", "", "4.5", "１", "-1")] == [45, 45, None, None, None, None]


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("FILE_TRUNCATED", "FILE_TRUNCATED"),
        ("FILE_EMPTY", "FILE_TRUNCATED"),
        ("FILE_SUM_DIFFERS", "FILE_TOTALS_DIFFER"),
        ("FILE_DIGEST_DIFFERS", "FILE_TOTALS_DIFFER"),
        ("FILE_XML_DOCTYPE", "FILE_CORRUPT"),
        ("FILE_NUL_BYTES", "FILE_CORRUPT"),
    ],
)
def test_what_a_reader_says_has_a_name_here(code: str, fault: str) -> None:
    assert code_of_problem(code).value == fault
