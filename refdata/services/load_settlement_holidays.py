"""Derive the holidays of the depositories from the trading calendars, plus the days when only the banks are shut."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from refdata.domain.import_rows import LoadResult
from refdata.domain.settlement import us_bank_holidays
from refdata.models import Market, MarketDay, SettlementHoliday

SOURCES = {"UK": "XLON", "T2": "XPAR", "US": "XNYS", "AU": "XASX"}
"""Settlement calendar and the market whose weekday closings it shares. Euronext closes exactly when TARGET does."""


def load_settlement_holidays(*, actor: Principal, at: datetime, first: date, last: date) -> LoadResult:
    """Add the holidays of every settlement calendar between two dates; markets that use one get a new version.

    Needs the trading calendars of the same years. Names that differ are updated, nothing is removed.
    """
    added = changed = unchanged = 0
    for calendar, mic in SOURCES.items():
        with transaction.atomic():
            closed = MarketDay.objects.filter(market_id=mic, is_session=False, date__range=(first, last))
            wanted = dict(closed.values_list("date", "name"))
            if calendar == "US":
                for year in range(first.year, last.year + 1):
                    wanted |= {day: name for day, name in us_bank_holidays(year) if first <= day <= last}
            held = {row.date: row for row in SettlementHoliday.objects.filter(calendar=calendar)}
            news = [day for day in wanted if day not in held]
            renamed = [held[day] for day in wanted if day in held and held[day].name != wanted[day]]
            SettlementHoliday.objects.bulk_create(
                [SettlementHoliday(calendar=calendar, date=day, name=wanted[day]) for day in news]
            )
            for row in renamed:
                row.name = wanted[row.date]
                row.save(update_fields=["name"])
            if news:
                _renew_versions(calendar, actor=actor, at=at)
            added, changed = added + len(news), changed + len(renamed)
            unchanged += len(wanted) - len(news) - len(renamed)
    return LoadResult(added, changed, unchanged)


def _renew_versions(calendar: str, *, actor: Principal, at: datetime) -> None:
    for market in Market.objects.filter(settlement_calendar=calendar):
        market.renew(at=at, reason=f"settlement holidays loaded by {actor.actor}")
