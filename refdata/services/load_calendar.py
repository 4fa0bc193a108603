"""Load the sessions and holidays of markets from the calendar library into ``MarketDay``, writing only what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import exchange_calendars
from django.db import transaction

from authorisation.domain.principal import Principal
from refdata.domain.import_rows import LoadResult
from refdata.models import Market, MarketDay

EARLY_CLOSE = "Early close"
SPECIAL_CLOSING = "Special closing"
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class _Day:
    is_session: bool
    open_at: datetime | None
    close_at: datetime | None
    name: str


def load_calendar(*, actor: Principal, at: datetime, mics: Sequence[str], first: date, last: date) -> LoadResult:
    """Make the days of ``mics`` from ``first`` to ``last`` (inclusive) equal to the library's calendars.

    Sessions and weekday holidays get a row, weekends none. A market whose days change gets a new version. Counts are
    days. Raises Market.DoesNotExist for a MIC that was not loaded.
    """
    added = changed = unchanged = 0
    for mic in mics:
        with transaction.atomic():
            market = Market.objects.get(mic=mic)
            wanted = _library_days(market.calendar_code, first, last)
            news, edits, same = _compare(market, wanted, first, last)
            if news or edits:
                _write(market, news, edits)
                market.renew(at=at, reason=f"calendar loaded by {actor.actor}")
            added, changed, unchanged = added + len(news), changed + len(edits), unchanged + same
    return LoadResult(added, changed, unchanged)


def _library_days(code: str, first: date, last: date) -> dict[date, _Day]:
    calendar = exchange_calendars.get_calendar(code, start=first.isoformat(), end=last.isoformat())
    early = {stamp.date() for stamp in calendar.early_closes}
    days: dict[date, _Day] = {}
    for stamp, open_at, close_at in zip(calendar.sessions, calendar.opens, calendar.closes, strict=True):
        day = stamp.date()
        name = EARLY_CLOSE if day in early else ""
        days[day] = _Day(True, open_at.to_pydatetime(), close_at.to_pydatetime(), name)
    names = _holiday_names(calendar, first, last)
    day = first
    while day <= last:
        if day not in days and day.weekday() < _SATURDAY:
            days[day] = _Day(False, None, None, names.get(day, SPECIAL_CLOSING))
        day += timedelta(days=1)
    return days


def _holiday_names(calendar: Any, first: date, last: date) -> dict[date, str]:
    if calendar.regular_holidays is None:
        return {}
    named = calendar.regular_holidays.holidays(first.isoformat(), last.isoformat(), return_name=True)
    return {stamp.date(): str(name)[:80] for stamp, name in named.items()}


def _compare(
    market: Market, wanted: dict[date, _Day], first: date, last: date
) -> tuple[dict[date, _Day], dict[int, tuple[date, _Day]], int]:
    held = MarketDay.objects.filter(market=market, date__range=(first, last))
    columns = held.values_list("pk", "date", "is_session", "open_at", "close_at", "name")
    news, edits, same = dict(wanted), {}, 0
    for pk, day, is_session, open_at, close_at, name in columns:
        target = news.pop(day, None)
        if target is None:
            continue
        if target == _Day(is_session, open_at, close_at, name):
            same += 1
        else:
            edits[pk] = (day, target)
    return news, edits, same


def _write(market: Market, news: dict[date, _Day], edits: dict[int, tuple[date, _Day]]) -> None:
    MarketDay.objects.bulk_create([_row(market, day, facts) for day, facts in news.items()], batch_size=1000)
    MarketDay.objects.bulk_update(
        [_row(market, day, facts, pk) for pk, (day, facts) in edits.items()],
        ["is_session", "open_at", "close_at", "name"],
        batch_size=500,
    )


def _row(market: Market, day: date, facts: _Day, pk: int | None = None) -> MarketDay:
    return MarketDay(
        pk=pk,
        market=market,
        date=day,
        is_session=facts.is_session,
        open_at=facts.open_at,
        close_at=facts.close_at,
        name=facts.name,
    )
