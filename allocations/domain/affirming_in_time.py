"""Whether confirmations will be affirmed in time, who is late, and what share was. Pure.

A *clock* is what shares a cut-off: market, counterparty, trade date. Its forecast assumes that words keep coming at the rate of the last
half hour. The share affirmed in time counts what is due: what was canceled before its hour was never late.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from kernel.numbers import ZERO

FIRST_WARNING, LAST_WARNING = timedelta(minutes=60), timedelta(minutes=15)
RATE_OVER = timedelta(minutes=30)
LARGE = Decimal(1_000_000)
"""In the house's counting currency: from here on somebody is told at the first warning already."""
DAYS, LONGEST_DAYS = timedelta(days=30), timedelta(days=366)
"""How far back the share is shown, and how far it may be asked for."""
CALM, SOON, URGENT, LATE = "calm", "soon", "urgent", "late"


@dataclass(frozen=True, slots=True)
class Clock:
    """What of one market, counterparty and trade date is still open against its hour. ``value`` in the counting currency;
    None: it cannot be counted for want of a rate."""

    mic: str
    counterparty: str
    trade_date: str
    affirm_by: datetime
    open: int
    value: Decimal | None
    affirmed: int
    lately: int

    @property
    def key(self) -> str:
        """What makes it one matter."""
        return f"{self.mic}:{self.counterparty}:{self.trade_date}"


def phase(clock: Clock, at: datetime) -> str:
    """*late* from the hour on; *urgent* from a quarter of an hour before, *soon* from an hour before if much is at stake.

    What cannot be counted is taken as much. Nothing open is calm, whatever the hour.
    """
    left = clock.affirm_by - at
    if not clock.open:
        return CALM
    if left <= timedelta(0):
        return LATE
    if left <= LAST_WARNING:
        return URGENT
    is_large = clock.value is None or clock.value >= LARGE
    return SOON if left <= FIRST_WARNING and is_large else CALM


def will_miss(clock: Clock, at: datetime) -> int:
    """How many will not be affirmed by the hour if words keep coming as in the last half hour; all that is open once it is past."""
    left = max(clock.affirm_by - at, timedelta(0))
    coming = Decimal(clock.lately) * Decimal(left // timedelta(seconds=1)) / Decimal(RATE_OVER // timedelta(seconds=1))
    return max(0, int((Decimal(clock.open) - coming).to_integral_value(ROUND_CEILING)))


def countdown(affirm_by: datetime, at: datetime) -> str:
    """``2h 05m``, ``14m``, or ``−3m`` after the hour."""
    minutes = int((affirm_by - at).total_seconds() // 60)
    sign, minutes = ("\u2212", -minutes) if minutes < 0 else ("", minutes)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}h {minutes:02d}m" if hours else f"{sign}{minutes}m"


@dataclass(frozen=True, slots=True)
class Share:
    """What was affirmed in time of what was due, by number and by value in one currency."""

    in_time: int
    due: int
    value_in_time: Decimal
    value_due: Decimal

    @property
    def percent(self) -> Decimal | None:
        """By number, to a hundredth; None of nothing."""
        return _percent(Decimal(self.in_time), Decimal(self.due))

    @property
    def value_percent(self) -> Decimal | None:
        """By value, to a hundredth; None of nothing."""
        return _percent(self.value_in_time, self.value_due)


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part * 100 / whole).quantize(Decimal("0.01")) if whole else None


def add_up(shares: Iterable[Share]) -> Share:
    """Several as one: values must be in one currency."""
    total = Share(0, 0, ZERO, ZERO)
    for one in shares:
        total = Share(
            total.in_time + one.in_time, total.due + one.due, total.value_in_time + one.value_in_time,
            total.value_due + one.value_due,
        )  # fmt: skip
    return total
