"""Markets and price steps that are refused, on an empty database: nothing of them is written."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from refdata.domain.import_rows import ImportCode, ImportIssue
from refdata.models import Market, TickTable
from refdata.services.load_markets import load_markets
from refdata.services.load_tick_tables import load_tick_tables
from tests.integration.refdata.conftest import ACTOR, AT, rows_of

LATER = AT + timedelta(hours=1)


def test_a_bad_market_is_refused_and_the_good_one_kept(db: None) -> None:
    london, newyork = rows_of("markets.csv")[:2]
    bad = newyork | {"mic": "xnys", "country": "USA", "time_zone": "Gotham", "currency": "US$", "settlement_days": "-1"}
    result = load_markets(actor=ACTOR, at=AT, rows=[bad, london])
    assert (result.added, result.changed) == (1, 0)
    assert [(issue.row, issue.column, issue.code) for issue in result.issues] == [
        (2, "mic", ImportCode.MIC_INVALID),
        (2, "country", ImportCode.COUNTRY_INVALID),
        (2, "time_zone", ImportCode.TIME_ZONE_UNKNOWN),
        (2, "currency", ImportCode.CURRENCY_INVALID),
        (2, "settlement_days", ImportCode.NUMBER_INVALID),
    ]
    assert list(Market.objects.values_list("mic", flat=True)) == ["XLON"]


def test_a_faulty_tick_table_leaves_the_old_one(db: None) -> None:
    rows = [{"table": "A", "price_from": "0", "tick": "0.01"}, {"table": "B", "price_from": "0", "tick": "1"}]
    load_tick_tables(actor=ACTOR, at=AT, rows=rows)
    version = TickTable.objects.get(name="A").version
    faulty = [
        {"table": "A", "price_from": "0", "tick": "0"},
        {"table": "B", "price_from": "0", "tick": "2"},
        {"table": "C", "price_from": "one", "tick": "2"},
    ]
    result = load_tick_tables(actor=ACTOR, at=LATER, rows=faulty)
    assert (result.added, result.changed, result.unchanged) == (0, 1, 0)
    assert result.issues == (
        ImportIssue(4, "table", ImportCode.NUMBER_INVALID, "A band needs a table, a lower bound and a tick."),
        ImportIssue(2, "table", ImportCode.TICK_TABLE_INVALID, "A: The tick 0 from 0 is not positive."),
    )
    table = TickTable.objects.get(name="A")
    assert table.version == version
    assert list(table.bands.values_list("price_from", "tick")) == [(Decimal(0), Decimal("0.01"))]
    assert list(TickTable.objects.get(name="B").bands.values_list("tick", flat=True)) == [2]
    assert not TickTable.objects.filter(name="C").exists()
