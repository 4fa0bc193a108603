"""Demo reference data: the files of the refdata room, calendars around the present, and markets that never close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from accounts.domain.fee_rows import FEE_COLUMNS
from accounts.services.load_fee_schedules import load_fee_schedules
from authorisation.domain.principal import Principal
from kernel.errors import InvariantBroken
from refdata.domain.import_rows import LISTING_COLUMNS, ImportIssue, LoadResult, read_rows
from refdata.models import FxRate
from refdata.services.load_calendar import load_calendar
from refdata.services.load_instruments import load_instruments
from refdata.services.load_markets import load_markets
from refdata.services.load_settlement_holidays import load_settlement_holidays
from refdata.services.load_tick_tables import TICK_COLUMNS, load_tick_tables
from refdata.services.set_fx_rates import FxUpdate, set_fx_rates

DATA = Path(__file__).resolve().parents[2] / "refdata" / "data"
FEE_DATA = DATA.parents[1] / "accounts" / "data"
YEARS_BACK, YEARS_AHEAD = 1, 2
MARKET_COLUMNS = ("mic", "name", "country", "time_zone", "currency", "calendar_code", "settlement_days")
FX_COLUMNS = ("base", "quote", "rate")
DEMO_FX = "demo file"
DEMO_FX_AGE = timedelta(days=7)
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
    _seed_fx_rates(actor=actor, at=at)
    fees = load_fee_schedules(actor=actor, at=at, rows=_rows("fee_schedules.csv", FEE_COLUMNS, FEE_DATA))
    _require_clean("fee_schedules.csv", fees.issues)
    listings = load_instruments(actor=actor, at=at, rows=_rows("listings.csv", LISTING_COLUMNS))
    _require_clean("listings.csv", listings.issues)
    return listings


def _seed_fx_rates(*, actor: Principal, at: datetime) -> None:
    """Plausible rates, quoted now; a start of the demo quotes those afresh that are a day old and not somebody else's."""
    kept = FxRate.objects.exclude(source=DEMO_FX, quoted_at__lte=at - timedelta(days=1)).values_list("base", "quote")
    rows = [row for row in _rows("fx_rates.csv", FX_COLUMNS) if (row["base"], row["quote"]) not in set(kept)]
    updates = [FxUpdate(row["base"], row["quote"], Decimal(row["rate"]), quoted_at=at) for row in rows]
    done = set_fx_rates(actor=actor, at=at, source=DEMO_FX, max_age=DEMO_FX_AGE, rates=updates)
    _require_clean("fx_rates.csv", done.issues)


def _rows(name: str, columns: Sequence[str], folder: Path | None = None) -> list[dict[str, str]]:
    rows, issues = read_rows(((folder or DATA) / name).read_text(encoding="utf-8"), columns)
    _require_clean(name, issues)
    return rows


def _require_clean(name: str, issues: Sequence[ImportIssue]) -> None:
    if issues:
        first = issues[0]
        raise InvariantBroken("SEED_FILE_FAULTY", f"{name}, row {first.row}: {first.sentence}")
