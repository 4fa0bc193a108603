"""Amounts are converted by fresh rates only, in either direction or over one third currency, and never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Refused
from kernel.numbers import Money, Rounding
from refdata.domain.fx import NO_RATES, FxQuote, FxRates, convert, find_path

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
AGE = timedelta(minutes=5)


def quote(base: str, to: str, rate: str, *, age: timedelta = timedelta(0)) -> FxQuote:
    return FxQuote(base, to, Decimal(rate), "test", AT - age, AGE)


def rates(*quotes: FxQuote) -> FxRates:
    return FxRates({(row.base, row.quote): row for row in quotes})


EURO = rates(quote("EUR", "GBP", "0.8725"), quote("EUR", "USD", "1.1580"), quote("EUR", "JPY", "180.40"))


@pytest.mark.parametrize(
    ("amount", "currency", "to", "rounding", "expected"),
    [
        ("100", "EUR", "GBP", Rounding.HALF_EVEN, "87.25"),
        ("100", "GBP", "EUR", Rounding.HALF_EVEN, "114.61"),  # 114.6131...
        ("100", "GBP", "EUR", Rounding.UP, "114.62"),
        ("100", "GBP", "USD", Rounding.HALF_EVEN, "132.72"),  # 100 x 1.1580 / 0.8725 = 132.7220...
        ("100", "GBP", "USD", Rounding.DOWN, "132.72"),
        ("-100", "GBP", "EUR", Rounding.UP, "-114.61"),
        ("2", "EUR", "JPY", Rounding.HALF_EVEN, "361"),  # 360.80: the yen has no minor unit
        ("0.02", "EUR", "GBP", Rounding.HALF_UP, "0.02"),  # 0.01745
        ("12.345", "GBP", "GBP", Rounding.HALF_EVEN, "12.345"),
    ],
)
def test_worked_examples(amount: str, currency: str, to: str, rounding: Rounding, expected: str) -> None:
    done = convert(Money(Decimal(amount), currency), to, EURO, at=AT, rounding=rounding)
    assert done == Money(Decimal(expected), to)


@pytest.mark.parametrize(("age", "is_good"), [(AGE - timedelta(microseconds=1), True), (AGE, True)])
def test_a_rate_is_good_up_to_its_age(age: timedelta, is_good: bool) -> None:
    held = rates(quote("EUR", "GBP", "0.8725", age=age))
    assert convert(Money(Decimal(1), "EUR"), "GBP", held, at=AT).amount == Decimal("0.87")
    assert held.quotes["EUR", "GBP"].is_good(AT) is is_good


@pytest.mark.parametrize("age", [AGE + timedelta(microseconds=1), -timedelta(microseconds=1)])
def test_older_or_from_the_future_is_stale(age: timedelta) -> None:
    with pytest.raises(Refused) as refused:
        convert(Money(Decimal(1), "EUR"), "GBP", rates(quote("EUR", "GBP", "0.8725", age=age)), at=AT)
    assert refused.value.code == "FX_RATE_STALE"
    assert refused.value.context["quoted_at"] == AT - age


@pytest.mark.parametrize(("currency", "to", "held"), [("GBP", "EUR", NO_RATES), ("GBP", "CHF", EURO)])
def test_no_rate_is_no_amount(currency: str, to: str, held: FxRates) -> None:
    with pytest.raises(Refused) as refused:
        convert(Money(Decimal(1), currency), to, held, at=AT)
    assert refused.value.code == "FX_RATE_MISSING"


def test_a_cross_is_as_old_as_its_oldest_leg() -> None:
    held = rates(quote("EUR", "GBP", "0.8725", age=AGE * 2), quote("EUR", "USD", "1.1580"))
    with pytest.raises(Refused) as refused:
        convert(Money(Decimal(1), "GBP"), "USD", held, at=AT)
    assert refused.value.code == "FX_RATE_STALE"


def test_a_fresh_cross_stands_in_for_a_stale_pair() -> None:
    held = rates(*EURO.quotes.values(), quote("GBP", "USD", "9", age=AGE * 2))
    path = find_path("GBP", "USD", held, at=AT)
    assert [(leg.base, leg.quote) for leg in path.legs] == [("EUR", "GBP"), ("EUR", "USD")]
    assert path.quoted_at == AT


@given(
    amount=st.decimals(min_value=0, max_value=10**12, places=2),
    rate=st.decimals(min_value="0.0001", max_value=10000, places=10),
)
def test_there_and_back_is_the_same_amount(amount: Decimal, rate: Decimal) -> None:
    held = rates(FxQuote("EUR", "USD", rate, "test", AT, AGE))
    there = find_path("EUR", "USD", held, at=AT).of(amount)
    back = find_path("USD", "EUR", held, at=AT).of(there)
    assert abs(back - amount) <= Decimal("0.000001")
