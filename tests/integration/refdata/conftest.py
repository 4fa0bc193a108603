"""The real data files, loaded once a module."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from authorisation.domain.principal import Principal, process_principal
from refdata.domain.import_rows import read_rows
from refdata.services.load_calendar import load_calendar
from refdata.services.load_instruments import load_instruments
from refdata.services.load_markets import load_markets
from refdata.services.load_settlement_holidays import load_settlement_holidays
from refdata.services.load_tick_tables import load_tick_tables

DATA = Path(__file__).resolve().parents[3] / "refdata" / "data"
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ACTOR: Principal = process_principal("test")
MICS = ("XLON", "XNYS", "XNAS", "XETR", "XPAR", "XASX")
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)


def rows_of(name: str) -> list[dict[str, str]]:
    rows, issues = read_rows((DATA / name).read_text(), ())
    assert issues == ()
    return rows


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """All files, loaded once a module inside a transaction that leaves nothing behind."""
    with django_db_blocker.unblock(), transaction.atomic():
        load_markets(actor=ACTOR, at=AT, rows=rows_of("markets.csv"), cycles=rows_of("settlement_cycles.csv"))
        load_calendar(actor=ACTOR, at=AT, mics=MICS, first=FIRST, last=LAST)
        load_settlement_holidays(actor=ACTOR, at=AT, first=FIRST, last=LAST)
        load_tick_tables(actor=ACTOR, at=AT, rows=rows_of("tick_tables.csv"))
        load_instruments(actor=ACTOR, at=AT, rows=rows_of("listings.csv"))
        yield
        transaction.set_rollback(True)


@pytest.fixture
def listings(loaded: None, db: None) -> None:
    """Markets, calendars, price steps and listings."""
