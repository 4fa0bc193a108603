"""One market's time: zone, sessions, settlement cycles and holidays in one value, with the questions asked of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kernel.errors import Unavailable
from refdata.domain.sessions import MarketCalendar, Phase, Session, business_date_for, phase_at
from refdata.domain.settlement import Cycle, settlement_date_for


@dataclass(frozen=True, slots=True)
class MarketClock:
    """``mic`` with what is needed to answer phase, business date and settlement date without further reads."""

    mic: str
    zone: ZoneInfo
    calendar: MarketCalendar
    cycles: tuple[Cycle, ...]
    settlement_holidays: frozenset[date]

    def with_always_open(self, always_open: bool) -> MarketClock:
        """The same clock for a market that does, or does not, trade round the clock."""
        if self.calendar.always_open == always_open:
            return self
        return replace(self, calendar=replace(self.calendar, always_open=always_open))

    def local_date(self, at: datetime) -> date:
        """The market-local date of an instant."""
        return at.astimezone(self.zone).date()

    def phase(self, at: datetime) -> Phase:
        """What the market does at ``at``."""
        return phase_at(self.calendar, at=at, local_date=self.local_date(at))

    def session(self, at: datetime) -> Session | None:
        """The session of the business date of ``at``; None when no calendar covers it, or a market that never closes
        trades on a day without one."""
        local = self.local_date(at)
        day = local if self.calendar.always_open else business_date_for(self.calendar.sessions, local)
        return self.calendar.session_on(day) if day else None

    def business_date(self, at: datetime) -> date:
        """The trade date of something that happens at ``at``: today's session, else the next one.

        A market that never closes has a business date every day, its local date. Raises Unavailable (CALENDAR_MISSING)
        when the calendar does not reach that far.
        """
        local = self.local_date(at)
        if self.calendar.always_open:
            return local
        day = business_date_for(self.calendar.sessions, local)
        if day is not None:
            return day
        raise Unavailable(
            "CALENDAR_MISSING",
            f"No session of {self.mic} on or after {local.isoformat()} is loaded. Load the calendar of {self.mic}.",
            {"mic": self.mic, "date": local.isoformat()},
        )

    def day_ends_at(self, trade_date: date) -> datetime:
        """When the market's day of ``trade_date`` ends, in UTC: at its official close; round the clock, at midnight."""
        session = None if self.calendar.always_open else self.calendar.session_on(trade_date)
        midnight = datetime.combine(trade_date + timedelta(days=1), time(), self.zone)
        return (session.close_at if session else midnight).astimezone(UTC)

    def settlement_date(self, trade_date: date) -> date:
        """The date a trade of ``trade_date`` settles."""
        return settlement_date_for(self.cycles, self.settlement_holidays, trade_date)
