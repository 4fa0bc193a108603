"""Every way in which a row of the listings file is refused, and that its neighbours are kept."""

from __future__ import annotations

from decimal import Decimal

import pytest

from refdata.domain.import_rows import LISTING_COLUMNS, ImportCode, ImportIssue, parse_listings, read_rows
from refdata.domain.tick_table import Band

MICS = {"XLON", "XNAS"}
TICKS = {"RTS": [Band(Decimal(0), Decimal("0.01"))]}
GOOD = {
    "symbol": "vod.l",
    "isin": "GB00BH4HKS39",
    "name": "Vodafone Group",
    "asset_class": "equity",
    "mic": "XLON",
    "venue_symbol": "VOD",
    "currency": "GBP",
    "price_unit": "GBX",
    "tick_table": "RTS",
    "lot_size": "1",
    "average_daily_volume": "52m",
    "reference_price": "72.34",
}
OTHER = GOOD | {"symbol": "AAPL", "isin": "US0378331005", "mic": "XNAS", "venue_symbol": "AAPL"}
OTHER |= {"currency": "USD", "price_unit": "USD"}


def test_a_good_row() -> None:
    drafts, issues = parse_listings([GOOD], mics=MICS, ticks=TICKS)
    assert issues == []
    draft = drafts[0]
    assert (draft.row, draft.symbol, draft.venue_symbol, draft.price_divisor) == (2, "VOD.L", "VOD", 100)
    assert (draft.lot_size, draft.average_daily_volume) == (Decimal(1), Decimal(52_000_000))
    assert draft.reference_price == Decimal("72.34")


@pytest.mark.parametrize(
    ("change", "column", "code", "sentence"),
    [
        ({"symbol": ""}, "symbol", ImportCode.VALUE_MISSING, "symbol is empty."),
        ({"name": ""}, "name", ImportCode.VALUE_MISSING, "name is empty."),
        ({"name": "x" * 121}, "name", ImportCode.VALUE_TOO_LONG, "name is longer than 120 characters."),
        ({"venue_symbol": ""}, "venue_symbol", ImportCode.VALUE_MISSING, "venue_symbol is empty."),
        (
            {"isin": "GB00BH4HKS38"},
            "isin",
            ImportCode.ISIN_INVALID,
            "'GB00BH4HKS38' is no ISIN: check its last digit.",
        ),
        ({"mic": "LSE"}, "mic", ImportCode.MIC_INVALID, "'LSE' is no MIC: four upper-case letters or digits."),
        ({"mic": "XTKS"}, "mic", ImportCode.MIC_UNKNOWN, "Market XTKS is not loaded."),
        ({"currency": "GBX"}, "currency", ImportCode.CURRENCY_INVALID, "'GBX' is no ISO 4217 currency."),
        (
            {"currency": "USD"},
            "price_unit",
            ImportCode.PRICE_UNIT_INVALID,
            "Prices in 'GBX' cannot belong to a listing that settles in USD.",
        ),
        (
            {"asset_class": "bond"},
            "asset_class",
            ImportCode.ASSET_CLASS_UNKNOWN,
            "'bond' is not one of equity, etf.",
        ),
        ({"tick_table": "X"}, "tick_table", ImportCode.TICK_TABLE_UNKNOWN, "Tick table 'X' is not loaded."),
        ({"lot_size": "0"}, "lot_size", ImportCode.NUMBER_INVALID, "'0' is not a number above zero."),
        ({"lot_size": "NaN"}, "lot_size", ImportCode.NUMBER_INVALID, "'NaN' is not a number above zero."),
        (
            {"average_daily_volume": "-5"},
            "average_daily_volume",
            ImportCode.NUMBER_INVALID,
            "'-5' is not a number above zero.",
        ),
        (
            {"reference_price": "=1+1"},
            "reference_price",
            ImportCode.NUMBER_INVALID,
            "'=1+1' is not a number above zero.",
        ),
        (
            {"reference_price": "72.345"},
            "reference_price",
            ImportCode.PRICE_OFF_TICK,
            "72.345 is not a multiple of the tick of table RTS.",
        ),
    ],
)
def test_a_bad_cell_costs_its_row_only(change: dict[str, str], column: str, code: ImportCode, sentence: str) -> None:
    drafts, issues = parse_listings([GOOD | change, OTHER], mics=MICS, ticks=TICKS)
    assert issues == [ImportIssue(2, column, code, sentence)]
    assert [draft.symbol for draft in drafts] == ["AAPL"]


def test_of_equal_symbols_the_first_is_kept() -> None:
    drafts, issues = parse_listings([GOOD, GOOD | {"symbol": "VOD.L"}], mics=MICS, ticks=TICKS)
    assert [draft.row for draft in drafts] == [2]
    assert issues == [ImportIssue(3, "symbol", ImportCode.SYMBOL_TWICE, "VOD.L stands in an earlier row.")]


def test_every_fault_of_a_row_is_told() -> None:
    _, issues = parse_listings([GOOD | {"isin": "", "currency": "", "lot_size": "x"}], mics=MICS, ticks=TICKS)
    assert [issue.column for issue in issues] == ["isin", "currency", "lot_size"]


def test_a_file_without_a_column_gives_no_rows() -> None:
    rows, issues = read_rows("symbol,isin\nVOD.L,GB00BH4HKS39\n", LISTING_COLUMNS[:3])
    assert rows == []
    assert issues == (ImportIssue(1, "name", ImportCode.COLUMN_MISSING, "The header lacks name."),)


def test_an_empty_file_gives_no_rows() -> None:
    rows, issues = read_rows("", ("symbol",))
    assert rows == []
    assert issues == (ImportIssue(1, "symbol", ImportCode.COLUMN_MISSING, "The header lacks symbol."),)


def test_byte_order_mark_spaces_and_short_rows() -> None:
    rows, issues = read_rows("\ufeffsymbol, isin\n VOD.L , GB00BH4HKS39\nSHEL.L\n", ("symbol", "isin"))
    assert issues == ()
    assert rows == [{"symbol": "VOD.L", "isin": "GB00BH4HKS39"}, {"symbol": "SHEL.L", "isin": ""}]


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refdata.domain.import_rows.MAX_ROWS", 2)
    rows, issues = read_rows("symbol\na\nb\nc\n", ("symbol",))
    assert rows == []
    assert issues == (ImportIssue(0, "", ImportCode.FILE_TOO_LONG, "The file has more than 2 rows."),)
