"""Decimals as people type them and as books round them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kernel.canonical import canonical_json, payload_hash
from kernel.numbers import Money, parse_decimal, plain, round_money, round_money_down, round_money_up


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1,000", "1000"), ("10k", "10000"), ("1.2m", "1200000"), (" 72.34 ", "72.34"), ("\u22125", "-5")],
)
def test_typed_numbers_are_read(typed: str, value: str) -> None:
    assert parse_decimal(typed) == Decimal(value)


@pytest.mark.parametrize("typed", ["", "abc", "NaN", "Infinity", "1..2", "=1+1", "k"])
def test_what_is_no_number_is_none(typed: str) -> None:
    assert parse_decimal(typed) is None


def test_rounding_is_named() -> None:
    assert round_money(Decimal("0.125"), "GBP") == Decimal("0.12")
    assert round_money(Decimal("0.135"), "GBP") == Decimal("0.14")
    assert round_money_up(Decimal("0.121"), "GBP") == Decimal("0.13")
    assert round_money_down(Decimal("0.129"), "GBP") == Decimal("0.12")
    assert round_money(Decimal("10.5"), "JPY") == Decimal("10")


def test_two_currencies_do_not_add() -> None:
    assert Money(Decimal(1), "GBP") + Money(Decimal(2), "GBP") == Money(Decimal(3), "GBP")
    with pytest.raises(ValueError, match="cannot add"):
        Money(Decimal(1), "GBP") + Money(Decimal(1), "EUR")


@pytest.mark.parametrize(("value", "text"), [("1E+3", "1000"), ("1.500", "1.5"), ("0.00", "0"), ("-2.10", "-2.1")])
def test_plain_text_of_decimals(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


def test_the_same_facts_give_the_same_bytes() -> None:
    assert canonical_json({"b": Decimal("1.0"), "a": [None, True]}) == b'{"a":[null,true],"b":"1"}'
    assert payload_hash({"qty": Decimal("10.00")}) == payload_hash({"qty": Decimal("10")})


def test_floats_have_no_canonical_form() -> None:
    with pytest.raises(TypeError, match="float"):
        canonical_json({"price": 1.5})
