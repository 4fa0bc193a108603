"""When a market's trades of a day must be allocated and affirmed: the dated lines of this room, on the market's calendar.

The lines are part of the release, read once a process: an hour that a regulator moves is a reviewed change with its source, dated
ahead. Calendars come from ``refdata``'s cache.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from allocations.domain.cut_offs import COLUMNS, CutOffRule, CutOffs, cut_offs_on, parse_rules
from kernel.errors import InvariantBroken
from refdata.domain.import_rows import read_rows
from refdata.domain.market_clock import MarketClock
from refdata.selectors import get_market_clock

FILE = Path(__file__).resolve().parents[1] / "data" / "cut_offs.csv"


@cache
def cut_off_rules() -> tuple[CutOffRule, ...]:
    """Every dated line. Raises InvariantBroken CUT_OFFS_FAULTY when our own file cannot be read."""
    rows, issues = read_rows(FILE.read_text(encoding="utf-8"), COLUMNS)
    if issues:
        raise InvariantBroken("CUT_OFFS_FAULTY", issues[0].sentence)
    try:
        return parse_rules(rows)
    except ValueError as error:
        raise InvariantBroken("CUT_OFFS_FAULTY", str(error)) from error


def cut_offs_for(mic: str, trade_date: date, *, clock: MarketClock | None = None) -> CutOffs:
    """By when trades of that market and day are allocated and affirmed; its instants are None where no line says so.

    Give the ``clock`` where it is held already (a batch): then nothing is read.
    """
    held = (clock or get_market_clock(mic)).settlement_holidays
    return cut_offs_on(cut_off_rules(), mic, trade_date, settlement_holidays=held)
