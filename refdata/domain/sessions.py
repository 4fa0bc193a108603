"""When a market is open. Decides the phase of a market at an instant and which business date the instant belongs to.

A calendar is sessions and named holidays by market-local date; a weekend day has no entry. An instant on a date that is
no session belongs to the next session: a Saturday's order is Monday's business. After the close the date stays the
session's own, so that a late report is booked on the day it traded.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum


class Phase(StrEnum):
    """What a market does at an instant."""

    CLOSED = "closed"
    OPENING_AUCTION = "opening_auction"
    CONTINUOUS = "continuous"
    CLOSING_AUCTION = "closing_auction"
    HOLIDAY = "holiday"

    @property
    def is_open(self) -> bool:
        """Whether orders can trade now or in the auction that runs now."""
        return self in (Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION)


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day of a market: continuous trading from ``open_at`` to ``close_at`` (UTC)."""

    date: date
    open_at: datetime
    close_at: datetime
    name: str = ""


@dataclass(frozen=True, slots=True)
class MarketCalendar:
    """Sessions in order of date, holidays by date, and how long the auctions before open and after close run."""

    sessions: tuple[Session, ...]
    holidays: Mapping[date, str] = field(default_factory=dict)
    opening_auction: timedelta = timedelta()
    closing_auction: timedelta = timedelta()
    always_open: bool = False

    def session_on(self, day: date) -> Session | None:
        """The session dated ``day``, or None."""
        position = bisect_left(self.sessions, day, key=_session_date)
        if position < len(self.sessions) and self.sessions[position].date == day:
            return self.sessions[position]
        return None


def phase_at(calendar: MarketCalendar, *, at: datetime, local_date: date) -> Phase:
    """The phase at ``at``; ``local_date`` is the market-local date of the same instant.

    Market that never closes (demo, test): always continuous.
    """
    if calendar.always_open:
        return Phase.CONTINUOUS
    session = calendar.session_on(local_date)
    if session is None:
        return Phase.HOLIDAY if local_date in calendar.holidays else Phase.CLOSED
    if session.open_at - calendar.opening_auction <= at < session.open_at:
        return Phase.OPENING_AUCTION
    if session.open_at <= at < session.close_at:
        return Phase.CONTINUOUS
    if session.close_at <= at < session.close_at + calendar.closing_auction:
        return Phase.CLOSING_AUCTION
    return Phase.CLOSED


def business_date_for(sessions: Sequence[Session], local_date: date) -> date | None:
    """The first session dated ``local_date`` or later; None beyond the end of the calendar."""
    position = bisect_left(sessions, local_date, key=_session_date)
    return sessions[position].date if position < len(sessions) else None


def _session_date(session: Session) -> date:
    return session.date
