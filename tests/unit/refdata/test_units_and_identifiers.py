"""Pence are not pounds; identifiers are right or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kernel.numbers import Money
from refdata.domain.identifiers import is_country, is_currency, is_isin, is_mic
from refdata.domain.price_units import divisor_of, notional, notional_up


@pytest.mark.parametrize(
    ("unit", "currency", "divisor"),
    [
        ("GBX", "GBP", 100),
        ("GBP", "GBP", 1),
        ("USD", "USD", 1),
        ("GBX", "USD", None),
        ("USD", "GBP", None),
        ("GBX", "GBX", None),
        ("", "GBP", None),
    ],
)
def test_price_unit_of_a_currency(unit: str, currency: str, divisor: int | None) -> None:
    assert divisor_of(unit, currency) == divisor


def test_ten_thousand_vodafone_at_72_34_pence_are_7234_pounds() -> None:
    worth = notional(Decimal(10_000), Decimal("72.34"), currency="GBP", price_divisor=100)
    assert worth == Money(Decimal("7234.00"), "GBP")


def test_booked_half_even_and_reserved_up() -> None:
    assert notional(Decimal(1), Decimal("12.5"), currency="GBP", price_divisor=100).amount == Decimal("0.12")
    assert notional_up(Decimal(1), Decimal("12.5"), currency="GBP", price_divisor=100).amount == Decimal("0.13")
    assert notional_up(Decimal(3), Decimal("0.1"), currency="JPY", price_divisor=1).amount == Decimal(1)


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("GB00BH4HKS39", True),
        ("US0378331005", True),
        ("US0378331006", False),
        ("us0378331005", False),
        (" US0378331005", False),
        ("US037833100", False),
        ("ZZ0378331005", False),
        ("", False),
    ],
)
def test_isin(value: str, holds: bool) -> None:
    assert is_isin(value) is holds


@pytest.mark.parametrize(
    ("value", "holds"), [("XLON", True), ("XL0N", True), ("xlon", False), ("XLO", False), ("XLON\n", False)]
)
def test_mic(value: str, holds: bool) -> None:
    assert is_mic(value) is holds


def test_pence_are_no_currency() -> None:
    assert is_currency("GBP")
    assert not is_currency("GBX")
    assert not is_currency("gbp")


def test_country() -> None:
    assert is_country("GB")
    assert not is_country("GBR")
