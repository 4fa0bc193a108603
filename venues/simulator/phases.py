"""Which phase a market is in at a moment, and which trade date it is. Pure; scripts may hold another phase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from venues.simulator.listing import MarketSpec, TradingDay
from venues.simulator.model import Phase

OPENING_CALL = timedelta(minutes=15)
CLOSING_CALL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Moment:
    """A market's phase and the trade date orders entered now belong to."""

    phase: Phase
    trade_date: date


def moment_of(market: MarketSpec, at: datetime) -> Moment:
    """Phase and trade date of a market. Outside its known days a market is closed on its local date.

    The opening call lasts 15 minutes before, the closing call 5 minutes after continuous trading.
    """
    local = at.astimezone(ZoneInfo(market.time_zone)).date()
    if market.always_open:
        return Moment(Phase.CONTINUOUS, local)
    for day in market.days:
        phase = _phase_in(day, at)
        if phase is not None:
            return Moment(phase, day.trade_date)
    return Moment(Phase.CLOSED, local)


def _phase_in(day: TradingDay, at: datetime) -> Phase | None:
    if day.open_at - OPENING_CALL <= at < day.open_at:
        return Phase.PRE_OPEN
    if day.open_at <= at < day.close_at:
        return Phase.CONTINUOUS
    if day.close_at <= at < day.close_at + CLOSING_CALL:
        return Phase.CLOSING_CALL
    return None
