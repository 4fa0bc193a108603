"""Reads of feeds and their files: what is expected, what came, what the next file is measured against."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from kernel.errors import Invalid, Unavailable
from reconciliation.domain.feeds import Before, Due, FeedTerms, latest_due, matches
from reconciliation.domain.intake_states import APPLIED
from reconciliation.models import Feed, FeedFile, Intake
from refdata.domain.settlement import is_settlement_day
from refdata.models import SettlementHoliday
from refdata.selectors import get_market_clock

BACK, AHEAD = timedelta(days=40), timedelta(days=14)
GOOD = (FeedFile.State.RECEIVED, FeedFile.State.READ, FeedFile.State.PARTLY)


class Word(StrEnum):
    """How it stands with what a feed owes."""

    NOTHING = "nothing due"
    HERE = "here"
    REFUSED = "refused"
    WAITING = "waiting"
    LATE = "late"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed, what of it was last due, and the newest file that answers it (or was refused instead)."""

    feed: Feed
    due: Due | None
    file: FeedFile | None
    word: Word


def terms_of(feed: Feed) -> FeedTerms:
    """The agreement as the pure rules take it."""
    return FeedTerms(
        code=feed.code,
        kind=feed.kind,
        source=feed.source,
        due=feed.due,
        zone=ZoneInfo(feed.zone),
        lag=feed.lag,
        grace=timedelta(seconds=feed.grace_s),
        missing_after=timedelta(seconds=feed.missing_after_s),
        mandatory=feed.mandatory,
        sequence=feed.sequence,
        resend=feed.resend,
    )


def business_days(feed: Feed, around: date) -> Sequence[date]:
    """The feed's days of business from forty days before ``around`` to two weeks behind it, in order.

    Raises Unavailable (CALENDAR_MISSING) where the market's calendar does not reach ``around``: that nothing is owed for
    ever must not look like a holiday.
    """
    first, last = around - BACK, around + AHEAD
    if feed.market_id:
        days = [session.date for session in get_market_clock(feed.market_id).calendar.sessions]
        if not days or days[-1] < around:
            sentence = (
                f"The calendar of {feed.market_id} does not reach {around}, so nobody knows what {feed.code} owes."
            )
            raise Unavailable("CALENDAR_MISSING", sentence, {"mic": feed.market_id, "date": str(around)})
        return days[bisect_left(days, first) : bisect_right(days, last)]
    closed = set(
        SettlementHoliday.objects.filter(calendar=feed.settlement_calendar, date__range=(first, last)).values_list(
            "date", flat=True
        )
    )
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in span if is_settlement_day(day, closed)]


def find_feed(name: str, *, folder: str | None = None, kind: str = "") -> Feed | None:
    """The one feed whose pattern a file name has, in a folder or of a kind when given; None when not exactly one."""
    feeds = Feed.objects.order_by("code")
    if folder is not None:
        feeds = feeds.filter(folder=folder)
    if kind:
        feeds = feeds.filter(kind=kind)
    found = [feed for feed in feeds if matches(feed.pattern, name)]
    return found[0] if len(found) == 1 else None


def read_before(feed: Feed, day: date | None) -> Before:
    """What the good files of the feed say that a new one about ``day`` is measured against."""
    good = FeedFile.objects.filter(feed=feed, state__in=GOOD, statement_date__isnull=False)
    latest = good.order_by("-statement_date", "-received_at", "-id").first()
    if latest is None:
        return Before()
    earlier = (
        good.filter(statement_date__lt=day).order_by("-statement_date", "-received_at", "-id").first()
        if day
        else latest
    )
    applied = Intake.objects.filter(file__feed=feed, file__statement_date=day, state=APPLIED)
    closing = earlier.counted.get("closing", {}) if earlier else {}
    return Before(
        latest_day=latest.statement_date,
        sequence=earlier.sequence if earlier else "",
        sequence_day=earlier.statement_date if earlier else None,
        closing={key: Decimal(value) for key, value in closing.items()},
        of_day=day is not None and good.filter(statement_date=day).exists(),
        applied_cut=applied.order_by("-cut_at").values_list("cut_at", flat=True).first() if day else None,
    )


def list_feed_states(*, at: datetime) -> list[FeedState]:
    """Every feed and how it stands at ``at``, by code."""
    return [feed_state(feed, at=at) for feed in Feed.objects.order_by("code")]


def feed_state(feed: Feed, *, at: datetime) -> FeedState:
    """What of a feed was last due by ``at``, and what answers it. Raises Unavailable CALENDAR_MISSING from refdata."""
    terms = terms_of(feed)
    due = latest_due(terms, business_days(feed, at.astimezone(terms.zone).date()), at)
    if due is None:
        return FeedState(feed, None, None, Word.NOTHING)
    files = FeedFile.objects.filter(feed=feed)
    good = files.filter(state__in=GOOD, statement_date__gte=due.about).order_by(
        "-statement_date", "-received_at", "-id"
    )
    here = good.filter(received_at__lte=at).first()
    if here is not None:
        return FeedState(feed, due, here, Word.HERE)
    refused = files.filter(state=FeedFile.State.REFUSED, received_at__range=(due.due_at - timedelta(hours=12), at))
    bad = refused.order_by("-received_at", "-id").first()
    if at >= due.missing_at:
        word = Word.MISSING
    elif at >= due.late_at:
        word = Word.LATE
    else:
        word = Word.REFUSED if bad else Word.WAITING
    return FeedState(feed, due, bad, word)


def get_comparable(*, file_id: UUID, kind: str) -> FeedFile:
    """The kept file of the kind. Raises Invalid RUN_INVALID, by field, when there is none or it was refused."""
    found = FeedFile.objects.filter(pk=file_id, kind=kind).exclude(state=FeedFile.State.REFUSED).first()
    if found is None:
        sentence = "There is no kept file of this kind under that id."
        raise Invalid("RUN_INVALID", sentence, {"file_id": [sentence]})
    return found
