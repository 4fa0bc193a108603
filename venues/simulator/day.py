"""Walks the markets of a venue through phases and trade dates, and follows the script where it holds a phase. Pure.

When a market's trade date changes the old day is ended in order, whatever was missed: closing auction, expiries,
renewal, opening auction. So orders that should have expired while the venue was down expire when it comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from venues.simulator.floor import TradingFloor
from venues.simulator.listing import MarketSpec
from venues.simulator.misbehaviour import Script
from venues.simulator.model import Phase
from venues.simulator.phases import Moment, moment_of
from venues.simulator.reports import Entry
from venues.simulator.truth import last_days


class DayWatch:
    """Phase and trade date of each market of one floor. ``dates`` are the dates the markets are in."""

    def __init__(self, *, floor: TradingFloor, markets: Sequence[MarketSpec], script: Script) -> None:
        self._floor = floor
        self._markets = markets
        self._script = script
        self._symbols: dict[str, list[str]] = {one.mic: [] for one in markets}
        for listing in floor.listings.values():
            self._symbols.setdefault(listing.mic, []).append(listing.symbol)
        self._ended: set[str] = set()
        self._new: list[tuple[str, date]] = []
        self.dates: dict[str, date] = {}

    def begin(self, lines: Iterable[Mapping[str, Any]], *, at: datetime) -> None:
        """Before books are rebuilt: the phase each is in now, and the date each market was in before."""
        before = last_days(lines)
        for market in self._markets:
            moment = moment_of(market, at)
            for symbol in self._symbols[market.mic]:
                self._floor.books[symbol].begin_in(self._wanted(market.mic, symbol, moment))
            if market.mic in before:
                self.dates[market.mic] = date.fromisoformat(before[market.mic])

    def walk(self, *, at: datetime) -> list[Entry]:
        """Bring every market to where it should be; what members are told."""
        entries: list[Entry] = []
        for market in self._markets:
            moment = moment_of(market, at)
            known = self.dates.get(market.mic)
            if known != moment.trade_date:
                if known is not None:
                    entries.extend(self._change_day(market, known, at))
                self.dates[market.mic] = moment.trade_date
                self._new.append((market.mic, moment.trade_date))
                self._ended.discard(market.mic)
            for symbol in self._symbols[market.mic]:
                wanted = self._wanted(market.mic, symbol, moment)
                entries.extend(self._floor.set_phase([symbol], wanted, at=at))
            closed = moment.phase is Phase.CLOSED and _is_over(market, moment.trade_date, at)
            if closed and market.mic not in self._ended:
                self._ended.add(market.mic)
                entries.extend(self._floor.end_of_day(market.mic, moment.trade_date, at=at))
        return entries

    def take_new_dates(self) -> list[tuple[str, date]]:
        """Trade dates begun since the last call."""
        taken, self._new = self._new, []
        return taken

    def _change_day(self, market: MarketSpec, old: date, at: datetime) -> list[Entry]:
        symbols = self._symbols[market.mic]
        entries: list[Entry] = []
        if market.mic not in self._ended:
            open_now = [one for one in symbols if self._floor.books[one].phase is not Phase.CLOSED]
            entries.extend(self._floor.set_phase(open_now, Phase.CLOSING_CALL, at=at))
            entries.extend(self._floor.set_phase(open_now, Phase.CLOSED, at=at))
            entries.extend(self._floor.end_of_day(market.mic, old, at=at))
        entries.extend(self._floor.set_phase(symbols, Phase.PRE_OPEN, at=at))
        entries.extend(self._floor.start_of_day(market.mic, at=at))
        return entries

    def _wanted(self, mic: str, symbol: str, moment: Moment) -> Phase:
        phases = self._script.plan.phases
        return phases.get(symbol) or phases.get(mic) or moment.phase


def _is_over(market: MarketSpec, trade_date: date, at: datetime) -> bool:
    """Whether continuous trading of this date has ended; false on a day without a session."""
    return any(day.trade_date == trade_date and day.close_at <= at for day in market.days)
