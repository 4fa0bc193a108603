"""Demo reference data: the files of the refdata room, calendars around the present, and markets that never close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from authorisation.domain.principal import Principal
from kernel.errors import InvariantBroken
from refdata.domain.import_rows import LISTING_COLUMNS, ImportIssue, LoadResult, read_rows
from refdata.services.load_calendar import load_calendar
from refdata.services.load_instruments import load_instruments
from refdata.services.load_markets import load_markets
from refdata.services.load_settlement_holidays import load_settlement_holidays
from refdata.services.load_tick_tables import TICK_COLUMNS, load_tick_tables

DATA = Path(__file__).resolve().parents[2] / "refdata" / "data"
YEARS_BACK, YEARS_AHEAD = 1, 2
MARKET_COLUMNS = ("mic", "name", "country", "time_zone", "currency", "calendar_code", "settlement_days")
CYCLE_COLUMNS = ("mic", "valid_from", "days")


def seed_markets(*, actor: Principal, at: datetime, always_open: bool) -> LoadResult:
    """Markets, calendars from last year to the year after next, price steps, listings with first prices.

    Returns the result of the listings. Raises InvariantBroken when one of our own files has an issue.
    """
    first, last = date(at.year - YEARS_BACK, 1, 1), date(at.year + YEARS_AHEAD, 12, 31)
    markets = _rows("markets.csv", MARKET_COLUMNS)
    cycles = _rows("settlement_cycles.csv", CYCLE_COLUMNS)
    loaded = load_markets(actor=actor, at=at, rows=markets, cycles=cycles, always_open=always_open)
    _require_clean("markets.csv", loaded.issues)
    load_calendar(actor=actor, at=at, mics=[row["mic"] for row in markets], first=first, last=last)
    load_settlement_holidays(actor=actor, at=at, first=first, last=last)
    ticks = load_tick_tables(actor=actor, at=at, rows=_rows("tick_tables.csv", TICK_COLUMNS))
    _require_clean("tick_tables.csv", ticks.issues)
    listings = load_instruments(actor=actor, at=at, rows=_rows("listings.csv", LISTING_COLUMNS))
    _require_clean("listings.csv", listings.issues)
    return listings


def _rows(name: str, columns: Sequence[str]) -> list[dict[str, str]]:
    rows, issues = read_rows((DATA / name).read_text(encoding="utf-8"), columns)
    _require_clean(name, issues)
    return rows


def _require_clean(name: str, issues: Sequence[ImportIssue]) -> None:
    if issues:
        first = issues[0]
        raise InvariantBroken("SEED_FILE_FAULTY", f"{name}, row {first.row}: {first.sentence}")
