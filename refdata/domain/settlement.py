"""When a trade settles. Settlement days are not trading days: depository and bank holidays count, cycles are dated.

Example: trades on XNYS of 9 and of 12 October 2026 both settle on 13 October, because banks are shut on the 12th while
the exchange trades.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Cycle:
    """For trades dated ``valid_from`` or later, settlement is ``days`` settlement days after the trade date."""

    valid_from: date
    days: int


def cycle_on(cycles: Sequence[Cycle], trade_date: date) -> Cycle:
    """The cycle in force on ``trade_date``; raises ValueError before the first."""
    in_force = [cycle for cycle in cycles if cycle.valid_from <= trade_date]
    if not in_force:
        raise ValueError(f"no settlement cycle is known for {trade_date}")
    return max(in_force, key=lambda cycle: cycle.valid_from)


def is_settlement_day(day: date, holidays: Collection[date]) -> bool:
    """A weekday on which depository and payment system both work."""
    return day.weekday() < _SATURDAY and day not in holidays


def settlement_date_for(cycles: Sequence[Cycle], holidays: Collection[date], trade_date: date) -> date:
    """The date cash and stock change hands for a trade of ``trade_date``."""
    remaining = cycle_on(cycles, trade_date).days
    day = trade_date
    while remaining > 0 or not is_settlement_day(day, holidays):
        day += timedelta(days=1)
        if remaining > 0 and is_settlement_day(day, holidays):
            remaining -= 1
    return day


def us_bank_holidays(year: int) -> tuple[tuple[date, str], ...]:
    """Days on which the Federal Reserve is shut while the exchanges may trade: Columbus Day and Veterans Day.

    A holiday on a Sunday moves to Monday; one on a Saturday is not observed (Federal Reserve Bank Services).
    """
    first = date(year, 10, 1)
    columbus = first + timedelta(days=(7 - first.weekday()) % 7 + 7)
    veterans = date(year, 11, 11)
    if veterans.weekday() == _SATURDAY + 1:
        veterans += timedelta(days=1)
    days = [(columbus, "Columbus Day")]
    if veterans.weekday() < _SATURDAY:
        days.append((veterans, "Veterans Day"))
    return tuple(days)
