"""Reads of the begin and end of days: which are due by the calendar, how far each is, when it will be over."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from journal.models import Event
from kernel.errors import Invalid, NotFound, Unavailable
from operations.domain.day_steps import DONE, END, START, Progress, progress
from operations.models import DayRun
from reconciliation.domain.feeds import latest_due
from reconciliation.models import Feed
from reconciliation.selectors.feeds import business_days, terms_of
from refdata.domain.market_clock import MarketClock
from refdata.models import Market
from refdata.selectors import get_market_clock
from venues.domain.expiring import day_is_over

USUAL = 5
"""So many earlier runs say how long one takes."""


@dataclass(frozen=True, slots=True)
class DayState:
    """A run with its progress; ``expected_end`` by how long the last ones took, None where there were none."""

    run: DayRun
    progress: Progress
    expected_end: datetime | None


def list_day_states(*, limit: int = 20) -> list[DayState]:
    """The latest runs, newest day first."""
    return [day_state(run) for run in DayRun.objects.order_by("-day", "kind", "place")[:limit]]


def day_state(run: DayRun) -> DayState:
    """One run, and when it should be over."""
    if run.state == DONE:
        return DayState(run, progress(run.kind, run.steps), run.finished_at)
    earlier = DayRun.objects.filter(kind=run.kind, place=run.place, state=DONE, day__lt=run.day).order_by("-day")
    times = [done - begun for begun, done in earlier.values_list("created_at", "finished_at")[:USUAL] if done]
    usual = sorted(times)[len(times) // 2] if times else None
    return DayState(run, progress(run.kind, run.steps), run.created_at + usual if usual else None)


def last_ended_day(clock: MarketClock, at: datetime) -> date | None:
    """The market's last day of business that is over by ``at``; None before the first of its calendar."""
    today = clock.local_date(at)
    if clock.calendar.always_open:
        days = [today - timedelta(days=n) for n in (2, 1, 0)]
    else:
        sessions = [session.date for session in clock.calendar.sessions]
        days = sessions[max(0, bisect_right(sessions, today) - 3) : bisect_right(sessions, today)]
    over = [day for day in days if day_is_over(clock, day, at)]
    return over[-1] if over else None


def days_to_end(*, mic: str, day: date | None, at: datetime) -> list[tuple[str, date]]:
    """Market and day that a person asks to end: one market or all, one day or each market's last that is over.

    Raises NotFound MARKET_UNKNOWN, Invalid DAY_IS_NONE (no day of business there, or one still to come).
    """
    markets = list(Market.objects.filter(**({"mic": mic} if mic else {})).order_by("mic").values_list("mic", flat=True))
    if not markets:
        raise NotFound("MARKET_UNKNOWN", f"There is no market {mic}." if mic else "There is no market yet.")
    if day is None:
        found = [(one, last_ended_day(get_market_clock(one), at)) for one in markets]
        return [(one, ended) for one, ended in found if ended is not None]
    trading = [one for one in markets if _is_day(get_market_clock(one), day)]
    if not trading:
        where = mic or "any market"
        raise Invalid("DAY_IS_NONE", f"{day} is no day of business of {where}.", {"date": ["No day of business."]})
    ahead = [one for one in trading if get_market_clock(one).local_date(at) < day]
    if ahead:
        raise Invalid("DAY_IS_NONE", f"{day} has not begun at {', '.join(ahead)}.", {"date": ["Still to come."]})
    return [(one, day) for one in trading]


def _is_day(clock: MarketClock, day: date) -> bool:
    return clock.calendar.always_open or clock.calendar.session_on(day) is not None


def due_runs(*, at: datetime) -> list[tuple[str, str, date]]:
    """Kind, place and day of what is to be worked now: runs that are open, and those whose time has come.

    Only days on which the house was there: a new one does not close yesterday.
    """
    born = Event.objects.order_by("position").values_list("business_date", flat=True).first()
    if born is None:
        return []
    due = {(run.kind, run.place, run.day) for run in DayRun.objects.exclude(state=DONE)}
    for mic in Market.objects.order_by("mic").values_list("mic", flat=True):
        day = _ended(mic, at)
        if day is not None and day >= born:
            due.add((END, mic, day))
    due |= {(START, place, day) for place, day in _starting(at) if day >= born}
    done = {(run.kind, run.place, run.day) for run in DayRun.objects.filter(state=DONE, day__gte=born)}
    return sorted(due - done, key=lambda one: (one[2], one[0] == START, one[1]))


def _ended(mic: str, at: datetime) -> date | None:
    try:
        return last_ended_day(get_market_clock(mic), at)
    except Unavailable:
        return None  # a market whose calendar is missing is told by who trades on it


def _starting(at: datetime) -> set[tuple[str, date]]:
    """Places whose morning files are due, of feeds that somebody waits for; evening files belong to the end of the day."""
    found: set[tuple[str, date]] = set()
    for feed in Feed.objects.filter(watched_from__isnull=False, lag__gte=1):
        terms = terms_of(feed)
        try:
            due = latest_due(terms, business_days(feed, at.astimezone(terms.zone).date()), at)
        except Unavailable:
            continue  # told by the sweeper that waits for the feed
        if due is not None and feed.watched_from is not None and due.day >= feed.watched_from:
            found.add((feed.market_id or feed.settlement_calendar, due.day))
    return found
