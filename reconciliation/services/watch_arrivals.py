"""Say when a file that was owed is late, when it is missing, and when it is here after all. Run by time; idempotent.

The feed's own calendar and wall clock decide: on a holiday nothing is owed. Only feeds that somebody waits for are watched.
The last few days are looked at, so that a house that was down tells what it missed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime

from kernel.errors import Unavailable
from reconciliation.domain.feeds import Due, due_on
from reconciliation.domain.file_faults import FaultCode
from reconciliation.domain.records import START_OF_DAY
from reconciliation.models import Feed, FeedFile
from reconciliation.selectors.feeds import GOOD, business_days, terms_of
from reconciliation.services._feed_anomalies import set_waiting

DAYS_LOOKED_AT = 3


def watch_arrivals(*, at: datetime) -> int:
    """How many matters were raised or settled. A feed without a calendar holds up no other; then Unavailable at the end."""
    told, missing = 0, None
    for feed in Feed.objects.filter(watched_from__isnull=False).select_related("market").order_by("code"):
        try:
            told += _watch(feed, at)
        except Unavailable as error:
            missing = error
    if missing is not None:
        raise missing
    return told


def _watch(feed: Feed, at: datetime) -> int:
    told = 0
    for due in _dues(feed, at):
        here = _answered(feed, due.about)
        missing = not here and at >= due.missing_at
        late = not here and at >= due.late_at and not missing
        told += set_waiting(feed, due, FaultCode.LATE, wrong=late, at=at)
        told += set_waiting(feed, due, FaultCode.MISSING, wrong=missing, at=at)
    return told


def _dues(feed: Feed, at: datetime) -> Sequence[Due]:
    terms = terms_of(feed)
    today = at.astimezone(terms.zone).date()
    days = business_days(feed, today)
    last = days[: bisect_right(days, today)][-DAYS_LOOKED_AT:]
    dues = [due_on(terms, days, day) for day in last if feed.watched_from and day >= feed.watched_from]
    return [due for due in dues if due is not None and due.due_at <= at]


def _answered(feed: Feed, about: date) -> bool:
    """A file about the day itself; where each file is the whole state, a later one answers too."""
    good = FeedFile.objects.filter(feed=feed, state__in=GOOD)
    state = feed.kind in START_OF_DAY or feed.kind == "positions"
    return good.filter(**{"statement_date__gte" if state else "statement_date": about}).exists()
