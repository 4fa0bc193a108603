"""The clock of a matter: the market of its order, the working hours of its group, or the wall."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from zoneinfo import ZoneInfo

from django.conf import settings

from kernel.errors import NotFound
from operations.domain.exception_kinds import Kind
from operations.domain.working_clock import WALL, ClockName, WorkClock, WorkingHours, business_clock, venue_clock
from refdata.domain.market_clock import MarketClock
from refdata.selectors import get_market_clock


class Clocks:
    """The clocks of one batch: each market is read once. Hold it for the length of a call, never longer."""

    def __init__(self) -> None:
        self._markets: dict[str, MarketClock | None] = {}

    def of(self, kind: Kind, *, group: str, market: str = "") -> WorkClock:
        """The clock on which a matter of the kind ages; without its market on that of the reference market."""
        if kind.clock is ClockName.VENUE:
            found = self._market(market or settings.REFERENCE_MARKET)
            return venue_clock(found) if found is not None else WALL
        if kind.clock is ClockName.BUSINESS:
            return business_clock(self._hours(group))
        return WALL

    def _hours(self, group: str) -> WorkingHours:
        hours: Mapping[str, tuple[time, time]] = settings.WORKING_HOURS
        begin, end = hours.get(group) or hours[""]
        reference = self._market(settings.REFERENCE_MARKET)
        holidays = frozenset(reference.calendar.holidays) if reference is not None else frozenset()
        return WorkingHours(ZoneInfo(settings.HOUSE_ZONE), begin, end, holidays)

    def _market(self, mic: str) -> MarketClock | None:
        if mic not in self._markets:
            try:
                self._markets[mic] = get_market_clock(mic)
            except NotFound:  # a house that has not loaded its markets yet: no holidays are known, and time runs on
                self._markets[mic] = None
        return self._markets[mic]
