"""How much time a matter has left: working time on the clock of its kind, with the pauses in between. Pure.

A clock is *spans*: when it runs, in order. The business clock runs in the working hours of the owner's group on days that
are no holidays of the reference market; the venue clock while the order's market is open, auctions included; the wall clock
always. Deadlines are found on spans alone, so daylight saving, holidays and half days need no rule of their own.

Invariants: ``deadline(start, need)`` is the first instant at which ``elapsed(start, it)`` is ``need``; neither ever goes back
when ``need`` grows. A calendar that ends early leaves the clock running from its end on: a deadline is never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from refdata.domain.market_clock import MarketClock

MOST_DAYS = 400
WEEKEND = frozenset({5, 6})
ZERO = timedelta()


class ClockName(StrEnum):
    """Which time counts for a kind of matter."""

    VENUE = "venue"
    BUSINESS = "business"
    WALL = "wall"


@dataclass(frozen=True, slots=True)
class Span:
    """The clock runs from ``begin`` until before ``end``."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stands from ``begin`` until ``end``, because of ``why``."""

    begin: datetime
    end: datetime
    why: str


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a group works: local hours on weekdays that are no holidays."""

    zone: ZoneInfo
    begin: time
    end: time
    holidays: frozenset[date] = frozenset()

    def spans(self, since: datetime) -> Iterator[Span]:
        """The working spans that end after ``since``."""
        first = since.astimezone(self.zone).date()
        for number in range(MOST_DAYS):
            day = first + timedelta(days=number)
            if day.weekday() in WEEKEND or day in self.holidays:
                continue
            span = Span(_instant(day, self.begin, self.zone), _instant(day, self.end, self.zone))
            if span.end > since:
                yield span

    @property
    def words(self) -> str:
        """As people read it."""
        return f"{self.begin:%H:%M}\u2013{self.end:%H:%M} {self.zone.key}, Monday to Friday without holidays"


@dataclass(frozen=True, slots=True)
class WorkClock:
    """A clock by name: ``runs`` gives its spans after an instant; None: it always runs. ``rests`` says why it stands."""

    name: ClockName
    words: str
    runs: Callable[[datetime], Iterator[Span]] | None = field(default=None, compare=False)
    rests: str = ""

    def deadline(self, start: datetime, need: timedelta) -> datetime:
        """When ``need`` of this clock has passed since ``start``."""
        if self.runs is None:
            return start + need
        left, reached = need, start
        for span in self.runs(start):
            begin = max(span.begin, start)
            if left <= span.end - begin:
                return begin + left
            left -= span.end - begin
            reached = span.end
        return reached + left

    def elapsed(self, start: datetime, until: datetime) -> timedelta:
        """How much of this clock passed between two instants; zero when ``until`` is not later."""
        if until <= start:
            return ZERO
        if self.runs is None:
            return until - start
        passed, reached = ZERO, start
        for span in self.runs(start):
            if span.begin >= until:
                return passed
            passed += min(span.end, until) - max(span.begin, start)
            reached = span.end
        return passed + max(until - reached, ZERO)

    def pauses(self, start: datetime, until: datetime, *, most: int = 10) -> tuple[Pause, ...]:
        """Where the clock stood or will stand between two instants, the first ``most`` of them."""
        if self.runs is None:
            return ()
        found: list[Pause] = []
        reached = start
        for span in self.runs(start):
            if span.begin > reached and len(found) < most and reached < until:
                found.append(Pause(reached, min(span.begin, until), self.rests))
            if span.end >= until:
                break
            reached = span.end
        return tuple(found)


WALL = WorkClock(ClockName.WALL, "the wall clock, day and night")


def business_clock(hours: WorkingHours) -> WorkClock:
    """The clock of a group that works these hours."""
    return WorkClock(ClockName.BUSINESS, f"business hours {hours.words}", hours.spans, "outside business hours")


def venue_clock(market: MarketClock) -> WorkClock:
    """The clock of a market: it runs while the market is open, auctions included; always, where it never closes."""
    if market.calendar.always_open:
        return WorkClock(ClockName.VENUE, f"{market.mic}, which never closes here")
    calendar = market.calendar

    def spans(since: datetime) -> Iterator[Span]:
        for session in calendar.sessions:
            end = session.close_at + calendar.closing_auction
            if end > since:
                yield Span(session.open_at - calendar.opening_auction, end)

    return WorkClock(ClockName.VENUE, f"while {market.mic} is open", spans, f"{market.mic} is closed")


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
