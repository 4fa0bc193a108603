"""Settlement dates: cycles change on a date, and banks close on days when exchanges trade."""

from __future__ import annotations

from datetime import date

import pytest

from refdata.domain.settlement import Cycle, cycle_on, settlement_date_for, us_bank_holidays

T_PLUS_2_THEN_1 = (Cycle(date(2014, 10, 6), 2), Cycle(date(2027, 10, 11), 1))
COLUMBUS_DAY = frozenset({date(2026, 10, 12)})


@pytest.mark.parametrize("trade_date", [date(2026, 10, 9), date(2026, 10, 12)])
def test_two_new_york_trade_dates_settle_together_after_columbus_day(trade_date: date) -> None:
    assert settlement_date_for((Cycle(date(2024, 5, 28), 1),), COLUMBUS_DAY, trade_date) == date(2026, 10, 13)


@pytest.mark.parametrize(
    ("trade_date", "settles"),
    [
        (date(2027, 10, 7), date(2027, 10, 11)),
        (date(2027, 10, 8), date(2027, 10, 12)),
        (date(2027, 10, 11), date(2027, 10, 12)),
        (date(2027, 10, 15), date(2027, 10, 18)),
    ],
)
def test_the_cycle_of_the_trade_date_counts(trade_date: date, settles: date) -> None:
    assert settlement_date_for(T_PLUS_2_THEN_1, frozenset(), trade_date) == settles


def test_same_day_settlement_waits_for_a_settlement_day() -> None:
    cycles = (Cycle(date(2020, 1, 1), 0),)
    assert settlement_date_for(cycles, frozenset(), date(2026, 11, 20)) == date(2026, 11, 20)
    assert settlement_date_for(cycles, frozenset(), date(2026, 11, 21)) == date(2026, 11, 23)


def test_no_cycle_before_the_first() -> None:
    with pytest.raises(ValueError, match="no settlement cycle is known for 2014-10-05"):
        cycle_on(T_PLUS_2_THEN_1, date(2014, 10, 5))


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2026, ((date(2026, 10, 12), "Columbus Day"), (date(2026, 11, 11), "Veterans Day"))),
        (2028, ((date(2028, 10, 9), "Columbus Day"),)),
        (2029, ((date(2029, 10, 8), "Columbus Day"), (date(2029, 11, 12), "Veterans Day"))),
    ],
)
def test_days_on_which_only_the_banks_are_shut(year: int, days: tuple[tuple[date, str], ...]) -> None:
    assert us_bank_holidays(year) == days
