"""Values: harmless spellings are one, whatever would change a number is refused by name."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.numbers import plain
from reconciliation.domain.records import COLUMNS, Column, Kind, Type
from reconciliation.formats.problems import BadValue
from reconciliation.formats.values import read_currency, read_date, read_instant, read_number, read_word, reader_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100", "100"),
        ("100.00", "100"),
        ("+007.50", "7.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-0.00", "0"),
        ("\u22123", "-3"),
        ("0.123456780000", "0.12345678"),
        ("9999999999999999", "9999999999999999"),
    ],
)
def test_numbers_have_one_spelling(text: str, number: str) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *[
            (one, "NUMBER_INVALID")
            for one in ("1,234.5", "1e3", "1e999", "NaN", "inf", "0x1F", "1_000", "(5)", "5-", ".", "-", "١٢")
        ],
        ("0.123456789", "NUMBER_TOO_FINE"),
        ("12345678901234567", "NUMBER_TOO_LARGE"),
    ],
)
def test_what_would_change_a_number_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadValue) as bad:
        read_number(text)
    assert bad.value.code == code


def test_a_decimal_comma_is_taken_where_it_can_mean_nothing_else() -> None:
    assert read_number("1234,50", decimal_comma=True) == "1234.5"
    assert read_number("0,125", decimal_comma=True) == "0.125"
    assert read_number("-1234,567", decimal_comma=True) == "-1234.567"
    for text, code in (("1,234", "NUMBER_AMBIGUOUS"), ("-12,345", "NUMBER_AMBIGUOUS"), ("1.234,5", "NUMBER_INVALID")):
        with pytest.raises(BadValue) as bad:
            read_number(text, decimal_comma=True)
        assert bad.value.code == code


def test_quantities_are_not_negative_and_money_may_be() -> None:
    columns = {one.name: one for one in COLUMNS[Kind.EXECUTIONS]}
    assert reader_of(columns["commission"])("-1") == "-1"
    with pytest.raises(BadValue) as bad:
        reader_of(columns["last_qty"])("-1")
    assert bad.value.code == "NUMBER_NEGATIVE"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**15), max_value=10**15))
def test_a_number_written_is_the_number_read(value: Decimal) -> None:
    assert Decimal(read_number(plain(value))) == value
    assert Decimal(read_number(f"{value:f}")) == value


@pytest.mark.parametrize("text", ["2026-11-25", "20261125"])
def test_dates(text: str) -> None:
    assert read_date(text) == "2026-11-25"


@pytest.mark.parametrize(
    "text", ["2026-02-29", "25/11/2026", "11-25-2026", "2026-1-2", "today", "infinity", "2026-1125", ""]
)
def test_dates_nobody_can_be_sure_of(text: str) -> None:
    with pytest.raises(BadValue) as bad:
        read_date(text)
    assert bad.value.code == "DATE_INVALID"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-25T14:02:11Z", "2026-11-25T14:02:11Z"),
        ("2026-11-25 14:02:11.250+01:00", "2026-11-25T14:02:11.25+01:00"),
        ("2026-11-25T14:02:11.123456789-0530", "2026-11-25T14:02:11.123456-05:30"),
        ("2026-11-25T14:02:11+01", "2026-11-25T14:02:11+01:00"),
        ("20261125-14:02:11.250", "2026-11-25T14:02:11.25Z"),
        ("20261125-14:02", "2026-11-25T14:02:00Z"),
        ("2026-11-25 14:02:11 UTC", "2026-11-25T14:02:11Z"),
    ],
)
def test_times_keep_their_zone(text: str, instant: str) -> None:
    assert read_instant(text) == instant


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-11-25T14:02:11", "INSTANT_WITHOUT_ZONE"),
        ("2026-11-25T24:02:11Z", "INSTANT_INVALID"),
        ("2026-11-25T14:60:11Z", "INSTANT_INVALID"),
        ("2016-12-31T23:59:60Z", "INSTANT_INVALID"),
        ("20161231-23:59:60", "INSTANT_INVALID"),
        ("2026-11-25T14:02:11+19:00", "INSTANT_INVALID"),
        ("2026-11-31T14:02:11Z", "DATE_INVALID"),
        ("now", "INSTANT_INVALID"),
        ("1764079331", "INSTANT_INVALID"),
    ],
)
def test_times_that_are_no_moment(text: str, code: str) -> None:
    with pytest.raises(BadValue) as bad:
        read_instant(text)
    assert bad.value.code == code


@pytest.mark.parametrize("text", ["GBX", "GBp", "gbp", "XXX", "EURO"])
def test_pence_are_not_pounds(text: str) -> None:
    with pytest.raises(BadValue):
        read_currency(text)


@pytest.mark.parametrize(
    ("column", "text", "word"),
    [
        ("side", "Buy", "1"),
        ("side", "SELL_SHORT", "5"),
        ("side", "8", "8"),
        ("ord_status", "PartiallyFilled", "1"),
        ("ord_status", "partially filled", "1"),
        ("ord_status", "cancelled", "4"),
        ("ord_status", "c", "C"),
        ("exec_type", "H", "bust"),
        ("exec_type", "F", "trade"),
        ("short_allowed", "TRUE", "yes"),
        ("state", "Reduce only", "reduce_only"),
    ],
)
def test_words_and_codes_are_one(column: str, text: str, word: str) -> None:
    assert read_word(text, column) == word


def test_a_word_nobody_knows_is_refused() -> None:
    with pytest.raises(BadValue) as bad:
        read_word("sideways", "side")
    assert bad.value.code == "WORD_UNKNOWN"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("isin", "GB00BH4HKS38", "ISIN_INVALID"),
        ("mic", "LSE", "MIC_INVALID"),
        ("lei", "5493001KJTIIGC8Y1R13", "LEI_INVALID"),
        ("account", "x" * 35, "TEXT_TOO_LONG"),
        ("account", "a\x07b", "TEXT_CONTROL"),
    ],
)
def test_names_that_cannot_be(name: str, text: str, code: str) -> None:
    longest = 34 if name == "account" else 64
    with pytest.raises(BadValue) as bad:
        reader_of(Column(name, Type.TEXT, "", longest=longest))(text)
    assert bad.value.code == code
